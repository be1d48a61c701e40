//! Looks at all nodes twice a second: what they hold, and what `/readyz` says.

use std::{
    fs,
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use frontdesk_testkit::{Cluster, Http};
use futures_util::future::join_all;
use parking_lot::Mutex;
use tokio::{task::JoinHandle, time::MissedTickBehavior};

const LOOK_EVERY: Duration = Duration::from_millis(500);
/// A node that answers later than this has not answered.
const ANSWER: Duration = Duration::from_secs(5);

/// What a node is at one moment.
#[derive(Debug, Clone, Default)]
pub(in crate::long) struct Node {
    /// Its memory, unless the process is gone.
    pub(in crate::long) rss: Option<u64>,
    /// Unless it did not answer.
    pub(in crate::long) degraded: Option<bool>,
    /// The checks that are not well.
    pub(in crate::long) troubles: Vec<String>,
}

/// All nodes at one moment.
#[derive(Debug, Clone)]
pub(in crate::long) struct Look {
    /// When it began.
    pub(in crate::long) at: Instant,
    /// In the order of the cluster.
    pub(in crate::long) nodes: Vec<Node>,
}

/// Looks until it is dropped.
pub(in crate::long) struct Watch {
    looks: Arc<Mutex<Vec<Look>>>,
    task: JoinHandle<()>,
}

impl Watch {
    /// Begins; a node that is started again meanwhile has another pid and is looked at no more.
    pub(in crate::long) fn begin(cluster: &Cluster) -> Self {
        let nodes: Vec<(u32, SocketAddr)> =
            cluster.nodes.iter().map(|node| (node.pid(), node.own_address())).collect();
        let looks = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&looks);
        let task = tokio::spawn(async move {
            let nodes: Vec<(u32, Http)> =
                nodes.into_iter().map(|(pid, address)| (pid, Http::new(address))).collect();
            let mut pace = tokio::time::interval(LOOK_EVERY);
            pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
            loop {
                pace.tick().await;
                let at = Instant::now();
                let nodes = join_all(nodes.iter().map(|(pid, http)| look(*pid, http))).await;
                kept.lock().push(Look { at, nodes });
            }
        });
        Self { looks, task }
    }

    /// What was seen since the last time, or the beginning.
    pub(in crate::long) fn since(&self) -> Vec<Look> {
        std::mem::take(&mut self.looks.lock())
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn look(pid: u32, http: &Http) -> Node {
    let rss = rss_of(pid);
    let request = http.request(reqwest::Method::GET, "/readyz").timeout(ANSWER);
    let Some(answer) = http.try_send(request).await else {
        return Node { rss, ..Node::default() };
    };
    let says: serde_json::Value = serde_json::from_str(&answer.text).unwrap_or_default();
    let checks = says["checks"].as_array().cloned().unwrap_or_default();
    let troubles = checks.iter().filter(|check| check["ok"] == false);
    let troubles = troubles.filter_map(|check| check["name"].as_str().map(str::to_owned));
    Node { rss, degraded: says["degraded"].as_bool(), troubles: troubles.collect() }
}

fn rss_of(pid: u32) -> Option<u64> {
    let text = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = text.lines().find(|line| line.starts_with("VmRSS:"))?;
    Some(line.split_whitespace().nth(1)?.parse::<u64>().ok()? * 1_024)
}
