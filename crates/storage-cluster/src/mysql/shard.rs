//! One database of several: calls with a deadline on a pool of connections to it.
//!
//! Nothing here is shared between shards but the runtime, whose threads never wait: a shard that stands still
//! holds up those who ask it, and nobody else.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use frontdesk_core::id::ConversationId;
use frontdesk_mysql::{AwayError, Found, Lease, Pool, PoolOptions, is_conflict, is_lost, rollback};
use frontdesk_storage::HistoryError;
use sqlx::mysql::MySqlConnection;
use tokio::runtime::Handle;
use tokio::time::{Instant, sleep, timeout_at};

use super::MySqlOptions;
use super::error::Fault;

/// How often work is tried that others got in the way of.
const ATTEMPTS_MAX: u32 = 5;
/// How long it waits before it is tried again, times the attempt.
const CONFLICT_DELAY: Duration = Duration::from_millis(5);
/// How long a lock is waited for: a connection that was closed keeps it until the server notices.
const LOCK_SECONDS: u32 = 1;
/// How long its connection may be idle: as long as a partition may take to move.
const LOCK_IDLE_SECONDS: u32 = 28_800;

/// One database.
pub(super) struct Shard {
    runtime: Handle,
    pool: Pool,
    /// A random id that the database keeps.
    pub(super) identity: [u8; 16],
    /// What one packet may have.
    pub(super) packet_bytes_max: usize,
    retried: AtomicU64,
}

impl Shard {
    pub(super) fn new(
        runtime: Handle,
        found: &Found,
        identity: [u8; 16],
        options: &MySqlOptions,
    ) -> Self {
        let options = PoolOptions {
            of: "the history",
            connections_max: options.connections_max,
            timeout: options.timeout,
        };
        let pool = {
            let _context = runtime.enter();
            Pool::new(found, options)
        };
        let packet_bytes_max = found.packet_bytes_max;
        Self { runtime, pool, identity, packet_bytes_max, retried: AtomicU64::new(0) }
    }

    /// Host, port and database.
    pub(super) fn address(&self) -> &str {
        self.pool.address()
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
            place: self.address().to_owned(),
            source: Box::new(error),
        };
        self.runtime.block_on(async {
            let deadline = Instant::now() + self.pool.timeout();
            let mut lease = self.pool.lease(deadline).await.map_err(failed)?;
            sqlx::query("SET SESSION wait_timeout = ?")
                .bind(LOCK_IDLE_SECONDS)
                .execute(lease.get())
                .await
                .map_err(|error| failed(AwayError::Lost(error)))?;
            let query = sqlx::query_scalar("SELECT GET_LOCK(CONCAT(?, LEFT(DATABASE(), 40)), ?)");
            let locked =
                timeout_at(deadline, query.bind(name).bind(LOCK_SECONDS).fetch_one(lease.get()))
                    .await;
            let locked: Option<i64> = locked
                .map_err(|_| failed(AwayError::Late(self.pool.timeout())))?
                .map_err(|error| failed(AwayError::Lost(error)))?;
            Ok((locked == Some(1))
                .then(|| Lock { runtime: self.runtime.clone(), lease: Some(lease) }))
        })
    }

    /// An id as it is stored here.
    pub(super) fn conversation(&self, id: &[u8]) -> Result<ConversationId, HistoryError> {
        ConversationId::from_slice(id).map_err(|error| HistoryError::Engine {
            operation: "read an id",
            path: self.address().into(),
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
        self.call_within(Duration::ZERO, operation, work)
    }

    /// As [`Self::call`], with so much more time than a call has anyway.
    pub(super) fn call_within<T>(
        &self,
        extra: Duration,
        operation: &'static str,
        work: impl AsyncFnMut(&mut MySqlConnection) -> Result<T, Fault>,
    ) -> Result<T, HistoryError> {
        let unavailable = |error: AwayError| HistoryError::Unavailable {
            operation,
            place: self.pool.address().to_owned(),
            source: Box::new(error),
        };
        let fault = self.runtime.block_on(async {
            let deadline = Instant::now() + self.pool.timeout();
            let mut lease = self.pool.lease(deadline).await.map_err(unavailable)?;
            match timeout_at(deadline + extra, self.attempts(&mut lease, work)).await {
                Ok(Ok(done)) => {
                    lease.give_back();
                    Ok(Ok(done))
                }
                Ok(Err(Fault::History(error))) => {
                    lease.give_back();
                    Err(error)
                }
                Ok(Err(Fault::Sql(error))) => Ok(Err(error)),
                Err(_) => {
                    let late = AwayError::Late(self.pool.timeout() + extra);
                    self.pool.failed(&late);
                    Err(unavailable(late))
                }
            }
        })?;
        fault.map_err(|error| match error {
            error if is_conflict(&error) => unavailable(AwayError::Conflict(ATTEMPTS_MAX, error)),
            error if is_lost(&error) => unavailable(AwayError::Lost(error)),
            error => HistoryError::Engine {
                operation,
                path: self.pool.address().into(),
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
