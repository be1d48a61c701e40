//! A node whose network is cut (R21): it runs in a network of its own, and the cable to the engines and the
//! other nodes is pulled. Whom it serves still reaches it, which is the hard case: it must not answer for what
//! it owns no more.

use std::{
    cell::Cell,
    net::IpAddr,
    time::{Duration, Instant},
};

use frontdesk_testkit::{
    Checker, Cluster, Http, Namespace, Robot, ServerBuilder, TestServer, Who,
    checker::Event,
    http::note,
    services::{Addresses, OwnServices},
};
use serde_json::{Value, json};

use super::{all_owned, calm, roomy_with};
use crate::{FRONTDESK, crash, eventually, heavy};

/// Visitors who know the node that is cut off, and no other.
const LOYAL: usize = 12;
/// What is under way when the cable is pulled may still arrive.
const UNDER_WAY: Duration = Duration::from_secs(1);

/// Three nodes; the second one is in a network of its own.
pub(crate) struct Apart {
    // They end in this order.
    pub(crate) cluster: Cluster,
    _services: OwnServices,
    namespace: Namespace,
}

/// What happened while the node was cut off.
pub(crate) struct Outcome {
    pub(crate) checker: Checker,
    /// Until the others owned all partitions.
    pub(crate) taken_over: Duration,
    /// Until the node itself said that it is degraded.
    pub(crate) degraded: Duration,
    /// What it named as the trouble.
    pub(crate) troubles: Vec<String>,
    /// How it answered a newcomer who asked for a ticket; 0 without an answer.
    pub(crate) newcomer: u16,
    /// How many partitions it said it owns, at the end.
    pub(crate) claimed: f64,
    /// Acks it gave meanwhile.
    pub(crate) acked: usize,
    /// Messages of those who know no other node that were sent meanwhile.
    pub(crate) sent: usize,
    /// From the healing until all of these were acked.
    pub(crate) settled: Duration,
}

/// A namespace; where none is allowed it says so, which is no pass where all tests have to run.
pub(crate) fn namespace(test: &str) -> Option<Namespace> {
    match Namespace::create() {
        Ok(namespace) => Some(namespace),
        Err(reason) => {
            assert!(std::env::var_os("CI").is_none(), "{test} needs a network namespace: {reason}");
            note(&format!("\n*** {test} SKIPPED: it needs a network namespace: {reason} ***\n"));
            None
        }
    }
}

impl Apart {
    pub(crate) async fn start(binary: &str, test: &str, namespace: Namespace) -> Self {
        let services = OwnServices::start_at(namespace.back.here);
        let addresses: Addresses = services.addresses();
        let number = Cell::new(0);
        let placed = |node: ServerBuilder| {
            number.set(number.get() + 1);
            let node = node
                .set("limits.visitor_rate_per_s", 100_000)
                .set("limits.visitor_burst", 100_000)
                .set("metrics.token", "tests only, from another network")
                .set("server.insecure_http", true);
            if number.get() == 2 {
                inside(node, &namespace)
            } else {
                node.host(namespace.back.here.into())
            }
        };
        let cluster = roomy_with(binary, test, &addresses, 3, placed).await;
        Self { cluster, _services: services, namespace }
    }

    /// The node that is cut off.
    fn cut(&self) -> &TestServer {
        &self.cluster.nodes[1]
    }

    /// Visitors who connect to that node only.
    fn loyal(&self, crowd: &mut crash::Crowd) {
        let (node, http) = (self.cut(), Http::new(self.cut().own_address()));
        for number in 0..LOYAL {
            let who = Who::Visitor { inbox_key: node.installed.inbox_key.clone() };
            let plan = crash::plan(node, http.clone(), format!("loyal{number}"), who);
            let every = Duration::from_millis(250);
            let plan = frontdesk_testkit::Plan { address: node.own_address(), every, ..plan };
            crowd.robots.push(Robot::start(plan, &crowd.recorder));
        }
    }

    /// Cuts the node off for as long as `length` says while people chat, and heals it.
    pub(crate) async fn cut_off(&self, length: Duration) -> Outcome {
        let every = Duration::from_millis(250);
        let mut crowd = crash::Crowd::start(&self.cluster.nodes[0], 40, 4, every).await;
        self.loyal(&mut crowd);
        crowd.recorder.live_since_fault(crowd.robots.len()).await;
        crowd.recorder.acked(800).await;
        crowd.recorder.fault(CUT);
        let began = Instant::now();
        self.namespace.back.pull();
        let (taken_over, degraded) = tokio::join!(self.taken_over(), self.degraded());
        let newcomer = self.newcomer().await;
        // How long it is away is the test.
        tokio::time::sleep(length.saturating_sub(began.elapsed())).await;
        let troubles = troubles(&self.readyz().await.unwrap_or_default());
        let claimed = self.cut().metric("frontdesk_partitions").await;
        crowd.recorder.fault(HEALED);
        self.namespace.back.plug_in();
        let healed = Instant::now();
        crowd.quieten().await;
        let settled = healed.elapsed();
        calm(&self.cluster).await;
        all_owned(&self.cluster).await;
        let checker = crowd.finish().await;
        let (sent, acked) = meanwhile(&checker);
        Outcome {
            checker,
            taken_over: taken_over - began,
            degraded: degraded - began,
            troubles,
            newcomer,
            claimed,
            acked,
            sent,
            settled,
        }
    }

    /// When the other nodes own all partitions.
    async fn taken_over(&self) -> Instant {
        eventually(Duration::from_secs(30), "the others own all partitions", async || {
            let mut owned = 0.0;
            for node in [&self.cluster.nodes[0], &self.cluster.nodes[2]] {
                owned += node.metric("frontdesk_partitions").await;
            }
            owned > 11.5
        })
        .await;
        Instant::now()
    }

    /// When the node itself says that something is wrong.
    async fn degraded(&self) -> Instant {
        eventually(Duration::from_secs(30), "the node says that it is cut off", async || {
            self.readyz().await.is_some_and(|ready| ready["degraded"] == true)
        })
        .await;
        Instant::now()
    }

    async fn readyz(&self) -> Option<Value> {
        let http = Http::new(self.cut().own_address());
        let request = http.request(reqwest::Method::GET, "/readyz");
        let answer = http.try_send(request.timeout(Duration::from_secs(10))).await?;
        serde_json::from_str(&answer.text).ok()
    }

    /// What somebody is told who comes to the node now.
    async fn newcomer(&self) -> u16 {
        let http = Http::new(self.cut().own_address());
        let body = json!({
            "kind": "visitor", "inbox_key": self.cut().installed.inbox_key, "language": "en",
        });
        let request = http.request(reqwest::Method::POST, "/api/v1/tickets").json(&body);
        let answer = http.try_send(request.timeout(Duration::from_secs(10))).await;
        answer.map_or(0, |answer| answer.status)
    }
}

const CUT: &str = "the cable of node 2 to everything behind it is pulled";
const HEALED: &str = "the cable is plugged in";

/// How the node in the namespace is started: it listens to both cables, and others reach it by the back.
fn inside(node: ServerBuilder, namespace: &Namespace) -> ServerBuilder {
    let advertised = format!("http://{}:{PORT}", namespace.back.there);
    let front: IpAddr = namespace.front.there.into();
    node.host(IpAddr::from([0, 0, 0, 0]))
        .port(PORT)
        .reached_at(front)
        .set("cluster.advertise", advertised)
        .under(&namespace.wrapper())
}

/// Free, as nothing else is in the namespace.
const PORT: u16 = 8_080;

fn troubles(ready: &Value) -> Vec<String> {
    let checks = ready["checks"].as_array().into_iter().flatten();
    let bad = checks.filter(|check| check["ok"] != true);
    bad.map(|check| format!("{}: {}", check["name"], check["detail"])).collect()
}

/// What those who know the node only sent, and what it acked, while it was cut off.
fn meanwhile(checker: &Checker) -> (usize, usize) {
    let at = |fault: &str| {
        let is_meant = |event: &Event| matches!(event, Event::Fault { what } if what == fault);
        let line = checker.lines.iter().find(|line| is_meant(&line.event));
        Duration::from_micros(line.expect("the fault is noted").at_us)
    };
    let (from, to) = (at(CUT) + UNDER_WAY, at(HEALED));
    let (mut sent, mut acked) = (0, 0);
    for line in checker.lines.iter().filter(|line| line.client.starts_with("loyal")) {
        if !(from..to).contains(&Duration::from_micros(line.at_us)) {
            continue;
        }
        match line.event {
            Event::Attempt { .. } => sent += 1,
            Event::Ack { .. } => acked += 1,
            _ => {}
        }
    }
    (sent, acked)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r21_a_node_cut_off_for_10_s_refuses_rather_than_forks() {
    let _alone = heavy().await;
    let Some(namespace) = namespace("r21") else { return };
    let apart = Apart::start(FRONTDESK, "r21 cut off", namespace).await;
    let outcome = apart.cut_off(Duration::from_secs(10)).await;
    let Outcome {
        checker,
        taken_over,
        degraded,
        troubles,
        newcomer,
        claimed,
        acked,
        sent,
        settled,
    } = &outcome;
    note(&format!(
        "r21: taken over after {taken_over:.1?}, degraded after {degraded:.1?} ({troubles:?}), newcomers get \
         {newcomer}, {claimed} partitions claimed at the end, {acked} acks of {sent} messages meanwhile, all \
         acked {settled:.1?} after the healing"
    ));
    assert_eq!(*acked, 0, "the node acked what it cannot know");
    assert!(*sent > 0, "nobody tried");
    crash::check(&apart.cluster.nodes[0], checker, "r21 cut off").await;
    assert!([0, 503].contains(newcomer), "a newcomer was answered with {newcomer}");
}
