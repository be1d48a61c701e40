//! Kafka for these tests: one broker that all share, with a topic for each test, or brokers of a test's own.

use std::path::Path;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use frontdesk_core::secret::Secret128;
use frontdesk_storage_cluster::{KafkaLog, KafkaOptions, KafkaProducer, ensure_topic};
use frontdesk_testkit::ports::Ports;
use futures_executor::block_on;
use parking_lot::{Mutex, MutexGuard};
use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use super::PATIENCE;
use crate::services::{run, services_command};

/// For brokers and their controllers, which lie 11 and 21 behind the first port of a set.
static PORTS: Ports = Ports::new(10_000, 6_000, 30);

/// A topic of a test's own in the broker all share; it goes with the test.
pub(crate) struct TestTopic {
    pub(crate) options: KafkaOptions,
}

impl TestTopic {
    /// One partition, as the product makes it.
    pub(crate) fn new() -> Self {
        let topic = Self::not_made();
        ensure_topic(&topic.options).expect("kafka runs");
        topic
    }

    /// Only its name.
    pub(crate) fn not_made() -> Self {
        static BROKERS: OnceLock<String> = OnceLock::new();
        let brokers = BROKERS.get_or_init(|| {
            run(services_command(&["start", "kafka"]));
            kafka_address(&run(services_command(&["env"])))
        });
        Self { options: options(brokers.clone(), 1) }
    }

    /// Options of a topic that another process has made.
    pub(crate) fn not_made_on(brokers: String) -> KafkaOptions {
        options(brokers, 1)
    }

    /// Made by somebody else.
    pub(crate) fn with_settings(partitions: u16, settings: &[(&str, &str)]) -> Self {
        let mut topic = Self::not_made();
        topic.options.partitions = partitions;
        let (name, partitions) = (&topic.options.topic, i32::from(partitions));
        let mut new = NewTopic::new(name, partitions, TopicReplication::Fixed(1));
        new.config.extend(settings);
        let made = block_on(admin(&topic.options).create_topics([&new], &limits()));
        for result in made.expect("kafka runs") {
            result.expect("a new topic");
        }
        topic
    }

    /// Several partitions, as the product makes them.
    pub(crate) fn with_partitions(partitions: u16) -> Self {
        let mut topic = Self::not_made();
        topic.options.partitions = partitions;
        ensure_topic(&topic.options).expect("kafka runs");
        topic
    }

    /// The log of the first partition, with a producer of its own.
    pub(crate) fn open(&self) -> KafkaLog {
        open(&self.options)
    }

    pub(crate) fn producer(&self) -> Arc<KafkaProducer> {
        KafkaProducer::open(self.options.clone()).expect("a producer")
    }

    /// Writes a record that is none of ours.
    pub(crate) fn write_without_key(&self, payload: &[u8]) {
        let producer: BaseProducer = client(&self.options).create().expect("a producer");
        let record = BaseRecord::<(), [u8]>::to(&self.options.topic).partition(0).payload(payload);
        producer.send(record).expect("room");
        producer.flush(PATIENCE).expect("kafka runs");
    }
}

impl Drop for TestTopic {
    fn drop(&mut self) {
        // Those beside it only some tests make.
        let name = &self.options.topic;
        let beside = ["nodes", "bus"].map(|suffix| format!("{name}-{suffix}"));
        let topics = [name.as_str(), &beside[0], &beside[1]];
        let answers = block_on(admin(&self.options).delete_topics(&topics, &limits()));
        if let Err(error) = answers {
            assert!(std::thread::panicking(), "the topic could not be removed: {error}");
        }
    }
}

/// The log of the first partition, with a producer of its own.
pub(crate) fn open(options: &KafkaOptions) -> KafkaLog {
    let producer = KafkaProducer::open(options.clone()).expect("a producer");
    KafkaLog::open(&producer, 0, Arc::new(|_| {})).expect("kafka runs")
}

/// Brokers that one test has for itself. One test at a time has some: they need memory and both cores.
pub(crate) struct OwnKafka {
    directory: TempDir,
    port: u16,
    brokers: u16,
    _turn: MutexGuard<'static, ()>,
}

impl OwnKafka {
    /// Starts 1 or 3 brokers.
    pub(crate) fn start(brokers: u16) -> Self {
        static TURN: Mutex<()> = Mutex::new(());
        let turn = TURN.lock();
        let directory = tempfile::tempdir().expect("a directory");
        let kafka = Self { directory, port: PORTS.take(), brokers, _turn: turn };
        kafka.services(&["start", "kafka"]);
        kafka
    }

    /// A topic with a replica on every broker, not made yet.
    pub(crate) fn options(&self) -> KafkaOptions {
        options(kafka_address(&self.services(&["env"])), self.brokers)
    }

    /// Starts a broker after it was killed.
    pub(crate) fn start_again(&self, broker: u16) {
        self.services(&["start", &format!("kafka-{broker}")]);
    }

    /// Sends a broker a signal; one that is stopped stands still when this returns, one that is killed is gone.
    pub(crate) fn signal(&self, broker: u16, signal: Signal) {
        let pid = self.pid(broker).expect("it runs");
        kill_process(Pid::from_raw(pid).expect("not 0"), signal).expect("it runs");
        while (signal == Signal::STOP && !stands_still(pid))
            || (signal == Signal::KILL && self.pid(broker).is_some())
        {
            std::thread::yield_now();
        }
    }

    /// None once it has ended, even if somebody else has its number now.
    fn pid(&self, broker: u16) -> Option<i32> {
        let file = self.directory.path().join(format!("kafka-{broker}/pid"));
        let text = std::fs::read_to_string(file).ok()?;
        let (pid, started) = text.trim().split_once(' ')?;
        let pid = pid.parse().ok()?;
        let stat = stat(pid)?;
        // One that has ended may be listed until somebody asks for its end.
        (stat.get(19)? == started && stat.first()? != "Z").then_some(pid)
    }

    fn services(&self, arguments: &[&str]) -> String {
        let mut command = services_command(arguments);
        command.env("FRONTDESK_SERVICES", self.directory.path());
        command.env("FRONTDESK_SERVICES_PORT", self.port.to_string());
        command.env("FRONTDESK_KAFKA_BROKERS", self.brokers.to_string());
        run(command)
    }
}

impl Drop for OwnKafka {
    fn drop(&mut self) {
        // An orderly end takes a quorum, which a test may have broken; nobody needs the data.
        for broker in (1..=self.brokers).filter(|broker| self.pid(*broker).is_some()) {
            self.signal(broker, Signal::KILL);
        }
        self.services(&["stop", "kafka"]);
    }
}

/// Which broker leads a topic's first partition, as the brokers know it.
pub(crate) fn leader(options: &KafkaOptions) -> Option<u16> {
    let admin = admin(options);
    let metadata =
        admin.inner().fetch_metadata(Some(&options.topic), PATIENCE).expect("kafka runs");
    metadata.topics()[0].partitions()[0].leader().try_into().ok()
}

fn options(brokers: String, replication: u16) -> KafkaOptions {
    KafkaOptions {
        brokers,
        topic: format!("test-{}", Secret128::random().reveal()),
        partitions: 1,
        replication,
        min_insync_replicas: replication.div_ceil(2),
        delivery_timeout: Duration::from_secs(30),
    }
}

fn client(options: &KafkaOptions) -> ClientConfig {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", &options.brokers);
    config
}

fn admin(options: &KafkaOptions) -> AdminClient<DefaultClientContext> {
    client(options).create().expect("a client")
}

fn limits() -> AdminOptions {
    AdminOptions::new().operation_timeout(Some(PATIENCE)).request_timeout(Some(PATIENCE))
}

fn kafka_address(env: &str) -> String {
    let line = env.lines().find_map(|line| line.strip_prefix("FRONTDESK_KAFKA="));
    line.expect("a line for Kafka").to_owned()
}

fn stands_still(pid: i32) -> bool {
    stat(pid).expect("it runs")[0] == "T"
}

/// What the system says of a process, from its state on, behind the name.
fn stat(pid: i32) -> Option<Vec<String>> {
    let stat =
        std::fs::read_to_string(Path::new("/proc").join(pid.to_string()).join("stat")).ok()?;
    Some(stat.rsplit(')').next()?.split_whitespace().map(str::to_owned).collect())
}
