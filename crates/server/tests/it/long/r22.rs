//! A wall clock that jumps (R22): the real binary under libfaketime, whose offset the test changes
//! while people chat. One node here, several in `nodes`.

mod nodes;

use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};

use frontdesk_core::chat::timeline_item::Item;
use frontdesk_protocol::wire::{Presence, server_frame::Frame as In};
use frontdesk_testkit::{
    TestAgent, TestServer, TestVisitor,
    checker::{Event, Line},
    robot::histories,
    server::ADMIN_EMAIL,
};
use serde_json::json;

use super::{Report, roomy};
use crate::{
    cluster::clocks::{FakeClock, MINUTE},
    crash::Crowd,
    heavy,
};

const DAY: i64 = 24 * 60 * MINUTE;
/// What happens to the clock, and the offset it then has, in seconds.
const STEPS: [(&str, i64); 5] = [
    ("5 min ahead", 5 * MINUTE),
    ("5 min behind", -5 * MINUTE),
    ("1 h back", -65 * MINUTE),
    ("right again", 0),
    ("a year ahead", 365 * DAY),
];
/// Steps beyond all the clock said before.
const AHEAD: [&str; 2] = ["5 min ahead", "a year ahead"];
/// Of the setting `routing.offline_grace_s`.
const GRACE: Duration = Duration::from_secs(5);

/// How long until the desk takes an agent for offline who lost the connection, looked at for a while.
async fn goes_offline(watcher: &mut TestAgent, leaver: &mut TestAgent) -> Option<Duration> {
    let id = leaver.id.clone();
    watcher.live.forget(|frame| matches!(frame, In::Presence(_)));
    leaver.lose();
    let lost = Instant::now();
    let heard = tokio::time::timeout(GRACE * 4, async {
        loop {
            let frame = watcher.live.hear().await.expect("the watcher stays connected");
            let Some(In::Presence(update)) = frame.frame else { continue };
            if update.actor.as_ref().is_some_and(|actor| actor.id == id)
                && update.presence() == Presence::Offline
            {
                return lost.elapsed();
            }
        }
    });
    heard.await.ok()
}

/// An agent who is here, away from work.
async fn leaver_of(server: &TestServer, number: usize) -> TestAgent {
    let mut leaver = TestAgent::new(server, &format!("Leaver{number}"), "agent").await;
    leaver.connect().await;
    leaver.presence(Presence::Away).await;
    leaver
}

/// The real time.
fn wall_ms() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    i64::try_from(since.expect("after 1970").as_millis()).expect("a year like this")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs faketime; make test-long"]
async fn r22_jumps_of_the_clock_disturb_nobody() {
    let _alone = heavy().await;
    let mut report = Report::begin(
        "r22",
        "One node. libfaketime moves the server's wall clock while 20 visitors and 2 agents \
         write 160 messages a second: 5 min ahead, 5 min behind, 1 h back, right again, a year ahead. \
         After each step an agent loses the connection, and once just before a step; the grace is set to 5 s.",
    );
    let dir = tempfile::tempdir().expect("a directory");
    let Some(clock) = FakeClock::new(dir.path()) else {
        return report.skip("it needs libfaketime (Debian package faketime)");
    };
    let wrapper = clock.wrapper();
    let wrapper: Vec<&str> = wrapper.iter().map(String::as_str).collect();
    let server = roomy().under(&wrapper).start().await;
    server.admin().set("routing.offline_grace_s", json!(GRACE.as_secs())).await;
    let mut watcher = TestAgent::admin(&server).await;
    watcher.presence(Presence::Away).await;
    let crowd = Crowd::start(&server, 20, 2, Duration::from_millis(250)).await;
    crowd.recorder.live_since_fault(crowd.robots.len()).await;
    let (mut acked, mut newest_ms) = (600, 0);
    crowd.recorder.acked(acked).await;
    for (number, (step, offset_s)) in STEPS.into_iter().enumerate() {
        crowd.recorder.note("harness", Event::Fault { what: step.to_owned() });
        clock.set(offset_s);
        let mut fresh = TestVisitor::connect(&server).await;
        let told_ms = fresh.welcome.server_time_ms;
        let off_s = (told_ms - wall_ms()) / 1_000 - offset_s;
        let behind = told_ms < newest_ms;
        newest_ms = told_ms;
        // Set ahead it follows at once, which shows that the fault is one; set back it never falls.
        report.figure(
            &format!("{step}: the server's time, off from the set clock"),
            format!("{off_s} s, {}", if behind { "fallen" } else { "risen" }),
            "not behind it, and risen; less than 10 s off where set ahead",
            !behind && off_s > -10 && (off_s < 10 || !AHEAD.contains(&step)),
        );
        let ticket = fresh.ticket().await;
        clock.set(offset_s + 50);
        let hello = frontdesk_protocol::wire::Hello { ticket, ..fresh.hello() };
        let taken = fresh.try_hello(hello).await.is_ok();
        clock.set(offset_s);
        let what = format!("{step}: a ticket is taken with the clock 50 s ahead");
        report.figure(&what, taken, "true", taken);
        acked += 600;
        crowd.recorder.acked(acked).await;
        fresh.lose();
        let mut leaver = leaver_of(&server, number).await;
        let offline = goes_offline(&mut watcher, &mut leaver).await;
        let in_time = offline.is_some_and(|after| after >= GRACE.mul_f32(0.5));
        report.figure(
            &format!("{step}: an agent who lost the connection afterwards is offline after"),
            offline.map_or("more than 20 s".to_owned(), |after| format!("{after:.1?}")),
            "its grace of 5 s, at half speed 10 s",
            in_time,
        );
    }
    let mut leaver = leaver_of(&server, STEPS.len()).await;
    // A jump while a wait is under way: an hour back again.
    let jump = async {
        clock.set(365 * DAY - 60 * MINUTE);
    };
    let (offline, ()) = tokio::join!(goes_offline(&mut watcher, &mut leaver), jump);
    report.figure(
        "1 h back while an agent's grace runs: it ends after",
        offline.map_or("more than 20 s".to_owned(), |after| format!("{after:.1?}")),
        "its grace of 5 s, at half speed 10 s",
        offline.is_some(),
    );
    let mut checker = crowd.finish().await;
    // A session nobody wrote in for a year is closed, and the next message may be another agent's: who
    // may read no more holds no more.
    let agents_hold =
        |line: &Line| matches!(line.event, Event::Held { .. }) && line.client.starts_with("agent");
    checker.lines.retain(|line| !agents_hold(line));
    let gone = checker.lines.iter().filter(|line| matches!(line.event, Event::Gone { .. })).count();
    report.figure("connections lost by jumps", gone, "0", gone == 0);

    let reader = server.http.sign_in(ADMIN_EMAIL).await;
    let histories = histories(&reader, checker.conversations()).await;
    let (mut ids, mut entries, mut falls) = (BTreeSet::new(), 0, 0);
    let mut newest: BTreeMap<&str, i64> = BTreeMap::new();
    for (conversation, items) in &histories {
        for item in items {
            let Some(Item::Entry(entry)) = &item.item else { continue };
            entries += 1;
            ids.insert(entry.id.clone());
            let last = newest.entry(conversation).or_default();
            falls += u32::from(entry.at_ms < *last);
            *last = entry.at_ms;
        }
    }
    report.figure(
        "distinct ids of entries",
        format!("{} of {entries}", ids.len()),
        "all",
        ids.len() == entries,
    );
    report.figure("times that fall within a conversation", falls, "0", falls == 0);
    report.verdict(&server, &checker).await;
    report.finish();
}
