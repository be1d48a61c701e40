//! A subscription: the task that pops what was published for a node.
//!
//! It does two things at once: it renews the lease, by the bus' own connection, and it pops, by a
//! connection on which nothing else ever waits behind the blocking command. It ends when the node
//! drops the receiver, or when a newer subscription has taken its place.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use frontdesk_core::secret::Secret128;
use frontdesk_storage::NodeId;
use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Cmd, RedisResult};
use tokio::sync::mpsc::Sender;
use tokio::time::{Instant, MissedTickBehavior, interval_at, sleep, sleep_until, timeout};

use super::Shared;
use crate::link::{COMMAND_TIMEOUT, CONNECT_TIMEOUT, RECONNECT_DELAY, RedisError};

/// How long a pop waits for something. A connection that broke unnoticed holds back batches no longer.
const POP_TIMEOUT: Duration = Duration::from_secs(1);

/// How long an answer may come behind that of a connection that asked later.
const BEHIND_MAX: Duration = Duration::from_millis(500);

/// How soon after a pop the next one may begin: what is published meanwhile comes with it.
const POP_EVERY: Duration = Duration::from_millis(1);

/// A node's subscription.
pub(super) struct Subscription {
    shared: Arc<Shared>,
    node_key: String,
    queue_key: String,
    end_key: String,
    token: String,
    /// When it began, by the clock of Redis. Of two that find no registration the newer one wins.
    since: String,
}

impl Subscription {
    /// Registers a new subscription for the node; the former one ends.
    pub(super) async fn begin(shared: Arc<Shared>, node: &NodeId) -> Result<Self, RedisError> {
        let token = Secret128::random().reveal();
        let mut subscription = Self {
            node_key: shared.node_key(node),
            queue_key: shared.queue_key(&token),
            end_key: shared.end_key(&token),
            since: String::new(),
            shared,
            token,
        };
        let since = subscription.register().await?;
        subscription.since = since.expect("a new subscription is the newest");
        Ok(subscription)
    }

    /// Receives until the node drops the receiver or a newer subscription takes this one's place.
    pub(super) async fn run(self, channel: Sender<Bytes>) {
        tokio::select! {
            () = channel.closed() => {}
            () = self.receive(&channel) => {}
            () = self.keep_lease() => {}
        }
        let mut script = self.shared.leave.key(&self.node_key);
        script.key(&self.queue_key).key(&self.end_key).arg(&self.token);
        if let Err(error) = self.shared.link.invoke::<()>(&script).await {
            tracing::debug!(%error, "a subscription of the bus ends with its lease");
        }
    }

    /// Registers or renews; tells since when, or nothing where a newer one is registered.
    async fn register(&self) -> Result<Option<String>, RedisError> {
        let Shared { link, options, register, .. } = &*self.shared;
        let mut script = register.key(&self.node_key);
        script.key(&self.queue_key).arg(&self.token).arg(&self.since);
        script.arg(options.lease_ms()).arg(self.shared.end_key(""));
        link.invoke(&script).await
    }

    /// Renews the lease; ends when a newer subscription is registered.
    async fn keep_lease(&self) {
        let period = self.shared.options.lease / 3;
        let mut due = interval_at(Instant::now() + period, period);
        due.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut changes = self.shared.link.changes();
        loop {
            // A connection that is new may lead to a Redis that is empty.
            tokio::select! {
                _ = due.tick() => {}
                () = changes.next() => {}
            }
            match self.register().await {
                Ok(Some(_)) => {}
                Ok(None) => return,
                Err(error) => tracing::debug!(%error, "a lease of the bus was not renewed"),
            }
        }
    }

    /// Pops by one connection after the other; ends when there is nobody to pop for.
    async fn receive(&self, channel: &Sender<Bytes>) {
        loop {
            match self.receive_by_one_connection(channel).await {
                Ok(()) => return,
                Err(error) => {
                    tracing::debug!(%error, "the bus does not receive, connecting again");
                    sleep(RECONNECT_DELAY).await;
                }
            }
        }
    }

    async fn receive_by_one_connection(&self, channel: &Sender<Bytes>) -> RedisResult<()> {
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(CONNECT_TIMEOUT))
            .set_response_timeout(None);
        let client = &self.shared.client;
        let mut connection = client.get_multiplexed_async_connection_with_config(&config).await?;
        // What a former connection popped is not known for certain.
        let mut room = Room::Unknown;
        let mut due = Instant::now();
        loop {
            sleep_until(due).await;
            if channel.capacity() == 0 {
                self.count(&room).exec_async(&mut connection).await?;
                room = Room::Known;
                if channel.reserve().await.is_err() {
                    return Ok(());
                }
            }
            // Nobody else sends, so there is at least this much room when they arrive.
            let popped = {
                let pop = self.pop(&mut connection, &room, channel.capacity());
                tokio::pin!(pop);
                let mut patience = POP_TIMEOUT + COMMAND_TIMEOUT;
                // A Redis that stands still carries out what it was sent when it goes on: whoever gave up its
                // connection before would never see what was popped.
                loop {
                    if let Ok(popped) = timeout(patience, &mut pop).await {
                        break popped?;
                    }
                    if patience == BEHIND_MAX {
                        return Err(io::Error::from(io::ErrorKind::TimedOut).into());
                    }
                    patience = if self.answers().await { BEHIND_MAX } else { RECONNECT_DELAY };
                }
            };
            due = Instant::now() + POP_EVERY;
            let Some((key, batches)) = popped else {
                // Nothing is under way: a good moment to put right what a flush left behind.
                room = Room::Unknown;
                continue;
            };
            if key == self.end_key {
                return Ok(());
            }
            room = Room::Popped { bytes: batches.iter().map(Bytes::len).sum() };
            for batch in batches {
                if channel.try_send(batch).is_err() {
                    return Ok(());
                }
            }
        }
    }

    /// Whether Redis answers somebody who asks now.
    async fn answers(&self) -> bool {
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(CONNECT_TIMEOUT))
            .set_response_timeout(Some(COMMAND_TIMEOUT));
        let client = &self.shared.client;
        let Ok(mut connection) = client.get_multiplexed_async_connection_with_config(&config).await
        else {
            return false;
        };
        redis::cmd("PING").exec_async(&mut connection).await.is_ok()
    }

    /// Gives back the room of what was popped before, then pops what there is, or waits for something.
    /// The end marker comes after everything that was published before it.
    async fn pop(
        &self,
        connection: &mut MultiplexedConnection,
        room: &Room,
        batches_max: usize,
    ) -> RedisResult<Option<(String, Vec<Bytes>)>> {
        let mut pop = redis::cmd("BLMPOP");
        pop.arg(POP_TIMEOUT.as_secs_f64()).arg(2).arg(&self.queue_key).arg(&self.end_key);
        pop.arg("LEFT").arg("COUNT").arg(batches_max);
        if matches!(room, Room::Known) {
            return pop.query_async(connection).await;
        }
        let mut pipeline = redis::pipe();
        pipeline.add_command(self.count(room)).ignore().add_command(pop);
        let (popped,) = pipeline.query_async(connection).await?;
        Ok(popped)
    }

    fn count(&self, room: &Room) -> Cmd {
        let mut command = redis::cmd("EVAL");
        command.arg(include_str!("../lua/count.lua")).arg(2);
        command.arg(&self.node_key).arg(&self.queue_key).arg(&self.token);
        match room {
            Room::Unknown => command.arg(""),
            Room::Known => command.arg(0),
            Room::Popped { bytes } => command.arg(bytes),
        };
        command
    }
}

/// What Redis knows about the room in the queue.
enum Room {
    /// Perhaps not the truth.
    Unknown,
    /// The truth.
    Known,
    /// The truth without what was popped since.
    Popped {
        /// So much.
        bytes: usize,
    },
}
