//! Bad networks and bad neighbours: half-open connections (R8), slow readers (R9), floods (R10),
//! handshakes that never end (R13).

use std::{
    net::{IpAddr, Ipv4Addr},
    time::{Duration, Instant},
};

use frontdesk_protocol::wire::{
    self, Presence, client_frame::Frame as Out, server_frame::Frame as In,
};
use frontdesk_testkit::{
    ChaosProxy, Gone, Socket, SocketOptions, TestServer, TestVisitor,
    checker::quantile,
    http::note,
    live::{message_id, text},
    soon, within,
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use crate::{FRONTDESK, chat::pair, heavy};

const MIB: u64 = 1 << 20;

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
    let silent = tokio::spawn(async move {
        let end = tokio::time::timeout(Duration::from_secs(12), silent.live.gone()).await;
        assert!(end.is_err(), "a connection that answers pings was closed: {end:?}");
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
    silent.await.expect("the silent visitor stayed");
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

/// Sends `count` messages of 60 KB and waits for all their acks.
async fn pour(visitor: &mut TestVisitor, count: u32) {
    let body = "x".repeat(60_000);
    for number in 0..count {
        let send = text("", &message_id(), &format!("{number} {body}"));
        visitor.live.message(send).await.expect("acked");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r09_a_slow_consumer_is_closed_by_name_and_recovers() {
    let _alone = heavy().await;
    let server = TestServer::builder(FRONTDESK)
        .set("limits.visitor_burst", 100_000)
        .set("limits.ip_burst", 100_000)
        .start()
        .await;
    let (mut agent, mut visitor, conversation) = pair(&server).await;
    const COUNT: u32 = 200;
    let last = format!("{} {}", COUNT - 1, "x".repeat(60_000));
    // The same load without the slow one first: what it costs by itself.
    let before = server.rss_bytes();
    let started = Instant::now();
    let read = agent.sees(&conversation, &last);
    tokio::join!(pour(&mut visitor, COUNT), read);
    let (alone, baseline) = (server.rss_bytes().saturating_sub(before), started.elapsed());
    agent.live.timelines.get_mut(&conversation).expect("opened").lines.clear();
    agent.live.forget(|_| true);

    // A tab of the visitor's that takes nothing out of a small kernel buffer.
    let mut slow = visitor.another_tab();
    slow.options.receive_buffer = Some(4_096);
    slow.connect_by_ticket().await;
    let position = slow.held().held;
    let before = server.rss_bytes();
    let started = Instant::now();
    let read = agent.sees(&conversation, &last);
    tokio::join!(pour(&mut visitor, COUNT), read);
    let (beside, with_slow) = (server.rss_bytes().saturating_sub(before), started.elapsed());
    let closed = server.metric("frontdesk_slow_closes_total").await;
    assert!(closed >= 1.0, "the slow one was closed");
    let gone = slow.live.gone().await;
    assert!(matches!(gone, Gone::Lost) || gone.code() == 3_008, "{gone:?}");
    let held = slow.held().held;
    assert!(held < visitor.held().held, "it had not read everything");
    assert!(held >= position);
    slow.options.receive_buffer = None;
    slow.resume().await;
    assert_eq!(slow.held().held, visitor.held().held, "it has caught up");
    note(&format!(
        "r09: {COUNT} messages of 60 kB took {baseline:?} without and {with_slow:?} with a slow reader; \
         rss grew by {} and {} KiB; closed as {gone:?} at {held}",
        alone / 1_024,
        beside / 1_024
    ));
    assert!(beside <= alone + 8 * MIB, "rss grew by {beside}, without the slow one by {alone}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r10_a_flood_is_held_back_and_harms_nobody() {
    let _alone = heavy().await;
    let server = TestServer::start(FRONTDESK).await;
    let mut calm = TestVisitor::connect(&server).await;
    let mut quiet = Vec::new();
    for number in 0..20 {
        let started = Instant::now();
        calm.say(&format!("quiet {number}")).await;
        quiet.push(started.elapsed());
    }
    let before = server.rss_bytes();
    let started = Instant::now();
    let mut floods = Vec::new();
    for number in 2..10_u8 {
        // Each from an address of its own, so that only its own limit holds it back.
        let options = SocketOptions {
            from: Some(IpAddr::V4(Ipv4Addr::new(127, 0, 0, number))),
            ..SocketOptions::default()
        };
        let mut flooder = TestVisitor::connect_with(&server, options).await;
        floods.push(tokio::spawn(async move {
            // As fast as the server takes it, for three seconds; nothing is read meanwhile, then all.
            let pour = async {
                for number in 0..10_000 {
                    let send = text("", &message_id(), &format!("flood {number}"));
                    if flooder.live.socket().send(number + 1, Out::Send(send)).await.is_err() {
                        return;
                    }
                }
            };
            drop(tokio::time::timeout(Duration::from_secs(3), pour).await);
            let (mut acked, mut limited) = (0_u32, 0_u32);
            let count = async {
                while let Ok(frame) = flooder.live.socket().hear().await {
                    match frame.frame {
                        Some(In::Ack(_)) => acked += 1,
                        Some(In::Refusal(refusal)) => {
                            assert_eq!(refusal.code, "rate_limited");
                            assert!(refusal.retry_after_ms.is_some_and(|ms| ms > 0));
                            limited += 1;
                        }
                        _ => {}
                    }
                }
            };
            drop(tokio::time::timeout(Duration::from_secs(2), count).await);
            (acked, limited)
        }));
    }
    // The bystander: within its own limit of ten a second.
    let mut pace = tokio::time::interval(Duration::from_millis(150));
    let mut during = Vec::new();
    for number in 0..20 {
        pace.tick().await;
        let started = Instant::now();
        calm.say(&format!("calm {number}")).await;
        during.push(started.elapsed());
    }
    let mut limited_all = 0;
    for flood in floods {
        let (acked, limited) = flood.await.expect("a flooder ends");
        let allowed = 40 + 10 * (started.elapsed().as_secs() as u32 + 2);
        assert!(acked <= allowed, "{acked} of a flood were taken, {allowed} are allowed");
        limited_all += limited;
    }
    let grown = server.rss_bytes().saturating_sub(before);
    quiet.sort_unstable();
    during.sort_unstable();
    note(&format!(
        "r10: bystander p50 {:?}, p99 {:?}; in quiet {:?}, {:?}; rss grew by {} KiB; {limited_all} refused",
        quantile(&during, 50),
        quantile(&during, 99),
        quantile(&quiet, 50),
        quantile(&quiet, 99),
        grown / 1_024
    ));
    assert!(limited_all > 0, "nobody was held back");
    assert!(grown <= 64 * MIB, "rss grew by {grown}");
    // Shared cores: the harness floods as much as the flooders do. The bound is the one for people.
    assert!(quantile(&during, 99) <= Duration::from_secs(1), "{during:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r13_handshakes_that_never_end_keep_nobody_out() {
    let _alone = heavy().await;
    let server = TestServer::start(FRONTDESK).await;
    let half = b"GET /ws/v1 HTTP/1.1\r\nHost: frontdesk.example\r\nUpgrade: webs";
    let mut halves = Vec::new();
    let began = Instant::now();
    for _ in 0..5_000 {
        let connecting = TcpStream::connect(server.address());
        let mut stream = soon("a connection", connecting).await.expect("accepted");
        stream.write_all(half).await.expect("written");
        halves.push(stream);
    }
    let mut mute = Vec::new();
    for _ in 0..500 {
        let options = SocketOptions::default();
        let opening = Socket::open(server.address(), &options);
        mute.push(soon("an upgrade", opening).await.expect("upgraded"));
    }
    let mut took = Vec::new();
    for _ in 0..30 {
        let started = Instant::now();
        let visitor = TestVisitor::connect(&server).await;
        took.push(started.elapsed());
        drop(visitor);
    }
    took.sort_unstable();
    note(&format!(
        "r13: beside 5,000 half and 500 mute connections a visitor connects in p50 {:?}, p99 {:?}",
        quantile(&took, 50),
        quantile(&took, 99)
    ));
    assert!(quantile(&took, 90) <= Duration::from_millis(500), "{took:?}");
    for mut socket in mute {
        assert_eq!(socket.gone().await.code(), 3_401);
    }
    let mut rest = Vec::new();
    for mut stream in halves {
        rest.clear();
        soon("a half handshake is ended", stream.read_to_end(&mut rest)).await.unwrap_or(0);
    }
    let ended = began.elapsed();
    note(&format!("r13: all ended {ended:?} after the first began"));
    TestVisitor::connect(&server).await.say("and everybody else is still welcome").await;
    let wire::Welcome { server_time_ms, .. } = TestVisitor::connect(&server).await.welcome;
    assert!(server_time_ms > 0);
}
