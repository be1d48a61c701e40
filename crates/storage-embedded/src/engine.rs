//! The key-value engine under the history and under the spool of a cluster: fjall, or RocksDB where the
//! feature `rocksdb` is on.
//!
//! What keys and values mean is not known here: layout, encoding and order of things stand once, in
//! `history` and in the spool. An engine brings a sorted map of bytes whose batches are atomic, in the
//! order of their commits; and its look at its own files before they are opened, since that is where
//! engines differ most.
//!
//! A batch is written to the system's cache when it is committed, so it survives a kill; a sync makes
//! all batches before it survive a power loss. Whatever survives is everything up to some batch.

mod fjall;
#[cfg(feature = "rocksdb")]
mod rocksdb;
#[cfg(not(feature = "rocksdb"))]
#[path = "engine/rocksdb_left_out.rs"]
mod rocksdb;

use std::error::Error;
use std::fmt;
use std::fs::OpenOptions;
use std::io::{self, Read, Seek, SeekFrom};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use bytes::Bytes;

/// Which engine keeps a directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Engine {
    /// Pure Rust, in every build.
    #[default]
    Fjall,
    /// C++; in a build with the feature `rocksdb` only.
    RocksDb,
}

impl Engine {
    /// Every engine there is.
    pub const ALL: [Self; 2] = [Self::Fjall, Self::RocksDb];

    /// Its name in the configuration.
    pub fn name(self) -> &'static str {
        match self {
            Self::Fjall => "fjall",
            Self::RocksDb => "rocksdb",
        }
    }

    /// Whether this build has it.
    pub fn is_built(self) -> bool {
        match self {
            Self::Fjall => true,
            Self::RocksDb => rocksdb::IS_BUILT,
        }
    }

    /// The engine whose files lie in a directory; `None` if there are none of any.
    pub(crate) fn of(dir: &Path) -> io::Result<Option<Self>> {
        let entries = match std::fs::read_dir(dir) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let mut found = None;
        for entry in entries {
            let name = entry?.file_name();
            let Some(name) = name.to_str() else { continue };
            found = found.or_else(|| Self::ALL.into_iter().find(|engine| engine.writes(name)));
        }
        Ok(found)
    }

    /// Whether a file of this name is one of this engine's, and of no other's.
    fn writes(self, name: &str) -> bool {
        match self {
            Self::Fjall => matches!(name, "version" | "keyspaces") || ends_in(name, "jnl"),
            Self::RocksDb => {
                matches!(name, "CURRENT" | "IDENTITY")
                    || name.starts_with("MANIFEST-")
                    || ends_in(name, "sst")
            }
        }
    }

    /// Fails where another engine's files lie, or where this one is not built: it would begin an empty
    /// store beside them.
    fn meets(self, dir: &Path) -> Result<(), EngineError> {
        let found = Self::of(dir).map_err(|error| failed("list", dir, error))?;
        if let Some(found) = found.filter(|found| *found != self) {
            return Err(EngineError::Other { dir: dir.to_owned(), found, asked: self });
        }
        if !self.is_built() {
            return Err(EngineError::NotBuilt { dir: dir.to_owned(), engine: self });
        }
        Ok(())
    }
}

fn ends_in(name: &str, extension: &str) -> bool {
    Path::new(name).extension().is_some_and(|found| found == extension)
}

impl fmt::Display for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A failed operation of an engine.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// An earlier write or sync failed: nothing more is written until the store is opened again.
    #[error("the store is closed for writing after a failed write")]
    Poisoned,
    /// A file is damaged.
    #[error("{} is damaged: {what}", file.display())]
    Damaged {
        /// The damaged file, or the directory if the engine does not tell which.
        file: PathBuf,
        /// What is wrong.
        what: String,
    },
    /// Another engine wrote what is there.
    #[error(
        "{} was written by the engine \"{found}\" and \"{asked}\" cannot read it: set \
         storage.embedded.engine = \"{found}\" (of a spool storage.cluster.spool_engine), or begin with an \
         empty data directory", dir.display()
    )]
    Other {
        /// Where.
        dir: PathBuf,
        /// Who wrote it.
        found: Engine,
        /// Who was to open it.
        asked: Engine,
    },
    /// This build does not have the engine.
    #[error(
        "this binary was built without the engine \"{engine}\": build it with `cargo build --release \
         -p frontdesk --features {engine}`, or set storage.embedded.engine = \"{}\" (of a spool \
         storage.cluster.spool_engine)",
        Engine::default()
    )]
    NotBuilt {
        /// Where.
        dir: PathBuf,
        /// The engine.
        engine: Engine,
    },
    /// The engine failed.
    #[error("could not {operation} in {}", path.display())]
    Failed {
        /// What was tried.
        operation: &'static str,
        /// Where.
        path: PathBuf,
        /// What the engine said.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
}

fn damaged(path: &Path, what: &str) -> EngineError {
    EngineError::Damaged { file: path.to_owned(), what: what.to_owned() }
}

fn failed(
    operation: &'static str,
    path: &Path,
    source: impl Error + Send + Sync + 'static,
) -> EngineError {
    EngineError::Failed { operation, path: path.to_owned(), source: Box::new(source) }
}

/// How a store is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoreOptions {
    /// The name of the one key space, where the engine has names.
    pub name: &'static str,
    /// Memory for blocks of tables that were read.
    pub cache_bytes: u64,
    /// Memory for writes until they are flushed to a table. Several times of it are used while tables come faster.
    pub memtable_bytes: u64,
    /// Journals on disk. Fewer than of three tables in memory, and the engine flushes small ones.
    pub journals_bytes_max: u64,
}

/// When a commit returns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// When the batch is with the system: it survives a kill of the process.
    Written,
    /// When the batch, and all before it, are on disk.
    Synced,
}

/// From which end of a range rows are visited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// Ascending.
    First,
    /// Descending.
    Last,
}

/// What is called with key and value of each row.
pub type Visit<'a> = dyn FnMut(&[u8], &[u8]) -> ControlFlow<()> + 'a;

/// An open directory: a sorted map of bytes.
pub trait Store: Send + Sync {
    /// The value of a key.
    fn get(&self, key: &[u8]) -> Result<Option<Bytes>, EngineError>;

    /// Visits the rows with keys from `first` to `last`, both included, until the visitor breaks. A
    /// batch that is written meanwhile may be met, also in part.
    fn visit(
        &self,
        first: &[u8],
        last: &[u8],
        from: End,
        visit: &mut Visit<'_>,
    ) -> Result<(), EngineError>;

    /// Begins a batch.
    fn batch(&self) -> Box<dyn WriteBatch + '_>;

    /// Makes all batches that were committed survive a power loss.
    fn sync(&self) -> Result<(), EngineError>;

    /// The engine's count of writes. It rises with every batch.
    fn position(&self) -> u64;

    /// Begins a new table in memory; the one before it is written behind the caller.
    fn begin_table(&self) -> Result<(), EngineError>;

    /// Writes everything still in memory to a table, and waits for it.
    fn flush(&self) -> Result<(), EngineError>;
}

/// Rows that are written together or not at all, in the order in which batches are committed.
pub trait WriteBatch {
    /// Sets a row.
    fn insert(&mut self, key: &[u8], value: &[u8]);

    /// Removes a row.
    fn remove(&mut self, key: &[u8]);

    /// What its rows take in memory until they are in a table, about.
    fn bytes(&self) -> u64;

    /// Writes all of it. After a failure it is not known whether it was written.
    fn commit(self: Box<Self>, durability: Durability) -> Result<(), EngineError>;
}

/// What a row takes in memory, about: an engine keeps its place and its version beside it.
fn row_bytes(key: &[u8], value: &[u8]) -> u64 {
    const BESIDE: usize = 64;
    (key.len() + value.len() + BESIDE) as u64
}

/// Opens the store in `dir`, or makes an empty one there.
pub fn open(
    engine: Engine,
    dir: &Path,
    options: &StoreOptions,
) -> Result<Box<dyn Store>, EngineError> {
    engine.meets(dir)?;
    match engine {
        Engine::Fjall => fjall::open(dir, options),
        Engine::RocksDb => rocksdb::open(dir, options),
    }
}

/// How a store that numbers its batches can be shown to be whole. Each batch has one row with this key:
///
/// ```text
/// number u64 LE, one above the batch before it | `Store::position` before the batch, u64 LE
/// ```
#[derive(Debug, Clone, Copy)]
pub(crate) struct Chain<'a> {
    /// The key of this row.
    pub(crate) key: &'a [u8],
    /// The newest batch known to be durable; `None` if there never was one.
    pub(crate) marked: Option<u64>,
}

/// What is to be done when a store is checked before it is opened.
pub(crate) struct Check<'a> {
    pub(crate) chain: Chain<'a>,
    /// How much of the tables is read and compared with its checksums.
    pub(crate) tables_bytes_max: u64,
    /// Called with bytes done and bytes in all.
    pub(crate) progress: &'a mut dyn FnMut(u64, u64),
}

/// Checks the files of a store before it is opened. Changes nothing that is durable.
pub(crate) fn check(engine: Engine, dir: &Path, check: Check<'_>) -> Result<Journals, EngineError> {
    engine.meets(dir)?;
    match engine {
        Engine::Fjall => fjall::check(dir, check),
        Engine::RocksDb => rocksdb::check(dir, check),
    }
}

/// The torn end of the newest journal.
#[derive(Debug, PartialEq, Eq)]
struct Torn {
    path: PathBuf,
    at: u64,
}

/// What the journals of a store hold.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Journals {
    /// The newest batch found; `None` if there is none.
    pub(crate) newest_batch: Option<u64>,
    /// Where the engine does not find by itself where it ends.
    torn: Option<Torn>,
    /// The newest journal.
    pub(crate) active: Option<PathBuf>,
}

impl Journals {
    /// Cuts the torn end of the newest journal, after it was kept beside it.
    pub(crate) fn cut_torn_end(&self) -> Result<(), EngineError> {
        let Some(torn) = &self.torn else { return Ok(()) };
        let cut = || -> io::Result<usize> {
            let mut file = OpenOptions::new().read(true).write(true).open(&torn.path)?;
            file.seek(SeekFrom::Start(torn.at))?;
            let mut rest = Vec::new();
            file.read_to_end(&mut rest)?;
            let end = rest.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
            std::fs::write(torn.path.with_extension("cut"), &rest[..end])?;
            file.set_len(torn.at)?;
            file.sync_all()?;
            Ok(end)
        };
        let bytes = cut().map_err(|error| failed("cut the torn end", &torn.path, error))?;
        tracing::warn!(
            file = %torn.path.display(),
            at = torn.at,
            bytes,
            "cut the torn end of the history's journal; the log has what it held"
        );
        Ok(())
    }

    /// Bytes position of a torn end, for reports.
    pub(crate) fn torn_at(&self) -> Option<(&Path, u64)> {
        self.torn.as_ref().map(|torn| (torn.path.as_path(), torn.at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OPTIONS: StoreOptions = StoreOptions {
        name: "test",
        cache_bytes: 1 << 20,
        memtable_bytes: 1 << 20,
        journals_bytes_max: 64 << 20,
    };

    fn built() -> impl Iterator<Item = Engine> {
        Engine::ALL.into_iter().filter(|engine| engine.is_built())
    }

    fn keys(store: &dyn Store, first: &[u8], last: &[u8], from: End, limit: usize) -> Vec<Vec<u8>> {
        let mut found = Vec::new();
        let visited = store.visit(first, last, from, &mut |key, value| {
            assert_eq!(key, value);
            found.push(key.to_vec());
            if found.len() < limit { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        });
        visited.expect("readable");
        found
    }

    #[test]
    fn rows_are_visited_from_either_end() {
        for engine in built() {
            let dir = tempfile::tempdir().expect("a directory");
            let store = open(engine, dir.path(), &OPTIONS).expect("an empty directory");
            let mut batch = store.batch();
            for key in [&b"a"[..], b"b", b"b\x00", b"c", b"d", &[0xff; 3]] {
                batch.insert(key, key);
            }
            batch.remove(b"c");
            batch.commit(Durability::Written).expect("written");
            for _ in 0..2 {
                let all = [b"a".to_vec(), b"b".into(), b"b\x00".into(), b"d".into(), vec![0xff; 3]];
                assert_eq!(keys(&*store, b"", &[0xff; 4], End::First, 9), all);
                assert_eq!(keys(&*store, b"a", b"b", End::First, 9), all[..2]);
                assert_eq!(
                    keys(&*store, b"b", b"c", End::Last, 9),
                    [b"b\x00".to_vec(), b"b".into()]
                );
                assert_eq!(keys(&*store, b"", b"d", End::Last, 1), [b"d"]);
                assert_eq!(keys(&*store, b"e", b"f", End::Last, 1), [b""; 0]);
                assert_eq!(store.get(b"b").expect("readable"), Some(Bytes::from("b")));
                assert_eq!(store.get(b"c").expect("readable"), None);
                // Once from memory, once from a table.
                store.flush().expect("flushed");
            }
        }
    }

    #[test]
    fn positions_rise() {
        for engine in built() {
            let dir = tempfile::tempdir().expect("a directory");
            let store = open(engine, dir.path(), &OPTIONS).expect("an empty directory");
            let mut last = None;
            for _ in 0..5 {
                assert!(Some(store.position()) > last, "{engine}");
                last = Some(store.position());
                let mut batch = store.batch();
                batch.insert(b"a", b"b");
                batch.commit(Durability::Synced).expect("written");
            }
        }
    }

    #[test]
    fn a_directory_of_another_engine_is_refused() {
        for engine in built() {
            let dir = tempfile::tempdir().expect("a directory");
            assert_eq!(Engine::of(dir.path()).expect("readable"), None);
            drop(open(engine, dir.path(), &OPTIONS).expect("an empty directory"));
            assert_eq!(Engine::of(dir.path()).expect("readable"), Some(engine));
            for other in Engine::ALL.into_iter().filter(|other| *other != engine) {
                let refused = open(other, dir.path(), &OPTIONS).err().expect("refused").to_string();
                let advice = format!("set storage.embedded.engine = \"{engine}\"");
                assert!(refused.contains(&advice), "{refused}");
            }
        }
    }

    #[test]
    fn an_engine_that_is_not_built_says_how_to_build_it() {
        for engine in Engine::ALL.into_iter().filter(|engine| !engine.is_built()) {
            let dir = tempfile::tempdir().expect("a directory");
            let refused = open(engine, dir.path(), &OPTIONS).err().expect("refused").to_string();
            assert!(refused.contains(&format!("--features {engine}`")), "{refused}");
            assert_eq!(std::fs::read_dir(dir.path()).expect("readable").count(), 0);
        }
    }
}
