//! A subscription: the thread that reads a node's partition and passes on what is meant for it.
//!
//! It says that it is there three times a lease, when somebody asks, and when it has come so far that
//! publishers have room again. It ends when the node drops the receiver, or when a newer subscription of the
//! node is heard of.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::Instant;

use bytes::Bytes;
use frontdesk_core::secret::Secret128;
use frontdesk_storage::{BusError, LogError, NodeId};
use rdkafka::message::Message;
use tokio::sync::mpsc::Sender;
use tokio::sync::oneshot;

use super::registry::{Announcement, SINCE_NOW};
use super::{CONTROL, POLL_INTERVAL, Shared, unavailable};
use crate::kafka::transient::Reader;

/// A node's subscription.
pub(super) struct Subscription {
    shared: Arc<Shared>,
    reader: Reader,
    said: Announcement,
    said_at: Instant,
    questions: u64,
}

impl Subscription {
    /// Registers a new subscription for the node, which receives what is published from now on; the former one ends.
    pub(super) fn begin(shared: Arc<Shared>, node: NodeId) -> Result<Self, BusError> {
        let failed = |error: LogError| BusError::Unavailable {
            operation: "subscribe",
            source: error.into(),
        };
        let nodes = i32::from(shared.topic.options().partitions - 1);
        let partition = 1 + i32::from((shared.number)(&node)) % nodes;
        let (_, position) = shared.topic.bounds(partition).map_err(failed)?;
        let reader = shared.topic.read(partition, position).map_err(failed)?;
        let token = Secret128::random().reveal();
        let mut said =
            Announcement { token, since: SINCE_NOW, partition, position, goes_on: true, node };
        let (answer, answered) = oneshot::channel();
        let questions = shared.questions.load(Ordering::Relaxed);
        shared
            .topic
            .send(CONTROL, b"", said.to_string().as_bytes(), Some(answer))
            .map_err(|error| unavailable("subscribe", error))?;
        let offset = answered.blocking_recv().expect("the producer reports every record");
        said.since = offset.map_err(|error| unavailable("subscribe", error))?;
        let said_at = Instant::now();
        // This node knows at once.
        shared.registry.lock().hear(said.clone(), said_at);
        Ok(Self { shared, reader, said, said_at, questions })
    }

    /// Receives until there is nobody to receive for.
    pub(super) fn run(mut self, channel: &Sender<Bytes>) {
        let mut position = self.said.position;
        while !channel.is_closed() && !self.is_over() {
            self.say_if_due(position);
            if channel.capacity() == 0 {
                thread::park_timeout(POLL_INTERVAL);
                continue;
            }
            let Some(message) = self.reader.poll(POLL_INTERVAL) else { continue };
            position = message.offset() + 1;
            if message.key() != Some(self.said.token.as_bytes()) {
                continue;
            }
            let batch = Bytes::copy_from_slice(message.payload().unwrap_or_default());
            if channel.try_send(batch).is_err() {
                break;
            }
        }
        self.said.goes_on = false;
        self.say(position);
    }

    fn is_over(&self) -> bool {
        self.shared.is_closed.load(Ordering::Acquire)
            || self.shared.registry.lock().is_superseded(&self.said.node, self.said.since)
    }

    fn say_if_due(&mut self, position: i64) {
        let options = &self.shared.options;
        let questions = self.shared.questions.load(Ordering::Relaxed);
        let batches = i64::try_from(options.batches_max / 4).unwrap_or(i64::MAX).max(1);
        let is_due = self.said_at.elapsed() >= options.lease / 3
            || questions != self.questions
            || position - self.said.position >= batches;
        if is_due {
            self.questions = questions;
            self.say(position);
        }
    }

    fn say(&mut self, position: i64) {
        self.said.position = position;
        self.said_at = Instant::now();
        self.shared.registry.lock().hear(self.said.clone(), self.said_at);
        let text = self.said.to_string();
        if let Err(error) = self.shared.topic.send(CONTROL, b"", text.as_bytes(), None) {
            tracing::debug!(%error, "a subscription of the bus could not say that it is there");
        }
    }
}
