//! A slow reader among a hundred (R9): what it costs the others, how it is closed, and that it misses
//! nothing. Rounds without and with the slow reader take turns, so that whatever else the machine does
//! falls on both.

use std::{
    net::{IpAddr, Ipv4Addr},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use frontdesk_core::limits;
use frontdesk_protocol::wire::{self, client_frame::Frame as Out, server_frame::Frame as In};
use frontdesk_testkit::{
    Gone, PATIENCE, RawSocket, Seen, Swarm, TestAgent, TestServer, TestVisitor,
    checker::{median, quantile},
    http::note,
    live::{message_id, text},
    pace::Pace,
    raw::{client_bytes, server_frame},
    within,
};
use tempfile::TempDir;

use crate::{
    FRONTDESK, MIB,
    rounds::{GRAIN, directory_in_memory, measured, peak_rss_while},
};

/// Agents who have the room open.
const AGENTS: u8 = 100;
/// 200 messages a second.
const EVERY: Duration = Duration::from_millis(5);
/// Messages of a round: what the slow one then missed is given on a resume.
const MESSAGES: u32 = 500;
/// Bytes of one message: 1 MiB is queued after 260 of them.
const BODY_BYTES: usize = 4_000;
/// What the slow one reads.
const SLOW_BYTES_PER_S: usize = 1 << 10;
/// Stands before the number of a message.
const MARK: &[u8] = b"room#";
const ROUNDS: usize = 7;

/// What came of one round.
struct Round {
    /// From when a message was due to when one of the others had it.
    p50: Duration,
    p99: Duration,
    /// How much later than due the room's messages were sent, 99 of 100 less.
    late: Duration,
    /// How much the server's memory grew.
    grown: u64,
    slow: Slow,
}

/// What the hundredth had in a round.
#[derive(Default)]
struct Slow {
    /// The messages it was sent, as they came.
    frames: Vec<Vec<u8>>,
    gone: Option<Gone>,
    /// The number the others were at when it had read why it is closed.
    others_at: u32,
}

/// The room: who writes in it, who reads.
struct Room {
    server: TestServer,
    conversation: String,
    visitor: TestVisitor,
    /// The hundredth, slow or not.
    hundredth: TestAgent,
    swarm: Swarm,
    /// After the server, which is killed first.
    _dir: TempDir,
}

impl Room {
    async fn open() -> Self {
        let dir = directory_in_memory();
        let server = TestServer::builder(FRONTDESK)
            .data_dir(&dir.path().join("data"))
            .set("storage.embedded.segment_bytes", 8 << 20)
            .set("limits.visitor_rate_per_s", 10_000)
            .set("limits.visitor_burst", 100_000)
            .set("limits.ip_rate_per_s", 10_000)
            .set("limits.ip_burst", 100_000)
            .set("limits.http_per_address_per_minute", 60_000)
            .set("limits.http_per_caller_per_minute", 60_000)
            .start()
            .await;
        let mut visitor = TestVisitor::connect(&server).await;
        visitor.say("hello").await;
        let conversation = visitor.conversation.clone();
        let mut swarm = Swarm::default();
        let mut hundredth = None;
        for number in 1..=AGENTS {
            // A machine for each: nobody signs in a hundred times within a minute from one.
            let from = IpAddr::V4(Ipv4Addr::new(127, 0, 9, number));
            let name = format!("Agent{number}");
            let agent = TestAgent::new_from(&server, from, &name, "admin").await;
            if number == AGENTS {
                hundredth = Some(agent);
                break;
            }
            let ticket = agent.http.agent_ticket().await;
            swarm = reader(&agent, ticket, &conversation, swarm).await;
        }
        let mut hundredth = hundredth.expect("there are a hundred");
        hundredth.connect().await;
        hundredth.open(&conversation).await.expect("an admin may read");
        // These two come back for each round; sockets nobody reads would be slow readers, too.
        hundredth.lose();
        visitor.lose();
        Self { server, conversation, visitor, hundredth, swarm, _dir: dir }
    }

    /// One round; the hundredth reads slowly or as the others do.
    async fn round(&mut self, slow: bool) -> Round {
        // The hundredth comes back, with a socket of the kind it needs.
        let position = self.hundredth.timeline(&self.conversation).position();
        let mut hello =
            wire::Hello { ticket: self.hundredth.http.agent_ticket().await, ..<_>::default() };
        hello.held.push(wire::Held { conversation: self.conversation.clone(), position });
        let mut options = self.hundredth.options.clone();
        options.receive_buffer = slow.then_some(4 << 10);
        let address = self.server.address();
        let hundredth = tokio::task::spawn_blocking(move || {
            let mut socket = RawSocket::connect(address, &options);
            let welcome = socket.greet(hello);
            let opened = loop {
                if let Some(In::Opened(opened)) = socket.hear().frame {
                    break opened;
                }
            };
            (socket, welcome, opened)
        });
        let (socket, welcome, opened) = hundredth.await.expect("the hundredth comes in");
        let timeline = self.hundredth.live.timelines.get_mut(&self.conversation);
        timeline.expect("it was open before").open(&opened, position);
        self.hundredth.welcome = welcome;

        let ticket = self.visitor.ticket().await;
        let writer = tokio::task::spawn_blocking(move || {
            let options = frontdesk_testkit::SocketOptions::default();
            let mut socket = RawSocket::connect(address, &options);
            socket.greet(wire::Hello { ticket, ..wire::Hello::default() });
            let frame = |number| {
                let body = format!("room#{number:08}{}", "x".repeat(BODY_BYTES));
                client_bytes(number + 10, Out::Send(text("", &message_id(), &body)))
            };
            (socket, (0..MESSAGES).map(frame).collect::<Vec<_>>())
        });
        let (mut writer, frames) = writer.await.expect("the visitor comes in");

        let closes = self.server.metric("frontdesk_slow_closes_total").await;
        let mut swarm = std::mem::take(&mut self.swarm);
        let pong = client_bytes(0, Out::Pong(wire::Pong {}));
        for other in 0..usize::from(AGENTS - 1) {
            // A sign of life, in place of an answer to each ping.
            swarm.write(other, &pong);
        }
        let start = Instant::now() + Duration::from_millis(20);
        let pace = Pace { start, every: EVERY };
        let known_closed = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&known_closed);
        let reading = move || read(swarm, socket, slow, pace, &told);
        let writing = move || {
            let mut late = Vec::new();
            for (number, frame) in (0..).zip(&frames) {
                late.push(pace.wait_for(number));
                writer.write(frame);
            }
            let mut acked = 0;
            while acked < MESSAGES {
                match writer.hear().frame {
                    Some(In::Ack(_)) => acked += 1,
                    Some(In::Refusal(refusal)) => panic!("refused: {refusal:?}"),
                    _ => {}
                }
            }
            late.sort_unstable();
            quantile(&late, 99)
        };
        let work = async {
            let reading = tokio::task::spawn_blocking(reading);
            let writing = tokio::task::spawn_blocking(writing);
            let limit = PATIENCE * 2;
            let late = within(limit, "all is acked", writing).await.expect("a writer");
            let read = within(limit, "all is read", reading).await.expect("the readers");
            (late, read)
        };
        let watch = async || {
            if self.server.metric("frontdesk_slow_closes_total").await > closes {
                known_closed.store(true, Ordering::Relaxed);
            }
        };
        let ((late, read), grown) = peak_rss_while(&self.server, watch, work).await;
        let closed = self.server.metric("frontdesk_slow_closes_total").await - closes;
        assert!((closed - f64::from(u8::from(slow))).abs() < 0.5, "{closed} were closed as slow");
        let (swarm, mut latencies, slow) = read;
        self.swarm = swarm;
        latencies.sort_unstable();
        let (p50, p99) = (quantile(&latencies, 50), quantile(&latencies, 99));
        // What the hundredth was sent is in order and without a hole, or this panics.
        let timeline = self.hundredth.live.timelines.get_mut(&self.conversation);
        let timeline = timeline.expect("it was open before");
        for frame in &slow.frames {
            if let Some(In::Entries(entries)) = server_frame(frame).frame {
                timeline.entries(&entries);
            }
        }
        Round { p50, p99, late, grown, slow }
    }

    /// The hundredth resumes, and is given more than a queue's worth on the same connection.
    async fn resume(&mut self) {
        let recovered = self.hundredth.timeline(&self.conversation).recovered;
        let closes = self.server.metric("frontdesk_slow_closes_total").await;
        self.hundredth.resume().await;
        let timeline = self.hundredth.timeline(&self.conversation);
        assert_eq!(timeline.recovered, recovered + 1, "it was given a new page");
        let position = timeline.position().expect("it is open");
        self.hundredth.live.sync(&self.conversation, position).await;
        let closed = self.server.metric("frontdesk_slow_closes_total").await - closes;
        assert!(closed < 0.5, "it was closed for what it was given");
        self.hundredth.lose();
    }

    /// Numbers of the last messages the hundredth holds.
    fn held(&self) -> Vec<u32> {
        let texts = self.hundredth.timeline(&self.conversation).texts();
        texts.iter().filter_map(|text| number_in(text.as_bytes(), &mut 0)).collect()
    }
}

/// A healthy reader joins.
async fn reader(agent: &TestAgent, ticket: String, conversation: &str, mut swarm: Swarm) -> Swarm {
    let (address, options) = (agent.address, agent.options.clone());
    let open = wire::Open { conversation: conversation.to_owned(), position: None };
    let joined = tokio::task::spawn_blocking(move || {
        let mut socket = RawSocket::connect(address, &options);
        socket.greet(wire::Hello { ticket, ..wire::Hello::default() });
        match socket.ask(2, Out::Open(open)) {
            In::Opened(_) => {}
            other => panic!("open is answered by {other:?}"),
        }
        swarm.add(socket);
        swarm
    });
    joined.await.expect("an agent comes in")
}

/// Reads until everybody has everything, and the slow one is closed.
fn read(
    mut swarm: Swarm,
    socket: RawSocket,
    is_slow: bool,
    pace: Pace,
    known_closed: &AtomicBool,
) -> (Swarm, Vec<Duration>, Slow) {
    let hundredth =
        if is_slow { swarm.add_slow(socket, SLOW_BYTES_PER_S) } else { swarm.add(socket) };
    let others = usize::from(AGENTS - 1);
    let mut latencies = Vec::with_capacity(others * MESSAGES as usize);
    let mut slow = Slow::default();
    let (mut newest, mut offset, mut hurried) = (0, 0, !is_slow);
    loop {
        let mut each = |link: usize, seen: Seen<'_>| match seen {
            // Rows of the list, presence and the like are shorter.
            Seen::Message(frame) if frame.len() < BODY_BYTES => {}
            Seen::Message(frame) if link == hundredth => slow.frames.push(frame.to_vec()),
            Seen::Message(frame) => {
                let number = number_in(frame, &mut offset).expect("a message of the room");
                latencies.push(pace.due(number).elapsed());
                newest = newest.max(number);
            }
            Seen::End(gone, _) => {
                assert_eq!(link, hundredth, "one of the others was closed: {gone:?}");
                slow.gone = Some(gone);
                slow.others_at = newest;
            }
        };
        swarm.turn(Instant::now() + Duration::from_millis(20), &mut each);
        if !hurried && known_closed.load(Ordering::Relaxed) {
            // Closed it is; what lies in the kernel's buffers and the reason of the close come now.
            hurried = true;
            swarm.hurry(hundredth, &mut each);
        }
        let all = latencies.len() == others * MESSAGES as usize;
        let hundredth_done =
            if is_slow { slow.gone.is_some() } else { slow.frames.len() >= MESSAGES as usize };
        if all && hundredth_done {
            swarm.lose_newest();
            return (swarm, latencies, slow);
        }
    }
}

/// The number in a message of the room. Its place is the same in nearly all frames: it is looked for
/// where it was the last time first.
fn number_in(frame: &[u8], offset: &mut usize) -> Option<u32> {
    let is_here = |at: usize| frame.get(at..at + MARK.len()) == Some(MARK);
    if !is_here(*offset) {
        *offset = frame.windows(MARK.len()).position(|window| window == MARK)?;
    }
    let digits = frame.get(*offset + MARK.len()..*offset + MARK.len() + 8)?;
    std::str::from_utf8(digits).ok()?.parse().ok()
}

#[test]
fn r09_a_slow_consumer_is_closed_by_name_and_recovers() {
    measured(async {
        let mut room = Room::open().await;
        // The first round fills what is filled once: pools, caches, tables of the log.
        room.round(false).await;
        let all: Vec<u32> = (0..MESSAGES).collect();
        let (mut without, mut with) = (Vec::new(), Vec::new());
        for number in 1..=ROUNDS {
            let round = room.round(false).await;
            assert!(
                room.held().ends_with(&all),
                "the hundredth missed something: {:?}",
                room.held()
            );
            without.push(round);

            let round = room.round(true).await;
            let Some(Gone::Closed { code, .. }) = &round.slow.gone else {
                panic!("the slow one was not told why it is closed: {:?}", round.slow.gone)
            };
            assert_eq!(*code, 3_008);
            let held = room.held();
            let last = *held.last().expect("it read something");
            // What was queued behind the message that was on its way: that one is finished, the rest cut.
            let bytes = round.slow.frames[0].len() as u64;
            let queued = u64::from(round.slow.others_at - last + 1) * bytes;
            assert!(last + 1 < MESSAGES, "it read everything");
            assert!((MIB..2 * MIB).contains(&queued), "closed when {queued} bytes were queued");
            room.resume().await;
            assert!(room.held().ends_with(&all), "it has not caught up: {:?}", room.held());
            note(&format!(
                "r09: round {number}: slow one closed with {code} at message {last}, the others were at {}; \
             others p50 {:?}, p99 {:?}, rss +{} KiB",
                round.slow.others_at,
                round.p50,
                round.p99,
                round.grown / 1_024
            ));
            with.push(round);
        }
        let p99 = |rounds: &[Round]| median(&rounds.iter().map(|r| r.p99).collect::<Vec<_>>());
        let p50 = |rounds: &[Round]| median(&rounds.iter().map(|r| r.p50).collect::<Vec<_>>());
        let grown = |rounds: &[Round]| rounds.iter().map(|r| r.grown).max().unwrap_or_default();
        let late = median(&without.iter().chain(&with).map(|r| r.late).collect::<Vec<_>>());
        let range = |rounds: &[Round]| {
            let all = rounds.iter().map(|round| round.p99);
            (all.clone().min().unwrap_or_default(), all.max().unwrap_or_default())
        };
        note(&format!(
            "r09: the 99 others p50 {:?}, p99 {:?} {:?} without, p50 {:?}, p99 {:?} {:?} with a slow reader; rss grew \
             by at most {} and {} KiB in a round; messages were sent at most {late:?} late (p99)",
            p50(&without),
            p99(&without),
            range(&without),
            p50(&with),
            p99(&with),
            range(&with),
            grown(&without) / 1_024,
            grown(&with) / 1_024,
        ));
        let bound = p99(&without).mul_f64(1.2) + GRAIN;
        assert!(p99(&with) <= bound, "p99 {:?} with a slow reader, at most {bound:?}", p99(&with));
        assert!(grown(&with) <= 8 * MIB, "rss grew by {}", grown(&with));
    });
}

#[tokio::test]
async fn who_missed_more_bytes_than_a_resume_may_take_gets_the_newest_page() {
    const BIG: usize = 60_000;
    let server = TestServer::builder(FRONTDESK).set("limits.visitor_burst", 1_000).start().await;
    let mut visitor = TestVisitor::connect(&server).await;
    visitor.say("hello").await;
    let mut tab = visitor.another_tab();
    tab.connect_by_ticket().await;
    tab.lose();
    let body = "x".repeat(BIG);
    // All but the last fit into one resume.
    let count = limits::CATCH_UP_BYTES_MAX / (BIG + 200);
    for _ in 0..count {
        visitor.say(&body).await;
    }
    tab.resume().await;
    assert!(tab.welcome.opened[0].recovered);
    assert_eq!(tab.held().held, visitor.held().held);
    // On the same connection: it was not closed for what it was given.
    tab.say("thank you").await;
    tab.lose();
    for _ in 0..=count {
        visitor.say(&body).await;
    }
    tab.resume().await;
    assert!(!tab.welcome.opened[0].recovered);
    assert_eq!(tab.held().held, visitor.held().held);
    assert_eq!(tab.held().texts().len(), limits::FIRST_PAGE_ENTRIES);
    tab.say("still here").await;
}
