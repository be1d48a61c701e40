//! When a table is begun, so that what waits in memory stays bounded.
//!
//! The engine would begin one by itself, but has the thread do it that also flushes and merges: during a
//! merge it begins none, and everything written meanwhile stays in one memtable and one journal, whatever
//! their size. Here the table is begun by whoever writes. The engine writes all that wait out together once
//! its thread is free, and halts writers while four wait, which bounds both. Halting is the last resort: what is
//! written behind the log would fall back. So the last ones are allowed to grow.

use std::sync::atomic::{AtomicU64, Ordering};

/// As many full tables may wait as the engine allows without halting.
const WAITING_MAX: usize = 3;
/// With so many waiting, the one that is written to takes so many times its size.
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

    /// Counts what is about to be written; whether a new one is to be begun before. `waiting` tells how many full
    /// ones are not written out yet.
    pub(super) fn is_full(&self, bytes: u64, waiting: impl FnOnce() -> usize) -> bool {
        let filled = self.bytes.fetch_add(bytes, Ordering::Relaxed);
        let is_too_large = filled >= self.full_at * STRETCH;
        is_too_large || (filled >= self.full_at && waiting() < WAITING_MAX)
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
        let full: Vec<_> = (0..5).map(|_| memtable.is_full(50, || 0)).collect();
        assert_eq!(full, [false, false, true, true, true], "until it is begun");
        memtable.begun();
        assert!(!memtable.is_full(50, || 0));
    }

    #[test]
    fn where_many_wait_the_last_one_grows_but_not_without_end() {
        let memtable = Memtable::new(100);
        let full = (0..9).take_while(|_| !memtable.is_full(50, || WAITING_MAX)).count();
        assert_eq!(full, 8);
        assert!(memtable.is_full(0, || 4));
    }
}
