//! One segment file: its exact layout, and reading it without trusting it.
//!
//! A log directory holds `{index:010}.seg`, indexes without gap, and the [`mark`](super::mark). A
//! segment is written full of zeros when it is prepared, so that later appends need neither space
//! nor file system metadata; one whose header is still zero is a spare. Records follow the header
//! densely, in the order of their offsets, up to a run of zeros or the end of the file.
//!
//! ```text
//! header, 64 bytes                      record, 20 bytes + payload
//!  0  8  magic "FDLOGSEG"                0  4  CRC-32C of all that follows, seeded with base, salt
//!  8  4  version, 1                      4  4  payload bytes
//! 12  4  flags: 1 = asynchronous         8  4  index: offset - base
//! 16  8  base: offset of record 0       12  4  index of the first record of the same append
//! 24  8  bytes of the file              16  2  partition
//! 32  8  salt: random                   18  2  kind, 0x5246
//! 40 20  zero                           20  n  payload
//! 60  4  CRC-32C of bytes 0..60
//! ```
//! Numbers are little endian. The seed binds a record to its segment, and nobody
//! can send a payload that would pass for a record. The append's first index
//! tells a torn append from damage: pages of an append that was never synced may reach the disk in
//! any order, so a valid record behind a bad one is damage only if it belongs to a later append,
//! since that one began after the bad record had been synced.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use frontdesk_storage::{LogError, Offset, Record};

const MAGIC: &[u8; 8] = b"FDLOGSEG";
const VERSION: u32 = 1;
const FLAG_ASYNC: u32 = 1;
const KIND: u16 = 0x5246;
const CHUNK_BYTES: usize = 256 << 10;
static ZEROS: [u8; CHUNK_BYTES] = [0; CHUNK_BYTES];

pub(crate) const HEADER_BYTES: u64 = 64;
pub(crate) const RECORD_HEADER_BYTES: u64 = 20;
/// The largest payload: a frame is at most 1 MiB, and a proposal is smaller than its frame.
pub(crate) const PAYLOAD_BYTES_MAX: u64 = 1 << 20;

/// What heads a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) base: Offset,
    pub(crate) file_bytes: u64,
    pub(crate) asynchronous: bool,
    pub(crate) salt: u64,
}

impl Header {
    pub(crate) fn encode(self) -> [u8; HEADER_BYTES as usize] {
        let mut bytes = [0; HEADER_BYTES as usize];
        let flags = if self.asynchronous { FLAG_ASYNC } else { 0 };
        bytes[..8].copy_from_slice(MAGIC);
        bytes[8..12].copy_from_slice(&VERSION.to_le_bytes());
        bytes[12..16].copy_from_slice(&flags.to_le_bytes());
        bytes[16..24].copy_from_slice(&self.base.to_le_bytes());
        bytes[24..32].copy_from_slice(&self.file_bytes.to_le_bytes());
        bytes[32..40].copy_from_slice(&self.salt.to_le_bytes());
        let crc = crc32c::crc32c(&bytes[..60]);
        bytes[60..].copy_from_slice(&crc.to_le_bytes());
        bytes
    }

    /// Reads the header of a segment; `None` for a spare.
    pub(crate) fn read(file: &File, path: &Path) -> Result<Option<Self>, LogError> {
        let mut bytes = [0; HEADER_BYTES as usize];
        if let Err(error) = file.read_exact_at(&mut bytes, 0) {
            if error.kind() == io::ErrorKind::UnexpectedEof {
                return Err(corrupt(path, 0, "it is too short for a header"));
            }
            return Err(io_error("read", path, error));
        }
        if bytes == ZEROS[..HEADER_BYTES as usize] {
            return Ok(None);
        }
        if u32::from_le_bytes(array_at(&bytes, 60)) != crc32c::crc32c(&bytes[..60]) {
            return Err(corrupt(path, 0, "the checksum of the header does not match"));
        }
        if &bytes[..8] != MAGIC {
            return Err(corrupt(path, 0, "it is not a segment"));
        }
        let version = u32::from_le_bytes(array_at(&bytes, 8));
        if version != VERSION {
            return Err(corrupt(path, 8, &format!("it has version {version}, not {VERSION}")));
        }
        let flags = u32::from_le_bytes(array_at(&bytes, 12));
        if flags & !FLAG_ASYNC != 0 {
            return Err(corrupt(path, 12, &format!("it has unknown flags {flags:#x}")));
        }
        Ok(Some(Self {
            base: u64::from_le_bytes(array_at(&bytes, 16)),
            file_bytes: u64::from_le_bytes(array_at(&bytes, 24)),
            asynchronous: flags & FLAG_ASYNC != 0,
            salt: u64::from_le_bytes(array_at(&bytes, 32)),
        }))
    }

    fn seed(self) -> u32 {
        crc32c::crc32c_append(crc32c::crc32c(&self.base.to_le_bytes()), &self.salt.to_le_bytes())
    }

    /// Appends the records of one append to `buffer`; the first has the given index.
    pub(crate) fn encode_records(self, first: u32, records: &[Record<'_>], buffer: &mut Vec<u8>) {
        let seed = self.seed();
        for (index, record) in (first..).zip(records) {
            let start = buffer.len();
            buffer.extend_from_slice(&[0; 4]);
            buffer.extend_from_slice(&(record.payload.len() as u32).to_le_bytes());
            buffer.extend_from_slice(&index.to_le_bytes());
            buffer.extend_from_slice(&first.to_le_bytes());
            buffer.extend_from_slice(&record.partition.to_le_bytes());
            buffer.extend_from_slice(&KIND.to_le_bytes());
            buffer.extend_from_slice(record.payload);
            let crc = crc32c::crc32c_append(seed, &buffer[start + 4..]);
            buffer[start..start + 4].copy_from_slice(&crc.to_le_bytes());
        }
    }
}

/// A record's fixed part, before its checksum was looked at.
struct RecordHeader {
    crc: u32,
    payload_bytes: u64,
    index: u32,
    append: u32,
    partition: u16,
}

impl RecordHeader {
    /// `None` if this cannot be the head of a record.
    fn parse(bytes: &[u8]) -> Option<Self> {
        let kind = u16::from_le_bytes(array_at(bytes, 18));
        let header = Self {
            crc: u32::from_le_bytes(array_at(bytes, 0)),
            payload_bytes: u64::from(u32::from_le_bytes(array_at(bytes, 4))),
            index: u32::from_le_bytes(array_at(bytes, 8)),
            append: u32::from_le_bytes(array_at(bytes, 12)),
            partition: u16::from_le_bytes(array_at(bytes, 16)),
        };
        let plausible = kind == KIND
            && header.payload_bytes <= PAYLOAD_BYTES_MAX
            && header.append <= header.index;
        plausible.then_some(header)
    }
}

/// What stands at the reader's place.
pub(crate) enum Step<'a> {
    /// A valid record.
    Record { index: u32, partition: u16, payload: &'a [u8] },
    /// Zeros, or the end of the file.
    End,
    /// Something else.
    Bad(&'static str),
}

/// Reads the records of one segment in order, checking each.
pub(crate) struct SegmentReader<'f> {
    file: &'f File,
    seed: u32,
    /// Where the next record begins in the file, and how many were read.
    pub(crate) at: u64,
    pub(crate) index: u32,
    limit: u64,
    buffer: Vec<u8>,
    /// File position of `buffer[0]`.
    buffered_at: u64,
}

impl<'f> SegmentReader<'f> {
    /// Reads records up to the file position `limit`.
    pub(crate) fn new(file: &'f File, header: Header, limit: u64) -> Self {
        Self {
            file,
            seed: header.seed(),
            at: HEADER_BYTES,
            index: 0,
            limit,
            buffer: Vec::new(),
            buffered_at: HEADER_BYTES,
        }
    }

    /// Makes `bytes` bytes at the current place available; false if the file ends before.
    fn fill(&mut self, bytes: u64) -> io::Result<bool> {
        if self.at + bytes > self.limit {
            return Ok(false);
        }
        if self.at + bytes <= self.buffered_at + self.buffer.len() as u64 {
            return Ok(true);
        }
        let want = bytes.max(CHUNK_BYTES as u64).min(self.limit - self.at);
        self.buffer.resize(want as usize, 0);
        self.file.read_exact_at(&mut self.buffer, self.at)?;
        self.buffered_at = self.at;
        Ok(true)
    }

    fn start(&self) -> usize {
        (self.at - self.buffered_at) as usize
    }

    /// Reads what stands at the current place; moves on only over a valid record.
    pub(crate) fn step(&mut self) -> io::Result<Step<'_>> {
        if !self.fill(RECORD_HEADER_BYTES)? {
            return Ok(Step::End);
        }
        let head = &self.buffer[self.start()..][..RECORD_HEADER_BYTES as usize];
        if *head == ZEROS[..RECORD_HEADER_BYTES as usize] {
            return Ok(Step::End);
        }
        let Some(header) = RecordHeader::parse(head) else {
            return Ok(Step::Bad("there is no record where one must begin"));
        };
        if header.index != self.index {
            return Ok(Step::Bad("the record does not follow the one before it"));
        }
        let bytes = RECORD_HEADER_BYTES + header.payload_bytes;
        if !self.fill(bytes)? {
            return Ok(Step::Bad("the record is longer than the file"));
        }
        let start = self.start();
        let record = &self.buffer[start..start + bytes as usize];
        if crc32c::crc32c_append(self.seed, &record[4..]) != header.crc {
            return Ok(Step::Bad("the checksum of the record does not match"));
        }
        self.at += bytes;
        self.index += 1;
        Ok(Step::Record {
            index: header.index,
            partition: header.partition,
            payload: &record[RECORD_HEADER_BYTES as usize..],
        })
    }
}

/// What lies behind the last valid record.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Rest {
    /// Zeros only.
    Zeros,
    /// The remains of the last append: up to the file position given, exclusive.
    Torn { until: u64 },
    /// A valid record of a later append, at the file position given.
    LaterAppend { at: u64 },
}

/// Looks at everything from the file position `from`, where record `index` should begin.
pub(crate) fn examine_rest(
    file: &File,
    header: Header,
    index: u32,
    from: u64,
    file_bytes: u64,
) -> io::Result<Rest> {
    let Some(until) = last_non_zero(file, from, file_bytes)? else {
        return Ok(Rest::Zeros);
    };
    let mut rest = vec![0; (until - from) as usize];
    file.read_exact_at(&mut rest, from)?;
    let seed = header.seed();
    let head_bytes = RECORD_HEADER_BYTES as usize;
    let kind = KIND.to_le_bytes();
    for (start, window) in rest.windows(head_bytes).enumerate() {
        if window[18..] != kind {
            continue;
        }
        let Some(head) = RecordHeader::parse(window) else { continue };
        let Some(record) = rest.get(start..start + head_bytes + head.payload_bytes as usize) else {
            continue;
        };
        let later = head.append > index;
        if later && crc32c::crc32c_append(seed, &record[4..]) == head.crc {
            return Ok(Rest::LaterAppend { at: from + start as u64 });
        }
    }
    Ok(Rest::Torn { until })
}

/// The position behind the last byte that is not zero, in `from..to`.
pub(crate) fn last_non_zero(file: &File, from: u64, to: u64) -> io::Result<Option<u64>> {
    let mut buffer = vec![0; CHUNK_BYTES];
    let mut last = None;
    let mut at = from;
    while at < to {
        let chunk = &mut buffer[..(to - at).min(CHUNK_BYTES as u64) as usize];
        file.read_exact_at(chunk, at)?;
        if *chunk != ZEROS[..chunk.len()]
            && let Some(within) = chunk.iter().rposition(|byte| *byte != 0)
        {
            last = Some(at + within as u64 + 1);
        }
        at += chunk.len() as u64;
    }
    Ok(last)
}

/// Writes zeros to `from..to`.
/// Writes zeros and syncs them chunk by chunk: given all of them at once the disk is busy for a while,
/// and the sync of the segment that is written to meanwhile waits for it.
pub(crate) fn write_zeros(file: &File, from: u64, to: u64) -> io::Result<()> {
    let mut at = from;
    while at < to {
        let bytes = (to - at).min(CHUNK_BYTES as u64);
        file.write_all_at(&ZEROS[..bytes as usize], at)?;
        file.sync_data()?;
        at += bytes;
    }
    Ok(())
}

pub(crate) fn path_of(dir: &Path, index: u64) -> PathBuf {
    dir.join(format!("{index:010}.seg"))
}

/// The segments in a log directory by index, ascending; other files are not ours.
pub(crate) fn list(dir: &Path) -> Result<Vec<(u64, PathBuf)>, LogError> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(dir).map_err(|error| io_error("list", dir, error))? {
        let path = entry.map_err(|error| io_error("list", dir, error))?.path();
        if path.extension().is_some_and(|extension| extension == "seg")
            && let Some(stem) = path.file_stem().and_then(|stem| stem.to_str())
        {
            let index =
                stem.parse().map_err(|_| corrupt(&path, 0, "its name is not that of a segment"))?;
            found.push((index, path));
        }
    }
    found.sort_unstable_by_key(|(index, _)| *index);
    Ok(found)
}

pub(crate) fn corrupt(path: &Path, at: u64, what: &str) -> LogError {
    LogError::Corrupt { file: path.to_owned(), at, what: what.to_owned() }
}

pub(crate) fn io_error(operation: &'static str, path: &Path, source: io::Error) -> LogError {
    LogError::Io { operation, path: path.to_owned(), source }
}

/// The fixed-size array at a place of a longer slice.
pub(crate) fn array_at<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    bytes[at..at + N].try_into().expect("a slice of length N is an array of length N")
}
