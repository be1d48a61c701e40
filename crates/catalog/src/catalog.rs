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
use sqlx::sqlite::SqlitePool;

use crate::database::{Database, Durability, Step, Write};
use crate::error::Error;
use crate::files::FileQueue;
use crate::kept::Kept;
use crate::password::Hasher;

/// The schema, step by step. A step that was released never changes.
const STEPS: &[Step] = &[
    (1, "catalog", include_str!("../migrations/sqlite/0001_catalog.sql")),
    (2, "visitors", include_str!("../migrations/sqlite/0002_visitors.sql")),
    (3, "people and sightings", include_str!("../migrations/sqlite/0003_people_and_sightings.sql")),
    (4, "contacts", include_str!("../migrations/sqlite/0004_contacts.sql")),
    (5, "file usage", include_str!("../migrations/sqlite/0005_file_usage.sql")),
    (6, "quotas of uploaders", include_str!("../migrations/sqlite/0006_quotas_of_uploaders.sql")),
];

/// Accounts, users, roles, teams, inboxes, replies, settings, keys, login sessions and files.
#[derive(Clone, Debug)]
pub struct Catalog {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    database: Arc<Database>,
    kept: Arc<Kept>,
    files: FileQueue,
    ids: Mutex<IdSource>,
    hasher: Hasher,
}

impl Catalog {
    /// Opens or creates the database at `path` and brings it to this version's schema.
    pub async fn open(path: &Path) -> Result<Self, Error> {
        let database = Arc::new(Database::open(path, STEPS, Durability::Full).await?);
        let mut random = [0u8; 9];
        getrandom::fill(&mut random).map_err(|_| Error::Hash)?;
        let [machine @ .., p0, p1, s0, s1, s2, s3] = random;
        let process = u16::from_be_bytes([p0, p1]);
        let ids = IdSource::new(machine, process, u32::from_be_bytes([s0, s1, s2, s3]));
        let hasher = Hasher::new().await?;
        let kept = Arc::new(Kept::new());
        let files = FileQueue::start(Arc::clone(&database), Arc::clone(&kept));
        Ok(Self { inner: Arc::new(Inner { database, kept, files, ids: Mutex::new(ids), hasher }) })
    }

    /// The file behind the catalog: for backup, checks and closing.
    pub fn database(&self) -> &Database {
        &self.inner.database
    }

    pub(crate) fn reads(&self) -> &SqlitePool {
        self.inner.database.reads()
    }

    /// Begins a write whose commit makes all kept rows old.
    pub(crate) async fn write(&self, operation: &'static str) -> Result<Write, Error> {
        Ok(self.write_aside(operation).await?.noting(self.kept().changes.clone()))
    }

    /// Begins a write that touches neither inboxes nor settings: what happens all the time.
    pub(crate) async fn write_aside(&self, operation: &'static str) -> Result<Write, Error> {
        self.inner.database.write(operation).await
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
