//! Load on a schedule (an open loop): each message has a time at which it is due, whatever became of
//! those before, and is timed from then. A server that stalls cannot hide it by slowing its clients.

use std::{
    thread::park_timeout,
    time::{Duration, Instant},
};

/// Times at the same distance.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// When number 0 is due.
    pub start: Instant,
    /// From one to the next.
    pub every: Duration,
}

impl Pace {
    /// When this one is due.
    pub fn due(&self, number: u32) -> Instant {
        self.start + self.every * number
    }

    /// How many are due by now.
    pub fn due_by(&self, now: Instant) -> u32 {
        match now.checked_duration_since(self.start) {
            None => 0,
            Some(since) => {
                let passed = since.as_nanos() / self.every.as_nanos().max(1);
                u32::try_from(passed).unwrap_or(u32::MAX).saturating_add(1)
            }
        }
    }

    /// Holds the calling thread until this one is due; returns how late it then is.
    pub fn wait_for(&self, number: u32) -> Duration {
        let due = self.due(number);
        loop {
            let now = Instant::now();
            match due.checked_duration_since(now) {
                Some(wait) if !wait.is_zero() => park_timeout(wait),
                _ => return now.saturating_duration_since(due),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_due_counts_from_the_start() {
        let pace = Pace { start: Instant::now(), every: Duration::from_millis(5) };
        assert_eq!(pace.due_by(pace.start), 1);
        assert_eq!(pace.due_by(pace.start + Duration::from_micros(4_999)), 1);
        assert_eq!(pace.due_by(pace.due(7)), 8);
        assert_eq!(
            pace.due_by(pace.start.checked_sub(Duration::from_millis(1)).expect("later")),
            0
        );
    }

    #[test]
    fn nothing_is_sent_before_it_is_due() {
        let pace = Pace { start: Instant::now(), every: Duration::from_millis(2) };
        for number in 0..5 {
            let late = pace.wait_for(number);
            assert!(Instant::now() >= pace.due(number) + late);
        }
    }
}
