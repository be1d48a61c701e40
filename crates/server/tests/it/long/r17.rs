//! Owners killed in the middle of their work while the partitions are shared out anew all the time (R17).

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use frontdesk_testkit::{
    Cluster, Http, Rng, TestServer, checker::quantile, http::note, services, within,
};
use tokio::{
    task::JoinHandle,
    time::{MissedTickBehavior, interval, sleep},
};

use super::{Report, binary, cluster};
use crate::{cluster::all_owned, heavy};

const KILLS: usize = 10;
/// A node comes or goes this often, which makes the group share anew.
const SHARED_ANEW: Duration = Duration::from_secs(5);
const TAKEN_OVER: Duration = Duration::from_secs(10);
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// Of a cluster of the testkit.
const PARTITIONS: usize = 12;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "minutes; make test-long"]
async fn r17_owners_killed_ten_times_amid_rebalances_lose_and_double_nothing() {
    let _alone = heavy().await;
    let mut report = Report::begin(
        "r17",
        "Three nodes, 40 visitors and 4 agents who write 200 messages a second. kill -9 of one node after the other, \
         10 times, at random moments; each starts again once the others own its partitions. A fourth node, a \
         worker, comes or goes every 5 s.",
    );
    let mut rng = Rng::announced("r17");
    let mut nodes = cluster::roomy("r17", &services::shared(), 3).await;
    let crowd = cluster::crowd(&nodes).await;
    let guest = Guest::start(&nodes).await;
    let mut took = Vec::new();
    let mut acked = 1_000;
    for kill in 0..KILLS {
        acked += 300;
        crowd.recorder.acked(acked).await;
        // The moment is the test: whatever is under way then, is cut.
        sleep(Duration::from_millis(rng.pick(0..1_000))).await;
        let victim = kill % nodes.nodes.len();
        crowd.recorder.fault(&format!("kill -9 of node {}", victim + 1));
        let began = Instant::now();
        nodes.nodes[victim].kill9().await;
        taken_over(&nodes, victim, &guest).await;
        took.push(began.elapsed());
        note(&format!("r17: taken over after {:.1?}", began.elapsed()));
        nodes.nodes[victim].restart().await;
        all_owned(&nodes).await;
    }
    let shared_anew = guest.leave().await;
    let checker = cluster::finish(&nodes, crowd).await;
    took.sort_unstable();
    let slowest = took.last().copied().unwrap_or_default();
    report.figure(
        "partitions of a killed node owned by others, after: middle / slowest of 10",
        format!("{:.1?} / {slowest:.1?}", quantile(&took, 50)),
        "at most 10 s",
        slowest <= TAKEN_OVER,
    );
    report.figure(
        "times the fourth node came or went meanwhile",
        shared_anew,
        "at least one for each kill",
        shared_anew >= KILLS,
    );
    report.verdict(&nodes.nodes[0], &checker).await;
    report.finish();
}

/// A node that comes and goes.
struct Guest {
    http: Http,
    over: Arc<AtomicBool>,
    task: JoinHandle<(TestServer, usize)>,
}

impl Guest {
    async fn start(nodes: &Cluster) -> Self {
        let mut server =
            nodes.node(binary(), 9).set("cluster.roles", r#"["worker"]"#).start().await;
        let http = Http::new(server.own_address());
        let over = Arc::new(AtomicBool::new(false));
        let is_over = Arc::clone(&over);
        let task = tokio::spawn(async move {
            let (mut turn, mut is_here, mut turns) = (interval(SHARED_ANEW), true, 0);
            turn.set_missed_tick_behavior(MissedTickBehavior::Delay);
            turn.tick().await;
            while !is_over.load(Ordering::Relaxed) {
                turn.tick().await;
                if is_here {
                    server.stop().await;
                } else {
                    server.restart().await;
                }
                (is_here, turns) = (!is_here, turns + 1);
            }
            if is_here {
                server.stop().await;
            }
            (server, turns)
        });
        Self { http, over, task }
    }

    /// Lets it go for good; how often it came or went.
    async fn leave(self) -> usize {
        self.over.store(true, Ordering::Relaxed);
        let (server, turns) = self.task.await.expect("the fourth node comes and goes well");
        drop(server);
        turns
    }
}

/// Waits until those who live own all partitions.
async fn taken_over(nodes: &Cluster, victim: usize, guest: &Guest) {
    let living = nodes.nodes.iter().enumerate().filter(|(number, _)| *number != victim);
    let mut living: Vec<Http> = living.map(|(_, node)| Http::new(node.own_address())).collect();
    living.push(guest.http.clone());
    within(Duration::from_mins(1), "the others own all partitions", async {
        loop {
            let mut owned = 0;
            for http in &living {
                owned += partitions(http).await;
            }
            if owned >= PARTITIONS {
                return;
            }
            sleep(LOOK_EVERY).await;
        }
    })
    .await;
}

/// How many partitions a node says it owns; none where it does not answer.
async fn partitions(http: &Http) -> usize {
    let request = http.request(reqwest::Method::GET, "/metrics").timeout(Duration::from_secs(1));
    let text = http.try_send(request).await.map(|answer| answer.text).unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("frontdesk_partitions "));
    line.and_then(|number| number.trim().parse().ok()).unwrap_or_default()
}
