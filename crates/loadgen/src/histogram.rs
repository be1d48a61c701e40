//! Latencies of a run, kept in memory and written at the end.

use hdrhistogram::Histogram;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::report::Latency;

/// A minute, in microseconds: whatever takes longer counts as that.
const MICROSECONDS_MAX: u64 = 60_000_000;

/// Counts latencies with three significant digits.
#[derive(Debug)]
pub(crate) struct Latencies {
    microseconds: Histogram<u64>,
}

impl Latencies {
    pub(crate) fn new() -> Self {
        let microseconds = Histogram::new_with_bounds(1, MICROSECONDS_MAX, 3)
            .expect("the bounds and digits are valid constants");
        Self { microseconds }
    }

    pub(crate) fn record_ns(&mut self, ns: u64) {
        self.microseconds.saturating_record(ns / 1_000);
    }

    /// Adds those another generator recorded.
    pub(crate) fn add(&mut self, other: &Self) {
        self.microseconds.add(&other.microseconds).expect("both have the same bounds");
    }

    pub(crate) fn count(&self) -> u64 {
        self.microseconds.len()
    }

    pub(crate) fn percentile_ms(&self, percent: f64) -> f64 {
        if self.microseconds.is_empty() {
            return 0.0;
        }
        self.microseconds.value_at_percentile(percent) as f64 / 1_000.0
    }

    pub(crate) fn max_ms(&self) -> f64 {
        self.microseconds.max() as f64 / 1_000.0
    }

    pub(crate) fn summary(&self) -> Latency {
        Latency {
            mean_ms: self.microseconds.mean() / 1_000.0,
            p50_ms: self.percentile_ms(50.0),
            p99_ms: self.percentile_ms(99.0),
            p999_ms: self.percentile_ms(99.9),
            max_ms: self.max_ms(),
        }
    }
}

/// Between processes: what was recorded, and how often.
impl Serialize for Latencies {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let recorded = self.microseconds.iter_recorded();
        serializer.collect_seq(recorded.map(|at| (at.value_iterated_to(), at.count_at_value())))
    }
}

impl<'de> Deserialize<'de> for Latencies {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut latencies = Self::new();
        for (microseconds, count) in Vec::<(u64, u64)>::deserialize(deserializer)? {
            latencies.microseconds.saturating_record_n(microseconds, count);
        }
        Ok(latencies)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_those_of_what_was_recorded() {
        let mut latencies = Latencies::new();
        assert_eq!(latencies.summary(), Latency::default());
        for ms in 1..=1_000 {
            latencies.record_ns(ms * 1_000_000);
        }
        let summary = latencies.summary();
        for (found, expected) in [
            (summary.mean_ms, 500.5),
            (summary.p50_ms, 500.0),
            (summary.p99_ms, 990.0),
            (summary.p999_ms, 999.0),
            (summary.max_ms, 1_000.0),
        ] {
            assert!((found - expected).abs() < expected * 0.002, "{found} for {expected}");
        }
        let text = serde_json::to_string(&latencies).expect("JSON");
        let mut twice: Latencies = serde_json::from_str(&text).expect("what was written");
        assert_eq!(twice.summary(), summary);
        twice.add(&latencies);
        assert_eq!(twice.summary(), summary);
        latencies.record_ns(u64::MAX);
        assert!(latencies.max_ms() >= 60_000.0);
    }
}
