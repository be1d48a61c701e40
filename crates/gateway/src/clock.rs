//! The time of a node, for stamps, deadlines and limits alike.
//!
//! It follows the wall clock, but runs at half speed at least: when somebody sets the clock back by an hour,
//! no deadline, limit or interval stands still for an hour. Set ahead, it follows at once, as after a
//! machine's sleep.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use parking_lot::Mutex;

/// What the clock said last, and when.
#[derive(Debug, Clone, Copy)]
struct Steady {
    at: Instant,
    us: i64,
}

impl Steady {
    fn step(&mut self, now: Instant, wall_us: i64) -> i64 {
        // Threads read the time before they come here: the one that comes second may have the older.
        let passed = now.saturating_duration_since(self.at);
        let passed_us = i64::try_from(passed.as_micros()).unwrap_or(i64::MAX);
        self.us = wall_us.max(self.us.saturating_add(passed_us / 2));
        self.at = self.at.max(now);
        self.us
    }
}

static CLOCK: Mutex<Option<Steady>> = Mutex::new(None);

/// Milliseconds since 1970, UTC; never less than before.
pub fn now_ms() -> i64 {
    let (now, wall_us) = (Instant::now(), wall_us());
    CLOCK.lock().get_or_insert(Steady { at: now, us: wall_us }).step(now, wall_us) / 1_000
}

/// The same by the wall clock alone, which others go by as well: to judge what they signed.
pub fn wall_ms() -> i64 {
    wall_us() / 1_000
}

fn wall_us() -> i64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const SECOND: i64 = 1_000_000;

    #[test]
    fn r22_it_follows_the_wall_clock_and_never_stands_still() {
        let began = Instant::now();
        let mut clock = Steady { at: began, us: 1_000 * SECOND };
        // After so many seconds the wall clock says so much, and the clock so much.
        for (after, wall, told) in [
            (1, 1_001, 1_001),
            // An hour back: half speed.
            (3, -2_597, 1_002),
            (1_003, -1_597, 1_502),
            // Until the wall clock is there.
            (7_003, 4_403, 4_502),
            (7_203, 4_603, 4_603),
            (7_204, 4_604, 4_604),
            // A year ahead, at once.
            (7_205, 31_540_605, 31_540_605),
        ] {
            let now = began + Duration::from_secs(after);
            assert_eq!(clock.step(now, wall * SECOND), told * SECOND, "after {after} s");
        }
        // Somebody who read the time before.
        let told = clock.step(began, 4_000 * SECOND);
        assert_eq!(told, 31_540_605 * SECOND);
    }
}
