//! A node whose network is cut for a minute (R21).

use std::time::Duration;

use super::{Report, binary, cluster::fault_time};
use crate::{
    cluster::network::{Apart, namespace},
    heavy,
};

const TAKEN_OVER: Duration = Duration::from_secs(10);
const GOES_ON: Duration = Duration::from_secs(30);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "minutes; make test-long"]
async fn r21_a_node_cut_off_for_a_minute_refuses_rather_than_forks() {
    let _alone = heavy().await;
    let length = fault_time();
    let mut report = Report::begin(
        "r21",
        &format!(
            "Three nodes, the second one in a network namespace. 40 visitors and 4 agents, spread over all nodes, and 12 \
             visitors who know the second node only write 210 messages a second. Its link to engines and other \
             nodes is down for {length:.0?}; clients still reach it.",
        ),
    );
    let Some(namespace) = namespace("r21") else {
        return report.skip("it needs the right to make network namespaces");
    };
    let apart = Apart::start(binary(), "r21", namespace).await;
    let found = apart.cut_off(length).await;
    report.figure(
        "its partitions owned by others, after",
        format!("{:.1?}", found.taken_over),
        "at most 10 s",
        found.taken_over <= TAKEN_OVER,
    );
    report.figure(
        "it says degraded itself, after",
        format!("{:.1?} ({})", found.degraded, found.troubles.join("; ")),
        "at most 30 s",
        found.degraded <= GOES_ON,
    );
    report.figure(
        "acks it gave while it was cut off",
        format!("{} of {} messages", found.acked, found.sent),
        "0",
        found.acked == 0 && found.sent > 0,
    );
    report.figure(
        "a newcomer's ticket at it meanwhile: status (0: no answer in 10 s)",
        found.newcomer,
        "503, or none",
        [0, 503].contains(&found.newcomer),
    );
    report.figure(
        "everything sent before the link was up again acked, after",
        format!("{:.1?}", found.settled),
        "at most 30 s",
        found.settled <= GOES_ON,
    );
    report.verdict(&apart.cluster.nodes[0], &found.checker).await;
    report.finish();
}
