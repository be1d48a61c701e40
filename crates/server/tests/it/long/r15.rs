//! Nodes restarted one after the other while people chat (R15), from one version to the next and back.

use std::time::{Duration, Instant};

use frontdesk_testkit::{Checker, Cluster, Http, checker::Event, services};

use super::{Report, binary, cluster};
use crate::{
    cluster::{LEVEL_BEFORE, all_owned, reconnects, roomy_with},
    eventually, heavy,
};

/// Acks between the end of one restart and the begin of the next one.
const PAUSE: usize = 600;

/// The release before, by `FRONTDESK_BIN_BEFORE`; until there is one, the same binary at the level before its own.
fn before() -> (String, u32) {
    std::env::var("FRONTDESK_BIN_BEFORE")
        .map_or_else(|_| (binary().to_owned(), LEVEL_BEFORE), |path| (path, 0))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "minutes; make test-long"]
async fn r15_rolling_restarts_cost_nobody_a_message_nor_a_second_reconnect() {
    let _alone = heavy().await;
    let mut report = Report::begin(
        "r15",
        &format!(
            "Three nodes, 40 visitors and 4 agents who write 200 messages a second. Each node in turn gets SIGTERM \
             and starts again, and the next one's turn comes when no node says degraded: once to the newer binary, \
             once back. The older binary: {}.",
            std::env::var("FRONTDESK_BIN_BEFORE").map_or_else(
                |_| {
                    format!("the same at feature level {LEVEL_BEFORE}, as there is no release yet")
                },
                |path| format!("`{path}`")
            )
        ),
    );
    let (older, level) = before();
    let mut nodes = roomy_with(&older, "r15", &services::shared(), 3, |node| {
        node.set("limits.visitor_rate_per_s", 100_000)
            .set("limits.visitor_burst", 100_000)
            .set("cluster.level", level)
    })
    .await;
    let crowd = cluster::crowd(&nodes).await;
    let (mut acked, mut slowest) = (1_000, Duration::ZERO);
    for (way, (next, level)) in [("up", (binary().to_owned(), 0)), ("down", before())] {
        for node in 0..nodes.nodes.len() {
            crowd.recorder.fault(&format!("{way}: SIGTERM of node {}", node + 1));
            let began = Instant::now();
            nodes.nodes[node].stop().await;
            nodes.nodes[node].set_binary(&next);
            nodes.nodes[node].set("cluster.level", level);
            nodes.nodes[node].restart().await;
            all_owned(&nodes).await;
            all_well(&nodes).await;
            slowest = slowest.max(began.elapsed());
            acked += PAUSE;
            crowd.recorder.acked(acked).await;
        }
    }
    let checker = cluster::finish(&nodes, crowd).await;
    report.figure(
        "a restart, until no node says degraded: the slowest of 6",
        format!("{slowest:.1?}"),
        "less than a minute",
        slowest < Duration::from_mins(1),
    );
    successes(&mut report, &checker);
    restarts(&mut report, &checker);
    let sent_on = checker.lines.iter().filter(|line| matches!(line.event, Event::Rejoin)).count();
    report.figure(
        "times a client was served by another node from then on, over the same connection",
        sent_on,
        "some: partitions move at each restart",
        sent_on > 0,
    );
    report.verdict(&nodes.nodes[0], &checker).await;
    report.finish();
}

/// Waits until `/readyz` of every node says that nothing is degraded.
async fn all_well(nodes: &Cluster) {
    for node in &nodes.nodes {
        let http = Http::new(node.own_address());
        eventually(Duration::from_mins(1), "no node says degraded", async || {
            http.get("/readyz").await.json()["degraded"] == false
        })
        .await;
    }
}

fn successes(report: &mut Report, checker: &Checker) {
    let (mut attempts, mut refused, mut acked) = (0, 0, std::collections::BTreeSet::new());
    for line in &checker.lines {
        match &line.event {
            Event::Attempt { .. } => attempts += 1,
            Event::Ack { text, .. } => drop(acked.insert(text)),
            Event::Refused { .. } => refused += 1,
            _ => {}
        }
    }
    report.figure(
        "messages acked after retries",
        format!("{} of {attempts}, {refused} refused for good", acked.len()),
        "all",
        acked.len() == attempts && refused == 0,
    );
}

fn restarts(report: &mut Report, checker: &Checker) {
    let counts: Vec<Vec<usize>> =
        reconnects(checker).into_iter().map(|counts| counts.into_values().collect()).collect();
    let each: Vec<String> =
        counts.iter().map(|counts| counts.iter().sum::<usize>().to_string()).collect();
    let all = counts.concat();
    let more = all.iter().filter(|count| **count > 1).count();
    let most = all.iter().max().copied().unwrap_or_default();
    report.figure(
        "reconnects of 44 clients at each restart",
        format!("{}; most of one client {most}, more than one {more} times", each.join(", ")),
        "at most one for each client and node",
        most == 1,
    );
}
