//! What may be stored: how much room an upload asks for, the quotas it falls under, and which of them ends
//! first.

use crate::error::Error;
use crate::rows;
use crate::sql::Row;

/// What somebody has stored, or may store.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FileUsage {
    /// Files uploading or stored.
    pub files: u64,
    /// Bytes stored, and reserved by what is uploading.
    pub bytes: u64,
}

impl FileUsage {
    pub(super) fn of(row: &Row, files: &'static str, bytes: &'static str) -> Result<Self, Error> {
        Ok(Self { files: rows::number(row, files)?, bytes: rows::number(row, bytes)? })
    }

    /// A file that counted with some bytes, or not at all, now counts with others, or not at all.
    pub(super) fn moves(&mut self, was: Option<u64>, is: Option<u64>) {
        self.files = (self.files + u64::from(is.is_some())).saturating_sub(was.is_some().into());
        let bytes = self.bytes.saturating_add(is.unwrap_or_default());
        self.bytes = bytes.saturating_sub(was.unwrap_or_default());
    }
}

/// Room an upload takes while it comes in; quotas count it like a stored file's size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reserve {
    /// Of a file whose size is known.
    Exactly(u64),
    /// Of a file whose size is not known: what is left, and not more than this.
    UpTo(u64),
}

/// What may be stored at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileQuotas {
    /// By the account.
    pub account: FileUsage,
    /// By whoever uploads, where that is bounded.
    pub uploader: Option<UploaderQuota>,
}

/// What one uploader may store at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UploaderQuota {
    /// In all.
    pub ever: FileUsage,
    /// Of files whose upload began at `since_ms` or later.
    pub since: FileUsage,
    /// For example a day ago.
    pub since_ms: i64,
}

/// What one uploader has stored.
#[derive(Debug, Clone, Copy)]
pub(super) struct UploaderUsage {
    pub(super) ever: FileUsage,
    pub(super) since: FileUsage,
    pub(super) since_ms: i64,
}

/// How much may still come in.
#[derive(Debug, Clone, Copy)]
pub(super) struct Room {
    left: FileUsage,
    /// Whose quota it is: `account` or `visitor`.
    whose: &'static str,
}

impl Room {
    pub(super) fn of_account(quota: FileUsage, stored: FileUsage) -> Self {
        Self::of("account", quota, stored)
    }

    /// The narrower of this and what a visitor may store.
    pub(super) fn with_uploader(self, quota: UploaderQuota, stored: UploaderUsage) -> Self {
        self.narrower(Self::of("visitor", quota.ever, stored.ever)).narrower(Self::of(
            "visitor",
            quota.since,
            stored.since,
        ))
    }

    fn of(whose: &'static str, quota: FileUsage, stored: FileUsage) -> Self {
        let left = FileUsage {
            files: quota.files.saturating_sub(stored.files),
            bytes: quota.bytes.saturating_sub(stored.bytes),
        };
        Self { left, whose }
    }

    /// The one that ends first: what is full, then what has fewer bytes left.
    fn narrower(self, other: Self) -> Self {
        let rank = |room: &Self| (room.left.files.min(1), room.left.bytes);
        if rank(&other) < rank(&self) { other } else { self }
    }

    /// The bytes an upload gets, and whose quota made them fewer than it asked for.
    pub(super) fn take(self, reserve: Reserve) -> Result<(u64, Option<&'static str>), Error> {
        let (bytes, bounded_by) = match reserve {
            Reserve::Exactly(bytes) => (bytes, None),
            Reserve::UpTo(bytes) if bytes <= self.left.bytes => (bytes, None),
            Reserve::UpTo(_) => (self.left.bytes, Some(self.whose)),
        };
        if self.left.files == 0 || self.left.bytes == 0 || bytes > self.left.bytes {
            return Err(Error::Quota { whose: self.whose });
        }
        Ok((bytes, bounded_by))
    }
}
