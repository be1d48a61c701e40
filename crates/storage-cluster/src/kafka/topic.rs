//! The topic of an installation: made once, and checked at every start.
//!
//! A topic that keeps less than is promised loses acknowledged messages without anybody noticing, so it
//! is refused before anything is written to it.

use std::time::{Duration, Instant};

use frontdesk_storage::LogError;
use futures_executor::block_on;
use rdkafka::admin::{
    AdminClient, AdminOptions, ConfigResource, NewTopic, ResourceSpecifier, TopicReplication,
};
use rdkafka::config::FromClientConfigAndContext;
use rdkafka::error::{KafkaError as ClientError, RDKafkaErrorCode};

use super::{KafkaOptions, QUERY_TIMEOUT, Reports, until_some};

/// How long making the topic may take, until every partition has a leader.
const CREATE_TIMEOUT: Duration = Duration::from_secs(30);
/// What batches need; the default of Kafka is a little more.
const MESSAGE_BYTES: i64 = 1_000_000;
/// What a topic whose records are of no use after a while takes on a broker's disk, each partition, and in what
/// pieces it is removed.
const TRANSIENT_BYTES: &str = "268435456";
const TRANSIENT_SEGMENT_BYTES: &str = "67108864";

/// Why a topic cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TopicError {
    /// The options contradict each other.
    #[error(
        "min.insync.replicas {min_insync_replicas} of {replication} replicas cannot be: \
         it must lie between 1 and the number of replicas, and the topic needs a partition"
    )]
    Options {
        /// What is configured.
        replication: u16,
        /// What is configured.
        min_insync_replicas: u16,
    },
    /// Another number of partitions.
    #[error(
        "topic {topic} has {found} partitions, {expected} are configured: their number is fixed when the \
         installation is created; configure {found}, or name another topic for a new installation"
    )]
    Partitions {
        /// Which.
        topic: String,
        /// What is configured.
        expected: usize,
        /// What it has.
        found: usize,
    },
    /// Too few replicas.
    #[error(
        "partition {partition} of topic {topic} is kept by {found} brokers, {expected} are configured: \
         add replicas with kafka-reassign-partitions.sh, or configure fewer and accept that \
         messages are lost with a broker"
    )]
    Replication {
        /// Which topic.
        topic: String,
        /// Which partition.
        partition: i32,
        /// What is configured.
        expected: usize,
        /// What it has.
        found: usize,
    },
    /// A setting under which acknowledged messages could be lost, or refused.
    #[error(
        "topic {topic} has {key}={found}: {reason}; set it by kafka-configs.sh --alter \
         --entity-type topics --entity-name {topic} --add-config {key}={wanted}"
    )]
    Setting {
        /// Which topic.
        topic: String,
        /// Which setting.
        key: &'static str,
        /// What it is.
        found: String,
        /// What it has to be, at least.
        wanted: String,
        /// What would happen.
        reason: &'static str,
    },
    /// The bus in this topic could not be read.
    #[error("could not read the bus in topic {topic}")]
    Bus {
        /// Which.
        topic: String,
        /// Why it failed.
        #[source]
        source: LogError,
    },
    /// Kafka did not do what it was asked.
    #[error(
        "could not {operation} topic {topic} on {brokers}: check that the brokers run there, and that \
         enough of them do for its replicas"
    )]
    Failed {
        /// What was tried.
        operation: &'static str,
        /// On which topic.
        topic: String,
        /// Where.
        brokers: String,
        /// Why it failed.
        #[source]
        source: Box<ClientError>,
    },
}

/// Makes the topic if it is not there, and refuses one that would lose messages. Blocks.
pub fn ensure_topic(options: &KafkaOptions) -> Result<(), TopicError> {
    let (replication, min_insync_replicas) = (options.replication, options.min_insync_replicas);
    if options.partitions == 0 || !(1..=replication).contains(&min_insync_replicas) {
        return Err(TopicError::Options { replication, min_insync_replicas });
    }
    let topic = Topic::connect(options)?;
    topic.reach()?;
    topic.create(&[
        ("retention.ms", "-1"),
        ("retention.bytes", "-1"),
        ("message.timestamp.type", "LogAppendTime"),
    ])?;
    let partitions = topic.partitions()?;
    topic.check_settings()?;
    topic.check_partitions(&partitions)
}

/// Makes a topic whose records are of no use after a while, if it is not there. Blocks.
pub(super) fn ensure_transient(
    options: &KafkaOptions,
    retention: Duration,
    record_bytes_max: usize,
) -> Result<(), TopicError> {
    let topic = Topic::connect(options)?;
    topic.reach()?;
    let retention_ms = retention.as_millis().to_string();
    let record_bytes_max = record_bytes_max.to_string();
    topic.create(&[
        ("retention.ms", &retention_ms),
        ("retention.bytes", TRANSIENT_BYTES),
        ("segment.ms", &retention_ms),
        ("segment.bytes", TRANSIENT_SEGMENT_BYTES),
        ("max.message.bytes", &record_bytes_max),
        ("message.timestamp.type", "LogAppendTime"),
    ])?;
    topic.partitions().map(drop)
}

struct Topic<'a> {
    options: &'a KafkaOptions,
    admin: AdminClient<Reports>,
}

impl<'a> Topic<'a> {
    fn connect(options: &'a KafkaOptions) -> Result<Self, TopicError> {
        let config = options.client("topic");
        let admin = AdminClient::from_config_and_context(&config, Reports::default())
            .map_err(|source| failed(options, "connect for", source))?;
        Ok(Self { options, admin })
    }

    /// Finds out soon whether there is a broker at all: making a topic may take longer.
    fn reach(&self) -> Result<(), TopicError> {
        match self.admin.inner().fetch_metadata(Some(&self.options.topic), QUERY_TIMEOUT) {
            Ok(_) => Ok(()),
            Err(source) => Err(failed(self.options, "reach the brokers for", source)),
        }
    }

    /// One that is there already is left as it is.
    fn create(&self, settings: &[(&str, &str)]) -> Result<(), TopicError> {
        let min_insync_replicas = self.options.min_insync_replicas.to_string();
        let mut topic = NewTopic::new(
            &self.options.topic,
            i32::from(self.options.partitions),
            TopicReplication::Fixed(i32::from(self.options.replication)),
        )
        .set("min.insync.replicas", &min_insync_replicas)
        .set("unclean.leader.election.enable", "false")
        .set("cleanup.policy", "delete");
        topic.config.extend(settings);
        let limits = AdminOptions::new()
            .operation_timeout(Some(CREATE_TIMEOUT))
            .request_timeout(Some(CREATE_TIMEOUT));
        let failed = |source| failed(self.options, "create", source);
        let results = block_on(self.admin.create_topics([&topic], &limits)).map_err(failed)?;
        for result in results {
            match result {
                Ok(_) | Err((_, RDKafkaErrorCode::TopicAlreadyExists)) => {}
                Err((_, code)) => return Err(failed(ClientError::AdminOp(code))),
            }
        }
        Ok(())
    }

    /// Number and replicas of each partition. Waits until all of them have a leader: a new topic takes a moment
    /// to be known everywhere.
    fn partitions(&self) -> Result<Vec<(i32, usize)>, TopicError> {
        let found =
            until_some(Instant::now() + CREATE_TIMEOUT, || self.led_partitions().transpose());
        found.unwrap_or_else(|| Err(self.unknown("find a leader for each partition of")))
    }

    /// None unless all of them have a leader.
    fn led_partitions(&self) -> Result<Option<Vec<(i32, usize)>>, TopicError> {
        let metadata = self
            .admin
            .inner()
            .fetch_metadata(Some(&self.options.topic), QUERY_TIMEOUT)
            .map_err(|source| failed(self.options, "ask for the partitions of", source))?;
        let Some(topic) = metadata.topics().first() else { return Ok(None) };
        let is_led = !topic.partitions().is_empty()
            && topic.partitions().iter().all(|partition| partition.leader() >= 0);
        Ok(is_led.then(|| {
            topic.partitions().iter().map(|found| (found.id(), found.replicas().len())).collect()
        }))
    }

    fn check_partitions(&self, partitions: &[(i32, usize)]) -> Result<(), TopicError> {
        let topic = &self.options.topic;
        let expected = usize::from(self.options.partitions);
        if partitions.len() != expected {
            let found = partitions.len();
            return Err(TopicError::Partitions { topic: topic.clone(), expected, found });
        }
        let expected = usize::from(self.options.replication);
        match partitions.iter().find(|(_, replicas)| *replicas < expected) {
            None => Ok(()),
            Some(&(partition, found)) => {
                Err(TopicError::Replication { topic: topic.clone(), partition, expected, found })
            }
        }
    }

    fn check_settings(&self) -> Result<(), TopicError> {
        let found = until_some(Instant::now() + CREATE_TIMEOUT, || self.settings().transpose());
        let settings = found.unwrap_or_else(|| Err(self.unknown("find the settings of")))?;
        self.judge_settings(&settings)
    }

    /// None while the broker that answers does not know the topic yet.
    fn settings(&self) -> Result<Option<ConfigResource>, TopicError> {
        let failed = |source| failed(self.options, "ask for the settings of", source);
        let limits = AdminOptions::new().request_timeout(Some(QUERY_TIMEOUT));
        let topic = ResourceSpecifier::Topic(&self.options.topic);
        let answers = block_on(self.admin.describe_configs([&topic], &limits)).map_err(failed)?;
        match answers.into_iter().next() {
            Some(Ok(settings)) if !settings.entries.is_empty() => Ok(Some(settings)),
            // An error of the topic alone comes as no settings.
            Some(Ok(_) | Err(RDKafkaErrorCode::UnknownTopicOrPartition)) | None => Ok(None),
            Some(Err(code)) => Err(failed(ClientError::AdminOp(code))),
        }
    }

    fn unknown(&self, operation: &'static str) -> TopicError {
        let code = RDKafkaErrorCode::LeaderNotAvailable;
        failed(self.options, operation, ClientError::MetadataFetch(code))
    }

    fn judge_settings(&self, settings: &ConfigResource) -> Result<(), TopicError> {
        let at_least = |found: &str, least: i64| found.parse().is_ok_and(|n: i64| n >= least);
        let min_insync_replicas = i64::from(self.options.min_insync_replicas);
        self.judge(
            settings,
            ("min.insync.replicas", &min_insync_replicas.to_string()),
            |found| at_least(found, min_insync_replicas),
            "messages would be acknowledged that too few brokers have",
        )?;
        self.judge(
            settings,
            ("unclean.leader.election.enable", "false"),
            |found| found == "false",
            "a broker that lacks acknowledged messages could become leader, and they would be lost",
        )?;
        self.judge(
            settings,
            ("cleanup.policy", "delete"),
            |found| found == "delete",
            "messages of one partition would replace each other",
        )?;
        for key in ["retention.ms", "retention.bytes"] {
            self.judge(
                settings,
                (key, "-1"),
                |found| found == "-1",
                "Kafka would delete messages that are not stored elsewhere yet; \
                 Frontdesk deletes those that are",
            )?;
        }
        self.judge(
            settings,
            ("message.timestamp.type", "LogAppendTime"),
            |found| found == "LogAppendTime",
            "messages of a node whose clock is an hour ahead would be refused",
        )?;
        self.judge(
            settings,
            ("max.message.bytes", "1048588"),
            |found| at_least(found, MESSAGE_BYTES),
            "batches of messages would be refused",
        )
    }

    fn judge(
        &self,
        settings: &ConfigResource,
        (key, wanted): (&'static str, &str),
        suits: impl Fn(&str) -> bool,
        reason: &'static str,
    ) -> Result<(), TopicError> {
        let found = settings.get(key).and_then(|entry| entry.value.as_deref()).unwrap_or("unknown");
        if suits(found) {
            return Ok(());
        }
        Err(TopicError::Setting {
            topic: self.options.topic.clone(),
            key,
            found: found.to_owned(),
            wanted: wanted.to_owned(),
            reason,
        })
    }
}

fn failed(options: &KafkaOptions, operation: &'static str, source: ClientError) -> TopicError {
    TopicError::Failed {
        operation,
        topic: options.topic.clone(),
        brokers: options.brokers.clone(),
        source: Box::new(source),
    }
}
