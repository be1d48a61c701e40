//! Nodes of one cluster whose clocks differ and jump (R22).

use std::time::Duration;

use frontdesk_testkit::{
    Checker,
    checker::{Event, Line},
};
use tokio::time::sleep;

use super::DAY;
use crate::{
    cluster::{
        all_owned, calm,
        clocks::{MINUTE, Timed, read, stamps},
    },
    crash::Crowd,
    heavy,
    long::{
        Report, binary,
        cluster::{fault_us, latencies},
    },
};

/// What happens to which node's clock, and the offset it then has, in seconds.
const JUMPS: [(&str, usize, i64); 5] = [
    ("node 2 5 min ahead", 1, 5 * MINUTE),
    ("node 3 5 min back", 2, -5 * MINUTE),
    ("node 2 1 h back", 1, -55 * MINUTE),
    ("node 2 right again", 1, 0),
    (LEAP, 1, 365 * DAY),
];
const LEAP: &str = "node 2 a year ahead";
const SET_RIGHT: &str = "node 2 is set right and starts again";
const EACH: Duration = Duration::from_secs(10);
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
    crowd.recorder.acked(600).await;
    tickets(&mut report, &timed).await;
    for (jump, node, offset_s) in JUMPS {
        crowd.recorder.fault(jump);
        timed.clocks[node].set(offset_s);
        // How long it lasts is the fault.
        sleep(EACH).await;
        if offset_s < 0 && node == 2 {
            crowd.recorder.fault("node 3 starts again");
            timed.cluster.nodes[node].stop().await;
            timed.cluster.nodes[node].restart().await;
            all_owned(&timed.cluster).await;
            sleep(EACH).await;
        }
        if offset_s != 0 {
            let words = timed.says_so(node).await;
            let holds = words.contains("set the time of this machine");
            report.figure(&format!("{jump}: its /readyz says"), words, "what to do", holds);
        }
        undisturbed(&mut report, &timed, jump).await;
    }
    // What an operator does who has read it.
    crowd.recorder.fault(SET_RIGHT);
    timed.clocks[1].set(0);
    timed.cluster.nodes[1].stop().await;
    timed.cluster.nodes[1].restart().await;
    let told = timed.told_by_the_first();
    let named = ["node=2", "node=3"].map(|node| told.iter().any(|line| line.contains(node)));
    report.figure("node 1 names both in its log", format!("{named:?}"), "both", named == [true; 2]);
    crowd.quieten().await;
    calm(&timed.cluster).await;
    let mut checker = crowd.finish().await;
    let longest = longest_wait(&checker);
    report.figure(
        "the longest wait for an ack of what was sent while node 2 was a year ahead",
        format!("{longest:.1?}"),
        "at most 10 s, as if it had been killed",
        longest <= Duration::from_secs(10),
    );
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
    let mut refused = Vec::new();
    for (from, on) in [(0, 1), (1, 0), (2, 1), (1, 2)] {
        let taken = timed.take_ticket(from, on).await;
        refused.extend(taken.err().map(|code| format!("{}'s on {}: {code}", from + 1, on + 1)));
    }
    timed.clocks[1].set(0);
    report.figure(
        "tickets between node 2, 50 s ahead, and the others that are refused",
        format!("{} of 4 {}", refused.len(), refused.join(", ")),
        "none",
        refused.is_empty(),
    );
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

/// From attempt to ack, of what was sent between the leap and the repair.
fn longest_wait(checker: &Checker) -> Duration {
    let (from, to) = (fault_us(checker, LEAP), fault_us(checker, SET_RIGHT));
    let (took, _) = latencies(checker, &(from..to), |_| true);
    took.last().copied().unwrap_or_default()
}
