//! Topics whose records matter for seconds: kept for minutes, written without waiting and without a second try, read
//! from now on. What is lost is lost; what uses them says again what it has to say.

use std::sync::Arc;
use std::time::Duration;

use frontdesk_storage::LogError;
use parking_lot::RwLock;
use rdkafka::Statistics;
use rdkafka::client::ClientContext;
use rdkafka::config::{ClientConfig, FromClientConfigAndContext, RDKafkaLogLevel};
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError as ClientError;
use rdkafka::message::{BorrowedMessage, DeliveryResult, Message};
use rdkafka::producer::{BaseRecord, Producer, ProducerContext, ThreadedProducer};
use rdkafka::{Offset, TopicPartitionList};
use tokio::sync::oneshot;

use super::topic::ensure_transient;
use super::{KafkaOptions, Reports, TopicError, close};

/// The largest record: a turn's batch to another node.
pub(super) const RECORD_BYTES_MAX: usize = 16 << 20;
/// How long a record may wait for a broker; then nobody wants it any more.
const DELIVERY_TIMEOUT: Duration = Duration::from_secs(2);
/// What may wait.
const QUEUE_RECORDS: usize = 16 << 10;
const QUEUE_KBYTES: usize = 64 << 10;
/// How long the broker may hold back its answer while nothing comes.
const WAIT_MS: usize = 500;

/// Where a delivered record lies, or why it is lost.
pub(super) type Delivered = Result<i64, ClientError>;

type Client = ThreadedProducer<Answers>;

/// One such topic, and what is written to it.
pub(super) struct Transient {
    options: KafkaOptions,
    config: ClientConfig,
    producer: RwLock<Arc<Client>>,
}

impl Transient {
    /// Makes the topic if it is not there: that of the log with `suffix` behind its name. Blocks.
    pub(super) fn open(
        log: &KafkaOptions,
        suffix: &str,
        partitions: u16,
        retention: Duration,
    ) -> Result<Self, TopicError> {
        let topic = format!("{}-{suffix}", log.topic);
        let options = KafkaOptions { topic, partitions, min_insync_replicas: 1, ..log.clone() };
        ensure_transient(&options, retention, RECORD_BYTES_MAX)?;
        let mut config = options.client(suffix);
        config
            .set("acks", "1")
            // At most once.
            .set("retries", "0")
            .set("linger.ms", "0")
            .set("message.max.bytes", RECORD_BYTES_MAX.to_string())
            .set("delivery.timeout.ms", DELIVERY_TIMEOUT.as_millis().to_string())
            .set("request.timeout.ms", DELIVERY_TIMEOUT.as_millis().to_string())
            .set("queue.buffering.max.kbytes", QUEUE_KBYTES.to_string())
            .set("queue.buffering.max.messages", QUEUE_RECORDS.to_string());
        let producer =
            Client::from_config_and_context(&config, Answers::default()).map_err(|source| {
                TopicError::Failed {
                    operation: "make a producer for",
                    topic: options.topic.clone(),
                    brokers: options.brokers.clone(),
                    source: Box::new(source),
                }
            })?;
        Ok(Self { options, config, producer: RwLock::new(Arc::new(producer)) })
    }

    /// The producer of now; another one than before if that has no broker left.
    fn producer(&self) -> Arc<Client> {
        let producer = Arc::clone(&self.producer.read());
        if !producer.context().reports.take_stranded() {
            return producer;
        }
        match Client::from_config_and_context(&self.config, Answers::default()) {
            Ok(new) => {
                let new = Arc::new(new);
                close(std::mem::replace(&mut *self.producer.write(), Arc::clone(&new)));
                new
            }
            Err(error) => {
                tracing::error!(%error, "could not make a kafka producer");
                producer
            }
        }
    }

    pub(super) fn options(&self) -> &KafkaOptions {
        &self.options
    }

    /// Hands a record over without waiting; who wants to know gets the answer.
    pub(super) fn send(
        &self,
        partition: i32,
        key: &[u8],
        payload: &[u8],
        answer: Option<oneshot::Sender<Delivered>>,
    ) -> Result<(), ClientError> {
        let record = BaseRecord::with_opaque_to(&self.options.topic, Box::new(Answer(answer)))
            .partition(partition)
            .key(key)
            .payload(payload);
        self.producer().send(record).map_err(|(error, _)| error)
    }

    /// First and next offset of a partition, as Kafka counts.
    pub(super) fn bounds(&self, partition: i32) -> Result<(i64, i64), LogError> {
        let (first, next) = self.options.bounds(self.producer().client(), partition)?;
        Ok((super::to_kafka(first), super::to_kafka(next)))
    }

    /// Reads a partition from an offset on.
    pub(super) fn read(&self, partition: i32, from: i64) -> Result<Reader, LogError> {
        let options = self.options.clone();
        let consumer = consumer(&options, partition, from)?;
        Ok(Reader { options, partition, next: from, consumer })
    }
}

fn consumer(
    options: &KafkaOptions,
    partition: i32,
    from: i64,
) -> Result<BaseConsumer<Reports>, LogError> {
    let failed = |source: ClientError| options.failed("read", partition, source);
    let mut config = options.client("reader");
    config
        .set("group.id", "frontdesk-without-group")
        .set("enable.auto.commit", "false")
        .set("enable.auto.offset.store", "false")
        // What was removed meanwhile nobody wants any more.
        .set("auto.offset.reset", "latest")
        .set("fetch.wait.max.ms", WAIT_MS.to_string())
        .set("queued.max.messages.kbytes", QUEUE_KBYTES.to_string());
    let consumer =
        BaseConsumer::from_config_and_context(&config, Reports::default()).map_err(failed)?;
    let mut assignment = TopicPartitionList::new();
    assignment
        .add_partition_offset(&options.topic, partition, Offset::Offset(from))
        .map_err(failed)?;
    consumer.assign(&assignment).map_err(failed)?;
    Ok(consumer)
}

/// The records of one partition, as they come.
pub(super) struct Reader {
    options: KafkaOptions,
    partition: i32,
    /// The offset behind the last record that came.
    next: i64,
    consumer: BaseConsumer<Reports>,
}

impl Reader {
    /// The next record, if there is one in time. Errors end by themselves: Kafka may be away.
    pub(super) fn poll(&mut self, timeout: Duration) -> Option<BorrowedMessage<'_>> {
        if self.consumer.context().take_stranded() {
            match consumer(&self.options, self.partition, self.next) {
                Ok(new) => close(std::mem::replace(&mut self.consumer, new)),
                Err(error) => tracing::error!(%error, "could not make a reader of kafka"),
            }
        }
        match self.consumer.poll(timeout)? {
            Ok(message) => {
                self.next = message.offset() + 1;
                Some(message)
            }
            Err(error) => {
                tracing::debug!(%error, "kafka is not read");
                None
            }
        }
    }
}

/// Who wants to know what became of a record.
struct Answer(Option<oneshot::Sender<Delivered>>);

/// Passes on what became of records.
#[derive(Default)]
struct Answers {
    reports: Reports,
}

impl ProducerContext for Answers {
    type DeliveryOpaque = Box<Answer>;

    fn delivery(&self, result: &DeliveryResult<'_>, answer: Box<Answer>) {
        let delivered = match result {
            Ok(message) => Ok(message.offset()),
            Err((error, _)) => {
                tracing::debug!(%error, "kafka did not take a record");
                Err(error.clone())
            }
        };
        if let Some(sender) = answer.0 {
            // Whoever asked may have stopped waiting.
            drop(sender.send(delivered));
        }
    }
}

impl ClientContext for Answers {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, line: &str) {
        self.reports.log(level, facility, line);
    }

    fn error(&self, error: ClientError, reason: &str) {
        self.reports.error(error, reason);
    }
    fn stats(&self, statistics: Statistics) {
        self.reports.stats(statistics);
    }
}
