//! What waits in memory for the history's next table, and when a table is begun early.
//!
//! The engine begins one when `memtable_bytes` are full, which suits a peak. On a quiet server that takes
//! an hour, and memory rises and falls by all of it. So where little is written a smaller table is begun,
//! not more often than every minute: tables that are merged cost writes.

use std::time::Instant;

use super::HistoryOptions;
/// What was written since the newest table was begun.
pub(super) struct Filling {
    since: Instant,
    bytes: u64,
}

impl Filling {
    pub(super) fn new() -> Self {
        Self { since: Instant::now(), bytes: 0 }
    }

    /// Counts a batch; whether it is time for a table that the engine would not begin yet.
    pub(super) fn is_early(&mut self, bytes: u64, options: &HistoryOptions) -> bool {
        self.bytes += bytes;
        let full = self.bytes > options.memtable_bytes;
        let early = self.bytes >= options.early_flush_bytes
            && self.since.elapsed() >= options.early_flush_after;
        if full || early {
            *self = Self::new();
        }
        early && !full
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn options(early_flush_after: Duration) -> HistoryOptions {
        let (memtable_bytes, early_flush_bytes) = (1_000, 250);
        HistoryOptions {
            memtable_bytes,
            early_flush_bytes,
            early_flush_after,
            ..HistoryOptions::default()
        }
    }

    #[test]
    fn a_peak_is_left_to_the_engine() {
        let hour = options(Duration::from_hours(1));
        let mut filling = Filling::new();
        for bytes in [300, 300, 300, 300, 900] {
            assert!(!filling.is_early(bytes, &hour));
        }
        assert_eq!(filling.bytes, 900, "counted anew from where the engine begins a table");
    }

    #[test]
    fn a_quiet_hour_gets_small_tables() {
        let quiet = options(Duration::ZERO);
        let mut filling = Filling::new();
        let early: Vec<bool> = (0..6).map(|_| filling.is_early(100, &quiet)).collect();
        assert_eq!(early, [false, false, true, false, false, true]);
        assert!(!filling.is_early(2_000, &quiet), "the engine begins this one");
    }
}
