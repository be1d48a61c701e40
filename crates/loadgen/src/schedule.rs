//! When messages are due on an open loop, whether they are sent then or not.

use std::{ops::Range, time::Duration};

/// The times of an open loop.
#[derive(Debug)]
pub(crate) struct Schedule {
    interval_ns: f64,
    step: Option<Step>,
    /// How many were due before.
    pub(crate) next: u64,
    /// When the next message is due.
    at_ns: f64,
}

/// A time of another rate.
#[derive(Debug)]
pub(crate) struct Step {
    pub(crate) interval_ns: f64,
    /// When it begins and ends, in ns since the beginning.
    pub(crate) within: Range<u64>,
}

impl Schedule {
    pub(crate) fn new(rate: u32, step: Option<Step>) -> Self {
        Self { interval_ns: interval_ns(rate), step, next: 0, at_ns: 0.0 }
    }

    pub(crate) fn due_ns(&self) -> u64 {
        self.at_ns as u64
    }

    pub(crate) fn advance(&mut self) {
        let due_ns = self.due_ns();
        let step = self.step.as_ref().filter(|step| step.within.contains(&due_ns));
        self.at_ns += step.map_or(self.interval_ns, |step| step.interval_ns);
        self.next += 1;
    }
}

pub(crate) fn interval_ns(rate: u32) -> f64 {
    1e9 / f64::from(rate.max(1))
}

/// In nanoseconds, which a schedule counts in.
pub(crate) fn ns(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_schedule_has_its_rate_and_within_a_step_the_other() {
        let step = Step { interval_ns: interval_ns(500), within: 1_000_000_000..2_000_000_000 };
        let mut schedule = Schedule::new(100, Some(step));
        let mut due = [0; 4];
        while schedule.due_ns() < 3_999_000_000 {
            due[(schedule.due_ns() / 1_000_000_000) as usize] += 1;
            schedule.advance();
        }
        assert_eq!(due, [100, 500, 100, 100]);
    }
}
