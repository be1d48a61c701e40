//! Failures on demand: how tests show what a failed write or sync does (R6).
//!
//! Every write and sync that acks depend on passes `check` first. Without the feature
//! `failpoints` that is nothing at all; with it, a test arms a point for one directory and the
//! n-th call there fails once. Failing once is the sharp test: a retry would succeed.

/// A place where a failure can be made to happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Point {
    /// Writing a turn's records to the segment.
    LogWrite,
    /// The sync that makes them durable.
    LogSync,
    /// Writing the mark after it.
    LogMark,
    /// Creating a segment.
    LogPrepare,
    /// Writing a batch to the history.
    HistoryWrite,
    /// Making the history durable.
    HistorySync,
}

#[cfg(feature = "failpoints")]
mod armed {
    use std::io;
    use std::path::{Path, PathBuf};

    use parking_lot::Mutex;

    use super::Point;

    struct Armed {
        point: Point,
        dir: PathBuf,
        passes: u32,
    }

    static ARMED: Mutex<Vec<Armed>> = Mutex::new(Vec::new());
    static FREE: Mutex<Vec<(PathBuf, u64)>> = Mutex::new(Vec::new());

    /// Lets `passes` calls at this point below `dir` pass and fails the next one, once.
    pub fn arm(point: Point, dir: &Path, passes: u32) {
        ARMED.lock().push(Armed { point, dir: dir.to_owned(), passes });
    }

    /// Makes the free space below `dir` appear as given; `None` shows the real one again.
    pub fn set_free_bytes(dir: &Path, free_bytes: Option<u64>) {
        let mut free = FREE.lock();
        free.retain(|(path, _)| path != dir);
        free.extend(free_bytes.map(|bytes| (dir.to_owned(), bytes)));
    }

    pub(crate) fn free_bytes(path: &Path) -> Option<u64> {
        FREE.lock().iter().find(|(dir, _)| path.starts_with(dir)).map(|(_, bytes)| *bytes)
    }

    pub(crate) fn check(point: Point, path: &Path) -> io::Result<()> {
        let mut armed = ARMED.lock();
        let Some(at) = armed.iter().position(|a| a.point == point && path.starts_with(&a.dir))
        else {
            return Ok(());
        };
        if armed[at].passes > 0 {
            armed[at].passes -= 1;
            return Ok(());
        }
        armed.swap_remove(at);
        Err(io::Error::other("injected failure"))
    }
}

#[cfg(feature = "failpoints")]
pub use armed::{arm, set_free_bytes};
#[cfg(feature = "failpoints")]
pub(crate) use armed::{check, free_bytes};

#[cfg(not(feature = "failpoints"))]
#[expect(clippy::unnecessary_wraps, reason = "the armed variant fails")]
#[inline(always)]
#[expect(clippy::inline_always, reason = "must cost nothing on the way of a message")]
pub(crate) fn check(_: Point, _: &std::path::Path) -> std::io::Result<()> {
    Ok(())
}

#[cfg(not(feature = "failpoints"))]
pub(crate) fn free_bytes(_: &std::path::Path) -> Option<u64> {
    None
}
