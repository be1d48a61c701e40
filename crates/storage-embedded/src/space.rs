//! Free space of the data directory and the reserve kept of it (R5).
//!
//! Below the reserve, messages and uploads are refused before any engine meets a full disk; the
//! reserve serves sign-ins, the catalog, and the history of what was already acked.

use std::io;
use std::path::Path;

use crate::failpoint;

/// How much of the disk is kept free.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reserve {
    /// Share of the whole file system, in percent.
    pub percent: u8,
    /// At least this much.
    pub bytes_min: u64,
    /// At most this much: what the reserve serves does not grow with the disk. Where it is less than `bytes_min`,
    /// `bytes_min` holds.
    pub bytes_max: u64,
}

impl Default for Reserve {
    fn default() -> Self {
        Self { percent: 5, bytes_min: 8 << 20, bytes_max: 1 << 30 }
    }
}

impl Reserve {
    /// What is kept free of a file system of `total` bytes.
    fn of(self, total: u64) -> u64 {
        let share = (total / 100).saturating_mul(u64::from(self.percent));
        share.min(self.bytes_max).max(self.bytes_min)
    }
}

/// What is free, against the reserve.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DiskSpace {
    /// Free for this process.
    pub free_bytes: u64,
    /// What must stay free.
    pub reserve_bytes: u64,
}

impl DiskSpace {
    /// Asks the file system that holds `dir`; one system call.
    pub fn of(dir: &Path, reserve: Reserve) -> io::Result<Self> {
        let stat = rustix::fs::statvfs(dir)?;
        let total = stat.f_blocks.saturating_mul(stat.f_frsize);
        let free = stat.f_bavail.saturating_mul(stat.f_frsize);
        Ok(Self {
            free_bytes: failpoint::free_bytes(dir).unwrap_or(free),
            reserve_bytes: reserve.of(total),
        })
    }

    /// What may be used before the reserve is touched.
    pub fn usable_bytes(&self) -> u64 {
        self.free_bytes.saturating_sub(self.reserve_bytes)
    }

    /// Whether the reserve is touched.
    pub fn is_short(&self) -> bool {
        self.free_bytes < self.reserve_bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reserve_of_a_large_disk_is_bounded() {
        let reserve = Reserve::default();
        assert_eq!(reserve.of(64 << 20), 8 << 20, "at least");
        assert_eq!(reserve.of(10 << 30), (10 << 30) / 100 * 5, "a share");
        assert_eq!(reserve.of(1 << 40), 1 << 30, "at most");
        assert_eq!(
            Reserve { bytes_max: 0, ..reserve }.of(1 << 40),
            8 << 20,
            "the least goes first"
        );
    }
}
