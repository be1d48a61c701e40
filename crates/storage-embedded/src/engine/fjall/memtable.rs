//! When a table is begun, so that what waits in memory stays bounded.
//!
//! The engine would begin one by itself, but has the thread do it that also writes tables out: until that is
//! free, everything goes into one memtable and one journal, whatever their size. Here the table is begun by
//! whoever writes. The engine halts writers while too many wait, which bounds them. Halting is the last
//! resort, since what is written behind the log would fall back; so where it comes near, tables may grow.

use std::sync::atomic::{AtomicU64, Ordering};

/// Where the engine is behind, one takes so many times its size.
const STRETCH: u64 = 4;

/// How full the table is that is written to in memory.
pub(super) struct Memtable {
    bytes: AtomicU64,
    full_at: u64,
}

impl Memtable {
    /// It is full with so many bytes.
    pub(super) fn new(full_at: u64) -> Self {
        Self { bytes: AtomicU64::new(0), full_at }
    }

    /// Counts what is about to be written; whether a new one is to be begun before. `is_behind` tells whether
    /// tables come faster than the engine takes them.
    pub(super) fn is_full(&self, bytes: u64, is_behind: impl FnOnce() -> bool) -> bool {
        let filled = self.bytes.fetch_add(bytes, Ordering::Relaxed);
        let is_too_large = filled >= self.full_at * STRETCH;
        is_too_large || (filled >= self.full_at && !is_behind())
    }

    /// A new one is begun.
    pub(super) fn begun(&self) {
        self.bytes.store(0, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_begun_when_it_is_full() {
        let memtable = Memtable::new(100);
        let full: Vec<_> = (0..5).map(|_| memtable.is_full(50, || false)).collect();
        assert_eq!(full, [false, false, true, true, true], "until it is begun");
        memtable.begun();
        assert!(!memtable.is_full(50, || false));
    }

    #[test]
    fn where_the_engine_is_behind_it_grows_but_not_without_end() {
        let memtable = Memtable::new(100);
        let full = (0..9).take_while(|_| !memtable.is_full(50, || true)).count();
        assert_eq!(full, 8);
        assert!(memtable.is_full(0, || true));
    }
}
