//! Rows that are asked for all the time and seldom change: inboxes, settings, and files that were stored
//! a moment ago. A read of SQLite is a way to another thread and back; an upload took three of them.
//!
//! Where one process has the database, what is kept is exactly what is there: every commit of the catalog
//! makes all kept rows old, but those of writes that say they touch none of them
//! ([`Catalog::write_aside`](crate::Catalog)). Where several nodes share it, a row is at most
//! [`AGE_MAX`] behind what another node wrote.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use frontdesk_core::id::{AccountId, InboxId};

use crate::{files::StoredFile, fresh::Fresh, inboxes::Inbox, settings::Settings};

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
}

impl Kept {
    pub(crate) fn new() -> Self {
        let changes = Changes::default();
        Self {
            inboxes: Rows::new(&changes),
            settings: Rows::new(&changes),
            files: Fresh::new(ROWS_MAX, AGE_MAX),
            changes,
        }
    }
}

/// Rows of one kind.
#[derive(Debug)]
pub(crate) struct Rows<K, V> {
    rows: Fresh<K, (u64, V)>,
    changes: Changes,
}

impl<K: Eq + std::hash::Hash, V: Clone> Rows<K, V> {
    fn new(changes: &Changes) -> Self {
        Self { rows: Fresh::new(ROWS_MAX, AGE_MAX), changes: changes.clone() }
    }

    /// The row as it was kept, or as it is read now.
    pub(crate) async fn get_or_read<E>(
        &self,
        key: K,
        read: impl Future<Output = Result<V, E>>,
    ) -> Result<V, E> {
        let seen = self.changes.seen();
        if let Some((at, row)) = self.rows.get(&key)
            && at == seen
        {
            return Ok(row);
        }
        let row = read.await?;
        self.rows.insert(key, (seen, row.clone()));
        Ok(row)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn read(kept: &Rows<u8, u8>, now: u8) -> u8 {
        let read = async { Ok::<_, ()>(now) };
        kept.get_or_read(1, read).await.expect("it is read")
    }

    #[tokio::test]
    async fn a_row_is_read_again_when_something_was_committed() {
        let changes = Changes::default();
        let kept = Rows::new(&changes);
        assert_eq!(read(&kept, 1).await, 1);
        assert_eq!(read(&kept, 2).await, 1, "kept");
        changes.note();
        assert_eq!(read(&kept, 3).await, 3, "read again");
    }

    #[tokio::test]
    async fn what_is_committed_while_a_row_is_read_makes_it_old() {
        let changes = Changes::default();
        let kept = Rows::new(&changes);
        let slow = async {
            changes.note();
            Ok::<_, ()>(1)
        };
        assert_eq!(kept.get_or_read(1, slow).await, Ok(1));
        assert_eq!(read(&kept, 2).await, 2);
    }

    #[tokio::test]
    async fn what_cannot_be_read_is_not_kept() {
        let kept = Rows::<u8, u8>::new(&Changes::default());
        assert_eq!(kept.get_or_read(1, async { Err("gone") }).await, Err("gone"));
        assert_eq!(read(&kept, 2).await, 2);
    }
}
