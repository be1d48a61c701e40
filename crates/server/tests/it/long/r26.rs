//! An hour of people who come and go (R26): memory, file descriptors, tasks and the log stay as they
//! were.
//!
//! A thousand visitors are connected. Twenty times a second one loses its connection and its place is
//! taken at once: mostly by itself, back with a resume token or a new ticket, sometimes after writing
//! something; every tenth time by somebody new, who writes, is answered, ends the session and is never
//! seen again.

use std::{
    collections::HashSet,
    fs,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use frontdesk_protocol::wire::{
    self, Presence, client_frame::Frame as Out, command::Command as Verb, feed_change::Change,
    server_frame::Frame as In,
};
use frontdesk_testkit::{
    Rng, TestAgent, TestServer, TestVisitor,
    http::note,
    live::{message_id, text},
};
use serde_json::json;
use tokio::{
    sync::{mpsc, watch},
    task::JoinSet,
    time::{MissedTickBehavior, interval},
};

use super::{Report, roomy};
use crate::{MIB, heavy};

const VISITORS: usize = 1_000;
const AGENTS: usize = 4;
/// What each of them has said before the first is lost: 16 MiB together, twice what the history's cache
/// holds. Whoever comes back with a new ticket reads it, so the cache is full when memory has settled.
const SAID: usize = 8;
const SAID_BYTES: usize = 2_048;
/// Connections that are lost and replaced each second.
const CHURN_PER_S: u64 = 20;
/// Memory has settled by then.
const SETTLED: Duration = Duration::from_mins(10);
const LOOK_EVERY: Duration = Duration::from_secs(10);
/// How long idle HTTP connections of the test itself may live on.
const LINGER: Duration = Duration::from_mins(2);

/// One look at the server.
struct Look {
    at: Duration,
    rss: u64,
    anonymous: u64,
    descriptors: usize,
    tasks: f64,
    log_bytes: u64,
}

impl Look {
    async fn at(server: &TestServer, began: Instant) -> Self {
        let tasks = server.metric("frontdesk_tasks").await;
        let descriptors = fs::read_dir(format!("/proc/{}/fd", server.pid())).expect("it runs");
        Self {
            at: began.elapsed(),
            rss: server.rss_bytes(),
            anonymous: server.anonymous_bytes(),
            descriptors: descriptors.count(),
            tasks,
            log_bytes: server.log().iter().map(|line| line.len() as u64 + 1).sum(),
        }
    }
}

/// Growth in an hour of the line that fits best, MiB.
fn slope_per_hour(looks: &[Look], of: fn(&Look) -> u64) -> f64 {
    let count = looks.len() as f64;
    let hours = |look: &Look| look.at.as_secs_f64() / 3_600.0;
    let mean_x = looks.iter().map(hours).sum::<f64>() / count;
    let mean_y = looks.iter().map(|look| of(look) as f64).sum::<f64>() / count;
    let both = looks.iter().map(|look| (hours(look) - mean_x) * (of(look) as f64 - mean_y));
    let squares = looks.iter().map(|look| (hours(look) - mean_x).powi(2));
    both.sum::<f64>() / squares.sum::<f64>() / MIB as f64
}

/// How often each thing was done.
#[derive(Default)]
struct Tally {
    resumes: AtomicU64,
    tickets: AtomicU64,
    newcomers: AtomicU64,
    messages: AtomicU64,
}

/// Hears everything until told to leave.
async fn sit(visitor: &mut TestVisitor, leave: &mut mpsc::Receiver<()>) -> bool {
    loop {
        tokio::select! {
            heard = visitor.live.hear() => {
                assert!(heard.is_ok(), "a visitor that answers pings was closed: {heard:?}");
            }
            told = leave.recv() => return told.is_some(),
        }
    }
}

/// Reads what was said first, as somebody who scrolls up, and once more: the cache gives its room to what
/// is asked for again.
async fn reads_from_the_start(visitor: &TestVisitor) {
    let path = format!("/api/v1/conversations/{}/entries?after=0&limit=20", visitor.conversation);
    for _ in 0..2 {
        let page = visitor.http().get(&path).await.ok();
        let items = page["items"].as_array().expect("a page");
        assert!(items.len() > SAID, "{} items", items.len());
    }
}

/// One of the thousand places, until there are no more orders to leave.
async fn place(
    server: Arc<TestServer>,
    mut leave: mpsc::Receiver<()>,
    tally: Arc<Tally>,
    seed: u64,
) {
    let mut rng = Rng::new(seed);
    let mut visitor = TestVisitor::connect(&server).await;
    visitor.say("here I am").await;
    for _ in 0..SAID {
        visitor.say(&"a long story ".repeat(SAID_BYTES / 13)).await;
    }
    while sit(&mut visitor, &mut leave).await {
        let count = |counter: &AtomicU64| counter.fetch_add(1, Ordering::Relaxed);
        match rng.pick(0..20) {
            0 | 1 => {
                // Its place is free while somebody new passes through.
                visitor.lose();
                let mut newcomer = TestVisitor::connect(&server).await;
                newcomer.say("only passing by").await;
                newcomer.sees("how can I help?").await;
                newcomer.command(Verb::Close(wire::Close::default())).await.expect("closed");
                newcomer.lose();
                visitor.resume().await;
                count(&tally.newcomers);
                count(&tally.messages);
            }
            2..10 => {
                visitor.lose();
                visitor.connect_by_ticket().await;
                reads_from_the_start(&visitor).await;
                count(&tally.tickets);
            }
            10 | 11 => {
                visitor.say("one more thing").await;
                visitor.lose();
                visitor.resume().await;
                count(&tally.messages);
                count(&tally.resumes);
            }
            _ => {
                visitor.lose();
                visitor.resume().await;
                count(&tally.resumes);
            }
        }
    }
}

/// Answers once in each session it is given.
async fn answer(mut agent: TestAgent, mut over: watch::Receiver<bool>) {
    let mut answered = HashSet::new();
    loop {
        let heard = tokio::select! {
            heard = agent.live.hear() => heard.expect("an agent stays connected"),
            _ = over.wait_for(|over| *over) => return,
        };
        let Some(In::Feed(feed)) = heard.frame else { continue };
        for change in feed.changes {
            let Some(Change::Row(row)) = change.change else { continue };
            let owner = row.session.as_ref().and_then(|session| session.owner.as_ref());
            if owner.is_some_and(|owner| owner.id == agent.id)
                && answered.insert(row.conversation.clone())
            {
                let said = text(&row.conversation, &message_id(), "how can I help?");
                agent.live.send(Out::Send(said)).await;
            }
        }
    }
}

/// A number of the environment, or the usual one.
fn asked(name: &str, usual: u64) -> u64 {
    let number = |text: String| text.parse().unwrap_or_else(|_| panic!("{name} is a number"));
    std::env::var(name).ok().map_or(usual, number)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "an hour; make test-long"]
async fn r26_an_hour_of_coming_and_going_leaves_nothing_behind() {
    let _alone = heavy().await;
    let minutes = asked("FRONTDESK_SOAK_MINUTES", 60);
    // More of them show sooner what each leaves behind.
    let per_s = asked("FRONTDESK_SOAK_PER_S", CHURN_PER_S);
    let mut report = Report::begin(
        "r26",
        &format!(
            "Soak of {minutes} minutes: {VISITORS} visitors connected, {AGENTS} agents, {per_s} of the connections lost \
             and replaced each second (50 % resume, 40 % new ticket, 10 % by a newcomer who writes, is \
             answered and ends the session). Before that each says 16 KiB, which whoever comes back with a new ticket \
             reads twice, so that the history's cache (8 MiB) is full when memory has settled. Looked at every 10 s. Descriptors and tasks: before the first \
             and after the last socket. Log: what the server writes to standard error."
        ),
    );
    let server = Arc::new(roomy().start().await);
    server.admin().set("routing.capacity", json!(1_000)).await;
    let mut agents = Vec::new();
    for number in 0..AGENTS {
        agents.push(TestAgent::new(&server, &format!("Agent{number}"), "agent").await);
    }
    let began = Instant::now();
    let before = Look::at(&server, began).await;
    let (end, over) = watch::channel(false);
    let mut answering = JoinSet::new();
    for mut agent in agents {
        agent.connect().await;
        agent.presence(Presence::Online).await;
        answering.spawn(answer(agent, over.clone()));
    }
    let tally = Arc::new(Tally::default());
    let (mut places, mut leave) = (JoinSet::new(), Vec::new());
    let mut churn = interval(Duration::from_secs(1) / per_s as u32);
    churn.set_missed_tick_behavior(MissedTickBehavior::Delay);
    for number in 0..VISITORS {
        // They come as fast as they will go.
        churn.tick().await;
        let (order, orders) = mpsc::channel(4);
        leave.push(order);
        let seed = number as u64;
        places.spawn(place(Arc::clone(&server), orders, Arc::clone(&tally), seed));
    }
    let mut looks: Vec<Look> = Vec::new();
    let settled = SETTLED.min(Duration::from_mins(minutes) / 6);
    let (mut next, mut missed) = (0, 0_u64);
    let seated = Instant::now();
    while seated.elapsed() < Duration::from_mins(minutes) {
        churn.tick().await;
        match leave[next].try_send(()) {
            Ok(()) => {}
            // A visitor that is still coming back is left alone.
            Err(mpsc::error::TrySendError::Full(())) => missed += 1,
            // It broke down, and says why when it is joined.
            Err(mpsc::error::TrySendError::Closed(())) => break,
        }
        next = (next + 1) % VISITORS;
        if looks.last().is_none_or(|look| began.elapsed() >= look.at + LOOK_EVERY) {
            looks.push(Look::at(&server, began).await);
            let Some(look) = looks.last() else { continue };
            if looks.len() % 6 == 1 {
                note(&format!(
                    "r26: {:>4.0} s: {:.2} MiB, {:.2} of them anonymous, {} descriptors, {} tasks, {} bytes of log",
                    look.at.as_secs_f64(),
                    look.rss as f64 / MIB as f64,
                    look.anonymous as f64 / MIB as f64,
                    look.descriptors,
                    look.tasks,
                    look.log_bytes
                ));
            }
        }
    }
    let sockets = server.metric("frontdesk_connections").await;
    drop(leave);
    while let Some(left) = places.join_next().await {
        left.expect("a visitor stays well");
    }
    end.send_replace(true);
    while let Some(left) = answering.join_next().await {
        left.expect("an agent stays well");
    }
    // Looked at until everything is gone, for as long as the test's own connections may linger.
    let ended = Instant::now();
    let close = |now: f64, then: f64| (now - then).abs() <= 5.0;
    let mut pace = interval(Duration::from_secs(1));
    let after = loop {
        pace.tick().await;
        let look = Look::at(&server, began).await;
        let back = close(look.descriptors as f64, before.descriptors as f64)
            && close(look.tasks, before.tasks);
        if back || ended.elapsed() > LINGER {
            break look;
        }
    };

    let kept: Vec<Look> =
        looks.into_iter().filter(|look| began.elapsed() > look.at && look.at >= settled).collect();
    let (first, last) = (kept.first().expect("looks"), kept.last().expect("looks"));
    let slope = slope_per_hour(&kept, |look| look.rss);
    let span = last.at.abs_diff(first.at).as_secs_f64() / 60.0;
    let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
    report.figure(
        "resumes / new tickets / newcomers / messages after the first",
        format!(
            "{} / {} / {} / {}",
            read(&tally.resumes),
            read(&tally.tickets),
            read(&tally.newcomers),
            read(&tally.messages)
        ),
        &format!("{per_s} a second in all"),
        missed < minutes * 60 * per_s / 100,
    );
    report.figure("sockets at the end", sockets, "1,000 and the agents", sockets >= 990.0);
    report.figure(
        &format!("resident memory, slope from minute {:.0} on", settled.as_secs_f64() / 60.0),
        format!(
            "{slope:.2} MiB/h ({:.1} to {:.1} MiB in {span:.0} minutes)",
            first.rss as f64 / MIB as f64,
            last.rss as f64 / MIB as f64
        ),
        "at most 1 MiB/h",
        slope <= 1.0,
    );
    let lowest = |looks: &[Look]| looks.iter().map(|look| look.anonymous).min().unwrap_or(0);
    let (early, late) = kept.split_at(kept.len() / 2);
    report.figure(
        "of that without pages of the program: slope, lowest of each half",
        format!(
            "{:.2} MiB/h, {:.1} and {:.1} MiB",
            slope_per_hour(&kept, |look| look.anonymous),
            lowest(early) as f64 / MIB as f64,
            lowest(late) as f64 / MIB as f64,
        ),
        "told",
        true,
    );
    report.figure(
        "open descriptors",
        format!("{} before, {} after", before.descriptors, after.descriptors),
        "back to the start, +-5",
        close(after.descriptors as f64, before.descriptors as f64),
    );
    report.figure(
        "tasks",
        format!("{} before, {} after", before.tasks, after.tasks),
        "back to the start, +-5",
        close(after.tasks, before.tasks),
    );
    let log = (last.log_bytes - first.log_bytes) as f64 / span / MIB as f64;
    report.figure("log", format!("{log:.4} MiB/min"), "at most 1 MiB/min", log <= 1.0);
    report.finish();
}
