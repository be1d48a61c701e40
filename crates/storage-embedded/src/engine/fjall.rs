//! The engine fjall: the default.
//!
//! What it does not notice about its own files is checked before it opens them, in [`journal`] and
//! [`tables`].

mod journal;
mod memtable;
mod merger;
mod tables;

use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;
use fjall::compaction::Leveled;
use fjall::{
    AbstractTree, Database, Guard, Keyspace, KeyspaceCreateOptions, OwnedWriteBatch, PersistMode,
};
use frontdesk_storage::background;

use self::memtable::Memtable;
use self::merger::Merger;
use super::{
    Check, Durability, End, EngineError, Journals, Store, StoreOptions, Visit, WriteBatch, damaged,
    failed, row_bytes,
};

/// Flushed tables that are merged into the next level at once: a peak of a quarter of a minute is over before
/// any is. Each merge writes that level anew, so four times the engine's default is a quarter of the work; reads
/// look into more tables.
const L0_TABLES: u8 = 16;
/// Largest table a merge writes. The first level holds `L0_TABLES` of them, and each merge into it writes all of
/// it: with the engine's default of 64 MiB, half a gigabyte. A table is synced at once, too, and whoever syncs
/// the message log meanwhile waits for that.
const TABLE_BYTES: u64 = 8 << 20;
/// The engine itself merges so many flushed tables at once, which is never: [`merger`] does.
const ENGINE_L0_TABLES: u8 = u8::MAX;
/// The engine itself begins a table with so many times more than we do ([`memtable`] says why we do).
const ENGINE_LATER: u64 = 8;
/// The engine halts writers where 4 tables wait to be flushed.
const TO_FLUSH_MANY: usize = 3;
/// And where 30 wait to be merged.
const TO_MERGE_MANY: usize = 22;
/// Of the engine's files, written last when a store is created.
const VERSION_FILE: &str = "version";

struct FjallStore {
    dir: Box<Path>,
    memtable: Memtable,
    // In this order: handles go before the database.
    merger: Merger,
    keyspace: Keyspace,
    database: Database,
}

struct Rows<'a> {
    store: &'a FjallStore,
    batch: OwnedWriteBatch,
    bytes: u64,
}

pub(super) fn open(dir: &Path, options: &StoreOptions) -> Result<Box<dyn Store>, EngineError> {
    let merging =
        Leveled::default().with_l0_threshold(L0_TABLES).with_table_target_size(TABLE_BYTES);
    Ok(Box::new(open_with(dir, options, merging)?))
}

fn open_with(
    dir: &Path,
    options: &StoreOptions,
    merging: Leveled,
) -> Result<FjallStore, EngineError> {
    let database = open_database(dir, options).map_err(|error| match error {
        error @ fjall::Error::Storage(_) => read_error(dir, error),
        error => engine_error("open the store", dir, error),
    })?;
    let keyspace = database
        .keyspace(options.name, || {
            KeyspaceCreateOptions::default()
                .max_memtable_size(options.memtable_bytes * ENGINE_LATER)
                .compaction_strategy(Arc::new(
                    Leveled::default().with_l0_threshold(ENGINE_L0_TABLES),
                ))
        })
        .map_err(|error| engine_error("open the keyspace", dir, error))?;
    let memtable = Memtable::new(options.memtable_bytes);
    let merger = Merger::start(database.clone(), keyspace.clone(), merging)
        .map_err(|error| failed("start the thread that merges", dir, error))?;
    Ok(FjallStore { dir: dir.into(), memtable, merger, keyspace, database })
}

/// Opens the engine on a thread of low priority: its workers take after whoever starts them.
fn open_database(dir: &Path, options: &StoreOptions) -> Result<Database, fjall::Error> {
    let open = || {
        background::lower_priority();
        Database::builder(dir)
            .cache_size(options.cache_bytes)
            .max_journaling_size(options.journals_bytes_max)
            // One: of several the first never compacts, and spins while the others do.
            .worker_threads(1)
            .max_cached_files(Some(64))
            .open()
    };
    std::thread::scope(|scope| match scope.spawn(open).join() {
        Ok(opened) => opened,
        Err(panic) => std::panic::resume_unwind(panic),
    })
}

pub(super) fn check(dir: &Path, check: Check<'_>) -> Result<Journals, EngineError> {
    let Check { chain, tables_bytes_max, progress } = check;
    let version = dir.join(VERSION_FILE);
    if !version.exists() {
        if chain.marked.is_some() {
            return Err(damaged(&version, "it is missing, but there is a history"));
        }
        return Ok(Journals::default());
    }
    let journals = journal::check(dir, chain)?;
    if chain.marked.is_some() && journals.active.is_none() {
        return Err(damaged(&dir.join("*.jnl"), "the journal is missing"));
    }
    let unchecked = tables::check(dir, tables_bytes_max, progress)?;
    if unchecked > 0 {
        tracing::debug!(bytes = unchecked, "tables left to be checked as they are read");
    }
    Ok(journals)
}

fn engine_error(operation: &'static str, dir: &Path, error: fjall::Error) -> EngineError {
    match error {
        fjall::Error::Poisoned => EngineError::Poisoned,
        fjall::Error::InvalidVersion(_) => {
            damaged(&dir.join(VERSION_FILE), "it does not name the format of this version")
        }
        fjall::Error::JournalRecovery(what) => damaged(dir, &what.to_string()),
        fjall::Error::Storage(
            what @ (fjall::LsmError::ChecksumMismatch { .. }
            | fjall::LsmError::Unrecoverable
            | fjall::LsmError::InvalidTag(_)
            | fjall::LsmError::InvalidTrailer
            | fjall::LsmError::InvalidHeader(_)),
        ) => damaged(dir, &what.to_string()),
        other => failed(operation, dir, other),
    }
}

/// The engine does not say which file is damaged: look for it.
fn read_error(dir: &Path, error: fjall::Error) -> EngineError {
    let error = engine_error("read", dir, error);
    match tables::check(dir, u64::MAX, &mut |_, _| {}) {
        // A table that is gone by now was only compacted away meanwhile.
        Err(EngineError::Damaged { file, what }) if file.exists() => {
            EngineError::Damaged { file, what }
        }
        _ => error,
    }
}

impl FjallStore {
    fn visit_rows(
        &self,
        rows: impl Iterator<Item = Guard>,
        visit: &mut Visit<'_>,
    ) -> Result<(), EngineError> {
        for guard in rows {
            let (key, value) = guard.into_inner().map_err(|error| read_error(&self.dir, error))?;
            if visit(&key, &value).is_break() {
                break;
            }
        }
        Ok(())
    }
}

impl FjallStore {
    /// Whether the engine would soon halt writers.
    fn is_behind(&self) -> bool {
        self.keyspace.sealed_memtable_count() >= TO_FLUSH_MANY
            || self.keyspace.tree.l0_run_count() >= TO_MERGE_MANY
    }
}

impl Store for FjallStore {
    fn get(&self, key: &[u8]) -> Result<Option<Bytes>, EngineError> {
        let _reading = self.merger.readers().enter();
        match self.keyspace.get(key) {
            Ok(value) => Ok(value.map(|value| Bytes::copy_from_slice(&value))),
            Err(error) => Err(read_error(&self.dir, error)),
        }
    }

    fn visit(
        &self,
        first: &[u8],
        last: &[u8],
        from: End,
        visit: &mut Visit<'_>,
    ) -> Result<(), EngineError> {
        let _reading = self.merger.readers().enter();
        let rows = self.keyspace.range(first..=last);
        match from {
            End::First => self.visit_rows(rows, visit),
            End::Last => self.visit_rows(rows.rev(), visit),
        }
    }

    fn batch(&self) -> Box<dyn WriteBatch + '_> {
        Box::new(Rows { store: self, batch: self.database.batch(), bytes: 0 })
    }

    fn sync(&self) -> Result<(), EngineError> {
        self.database
            .persist(PersistMode::SyncData)
            .map_err(|error| engine_error("sync", &self.dir, error))
    }

    fn position(&self) -> u64 {
        self.database.seqno()
    }

    fn begin_table(&self) -> Result<(), EngineError> {
        self.memtable.begun();
        match self.keyspace.rotate_memtable() {
            Ok(_) => {
                self.merger.table_is_begun();
                Ok(())
            }
            Err(error) => Err(engine_error("begin a table", &self.dir, error)),
        }
    }

    fn flush(&self) -> Result<(), EngineError> {
        self.memtable.begun();
        self.keyspace
            .rotate_memtable_and_wait()
            .map_err(|error| engine_error("flush", &self.dir, error))?;
        self.merger.table_is_begun();
        Ok(())
    }
}

impl WriteBatch for Rows<'_> {
    fn insert(&mut self, key: &[u8], value: &[u8]) {
        self.bytes += row_bytes(key, value);
        self.batch.insert(&self.store.keyspace, key, value);
    }

    fn remove(&mut self, key: &[u8]) {
        self.bytes += row_bytes(key, &[]);
        self.batch.remove(&self.store.keyspace, key);
    }

    fn bytes(&self) -> u64 {
        self.bytes
    }

    fn commit(self: Box<Self>, durability: Durability) -> Result<(), EngineError> {
        let mode = match durability {
            Durability::Written => PersistMode::Buffer,
            Durability::Synced => PersistMode::SyncAll,
        };
        let Self { store, batch, bytes } = *self;
        if store.merger.has_failed() {
            return Err(EngineError::Poisoned);
        }
        // Before the batch: where the engine halts, it does so at the end of a commit.
        if store.memtable.is_full(bytes, || store.is_behind()) {
            store.begin_table()?;
        }
        batch
            .durability(Some(mode))
            .commit()
            .map_err(|error| engine_error("write a batch", &store.dir, error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(memtable_bytes: u64) -> StoreOptions {
        StoreOptions {
            name: "test",
            cache_bytes: 1 << 20,
            memtable_bytes,
            journals_bytes_max: 128 << 20,
        }
    }

    fn merging(tables: u8, table_bytes: u64) -> Leveled {
        Leveled::default().with_l0_threshold(tables).with_table_target_size(table_bytes)
    }

    /// What the engine alone ends in: tables wait that are larger than those a merge writes, and writers
    /// are halted for good at thirty of them.
    #[test]
    fn many_small_merges_keep_up_with_large_tables() {
        const MEMTABLE_BYTES: u64 = 256 << 10;
        const BATCHES: u32 = 2_000;
        let dir = tempfile::tempdir().expect("a directory");
        let options = options(MEMTABLE_BYTES);
        let merging = merging(8, MEMTABLE_BYTES / 4);
        let store = open_with(dir.path(), &options, merging).expect("an empty directory");
        // Each batch adds a row to each of a hundred runs of keys.
        let key = |run: u8, batch: u32| [&[run][..], &batch.to_be_bytes()].concat();
        for batch in 0..BATCHES {
            let mut rows = store.batch();
            for run in 0..100 {
                rows.insert(&key(run, batch), &[run; 200]);
            }
            rows.insert(b"newest", &batch.to_be_bytes());
            rows.commit(Durability::Written).expect("written");
        }
        store.flush().expect("flushed");
        // Nobody writes any more.
        store.merger.settled();
        assert!(store.keyspace.tree.l0_run_count() < 8);
        assert_eq!(
            &store.get(b"newest").expect("readable").expect("a row")[..],
            (BATCHES - 1).to_be_bytes()
        );
        let mut met = 0;
        let visited =
            store.visit(&key(7, 0), &key(7, u32::MAX), End::First, &mut |found, value| {
                assert_eq!((found, value), (&key(7, met)[..], &[7; 200][..]));
                met += 1;
                std::ops::ControlFlow::Continue(())
            });
        visited.expect("readable");
        assert_eq!(met, BATCHES);
    }

    #[test]
    fn a_failed_merge_closes_the_store_for_writing() {
        let dir = tempfile::tempdir().expect("a directory");
        let store = open_with(dir.path(), &options(1 << 20), merging(4, 1 << 20)).expect("empty");
        let write = |number: u32| {
            let mut rows = store.batch();
            // Tables that do not overlap would be moved without being read.
            rows.insert(b"key", &number.to_be_bytes());
            rows.commit(Durability::Written)
        };
        // The first goes to the last level, where nothing is yet.
        for number in 0..4 {
            write(number).expect("written");
            store.flush().expect("flushed");
            store.merger.settled();
        }
        for entry in std::fs::read_dir(dir.path().join("keyspaces/1/tables")).expect("tables") {
            let path = entry.expect("a table").path();
            let mut table = std::fs::read(&path).expect("readable");
            table[20] ^= 1;
            std::fs::write(&path, table).expect("damaged");
        }
        write(4).expect("nothing was merged yet");
        store.flush().expect("flushed");
        store.merger.settled();
        assert!(matches!(write(5), Err(EngineError::Poisoned)));
    }

    #[test]
    fn readers_find_what_is_overwritten_while_it_is_merged() {
        let dir = tempfile::tempdir().expect("a directory");
        let options = options(16 << 10);
        let merging = merging(2, 16 << 10);
        let store = open_with(dir.path(), &options, merging).expect("an empty directory");
        let write = |number: u32| {
            let mut rows = store.batch();
            for row in 0..20 {
                rows.insert(&[row], &number.to_be_bytes());
            }
            rows.commit(Durability::Written).expect("written");
        };
        write(0);
        let is_done = std::sync::atomic::AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                (1..10_000).for_each(write);
                is_done.store(true, std::sync::atomic::Ordering::Relaxed);
            });
            let mut last = [[0; 4]; 20];
            while !is_done.load(std::sync::atomic::Ordering::Relaxed) {
                let got = store.get(&[7]).expect("readable").expect("a row");
                assert!(got[..] >= last[7][..], "{got:?} after {:?}", last[7]);
                let mut met = 0;
                let visited = store.visit(&[0], &[19], End::First, &mut |row, value| {
                    let last = &mut last[usize::from(row[0])];
                    assert!(value >= &last[..], "{value:?} after {last:?}");
                    last.copy_from_slice(value);
                    met += 1;
                    std::ops::ControlFlow::Continue(())
                });
                visited.expect("readable");
                assert_eq!(met, 20);
            }
        });
    }
}
