//! Latencies in the order of time: what a step of the load did to them, and for how long.

/// Long enough for a hundred messages at a thousand a second, short against a recovery.
pub(crate) const WINDOW_NS: u64 = 100_000_000;
/// How long the latency has to stay down before it counts as back: a second.
const QUIET_WINDOWS: usize = 10;

/// Latencies by the window in which their messages were due.
#[derive(Debug)]
pub(crate) struct Windows {
    from_ns: u64,
    /// In microseconds.
    latencies: Vec<Vec<u32>>,
}

impl Windows {
    pub(crate) fn new(from_ns: u64, to_ns: u64) -> Self {
        let count = to_ns.saturating_sub(from_ns).div_ceil(WINDOW_NS) as usize;
        Self { from_ns, latencies: vec![Vec::new(); count] }
    }

    pub(crate) fn record(&mut self, due_ns: u64, took_ns: u64) {
        let place = due_ns.checked_sub(self.from_ns).map(|since| (since / WINDOW_NS) as usize);
        if let Some(window) = place.and_then(|place| self.latencies.get_mut(place)) {
            window.push(u32::try_from(took_ns / 1_000).unwrap_or(u32::MAX));
        }
    }

    /// The p99 of each window in milliseconds; 0 of a window without messages.
    pub(crate) fn p99_ms(mut self) -> Vec<f64> {
        self.latencies
            .iter_mut()
            .map(|window| {
                // The rank of which 99 of 100 are not greater.
                let rank = (window.len() * 99).div_ceil(100);
                let Some(place) = rank.checked_sub(1) else { return 0.0 };
                let (_, p99, _) = window.select_nth_unstable(place);
                f64::from(*p99) / 1_000.0
            })
            .collect()
    }
}

/// Seconds from the beginning of `p99_ms` to the first window from which on the latency stays at or
/// below `level_ms` for a second. `None`: it does not get there.
pub(crate) fn back_after_s(p99_ms: &[f64], level_ms: f64) -> Option<f64> {
    p99_ms
        .windows(QUIET_WINDOWS)
        .position(|second| second.iter().all(|window| *window <= level_ms))
        .map(|from| from as f64 * WINDOW_NS as f64 / 1e9)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_window_has_the_p99_of_what_was_due_in_it() {
        let mut windows = Windows::new(1_000, 1_000 + 3 * WINDOW_NS);
        for ms in 1..=200_u64 {
            windows.record(1_000 + ms * 10, ms * 1_000_000);
        }
        windows.record(1_000 + 2 * WINDOW_NS, 7_000_000);
        // Before and after the measured time.
        windows.record(999, 1);
        windows.record(1_000 + 3 * WINDOW_NS, 1);
        assert_eq!(windows.p99_ms(), [198.0, 0.0, 7.0]);
    }

    #[test]
    fn the_latency_is_back_when_it_stays_down() {
        let mut p99_ms = vec![9.0, 5.0, 1.0, 5.0];
        p99_ms.extend([1.0; 12]);
        assert_eq!(back_after_s(&p99_ms, 1.0), Some(0.4));
        assert_eq!(back_after_s(&p99_ms[..12], 1.0), None, "not for a whole second");
        assert_eq!(back_after_s(&p99_ms, 5.0), Some(0.1));
        assert_eq!(back_after_s(&p99_ms, 0.5), None);
        assert_eq!(back_after_s(&[], 0.5), None);
    }
}
