//! The mark: how far the log is known to be synced.
//!
//! One file `mark` of 64 bytes beside the segments, overwritten in place after every sync and not
//! synced itself. After a kill it is exact, since the page cache outlives the process; after a
//! power loss it may lie behind but never ahead, since it is written after the sync it tells of.
//! A log shorter than its mark has lost acked records, and is refused.
//!
//! ```text
//!  0  8  magic "FDLOGMRK"
//!  8  4  version, 1
//! 12  4  zero
//! 16  8  index of the segment
//! 24  8  synced bytes of that segment, its header included; 0: nothing in it yet
//! 32  8  the next offset
//! 40 20  zero
//! 60  4  CRC-32C of bytes 0..60
//! ```
//! Numbers are little endian.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use frontdesk_storage::{LogError, Offset};

use super::segment::{array_at, io_error};
use crate::failpoint::{self, Point};

const MAGIC: &[u8; 8] = b"FDLOGMRK";
const VERSION: u32 = 1;
const BYTES: usize = 64;
pub(crate) const FILE: &str = "mark";

/// How far the log is synced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Mark {
    pub(crate) segment: u64,
    pub(crate) bytes: u64,
    pub(crate) next: Offset,
}

impl Mark {
    fn encode(self) -> [u8; BYTES] {
        let mut bytes = [0; BYTES];
        bytes[..8].copy_from_slice(MAGIC);
        bytes[8..12].copy_from_slice(&VERSION.to_le_bytes());
        bytes[16..24].copy_from_slice(&self.segment.to_le_bytes());
        bytes[24..32].copy_from_slice(&self.bytes.to_le_bytes());
        bytes[32..40].copy_from_slice(&self.next.to_le_bytes());
        let crc = crc32c::crc32c(&bytes[..60]);
        bytes[60..].copy_from_slice(&crc.to_le_bytes());
        bytes
    }

    /// Reads the mark of a log directory; `None` if there is none.
    pub(crate) fn read(dir: &Path) -> Result<Option<Self>, LogError> {
        let path = dir.join(FILE);
        let bytes = match std::fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(io_error("read", &path, error)),
        };
        let damaged =
            |what: &str| LogError::Corrupt { file: path.clone(), at: 0, what: what.to_owned() };
        if bytes.len() != BYTES {
            return Err(damaged("it does not have 64 bytes"));
        }
        if u32::from_le_bytes(array_at(&bytes, 60)) != crc32c::crc32c(&bytes[..60]) {
            return Err(damaged("the checksum does not match"));
        }
        if &bytes[..8] != MAGIC || u32::from_le_bytes(array_at(&bytes, 8)) != VERSION {
            return Err(damaged("it is not a mark of this version"));
        }
        Ok(Some(Self {
            segment: u64::from_le_bytes(array_at(&bytes, 16)),
            bytes: u64::from_le_bytes(array_at(&bytes, 24)),
            next: u64::from_le_bytes(array_at(&bytes, 32)),
        }))
    }
}

/// The open mark file of a running log.
#[derive(Debug)]
pub(crate) struct MarkFile {
    file: File,
    path: PathBuf,
}

impl MarkFile {
    /// Opens or creates the mark file and writes and syncs `mark`, once.
    pub(crate) fn open(dir: &Path, mark: Mark) -> Result<Self, LogError> {
        let path = dir.join(FILE);
        let file = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(|error| io_error("open", &path, error))?;
        let opened = Self { file, path };
        opened.write(mark).map_err(|error| io_error("write", &opened.path, error))?;
        opened.file.sync_all().map_err(|error| io_error("sync", &opened.path, error))?;
        Ok(opened)
    }

    /// Overwrites the mark, without a sync.
    pub(crate) fn write(&self, mark: Mark) -> io::Result<()> {
        failpoint::check(Point::LogMark, &self.path)?;
        self.file.write_all_at(&mark.encode(), 0)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }
}
