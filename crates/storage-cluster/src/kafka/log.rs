//! The log on one partition of a topic.
//!
//! An append hands all records of a turn to an idempotent producer and waits until every replica in
//! sync has them. The producer itself sends again what a broker did not answer, in order and without
//! doubles; what it cannot deliver in time is an error, after which it is thrown away: it must not go on
//! behind a gap.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use frontdesk_storage::{LogError, MessageLog, Offset, Record, Visit};
use futures_executor::block_on;
use parking_lot::{Condvar, Mutex};
use rdkafka::admin::{AdminClient, AdminOptions};
use rdkafka::client::ClientContext;
use rdkafka::config::{FromClientConfigAndContext, RDKafkaLogLevel};
use rdkafka::error::{KafkaError as ClientError, RDKafkaErrorCode};
use rdkafka::message::{DeliveryResult, Message};
use rdkafka::producer::{BaseRecord, Producer, ProducerContext, PurgeConfig, ThreadedProducer};
use rdkafka::{Offset as KafkaOffset, TopicPartitionList};

use super::tail::KafkaTail;
use super::{KafkaOptions, QUERY_TIMEOUT, Reports, from_kafka, to_kafka};

/// The largest record: with a batch before it, it stays below the 1 MiB that a topic takes by default.
const RECORD_BYTES_MAX: usize = 512 << 10;
/// A batch is closed once it has so much.
const BATCH_BYTES: usize = 256 << 10;
/// All records of one append, each with what keeping it costs.
const TURN_BYTES_MAX: usize = 32 << 20;
const RECORD_OVERHEAD_BYTES: usize = 256;
/// How much longer than the producer's own timeout is waited for its report: it looks once a second.
const REPORT_MARGIN: Duration = Duration::from_secs(5);

/// A [`MessageLog`] on one partition of a Kafka topic; its number is the partition's.
///
/// Other processes may append to the same partition. Then the offsets of one append still rise in the
/// order of its records, but those of others may lie between them, and [`MessageLog::next_offset`] is
/// what this log knows. As the only writer it keeps the whole contract.
///
/// Kafka acknowledges before it syncs: it takes replicas on several machines, and
/// [`KafkaOptions::min_insync_replicas`] of at least 2, for a record to survive a power loss.
///
/// Calls block, an append for at most [`KafkaOptions::delivery_timeout`] and a few seconds.
pub struct KafkaLog {
    options: KafkaOptions,
    partition: i32,
    /// None once an append failed.
    producer: Option<ThreadedProducer<Deliveries>>,
    deliveries: Deliveries,
    first: Offset,
    next: Offset,
}

impl fmt::Debug for KafkaLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KafkaLog")
            .field("topic", &self.options.topic)
            .field("partition", &self.partition)
            .field("first", &self.first)
            .field("next", &self.next)
            .field("is_poisoned", &self.producer.is_none())
            .finish_non_exhaustive()
    }
}

impl KafkaLog {
    /// Opens the log of a partition. The topic must be there ([`super::ensure_topic`]).
    pub fn open(options: KafkaOptions, number: u16) -> Result<Self, LogError> {
        let partition = i32::from(number);
        let timeout_ms = options.delivery_timeout.as_millis().max(1).to_string();
        let mut config = options.client("log");
        config
            .set("enable.idempotence", "true")
            // A record that is given up must not be followed by those behind it.
            .set("enable.gapless.guarantee", "true")
            .set("acks", "all")
            .set("linger.ms", "0")
            .set("delivery.timeout.ms", &timeout_ms)
            .set("request.timeout.ms", &timeout_ms)
            .set("batch.size", BATCH_BYTES.to_string())
            .set("queue.buffering.max.kbytes", ((2 * TURN_BYTES_MAX) >> 10).to_string())
            .set(
                "queue.buffering.max.messages",
                (TURN_BYTES_MAX / RECORD_OVERHEAD_BYTES).to_string(),
            );
        let deliveries = Deliveries::default();
        let producer = ThreadedProducer::from_config_and_context(&config, deliveries.clone())
            .map_err(|source| options.failed("make a producer for", partition, source))?;
        let (first, next) = options.bounds(producer.client(), partition)?;
        Ok(Self { options, partition, producer: Some(producer), deliveries, first, next })
    }

    /// Hands the records to the producer and waits for all of them; returns the offsets of first and last.
    fn deliver(
        &self,
        producer: &ThreadedProducer<Deliveries>,
        records: &[Record<'_>],
    ) -> Result<(Offset, Offset), AppendError> {
        self.deliveries.expect(records.len());
        for (index, record) in records.iter().enumerate() {
            let key = record.partition.to_be_bytes();
            let message = BaseRecord::with_opaque_to(&self.options.topic, index)
                .partition(self.partition)
                .key(&key)
                .payload(record.payload);
            producer.send(message).map_err(|(source, _)| AppendError::Failed(source))?;
        }
        let deadline = Instant::now() + self.options.delivery_timeout + REPORT_MARGIN;
        self.deliveries.wait(deadline)
    }

    /// Fails for good: nothing that still waits is sent any more.
    fn poison(&mut self, error: &AppendError) -> LogError {
        let Some(producer) = self.producer.take() else { return LogError::Poisoned };
        producer.purge(PurgeConfig::default().queue().inflight());
        let mut words = error.to_string();
        if !matches!(error, AppendError::Disorder { .. }) {
            words.push_str(": ");
            words.push_str(&self.options.diagnose(producer.client(), self.partition));
        }
        if let Some((_, reason)) = producer.client().fatal_error() {
            words.push_str("; the producer gave up: ");
            words.push_str(&reason);
        } else if let Some(report) = self.deliveries.reports.take() {
            words.push_str("; the client last said: ");
            words.push_str(&report);
        }
        drop(producer);
        self.options.failed("append to", self.partition, words)
    }
}

impl MessageLog for KafkaLog {
    fn append(&mut self, records: &[Record<'_>]) -> Result<Offset, LogError> {
        let Some(producer) = &self.producer else { return Err(LogError::Poisoned) };
        if records.is_empty() {
            return Ok(self.next);
        }
        check_sizes(records)?;
        match self.deliver(producer, records) {
            Ok((first, last)) => {
                self.next = last + 1;
                Ok(first)
            }
            Err(error) => Err(self.poison(&error)),
        }
    }

    fn next_offset(&self) -> Offset {
        self.next
    }

    fn first_offset(&self) -> Offset {
        self.first
    }

    fn read(&self, from: Offset, visit: Visit<'_>) -> Result<(), LogError> {
        KafkaTail::open(self.options.clone(), self.partition as u16, from)?.read(self.next, visit)
    }

    fn trim(&mut self, before: Offset) -> Result<(), LogError> {
        let before = before.min(self.next);
        if before <= self.first {
            return Ok(());
        }
        let failed = |source| self.options.failed("trim", self.partition, source);
        let config = self.options.client("trim");
        let admin =
            AdminClient::from_config_and_context(&config, Reports::default()).map_err(failed)?;
        let mut offsets = TopicPartitionList::new();
        let topic = &self.options.topic;
        offsets
            .add_partition_offset(topic, self.partition, KafkaOffset::Offset(to_kafka(before)))
            .map_err(failed)?;
        let limits = AdminOptions::new().request_timeout(Some(QUERY_TIMEOUT));
        let trimmed = block_on(admin.delete_records(&offsets, &limits)).map_err(failed)?;
        for partition in trimmed.elements() {
            partition.error().map_err(failed)?;
        }
        self.first = before;
        Ok(())
    }
}

fn check_sizes(records: &[Record<'_>]) -> Result<(), LogError> {
    let mut turn_bytes = 0;
    for record in records {
        let bytes = record.payload.len();
        if bytes > RECORD_BYTES_MAX {
            return Err(too_large(bytes, RECORD_BYTES_MAX));
        }
        turn_bytes += bytes + RECORD_OVERHEAD_BYTES;
    }
    if turn_bytes > TURN_BYTES_MAX {
        return Err(too_large(turn_bytes, TURN_BYTES_MAX));
    }
    Ok(())
}

fn too_large(bytes: usize, bytes_max: usize) -> LogError {
    LogError::TooLarge { bytes: bytes as u64, bytes_max: bytes_max as u64 }
}

/// Why the records of an append did not all become durable.
#[derive(Debug, Clone, thiserror::Error)]
enum AppendError {
    #[error("{0}")]
    Failed(ClientError),
    #[error("the producer gave up: {0}")]
    Fatal(ClientError),
    #[error("not all records were acknowledged in time")]
    Late,
    #[error("record {index} was acknowledged without an offset")]
    NoOffset { index: usize },
    #[error("record {index} was acknowledged out of order, at offset {offset}")]
    Disorder { index: usize, offset: Offset },
}

/// How far the append that waits has come; the producer's thread reports, the caller waits.
#[derive(Debug, Default, Clone)]
struct Deliveries {
    turn: Arc<(Mutex<Turn>, Condvar)>,
    reports: Reports,
}

#[derive(Debug, Default)]
struct Turn {
    expected: usize,
    acknowledged: usize,
    first: Offset,
    last: Offset,
    error: Option<AppendError>,
}

impl Deliveries {
    fn expect(&self, expected: usize) {
        let mut turn = self.turn.0.lock();
        // An error that came between two appends stands: the producer is dead.
        *turn = Turn { expected, error: turn.error.take(), ..Turn::default() };
    }

    fn wait(&self, deadline: Instant) -> Result<(Offset, Offset), AppendError> {
        let (turn, changed) = &*self.turn;
        let mut turn = turn.lock();
        let timeout = changed.wait_while_until(
            &mut turn,
            |turn| turn.error.is_none() && turn.acknowledged < turn.expected,
            deadline,
        );
        match &turn.error {
            Some(error) => Err(error.clone()),
            None if timeout.timed_out() && turn.acknowledged < turn.expected => {
                Err(AppendError::Late)
            }
            None => Ok((turn.first, turn.last)),
        }
    }

    fn fail(&self, error: AppendError) {
        let (turn, changed) = &*self.turn;
        turn.lock().error.get_or_insert(error);
        changed.notify_all();
    }
}

impl ProducerContext for Deliveries {
    type DeliveryOpaque = usize;

    fn delivery(&self, result: &DeliveryResult<'_>, index: usize) {
        let message = match result {
            Ok(message) => message,
            Err((error, _)) => return self.fail(AppendError::Failed(error.clone())),
        };
        // A batch whose answer was lost counts as kept once one behind it is; nobody said where.
        if message.offset() < 0 {
            return self.fail(AppendError::NoOffset { index });
        }
        let offset = from_kafka(message.offset());
        let (turn, changed) = &*self.turn;
        let mut turn = turn.lock();
        if index != turn.acknowledged || offset <= turn.last {
            turn.error.get_or_insert(AppendError::Disorder { index, offset });
            changed.notify_all();
            return;
        }
        if index == 0 {
            turn.first = offset;
        }
        turn.last = offset;
        turn.acknowledged += 1;
        if turn.acknowledged == turn.expected {
            changed.notify_all();
        }
    }
}

impl ClientContext for Deliveries {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, line: &str) {
        self.reports.log(level, facility, line);
    }

    fn error(&self, error: ClientError, reason: &str) {
        let is_fatal = error.rdkafka_error_code() == Some(RDKafkaErrorCode::Fatal);
        self.reports.error(error.clone(), reason);
        if is_fatal {
            self.fail(AppendError::Fatal(error));
        }
    }
}
