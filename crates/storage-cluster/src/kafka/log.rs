//! The log on one partition of a topic.
//!
//! An append hands all records of a turn to the node's producer and ends when every replica in sync has
//! them. It counts only if they lie right behind what this log knows: nobody can fold records whose predecessors
//! he has not seen.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use frontdesk_storage::{Begun, LogError, MessageLog, Offset, Record, Visit};
use futures_executor::block_on;
use rdkafka::admin::{AdminClient, AdminOptions};
use rdkafka::config::FromClientConfigAndContext;
use rdkafka::{Offset as KafkaOffset, TopicPartitionList};

use super::producer::KafkaProducer;
use super::tail::KafkaTail;
use super::turn::{Notify, Places, Turn};
use super::{KafkaOptions, QUERY_TIMEOUT, Reports, to_kafka};

/// The largest record: with a batch before it, it stays below the 1 MiB that a topic takes by default.
const RECORD_BYTES_MAX: usize = 512 << 10;
/// All records of one append, each with what keeping it costs.
const TURN_BYTES_MAX: usize = 32 << 20;
const RECORD_OVERHEAD_BYTES: usize = 256;
/// How much longer than the producer's own timeout is waited for its report: it looks once a second, lets
/// end what is on its way, and asks the brokers what is wrong.
const REPORT_MARGIN: Duration = Duration::from_secs(10);

/// A [`MessageLog`] on one partition of a Kafka topic; its number is the partition's.
///
/// Other processes may append to the same partition. An append behind records of theirs fails with
/// [`LogError::Overtaken`]: its records are durable, but this log is closed. As the only writer it
/// keeps the whole contract.
///
/// Kafka acknowledges before it syncs: it takes replicas on several machines, and
/// [`KafkaOptions::min_insync_replicas`] of at least 2, for a record to survive a power loss.
///
/// [`MessageLog::begin`] and [`MessageLog::ended`] do not block; the other calls do, an append for at most
/// [`KafkaOptions::delivery_timeout`] and a few seconds.
pub struct KafkaLog {
    producer: Arc<KafkaProducer>,
    partition: u16,
    notify: Notify,
    standing: Standing,
    first: Offset,
    next: Offset,
}

enum Standing {
    Open,
    Pending(Arc<Turn>),
    /// An append failed or was overtaken.
    Closed,
}

impl fmt::Debug for KafkaLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KafkaLog")
            .field("topic", &self.options().topic)
            .field("partition", &self.partition)
            .field("first", &self.first)
            .field("next", &self.next)
            .field("is_closed", &matches!(self.standing, Standing::Closed))
            .finish_non_exhaustive()
    }
}

impl KafkaLog {
    /// Opens the log of a partition. The topic must be there ([`super::ensure_topic`]). `notify` is called with
    /// the partition's number, by a thread of the producer, when a pending append has an end.
    pub fn open(
        producer: &Arc<KafkaProducer>,
        partition: u16,
        notify: Notify,
    ) -> Result<Self, LogError> {
        let (first, next) = producer.bounds(partition)?;
        let (producer, standing) = (Arc::clone(producer), Standing::Open);
        Ok(Self { producer, partition, notify, standing, first, next })
    }

    fn options(&self) -> &KafkaOptions {
        self.producer.options()
    }

    fn failed(
        &self,
        operation: &'static str,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> LogError {
        self.options().failed(operation, i32::from(self.partition), source)
    }

    /// What an ended append means for this log.
    fn settle(&mut self, end: Result<Places, String>) -> Result<Offset, LogError> {
        self.standing = Standing::Closed;
        match end {
            Ok(places) if places.are_dense_from(self.next) => {
                self.standing = Standing::Open;
                self.next = places.last + 1;
                Ok(places.first)
            }
            Ok(_) => Err(LogError::Overtaken { known: self.next - 1 }),
            Err(words) => Err(self.failed("append to", words)),
        }
    }
}

impl MessageLog for KafkaLog {
    fn append(&mut self, records: &[Record<'_>]) -> Result<Offset, LogError> {
        if let Begun::Durable(first) = self.begin(records)? {
            return Ok(first);
        }
        if let Standing::Pending(turn) = &self.standing {
            turn.wait(Instant::now() + self.options().delivery_timeout + REPORT_MARGIN);
        }
        self.ended()
            .unwrap_or_else(|| self.settle(Err("not all records were reported in time".to_owned())))
    }

    fn begin(&mut self, records: &[Record<'_>]) -> Result<Begun, LogError> {
        match &self.standing {
            Standing::Open => {}
            Standing::Pending(_) => panic!("one append at a time"),
            Standing::Closed => return Err(LogError::Poisoned),
        }
        if records.is_empty() {
            return Ok(Begun::Durable(self.next));
        }
        check_sizes(records)?;
        let notify = Arc::clone(&self.notify);
        let turn = Arc::new(Turn::new(self.partition, records.len(), notify));
        self.standing = Standing::Pending(Arc::clone(&turn));
        self.producer.send(&turn, records);
        Ok(Begun::Pending)
    }

    fn ended(&mut self) -> Option<Result<Offset, LogError>> {
        let Standing::Pending(turn) = &self.standing else { return None };
        let end = turn.end()?;
        Some(self.settle(end))
    }

    fn next_offset(&self) -> Offset {
        self.next
    }

    fn first_offset(&self) -> Offset {
        self.first
    }

    fn read(&self, from: Offset, visit: Visit<'_>) -> Result<(), LogError> {
        KafkaTail::open(self.options().clone(), self.partition, from)?.read(self.next, visit)
    }

    fn trim(&mut self, before: Offset) -> Result<(), LogError> {
        let before = before.min(self.next);
        if before <= self.first {
            return Ok(());
        }
        let failed = |source| self.failed("trim", source);
        let config = self.options().client("trim");
        let admin =
            AdminClient::from_config_and_context(&config, Reports::default()).map_err(failed)?;
        let mut offsets = TopicPartitionList::new();
        let topic = &self.options().topic;
        offsets
            .add_partition_offset(
                topic,
                i32::from(self.partition),
                KafkaOffset::Offset(to_kafka(before)),
            )
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
