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
}

impl Default for Reserve {
    fn default() -> Self {
        Self { percent: 5, bytes_min: 8 << 20 }
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
            reserve_bytes: (total / 100)
                .saturating_mul(u64::from(reserve.percent))
                .max(reserve.bytes_min),
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
