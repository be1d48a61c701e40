//! Silence: how long no ack came to anybody, while messages were on their way.

use serde::{Deserialize, Serialize};

use crate::{histogram::Latencies, report::Latency};

/// From here on a silence is a stall.
pub(crate) const STALL_NS: u64 = 100_000_000;
/// Stalls that are told one by one.
const TOLD_MAX: usize = 100;

/// A silence that is long enough to be told.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Stall {
    /// When it ended, from the beginning of the measured time.
    pub at_s: f64,
    /// How long it was.
    pub ms: f64,
}

/// Times between successive acks.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Gaps {
    from_ns: u64,
    last_ns: u64,
    pub(crate) between: Latencies,
    pub(crate) stalls: Vec<Stall>,
    pub(crate) stalls_in_all: u64,
}

impl Gaps {
    /// Of a time that begins at `from_ns`.
    pub(crate) fn new(from_ns: u64) -> Self {
        let (between, stalls) = (Latencies::new(), Vec::new());
        Self { from_ns, last_ns: from_ns, between, stalls, stalls_in_all: 0 }
    }

    /// An ack came. Those that one read of a socket brings came together.
    pub(crate) fn note(&mut self, now_ns: u64) {
        let Some(gap_ns) = now_ns.checked_sub(self.last_ns).filter(|gap| *gap > 0) else { return };
        self.last_ns = now_ns;
        self.between.record_ns(gap_ns);
        if gap_ns >= STALL_NS {
            self.stalls_in_all += 1;
            if self.stalls.len() < TOLD_MAX {
                let at_s = (now_ns - self.from_ns) as f64 / 1e9;
                self.stalls.push(Stall { at_s, ms: gap_ns as f64 / 1e6 });
            }
        }
    }

    /// The measured time is over: a silence that lasts until then counts too.
    pub(crate) fn end(&mut self, to_ns: u64) {
        self.note(to_ns);
    }

    pub(crate) fn summary(&self) -> Latency {
        self.between.summary()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_silence_is_a_stall_and_acks_of_one_moment_are_none() {
        const MS: u64 = 1_000_000;
        let mut gaps = Gaps::new(1_000 * MS);
        for at in [500, 1_002, 1_002, 1_010, 1_110, 1_209] {
            gaps.note(at * MS);
        }
        assert_eq!(gaps.stalls, [Stall { at_s: 0.11, ms: 100.0 }]);
        assert_eq!(gaps.stalls_in_all, 1);
        let summary = gaps.summary();
        assert!((summary.max_ms - 100.0).abs() < 0.2, "{summary:?}");
        assert!((summary.p50_ms - 8.0).abs() < 0.1, "2, 8, 99 and 100: {summary:?}");
    }

    #[test]
    fn a_server_that_falls_silent_for_good_is_no_quick_one() {
        const MS: u64 = 1_000_000;
        let mut gaps = Gaps::new(0);
        gaps.note(10 * MS);
        gaps.end(5_000 * MS);
        assert_eq!(gaps.stalls, [Stall { at_s: 5.0, ms: 4_990.0 }]);
    }
}
