//! One database of several: a pool of connections to it, and calls with a deadline.
//!
//! Nothing here is shared between shards but the runtime, whose threads never wait: a shard that stands still
//! holds up those who ask it, and nobody else. One that lets nobody connect is left alone for a second, in
//! which calls are refused at once.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use frontdesk_core::id::ConversationId;
use frontdesk_storage::HistoryError;
use parking_lot::Mutex;
use sqlx::mysql::{MySqlConnectOptions, MySqlConnection, MySqlPoolOptions};
use sqlx::pool::PoolConnection;
use sqlx::{Connection, MySql, MySqlPool};
use tokio::runtime::Handle;
use tokio::time::{Instant, sleep, sleep_until, timeout, timeout_at};

use super::MySqlOptions;
use super::error::{AwayError, Fault, number, numbers};

/// How often work is tried that others got in the way of.
const ATTEMPTS_MAX: u32 = 5;
/// How long it waits before it is tried again, times the attempt.
const CONFLICT_DELAY: Duration = Duration::from_millis(5);
/// How long until a connection is asked for again, if the server gives no more.
const FULL_DELAY: Duration = Duration::from_millis(10);
/// How long a shard that let nobody connect is left alone.
const AWAY_TIME: Duration = Duration::from_secs(1);
/// How long the server may take to answer that a connection may be used again.
const GIVE_BACK_TIMEOUT: Duration = Duration::from_secs(2);
/// How long a lock is waited for: a connection that was closed keeps it until the server notices.
const LOCK_SECONDS: u32 = 1;
/// Connections idle for longer are asked first whether they still are one.
const PING_AFTER: Duration = Duration::from_secs(1);

/// One database.
pub(super) struct Shard {
    runtime: Handle,
    pool: MySqlPool,
    /// Host, port and database.
    pub(super) address: String,
    /// A random id that the database keeps.
    pub(super) identity: [u8; 16],
    /// What one packet may have.
    pub(super) packet_bytes_max: usize,
    timeout: Duration,
    away_until: Mutex<Option<Instant>>,
    retried: AtomicU64,
}

/// What opening found out about a database.
pub(super) struct Found {
    pub(super) options: MySqlConnectOptions,
    pub(super) address: String,
    pub(super) identity: [u8; 16],
    pub(super) packet_bytes_max: usize,
}

impl Shard {
    pub(super) fn new(runtime: Handle, found: Found, options: &MySqlOptions) -> Self {
        let timeout = options.timeout;
        let pool = MySqlPoolOptions::new()
            .max_connections(options.connections_max)
            // The deadline of a call comes before.
            .acquire_timeout(timeout * 2)
            .test_before_acquire(false)
            .before_acquire(|connection, meta| {
                Box::pin(async move {
                    if meta.idle_for >= PING_AFTER {
                        connection.ping().await?;
                    }
                    Ok(true)
                })
            })
            .after_connect(|connection, _| Box::pin(prepare(connection)));
        let pool = {
            let _context = runtime.enter();
            pool.connect_lazy_with(found.options)
        };
        Self {
            runtime,
            pool,
            address: found.address,
            identity: found.identity,
            packet_bytes_max: found.packet_bytes_max,
            timeout,
            away_until: Mutex::new(None),
            retried: AtomicU64::new(0),
        }
    }

    /// How often work was tried again because of a deadlock or a lock.
    pub(super) fn retried(&self) -> u64 {
        self.retried.load(Ordering::Relaxed)
    }

    /// Keeps a name of this database from others until the lock is dropped, or its connection breaks; none if
    /// somebody has it.
    pub(super) fn lock(&self, name: &'static str) -> Result<Option<Lock>, HistoryError> {
        let failed = |error: AwayError| HistoryError::Unavailable {
            operation: "lock a name",
            place: self.address.clone(),
            source: Box::new(error),
        };
        self.runtime.block_on(async {
            let deadline = Instant::now() + self.timeout;
            let mut lease = self.lease(deadline).await.map_err(failed)?;
            let query = sqlx::query_scalar("SELECT GET_LOCK(CONCAT(?, LEFT(DATABASE(), 40)), ?)");
            let locked =
                timeout_at(deadline, query.bind(name).bind(LOCK_SECONDS).fetch_one(lease.get()))
                    .await;
            let locked: Option<i64> = locked
                .map_err(|_| failed(AwayError::Late(self.timeout)))?
                .map_err(|error| failed(AwayError::Lost(error)))?;
            Ok((locked == Some(1))
                .then(|| Lock { runtime: self.runtime.clone(), lease: Some(lease) }))
        })
    }

    /// An id as it is stored here.
    pub(super) fn conversation(&self, id: &[u8]) -> Result<ConversationId, HistoryError> {
        ConversationId::from_slice(id).map_err(|error| HistoryError::Engine {
            operation: "read an id",
            path: self.address.clone().into(),
            source: Box::new(error),
        })
    }

    /// Does some work on a connection, within the deadline; again, if other transactions got in its way.
    /// Called from threads that are no workers of a Tokio runtime.
    pub(super) fn call<T>(
        &self,
        operation: &'static str,
        work: impl AsyncFnMut(&mut MySqlConnection) -> Result<T, Fault>,
    ) -> Result<T, HistoryError> {
        let unavailable = |error: AwayError| HistoryError::Unavailable {
            operation,
            place: self.address.clone(),
            source: Box::new(error),
        };
        let fault = self.runtime.block_on(async {
            let deadline = Instant::now() + self.timeout;
            let mut lease = self.lease(deadline).await.map_err(unavailable)?;
            match timeout_at(deadline, self.attempts(&mut lease, work)).await {
                Ok(Ok(done)) => {
                    lease.give_back();
                    Ok(Ok(done))
                }
                Ok(Err(Fault::History(error))) => {
                    lease.give_back();
                    Err(error)
                }
                Ok(Err(Fault::Sql(error))) => Ok(Err(error)),
                Err(_) => Err(unavailable(AwayError::Late(self.timeout))),
            }
        })?;
        fault.map_err(|error| match error {
            error if is_conflict(&error) => unavailable(AwayError::Conflict(ATTEMPTS_MAX, error)),
            error if is_lost(&error) => unavailable(AwayError::Lost(error)),
            error => HistoryError::Engine {
                operation,
                path: self.address.clone().into(),
                source: Box::new(error),
            },
        })
    }

    async fn attempts<T>(
        &self,
        connection: &mut Lease,
        mut work: impl AsyncFnMut(&mut MySqlConnection) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        let mut attempt = 1;
        loop {
            match work(connection.get()).await {
                Err(Fault::Sql(error)) if is_conflict(&error) && attempt < ATTEMPTS_MAX => {
                    rollback(connection.get()).await?;
                    self.retried.fetch_add(1, Ordering::Relaxed);
                    sleep(CONFLICT_DELAY * attempt).await;
                    attempt += 1;
                }
                Err(Fault::History(error)) => {
                    rollback(connection.get()).await?;
                    return Err(Fault::History(error));
                }
                done_or_failed => return done_or_failed,
            }
        }
    }

    /// A connection of the pool, or a new one.
    async fn lease(&self, deadline: Instant) -> Result<Lease, AwayError> {
        if self.away_until.lock().is_some_and(|until| Instant::now() < until) {
            return Err(AwayError::Away);
        }
        let error = loop {
            match timeout_at(deadline, self.pool.acquire()).await {
                Ok(Ok(connection)) => {
                    *self.away_until.lock() = None;
                    return Ok(Lease(Some(connection)));
                }
                Ok(Err(error)) if is_full(&error) => {
                    // One of those in use comes back, if there are any.
                    let next = Instant::now() + FULL_DELAY;
                    if self.pool.size() == 0 || next >= deadline {
                        return Err(AwayError::Full(error));
                    }
                    sleep_until(next).await;
                }
                Ok(Err(error)) => break AwayError::Lost(error),
                Err(_) if self.pool.size() >= self.pool.options().get_max_connections() => {
                    return Err(AwayError::Busy(self.pool.size()));
                }
                Err(_) => break AwayError::Connect(self.timeout),
            }
        };
        *self.away_until.lock() = Some(Instant::now() + AWAY_TIME);
        tracing::warn!(database.address = %self.address, %error, "a database of the history is away");
        Err(error)
    }
}

/// A connection that goes back to the pool only when it is known to be good. Any other is closed, and the
/// server rolls back what was begun on it; giving it back could wait for a server that stands still.
struct Lease(Option<PoolConnection<MySql>>);

impl Lease {
    fn get(&mut self) -> &mut MySqlConnection {
        self.0.as_mut().expect("only given back at the end")
    }

    /// The pool asks the server once more; that ends too, else its place in the pool would be lost with it.
    fn give_back(mut self) {
        if let Some(mut connection) = self.0.take() {
            tokio::spawn(timeout(GIVE_BACK_TIMEOUT, connection.return_to_pool()));
        }
    }
}

/// A name that is kept from others. Its connection is closed with it.
pub(super) struct Lock {
    runtime: Handle,
    lease: Option<Lease>,
}

impl Drop for Lock {
    fn drop(&mut self) {
        // A connection is closed within the runtime.
        let _context = self.runtime.enter();
        drop(self.lease.take());
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if let Some(connection) = self.0.take() {
            drop(connection.detach());
        }
    }
}

/// Settings of every connection: locks are given up before the deadline of a call, and a statement locks no
/// more rows than it changes.
pub(super) async fn prepare(connection: &mut MySqlConnection) -> Result<(), sqlx::Error> {
    for setting in [
        "SET SESSION innodb_lock_wait_timeout = 1",
        "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED",
    ] {
        sqlx::raw_sql(setting).execute(&mut *connection).await?;
    }
    Ok(())
}

/// Ends what was begun without a trace.
pub(super) async fn rollback(connection: &mut MySqlConnection) -> Result<(), sqlx::Error> {
    sqlx::raw_sql("ROLLBACK").execute(connection).await?;
    Ok(())
}

/// Whether the server takes no more connections.
fn is_full(error: &sqlx::Error) -> bool {
    matches!(
        number(error),
        Some(
            numbers::TOO_MANY_CONNECTIONS
                | numbers::TOO_MANY_USER_CONNECTIONS
                | numbers::USER_LIMIT_REACHED
        )
    )
}

/// Whether other transactions got in the way.
fn is_conflict(error: &sqlx::Error) -> bool {
    matches!(number(error), Some(numbers::LOCK_WAIT_TIMEOUT | numbers::DEADLOCK))
}

fn is_lost(error: &sqlx::Error) -> bool {
    matches!(error, sqlx::Error::Io(_) | sqlx::Error::Protocol(_) | sqlx::Error::WorkerCrashed)
        || matches!(number(error), Some(numbers::SHUTDOWN | numbers::KILLED))
}
