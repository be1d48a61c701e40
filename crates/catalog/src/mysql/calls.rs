//! Statements and transactions on a shared database, each within a deadline.

use std::io;
use std::time::Duration;

use frontdesk_mysql::{AwayError, Lease, Pool, is_conflict, is_lost};
use sqlx::mysql::MySqlConnection;
use tokio::time::{Instant, sleep, timeout_at};

use super::MySqlStore;
use crate::changes::Change;
use crate::error::{Doing, Error};
use crate::sql::query;
use crate::store::{Lock, On};

/// How often a transaction is tried that others got in the way of.
const ATTEMPTS_MAX: u32 = 5;
/// How long it waits before it is tried again, times the attempt.
const CONFLICT_DELAY: Duration = Duration::from_millis(5);

/// A connection in use, until a deadline. One that was lost, that did not answer in time, or whose answer
/// nobody waits for any more, is closed.
#[derive(Debug)]
pub(crate) struct Call {
    lease: Option<Lease>,
    deadline: Instant,
    /// A statement has begun and not ended.
    in_statement: bool,
}

impl Call {
    async fn begin(pool: &Pool) -> Result<Self, sqlx::Error> {
        let deadline = Instant::now() + pool.timeout();
        let lease = pool.lease(deadline).await.map_err(away)?;
        Ok(Self { lease: Some(lease), deadline, in_statement: false })
    }

    /// The connection for one statement, and until when it may be waited for.
    pub(crate) fn connection(&mut self) -> Result<(Instant, &mut MySqlConnection), sqlx::Error> {
        self.in_statement = true;
        let gone = || sqlx::Error::Io(io::ErrorKind::NotConnected.into());
        Ok((self.deadline, self.lease.as_mut().ok_or_else(gone)?.get()))
    }

    /// Says how a statement ended.
    pub(crate) fn ended<T>(&mut self, gave: Result<T, sqlx::Error>) -> Result<T, sqlx::Error> {
        self.in_statement = false;
        if gave.as_ref().is_err_and(is_lost) {
            self.lease = None;
        }
        gave
    }

    /// Nothing was begun, or it has ended.
    pub(crate) fn give_back(mut self) {
        if let Some(lease) = self.lease.take() {
            lease.give_back();
        }
    }

    async fn run(&mut self, sql: &'static str) -> Result<(), sqlx::Error> {
        let (deadline, connection) = self.connection()?;
        let done = within(deadline, sqlx::raw_sql(sql).execute(connection)).await;
        self.ended(done).map(drop)
    }
}

/// Waits for a statement.
pub(crate) async fn within<T>(
    deadline: Instant,
    statement: impl Future<Output = Result<T, sqlx::Error>>,
) -> Result<T, sqlx::Error> {
    let late = |_| Err(sqlx::Error::Io(io::ErrorKind::TimedOut.into()));
    timeout_at(deadline, statement).await.unwrap_or_else(late)
}

fn away(error: AwayError) -> sqlx::Error {
    sqlx::Error::Io(io::Error::new(io::ErrorKind::NotConnected, error))
}

/// A transaction that has begun and holds its lock.
#[derive(Debug)]
pub(crate) struct MySqlWrite {
    call: Option<Call>,
    node: [u8; 8],
}

impl MySqlStore {
    pub(crate) async fn begin_read(&self) -> Result<Call, sqlx::Error> {
        Call::begin(&self.reads).await
    }

    pub(super) async fn begin_watch(&self) -> Result<Call, sqlx::Error> {
        Call::begin(&self.watches).await
    }

    /// Begins a transaction. All of it ends by one deadline.
    pub(crate) async fn write(
        &self,
        operation: &'static str,
        lock: Lock,
    ) -> Result<MySqlWrite, Error> {
        let call = Call::begin(&self.writes).await.doing(operation)?;
        let mut write = MySqlWrite { call: Some(call), node: self.node };
        loop {
            match write.lock(lock).await {
                // Nothing was done yet: somebody holds the lock for longer than the server lets us wait.
                Err(error) if is_conflict(&error) && !write.is_late() => {
                    write.call().run("ROLLBACK").await.doing(operation)?;
                }
                locked => {
                    locked.doing(operation)?;
                    return Ok(write);
                }
            }
        }
    }
}

impl MySqlWrite {
    pub(crate) fn call(&mut self) -> &mut Call {
        self.call.as_mut().expect("it is there until the commit")
    }

    fn is_late(&self) -> bool {
        self.call.as_ref().is_none_or(|call| Instant::now() >= call.deadline)
    }

    async fn lock(&mut self, lock: Lock) -> Result<(), sqlx::Error> {
        let call = self.call();
        call.run("START TRANSACTION").await?;
        if lock == Lock::Configuration {
            return call.run(CONFIGURATION_ALONE).await;
        }
        call.run(CONFIGURATION_STAYS).await?;
        match own(lock) {
            Some(name) => query(OWN).bind(name).execute(On::MySql(call)).await.map(drop),
            None => Ok(()),
        }
    }

    /// Commits, and with it tells other nodes what has changed.
    pub(crate) async fn commit(mut self, told: &[Change]) -> Result<(), sqlx::Error> {
        let node = self.node;
        for change in told {
            super::elsewhere::write(self.call(), node, change).await?;
        }
        self.call().run("COMMIT").await?;
        if let Some(call) = self.call.take() {
            call.give_back();
        }
        Ok(())
    }
}

impl Drop for MySqlWrite {
    fn drop(&mut self) {
        let Some(mut call) = self.call.take() else { return };
        // Whoever waited for a statement went away: what it answers would be taken for the next one's.
        if !call.in_statement
            && let Some(lease) = call.lease.take()
        {
            lease.take_back();
        }
    }
}

const CONFIGURATION_ALONE: &str =
    "SELECT 1 FROM catalog_locks WHERE name = 'configuration' FOR UPDATE";
const CONFIGURATION_STAYS: &str =
    "SELECT 1 FROM catalog_locks WHERE name = 'configuration' LOCK IN SHARE MODE";
const OWN: &str = "SELECT 1 FROM catalog_locks WHERE name = ? FOR UPDATE";

/// The row a write takes for itself beside the configuration.
fn own(lock: Lock) -> Option<&'static str> {
    match lock {
        Lock::Files => Some("files"),
        Lock::Contacts => Some("contacts"),
        Lock::Identities => Some("identities"),
        Lock::Sessions => Some("sessions"),
        Lock::Sightings => Some("sightings"),
        Lock::Configuration | Lock::Rows => None,
    }
}

/// Does a transaction under [`Lock::Rows`] anew when others got in its way.
pub(crate) async fn again<'a, T>(
    mut transaction: impl FnMut() -> Attempt<'a, T>,
) -> Result<T, Error> {
    let mut attempt = 1;
    loop {
        match transaction().await {
            Err(Error::Contended { .. }) if attempt < ATTEMPTS_MAX => {
                sleep(CONFLICT_DELAY * attempt).await;
                attempt += 1;
            }
            ended => return ended,
        }
    }
}

/// One attempt at a transaction.
pub(crate) type Attempt<'a, T> =
    std::pin::Pin<Box<dyn Future<Output = Result<T, Error>> + Send + 'a>>;

#[cfg(test)]
mod tests {
    use super::*;

    async fn tried(mut fail: impl FnMut(u32) -> Result<u32, Error>) -> (u32, Result<u32, Error>) {
        let mut attempts = 0;
        let ended = again(|| {
            attempts += 1;
            let ended = fail(attempts);
            Box::pin(async { ended })
        })
        .await;
        (attempts, ended)
    }

    fn contended() -> Error {
        Error::Contended { operation: "test", source: sqlx::Error::RowNotFound }
    }

    #[tokio::test(start_paused = true)]
    async fn what_others_got_in_the_way_of_is_done_anew_and_not_for_ever() {
        let (attempts, ended) =
            tried(|attempt| if attempt < 3 { Err(contended()) } else { Ok(7) }).await;
        assert!(matches!((attempts, ended), (3, Ok(7))));
        let (attempts, ended) = tried(|_| Err(contended())).await;
        assert!(matches!((attempts, ended), (ATTEMPTS_MAX, Err(Error::Contended { .. }))));
        let (attempts, ended) = tried(|_| Err(Error::Overloaded)).await;
        assert!(matches!((attempts, ended), (1, Err(Error::Overloaded))), "nobody was in the way");
    }
}
