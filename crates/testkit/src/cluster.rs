//! Several nodes of the real binary on real services, and what stands in front of them.

use tempfile::TempDir;

use crate::{
    balancer::Balancer,
    server::{Installed, ServerBuilder, TestServer, init_with, variable},
    services::Addresses,
};

/// Shared by the nodes of a test; no secret.
const SECRET: &str = "tests only, tests only, tests only, tests only";

/// A running cluster. Nodes are numbered from 1; `nodes[0]` is the first.
#[derive(Debug)]
pub struct Cluster {
    /// The nodes. Their `http` and `address()` are the balancer's.
    pub nodes: Vec<TestServer>,
    /// In front of them.
    pub balancer: Balancer,
    /// What `init` made.
    pub installed: Installed,
    settings: Vec<(String, String)>,
    _dir: TempDir,
}

/// Where a cluster's engines are and what it shares, as keys of the configuration.
fn settings(addresses: &Addresses, name: &str) -> Vec<(String, String)> {
    let (urls, brokers) = (addresses.databases(name), addresses.brokers());
    let urls: Vec<String> = urls.iter().map(|url| format!("{url:?}")).collect();
    [
        ("storage.mode", "cluster".to_owned()),
        ("storage.cluster.kafka_brokers", addresses.kafka.clone()),
        ("storage.cluster.kafka_topic", name.to_owned()),
        ("storage.cluster.kafka_replication", brokers.to_string()),
        ("storage.cluster.kafka_min_insync", brokers.div_ceil(2).to_string()),
        ("storage.cluster.redis_url", addresses.redis.clone()),
        ("storage.cluster.mysql_urls", format!("[{}]", urls.join(","))),
        ("storage.cluster.partitions", Cluster::PARTITIONS.to_string()),
        ("cluster.secret", SECRET.to_owned()),
        ("gateway.loops", "2".to_owned()),
    ]
    .map(|(key, value)| (key.to_owned(), value))
    .into()
}

impl Cluster {
    /// How many partitions it has.
    pub const PARTITIONS: u16 = 12;

    /// Starts `count` nodes one after the other; `more` may set further keys.
    pub async fn start(
        binary: &str,
        addresses: &Addresses,
        count: u8,
        more: impl Fn(ServerBuilder) -> ServerBuilder,
    ) -> Self {
        let dir = tempfile::Builder::new().prefix("frontdesk-cluster-").tempdir();
        let dir = dir.expect("there is a temporary directory");
        let mut random = [0; 6];
        getrandom::fill(&mut random).expect("the operating system has randomness");
        let name = format!("frontdesk_{}", random.map(|byte| format!("{byte:02x}")).concat());
        let settings = settings(addresses, &name);
        let installed = init_with(binary, &dir.path().join("init"), &settings);
        let balancer = Balancer::start().await;
        let mut cluster = Self { nodes: Vec::new(), balancer, installed, settings, _dir: dir };
        for _ in 0..count {
            cluster.add(binary, &more).await;
        }
        cluster
    }

    /// The environment of one more process of this cluster, under a number of its own.
    pub fn variables(&self, node: u8) -> Vec<(String, String)> {
        let number = ("cluster.node".to_owned(), node.to_string());
        let all = self.settings.iter().chain([&number]);
        all.map(|(key, value)| (variable(key), value.clone())).collect()
    }

    /// Begins to describe a node of this number, to which nobody is sent.
    pub fn node(&self, binary: &str, number: u8) -> ServerBuilder {
        let builder = TestServer::builder(binary)
            .set("cluster.node", number)
            .installed(self.installed.clone())
            .behind(self.balancer.address);
        let settings = self.settings.iter();
        settings.fold(builder, |builder, (key, value)| builder.set(key, value))
    }

    /// Starts one more node.
    pub async fn add(&mut self, binary: &str, more: impl Fn(ServerBuilder) -> ServerBuilder) {
        let number = u8::try_from(self.nodes.len() + 1).expect("a few nodes");
        let node = more(self.node(binary, number)).start().await;
        self.balancer.add(node.own_address());
        self.nodes.push(node);
    }
}
