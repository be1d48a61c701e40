//! Reading a partition: as records come, or up to what is there.
//!
//! The reader takes the partition by assignment: it joins no group and commits nothing. Who owns a
//! partition and how far it has come is kept elsewhere.

use std::fmt;
use std::ops::{ControlFlow, Deref};
use std::time::{Duration, Instant};

use frontdesk_storage::{LogError, Offset, Visit};
use rdkafka::TopicPartitionList;
use rdkafka::config::FromClientConfigAndContext;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError as ClientError, RDKafkaErrorCode as Code};
use rdkafka::message::{BorrowedMessage, Message};

use super::{DIAGNOSIS_TIMEOUT, KafkaOptions, Reports, close, from_kafka, to_kafka};

/// At most so many records are handed out in one poll.
const BATCH_RECORDS_MAX: usize = 1024;
/// How much the reader fetches ahead.
const AHEAD_KBYTES: usize = 16 << 10;
/// How long reading what is there may stand still.
const STALL_MAX: Duration = Duration::from_secs(30);
/// How long the broker may hold back its answer while nothing comes.
const WAIT_MS: usize = 500;
/// How long it may say nothing at all.
const SILENCE_MS: usize = 10_000;

/// The records of one partition from an offset on, in log order, as they come from any writer.
pub struct KafkaTail {
    options: KafkaOptions,
    partition: i32,
    consumer: Consuming,
    next: Offset,
    /// The end of what was there when it was opened.
    end: Offset,
    /// What is read is known to be there: that no broker answers just now is not the end.
    is_patient: bool,
}

impl fmt::Debug for KafkaTail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KafkaTail")
            .field("topic", &self.options.topic)
            .field("partition", &self.partition)
            .field("next", &self.next)
            .finish_non_exhaustive()
    }
}

impl KafkaTail {
    /// Starts at `from`. Fails with [`LogError::Trimmed`] if that lies before the oldest record kept, and
    /// with [`LogError::Corrupt`] if it lies behind the next one: what was there is gone.
    pub fn open(options: KafkaOptions, number: u16, from: Offset) -> Result<Self, LogError> {
        let partition = i32::from(number);
        let mut config = options.client("tail");
        config
            // Without a name there is no assignment; no member ever joins under it.
            .set("group.id", "frontdesk-without-group")
            .set("enable.auto.commit", "false")
            .set("enable.auto.offset.store", "false")
            .set("auto.offset.reset", "error")
            .set("check.crcs", "true")
            .set("queued.max.messages.kbytes", AHEAD_KBYTES.to_string())
            .set("fetch.wait.max.ms", WAIT_MS.to_string())
            // A leader that stands still is given up, and another one looked for.
            .set("socket.timeout.ms", SILENCE_MS.to_string());
        let failed = |source| options.failed("read", partition, source);
        let consumer =
            BaseConsumer::from_config_and_context(&config, Reports::default()).map_err(failed)?;
        let (first, end) = options.bounds(consumer.client(), partition)?;
        if from < first {
            return Err(LogError::Trimmed { first });
        }
        if from > end {
            return Err(lost(&options, partition, end, from));
        }
        let mut assignment = TopicPartitionList::new();
        assignment
            .add_partition_offset(
                &options.topic,
                partition,
                rdkafka::Offset::Offset(to_kafka(from)),
            )
            .map_err(failed)?;
        consumer.assign(&assignment).map_err(failed)?;
        let consumer = Consuming(Some(consumer));
        Ok(Self { options, partition, consumer, next: from, end, is_patient: false })
    }

    /// The offset of the record that comes next.
    pub fn next_offset(&self) -> Offset {
        self.next
    }

    /// Waits at most `timeout` for a record, then shows `visit` what has come, until it breaks; returns how
    /// many records it saw. The next poll goes on behind the last of them.
    ///
    /// No record is skipped: a gap is [`LogError::Corrupt`]. While no broker answers it fails with
    /// [`LogError::Io`]; that is not the end, later polls go on once one does.
    pub fn poll(&mut self, timeout: Duration, visit: Visit<'_>) -> Result<usize, LogError> {
        let deadline = Instant::now() + timeout;
        let mut seen = 0;
        while seen < BATCH_RECORDS_MAX {
            // Once there is one, only what has come already.
            let wait = if seen == 0 {
                deadline.saturating_duration_since(Instant::now())
            } else {
                Duration::ZERO
            };
            let message = match self.consumer.poll(wait) {
                None if seen == 0 && Instant::now() < deadline => continue,
                None => break,
                Some(Ok(message)) => message,
                Some(Err(error)) => match self.judge(error) {
                    // One broker of several, or a moment: the client looks for the leader by itself.
                    None if seen == 0 && Instant::now() >= deadline => break,
                    None => continue,
                    Some(error) => return Err(error),
                },
            };
            let (bucket, payload) = self.record(&message)?;
            let offset = self.next;
            let flow = visit(offset, bucket, payload);
            drop(message);
            self.next = offset + 1;
            seen += 1;
            if flow.is_break() {
                break;
            }
        }
        Ok(seen)
    }

    /// Shows `visit` what lies before `next`, all of which must be there.
    pub(super) fn read(mut self, next: Offset, visit: Visit<'_>) -> Result<(), LogError> {
        if self.end < next {
            return Err(lost(&self.options, self.partition, self.end, next));
        }
        let end = next;
        self.is_patient = true;
        let mut broken = false;
        while self.next < end && !broken {
            let seen = self.poll(STALL_MAX, &mut |offset, bucket, payload| {
                // What others appended behind it is not asked for.
                if offset >= end {
                    return ControlFlow::Break(());
                }
                let flow = visit(offset, bucket, payload);
                broken = flow.is_break();
                flow
            })?;
            if seen == 0 {
                let client = self.consumer.client();
                let topic = Some(self.options.topic.as_str());
                let metadata = client.fetch_metadata(topic, DIAGNOSIS_TIMEOUT).ok();
                let words = format!(
                    "nothing came for {} s at offset {}: {}",
                    STALL_MAX.as_secs(),
                    self.next,
                    self.options.diagnose(metadata.as_ref(), self.partition)
                );
                return Err(self.options.failed("read", self.partition, words));
            }
        }
        Ok(())
    }

    /// Checks that a message is the next record, and takes it apart.
    fn record<'m>(&self, message: &'m BorrowedMessage<'_>) -> Result<(u16, &'m [u8]), LogError> {
        let offset = from_kafka(message.offset());
        if offset != self.next {
            return Err(self.corrupt(format!("the record after it is at offset {offset}")));
        }
        let bucket = message.key().and_then(|key| key.try_into().ok()).map(u16::from_be_bytes);
        let bucket = bucket.ok_or_else(|| {
            self.corrupt("its key names no partition: Frontdesk did not write it")
        })?;
        Ok((bucket, message.payload().unwrap_or_default()))
    }

    /// The error of a poll as this seam's, unless it is one that ends by itself.
    fn judge(&self, error: ClientError) -> Option<LogError> {
        let is_fatal = matches!(error, ClientError::MessageConsumptionFatal(_));
        match error.rdkafka_error_code() {
            // What is next is no longer there, or not there any more.
            Some(Code::AutoOffsetReset | Code::OffsetOutOfRange) => {
                match self.options.bounds(self.consumer.client(), self.partition) {
                    Ok((first, _)) if self.next < first => Some(LogError::Trimmed { first }),
                    Ok((_, end)) if self.next > end => {
                        Some(lost(&self.options, self.partition, end, self.next))
                    }
                    Ok(_) => Some(self.options.failed("read", self.partition, error)),
                    Err(error) => Some(error),
                }
            }
            // Brokers that come and go: it waits for as long as nothing may come.
            Some(Code::AllBrokersDown) if self.is_patient => None,
            Some(Code::BadMessage) => Some(self.corrupt("its checksum is wrong")),
            Some(
                Code::AllBrokersDown
                | Code::UnknownTopicOrPartition
                | Code::UnknownTopic
                | Code::UnknownPartition
                | Code::TopicAuthorizationFailed,
            ) => Some(self.options.failed("read", self.partition, error)),
            _ if is_fatal => Some(self.options.failed("read", self.partition, error)),
            _ => None,
        }
    }

    fn corrupt(&self, what: impl Into<String>) -> LogError {
        let file = self.options.place(self.partition);
        LogError::Corrupt { file, at: self.next, what: what.into() }
    }
}

/// A consumer whose end nobody waits for: whoever opens a partition has read it by then.
struct Consuming(Option<BaseConsumer<Reports>>);

impl Deref for Consuming {
    type Target = BaseConsumer<Reports>;

    fn deref(&self) -> &Self::Target {
        self.0.as_ref().expect("it is there until it is dropped")
    }
}

impl Drop for Consuming {
    fn drop(&mut self) {
        close(self.0.take());
    }
}

/// The partition ends before what was acknowledged.
fn lost(options: &KafkaOptions, partition: i32, end: Offset, next: Offset) -> LogError {
    let what = format!(
        "the records from here to {} are lost; was the topic made anew, or did a broker lead \
         that was not in sync (unclean.leader.election.enable)?",
        next.saturating_sub(1)
    );
    LogError::Corrupt { file: options.place(partition), at: end, what }
}
