//! The server is killed while people chat (R1), stopped while they chat (R14), and what follows from
//! both for those who wrote.

use std::{sync::Arc, time::Duration};

use frontdesk_core::chat::timeline_item::Item;
use frontdesk_protocol::wire::{client_frame::Frame as Out, server_frame::Frame as In};
use frontdesk_testkit::{
    Http, Plan, Recorder, Rng, Robot, Socket, SocketOptions, TestAgent, TestServer, TestVisitor,
    Who,
    checker::{Checker, Event, quantile},
    live::{message_id, text},
    robot::{finish_all, histories, quieten_all},
    server::ADMIN_EMAIL,
    soon,
    timeline::text_of,
};
use serde_json::json;

use crate::{ENGINE, FRONTDESK, heavy};

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

    /// Lets everybody send what is left, until all of it is acked.
    pub(crate) async fn quieten(&mut self) {
        quieten_all(&mut self.robots).await;
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
        repairs: server.is_behind_a_balancer(),
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
        .set("storage.embedded.engine", ENGINE)
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
        // The moment is the test: whatever is under way then, is cut.
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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r14_a_drained_server_closes_with_a_reconnect_code_and_loses_nothing() {
    let _alone = heavy().await;
    let mut server = roomy("r14").start().await;
    // It says nothing: a robot of the crowd would be given its conversation, and its words are no robot's.
    let mut watcher = TestVisitor::connect(&server).await;
    let crowd = Crowd::start(&server, 40, 4, Duration::from_millis(250)).await;
    // Under load: a third of what the run needs is acked.
    crowd.recorder.acked(400).await;
    crowd.recorder.fault("SIGTERM");
    server.term();
    let away = watcher
        .live
        .pushed("told to go", |frame| match frame {
            In::GoAway(away) => Some(away.reconnect_after_ms),
            _ => None,
        })
        .await;
    assert!(away <= 30_000);
    let gone = watcher.live.gone().await;
    assert_eq!(gone.code(), 3_000);
    let status = server.exited(Duration::from_secs(30)).await;
    assert!(status.success(), "a drained server exits 0, not {status}");
    crowd.recorder.fault("ended");
    server.restart().await;
    crowd.recorder.live_since_fault(crowd.robots.len()).await;
    crowd.recorder.acked(1_200).await;
    let checker = crowd.finish().await;
    let codes = checker.close_codes();
    let told = codes.get(&3_000).copied().unwrap_or(0);
    assert_eq!(codes.len(), 1, "closed with other codes: {codes:?}");
    assert!(told > 0, "nobody was told to come back: {codes:?}");
    check(&server, &checker, "r14").await;
}

#[tokio::test]
async fn r14_readiness_ends_at_once_and_a_second_signal_ends_the_process() {
    // Many connections make the window long enough to look into it.
    let mut server = TestServer::start(FRONTDESK).await;
    let mut sockets = Vec::new();
    for _ in 0..400 {
        let options = SocketOptions::default();
        let opening = Socket::open(server.address(), &options);
        sockets.push(soon("a socket", opening).await.expect("open"));
    }
    let mut visitor = TestVisitor::connect(&server).await;
    server.term();
    visitor.live.pushed("told to go", |frame| matches!(frame, In::GoAway(_)).then_some(())).await;
    let ready = server.http.try_send(server.http.request(reqwest::Method::GET, "/readyz")).await;
    if let Some(ready) = ready {
        assert_eq!(ready.status, 503, "{}", ready.text);
    }
    server.term();
    let status = server.exited(Duration::from_secs(1)).await;
    assert!(!status.success(), "a stop that was cut short says so");
}

/// The first message, written in two tabs, both retried over a kill -9: one conversation, each
/// message once.
#[tokio::test]
async fn two_tabs_and_a_crash_make_one_conversation() {
    let mut server = TestServer::start(FRONTDESK).await;
    for round in 0..5 {
        let mut one = TestVisitor::connect(&server).await;
        let mut two = one.another_tab();
        two.connect_by_ticket().await;
        let ids = [message_id(), message_id()];
        // The server dies somewhere between the two sends and their acks.
        one.live.send(Out::Send(text("", &ids[0], "from one"))).await;
        two.live.send(Out::Send(text("", &ids[1], "from two"))).await;
        if round > 0 {
            one.live.hear().await.map(drop).unwrap_or_default();
        }
        server.kill9().await;
        server.restart().await;
        for (tab, id, body) in [(&mut one, ids[0], "from one"), (&mut two, ids[1], "from two")] {
            tab.lose();
            tab.connect_by_ticket().await;
            tab.try_say(&id, body).await.expect("a repeat is acked");
            tab.try_say(&id, body).await.expect("as often as one likes");
        }
        assert_eq!(one.conversation, two.conversation);
        let items = one.http().history(&one.conversation).await;
        let texts: Vec<&str> = items
            .iter()
            .filter_map(|item| match &item.item {
                Some(Item::Entry(entry)) => text_of(entry),
                _ => None,
            })
            .collect();
        assert_eq!(texts.len(), 2, "{texts:?}");
        assert!(texts.contains(&"from one") && texts.contains(&"from two"), "{texts:?}");
    }
    let list = server.admin().get("/api/v1/conversations?view=open").await.ok();
    assert_eq!(list["counts"]["open"], json!(5), "{list}");
}
