//! Floods (R10): what they cost everybody else, how they are held back, and that no connection has more
//! in flight than it may. Rounds without and with the flood take turns.

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
    PATIENCE, RawSocket, Seen, SocketOptions, Swarm, TestServer, TestVisitor,
    checker::{median, quantile},
    http::note,
    live::{message_id, text},
    pace::Pace,
    raw::{client_bytes, server_frame},
};

use crate::{
    FRONTDESK, MIB,
    rounds::{GRAIN, directory_in_memory, measured, peak_rss_while},
};

/// Visitors who chat as people do, within their limits.
const BYSTANDERS: u8 = 48;
/// Each says something every 125 ms.
const BYSTANDER_EVERY: Duration = Duration::from_millis(125);
/// What each says in a round of three seconds.
const BYSTANDER_MESSAGES: u32 = 24;
/// The one: ten thousand a second.
const TORRENT_EVERY: Duration = Duration::from_micros(100);
/// The many: two hundred a second each.
const STREAMS: u8 = 64;
const STREAM_EVERY: Duration = Duration::from_millis(5);
/// How long a flood lasts: as long as the bystanders talk.
const ROUND: Duration = Duration::from_secs(3);
/// How often the flooders write what is due.
const STEP: Duration = Duration::from_millis(1);
const ROUNDS: usize = 5;
/// The default limit of one visitor's connection.
const VISITOR_BURST: u32 = 40;
const VISITOR_RATE_PER_S: u32 = 10;
/// A connection over its limit is read again after this at the earliest.
const PAUSES_PER_S: u32 = 50;

/// A visitor's socket from a machine of its own: only its own limit holds it.
async fn visitor(server: &TestServer, network: u8, host: u8) -> RawSocket {
    let options = SocketOptions {
        from: Some(IpAddr::V4(Ipv4Addr::new(127, 0, network, host))),
        // What the server does not read soon waits here, and the flooder notices.
        send_buffer: Some(16 << 10),
        ..SocketOptions::default()
    };
    let ticket = TestVisitor::new(server, SocketOptions::default()).await.ticket().await;
    let address = server.address();
    let greeted = tokio::task::spawn_blocking(move || {
        let mut socket = RawSocket::connect(address, &options);
        socket.greet(wire::Hello { ticket, ..wire::Hello::default() });
        socket
    });
    greeted.await.expect("a visitor comes in")
}

fn message(reference: u32) -> Vec<u8> {
    let body = format!("message number {reference}");
    client_bytes(reference, Out::Send(text("", &message_id(), &body)))
}

/// The bystanders talk for a round; returns from when each message was due to its ack, and how late
/// the messages were sent.
fn talk(mut swarm: Swarm) -> (Swarm, Vec<Duration>, Vec<Duration>) {
    let people = u32::from(BYSTANDERS);
    let count = people * BYSTANDER_MESSAGES;
    let frames: Vec<_> = (0..count).map(|number| message(number + 10)).collect();
    // One after the other, evenly: each of them comes round every 125 ms.
    let start = Instant::now() + Duration::from_millis(20);
    let pace = Pace { start, every: BYSTANDER_EVERY / people };
    let (mut acked, mut late) = (Vec::new(), Vec::new());
    let mut sent = 0;
    while acked.len() < count as usize {
        assert!(start.elapsed() < ROUND + PATIENCE, "the bystanders have {} acks", acked.len());
        let until = if sent < count { pace.due(sent) } else { Instant::now() + PATIENCE };
        swarm.turn(until, |_, seen| match seen {
            Seen::Message(frame) => {
                let frame = server_frame(frame);
                match frame.frame {
                    Some(In::Ack(_)) => acked.push(pace.due(frame.r#ref - 10).elapsed()),
                    Some(In::Refusal(refusal)) => panic!("a bystander is refused: {refusal:?}"),
                    _ => {}
                }
            }
            Seen::End(gone, _) => panic!("a bystander is gone: {gone:?}"),
        });
        while sent < pace.due_by(Instant::now()).min(count) {
            late.push(pace.due(sent).elapsed());
            swarm.write((sent % people) as usize, &frames[sent as usize]);
            sent += 1;
        }
    }
    acked.sort_unstable();
    late.sort_unstable();
    (swarm, acked, late)
}

/// What became of one flooder.
#[derive(Default)]
struct Flooder {
    /// Messages that were due.
    offered: u32,
    /// Bytes of them that the kernel did not take.
    unwritten: usize,
    /// Answers, as they came: looked at when the flood is over.
    answers: Vec<Vec<u8>>,
}

/// Floods until told to stop. The first socket is the torrent.
fn flood(sockets: Vec<RawSocket>, stop: &AtomicBool) -> (Vec<Flooder>, Duration) {
    let mut swarm = Swarm::default();
    let mut flooders = Vec::new();
    let mut frames = Vec::new();
    for (number, socket) in sockets.into_iter().enumerate() {
        swarm.add(socket);
        let count = if number == 0 { 40_000 } else { 800 };
        frames.push((0..count).map(|number| message(number + 10)).collect::<Vec<_>>());
        flooders.push(Flooder::default());
    }
    let start = Instant::now();
    let paces: Vec<_> = (0..flooders.len() as u32)
        .map(|number| match number {
            0 => Pace { start, every: TORRENT_EVERY },
            // Not all at the same moment.
            _ => Pace { start: start + STREAM_EVERY / 64 * number, every: STREAM_EVERY },
        })
        .collect();
    let steps = Pace { start, every: STEP };
    let mut out = Vec::new();
    while !stop.load(Ordering::Relaxed) {
        let now = Instant::now();
        for (number, flooder) in flooders.iter_mut().enumerate() {
            let due = paces[number].due_by(now).min(frames[number].len() as u32);
            if due > flooder.offered {
                out.clear();
                for frame in &frames[number][flooder.offered as usize..due as usize] {
                    out.extend_from_slice(frame);
                }
                flooder.offered = due;
                swarm.write(number, &out);
            }
        }
        let next = steps.due(steps.due_by(now));
        swarm.turn(next, |number, seen| match seen {
            Seen::Message(frame) => flooders[number].answers.push(frame.to_vec()),
            Seen::End(gone, _) => panic!("a flooder is gone: {gone:?}"),
        });
        steps.wait_for(steps.due_by(now));
    }
    for (number, flooder) in flooders.iter_mut().enumerate() {
        flooder.unwritten = swarm.unwritten(number);
    }
    (flooders, start.elapsed())
}

/// What the flooders were answered: taken and refused, all of them and the torrent.
#[derive(Debug, Default)]
struct Answers {
    offered: u32,
    taken: u32,
    refused: u32,
}

/// Each flooder was held to its own limit, told so, and then not read.
fn judge(flooders: &[Flooder], lasted: Duration) -> Answers {
    let seconds = u32::try_from(lasted.as_secs()).expect("a short round") + 1;
    let mut all = Answers::default();
    for flooder in flooders {
        let (mut taken, mut refused) = (0, 0);
        for answer in &flooder.answers {
            match server_frame(answer).frame {
                Some(In::Ack(_)) => taken += 1,
                Some(In::Refusal(refusal)) => {
                    assert_eq!(refusal.code, "rate_limited");
                    assert!(refusal.retry_after_ms.is_some_and(|ms| ms > 0), "{refusal:?}");
                    refused += 1;
                }
                _ => {}
            }
        }
        let allowed = VISITOR_BURST + VISITOR_RATE_PER_S * seconds;
        assert!(taken <= allowed, "{taken} of a flood were taken, {allowed} are allowed");
        assert!(refused > 0, "a flooder was not told to slow down");
        // One refusal, then a pause.
        let told = PAUSES_PER_S * seconds;
        assert!(refused <= told, "a flooder was read to be refused {refused} times");
        all.offered += flooder.offered;
        all.taken += taken;
        all.refused += refused;
    }
    // A hundred thousand bytes lie in the kernel's buffers, the rest of a million came no further.
    let torrent = &flooders[0];
    assert!(torrent.unwritten > 512 << 10, "{} bytes could not be written", torrent.unwritten);
    all
}

#[test]
fn r10_a_flood_is_held_back_and_harms_nobody() {
    measured(async {
        let dir = directory_in_memory();
        let server = TestServer::builder(FRONTDESK)
            .data_dir(&dir.path().join("data"))
            .set("storage.embedded.segment_bytes", 8 << 20)
            .set("limits.http_per_address_per_minute", 60_000)
            .start()
            .await;
        let mut swarm = Swarm::default();
        for host in 1..=BYSTANDERS {
            swarm.add(visitor(&server, 1, host).await);
        }
        // Conversations are created and pools are filled.
        swarm = tokio::task::spawn_blocking(move || talk(swarm).0).await.expect("they talk");
        let at_rest = server.rss_bytes();
        let (mut quiet, mut flooded, mut lates) = (Vec::new(), Vec::new(), Vec::new());
        let mut grown_most = 0;
        for number in 1..=ROUNDS {
            let talking = tokio::task::spawn_blocking(move || talk(swarm));
            let (back, acked, late) = talking.await.expect("they talk");
            quiet.push(quantile(&acked, 99));
            lates.push(quantile(&late, 99));
            let quiet_p50 = quantile(&acked, 50);

            let mut sockets = vec![visitor(&server, 2, 250).await];
            for host in 1..=STREAMS {
                sockets.push(visitor(&server, 2, host).await);
            }
            let stop = Arc::new(AtomicBool::new(false));
            let told = Arc::clone(&stop);
            let flooding = tokio::task::spawn_blocking(move || flood(sockets, &told));
            let talking = tokio::task::spawn_blocking(move || talk(back));
            let ((back, acked, late), grown) =
                peak_rss_while(&server, async || (), async { talking.await.expect("they talk") })
                    .await;
            stop.store(true, Ordering::Relaxed);
            let (flooders, lasted) = flooding.await.expect("they flood");
            let answers = judge(&flooders, lasted);
            swarm = back;
            note(&format!(
                "r10: round {number}: bystanders p50 {quiet_p50:?}, p99 {:?} in quiet, p50 {:?}, p99 {:?} in a flood of {} \
                 messages, of which {} were taken and {} refused; {} bytes of the torrent were not read; rss +{} KiB",
                quiet[number - 1],
                quantile(&acked, 50),
                quantile(&acked, 99),
                answers.offered,
                answers.taken,
                answers.refused,
                flooders[0].unwritten,
                grown / 1_024
            ));
            flooded.push(quantile(&acked, 99));
            lates.push(quantile(&late, 99));
            grown_most = grown_most.max(grown);
        }
        let grown_since = server.rss_bytes().saturating_sub(at_rest);
        let (quiet, flooded, late) = (median(&quiet), median(&flooded), median(&lates));
        note(&format!(
            "r10: bystanders' p99 {quiet:?} in quiet, {flooded:?} in a flood; rss grew by at most {} KiB in a round, \
             {} KiB in all; messages were sent at most {late:?} late (p99)",
            grown_most / 1_024,
            grown_since / 1_024
        ));
        let bound = quiet * 2 + GRAIN;
        assert!(flooded <= bound, "p99 {flooded:?} in a flood, at most {bound:?}");
        assert!(grown_most <= 64 * MIB, "rss grew by {grown_most} in a round");
        assert!(grown_since <= 64 * MIB, "rss grew by {grown_since} in all");
    });
}

/// Without limits of rate: a connection that writes thousands of messages at once has at most 64 of
/// them in flight; for the rest it is not read until those are acked.
#[tokio::test]
async fn r10_at_most_64_messages_of_a_connection_wait_for_their_ack() {
    const COUNT: u32 = 6_400;
    let server = TestServer::builder(FRONTDESK)
        .set("limits.visitor_burst", 100_000)
        .set("limits.ip_burst", 100_000)
        .start()
        .await;
    let socket = visitor(&server, 1, 1).await;
    let commits = server.metric("frontdesk_log_commits_total").await;
    let poured = tokio::task::spawn_blocking(move || {
        let mut swarm = Swarm::default();
        let socket = swarm.add(socket);
        let bytes: Vec<u8> = (0..COUNT).flat_map(|number| message(number + 10)).collect();
        swarm.write(socket, &bytes);
        let mut next = 10;
        let started = Instant::now();
        while next < COUNT + 10 {
            assert!(started.elapsed() < PATIENCE, "acked up to {next}");
            swarm.turn(Instant::now() + PATIENCE, |_, seen| match seen {
                Seen::Message(frame) => {
                    let frame = server_frame(frame);
                    match frame.frame {
                        Some(In::Ack(_)) => {
                            assert_eq!(frame.r#ref, next, "acks are in order");
                            next += 1;
                        }
                        Some(In::Refusal(refusal)) => panic!("refused: {refusal:?}"),
                        _ => {}
                    }
                }
                Seen::End(gone, _) => panic!("closed: {gone:?}"),
            });
        }
    });
    poured.await.expect("all are acked");
    let commits = server.metric("frontdesk_log_commits_total").await - commits;
    let most = f64::from(limits::IN_FLIGHT_MAX);
    note(&format!("r10: {COUNT} messages of one connection took {commits} commits"));
    assert!(commits * most >= f64::from(COUNT), "{COUNT} messages in {commits} commits");
}
