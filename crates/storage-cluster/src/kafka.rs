//! What everything that speaks to Kafka has in common: where it is, how long it may take, what it
//! says when it fails.

use std::path::PathBuf;
use std::time::{Duration, Instant};
use std::{error, io, thread};

use frontdesk_storage::LogError;
use rdkafka::ClientContext;
use rdkafka::client::Client;
use rdkafka::config::{ClientConfig, RDKafkaLogLevel};
use rdkafka::metadata::{Metadata, MetadataPartition};

mod board;
mod bus;
mod group;
mod log;
mod producer;
mod reports;
mod session;
mod tail;
mod topic;
mod transient;
mod turn;

pub use board::{BoardError, KafkaBoard, Notice};
pub use bus::{KafkaBus, NodeNumber};
pub use group::{GroupEvent, Handover, KafkaGroup};
pub use log::KafkaLog;
pub use producer::KafkaProducer;
use reports::Reports;
pub use tail::KafkaTail;
pub use topic::{TopicError, ensure_topic};
pub use turn::Notify;

/// How long a question to Kafka may take: offsets, metadata, settings. It is a handful of round trips on a
/// connection that is new, each of them up to 2 s.
const QUERY_TIMEOUT: Duration = Duration::from_secs(20);
/// How often it is looked for something that takes a moment.
const LOOK_INTERVAL: Duration = Duration::from_millis(50);
/// How long a failed append may ask why it failed.
const DIAGNOSIS_TIMEOUT: Duration = Duration::from_secs(1);

/// Where Kafka is, and the topic of this installation.
#[derive(Debug, Clone)]
pub struct KafkaOptions {
    /// `HOST:PORT` of some brokers, with commas between them; the others are found by them.
    pub brokers: String,
    /// The topic of the installation's log.
    pub topic: String,
    /// How many partitions the topic has; fixed at creation.
    pub partitions: u16,
    /// How many brokers keep each partition.
    pub replication: u16,
    /// How many of them must have a record before it counts as appended.
    pub min_insync_replicas: u16,
    /// How long an append may take. A leader that dies is noticed by the brokers after 9 s (their
    /// `broker.session.timeout.ms`): less than that makes its death an error of every append.
    pub delivery_timeout: Duration,
}

impl KafkaOptions {
    /// Settings of every client; `kind` tells the clients of one process apart in the broker's log.
    fn client(&self, kind: &str) -> ClientConfig {
        let mut config = ClientConfig::new();
        config
            .set("bootstrap.servers", &self.brokers)
            .set("client.id", format!("frontdesk-{kind}"))
            // A topic made by mistake would have the broker's defaults, not ours.
            .set("allow.auto.create.topics", "false")
            .set("socket.connection.setup.timeout.ms", "5000")
            .set("reconnect.backoff.max.ms", "1000")
            // A broker that was fenced comes back with what it knew, and a client that asked it waits for this.
            .set("topic.metadata.refresh.interval.ms", "5000")
            // By these it is noticed that a client has no broker left.
            .set("statistics.interval.ms", "5000")
            .set_log_level(RDKafkaLogLevel::Warning);
        config
    }

    /// A partition as errors name it.
    fn place(&self, partition: i32) -> PathBuf {
        PathBuf::from(format!("{}/{partition}", self.topic))
    }

    fn failed(
        &self,
        operation: &'static str,
        partition: i32,
        source: impl Into<Box<dyn error::Error + Send + Sync>>,
    ) -> LogError {
        LogError::Io { operation, path: self.place(partition), source: io::Error::other(source) }
    }

    /// First and next offset, as [`frontdesk_storage::Offset`].
    fn bounds<C: ClientContext>(
        &self,
        client: &Client<C>,
        partition: i32,
    ) -> Result<(u64, u64), LogError> {
        // Brokers that just came, or that choose a leader, may not know the partition for a moment.
        let deadline = Instant::now() + QUERY_TIMEOUT;
        let answer = until_some(deadline, || {
            let answer = client.fetch_watermarks(&self.topic, partition, QUERY_TIMEOUT);
            (answer.is_ok() || Instant::now() >= deadline).then_some(answer)
        });
        let (first, next) = answer
            .expect("the last answer is taken as it is")
            .map_err(|source| self.failed("find first and last offset of", partition, source))?;
        Ok((from_kafka(first), from_kafka(next)))
    }

    /// Like [`Self::failed`], of the topic as a whole.
    fn topic_failed(
        &self,
        operation: &'static str,
        source: impl Into<Box<dyn error::Error + Send + Sync>>,
    ) -> LogError {
        let path = PathBuf::from(&self.topic);
        LogError::Io { operation, path, source: io::Error::other(source) }
    }

    /// What keeps a partition from taking records, in an operator's words, as the brokers' metadata has it;
    /// there is none if none answered.
    fn trouble(&self, metadata: Option<&Metadata>, partition: i32) -> Option<String> {
        let Some(found) = find_partition(metadata, partition) else {
            return Some(match metadata {
                None => format!("no broker at {} answers: check that they run", self.brokers),
                Some(_) => "the brokers do not know it: was the topic removed?".to_owned(),
            });
        };
        if found.leader() < 0 {
            let replicas = found.replicas();
            return Some(format!(
                "the partition has no leader: start the brokers {replicas:?}, or as many as can be"
            ));
        }
        (found.isr().len() < usize::from(self.min_insync_replicas)).then(|| {
            format!(
                "NOT_ENOUGH_REPLICAS: of the brokers {:?} only {:?} are in sync, \
                 min.insync.replicas asks for {}: start the others",
                found.replicas(),
                found.isr(),
                self.min_insync_replicas
            )
        })
    }

    /// Why a partition did not take records.
    fn diagnose(&self, metadata: Option<&Metadata>, partition: i32) -> String {
        self.trouble(metadata, partition).unwrap_or_else(|| {
            let found = find_partition(metadata, partition).expect("else it has trouble");
            format!(
                "leader {} did not answer in time; in sync as far as is known: {:?}",
                found.leader(),
                found.isr()
            )
        })
    }
}

fn find_partition(metadata: Option<&Metadata>, partition: i32) -> Option<&MetadataPartition> {
    let topic = metadata?.topics().first()?;
    topic.partitions().iter().find(|found| found.id() == partition)
}

/// Looks again and again until there is something, or the time is past the deadline; at least once.
fn until_some<T>(deadline: Instant, mut look: impl FnMut() -> Option<T>) -> Option<T> {
    loop {
        let is_last = Instant::now() >= deadline;
        let found = look();
        if found.is_some() || is_last {
            return found;
        }
        thread::park_timeout(LOOK_INTERVAL);
    }
}

/// Ends a client that nobody waits for: it sees to it that it has let go of everything, and has no limit for that
/// (rust-rdkafka#453).
fn close(client: impl Send + 'static) {
    let closing = thread::Builder::new().name("kafka-close".to_owned());
    if let Err(error) = closing.spawn(move || drop(client)) {
        tracing::warn!(%error, "a kafka client was closed where others wait for it");
    }
}

/// Kafka counts from 0, the log from 1.
fn from_kafka(offset: i64) -> u64 {
    u64::try_from(offset).expect("Kafka answers no negative offsets") + 1
}

fn to_kafka(offset: u64) -> i64 {
    i64::try_from(offset.saturating_sub(1)).expect("a log does not get that long")
}
