//! The bus in Redis: a list for each subscription.
//!
//! `subscribe` registers a random token for the node, with a lease that the receiving task renews
//! (`bus/receive.rs`); `publish` finds the token and pushes into its list, in one script. So a node
//! that receives nothing is known at once, a queue has a bound that costs the sender nothing to
//! keep to, and what was published in the moment a connection breaks is still there for the next one.
//! ADR 029 says why it is not Pub/Sub.
//!
//! Batches that are published while others are on their way go together (`bus/send.rs`): publish those of a
//! turn at once (`join_all`) rather than one after the answer of the other. Their order is that in which
//! they were first polled.

mod receive;
mod send;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use frontdesk_storage::{Bus, BusError, NodeId};
use redis::{Client, Script};
use tokio::sync::mpsc::{Receiver, channel};

use crate::link::{Link, RedisError, RedisOptions};
use receive::Subscription;
use send::Outbox;

/// Batches that were popped and that the node has not yet taken; as many are asked for at most.
const CHANNEL_BATCHES: usize = 1024;

/// How much waits for a node, and for how long after it was last heard of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BusOptions {
    /// Most batches in the queue of a node.
    pub batches_max: usize,
    /// Most bytes in the queue of a node.
    pub bytes_max: usize,
    /// How long a node counts as receiving after it was last heard of. It says so three times as
    /// often; after Redis was flushed a node receives again when it next says so.
    pub lease: Duration,
}

impl Default for BusOptions {
    fn default() -> Self {
        Self { batches_max: 8192, bytes_max: 64 << 20, lease: Duration::from_secs(6) }
    }
}

impl BusOptions {
    fn lease_ms(&self) -> u64 {
        u64::try_from(self.lease.as_millis()).unwrap_or(u64::MAX).max(1)
    }
}

/// The bus of all nodes of an installation.
#[derive(Debug)]
pub struct RedisBus {
    shared: Arc<Shared>,
    outbox: Outbox,
}

/// What the bus and its subscriptions have in common.
#[derive(Debug)]
struct Shared {
    link: Link,
    /// Makes the connections that receive.
    client: Client,
    redis: RedisOptions,
    options: BusOptions,
    register: Script,
    leave: Script,
}

impl Shared {
    fn node_key(&self, node: &NodeId) -> String {
        self.redis.key("bus:node", node.as_str())
    }

    fn queue_key(&self, token: &str) -> String {
        self.redis.key("bus:queue", token)
    }

    fn end_key(&self, token: &str) -> String {
        self.redis.key("bus:end", token)
    }
}

impl RedisBus {
    /// Connects to Redis.
    pub async fn connect(redis: RedisOptions, options: BusOptions) -> Result<Self, BusError> {
        let begin = |error: RedisError| unavailable("begin", error);
        let link = Link::open(&redis).await.map_err(begin)?;
        let client = redis.client().map_err(begin)?;
        let register = Script::new(include_str!("lua/register.lua"));
        let leave = Script::new(include_str!("lua/leave.lua"));
        let shared = Arc::new(Shared { link, client, redis, options, register, leave });
        Ok(Self { outbox: Outbox::new(Arc::clone(&shared)), shared })
    }
}

#[async_trait]
impl Bus for RedisBus {
    async fn publish(&self, node: &NodeId, batch: Bytes) -> Result<(), BusError> {
        let answer = self.outbox.push(node, batch)?;
        answer.await.expect("the task that answers lives as long as the bus")
    }

    async fn subscribe(&self, node: &NodeId) -> Result<Receiver<Bytes>, BusError> {
        let (sender, receiver) = channel(CHANNEL_BATCHES);
        let subscription = Subscription::begin(Arc::clone(&self.shared), node)
            .await
            .map_err(|error| unavailable("subscribe", error))?;
        tokio::spawn(subscription.run(sender));
        Ok(receiver)
    }
}

fn unavailable(operation: &'static str, error: RedisError) -> BusError {
    BusError::Unavailable { operation, source: error.into() }
}
