//! The engine RocksDB, in builds with the feature `rocksdb`.
//!
//! It keeps a checksum for every record of its journals (`NNNNNN.log`) and manifests and for every block of
//! its tables (`NNNNNN.sst`), and tells which file is damaged. Two things it takes for normal that are not:
//! it begins an empty store where `CURRENT` is missing, and it ends a journal at the first record that it
//! cannot read, whatever was synced behind it. Opening also writes what the journals hold to a table
//! and removes them, damaged or not. So a store is first opened for reading only, which replays the journals
//! and changes nothing, and its newest batch is compared with the one known to be durable.
//!
//! No compression: entries are small and there is none on fjall either, so that no library for it is built.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use frontdesk_storage::background;
use rocksdb::{
    BlockBasedOptions, Cache, DB, DBCompressionType, DBRecoveryMode, ErrorKind, FlushOptions,
    LogLevel, Options, ReadOptions, WriteBatch as RowsOfRocksDb, WriteOptions,
};

use super::{
    Check, Durability, End, EngineError, Journals, Store, StoreOptions, Visit, WriteBatch, damaged,
    failed, row_bytes,
};
use crate::dirs;

pub(super) const IS_BUILT: bool = true;

/// Names the newest manifest; written last when a store is created.
const CURRENT_FILE: &str = "CURRENT";
/// As on fjall, and for the same reason.
const L0_TABLES: i32 = 8;
/// One thread flushes, one compacts.
const BACKGROUND_JOBS: i32 = 2;
/// Of a filter for keys that are not in a table: one in a hundred is looked for in vain.
const FILTER_BITS_PER_KEY: f64 = 10.0;
/// The engine's own log beside the tables (`LOG`): warnings, two files of it.
const ENGINE_LOG_BYTES: usize = 1 << 20;
/// Read at once where all tables are read.
const READAHEAD_BYTES: usize = 1 << 20;
const CHECK_CACHE_BYTES: usize = 1 << 20;

struct RocksStore {
    dir: Box<Path>,
    database: DB,
}

struct Rows<'a> {
    store: &'a RocksStore,
    batch: RowsOfRocksDb,
    bytes: u64,
}

pub(super) fn open(dir: &Path, options: &StoreOptions) -> Result<Box<dyn Store>, EngineError> {
    dirs::create(dir).map_err(|error| failed("create", dir, error))?;
    let mut tuned = common(options.cache_bytes as usize);
    tuned.create_if_missing(true);
    tuned.set_write_buffer_size(options.memtable_bytes as usize);
    tuned.set_max_total_wal_size(options.journals_bytes_max);
    tuned.set_level_zero_file_num_compaction_trigger(L0_TABLES);
    tuned.set_max_background_jobs(BACKGROUND_JOBS);
    tuned.set_log_level(LogLevel::Warn);
    tuned.set_max_log_file_size(ENGINE_LOG_BYTES);
    tuned.set_keep_log_file_num(2);
    tuned.set_stats_dump_period_sec(0);
    tuned.set_stats_persist_period_sec(0);
    // On a thread of low priority: the engine's threads take after whoever starts them.
    let open = || {
        background::lower_priority();
        DB::open(&tuned, dir)
    };
    let opened = std::thread::scope(|scope| match scope.spawn(open).join() {
        Ok(opened) => opened,
        Err(panic) => std::panic::resume_unwind(panic),
    });
    let database = opened.map_err(|error| engine_error("open the store", dir, error))?;
    Ok(Box::new(RocksStore { dir: dir.into(), database }))
}

/// What is the same for reading and for writing.
fn common(cache_bytes: usize) -> Options {
    let mut tables = BlockBasedOptions::default();
    tables.set_block_cache(&Cache::new_lru_cache(cache_bytes));
    tables.set_bloom_filter(FILTER_BITS_PER_KEY, false);
    let mut options = Options::default();
    options.set_block_based_table_factory(&tables);
    options.set_compression_type(DBCompressionType::None);
    // What a power loss took of a journal ends it; the mark tells whether too much is gone.
    options.set_wal_recovery_mode(DBRecoveryMode::PointInTime);
    options
}

pub(super) fn check(dir: &Path, check: Check<'_>) -> Result<Journals, EngineError> {
    let Check { chain, tables_bytes_max, progress } = check;
    let current = dir.join(CURRENT_FILE);
    if !current.exists() {
        if chain.marked.is_some() {
            return Err(damaged(&current, "it is missing, but there is a history"));
        }
        return Ok(Journals::default());
    }
    let database = DB::open_for_read_only(&common(CHECK_CACHE_BYTES), dir, false)
        .map_err(|error| engine_error("read the store", dir, error))?;
    let store = RocksStore { dir: dir.into(), database };
    let newest_batch = match store.get(chain.key)? {
        Some(row) => {
            let number = row.first_chunk().ok_or_else(|| damaged(dir, "the batch number"))?;
            Some(u64::from_le_bytes(*number))
        }
        None => None,
    };
    let active = newest_journal(dir)?;
    if newest_batch < chain.marked.filter(|marked| *marked > 0) {
        let file = active.unwrap_or_else(|| dir.join("*.log"));
        return Err(damaged(&file, "durable batches are missing or damaged"));
    }
    store.check_tables(tables_bytes_max, progress)?;
    Ok(Journals { newest_batch, torn: None, active })
}

fn newest_journal(dir: &Path) -> Result<Option<PathBuf>, EngineError> {
    let mut newest = None;
    for entry in std::fs::read_dir(dir).map_err(|error| failed("list", dir, error))? {
        let path = entry.map_err(|error| failed("list", dir, error))?.path();
        if path.extension().is_some_and(|extension| extension == "log") {
            // Their numbers have the same length.
            newest = newest.max(Some(path));
        }
    }
    Ok(newest)
}

fn engine_error(operation: &'static str, dir: &Path, error: rocksdb::Error) -> EngineError {
    let is_missing = error.as_ref().contains("No such file or directory");
    match error.kind() {
        ErrorKind::Corruption => damaged(&named(dir, error.as_ref()), error.as_ref()),
        ErrorKind::IOError if is_missing => damaged(&named(dir, error.as_ref()), "it is missing"),
        _ => failed(operation, dir, error),
    }
}

/// The file of the store that a message names; the directory if it names none.
fn named(dir: &Path, message: &str) -> PathBuf {
    let file = |word: &str| {
        let path = Path::new(word.trim_end_matches(['.', ',', ':', ';', ')']));
        path.strip_prefix(dir).is_ok_and(|name| name != Path::new("")).then(|| path.to_owned())
    };
    if let Some(file) = message.split_whitespace().find_map(file) {
        return file;
    }
    if message.contains(CURRENT_FILE) { dir.join(CURRENT_FILE) } else { dir.to_owned() }
}

impl RocksStore {
    fn read_error(&self, error: rocksdb::Error) -> EngineError {
        engine_error("read", &self.dir, error)
    }

    /// Reads every block of all tables, unless they are larger than that.
    fn check_tables(
        &self,
        bytes_max: u64,
        progress: &mut dyn FnMut(u64, u64),
    ) -> Result<(), EngineError> {
        let files = self.database.live_files().map_err(|error| self.read_error(error))?;
        let total: u64 = files.iter().map(|file| file.size as u64).sum();
        if total > bytes_max {
            tracing::debug!(bytes = total, "tables left to be checked as they are read");
            return Ok(());
        }
        let mut options = ReadOptions::default();
        options.fill_cache(false);
        options.set_readahead_size(READAHEAD_BYTES);
        let mut done = 0;
        self.visit_rows(options, End::First, &mut |key, value| {
            done += (key.len() + value.len()) as u64;
            progress(done.min(total), total);
            ControlFlow::Continue(())
        })
    }

    fn visit_rows(
        &self,
        options: ReadOptions,
        from: End,
        visit: &mut Visit<'_>,
    ) -> Result<(), EngineError> {
        let mut rows = self.database.raw_iterator_opt(options);
        match from {
            End::First => rows.seek_to_first(),
            End::Last => rows.seek_to_last(),
        }
        while let Some((key, value)) = rows.item() {
            if visit(key, value).is_break() {
                return Ok(());
            }
            match from {
                End::First => rows.next(),
                End::Last => rows.prev(),
            }
        }
        rows.status().map_err(|error| self.read_error(error))
    }
}

impl Store for RocksStore {
    fn get(&self, key: &[u8]) -> Result<Option<Bytes>, EngineError> {
        match self.database.get_pinned(key) {
            Ok(value) => Ok(value.map(|value| Bytes::copy_from_slice(&value))),
            Err(error) => Err(self.read_error(error)),
        }
    }

    fn visit(
        &self,
        first: &[u8],
        last: &[u8],
        from: End,
        visit: &mut Visit<'_>,
    ) -> Result<(), EngineError> {
        // The engine excludes the upper bound; nothing lies between a key and the same with a zero behind it.
        let behind = [last, &[0]].concat();
        let mut options = ReadOptions::default();
        options.set_iterate_lower_bound(first);
        options.set_iterate_upper_bound(behind);
        self.visit_rows(options, from, visit)
    }

    fn batch(&self) -> Box<dyn WriteBatch + '_> {
        Box::new(Rows { store: self, batch: RowsOfRocksDb::default(), bytes: 0 })
    }

    fn sync(&self) -> Result<(), EngineError> {
        self.database.flush_wal(true).map_err(|error| engine_error("sync", &self.dir, error))
    }

    fn position(&self) -> u64 {
        self.database.latest_sequence_number()
    }

    fn begin_table(&self) -> Result<(), EngineError> {
        let mut options = FlushOptions::default();
        options.set_wait(false);
        self.database
            .flush_opt(&options)
            .map_err(|error| engine_error("begin a table", &self.dir, error))
    }

    fn flush(&self) -> Result<(), EngineError> {
        self.database
            .flush_opt(&FlushOptions::default())
            .map_err(|error| engine_error("flush", &self.dir, error))
    }
}

impl WriteBatch for Rows<'_> {
    fn insert(&mut self, key: &[u8], value: &[u8]) {
        self.bytes += row_bytes(key, value);
        self.batch.put(key, value);
    }

    fn remove(&mut self, key: &[u8]) {
        self.bytes += row_bytes(key, &[]);
        self.batch.delete(key);
    }

    fn bytes(&self) -> u64 {
        self.bytes
    }

    fn commit(self: Box<Self>, durability: Durability) -> Result<(), EngineError> {
        let mut options = WriteOptions::default();
        options.set_sync(durability == Durability::Synced);
        self.store
            .database
            .write_opt(self.batch, &options)
            .map_err(|error| engine_error("write a batch", &self.store.dir, error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_of_the_engine_name_their_file() {
        let dir = Path::new("/data/history");
        for (message, file) in [
            (
                "Corruption: block checksum mismatch: stored = 1, computed = 2, type = 4  in \
                 /data/history/000008.sst offset 0 size 1500",
                "/data/history/000008.sst",
            ),
            (
                "IO error: No such file or directory: While open a file for random read: \
                 /data/history/000008.sst: No such file or directory",
                "/data/history/000008.sst",
            ),
            (
                "Corruption: checksum mismatch The file /data/history/MANIFEST-000005 may be corrupted.",
                "/data/history/MANIFEST-000005",
            ),
            ("Corruption: CURRENT file does not end with newline", "/data/history/CURRENT"),
            ("Corruption: truncated record body", "/data/history"),
        ] {
            assert_eq!(named(dir, message), Path::new(file));
        }
    }
}
