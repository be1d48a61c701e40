//! Checks the engine's journals before the engine sees them.
//!
//! fjall 3 cuts a journal at the first thing it cannot read, wherever that is, and replays the
//! journals behind it all the same; the checksum of a batch does not cover its sequence number. A
//! flipped bit could so drop batches from the middle without a word. Therefore every batch of ours
//! carries its number, one above the batch before it, and a floor for the engine's sequence
//! number, and all journals are read here first:
//!
//! - a sealed journal must be whole;
//! - batch numbers must be dense and sequence numbers rising, over all journals;
//! - the newest journal may end in a torn batch, but not before the batch the mark tells of. The
//!   torn end is kept in a file beside it (`.cut`) and cut off.
//!
//! ```text
//! batch: 1 u8 | items u32 | sequence number u64            (numbers are little endian)
//!        items * ( 2 u8 | value type u8 | compression u8 | keyspace u64 | key bytes u16
//!                  | value bytes u32 | stored bytes u32 | key | value )
//!        3 u8 | XXH3-64 of all items u64 | "FJL" 3 u8
//! ```

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use xxhash_rust::xxh3::xxh3_64;

use super::super::{Chain, EngineError, Journals, Torn, damaged, failed};

const START: u8 = 1;
const ITEM: u8 = 2;
const END: u8 = 3;
const TRAILER: &[u8] = b"FJL\x03";
/// Flushes and compactions take sequence numbers too, but never this many between two batches.
const SEQUENCE_JUMP_MAX: u64 = 1 << 32;

/// A cursor that fails at the end instead of panicking.
struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
    /// It failed at the end.
    is_short: bool,
}

impl<'a> Cursor<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let taken = self.bytes[self.at..].get(..count);
        self.is_short = taken.is_none();
        self.at += taken.map_or(0, <[u8]>::len);
        taken
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.try_into().ok()
    }

    fn u8(&mut self) -> Option<u8> {
        self.array().map(u8::from_le_bytes)
    }

    fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_le_bytes)
    }

    fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_le_bytes)
    }
}

/// One batch, as far as it matters here.
struct ReadBatch {
    sequence: u64,
    number: u64,
    sequence_floor: u64,
}

/// Reads one batch; `None` if there is no whole batch of ours here.
fn read_batch(cursor: &mut Cursor<'_>, chain_key: &[u8]) -> Option<ReadBatch> {
    if cursor.u8()? != START {
        return None;
    }
    let items = cursor.u32()?;
    let sequence = cursor.u64()?;
    let first = cursor.at;
    let mut chain = None;
    for _ in 0..items {
        if cursor.u8()? != ITEM {
            return None;
        }
        let [_value_type, compression] = cursor.array()?;
        let _keyspace = cursor.u64()?;
        let key_bytes = u16::from_le_bytes(cursor.array()?);
        let value_bytes = cursor.u32()?;
        let stored_bytes = cursor.u32()?;
        let key = cursor.take(usize::from(key_bytes))?;
        let value = cursor.take(stored_bytes as usize)?;
        if compression != 0 || value_bytes != stored_bytes {
            return None;
        }
        if key == chain_key {
            chain = value.try_into().ok().map(|value: [u8; 16]| value);
        }
    }
    let checked = &cursor.bytes[first..cursor.at];
    if cursor.u8()? != END || cursor.u64()? != xxh3_64(checked) || cursor.take(4)? != TRAILER {
        return None;
    }
    let (number, floor) = chain.as_ref()?.split_at(8);
    Some(ReadBatch {
        sequence,
        number: u64::from_le_bytes(number.try_into().ok()?),
        sequence_floor: u64::from_le_bytes(floor.try_into().ok()?),
    })
}

/// Compares block by block: a journal is prepared with 64 MiB of zeros.
fn is_zero(bytes: &[u8]) -> bool {
    const ZEROS: [u8; 4096] = [0; 4096];
    bytes.chunks(ZEROS.len()).all(|chunk| *chunk == ZEROS[..chunk.len()])
}

/// A journal that is read in pieces: after a peak it has more than a hundred megabytes.
struct Journal {
    file: File,
    /// Of the file, from `first` on.
    bytes: Vec<u8>,
    first: u64,
    /// How far they were read.
    done: usize,
}

impl Journal {
    const PIECE_BYTES: usize = 1 << 20;

    fn open(path: &Path) -> io::Result<Self> {
        Ok(Self { file: File::open(path)?, bytes: Vec::new(), first: 0, done: 0 })
    }

    /// Where the next batch begins.
    fn position(&self) -> u64 {
        self.first + self.done as u64
    }

    /// The next batch; `None` where no whole one of ours follows.
    fn next(&mut self, chain_key: &[u8]) -> io::Result<Option<ReadBatch>> {
        loop {
            let mut cursor = Cursor { bytes: &self.bytes[self.done..], at: 0, is_short: false };
            let batch = read_batch(&mut cursor, chain_key);
            if batch.is_some() || !cursor.is_short {
                self.done += if batch.is_some() { cursor.at } else { 0 };
                return Ok(batch);
            }
            if !self.read_on()? {
                return Ok(None);
            }
        }
    }

    /// Reads as much again as is left, so that a large batch is not looked at over and over. False at the end.
    fn read_on(&mut self) -> io::Result<bool> {
        self.bytes.drain(..self.done);
        self.first += self.done as u64;
        self.done = 0;
        let more = self.bytes.len().max(Self::PIECE_BYTES);
        Ok((&self.file).take(more as u64).read_to_end(&mut self.bytes)? > 0)
    }

    /// Whether nothing but zeros follows.
    fn ends_in_zeros(&mut self) -> io::Result<bool> {
        loop {
            if !is_zero(&self.bytes[self.done..]) {
                return Ok(false);
            }
            self.done = self.bytes.len();
            if !self.read_on()? {
                return Ok(true);
            }
        }
    }
}

fn list(dir: &Path) -> Result<Vec<(u64, PathBuf)>, EngineError> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir).map_err(|error| failed("list", dir, error))? {
        let path = entry.map_err(|error| failed("list", dir, error))?.path();
        if path.extension().is_some_and(|extension| extension == "jnl") {
            let number = path.file_stem().and_then(|stem| stem.to_str()?.parse().ok());
            let number =
                number.ok_or_else(|| damaged(&path, "its name is not that of a journal"))?;
            found.push((number, path));
        }
    }
    found.sort_unstable();
    Ok(found)
}

/// Reads all journals. Changes nothing.
pub(super) fn check(dir: &Path, chain: Chain<'_>) -> Result<Journals, EngineError> {
    let marked = chain.marked.unwrap_or(0);
    let files = list(dir)?;
    let mut found = Journals::default();
    let mut last_sequence: Option<u64> = None;
    let mut last_number: Option<u64> = None;
    for (position, (_, path)) in files.iter().enumerate() {
        let unread = |error| failed("read", path, error);
        let mut journal = Journal::open(path).map_err(unread)?;
        let end = loop {
            let at = journal.position();
            let Some(batch) = journal.next(chain.key).map_err(unread)? else { break at };
            let rises = last_sequence.is_none_or(|last| {
                last < batch.sequence && batch.sequence - last < SEQUENCE_JUMP_MAX
            });
            if !rises
                || batch.sequence < batch.sequence_floor
                || batch.sequence - batch.sequence_floor >= SEQUENCE_JUMP_MAX
            {
                let what = format!("the sequence number of the batch at byte {at} is wrong");
                return Err(damaged(path, &what));
            }
            if last_number.is_some_and(|last| last + 1 != batch.number) {
                let what = format!("batches are missing before byte {at}");
                return Err(damaged(path, &what));
            }
            last_sequence = Some(batch.sequence);
            last_number = Some(batch.number);
        };
        let clean = journal.ends_in_zeros().map_err(unread)?;
        let is_active = position + 1 == files.len();
        if !clean && !is_active {
            return Err(damaged(path, &format!("there is no whole batch at byte {end}")));
        }
        if is_active {
            if last_number.is_some_and(|last| last < marked) {
                let what = format!("durable batches are missing or damaged at byte {end}");
                return Err(damaged(path, &what));
            }
            if !clean {
                found.torn = Some(Torn { path: path.clone(), at: end });
            }
            found.active = Some(path.clone());
        }
    }
    found.newest_batch = last_number;
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHAIN_KEY: &[u8] = b"chain";

    /// A batch as the engine writes it: a row of so many bytes, and the row of the chain.
    fn batch(number: u64, value_bytes: usize) -> Vec<u8> {
        let chain = [number.to_le_bytes(), number.to_le_bytes()].concat();
        let rows = [(&b"row"[..], vec![7; value_bytes]), (CHAIN_KEY, chain)];
        let mut items = Vec::new();
        for (key, value) in &rows {
            items.extend([ITEM, 0, 0]);
            items.extend(1_u64.to_le_bytes());
            items.extend((key.len() as u16).to_le_bytes());
            items.extend((value.len() as u32).to_le_bytes());
            items.extend((value.len() as u32).to_le_bytes());
            items.extend(*key);
            items.extend(value);
        }
        let mut batch = vec![START];
        batch.extend((rows.len() as u32).to_le_bytes());
        batch.extend(number.to_le_bytes());
        batch.extend(&items);
        batch.push(END);
        batch.extend(xxh3_64(&items).to_le_bytes());
        batch.extend(TRAILER);
        batch
    }

    fn written(bytes: &[u8]) -> (tempfile::TempDir, Journals) {
        let dir = tempfile::tempdir().expect("a directory");
        std::fs::write(dir.path().join("0.jnl"), bytes).expect("written");
        let chain = Chain { key: CHAIN_KEY, marked: None };
        let journals = check(dir.path(), chain).expect("a journal that may end so");
        (dir, journals)
    }

    #[test]
    fn batches_are_met_whatever_their_size() {
        let sizes = [0, 100, Journal::PIECE_BYTES - 60, 5 * Journal::PIECE_BYTES, 1, 3 << 20, 2];
        let mut bytes: Vec<u8> =
            sizes.iter().zip(1..).flat_map(|(size, number)| batch(number, *size)).collect();
        assert_eq!(written(&bytes).1.torn_at(), None);
        bytes.resize(bytes.len() + 3 * Journal::PIECE_BYTES, 0);
        let (_dir, journals) = written(&bytes);
        assert_eq!((journals.newest_batch, journals.torn_at()), (Some(7), None));
    }

    #[test]
    fn a_torn_end_is_found_behind_many_pieces() {
        let mut bytes: Vec<u8> = (1..=5).flat_map(|number| batch(number, 1 << 20)).collect();
        let whole = bytes.len() as u64;
        let torn = batch(6, 2 << 20);
        bytes.extend(&torn[..torn.len() - 1]);
        let (dir, journals) = written(&bytes);
        assert_eq!(journals.newest_batch, Some(5));
        assert_eq!(journals.torn_at().map(|(_, at)| at), Some(whole));
        journals.cut_torn_end().expect("cut");
        let length = |name| std::fs::metadata(dir.path().join(name)).expect("a file").len();
        assert_eq!(length("0.jnl"), whole);
        assert_eq!(length("0.cut"), torn.len() as u64 - 1);
    }
}
