//! Nodes of one cluster whose clocks differ and jump (R22).

use std::time::Duration;

use frontdesk_testkit::checker::{Event, Line};

use super::DAY;
use crate::{
    cluster::{
        all_owned, calm,
        clocks::{MINUTE, Timed, read, stamps},
    },
    crash::Crowd,
    heavy,
    long::{Report, binary},
};

/// What happens to which node's clock, and the offset it then has, in seconds.
const JUMPS: [(&str, usize, i64); 5] = [
    ("node 2 5 min ahead", 1, 5 * MINUTE),
    ("node 3 5 min back", 2, -5 * MINUTE),
    ("node 2 1 h back", 1, -55 * MINUTE),
    ("node 2 right again", 1, 0),
    ("node 2 a year ahead", 1, 365 * DAY),
];
const ACKED_EACH: usize = 600;
/// Less than the minute a ticket is good for, by what a slow machine may need.
const WITHIN: i64 = 50;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "needs faketime; make test-long"]
async fn r22_nodes_apart_and_jumping_lose_nothing() {
    let _alone = heavy().await;
    let mut report = Report::begin(
        "r22-nodes",
        "Three nodes, each under a libfaketime of its own; 40 visitors and 4 agents write 320 messages a second. \
         Node 2 is set 5 min ahead, node 3 5 min back (and starts again, as a clock that runs goes back slowly), \
         node 2 1 h back, right again, a year ahead. Node 1 stays right.",
    );
    let Some(mut timed) = Timed::start(binary(), "r22 nodes").await else {
        return report.skip("it needs libfaketime (Debian package faketime)");
    };
    let every = Duration::from_millis(250);
    let mut crowd = Crowd::start(&timed.cluster.nodes[0], 40, 4, every).await;
    let mut acked = ACKED_EACH;
    crowd.recorder.acked(acked).await;
    tickets(&mut report, &timed).await;
    for (jump, node, offset_s) in JUMPS {
        crowd.recorder.fault(jump);
        timed.clocks[node].set(offset_s);
        acked += ACKED_EACH;
        crowd.recorder.acked(acked).await;
        if offset_s < 0 && node == 2 {
            crowd.recorder.fault("node 3 starts again");
            timed.cluster.nodes[node].stop().await;
            timed.cluster.nodes[node].restart().await;
            all_owned(&timed.cluster).await;
            acked += ACKED_EACH;
            crowd.recorder.acked(acked).await;
        }
        if offset_s != 0 {
            let words = timed.says_so(node).await;
            let holds = words.contains("set the time of this machine");
            report.figure(&format!("{jump}: its /readyz says"), words, "what to do", holds);
        }
        undisturbed(&mut report, &timed, jump).await;
    }
    let told = timed.told_by_the_first();
    let named = ["node=2", "node=3"].map(|node| told.iter().any(|line| line.contains(node)));
    report.figure("node 1 names both in its log", format!("{named:?}"), "both", named == [true; 2]);
    crowd.quieten().await;
    calm(&timed.cluster).await;
    let mut checker = crowd.finish().await;
    // Who may read no more, as a session was closed and another agent's then, holds no more.
    let agents_hold =
        |line: &Line| matches!(line.event, Event::Held { .. }) && line.client.starts_with("agent");
    checker.lines.retain(|line| !agents_hold(line));
    let stamps = stamps(&read(&timed.cluster, &checker).await);
    report.figure(
        "distinct ids of entries",
        format!("{} of {}", stamps.ids, stamps.entries),
        "all",
        stamps.ids == stamps.entries,
    );
    report.verdict(&timed.cluster.nodes[0], &checker).await;
    report.finish();
}

/// Tickets of each node on each other one, with node 2 as far ahead as is promised.
async fn tickets(report: &mut Report, timed: &Timed) {
    timed.clocks[1].set(WITHIN);
    let mut taken = 0;
    for (from, on) in [(0, 1), (1, 0), (2, 1), (1, 2)] {
        taken += u32::from(timed.ticket_is_taken(from, on).await);
    }
    timed.clocks[1].set(0);
    let what = "tickets between node 2, 50 s ahead, and the others that are taken";
    report.figure(what, format!("{taken} of 4"), "all", taken == 4);
}

async fn undisturbed(report: &mut Report, timed: &Timed, jump: &str) {
    let found = timed.disturbed().await;
    report.figure(
        &format!("{jump}: agents offline, sessions closed"),
        if found.is_empty() { "none".to_owned() } else { found.join(", ") },
        "none",
        found.is_empty(),
    );
}
