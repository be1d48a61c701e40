//! The server is killed while people chat (R1), stopped while they chat (R14), and what follows from
//! both for those who wrote.

use std::{sync::Arc, time::Duration};

use frontdesk_testkit::{
    Http, Plan, Recorder, Rng, Robot, SocketOptions, TestAgent, TestServer, Who,
    checker::{Checker, Event, quantile},
    robot::{finish_all, histories},
    server::ADMIN_EMAIL,
};
use serde_json::json;

use crate::{FRONTDESK, heavy};

/// Robots on a server: visitors who write and agents who answer in the sessions they are given.
pub(crate) struct Crowd {
    pub(crate) recorder: Arc<Recorder>,
    pub(crate) robots: Vec<Robot>,
    _dir: tempfile::TempDir,
}

impl Crowd {
    /// Starts `visitors` and `agents`; each visitor writes every `every`, each agent as often as all
    /// its visitors together.
    pub(crate) async fn start(
        server: &TestServer,
        visitors: u32,
        agents: u32,
        every: Duration,
    ) -> Self {
        let admin = server.admin();
        admin.set("routing.capacity", json!(1_000)).await;
        let dir = tempfile::tempdir().expect("there is a temporary directory");
        let recorder = Arc::new(Recorder::new(&dir.path().join("record.jsonl")));
        let mut robots = Vec::new();
        for number in 0..agents {
            let mut agent = TestAgent::new(server, &format!("Agent{number}"), "agent").await;
            agent.connect().await;
            agent.presence(frontdesk_protocol::wire::Presence::Online).await;
            let who = Who::Agent { id: agent.id.clone() };
            let plan = Plan {
                every: every * agents / visitors,
                ..plan(server, agent.http.clone(), format!("agent{number}"), who)
            };
            robots.push(Robot::start(plan, &recorder));
        }
        for number in 0..visitors {
            let who = Who::Visitor { inbox_key: server.installed.inbox_key.clone() };
            let plan = Plan {
                every,
                ..plan(server, server.http.clone(), format!("visitor{number}"), who)
            };
            robots.push(Robot::start(plan, &recorder));
        }
        Self { recorder, robots, _dir: dir }
    }

    /// Lets everybody finish, and reads the record.
    pub(crate) async fn finish(self) -> Checker {
        finish_all(self.robots).await;
        self.recorder.checker()
    }
}

/// A robot's plan with the figures of the real client.
pub(crate) fn plan(server: &TestServer, http: Http, name: String, who: Who) -> Plan {
    Plan {
        name,
        who,
        address: server.address(),
        http,
        every: Duration::from_millis(100),
        messages: u64::MAX,
        silence: Duration::from_secs(35),
        options: SocketOptions::default(),
    }
}

/// Reads all conversations of the record and compares.
pub(crate) async fn check(server: &TestServer, checker: &Checker, test: &str) {
    let reader = server.http.sign_in(ADMIN_EMAIL).await;
    let histories = histories(&reader, checker.conversations()).await;
    checker.verdict(&histories).must_hold(test);
}

/// Sends of robots may reach the rate limit of one address, which is not what is tested here.
pub(crate) fn roomy(test: &str) -> frontdesk_testkit::ServerBuilder {
    frontdesk_testkit::http::note(&format!("{test} begins"));
    TestServer::builder(FRONTDESK)
        .set("limits.ip_rate_per_s", 100_000)
        .set("limits.ip_burst", 100_000)
        .set("limits.http_per_address_per_minute", 60_000)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r01_kill_nine_loses_doubles_and_swaps_nothing() {
    let _alone = heavy().await;
    let mut rng = Rng::announced("r01");
    let mut server = roomy("r01").start().await;
    let crowd = Crowd::start(&server, 40, 4, Duration::from_millis(250)).await;
    let mut slowest = Duration::ZERO;
    for kill in 1..=4 {
        let after = Duration::from_millis(rng.pick(2_000..5_000));
        tokio::time::sleep(after).await;
        crowd.recorder.fault(&format!("kill -9, number {kill}"));
        server.kill9().await;
        let took = server.restart().await;
        crowd.recorder.note("harness", Event::Fault { what: format!("ready after {took:?}") });
        slowest = slowest.max(took);
    }
    let checker = crowd.finish().await;
    check(&server, &checker, "r01").await;
    let absences = checker.absences();
    frontdesk_testkit::http::note(&format!(
        "r01: ready after at most {slowest:?}, {} absences, p99 {:?}",
        absences.len(),
        quantile(&absences, 99)
    ));
    assert!(slowest <= Duration::from_secs(5), "ready after {slowest:?}");
    assert!(quantile(&absences, 99) <= Duration::from_secs(10), "clients came back too late");
}
