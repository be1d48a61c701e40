//! Bad networks and bad neighbours: half-open connections (R8), handshakes that never end (R13). Slow
//! readers (R9) are in `slow`, floods (R10) in `flood`.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    time::{Duration, Instant},
};

use frontdesk_protocol::wire::{Presence, client_frame::Frame as Out, server_frame::Frame as In};
use frontdesk_testkit::{
    ChaosProxy, Gone, PATIENCE, RawSocket, Seen, Socket, SocketOptions, Swarm, TestServer,
    TestVisitor,
    checker::quantile,
    http::note,
    live::{message_id, text},
    socket::Refused,
    soon, within,
};
use tokio::sync::oneshot;

use crate::{FRONTDESK, chat::pair, rounds::measured};

/// With the default intervals scaled down from 25 s + 10 s to 2 s + 3 s.
#[tokio::test]
async fn r08_a_half_open_connection_is_noticed_and_loses_nothing() {
    let server = TestServer::builder(FRONTDESK)
        .set("gateway.ping_interval_ms", 2_000)
        .set("gateway.pong_wait_ms", 3_000)
        .start()
        .await;
    let (mut agent, mut visitor, conversation) = pair(&server).await;
    let proxy = ChaosProxy::before(server.address()).await;
    // Somebody healthy and silent, who answers pings, stays connected all the while.
    let mut silent = TestVisitor::connect(&server).await;
    let (all_done, mut until_all_done) = oneshot::channel::<()>();
    let silent = tokio::spawn(async move {
        loop {
            tokio::select! {
                heard = silent.live.hear() => {
                    assert!(heard.is_ok(), "a connection that answers pings was closed: {heard:?}");
                }
                _ = &mut until_all_done => break,
            }
        }
        silent.say("here all the while, on the same connection").await;
    });
    visitor.lose();
    visitor.address = proxy.address();
    visitor.resume().await;
    visitor.say("before").await;
    agent.live.forget(|frame| matches!(frame, In::Presence(_)));
    proxy.change(|weather| weather.blackhole = true);
    let went_silent = Instant::now();
    let id = message_id();
    visitor.live.send(Out::Send(text("", &id, "into the dark"))).await;
    agent.say(&conversation, "are you there?").await;
    agent
        .live
        .pushed("the visitor counts as offline", |frame| match frame {
            In::Presence(update) if update.conversation == conversation => {
                (update.presence() == Presence::Offline).then_some(())
            }
            _ => None,
        })
        .await;
    let noticed = went_silent.elapsed();
    assert!(noticed <= Duration::from_secs(8), "noticed after {noticed:?}");
    // The client notices as well, comes back and sends again what was not acked.
    visitor.lose();
    visitor.address = server.address();
    visitor.resume().await;
    assert!(visitor.welcome.opened[0].recovered);
    assert!(visitor.held().texts().contains(&"are you there?"));
    visitor.try_say(&id, "into the dark").await.expect("acked at last");
    // What the dark network still held comes late, and changes nothing.
    proxy.change(|weather| weather.blackhole = false);
    visitor.say("after").await;
    agent.sees(&conversation, "after").await;
    let seen = agent.timeline(&conversation).texts();
    assert_eq!(seen.iter().filter(|text| **text == "into the dark").count(), 1, "{seen:?}");
    // Longer than silence is borne: somebody else's was noticed meanwhile.
    all_done.send(()).expect("the silent visitor waits");
    silent.await.expect("the silent visitor stayed");
}

/// Somebody to whom everybody talks, and who says nothing, answers pings like anybody else: none of them
/// may be left out because the connection is busy the other way.
#[tokio::test]
async fn r08_a_listener_who_is_written_to_all_the_time_stays_connected() {
    let server = TestServer::builder(FRONTDESK)
        .set("gateway.ping_interval_ms", 8_000)
        .set("gateway.pong_wait_ms", 4_000)
        .start()
        .await;
    let (mut agent, mut visitor, conversation) = pair(&server).await;
    let writing = tokio::spawn(async move {
        let mut pace = tokio::time::interval(Duration::from_millis(250));
        for number in 0..64 {
            pace.tick().await;
            visitor.say(&format!("number {number}")).await;
        }
    });
    // Heard for the last time early in an interval: silent 12 s later, before the second one ends.
    agent.sees(&conversation, "number 9").await;
    agent.say(&conversation, "go on").await;
    agent.sees(&conversation, "number 63").await;
    writing.await.expect("the visitor is acked");
}

/// The bound of the default settings: 25 s + 10 s.
#[tokio::test]
async fn r08_the_default_settings_notice_silence_within_35_seconds() {
    let server = TestServer::start(FRONTDESK).await;
    let options = SocketOptions { pong: false, ..SocketOptions::default() };
    let mut visitor = TestVisitor::connect_with(&server, options).await;
    let started = Instant::now();
    let gone = within(Duration::from_secs(40), "silence is noticed", async {
        loop {
            if let Err(gone) = visitor.live.hear().await {
                return gone;
            }
        }
    })
    .await;
    assert_eq!(gone.code(), 3_009);
    let noticed = started.elapsed();
    assert!(noticed <= Duration::from_secs(36), "noticed after {noticed:?}");
}

#[tokio::test]
async fn r12_a_socket_too_many_is_told_when_to_come_back() {
    let server = TestServer::builder(FRONTDESK).set("limits.handshakes_per_s", 1).start().await;
    let options = SocketOptions::default();
    let mut open = Vec::new();
    let (status, body, retry_after) = loop {
        match soon("an answer", Socket::open(server.address(), &options)).await {
            Ok(socket) => open.push(socket),
            Err(Refused::Answer { status, body, retry_after }) => {
                break (status, body, retry_after);
            }
            Err(lost) => panic!("{lost:?}"),
        }
        assert!(open.len() < 100, "everybody is admitted");
    };
    assert!(!open.is_empty(), "nobody is admitted");
    assert_eq!(status, 503, "{body}");
    assert!(body.contains("\"overloaded\""), "{body}");
    assert_eq!(retry_after, Some(Duration::from_secs(1)));
}

/// Upgrades of which half is sent.
const HALVES: usize = 5_000;
/// Sockets that never say who they are.
const MUTES: usize = 2_000;
/// Both are given so long.
const TIMEOUT: Duration = Duration::from_secs(10);
/// Connects that are timed meanwhile.
const CONNECTS: usize = 200;
/// With fewer the slowest hundredth means nothing.
const CONNECTS_MIN: usize = 100;

/// How the connections of one kind ended.
#[derive(Default)]
struct Ends {
    /// From the beginning of each to its end.
    lasted: Vec<Duration>,
    /// Ends other than the right one.
    wrong: Vec<String>,
}

impl Ends {
    fn note(&mut self, began: Instant, wrong: Option<String>) {
        self.lasted.push(began.elapsed());
        self.wrong.extend(wrong);
    }

    #[track_caller]
    fn must_be_right(&mut self, what: &str, count: usize) {
        self.lasted.sort_unstable();
        let (first, last) = (self.lasted[0], self.lasted[self.lasted.len() - 1]);
        note(&format!("r13: {count} {what} connections lasted {first:?} to {last:?}"));
        assert_eq!(self.lasted.len(), count);
        assert!(self.wrong.is_empty(), "{what}: {:?}", &self.wrong[..self.wrong.len().min(5)]);
        assert!(first >= TIMEOUT, "a {what} connection was ended after {first:?}");
        assert!(last <= TIMEOUT * 3 / 2, "a {what} connection was ended after {last:?}");
    }
}

/// Begins all handshakes, says when that is done, and waits for all their ends.
fn never_end(server: SocketAddr, all_begun: oneshot::Sender<Instant>) -> (Ends, Ends) {
    let half = b"GET /ws/v1 HTTP/1.1\r\nHost: frontdesk.example\r\nUpgrade: webs";
    let options = SocketOptions::default();
    let began = Instant::now();
    let mut swarm = Swarm::default();
    let mut begun = Vec::new();
    for _ in 0..HALVES {
        begun.push(Instant::now());
        let mut socket = RawSocket::connect(server, &options);
        socket.write(half);
        swarm.add_plain(socket);
    }
    let mut asked = Vec::new();
    for number in 0..MUTES {
        // From many machines: what one may ask for is limited.
        let host = u8::try_from(number % 250 + 1).expect("an address");
        let from = Some(IpAddr::V4(Ipv4Addr::new(127, 0, 3, host)));
        begun.push(Instant::now());
        let mut socket =
            RawSocket::connect(server, &SocketOptions { from, ..SocketOptions::default() });
        socket.ask_for_upgrade();
        asked.push(socket);
    }
    for mut socket in asked {
        socket.upgraded();
        swarm.add(socket);
    }
    all_begun.send(began).expect("the test waits");
    let (mut halves, mut mutes) = (Ends::default(), Ends::default());
    while halves.lasted.len() < HALVES || mutes.lasted.len() < MUTES {
        assert!(began.elapsed() < TIMEOUT + PATIENCE, "not all handshakes are ended");
        swarm.turn(Instant::now() + PATIENCE, |link, seen| match seen {
            Seen::End(gone, came) if link < HALVES => {
                // Nothing was asked yet: there is nothing to answer.
                let right =
                    gone == Gone::Lost && (came.is_empty() || came.starts_with(b"HTTP/1.1 408 "));
                let wrong = (!right).then(|| String::from_utf8_lossy(came).into_owned());
                halves.note(begun[link], wrong);
            }
            Seen::End(gone, _) => {
                let wrong = (gone.code() != 3_401).then(|| format!("{gone:?}"));
                mutes.note(begun[link], wrong);
            }
            Seen::Message(_) => {}
        });
    }
    (halves, mutes)
}

#[test]
fn r13_handshakes_that_never_end_keep_nobody_out() {
    measured(async {
        let server =
            TestServer::builder(FRONTDESK).set("limits.handshakes_per_s", 10_000).start().await;
        let (all_begun, begun) = oneshot::channel();
        let address = server.address();
        let ends = tokio::task::spawn_blocking(move || never_end(address, all_begun));
        let began = begun.await.expect("all handshakes begin");
        let open = server.metric("frontdesk_connections").await;
        let mut took = Vec::new();
        // While all of them are there: the first is ended ten seconds after it began.
        while took.len() < CONNECTS && began.elapsed() < TIMEOUT {
            let started = Instant::now();
            let visitor = TestVisitor::connect(&server).await;
            took.push(started.elapsed());
            drop(visitor);
        }
        took.sort_unstable();
        note(&format!(
            "r13: beside {HALVES} half and {open} mute connections {} visitors connect in p50 {:?}, p99 {:?}; \
             the last {:?} after the first of those began",
            took.len(),
            quantile(&took, 50),
            quantile(&took, 99),
            began.elapsed(),
        ));
        assert!(open >= MUTES as f64, "{open} upgraded sockets are open");
        assert!(took.len() >= CONNECTS_MIN, "{} connects are too few", took.len());
        assert!(quantile(&took, 99) <= Duration::from_millis(500), "{took:?}");
        let (mut halves, mut mutes) = ends.await.expect("all ends are seen");
        halves.must_be_right("half", HALVES);
        mutes.must_be_right("mute", MUTES);
        TestVisitor::connect(&server).await.say("and everybody is still welcome").await;
    });
}
