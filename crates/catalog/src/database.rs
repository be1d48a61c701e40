//! One SQLite file: opened with the journal and sync mode its owner needs, brought to this version's
//! schema, and read and written through two small pools. Writes go through one connection, so they
//! queue here and never fail on each other; readers see the last commit without waiting (WAL).
//!
//! Used by the catalog (FULL sync) and by the projections of the dispatcher (NORMAL: they can be
//! rebuilt).

use std::ops::{Deref, DerefMut};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use sqlx::migrate::{MigrateError, Migration, MigrationType, Migrator};
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqlitePool, SqlitePoolOptions,
    SqliteSynchronous,
};
use sqlx::{ConnectOptions, Connection, SqlSafeStr, Sqlite, Transaction};

use crate::error::{Doing, Error};

/// How long a statement waits for another process, and a caller for a connection.
const WAIT: Duration = Duration::from_secs(5);
/// Connections that read. Statements are short and the file is in the page cache.
const READERS: u32 = 3;
/// Pages a connection keeps, KiB (a negative number in the pragma). SQLite's own 2,000 in each of eight
/// connections would be a quarter of a small server's memory, for pages the kernel has as well.
const CACHE_KIB: &str = "-512";

/// What a commit promises.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// Survives power loss: synced at each commit.
    Full,
    /// Survives the process, and power loss but for the newest commits.
    Normal,
}

/// One step of a schema: its number, its name and its SQL.
pub type Step = (i64, &'static str, &'static str);

/// An open SQLite file.
#[derive(Debug)]
pub struct Database {
    path: PathBuf,
    reads: SqlitePool,
    writes: SqlitePool,
    durability: Durability,
    /// A commit met an error of the disk: nothing that follows could be believed.
    failed: Arc<AtomicBool>,
}

/// A write that has begun. Dropped without a commit, it leaves nothing.
#[derive(Debug)]
pub struct Write {
    transaction: Transaction<'static, Sqlite>,
    durability: Durability,
    failed: Arc<AtomicBool>,
}

impl Write {
    /// Commits. After an error of the disk the file takes no more writes: a sync that is tried again may
    /// succeed without what the first one lost.
    pub async fn commit(self) -> Result<(), sqlx::Error> {
        let done = self.transaction.commit().await;
        let broken = done.as_ref().err().and_then(classify) == Some(Problem::Disk);
        if broken && self.durability == Durability::Full {
            self.failed.store(true, Ordering::Release);
        }
        done
    }
}

impl Deref for Write {
    type Target = SqliteConnection;

    fn deref(&self) -> &SqliteConnection {
        &self.transaction
    }
}

impl DerefMut for Write {
    fn deref_mut(&mut self) -> &mut SqliteConnection {
        &mut self.transaction
    }
}

impl Database {
    /// Opens or creates the file and applies the steps it does not have yet, each in a transaction.
    ///
    /// A file with a step this version does not know is refused untouched.
    pub async fn open(path: &Path, steps: &[Step], durability: Durability) -> Result<Self, Error> {
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .foreign_keys(true)
            .busy_timeout(WAIT)
            .pragma("cache_size", CACHE_KIB)
            .optimize_on_close(false, None)
            .synchronous(match durability {
                Durability::Full => SqliteSynchronous::Full,
                Durability::Normal => SqliteSynchronous::Normal,
            });
        // A slow disk takes as long as it takes to make the file and bring it up: only those who come
        // later, with requests, have a clock. The journal mode set here stays in the file.
        let first = options.clone().journal_mode(SqliteJournalMode::Wal).connect().await;
        let mut first = first.map_err(|source| opening(path, source))?;
        migrate(path, &mut first, steps).await?;
        first.close().await.map_err(|source| opening(path, source))?;
        // What takes a statement of many rows back if it fails goes to a file otherwise, made and removed
        // for each of them: a tenth of what an upload costs.
        let writes = pool(1).connect_lazy_with(options.clone().pragma("temp_store", "MEMORY"));
        let reads = pool(READERS).connect_lazy_with(options.pragma("query_only", "1"));
        let path = path.to_owned();
        Ok(Self { path, reads, writes, durability, failed: Arc::default() })
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Connections that see the last commit and cannot write.
    pub fn reads(&self) -> &SqlitePool {
        &self.reads
    }

    /// Whether it still takes writes; see [`Write::commit`].
    pub fn takes_writes(&self) -> bool {
        !self.failed.load(Ordering::Acquire)
    }

    /// Begins a write.
    ///
    /// The write lock is taken at once: a transaction that read first and then had to wait for
    /// another writer would have to start anew.
    pub async fn write(&self, operation: &'static str) -> Result<Write, Error> {
        let stopped = || Error::WritesStopped { path: self.path.clone() };
        let begun = self.writes.begin_with("BEGIN IMMEDIATE").await;
        // Asked with the one connection in hand: whoever had it before has said how it went.
        if !self.takes_writes() {
            return Err(stopped());
        }
        let transaction = begun.map_err(|source| match classify(&source) {
            Some(Problem::ReadOnly) => Error::ReadOnly { path: self.path.clone() },
            Some(Problem::Locked) => Error::Locked { path: self.path.clone() },
            None if matches!(source, sqlx::Error::PoolTimedOut) => Error::Overloaded,
            Some(Problem::Disk) | None => Error::sql(operation, source),
        })?;
        Ok(Write { transaction, durability: self.durability, failed: Arc::clone(&self.failed) })
    }

    /// Copies the database, as of now, to a new file that needs no journal beside it.
    pub async fn copy_to(&self, path: &Path) -> Result<(), Error> {
        sqlx::query("VACUUM INTO ?")
            .bind(path.to_string_lossy().into_owned())
            .execute(&self.writes)
            .await
            .doing("copy the database")?;
        Ok(())
    }

    /// Lists what the engine's own check finds wrong; nothing for a sound file.
    pub async fn check(&self) -> Result<Vec<String>, Error> {
        let mut findings: Vec<String> = sqlx::query_scalar("PRAGMA integrity_check(20)")
            .fetch_all(&self.reads)
            .await
            .doing("check the database")?;
        findings.retain(|finding| finding != "ok");
        let broken = sqlx::query("PRAGMA foreign_key_check")
            .fetch_all(&self.reads)
            .await
            .doing("check the database")?;
        if !broken.is_empty() {
            findings.push(format!("{} rows refer to rows that do not exist", broken.len()));
        }
        Ok(findings)
    }

    /// Syncs the journal and writes it back into the file, as far as readers allow.
    pub async fn checkpoint(&self) -> Result<(), Error> {
        sqlx::query("PRAGMA wal_checkpoint(PASSIVE)")
            .execute(&self.writes)
            .await
            .doing("write back the journal")?;
        Ok(())
    }

    /// Closes all connections; the journal is written back into the file.
    pub async fn close(&self) {
        self.reads.close().await;
        self.writes.close().await;
    }
}

fn pool(connections: u32) -> SqlitePoolOptions {
    SqlitePoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(2 * WAIT)
        .idle_timeout(None)
        .max_lifetime(None)
        .test_before_acquire(false)
}

async fn migrate(path: &Path, file: &mut SqliteConnection, steps: &[Step]) -> Result<(), Error> {
    let known = steps.iter().map(|(version, ..)| *version).max().unwrap_or_default();
    let has_table: i64 = sqlx::query_scalar(
        "SELECT COUNT(*) FROM sqlite_master WHERE type = 'table' AND name = '_sqlx_migrations'",
    )
    .fetch_one(&mut *file)
    .await
    .map_err(|source| opening(path, source))?;
    if has_table != 0 {
        let found: Option<i64> = sqlx::query_scalar("SELECT MAX(version) FROM _sqlx_migrations")
            .fetch_one(&mut *file)
            .await
            .map_err(|source| opening(path, source))?;
        if let Some(found) = found.filter(|found| *found > known) {
            return Err(Error::NewerVersion { path: path.to_owned(), found, known });
        }
    }
    let migrations = steps
        .iter()
        .map(|(version, name, sql)| {
            let name = std::borrow::Cow::Borrowed(*name);
            Migration::new(*version, name, MigrationType::Simple, sql.into_sql_str(), false)
        })
        .collect();
    Migrator::with_migrations(migrations).run(file).await.map_err(|error| match error {
        MigrateError::Execute(source) => opening(path, source),
        source => Error::Migrate { path: path.to_owned(), source },
    })
}

#[derive(PartialEq, Eq)]
enum Problem {
    ReadOnly,
    Locked,
    /// A read, write or sync failed.
    Disk,
}

/// Tells the problems somebody can act on from all others, by SQLite's primary result codes.
fn classify(error: &sqlx::Error) -> Option<Problem> {
    let code: i64 = error.as_database_error()?.code()?.parse().ok()?;
    match code & 0xff {
        // BUSY, LOCKED
        5 | 6 => Some(Problem::Locked),
        // PERM, READONLY
        3 | 8 => Some(Problem::ReadOnly),
        // IOERR
        10 => Some(Problem::Disk),
        _ => None,
    }
}

fn opening(path: &Path, source: sqlx::Error) -> Error {
    let path = path.to_owned();
    match classify(&source) {
        Some(Problem::ReadOnly) => Error::ReadOnly { path },
        Some(Problem::Locked) => Error::Locked { path },
        Some(Problem::Disk) | None => Error::Open { path, source },
    }
}
