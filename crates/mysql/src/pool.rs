//! A pool of connections to one database, given out within a deadline.
//!
//! A database that lets nobody connect, or does not answer, is left alone for a second, in which whoever asks is
//! refused at once. Then one caller tries it: all others are refused until it has answered that one. A thread that waits for
//! a database that hangs loses a whole deadline, and there are threads that serve everybody.

use std::time::Duration;

use parking_lot::Mutex;
use sqlx::mysql::{MySqlConnection, MySqlPoolOptions};
use sqlx::pool::PoolConnection;
use sqlx::{Connection, MySql, MySqlPool};
use tokio::time::{Instant, sleep_until, timeout, timeout_at};

use super::error::{AwayError, is_full};
use super::open::Found;

/// How long until a connection is asked for again, if the server gives no more.
const FULL_DELAY: Duration = Duration::from_millis(10);
/// How long a database that let nobody connect is left alone.
const AWAY_TIME: Duration = Duration::from_secs(1);
/// How long the server may take to answer that a connection may be used again.
const GIVE_BACK_TIMEOUT: Duration = Duration::from_secs(2);
/// Connections idle for longer are asked first whether they still are one.
const PING_AFTER: Duration = Duration::from_secs(1);
/// The server ends a connection that nobody has used for so long, and with it the locks of a node that
/// stands still or is cut off. Until then the next owner of a partition in the middle of a batch cannot take it, so
/// it is less than the ten seconds in which one has to.
const IDLE_SECONDS: u64 = 6;
/// Idle connections are closed before the server does it.
const KEEP_IDLE: Duration = Duration::from_secs(IDLE_SECONDS * 2 / 3);

/// How a database is asked.
#[derive(Debug, Clone, Copy)]
pub struct PoolOptions {
    /// Of what it is, for the log: "the history".
    pub of: &'static str,
    /// Connections at the same time.
    pub connections_max: u32,
    /// How long a call may take.
    pub timeout: Duration,
}

/// Connections to one database.
#[derive(Debug)]
pub struct Pool {
    connections: MySqlPool,
    address: String,
    options: PoolOptions,
    away: Away,
}

/// Whether the database is left alone.
#[derive(Debug, Default)]
struct Away(Mutex<Option<Instant>>);

/// Who asks a database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asks {
    /// One of many.
    Freely,
    /// The first one after it was away.
    ToTry,
    /// It is refused.
    Not,
}

impl Away {
    /// Whoever asks at `now`, and for `timeout` at most.
    fn asks(&self, now: Instant, timeout: Duration) -> Asks {
        let mut until = self.0.lock();
        match *until {
            None => Asks::Freely,
            Some(until) if now < until => Asks::Not,
            Some(_) => {
                // Should it be given up meanwhile, somebody else tries after that.
                *until = Some(now + timeout + AWAY_TIME);
                Asks::ToTry
            }
        }
    }

    fn failed(&self, now: Instant) {
        *self.0.lock() = Some(now + AWAY_TIME);
    }

    fn answered(&self) {
        *self.0.lock() = None;
    }
}

impl Pool {
    /// Connects to nothing yet. Called within a Tokio runtime.
    pub fn new(found: &Found, options: PoolOptions) -> Self {
        let connections = MySqlPoolOptions::new()
            .max_connections(options.connections_max)
            // The deadline of a call comes before.
            .acquire_timeout(options.timeout * 2)
            .idle_timeout(KEEP_IDLE)
            .test_before_acquire(false)
            .before_acquire(|connection, meta| {
                Box::pin(async move {
                    if meta.idle_for >= PING_AFTER {
                        connection.ping().await?;
                    }
                    Ok(true)
                })
            })
            .after_connect(|connection, _| {
                Box::pin(async move {
                    prepare(connection).await?;
                    sqlx::query("SET SESSION wait_timeout = ?")
                        .bind(IDLE_SECONDS)
                        .execute(connection)
                        .await?;
                    Ok(())
                })
            })
            .connect_lazy_with(found.options.clone());
        Self { connections, address: found.address.clone(), options, away: Away::default() }
    }

    /// Host, port and database.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// How long a call may take.
    pub fn timeout(&self) -> Duration {
        self.options.timeout
    }

    /// A connection that is there, or a new one.
    pub async fn lease(&self, deadline: Instant) -> Result<Lease, AwayError> {
        let now = Instant::now();
        let asks = self.away.asks(now, deadline.saturating_duration_since(now));
        if asks == Asks::Not {
            return Err(AwayError::Away);
        }
        let error = loop {
            match timeout_at(deadline, self.connections.acquire()).await {
                Ok(Ok(mut connection)) => {
                    if asks == Asks::ToTry {
                        match timeout_at(deadline, connection.ping()).await {
                            Ok(Ok(())) => self.away.answered(),
                            Ok(Err(error)) => break AwayError::Lost(error),
                            Err(_) => break AwayError::Late(self.options.timeout),
                        }
                    }
                    return Ok(Lease(Some(connection)));
                }
                Ok(Err(error)) if is_full(&error) => {
                    // One of those in use comes back, if there are any.
                    let next = Instant::now() + FULL_DELAY;
                    if self.connections.size() == 0 || next >= deadline {
                        return Err(AwayError::Full(error));
                    }
                    sleep_until(next).await;
                }
                Ok(Err(error)) => break AwayError::Lost(error),
                Err(_)
                    if self.connections.size()
                        >= self.connections.options().get_max_connections() =>
                {
                    return Err(AwayError::Busy(self.connections.size()));
                }
                Err(_) => break AwayError::Connect(self.options.timeout),
            }
        };
        self.failed(&error);
        Err(error)
    }

    /// It did not do what it was asked in time: it is left alone for a moment.
    pub fn failed(&self, error: &AwayError) {
        self.away.failed(Instant::now());
        let of = self.options.of;
        tracing::warn!(database.address = %self.address, %error, "a database of {of} is away");
    }

    /// Whether it was closed.
    pub fn is_closed(&self) -> bool {
        self.connections.is_closed()
    }

    /// Closes all connections that are in no use.
    pub async fn close(&self) {
        self.connections.close().await;
    }
}

/// A connection that goes back to the pool only when it is known to be good. Any other is closed, and the
/// server rolls back what was begun on it; giving it back could wait for a server that stands still.
#[derive(Debug)]
pub struct Lease(Option<PoolConnection<MySql>>);

impl Lease {
    /// The connection.
    pub fn get(&mut self) -> &mut MySqlConnection {
        self.0.as_mut().expect("only given back at the end")
    }

    /// The pool asks the server once more; that ends too, else its place in the pool would be lost with it.
    pub fn give_back(mut self) {
        if let Some(mut connection) = self.0.take() {
            tokio::spawn(timeout(GIVE_BACK_TIMEOUT, connection.return_to_pool()));
        }
    }

    /// Takes back what was begun, then gives it back; as far as that can be done in time.
    pub fn take_back(mut self) {
        tokio::spawn(async move {
            if let Ok(Ok(())) = timeout(GIVE_BACK_TIMEOUT, rollback(self.get())).await {
                self.give_back();
            }
        });
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if let Some(connection) = self.0.take() {
            drop(connection.detach());
        }
    }
}

/// Settings of every connection: locks are given up before the deadline of a call, and a statement locks
/// no more rows than it changes.
pub async fn prepare(connection: &mut MySqlConnection) -> Result<(), sqlx::Error> {
    for setting in [
        "SET SESSION innodb_lock_wait_timeout = 1",
        "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED",
    ] {
        sqlx::raw_sql(setting).execute(&mut *connection).await?;
    }
    Ok(())
}

/// Ends what was begun without a trace.
pub async fn rollback(connection: &mut MySqlConnection) -> Result<(), sqlx::Error> {
    sqlx::raw_sql("ROLLBACK").execute(connection).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_caller_at_a_time_tries_a_database_that_was_away() {
        let (away, now, timeout) = (Away::default(), Instant::now(), Duration::from_secs(5));
        let at = |seconds| now + Duration::from_secs(seconds);
        assert_eq!(away.asks(now, timeout), Asks::Freely);
        away.failed(now);
        assert_eq!(away.asks(now, timeout), Asks::Not);
        assert_eq!(away.asks(at(1), timeout), Asks::ToTry);
        assert_eq!(away.asks(at(2), timeout), Asks::Not, "somebody tries it");
        away.failed(at(6));
        assert_eq!(away.asks(at(6), timeout), Asks::Not);
        assert_eq!(away.asks(at(7), timeout), Asks::ToTry);
        // Whoever tried gave up without a word.
        assert_eq!(away.asks(at(12), timeout), Asks::Not);
        assert_eq!(away.asks(at(13), timeout), Asks::ToTry);
        away.answered();
        assert_eq!(away.asks(at(13), timeout), Asks::Freely);
    }
}
