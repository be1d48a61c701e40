//! A connection to Redis that is replaced when it breaks.
//!
//! A task of its own, the keeper, connects, watches and connects again, so that whoever has a command
//! never waits for a connection: it goes out at once on the one there is, behind those of all other
//! callers and without waiting for their answers, or fails at once.
//!
//! A connection counts as broken when Redis closes it, when a command was not answered in time, and
//! when a ping was not: a Redis that stands still looks like an open connection.

use std::fmt;
use std::time::Duration;

use redis::aio::{MultiplexedConnection, SendError};
use redis::{
    AsyncConnectionConfig, Client, Cmd, FromRedisValue, ProtocolVersion, PushInfo, PushKind,
    RedisResult, ScriptInvocation,
};
use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval, sleep};
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

/// How long a command may take. Answers take less than a millisecond; this leaves room for a network that
/// has become slow by half a second each way.
pub(crate) const COMMAND_TIMEOUT: Duration = Duration::from_secs(2);
/// How long it may take to connect: two ways there and back.
pub(crate) const CONNECT_TIMEOUT: Duration = Duration::from_secs(4);
/// How long after a failure to connect it is tried again.
pub(crate) const RECONNECT_DELAY: Duration = Duration::from_millis(200);
/// How often an idle connection is asked whether it still is one.
const PING_INTERVAL: Duration = Duration::from_secs(1);
/// Commands that wait to be written; those who come later wait for their turn, within their timeout.
const COMMANDS_MAX: usize = 1024;

/// Where Redis is, and whose keys these are.
#[derive(Clone)]
pub struct RedisOptions {
    /// `redis://[USER]:[PASSWORD]@HOST:PORT/[DATABASE]`; holds a secret.
    pub url: String,
    /// The installation's id: installations may share a Redis.
    pub installation: String,
}

impl fmt::Debug for RedisOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisOptions")
            .field("installation", &self.installation)
            .finish_non_exhaustive()
    }
}

impl RedisOptions {
    pub(crate) fn client(&self) -> Result<Client, RedisError> {
        let client =
            Client::open(self.url.as_str()).map_err(|source| RedisError::Url { source })?;
        // Version 3 of the protocol, in which a closed connection is heard of while nobody asks.
        let info = client.get_connection_info().clone();
        let settings = info.redis_settings().clone().set_protocol(ProtocolVersion::RESP3);
        Client::open(info.set_redis_settings(settings)).map_err(|source| RedisError::Url { source })
    }

    /// The key of something of this installation.
    pub(crate) fn key(&self, kind: &str, name: &str) -> String {
        format!("frontdesk:{}:{kind}:{name}", self.installation)
    }
}

/// What can go wrong with Redis.
#[derive(Debug, Clone, thiserror::Error)]
pub enum RedisError {
    /// The address cannot be one.
    #[error("the address of redis must look like redis://:PASSWORD@HOST:PORT/")]
    Url {
        /// What is wrong with it.
        #[source]
        source: redis::RedisError,
    },
    /// The first connection could not be made.
    #[error(
        "could not connect to redis at {address}: check that it runs there and that the password is right"
    )]
    Connect {
        /// Host and port.
        address: String,
        /// Why.
        #[source]
        source: redis::RedisError,
    },
    /// There is no connection at present.
    #[error("redis at {address} is away; connecting is tried again until it answers")]
    Away {
        /// Host and port.
        address: String,
    },
    /// A command failed. If it was not answered in time, it may still have happened.
    #[error("redis at {address} did not do what it was asked")]
    Command {
        /// Host and port.
        address: String,
        /// Why.
        #[source]
        source: redis::RedisError,
    },
}

/// A connection that works as far as anybody knows.
#[derive(Clone)]
struct Live {
    connection: MultiplexedConnection,
    broken: CancellationToken,
}

/// Commands to Redis by one connection, replaced when it breaks.
pub(crate) struct Link {
    live: watch::Receiver<Option<Live>>,
    address: String,
    _keeper: AbortOnDropHandle<()>,
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Link").field("address", &self.address).finish_non_exhaustive()
    }
}

impl Link {
    /// Connects.
    pub(crate) async fn open(options: &RedisOptions) -> Result<Self, RedisError> {
        let client = options.client()?;
        let address = client.get_connection_info().addr().to_string();
        let keeper = Keeper { client, address: address.clone() };
        let first = keeper
            .connect()
            .await
            .map_err(|source| RedisError::Connect { address: address.clone(), source })?;
        let (sender, live) = watch::channel(Some(first.clone()));
        let keeper = AbortOnDropHandle::new(tokio::spawn(keeper.run(first, sender)));
        Ok(Self { live, address, _keeper: keeper })
    }

    /// Sends a command.
    pub(crate) async fn query<T: FromRedisValue>(&self, command: &Cmd) -> Result<T, RedisError> {
        let mut live = self.live()?;
        let result = command.query_async(&mut live.connection).await;
        self.checked(&live, result)
    }

    /// Runs a script, which is loaded first if Redis does not know it.
    pub(crate) async fn invoke<T: FromRedisValue>(
        &self,
        script: &ScriptInvocation<'_>,
    ) -> Result<T, RedisError> {
        let mut live = self.live()?;
        let result = script.invoke_async(&mut live.connection).await;
        self.checked(&live, result)
    }

    /// Tells when the connection comes or goes from now on.
    pub(crate) fn changes(&self) -> Changes {
        let mut live = self.live.clone();
        live.mark_unchanged();
        Changes(live)
    }

    fn live(&self) -> Result<Live, RedisError> {
        let live = self.live.borrow().clone();
        live.ok_or_else(|| RedisError::Away { address: self.address.clone() })
    }

    fn checked<T>(&self, live: &Live, result: RedisResult<T>) -> Result<T, RedisError> {
        result.map_err(|source| {
            if source.is_unrecoverable_error() || source.is_timeout() {
                live.broken.cancel();
            }
            RedisError::Command { address: self.address.clone(), source }
        })
    }
}

/// Waits for a [`Link`]'s connection to come or go.
pub(crate) struct Changes(watch::Receiver<Option<Live>>);

impl Changes {
    /// Returns after the next change; never, once the link is gone.
    pub(crate) async fn next(&mut self) {
        if self.0.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

/// Connects, watches, and connects again.
struct Keeper {
    client: Client,
    address: String,
}

impl Keeper {
    async fn run(self, first: Live, current: watch::Sender<Option<Live>>) {
        let mut live = first;
        loop {
            until_broken(&mut live).await;
            current.send_replace(None);
            tracing::warn!(redis.address = %self.address, "redis is away, connecting again");
            live = self.reconnect().await;
            current.send_replace(Some(live.clone()));
            tracing::info!(redis.address = %self.address, "redis is back");
        }
    }

    async fn reconnect(&self) -> Live {
        loop {
            match self.connect().await {
                Ok(live) => return live,
                Err(error) => {
                    tracing::debug!(redis.address = %self.address, %error, "redis is still away");
                    sleep(RECONNECT_DELAY).await;
                }
            }
        }
    }

    async fn connect(&self) -> RedisResult<Live> {
        let broken = CancellationToken::new();
        let on_push = {
            let broken = broken.clone();
            move |push: PushInfo| {
                if push.kind == PushKind::Disconnection {
                    broken.cancel();
                }
                Ok::<_, SendError>(())
            }
        };
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(CONNECT_TIMEOUT))
            .set_response_timeout(Some(COMMAND_TIMEOUT))
            .set_pipeline_buffer_size(COMMANDS_MAX)
            .set_push_sender(on_push);
        let connection = self.client.get_multiplexed_async_connection_with_config(&config).await?;
        Ok(Live { connection, broken })
    }
}

/// Returns when the connection is of no more use.
async fn until_broken(live: &mut Live) {
    let ping = redis::cmd("PING");
    let mut due = interval(PING_INTERVAL);
    due.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = live.broken.cancelled() => return,
            _ = due.tick() => {
                if ping.exec_async(&mut live.connection).await.is_err() {
                    return;
                }
            }
        }
    }
}
