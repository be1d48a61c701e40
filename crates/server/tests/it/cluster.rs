//! Several nodes as one installation: messages between them, nodes that come, go and die, engines that are
//! away for a while.

mod bots;
pub(crate) mod clocks;
pub(crate) mod network;
mod proxy;
pub(crate) mod race;
mod rejoin;
mod unreadable;

use std::{
    cell::Cell,
    collections::BTreeMap,
    time::{Duration, Instant},
};

use frontdesk_core::chat::timeline_item::Item;
use frontdesk_protocol::wire::{Presence, client_frame::Frame as Out};
use frontdesk_testkit::{
    Checker, Cluster, Http, ServerBuilder, TestAgent, TestServer, TestVisitor,
    checker::Event,
    http::note,
    live::{message_id, text},
    server::ADMIN_EMAIL,
    services,
    timeline::text_of,
};
use rustix::process::Signal;
use serde_json::json;

use crate::{FRONTDESK, crash, eventually, heavy};

/// The feature level of the release before.
pub(crate) const LEVEL_BEFORE: u32 = 1;

/// Nodes for robots, whose sends may reach the rate limit of one address.
async fn roomy(test: &str, addresses: &services::Addresses, nodes: u8) -> Cluster {
    roomy_with(FRONTDESK, test, addresses, nodes, |node| node).await
}

/// The same of any binary, with more that is set.
pub(crate) async fn roomy_with(
    binary: &str,
    test: &str,
    addresses: &services::Addresses,
    nodes: u8,
    more: impl Fn(ServerBuilder) -> ServerBuilder,
) -> Cluster {
    note(&format!("{test} begins"));
    let cluster = Cluster::start(binary, addresses, nodes, |node| more(for_robots(node))).await;
    spread(&cluster).await;
    all_owned(&cluster).await;
    cluster
}

/// A node whose limits are no robot's.
fn for_robots(node: ServerBuilder) -> ServerBuilder {
    node.set("limits.ip_rate_per_s", 100_000)
        .set("limits.ip_burst", 100_000)
        .set("limits.http_per_address_per_minute", 60_000)
        .set("limits.http_per_caller_per_minute", 60_000)
}

/// Whether the nodes share the partitions evenly.
async fn is_even(cluster: &Cluster) -> bool {
    let nodes = cluster.nodes.len();
    let mut owned = Vec::new();
    for node in &cluster.nodes {
        owned.push(node.metric("frontdesk_partitions").await as usize);
    }
    let all: usize = owned.iter().sum();
    all > 0 && owned.iter().all(|one| (all / nodes..=all.div_ceil(nodes)).contains(one))
}

/// Waits until the nodes share the partitions evenly: none moves from then on.
pub(crate) async fn spread(cluster: &Cluster) {
    let even = async || is_even(cluster).await;
    eventually(Duration::from_secs(30), "the partitions are shared evenly", even).await;
}

/// The same where a node comes back that still believes in what it owned: until nothing has moved for longer than
/// the group needs to tell it.
pub(crate) async fn calm(cluster: &Cluster) {
    let mut even_since = None;
    eventually(Duration::from_mins(1), "the partitions stay where they are", async || {
        if !is_even(cluster).await {
            even_since = None;
            return false;
        }
        even_since.get_or_insert_with(Instant::now).elapsed() > Duration::from_secs(8)
    })
    .await;
}

/// What a node's `/readyz` says of one of its checks.
pub(crate) async fn readiness(node: &TestServer, name: &str) -> serde_json::Value {
    let ready = Http::new(node.own_address()).get("/readyz").await;
    let ready: serde_json::Value = serde_json::from_str(&ready.text).expect("JSON");
    let checks = ready["checks"].as_array().cloned().unwrap_or_default();
    checks.into_iter().find(|check| check["name"] == name).unwrap_or_default()
}

/// Waits until every partition has an owner, as every node sees it.
pub(crate) async fn all_owned(cluster: &Cluster) {
    for node in &cluster.nodes {
        eventually(Duration::from_secs(30), "every partition has an owner", async || {
            readiness(node, "partitions").await["ok"] == true
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn people_on_three_nodes_talk_as_on_one() {
    let _alone = heavy().await;
    let cluster = roomy("three nodes", &services::shared(), 3).await;
    let mut agent = TestAgent::new(&cluster.nodes[0], "Lin", "agent").await;
    agent.connect().await;
    agent.presence(Presence::Online).await;
    for number in 0..5 {
        // Each lands on the next node.
        let mut visitor = TestVisitor::connect(&cluster.nodes[0]).await;
        let question = format!("visitor {number}");
        visitor.say(&question).await;
        let conversation = visitor.conversation.clone();
        agent.listed(&conversation, &agent.id.clone()).await;
        agent.open(&conversation).await.expect("it may be read");
        agent.sees(&conversation, &question).await;
        let answer = format!("agent {number}");
        agent.say(&conversation, &answer).await;
        visitor.sees(&answer).await;
    }
}

/// One node has the sockets, one answers requests, one works: what another one has to do it refuses, and how it
/// is each tells.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nodes_of_one_role_each_serve_together() {
    let _alone = heavy().await;
    let roles = [r#"["gateway"]"#, r#"["api"]"#, r#"["worker"]"#];
    let number = Cell::new(0);
    let cluster = Cluster::start(FRONTDESK, &services::shared(), 3, |node| {
        node.set("cluster.roles", roles[number.replace(number.get() + 1)])
    })
    .await;
    all_owned(&cluster).await;
    let [gateway, api, worker] = &cluster.nodes[..] else { panic!("three nodes") };
    let of = |node: &TestServer| Http::new(node.own_address());
    for (node, owned) in [(gateway, 0.0), (api, 0.0), (worker, 12.0)] {
        assert_eq!(of(node).get("/healthz").await.status, 200);
        assert!((node.metric("frontdesk_partitions").await - owned).abs() < 0.5);
    }
    for (node, path, role) in [
        (gateway, "/api/v1/session", "api"),
        (api, "/ws/v1", "gateway"),
        (worker, "/ws/v1", "gateway"),
        (worker, "/", "api"),
    ] {
        let refused = of(node).get(path).await;
        assert_eq!(refused.status, 503, "{path}: {}", refused.text);
        assert!(refused.text.contains(&format!("the role \\\"{role}\\\"")), "{}", refused.text);
    }
    // As a proxy that knows who does what would send it.
    let mut visitor = TestVisitor::at(&cluster.nodes[0], of(api), gateway.own_address()).await;
    visitor.say("hello").await;
    let admin = of(api).sign_in(ADMIN_EMAIL).await;
    let items = admin.history(&visitor.conversation).await;
    let said = items.iter().filter_map(|item| match &item.item {
        Some(Item::Entry(entry)) => text_of(entry),
        _ => None,
    });
    assert_eq!(said.collect::<Vec<_>>(), ["hello"]);
}

/// The example clients, on two stacks, while two of three nodes are killed (R28).
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r28_clients_of_other_stacks_lose_nothing_while_nodes_die() {
    let _alone = heavy().await;
    let cluster = roomy_with(FRONTDESK, "r28", &services::shared(), 3, |node| {
        node.set("limits.visitor_rate_per_s", 100_000).set("limits.visitor_burst", 100_000)
    })
    .await;
    let victims: Vec<u32> = cluster.nodes[1..].iter().map(TestServer::pid).collect();
    let about = json!({
        "url": format!("http://{}", cluster.balancer.address),
        "inbox_key": cluster.installed.inbox_key,
        "api_key": cluster.installed.api_key,
        "victims": victims,
    });
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/clients/run");
    let mut command = std::process::Command::new(script);
    command.env("FRONTDESK_BIN", FRONTDESK).env("FRONTDESK_CLUSTER", about.to_string());
    let run = tokio::task::spawn_blocking(move || services::run(command));
    frontdesk_testkit::http::note(&run.await.expect("the clients end well"));
}

/// Sixty tries a minute from one address, at however many nodes (S21).
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn s21_nodes_count_tries_to_sign_in_together() {
    let _alone = heavy().await;
    let cluster = roomy("s21", &services::shared(), 2).await;
    let nodes: Vec<Http> = cluster.nodes.iter().map(|of| Http::new(of.own_address())).collect();
    let mut admitted = 0;
    for number in 0..200 {
        // Every try under another name: only the address is counted.
        let body = json!({"email": format!("nobody{number}@shop.example"), "password": "a guess"});
        let answer = nodes[number % nodes.len()].post("/api/v1/sign-in", &body).await;
        match answer.status {
            401 => admitted += 1,
            429 => break,
            status => panic!("{status}: {}", answer.text),
        }
    }
    // One a second grows back meanwhile; each node for itself would have let in 120.
    assert!((55..100).contains(&admitted), "{admitted} tries were let in");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_checker_finds_nothing_on_three_nodes() {
    let _alone = heavy().await;
    let cluster = roomy("checker", &services::shared(), 3).await;
    let every = Duration::from_millis(250);
    let crowd = crash::Crowd::start(&cluster.nodes[0], 40, 4, every).await;
    crowd.recorder.acked(2_000).await;
    let checker = crowd.finish().await;
    crash::check(&cluster.nodes[0], &checker, "three nodes").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r17_killed_nodes_lose_double_and_swap_nothing() {
    let _alone = heavy().await;
    let mut cluster = roomy("r17", &services::shared(), 3).await;
    let every = Duration::from_millis(250);
    let crowd = crash::Crowd::start(&cluster.nodes[0], 40, 4, every).await;
    for round in 0..3 {
        crowd.recorder.acked(500 * (round + 1)).await;
        let victim = round % cluster.nodes.len();
        crowd.recorder.fault(&format!("kill -9 of node {}", victim + 1));
        cluster.nodes[victim].kill9().await;
        // Others go on; those of the victim come back to whoever takes its partitions.
        crowd.recorder.acked(500 * (round + 1) + 300).await;
        cluster.nodes[victim].restart().await;
        all_owned(&cluster).await;
    }
    let checker = crowd.finish().await;
    crash::check(&cluster.nodes[0], &checker, "r17").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r15_nodes_of_two_levels_restarted_in_turn_cost_nobody_a_message_nor_a_second_connection() {
    let _alone = heavy().await;
    let mut cluster = roomy_with(FRONTDESK, "r15", &services::shared(), 3, |node| {
        node.set("cluster.level", LEVEL_BEFORE)
    })
    .await;
    let every = Duration::from_millis(250);
    let crowd = crash::Crowd::start(&cluster.nodes[0], 40, 4, every).await;
    for node in 0..cluster.nodes.len() {
        crowd.recorder.acked(500 * (node + 1)).await;
        crowd.recorder.fault(&format!("SIGTERM of node {}", node + 1));
        cluster.nodes[node].stop().await;
        crowd.recorder.acked(500 * (node + 1) + 200).await;
        cluster.nodes[node].set("cluster.level", 0);
        cluster.nodes[node].restart().await;
        all_owned(&cluster).await;
    }
    let checker = crowd.finish().await;
    crash::check(&cluster.nodes[0], &checker, "r15").await;
    let most = reconnects(&checker).iter().flat_map(|counts| counts.values()).max().copied();
    assert_eq!(most, Some(1), "of one client, for one restart");
}

/// How often each client connected anew after each fault; one that did so again is shown.
pub(crate) fn reconnects(checker: &Checker) -> Vec<BTreeMap<&str, usize>> {
    let mut by_fault: Vec<(u64, BTreeMap<&str, usize>)> = Vec::new();
    let mut gone: BTreeMap<&str, u16> = BTreeMap::new();
    for line in &checker.lines {
        match &line.event {
            Event::Fault { .. } => by_fault.push((line.at_us, BTreeMap::new())),
            Event::Gone { code } => drop(gone.insert(&line.client, *code)),
            Event::Live => {
                let Some((since_us, counts)) = by_fault.last_mut() else { continue };
                let count = counts.entry(&line.client).or_default();
                *count += 1;
                if *count > 1 {
                    let after = Duration::from_micros(line.at_us - *since_us);
                    let code = gone.get(line.client.as_str()).copied().unwrap_or_default();
                    note(&format!(
                        "  {} once more after {after:.1?}, closed with {code}",
                        line.client
                    ));
                }
            }
            _ => {}
        }
    }
    by_fault.into_iter().map(|(_, counts)| counts).collect()
}

/// Robots while an engine is away for ten seconds: `fault` takes it away, `heal` brings it back.
async fn away(
    test: &str,
    fault: impl AsyncFnOnce(&services::OwnServices),
    heal: impl AsyncFnOnce(&services::OwnServices),
) {
    away_on(services::OwnServices::start(), test, fault, heal).await;
}

async fn away_on(
    own: services::OwnServices,
    test: &str,
    fault: impl AsyncFnOnce(&services::OwnServices),
    heal: impl AsyncFnOnce(&services::OwnServices),
) {
    let cluster = roomy(test, &own.addresses(), 2).await;
    let every = Duration::from_millis(250);
    let mut crowd = crash::Crowd::start(&cluster.nodes[0], 40, 4, every).await;
    crowd.recorder.acked(400).await;
    crowd.recorder.fault(test);
    fault(&own).await;
    // How long it is away is the test.
    tokio::time::sleep(Duration::from_secs(10)).await;
    heal(&own).await;
    crowd.recorder.fault("it is back");
    crowd.quieten().await;
    // Until nodes agree who owns what, one of two may answer with what it knows.
    spread(&cluster).await;
    all_owned(&cluster).await;
    let checker = crowd.finish().await;
    crash::check(&cluster.nodes[0], &checker, test).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r16_kafka_stopped_for_10_s_keeps_what_is_sent_and_acks_it_later() {
    let _alone = heavy().await;
    let fault = async |own: &services::OwnServices| own.signal("kafka-1", Signal::STOP);
    let heal = async |own: &services::OwnServices| own.signal("kafka-1", Signal::CONT);
    away("r16", fault, heal).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r16_kafka_killed_and_started_again_keeps_what_is_sent_and_acks_it_later() {
    let _alone = heavy().await;
    // Its start takes as long again: more than the producer waits for an ack.
    away("r16", async |own| own.signal("kafka-1", Signal::KILL), async |own| own.start_again())
        .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r16_what_was_said_without_kafka_survives_its_node_and_its_visitor() {
    let _alone = heavy().await;
    let own = services::OwnServices::start();
    let mut cluster = roomy("r16 spool", &own.addresses(), 1).await;
    let admin = cluster.nodes[0].admin();
    let mut visitor = TestVisitor::connect(&cluster.nodes[0]).await;
    visitor.say("before").await;
    own.signal("kafka-1", Signal::STOP);
    let words: Vec<String> = (0..20).map(|number| format!("meanwhile {number}")).collect();
    for word in &words {
        visitor.live.send(Out::Send(text("", &message_id(), word))).await;
    }
    eventually(Duration::from_secs(15), "all of it waits on the node's disk", async || {
        let said = "20 messages wait for Kafka on this node's disk";
        readiness(&cluster.nodes[0], "spool").await["detail"] == said
    })
    .await;
    // The visitor's window is closed: nobody sends it again.
    let conversation = visitor.conversation.clone();
    drop(visitor);
    cluster.nodes[0].kill9().await;
    own.signal("kafka-1", Signal::CONT);
    cluster.nodes[0].restart().await;
    all_owned(&cluster).await;
    let expected: Vec<String> = std::iter::once("before".to_owned()).chain(words).collect();
    eventually(Duration::from_mins(1), "all of it is in the history, in its order", async || {
        let items = admin.history(&conversation).await;
        let said = items.iter().filter_map(|item| match &item.item {
            Some(Item::Entry(entry)) => text_of(entry).map(str::to_owned),
            _ => None,
        });
        said.collect::<Vec<_>>() == expected
    })
    .await;
    eventually(Duration::from_secs(10), "nothing waits any more", async || {
        readiness(&cluster.nodes[0], "spool").await["ok"] == true
    })
    .await;
}

/// Two of three brokers keep what is said: a third of the partitions gets another leader.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r18_a_broker_of_three_killed_for_10_s_loses_nothing() {
    let _alone = heavy().await;
    let own = services::OwnServices::start_with_brokers(3);
    let fault = async |own: &services::OwnServices| own.signal("kafka-2", Signal::KILL);
    away_on(own, "r18", fault, async |own| own.start_again()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r19_redis_stopped_for_10_s_stops_no_message() {
    let _alone = heavy().await;
    away("r19", async |own| own.signal("redis", Signal::KILL), async |own| own.start_again()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r20_a_shard_stopped_for_10_s_loses_nothing() {
    let _alone = heavy().await;
    away("r20", async |own| own.signal("mysql-2", Signal::KILL), async |own| own.start_again())
        .await;
}

/// One of three nodes hears and says nothing for longer than the others wait, and goes on as if nothing had been:
/// what it owned belongs to others by then, and nothing of it may count twice.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r21_a_node_that_stood_still_for_10_s_acknowledges_nothing_wrong() {
    let _alone = heavy().await;
    let cluster = roomy("r21", &services::shared(), 3).await;
    let every = Duration::from_millis(250);
    let mut crowd = crash::Crowd::start(&cluster.nodes[0], 40, 4, every).await;
    crowd.recorder.acked(500).await;
    crowd.recorder.fault("node 2 stands still");
    cluster.nodes[1].signal(Signal::STOP);
    // How long it is away is the test.
    tokio::time::sleep(Duration::from_secs(10)).await;
    cluster.nodes[1].signal(Signal::CONT);
    crowd.recorder.fault("it goes on");
    crowd.recorder.acked(2_000).await;
    crowd.quieten().await;
    spread(&cluster).await;
    all_owned(&cluster).await;
    let checker = crowd.finish().await;
    crash::check(&cluster.nodes[0], &checker, "r21").await;
}
