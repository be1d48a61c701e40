//! A notice board that all nodes write to and read: who is there, what they own, what their clocks say.
//!
//! One partition, so that all nodes see all notices in one order, each with the time at which the broker
//! got it: the one clock all nodes share.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use bytes::Bytes;
use frontdesk_core::secret::Secret128;
use frontdesk_storage::LogError;
use rdkafka::message::{BorrowedMessage, Message};
use tokio::sync::mpsc::{Receiver, Sender, channel};

use super::transient::{Reader, Transient};
use super::{KafkaOptions, QUERY_TIMEOUT, TopicError};

/// How long notices are kept, for somebody who wants to know what happened.
const RETENTION: Duration = Duration::from_hours(1);
/// A reader begins with what was written so shortly before.
const RECENT_MS: i64 = 5_000;
/// At most so many notices are looked at for it.
const RECENT_NOTICES_MAX: i64 = 4096;
/// Notices that wait for the node.
const NOTICES_MAX: usize = 1024;
/// How soon it is noticed that nobody reads any more.
const POLL_INTERVAL: Duration = Duration::from_millis(100);

/// What some node wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// As it was written.
    pub payload: Bytes,
    /// When the broker got it, in milliseconds of its clock since 1970.
    pub written_ms: i64,
}

/// Why a board cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum BoardError {
    /// Its topic.
    #[error("could not make the topic of the notice board")]
    Topic(#[source] TopicError),
    /// It could not be read or written.
    #[error("could not read the notice board")]
    Read(#[source] LogError),
    /// Nothing came back of what was written.
    #[error(
        "the notice board {topic} does not take notices: check that its partition has a leader"
    )]
    Silent {
        /// Its topic.
        topic: String,
    },
}

/// The notice board of an installation.
pub struct KafkaBoard {
    topic: Arc<Transient>,
    is_closed: Arc<AtomicBool>,
}

impl fmt::Debug for KafkaBoard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KafkaBoard")
            .field("topic", &self.topic.options().topic)
            .finish_non_exhaustive()
    }
}

impl KafkaBoard {
    /// Opens the board and makes its topic if it is not there; the receiver begins with what was written in the
    /// last few seconds. Blocks.
    pub fn open(log: &KafkaOptions) -> Result<(Self, Receiver<Notice>), BoardError> {
        let topic = Transient::open(log, "nodes", 1, RETENTION).map_err(BoardError::Topic)?;
        let (mut reader, recent) = read_recent(&topic)?;
        let (sender, receiver) = channel(NOTICES_MAX);
        let is_closed = Arc::new(AtomicBool::new(false));
        thread::Builder::new()
            .name("kafka-board".to_owned())
            .spawn({
                let is_closed = Arc::clone(&is_closed);
                move || pass_on(&mut reader, recent, &sender, &is_closed)
            })
            .expect("the system has a thread left");
        Ok((Self { topic: Arc::new(topic), is_closed }, receiver))
    }

    /// Writes a notice without waiting. While Kafka is away it is lost: write it again in a while.
    pub fn publish(&self, notice: &[u8]) {
        if let Err(error) = self.topic.send(0, b"", notice, None) {
            tracing::debug!(%error, "a notice was not written");
        }
    }
}

impl Drop for KafkaBoard {
    fn drop(&mut self) {
        self.is_closed.store(true, Ordering::Release);
    }
}

/// A reader behind what was written so far, and what of it is recent. How late it is only the broker can say: a mark is
/// written, which comes back with the time.
fn read_recent(topic: &Transient) -> Result<(Reader, Vec<Notice>), BoardError> {
    let mark = Secret128::random().reveal();
    let (first, next) = topic.bounds(0).map_err(BoardError::Read)?;
    let from = first.max(next - RECENT_NOTICES_MAX);
    let mut reader = topic.read(0, from).map_err(BoardError::Read)?;
    let write = || topic.send(0, mark.as_bytes(), b"", None);
    let silent = || BoardError::Silent { topic: topic.options().topic.clone() };
    write().map_err(|_| silent())?;
    let deadline = Instant::now() + QUERY_TIMEOUT;
    let mut notices = Vec::new();
    while Instant::now() < deadline {
        let Some(message) = reader.poll(POLL_INTERVAL) else { continue };
        if message.key() == Some(mark.as_bytes()) {
            let now_ms = written_ms(&message);
            drop(message);
            notices.retain(|notice: &Notice| notice.written_ms + RECENT_MS >= now_ms);
            return Ok((reader, notices));
        }
        notices.extend(notice(&message));
    }
    Err(silent())
}

/// None if it is somebody's mark.
fn notice(message: &BorrowedMessage<'_>) -> Option<Notice> {
    let is_mark = message.key().is_some_and(|key| !key.is_empty());
    let payload = Bytes::copy_from_slice(message.payload().unwrap_or_default());
    (!is_mark).then(|| Notice { payload, written_ms: written_ms(message) })
}

fn written_ms(message: &BorrowedMessage<'_>) -> i64 {
    message.timestamp().to_millis().unwrap_or_default()
}

fn pass_on(
    reader: &mut Reader,
    recent: Vec<Notice>,
    sender: &Sender<Notice>,
    is_closed: &AtomicBool,
) {
    for notice in recent {
        if sender.blocking_send(notice).is_err() {
            return;
        }
    }
    while !is_closed.load(Ordering::Acquire) && !sender.is_closed() {
        let Some(message) = reader.poll(POLL_INTERVAL) else { continue };
        let Some(notice) = notice(&message) else { continue };
        if sender.blocking_send(notice).is_err() {
            return;
        }
    }
}
