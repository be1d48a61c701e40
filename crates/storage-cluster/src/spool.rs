//! What was said while Kafka is away, on this node's own disk, until it can be appended.
//!
//! A first-in first-out queue of proposals for each partition. What [`Spool::push`] took survives a kill and a power
//! loss. What [`Spool::drop_front`] removed may come back after a power loss, so whoever appends from
//! here may append something twice: the fold drops it.
//!
//! Key: partition, number (2 and 8 bytes, big endian). The numbers of a partition are dense; they begin anew
//! where nothing is left. Value: the encoded proposal.

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt;
use std::ops::{ControlFlow, Range};
use std::path::{Path, PathBuf};

use bytes::Bytes;
use frontdesk_storage_embedded::Engine;
use frontdesk_storage_embedded::engine::{self, Durability, End, EngineError, Store, StoreOptions};
use parking_lot::Mutex;

/// The engine's name for it.
const NAME: &str = "spool";
/// What a record takes beside its bytes.
const RECORD_OVERHEAD_BYTES: u64 = 64;
const KEY_BYTES: usize = 10;
/// Memory for blocks that were read, and for writes until they are a table. It is empty most of the time.
const CACHE_BYTES: u64 = 1 << 20;
const MEMTABLE_BYTES: u64 = 8 << 20;
const JOURNALS_BYTES_MAX: u64 = 64 << 20;

/// A failed operation on the spool.
#[derive(Debug, thiserror::Error)]
pub enum SpoolError {
    /// Nothing was written; it takes more once something was dropped.
    #[error(
        "the spool in {} is full, it holds {bytes} of {bytes_max} bytes: \
         bring Kafka back, or raise the limit", dir.display()
    )]
    Full {
        /// Where.
        dir: PathBuf,
        /// What it holds.
        bytes: u64,
        /// What it may hold.
        bytes_max: u64,
    },
    /// A record that was taken is not there.
    #[error(
        "the spool in {} is damaged: record {number} of partition {partition} is missing; restore the \
         directory, or move it away and lose what is in it", dir.display()
    )]
    Damaged {
        /// Where.
        dir: PathBuf,
        /// Of which partition.
        partition: u16,
        /// Which record.
        number: u64,
    },
    /// The engine failed. After a failed write it takes nothing more until it is opened again.
    #[error("could not {operation} the spool in {}", dir.display())]
    Engine {
        /// What was tried.
        operation: &'static str,
        /// Where.
        dir: PathBuf,
        /// What the engine said.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
}

/// The queues in one directory.
pub struct Spool {
    dir: PathBuf,
    bytes_max: u64,
    store: Box<dyn Store>,
    queues: Mutex<Queues>,
}

impl fmt::Debug for Spool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Spool").field("dir", &self.dir).finish_non_exhaustive()
    }
}

/// What is there: the numbers of each partition, and the bytes of all.
#[derive(Debug, Default, Clone)]
struct Queues {
    numbers: BTreeMap<u16, Range<u64>>,
    bytes: u64,
}

impl Queues {
    /// The number of the next record of a partition.
    fn take_number(&mut self, partition: u16) -> u64 {
        let numbers = self.numbers.entry(partition).or_insert(1..1);
        numbers.end += 1;
        numbers.end - 1
    }

    /// Counts a row that is there, behind all that sort before it.
    fn count(&mut self, key: &[u8], payload: &[u8], dir: &Path) -> Result<(), SpoolError> {
        let (partition, number) = parse(key).ok_or_else(|| {
            let source = std::io::Error::other("a key has another length than those of a spool");
            SpoolError::Engine { operation: "read", dir: dir.to_owned(), source: source.into() }
        })?;
        let numbers = self.numbers.entry(partition).or_insert(number..number);
        if number != numbers.end {
            let number = numbers.end;
            return Err(SpoolError::Damaged { dir: dir.to_owned(), partition, number });
        }
        numbers.end += 1;
        self.bytes += weight(payload.len());
        Ok(())
    }
}

impl Spool {
    /// Opens the spool in `dir`, or makes an empty one there, for at most so many bytes.
    pub fn open(engine: Engine, dir: &Path, bytes_max: u64) -> Result<Self, SpoolError> {
        let options = StoreOptions {
            name: NAME,
            cache_bytes: CACHE_BYTES,
            memtable_bytes: MEMTABLE_BYTES,
            journals_bytes_max: JOURNALS_BYTES_MAX,
        };
        let store =
            engine::open(engine, dir, &options).map_err(|source| failed("open", dir, source))?;
        let queues = Mutex::new(find(&*store, dir)?);
        Ok(Self { dir: dir.to_owned(), bytes_max, store, queues })
    }

    /// Takes records, all of them or none, each behind those of its partition, and makes them durable with one sync.
    pub fn push(&self, records: &[(u16, &[u8])]) -> Result<(), SpoolError> {
        let mut queues = self.queues.lock();
        let bytes: u64 = records.iter().map(|(_, payload)| weight(payload.len())).sum();
        if queues.bytes + bytes > self.bytes_max {
            let (dir, bytes_max) = (self.dir.clone(), self.bytes_max);
            return Err(SpoolError::Full { dir, bytes: queues.bytes, bytes_max });
        }
        let mut pushed = queues.clone();
        pushed.bytes += bytes;
        let mut batch = self.store.batch();
        for (partition, payload) in records {
            let number = pushed.take_number(*partition);
            batch.insert(&key(*partition, number), payload);
        }
        let written = batch.commit(Durability::Synced);
        written.map_err(|source| failed("write", &self.dir, source))?;
        *queues = pushed;
        Ok(())
    }

    /// The oldest `limit` records of a partition, in the order in which they were pushed.
    pub fn front(&self, partition: u16, limit: usize) -> Result<Vec<Bytes>, SpoolError> {
        let Some(numbers) = self.queues.lock().numbers.get(&partition).cloned() else {
            return Ok(Vec::new());
        };
        let numbers = first(&numbers, limit);
        let mut records = Vec::new();
        let mut due = numbers.clone();
        let mut missing = None;
        self.visit(partition, &numbers, |found, payload| {
            let Some(number) = due.next() else { return ControlFlow::Break(()) };
            if *found != key(partition, number) {
                missing = Some(number);
                return ControlFlow::Break(());
            }
            records.push(Bytes::copy_from_slice(payload));
            ControlFlow::Continue(())
        })?;
        if let Some(number) = missing {
            return Err(self.damaged(partition, number));
        }
        if records.len() as u64 != numbers.end - numbers.start {
            return Err(self.damaged(partition, numbers.start + records.len() as u64));
        }
        Ok(records)
    }

    /// Removes the oldest `count` records of a partition, which are safe elsewhere.
    pub fn drop_front(&self, partition: u16, count: usize) -> Result<(), SpoolError> {
        let mut queues = self.queues.lock();
        let Some(numbers) = queues.numbers.get(&partition) else { return Ok(()) };
        let dropped = first(numbers, count);
        let left = dropped.end..numbers.end;
        let mut bytes = 0;
        // A power loss may bring them back, which is allowed: no sync.
        let mut batch = self.store.batch();
        self.visit(partition, &dropped, |key, payload| {
            bytes += weight(payload.len());
            batch.remove(key);
            ControlFlow::Continue(())
        })?;
        let written = batch.commit(Durability::Written);
        written.map_err(|source| failed("write", &self.dir, source))?;
        queues.bytes -= bytes;
        if left.is_empty() {
            queues.numbers.remove(&partition);
        } else {
            queues.numbers.insert(partition, left);
        }
        Ok(())
    }

    /// Partitions that have records, with their number.
    pub fn partitions(&self) -> Vec<(u16, u64)> {
        let queues = self.queues.lock();
        let count =
            |(partition, numbers): (&u16, &Range<u64>)| (*partition, numbers.end - numbers.start);
        queues.numbers.iter().map(count).collect()
    }

    /// How many records there are.
    pub fn records(&self) -> u64 {
        self.queues.lock().numbers.values().map(|numbers| numbers.end - numbers.start).sum()
    }

    /// What it holds, as its limit counts.
    pub fn bytes(&self) -> u64 {
        self.queues.lock().bytes
    }

    /// Visits the rows of some numbers, ascending.
    fn visit(
        &self,
        partition: u16,
        numbers: &Range<u64>,
        mut visit: impl FnMut(&[u8], &[u8]) -> ControlFlow<()>,
    ) -> Result<(), SpoolError> {
        if numbers.is_empty() {
            return Ok(());
        }
        let (first, last) = (key(partition, numbers.start), key(partition, numbers.end - 1));
        self.store
            .visit(&first, &last, End::First, &mut visit)
            .map_err(|source| failed("read", &self.dir, source))
    }

    fn damaged(&self, partition: u16, number: u64) -> SpoolError {
        SpoolError::Damaged { dir: self.dir.clone(), partition, number }
    }
}

/// Looks through all that is there.
fn find(store: &dyn Store, dir: &Path) -> Result<Queues, SpoolError> {
    let mut queues = Queues::default();
    let mut found = Ok(());
    let visited = store.visit(&[], &[0xff; KEY_BYTES + 1], End::First, &mut |key, payload| {
        found = queues.count(key, payload, dir);
        if found.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    });
    visited.map_err(|source| failed("read", dir, source))?;
    found.map(|()| queues)
}

/// The first numbers of some, at most `limit`.
fn first(numbers: &Range<u64>, limit: usize) -> Range<u64> {
    numbers.start..numbers.end.min(numbers.start.saturating_add(limit as u64))
}

fn weight(payload_bytes: usize) -> u64 {
    payload_bytes as u64 + RECORD_OVERHEAD_BYTES
}

fn key(partition: u16, number: u64) -> [u8; KEY_BYTES] {
    let mut key = [0; KEY_BYTES];
    key[..2].copy_from_slice(&partition.to_be_bytes());
    key[2..].copy_from_slice(&number.to_be_bytes());
    key
}

fn parse(key: &[u8]) -> Option<(u16, u64)> {
    let (partition, number) = key.split_first_chunk()?;
    Some((u16::from_be_bytes(*partition), u64::from_be_bytes(number.try_into().ok()?)))
}

fn failed(operation: &'static str, dir: &Path, source: EngineError) -> SpoolError {
    SpoolError::Engine { operation, dir: dir.to_owned(), source: Box::new(source) }
}
