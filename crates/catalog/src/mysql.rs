//! The catalog in a MySQL or MariaDB database that several nodes share: the first shard of the history.
//!
//! All that is not a number lies there as bytes, so that neither character set nor collation decides what is
//! equal and what comes first; it is as in SQLite. Isolation is READ COMMITTED, and a write begins by locking
//! rows of `catalog_locks` ([`Lock`]): what it reads from there on stays, so that counting before inserting
//! is safe, and writes that lock in one order cannot deadlock. Those that lock nothing of their own may;
//! [`again`] does them anew.
//!
//! Every call has a deadline. A database that is away refuses at once for a second, then is tried again.

mod calls;
mod elsewhere;

use std::time::Duration;

use frontdesk_mysql::{Opening, Pool, PoolOptions};

pub(crate) use self::calls::{Call, MySqlWrite, again, within};
#[cfg(test)]
pub(crate) use self::elsewhere::LOOK_MAX;
pub(crate) use self::elsewhere::watch;

use crate::error::Error;

/// Connections that read, and as many that write.
const CONNECTIONS_MAX: u32 = 8;
/// How long a call may take.
const TIMEOUT: Duration = Duration::from_secs(5);
/// Which steps of the schema were made. The history keeps tables in the same database.
const MIGRATIONS_TABLE: &str = "catalog_migrations";
/// The schema, step by step. A step that was released never changes.
const STEPS: &[(i64, &str, &str)] = &[
    (1, "catalog", include_str!("../migrations/mysql/0001_catalog.sql")),
    (2, "intents", include_str!("../migrations/mysql/0002_intents.sql")),
    (3, "smart service", include_str!("../migrations/mysql/0003_smart_service.sql")),
    (4, "origins and spend", include_str!("../migrations/mysql/0004_origins_and_spend.sql")),
];

/// Where the database is, and how it is asked.
#[derive(Clone)]
pub struct MySqlOptions {
    /// `mysql://USER:PASSWORD@HOST:PORT/DATABASE`. It holds a secret.
    pub url: String,
    /// How long a call may take.
    pub timeout: Duration,
    /// Connections that read, and as many that write.
    pub connections_max: u32,
}

impl MySqlOptions {
    /// Options with defaults for what is no address.
    pub fn new(url: String) -> Self {
        Self { url, timeout: TIMEOUT, connections_max: CONNECTIONS_MAX }
    }
}

impl std::fmt::Debug for MySqlOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MySqlOptions").field("timeout", &self.timeout).finish_non_exhaustive()
    }
}

/// An open database that several nodes share.
#[derive(Debug)]
pub struct MySqlStore {
    reads: Pool,
    /// Apart, so that writes that wait for each other keep nobody from reading.
    writes: Pool,
    /// Apart again, so that a full house does not hide what others change.
    watches: Pool,
    /// Tells this node's changes from those of others.
    node: [u8; 8],
}

impl MySqlStore {
    /// Connects, and creates the tables or brings them up to date; of several nodes one at a time.
    pub(crate) async fn open(options: &MySqlOptions) -> Result<Self, Error> {
        let mut opening = Opening::connect(1, &options.url, options.timeout).await?;
        opening.lock().await?;
        opening.migrate(MIGRATIONS_TABLE, STEPS).await?;
        for warning in &opening.warnings {
            tracing::warn!("{warning}");
        }
        let pool = |connections_max, timeout| {
            let options = PoolOptions { of: "the catalog", connections_max, timeout };
            Pool::new(&opening.found, options)
        };
        let mut node = [0; 8];
        getrandom::fill(&mut node).map_err(|_| Error::Hash)?;
        Ok(Self {
            reads: pool(options.connections_max, options.timeout),
            writes: pool(options.connections_max, options.timeout),
            watches: pool(1, elsewhere::TIMEOUT),
            node,
        })
    }

    fn is_closed(&self) -> bool {
        self.watches.is_closed()
    }

    pub(crate) async fn close(&self) {
        for pool in [&self.reads, &self.writes, &self.watches] {
            pool.close().await;
        }
    }
}
