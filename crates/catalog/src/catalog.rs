//! The catalog itself: one handle, cheap to clone, given to everybody who reads or changes what
//! people configure. Each resource has its functions in a file of its own.
//!
//! Every function about something of an account takes that account and names it in its SQL, so an
//! id of another account is simply unknown. Functions whose answer depends on the time take
//! `now_ms`; the others read the clock only for ids and `created_ms`.

use std::path::Path;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use frontdesk_core::id::{IdSource, Xid};
use parking_lot::Mutex;

use crate::changes::{Change, ChangesElsewhere, Teller};
use crate::database::{Database, Durability, Step};
use crate::error::Error;
use crate::files::FileQueue;
use crate::kept::Kept;
use crate::mysql::{self, MySqlOptions, MySqlStore};
use crate::password::Hasher;
use crate::store::{Lock, Reads, Store, Write};

/// The schema, step by step. A step that was released never changes.
const STEPS: &[Step] = &[
    (1, "catalog", include_str!("../migrations/sqlite/0001_catalog.sql")),
    (2, "visitors", include_str!("../migrations/sqlite/0002_visitors.sql")),
    (3, "people and sightings", include_str!("../migrations/sqlite/0003_people_and_sightings.sql")),
    (4, "contacts", include_str!("../migrations/sqlite/0004_contacts.sql")),
    (5, "file usage", include_str!("../migrations/sqlite/0005_file_usage.sql")),
    (6, "quotas of uploaders", include_str!("../migrations/sqlite/0006_quotas_of_uploaders.sql")),
    (7, "intents", include_str!("../migrations/sqlite/0007_intents.sql")),
    (8, "smart service", include_str!("../migrations/sqlite/0008_smart_service.sql")),
    (9, "origins and spend", include_str!("../migrations/sqlite/0009_origins_and_spend.sql")),
];

/// Accounts, users, roles, teams, inboxes, replies, settings, keys, login sessions and files.
#[derive(Clone, Debug)]
pub struct Catalog {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    store: Arc<Store>,
    changes: Teller,
    kept: Arc<Kept>,
    files: FileQueue,
    ids: Mutex<IdSource>,
    hasher: Hasher,
}

impl Catalog {
    /// Opens or creates the file at `path` and brings it to this version's schema.
    pub async fn open(path: &Path) -> Result<Self, Error> {
        Self::over(Store::Sqlite(Database::open(path, STEPS, Durability::Full).await?)).await
    }

    /// Opens the catalog in a MySQL or MariaDB database, which several nodes may share, and brings it to this
    /// version's schema.
    pub async fn open_mysql(options: &MySqlOptions) -> Result<Self, Error> {
        Self::over(Store::MySql(Box::new(MySqlStore::open(options).await?))).await
    }

    async fn over(store: Store) -> Result<Self, Error> {
        let store = Arc::new(store);
        let mut random = [0u8; 9];
        getrandom::fill(&mut random).map_err(|_| Error::Hash)?;
        let [machine @ .., p0, p1, s0, s1, s2, s3] = random;
        let process = u16::from_be_bytes([p0, p1]);
        let ids = IdSource::new(machine, process, u32::from_be_bytes([s0, s1, s2, s3]));
        let hasher = Hasher::new().await?;
        let kept = Arc::new(Kept::new());
        let changes = Teller::new();
        mysql::watch(&store, Arc::clone(&kept), changes.clone()).await?;
        let files = FileQueue::start(Arc::clone(&store), Arc::clone(&kept));
        let ids = Mutex::new(ids);
        Ok(Self { inner: Arc::new(Inner { store, changes, kept, files, ids, hasher }) })
    }

    /// The database behind the catalog: for backup, checks and closing.
    pub fn database(&self) -> &Store {
        &self.inner.store
    }

    /// What other nodes change from now on.
    pub fn changes_elsewhere(&self) -> ChangesElsewhere {
        self.inner.changes.listen()
    }

    pub(crate) fn reads(&self) -> Reads<'_> {
        self.inner.store.reads()
    }

    /// Begins a write whose commit makes all kept rows old, here and on other nodes, which are told of the
    /// change.
    pub(crate) async fn write(
        &self,
        operation: &'static str,
        change: Change,
    ) -> Result<Write, Error> {
        let write = self.write_aside(operation, Lock::Configuration).await?;
        let mut write = write.noting(self.kept().changes.clone());
        write.tell(change);
        Ok(write)
    }

    /// Begins a write that touches neither inboxes nor settings: what happens all the time.
    pub(crate) async fn write_aside(
        &self,
        operation: &'static str,
        lock: Lock,
    ) -> Result<Write, Error> {
        self.inner.store.write(operation, lock).await
    }

    pub(crate) fn kept(&self) -> &Kept {
        &self.inner.kept
    }

    pub(crate) fn file_queue(&self) -> &FileQueue {
        &self.inner.files
    }

    pub(crate) fn hasher(&self) -> &Hasher {
        &self.inner.hasher
    }

    /// A new id and the time it carries.
    pub(crate) fn new_id<T: Xid>(&self) -> (T, i64) {
        let now_ms = clock_ms();
        (self.inner.ids.lock().next(now_ms), now_ms)
    }
}

/// Milliseconds since 1970, UTC.
pub(crate) fn clock_ms() -> i64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}
