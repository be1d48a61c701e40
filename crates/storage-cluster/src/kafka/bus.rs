//! The bus in Kafka: slower than that in Redis, for the time in which Redis is away.
//!
//! A topic of its own with a partition for each node, and partition 0 for what subscriptions say of themselves
//! (`bus/registry.rs`): who receives where, and how far it has come. So a publisher knows at once that nobody
//! receives, and that a queue is full. A record's key is the token of the subscription it is meant for; a subscription
//! (`bus/subscription.rs`) passes on its own only, so that nodes may share a partition.

mod registry;
mod subscription;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use bytes::Bytes;
use frontdesk_storage::{Bus, BusError, NodeId};
use parking_lot::Mutex;
use rdkafka::error::{KafkaError as ClientError, RDKafkaErrorCode};
use rdkafka::message::Message;
use tokio::sync::mpsc::{Receiver, channel};
use tokio::sync::oneshot;

use super::transient::{Delivered, Reader, Transient};
use super::{KafkaOptions, TopicError};
use crate::bus::BusOptions;
use registry::{Announcement, Registry};
use subscription::Subscription;

/// Where subscriptions speak of themselves.
const CONTROL: i32 = 0;
/// What asks all subscriptions to say that they are there.
const QUESTION: &[u8] = b"?";
/// A batch that is older nobody wants; a topic keeps a little more.
const RETENTION: Duration = Duration::from_mins(1);
/// How soon threads notice that something has changed for them.
const POLL_INTERVAL: Duration = Duration::from_millis(50);
/// Batches that were read and that the node has not yet taken.
const CHANNEL_BATCHES: usize = 1024;

/// The partition of a node is found by its number.
pub type NodeNumber = Arc<dyn Fn(&NodeId) -> u16 + Send + Sync>;

/// The bus of all nodes of an installation, in Kafka. [`BusOptions::bytes_max`] does not count here: what waits lies
/// on the brokers' disks.
pub struct KafkaBus {
    shared: Arc<Shared>,
}

/// What the bus, its subscriptions and its threads have in common.
struct Shared {
    topic: Transient,
    number: NodeNumber,
    options: BusOptions,
    registry: Mutex<Registry>,
    /// How often somebody asked who is there.
    questions: AtomicU64,
    is_closed: AtomicBool,
}

impl fmt::Debug for KafkaBus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KafkaBus")
            .field("topic", &self.shared.topic.options().topic)
            .finish_non_exhaustive()
    }
}

impl KafkaBus {
    /// Opens the bus, and makes its topic for so many nodes if it is not there. Of more nodes some share a
    /// partition. Blocks.
    pub fn open(
        log: &KafkaOptions,
        nodes: u16,
        number: NodeNumber,
        options: BusOptions,
    ) -> Result<Self, TopicError> {
        let topic = Transient::open(log, "bus", nodes.max(1) + 1, RETENTION)?;
        let failed =
            |error| TopicError::Bus { topic: topic.options().topic.clone(), source: error };
        let (_, next) = topic.bounds(CONTROL).map_err(failed)?;
        let mut control = topic.read(CONTROL, next).map_err(failed)?;
        if let Err(error) = topic.send(CONTROL, QUESTION, b"", None) {
            tracing::debug!(%error, "subscriptions of the bus are known when they next say so");
        }
        let shared = Arc::new(Shared {
            topic,
            number,
            options,
            registry: Mutex::new(Registry::default()),
            questions: AtomicU64::new(0),
            is_closed: AtomicBool::new(false),
        });
        thread::Builder::new()
            .name("kafka-bus".to_owned())
            .spawn({
                let shared = Arc::clone(&shared);
                move || shared.listen(&mut control)
            })
            .expect("the system has a thread left");
        Ok(Self { shared })
    }
}

impl Drop for KafkaBus {
    fn drop(&mut self) {
        self.shared.is_closed.store(true, Ordering::Release);
    }
}

impl Shared {
    /// Hears what subscriptions of all nodes say.
    fn listen(&self, control: &mut Reader) {
        while !self.is_closed.load(Ordering::Acquire) {
            let Some(message) = control.poll(POLL_INTERVAL) else { continue };
            if message.key() == Some(QUESTION) {
                self.questions.fetch_add(1, Ordering::Relaxed);
                continue;
            }
            let text = std::str::from_utf8(message.payload().unwrap_or_default());
            let announcement =
                text.ok().and_then(|text| Announcement::decode(text, message.offset()));
            match announcement {
                Some(announcement) => self.registry.lock().hear(announcement, Instant::now()),
                // Another version's, which is understood once all nodes are of that version.
                None => tracing::debug!("an announcement on the bus is not understood"),
            }
        }
    }

    /// Hands a batch over, in the order of the calls.
    fn send(&self, node: &NodeId, batch: &[u8]) -> Result<oneshot::Receiver<Delivered>, BusError> {
        let mut registry = self.registry.lock();
        let Some(receiver) = registry.receiver(node, Instant::now(), self.options.lease) else {
            return Err(BusError::Unreachable { node: node.clone() });
        };
        if receiver.queued() >= self.options.batches_max {
            return Err(BusError::Full { node: node.clone() });
        }
        let (answer, answered) = oneshot::channel();
        let (partition, token) = (receiver.partition(), receiver.token());
        self.topic.send(partition, token.as_bytes(), batch, Some(answer)).map_err(|error| {
            match error.rdkafka_error_code() {
                Some(RDKafkaErrorCode::QueueFull | RDKafkaErrorCode::MessageSizeTooLarge) => {
                    BusError::Full { node: node.clone() }
                }
                _ => unavailable("publish a batch", error),
            }
        })?;
        receiver.begin();
        Ok(answered)
    }
}

/// A batch on its way, which counts as queued until it is known what became of it, or nobody asks any more.
struct Flight<'a> {
    shared: &'a Shared,
    node: &'a NodeId,
    offset: Option<i64>,
}

impl Drop for Flight<'_> {
    fn drop(&mut self) {
        self.shared.registry.lock().landed(self.node, self.offset);
    }
}

#[async_trait]
impl Bus for KafkaBus {
    async fn publish(&self, node: &NodeId, batch: Bytes) -> Result<(), BusError> {
        let answered = self.shared.send(node, &batch)?;
        let mut flight = Flight { shared: &self.shared, node, offset: None };
        match answered.await.expect("the producer reports every record") {
            Ok(offset) => {
                flight.offset = Some(offset);
                Ok(())
            }
            Err(error) => Err(unavailable("publish a batch", error)),
        }
    }

    async fn subscribe(&self, node: &NodeId) -> Result<Receiver<Bytes>, BusError> {
        let (sender, receiver) = channel(CHANNEL_BATCHES);
        let (shared, node) = (Arc::clone(&self.shared), node.clone());
        let subscription = tokio::task::spawn_blocking(move || Subscription::begin(shared, node))
            .await
            .expect("it does not panic")?;
        thread::Builder::new()
            .name("kafka-bus-in".to_owned())
            .spawn(move || subscription.run(&sender))
            .expect("the system has a thread left");
        Ok(receiver)
    }
}

fn unavailable(operation: &'static str, error: ClientError) -> BusError {
    BusError::Unavailable { operation, source: error.into() }
}
