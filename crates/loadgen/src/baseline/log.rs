//! The log of F1: written in full beforehand, then overwritten in a circle, so that a sync changes
//! no metadata.

use std::{
    fs::{File, OpenOptions},
    io::Write as _,
    os::unix::fs::{FileExt as _, OpenOptionsExt as _},
    path::PathBuf,
};

use crate::error::{Error, io};

/// What a disk writes at once, and what O_DIRECT wants addresses and sizes to be multiples of.
const BLOCK: usize = 4 << 10;
/// One turn's frames at most.
const BUFFER_BYTES: usize = 8 << 20;

/// An open log and the turn that is being collected.
#[derive(Debug)]
pub(super) struct Log {
    file: File,
    path: PathBuf,
    bytes: u64,
    position: u64,
    direct: bool,
    /// One block longer than needed, so that `start` can lie on a block's border.
    buffer: Vec<u8>,
    start: usize,
    used: usize,
    /// Records so far.
    records: u64,
}

impl Log {
    pub(super) fn create(path: PathBuf, bytes: u64, direct: bool) -> Result<Self, Error> {
        let bytes = bytes.max(BUFFER_BYTES as u64);
        let buffer = vec![0_u8; BUFFER_BYTES + BLOCK];
        let start = buffer.as_ptr().align_offset(BLOCK);
        assert!(start < BLOCK, "a byte buffer can be aligned");
        let mut file = File::create(&path).map_err(io("create the log"))?;
        let zeros = &buffer[start..start + BUFFER_BYTES];
        let mut left = bytes;
        while left > 0 {
            let part = zeros.len().min(usize::try_from(left).unwrap_or(usize::MAX));
            file.write_all(&zeros[..part]).map_err(io("fill the log"))?;
            left -= part as u64;
        }
        file.sync_all().map_err(io("sync the log"))?;
        drop(file);
        let mut options = OpenOptions::new();
        options.write(true);
        if direct {
            options.custom_flags(direct_flags());
        }
        let file = options.open(&path).map_err(io("open the log"))?;
        Ok(Self { file, path, bytes, position: 0, direct, buffer, start, used: 0, records: 0 })
    }

    /// Whether another frame fits into this turn.
    pub(super) fn has_room(&self, bytes: usize) -> bool {
        self.used + bytes <= BUFFER_BYTES
    }

    /// Adds a frame to the turn; returns its record number.
    pub(super) fn append(&mut self, frame: &[u8]) -> u64 {
        let at = self.start + self.used;
        self.buffer[at..at + frame.len()].copy_from_slice(frame);
        self.used += frame.len();
        self.records += 1;
        self.records
    }

    /// Writes the turn and waits until it is on the disk.
    pub(super) fn commit(&mut self) -> Result<(), Error> {
        if self.used == 0 {
            return Ok(());
        }
        let padded = self.used.next_multiple_of(BLOCK);
        if self.position + padded as u64 > self.bytes {
            self.position = 0;
        }
        let turn = &self.buffer[self.start..self.start + padded];
        self.file.write_all_at(turn, self.position).map_err(io("write the log"))?;
        if !self.direct {
            self.file.sync_data().map_err(io("sync the log"))?;
        }
        self.position += padded as u64;
        self.used = 0;
        Ok(())
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        // A leftover is a file in a temporary directory.
        drop(std::fs::remove_file(&self.path));
    }
}

#[cfg(target_os = "linux")]
fn direct_flags() -> i32 {
    use rustix::fs::OFlags;
    (OFlags::DIRECT | OFlags::DSYNC).bits().cast_signed()
}

#[cfg(not(target_os = "linux"))]
fn direct_flags() -> i32 {
    0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn turns_lie_behind_one_another_and_wrap_around() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let path = dir.path().join("log");
        let mut log = Log::create(path.clone(), 0, false).expect("a log");
        assert_eq!(std::fs::metadata(&path).expect("the log").len(), BUFFER_BYTES as u64);
        for (turn, letter) in [b'a', b'b'].into_iter().enumerate() {
            assert_eq!(log.append(&[letter; 200]), turn as u64 + 1);
            log.commit().expect("a commit");
        }
        let written = std::fs::read(&path).expect("the log");
        assert_eq!((written[199], written[BLOCK], written[BLOCK + 200]), (b'a', b'b', 0));
        let frame = [b'c'; 200];
        while log.has_room(frame.len()) {
            log.append(&frame);
        }
        log.commit().expect("a commit");
        let written = std::fs::read(&path).expect("the log");
        assert_eq!(written[0], b'c', "a turn that does not fit goes to the front");
        drop(log);
        assert!(!path.exists());
    }
}
