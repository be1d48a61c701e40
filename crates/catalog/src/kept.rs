//! Rows that are asked for all the time and seldom change: inboxes, settings, and files that were stored
//! a moment ago. A read of SQLite is a way to another thread and back; an upload took three of them.
//!
//! Where one process has the database, what is kept is exactly what is there: every commit of the catalog
//! makes all kept rows old, but those of writes that say they touch none of them
//! ([`Catalog::write_aside`](crate::Catalog)). Where several nodes share it, a row is at most
//! [`AGE_MAX`] behind what another node wrote. While a shared database is away, rows are used as they
//! were kept last, however old: nobody can change them, and those who are connected go on.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use frontdesk_core::id::{AccountId, InboxId};

use crate::{error::Error, files::StoredFile, fresh::Fresh, inboxes::Inbox, settings::Settings};

/// How long a row is kept.
const AGE_MAX: Duration = Duration::from_secs(2);
/// Rows of each kind; of more, those nobody asks for go.
const ROWS_MAX: usize = 1_000;

/// How many changes were committed.
#[derive(Debug, Clone, Default)]
pub(crate) struct Changes(Arc<AtomicU64>);

impl Changes {
    /// Something was committed. The rows read before are old from here on.
    pub(crate) fn note(&self) {
        self.0.fetch_add(1, Ordering::AcqRel);
    }

    /// Taken before a row is read: what is committed later makes it old.
    fn seen(&self) -> u64 {
        self.0.load(Ordering::Acquire)
    }
}

/// The kept rows.
#[derive(Debug)]
pub(crate) struct Kept {
    pub(crate) changes: Changes,
    pub(crate) inboxes: Rows<InboxId, Arc<Inbox>>,
    pub(crate) settings: Rows<AccountId, Settings>,
    /// Changed by the queue of changes about files alone, which keeps them here and takes them away.
    pub(crate) files: Fresh<String, StoredFile>,
    /// The shared database did not answer when it was asked last.
    away: Arc<AtomicBool>,
}

impl Kept {
    pub(crate) fn new() -> Self {
        let changes = Changes::default();
        let away = Arc::default();
        Self {
            inboxes: Rows::new(&changes, &away),
            settings: Rows::new(&changes, &away),
            files: Fresh::new(ROWS_MAX, AGE_MAX),
            changes,
            away,
        }
    }

    /// Says whether the database answers; tells whether it did when it was asked before.
    pub(crate) fn set_away(&self, away: bool) -> bool {
        !self.away.swap(away, Ordering::AcqRel)
    }
}

/// Rows of one kind.
#[derive(Debug)]
pub(crate) struct Rows<K, V> {
    fresh: Fresh<K, (u64, V)>,
    changes: Changes,
    away: Arc<AtomicBool>,
}

impl<K: Eq + std::hash::Hash, V: Clone> Rows<K, V> {
    fn new(changes: &Changes, away: &Arc<AtomicBool>) -> Self {
        let fresh = Fresh::new(ROWS_MAX, AGE_MAX);
        Self { fresh, changes: changes.clone(), away: Arc::clone(away) }
    }

    /// The row as it was kept, or as it is read now. Where it cannot be read because the database is away,
    /// as it was kept last.
    pub(crate) async fn get_or_read(
        &self,
        key: K,
        read: impl Future<Output = Result<V, Error>>,
    ) -> Result<V, Error> {
        let seen = self.changes.seen();
        // Nobody waits for what is known to be away.
        let away = self.away.load(Ordering::Acquire);
        let row = if away { self.fresh.get_of_any_age(&key) } else { self.fresh.get(&key) };
        if let Some((at, row)) = row
            && at == seen
        {
            return Ok(row);
        }
        match read.await {
            Ok(row) => {
                self.fresh.insert(key, (seen, row.clone()));
                Ok(row)
            }
            Err(error @ Error::Unavailable { .. }) => {
                self.fresh.get_of_any_age(&key).map(|(_, row)| row).ok_or(error)
            }
            Err(error) => Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn read(kept: &Rows<u8, u8>, now: u8) -> u8 {
        let read = async { Ok(now) };
        kept.get_or_read(1, read).await.expect("it is read")
    }

    #[tokio::test]
    async fn a_row_is_read_again_when_something_was_committed() {
        let changes = Changes::default();
        let kept = Rows::new(&changes, &Arc::default());
        assert_eq!(read(&kept, 1).await, 1);
        assert_eq!(read(&kept, 2).await, 1, "kept");
        changes.note();
        assert_eq!(read(&kept, 3).await, 3, "read again");
    }

    #[tokio::test]
    async fn what_is_committed_while_a_row_is_read_makes_it_old() {
        let changes = Changes::default();
        let kept = Rows::new(&changes, &Arc::default());
        let slow = async {
            changes.note();
            Ok(1)
        };
        assert_eq!(kept.get_or_read(1, slow).await.expect("it is read"), 1);
        assert_eq!(read(&kept, 2).await, 2);
    }

    #[tokio::test]
    async fn what_cannot_be_read_is_not_kept() {
        let kept = Rows::<u8, u8>::new(&Changes::default(), &Arc::default());
        let gone = kept.get_or_read(1, async { Err(Error::Overloaded) }).await;
        assert!(matches!(gone, Err(Error::Overloaded)), "{gone:?}");
        assert_eq!(read(&kept, 2).await, 2);
    }

    #[tokio::test]
    async fn a_row_is_used_as_it_was_kept_while_the_database_is_away() {
        let changes = Changes::default();
        let away = Arc::<AtomicBool>::default();
        let kept = Rows::new(&changes, &away);
        let fails = || async {
            let source = sqlx::Error::Io(std::io::ErrorKind::TimedOut.into());
            Err(Error::sql("read a row", source))
        };
        assert!(kept.get_or_read(1, fails()).await.is_err(), "nothing is kept yet");
        assert_eq!(read(&kept, 1).await, 1);
        changes.note();
        assert_eq!(kept.get_or_read(1, fails()).await.expect("it is kept"), 1);
        assert_eq!(read(&kept, 2).await, 2, "it is back");
        away.store(true, Ordering::Release);
        assert_eq!(read(&kept, 3).await, 2, "nobody waits for it");
        changes.note();
        assert_eq!(read(&kept, 4).await, 4, "who committed reached it");
    }
}
