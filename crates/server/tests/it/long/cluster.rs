//! What the long tests of clusters share: robots on nodes of the binary under test, an engine that is away
//! for a minute, and what nodes say and hold meanwhile.

mod away;
mod record;
mod watch;

use std::time::Duration;

use frontdesk_testkit::{Checker, Cluster, ServerBuilder, services::Addresses};

pub(super) use self::{
    away::{Away, Meanwhile},
    record::{
        Delivery, delivery, errors, fault_us, latencies, longest_pause, meanwhile, refused, told,
    },
    watch::{Look, Watch},
};
use super::{Report, binary};
use crate::{MIB, cluster, crash::Crowd};

/// What "delivered again" and "ready again" may take.
pub(super) const GOES_ON: Duration = Duration::from_secs(30);
/// By how much a node may grow while an engine is away: what R10 gives a server under a flood.
const GROWTH_MAX: u64 = 64 * MIB;
/// Until every node has noticed that an engine is away.
const NOTICED: Duration = Duration::from_secs(15);

/// How long an engine is away: a minute, `FRONTDESK_FAULT_SECONDS` while somebody works on a test.
pub(super) fn fault_time() -> Duration {
    let asked = std::env::var("FRONTDESK_FAULT_SECONDS").ok();
    let number = |text: String| text.parse().expect("FRONTDESK_FAULT_SECONDS is a number");
    Duration::from_secs(asked.map_or(60, number))
}

/// Nodes for robots, of the binary of the long tier.
pub(super) async fn roomy(test: &str, addresses: &Addresses, nodes: u8) -> Cluster {
    roomy_with(test, addresses, nodes, |node| node).await
}

/// The same with more that is set.
pub(super) async fn roomy_with(
    test: &str,
    addresses: &Addresses,
    nodes: u8,
    more: impl Fn(ServerBuilder) -> ServerBuilder,
) -> Cluster {
    cluster::roomy_with(binary(), test, addresses, nodes, |node| {
        more(
            node.set("limits.visitor_rate_per_s", 100_000)
                .set("limits.visitor_burst", 100_000)
                .set("limits.agent_rate_per_s", 100_000)
                .set("limits.agent_burst", 100_000),
        )
    })
    .await
}

/// 40 visitors and 4 agents, who write 200 messages a second together.
pub(super) async fn crowd(cluster: &Cluster) -> Crowd {
    let crowd = Crowd::start(&cluster.nodes[0], 40, 4, Duration::from_millis(400)).await;
    crowd.recorder.acked(1_000).await;
    crowd
}

/// Lets everybody get what is left, waits until the nodes agree who owns what, and reads the record.
pub(super) async fn finish(cluster: &Cluster, mut crowd: Crowd) -> Checker {
    crowd.quieten().await;
    cluster::spread(cluster).await;
    cluster::all_owned(cluster).await;
    crowd.finish().await
}

/// The nodes' memory before, while and after an engine was away.
pub(super) fn memory(report: &mut Report, before: &[Look], during: &[Look], after: &[Look]) {
    let most = |looks: &[Look], node: usize| {
        looks.iter().filter_map(|look| look.nodes[node].rss).max().unwrap_or_default()
    };
    let nodes = before.first().map_or(0, |look| look.nodes.len());
    let rows: Vec<[u64; 3]> =
        (0..nodes).map(|node| [before, during, after].map(|looks| most(looks, node))).collect();
    let mib = |bytes: u64| bytes as f64 / MIB as f64;
    let shown = rows.iter().map(|[before, during, after]| {
        format!("{:.0} / {:.0} / {:.0} MiB", mib(*before), mib(*during), mib(*after))
    });
    let grew = rows.iter().map(|row| row[1].max(row[2]).saturating_sub(row[0])).max();
    report.figure(
        "resident memory of each node: most before / during / after",
        shown.collect::<Vec<_>>().join(", "),
        "at most 64 MiB more than before",
        grew.is_some_and(|grew| grew <= GROWTH_MAX),
    );
}

/// Whether `/readyz` of every node said that it is degraded while an engine was away.
pub(super) fn degraded(report: &mut Report, during: &[Look]) {
    let from = during.first().map(|look| look.at + NOTICED);
    let asked = during.iter().filter(|look| Some(look.at) >= from).flat_map(|look| &look.nodes);
    let (mut said, mut all) = (0, 0);
    for node in asked {
        all += 1;
        said += usize::from(node.degraded == Some(true));
    }
    report.figure(
        "/readyz says degraded while it is away, once 15 s have passed",
        format!("{said} of {all} answers{}", named(during)),
        "all",
        said == all && all > 0,
    );
}

/// How long after the engine was back no node said any more that it is degraded. The looks are those since.
pub(super) fn ready_again(report: &mut Report, after: &[Look]) {
    let well = |look: &Look| look.nodes.iter().all(|node| node.degraded == Some(false));
    let last_bad = after.iter().rposition(|look| !well(look));
    let first = after.first().map(|look| look.at);
    let again = after.get(last_bad.map_or(0, |last| last + 1)).map(|look| look.at);
    let took = first.zip(again).map(|(first, again)| again - first);
    report.figure(
        "no node says degraded any more, after",
        took.map_or_else(
            || format!("never{}", named(&after[after.len().saturating_sub(1)..])),
            |took| format!("{took:.1?}"),
        ),
        "at most 30 s",
        took.is_some_and(|took| took <= GOES_ON),
    );
}

/// What was named as the trouble.
fn named(looks: &[Look]) -> String {
    let mut names: Vec<&str> = looks
        .iter()
        .flat_map(|look| &look.nodes)
        .flat_map(|node| node.troubles.iter().map(String::as_str))
        .collect();
    names.sort_unstable();
    names.dedup();
    if names.is_empty() { String::new() } else { format!(" ({})", names.join(", ")) }
}

/// How soon everything that was sent before the engine was back had an ack and was shown to somebody else.
pub(super) fn all_delivered(report: &mut Report, checker: &Checker, back: &str) {
    let Delivery { last_ack, last_shown, messages, unacked, unshown } = delivery(checker, back);
    report.figure(
        "of what was sent before it was back: last one acked / shown to the other side, after",
        format!("{last_ack:.1?} / {last_shown:.1?} ({messages} messages)"),
        "at most 30 s",
        last_ack.max(last_shown) <= GOES_ON,
    );
    report.figure(
        "of these without an ack / not shown to the other side half a minute later",
        format!("{unacked} / {unshown}"),
        "0",
        unacked + unshown == 0,
    );
}
