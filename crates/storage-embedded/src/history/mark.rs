//! The mark of the history: the newest batch known to be durable.
//!
//! Like the log's mark it is overwritten after a sync and not synced itself, so it is exact after
//! a kill and never ahead. A history that comes back with an older batch has lost durable ones.
//!
//! ```text
//!  0  8  magic "FDHISMRK"
//!  8  4  version: 1 where keys lie by kind, 2 by conversation
//! 12  8  number of the batch
//! 20  4  CRC-32C of bytes 0..20
//! ```

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use frontdesk_storage::HistoryError;

use super::keys::Order;
use super::{damaged, failed};

const MAGIC: &[u8; 8] = b"FDHISMRK";
const BYTES: usize = 24;
const FILE: &str = "mark";

/// What the mark tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Mark {
    /// The number of the newest durable batch.
    pub(crate) batch: u64,
    /// How the keys of the history lie.
    pub(crate) order: Order,
}

impl Mark {
    fn encode(self) -> [u8; BYTES] {
        let version: u32 = match self.order {
            Order::ByKind => 1,
            Order::ByConversation => 2,
        };
        let mut bytes = [0; BYTES];
        bytes[..8].copy_from_slice(MAGIC);
        bytes[8..12].copy_from_slice(&version.to_le_bytes());
        bytes[12..20].copy_from_slice(&self.batch.to_le_bytes());
        let crc = crc32c::crc32c(&bytes[..20]);
        bytes[20..].copy_from_slice(&crc.to_le_bytes());
        bytes
    }
}

pub(crate) fn path_in(dir: &Path) -> PathBuf {
    dir.join(FILE)
}

/// What the mark of a directory tells; `None` if there is no mark yet.
pub(crate) fn read(dir: &Path) -> Result<Option<Mark>, HistoryError> {
    let path = path_in(dir);
    let bytes = match std::fs::read(&path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed("read the mark", &path, error)),
    };
    let Ok(bytes) = <[u8; BYTES]>::try_from(bytes) else {
        return Err(damaged(&path, "it does not have 24 bytes"));
    };
    let batch = u64::from_le_bytes(bytes[12..20].try_into().expect("8 of 24 bytes"));
    let marks = Order::ALL.into_iter().map(|order| Mark { batch, order });
    match { marks }.find(|mark| mark.encode() == bytes) {
        Some(mark) => Ok(Some(mark)),
        None => Err(damaged(&path, "it is not a mark of this version, or its checksum is wrong")),
    }
}

/// The open mark of a running history.
#[derive(Debug)]
pub(crate) struct MarkFile {
    file: File,
    mark: Mark,
}

impl MarkFile {
    /// Opens or creates the mark, and writes and syncs it once.
    pub(crate) fn open(dir: &Path, mark: Mark) -> io::Result<Self> {
        let file =
            OpenOptions::new().write(true).create(true).truncate(false).open(path_in(dir))?;
        file.write_all_at(&mark.encode(), 0)?;
        file.sync_all()?;
        File::open(dir)?.sync_all()?;
        Ok(Self { file, mark })
    }

    /// Moves the mark forward.
    pub(crate) fn advance(&mut self, batch: u64) -> io::Result<()> {
        if batch > self.mark.batch {
            let mark = Mark { batch, ..self.mark };
            self.file.write_all_at(&mark.encode(), 0)?;
            self.mark = mark;
        }
        Ok(())
    }
}
