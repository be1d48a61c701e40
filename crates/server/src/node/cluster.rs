//! This node as one of several: what it shares with the others, and how its part of the work comes and
//! goes.
//!
//! ```text
//! KafkaGroup --assigned, revoked--> partitions: take the epoch, fold what the log holds, adopt; release
//! KafkaBoard <--> board: who is there, who owns what --> Loops (owners, links), desks
//! bus        <--> links: commands and notices of other nodes
//! loops --Overdue--> spool (disk) --once Kafka is back--> owners
//! loops --DeskInput--> switch --here--> desk task
//!                         '--elsewhere--> links
//! MySQL --> follower --> projections.db of this node
//! ```
//! A partition's owner folds its conversations. The owner of an account's partition has the account's desk:
//! agents' sockets and requests are carried there.

mod board;
mod changes;
mod follower;
mod forward;
mod health;
mod links;
mod partitions;
mod spool;
mod switch;

use std::{
    fmt::Write as _,
    net::SocketAddr,
    sync::{Arc, atomic::AtomicI64},
    time::Duration,
};

use anyhow::Context as _;
use frontdesk_api::{elsewhere::Elsewhere, files::Files, token::ServerKey};
use frontdesk_catalog::Catalog;
use frontdesk_dispatcher::{Dispatcher, Overdue, projections::Projections};
use frontdesk_gateway::chat::{loops::Loops, port::DeskInput};
use frontdesk_storage::{Bus, Directory, NodeId};
use frontdesk_storage_cluster::{
    BusOptions, EitherBus, KafkaBus, KafkaOptions, KafkaProducer, MySqlHistory, MySqlOptions,
    RedisBus, RedisDirectory, RedisOptions, Spool, ensure_topic,
};
use tokio::sync::mpsc;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

pub(super) use health::Health;
pub(super) use partitions::LEAVE_TIMEOUT;

use super::{
    SharedHistory,
    backends::Keys,
    desk::{DeskView, Rows},
    engine::NodeEngine,
    random,
};
use crate::{
    config::{ClusterStorage, Config, LEVEL, Role},
    data_dir::DataDir,
};

/// How nodes are called on the bus.
fn node_id(node: u8) -> NodeId {
    NodeId::new(&format!("{NODE_NAME}{node}"))
}

/// The number of a node on the bus; every name there is one of [`node_id`].
fn node_number(node: &NodeId) -> u16 {
    node.as_str().strip_prefix(NODE_NAME).and_then(|number| number.parse().ok()).unwrap_or_default()
}

const NODE_NAME: &str = "node-";
/// How long a start waits for owners, and how often it looks.
const SETTLE_WAIT: Duration = Duration::from_secs(10);
const SETTLE_LOOK: Duration = Duration::from_millis(50);
/// Partitions of the bus in Kafka; of more nodes some share one.
const BUS_PARTITIONS: u16 = 16;

/// What opening gives.
pub(super) struct Opened {
    pub(super) history: SharedHistory,
    pub(super) directory: Arc<dyn Directory>,
    pub(super) keys: Keys,
    pub(super) epoch: u64,
    pub(super) node: ClusterNode,
}

/// A node that has reached the engines and does not work yet.
pub(super) struct ClusterNode {
    number: u8,
    /// Which life of the node this is.
    life: u64,
    /// What it says it can do.
    level: u32,
    is_worker: bool,
    partitions: u16,
    history: Arc<MySqlHistory>,
    producer: Arc<KafkaProducer>,
    kafka: KafkaOptions,
    bus: Arc<dyn Bus>,
    /// Where other nodes reach its HTTP; empty for where it listens.
    advertise: String,
    /// Where it reaches theirs.
    nodes: board::Nodes,
    token: String,
    directory: Arc<dyn Directory>,
    /// By how much its clock is ahead of the brokers', ms.
    skew_ms: Arc<AtomicI64>,
    /// Messages that wait for Kafka, on this node's disk.
    spool: Arc<Spool>,
}

/// What it works with.
pub(super) struct Parts {
    pub(super) loops: Arc<Loops>,
    pub(super) catalog: Catalog,
    pub(super) projections: Arc<Projections>,
    pub(super) view: Arc<DeskView>,
    pub(super) files: Files,
    /// To this node's desk task.
    pub(super) desk: mpsc::Sender<DeskInput>,
    /// What the loops tell the desks.
    pub(super) switch: mpsc::Receiver<DeskInput>,
    /// Partitions whose log or history failed.
    pub(super) broken: mpsc::Receiver<Box<Dispatcher>>,
    /// Messages that the log keeps waiting.
    pub(super) overdue: mpsc::Receiver<Vec<Overdue>>,
    /// Where this node listens.
    pub(super) address: SocketAddr,
    /// Rows the desk would have written; lists follow the history here.
    pub(super) rows: mpsc::Receiver<Rows>,
}

/// Reaches Kafka, Redis and the databases, and refuses what could not work.
pub(super) async fn open(
    config: &Config,
    storage: &ClusterStorage,
    data_dir: &DataDir,
) -> anyhow::Result<Opened> {
    let partitions = data_dir.installation.partitions;
    let cluster = &config.cluster;
    let kafka = KafkaOptions {
        brokers: storage.kafka_brokers.clone(),
        topic: storage.kafka_topic.clone(),
        partitions,
        replication: storage.kafka_replication,
        min_insync_replicas: storage.kafka_min_insync,
        delivery_timeout: Duration::from_millis(storage.kafka_timeout_ms),
    };
    let urls = storage.mysql_urls.iter().map(|url| url.0.clone()).collect();
    let mysql = MySqlOptions::new(urls, partitions);
    let history = blocking(move || MySqlHistory::open(&mysql))
        .await?
        .context("storage.cluster.mysql_urls: cannot open the history")?;
    let history = Arc::new(history);
    let installation = history.installation();
    let redis = RedisOptions { url: storage.redis_url.0.clone(), installation: hex(&installation) };
    let directory = RedisDirectory::connect(redis.clone())
        .await
        .context("storage.cluster.redis_url: cannot open the directory")?;
    let directory: Arc<dyn Directory> = Arc::new(directory);
    let bus = RedisBus::connect(redis, BusOptions::default())
        .await
        .context("storage.cluster.redis_url: cannot open the bus")?;
    let options = kafka.clone();
    let (producer, second) = blocking(move || {
        ensure_topic(&options).context("storage.cluster.kafka_topic")?;
        let second =
            KafkaBus::open(&options, BUS_PARTITIONS, Arc::new(node_number), BusOptions::default())
                .context("storage.cluster.kafka_topic")?;
        let producer = KafkaProducer::open(options).context("storage.cluster.kafka_brokers")?;
        anyhow::Ok((producer, second))
    })
    .await??;
    let (engine, bytes_max) = (storage.spool_engine, storage.spool_bytes_max);
    let dir = data_dir.spool();
    let spool = blocking(move || Spool::open(engine, &dir, bytes_max))
        .await?
        .context("cannot open what waits for Kafka")?;
    // Redis is faster; while it is away messages go on by the other way.
    let bus = EitherBus::new(Arc::new(bus), Arc::new(second));
    let key = |label: &[u8]| ServerKey::derived(&cluster.secret.0, label);
    // The life of the positions follows the databases they lie in.
    let (first, _) = installation.split_first_chunk::<8>().expect("16 bytes");
    Ok(Opened {
        history: history.clone(),
        directory: directory.clone(),
        keys: Keys {
            server: key(b"frontdesk server key v1"),
            resume: key(b"frontdesk resume key v1"),
        },
        epoch: u64::from_be_bytes(*first) >> 2 | 1,
        node: ClusterNode {
            number: cluster.node,
            life: u64::from_be_bytes(random()),
            level: if cluster.level == 0 { LEVEL } else { cluster.level },
            is_worker: cluster.has(Role::Worker),
            partitions,
            history,
            producer,
            kafka,
            bus: Arc::new(bus),
            advertise: cluster.advertise.trim_end_matches('/').to_owned(),
            nodes: board::Nodes::default(),
            token: node_token(&cluster.secret.0),
            directory: directory.clone(),
            skew_ms: Arc::default(),
            spool: Arc::new(spool),
        },
    })
}

/// Waits a while until every partition has an owner, so that whoever comes first finds one.
async fn settled(loops: &Loops, partitions: u16) {
    let until = tokio::time::Instant::now() + SETTLE_WAIT;
    let is_owned = |partition| loops.owners().owner(partition).is_some();
    while !(0..partitions).all(is_owned) {
        if tokio::time::Instant::now() >= until {
            tracing::warn!("not every partition has an owner yet; /readyz tells when");
            return;
        }
        tokio::time::sleep(SETTLE_LOOK).await;
    }
}

/// Runs what waits for another machine.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> anyhow::Result<T> {
    tokio::task::spawn_blocking(work).await.context("a task panicked")
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("a String takes everything");
        text
    })
}

/// A node among others, at work.
pub(super) struct Running {
    partitions: partitions::Handle,
    health: Arc<Health>,
    nodes: board::Nodes,
    token: String,
    stop: CancellationToken,
}

/// What nodes show each other over HTTP.
pub(super) fn node_token(secret: &str) -> String {
    hex(&ServerKey::derived(secret, b"frontdesk node token v1"))
}

impl Running {
    /// The way of requests that other nodes answer.
    pub(super) fn elsewhere(
        &self,
        loops: Arc<Loops>,
        header_timeout: Duration,
    ) -> Arc<dyn Elsewhere> {
        let (nodes, token) = (Arc::clone(&self.nodes), self.token.clone());
        Arc::new(forward::Forward::new(loops, nodes, token, header_timeout))
    }

    /// What the node needs of others.
    pub(super) fn health(&self) -> Arc<Health> {
        Arc::clone(&self.health)
    }

    /// Carries out what other nodes change in the catalog.
    pub(super) fn follow_changes(
        &self,
        catalog: Catalog,
        engine: Arc<NodeEngine>,
    ) -> impl Future<Output = ()> + Send + use<> {
        changes::follow(catalog, engine, self.stop.clone())
    }

    /// Says good-bye; its loops have ended.
    pub(super) fn end(&self) {
        self.stop.cancel();
    }

    /// Gives all partitions back, so that others take them over at once.
    pub(super) async fn hand_over(&self) {
        self.partitions.leave().await;
    }
}

impl ClusterNode {
    /// Its number.
    pub(super) fn number(&self) -> u8 {
        self.number
    }

    /// Begins to work: hears of the other nodes first, then asks for partitions.
    pub(super) async fn start(self, parts: Parts, tasks: &TaskTracker) -> anyhow::Result<Running> {
        let stop = &CancellationToken::new();
        let Parts {
            loops,
            catalog,
            projections,
            view,
            files,
            desk,
            switch,
            broken,
            overdue,
            address,
            mut rows,
        } = parts;
        let address = if self.advertise.is_empty() {
            format!("http://{}", super::reachable(address))
        } else {
            self.advertise.clone()
        };
        // First of all: a node that runs keeps its number, its partitions and its place on the bus.
        let free = board::ask(&self, address, loops.local().len() as u16).await?;
        // What the desk would write follows the history here.
        tasks.spawn(async move { while rows.recv().await.is_some() {} });
        let (history, lists) = (Arc::clone(&self.history), Arc::clone(&projections));
        let follower = follower::Follower::new(history, lists, self.partitions);
        tasks.spawn(Arc::clone(&follower).run(stop.clone()));
        let desks = switch::Desks::new(Arc::clone(&loops), desk, follower, catalog, projections);
        tasks.spawn(switch::run(Arc::clone(&desks), switch, stop.clone()));
        tasks.spawn(switch::follow(Arc::clone(&desks), stop.clone()));
        let links =
            links::Links::start(&self, Arc::clone(&loops), Arc::clone(&desks), view, (tasks, stop))
                .await?;
        let waiting = spool::Waiting::new(Arc::clone(&self.spool), Arc::clone(&loops));
        tasks.spawn(Arc::clone(&waiting).keep(overdue, stop.clone()));
        tasks.spawn(waiting.forward(stop.clone()));
        let nodes = Arc::clone(&self.nodes);
        let partitions = partitions::start(&self, Arc::clone(&loops), files, broken, tasks, stop)?;
        let health = Arc::new(Health::new(&self, Arc::clone(&loops)));
        let at = (tasks, stop);
        board::start(&self, free, Arc::clone(&loops), desks, links, partitions.clone(), at);
        settled(&loops, self.partitions).await;
        Ok(Running { partitions, health, nodes, token: self.token, stop: stop.clone() })
    }
}
