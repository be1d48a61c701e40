//! Merges tables until no level is above its size, on a thread of its own.
//!
//! The engine would merge once for each table it flushes, on the thread that flushes, and a merge brings one
//! table of a level down. Where that is smaller than what is flushed, tables pile up: reads look into
//! all of them, and at 30 the engine halts writers for good, since nothing is flushed any more and so nothing is
//! merged. Here it goes on until there is nothing to do, also when nobody writes, and flushes do not wait for it.
//!
//! A merge drops rows that are overwritten, but none that a reader still sees: readers hold `Readers`
//! while they read, and what was overwritten before a moment without any may go.

use std::io;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use fjall::compaction::Leveled;
use fjall::{AbstractTree, Database, Keyspace};
use frontdesk_storage::background;
use parking_lot::{Condvar, Mutex, RwLock, RwLockReadGuard};

/// How long a table takes to be flushed, at most about.
const FLUSH: Duration = Duration::from_millis(200);

/// Who reads.
#[derive(Default)]
pub(super) struct Readers(RwLock<()>);

impl Readers {
    /// To be held while rows are read. It waits for nobody.
    pub(super) fn enter(&self) -> RwLockReadGuard<'_, ()> {
        self.0.read_recursive()
    }

    fn are_none(&self) -> bool {
        self.0.try_write().is_some()
    }
}

#[derive(Default)]
struct State {
    has_work: bool,
    is_merging: bool,
    is_closing: bool,
    has_failed: bool,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
    readers: Readers,
}

/// The thread that merges; it ends with this.
pub(super) struct Merger {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

impl Merger {
    pub(super) fn start(
        database: Database,
        keyspace: Keyspace,
        strategy: Leveled,
    ) -> io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let thread = std::thread::Builder::new().name("store-merge".to_owned()).spawn({
            let shared = shared.clone();
            move || {
                background::lower_priority();
                shared.merge(&database, &keyspace, strategy);
            }
        })?;
        let merger = Self { shared, thread: Some(thread) };
        // What an earlier process left to do.
        merger.table_is_begun();
        Ok(merger)
    }

    pub(super) fn readers(&self) -> &Readers {
        &self.shared.readers
    }

    /// A table is about to be flushed.
    pub(super) fn table_is_begun(&self) {
        self.shared.state.lock().has_work = true;
        self.shared.changed.notify_all();
    }

    /// Waits until there is nothing left to merge, or a merge failed.
    #[cfg(test)]
    pub(super) fn settled(&self) {
        let mut state = self.shared.state.lock();
        while !state.has_failed && (state.has_work || state.is_merging) {
            self.shared.changed.wait(&mut state);
        }
    }

    /// Whether a merge failed. Nothing is merged any more then.
    pub(super) fn has_failed(&self) -> bool {
        self.shared.state.lock().has_failed
    }
}

impl Drop for Merger {
    fn drop(&mut self) {
        self.shared.state.lock().is_closing = true;
        self.shared.changed.notify_all();
        if let Some(thread) = self.thread.take() {
            // A panic there was printed when it happened; there is nobody to hand it to.
            let _ended = thread.join();
        }
    }
}

impl Shared {
    fn merge(&self, database: &Database, keyspace: &Keyspace, strategy: Leveled) {
        let strategy = Arc::new(strategy);
        let mut unseen_before = 0;
        while self.wait_for_work(keyspace) {
            loop {
                if self.readers.are_none() {
                    unseen_before = database.visible_seqno();
                }
                let before = levels(keyspace);
                if let Err(error) = keyspace.tree.compact(strategy.clone(), unseen_before) {
                    tracing::error!(%error, "could not merge tables");
                    self.state.lock().has_failed = true;
                    self.changed.notify_all();
                    return;
                }
                if levels(keyspace) == before || self.state.lock().is_closing {
                    break;
                }
            }
        }
    }

    /// Waits until there may be something to merge; false at the end.
    fn wait_for_work(&self, keyspace: &Keyspace) -> bool {
        let mut state = self.state.lock();
        state.is_merging = false;
        self.changed.notify_all();
        while !state.has_work && !state.is_closing {
            // A table that was begun is there a little later, without a word.
            if keyspace.sealed_memtable_count() > 0 {
                state.has_work |= self.changed.wait_for(&mut state, FLUSH).timed_out();
            } else {
                self.changed.wait(&mut state);
            }
        }
        state.has_work = false;
        state.is_merging = true;
        !state.is_closing
    }
}

/// How many tables each level has: every merge changes it.
fn levels(keyspace: &Keyspace) -> Vec<usize> {
    (0..).map_while(|level| keyspace.tree.level_table_count(level)).collect()
}
