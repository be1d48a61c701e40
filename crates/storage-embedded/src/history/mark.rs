//! The mark of the history: the newest batch known to be durable.
//!
//! Like the log's mark it is overwritten after a sync and not synced itself, so it is exact after
//! a kill and never ahead. A history that comes back with an older batch has lost durable ones.
//!
//! ```text
//!  0  8  magic "FDHISMRK"
//!  8  4  version, 1
//! 12  8  number of the batch
//! 20  4  CRC-32C of bytes 0..20
//! ```

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use frontdesk_storage::HistoryError;

use super::{damaged, failed};

const MAGIC: &[u8; 8] = b"FDHISMRK";
const VERSION: u32 = 1;
const BYTES: usize = 24;
const FILE: &str = "mark";

fn encode(batch: u64) -> [u8; BYTES] {
    let mut bytes = [0; BYTES];
    bytes[..8].copy_from_slice(MAGIC);
    bytes[8..12].copy_from_slice(&VERSION.to_le_bytes());
    bytes[12..20].copy_from_slice(&batch.to_le_bytes());
    let crc = crc32c::crc32c(&bytes[..20]);
    bytes[20..].copy_from_slice(&crc.to_le_bytes());
    bytes
}

pub(crate) fn path_in(dir: &Path) -> PathBuf {
    dir.join(FILE)
}

/// The number of the newest durable batch; `None` if there is no mark yet.
pub(crate) fn read(dir: &Path) -> Result<Option<u64>, HistoryError> {
    let path = path_in(dir);
    let bytes = match std::fs::read(&path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed("read the mark", &path, error)),
    };
    let Ok(bytes) = <[u8; BYTES]>::try_from(bytes) else {
        return Err(damaged(&path, "it does not have 24 bytes"));
    };
    let number = bytes[12..20].try_into().expect("8 of 24 bytes");
    let number = u64::from_le_bytes(number);
    if bytes != encode(number) {
        return Err(damaged(&path, "it is not a mark of this version, or its checksum is wrong"));
    }
    Ok(Some(number))
}

/// The open mark of a running history.
#[derive(Debug)]
pub(crate) struct MarkFile {
    file: File,
    pub(crate) batch: u64,
}

impl MarkFile {
    /// Opens or creates the mark, and writes and syncs it once.
    pub(crate) fn open(dir: &Path, batch: u64) -> io::Result<Self> {
        let file =
            OpenOptions::new().write(true).create(true).truncate(false).open(path_in(dir))?;
        file.write_all_at(&encode(batch), 0)?;
        file.sync_all()?;
        File::open(dir)?.sync_all()?;
        Ok(Self { file, batch })
    }

    /// Moves the mark forward.
    pub(crate) fn advance(&mut self, batch: u64) -> io::Result<()> {
        if batch > self.batch {
            self.file.write_all_at(&encode(batch), 0)?;
            self.batch = batch;
        }
        Ok(())
    }
}
