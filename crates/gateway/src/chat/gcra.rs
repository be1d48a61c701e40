//! Rate limits by GCRA: one number of state, no timer, no window edges.
//!
//! The state is the theoretical arrival time of the next event at the steady rate; an event is
//! allowed while that lies at most a burst in the future. Eight bytes a connection, so the limit is
//! kept in the connection itself; shared limits (address, account) sit in a map of the same state.

use std::hash::Hash;

use hashbrown::HashMap;

/// A steady rate with a burst.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quota {
    /// Time one event takes at the steady rate, microseconds.
    interval_us: i64,
    /// How far ahead of the steady rate a caller may be, microseconds.
    burst_us: i64,
}

impl Quota {
    /// A quota of `per_s` events a second with `burst` at once. Zero of either is read as one.
    pub fn new(per_s: u32, burst: u32) -> Self {
        let interval_us = 1_000_000 / i64::from(per_s.max(1));
        Self { interval_us, burst_us: interval_us * i64::from(burst.max(1)) }
    }
}

/// The state of one limited thing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Gcra {
    arrival_us: i64,
}

impl Gcra {
    /// Counts an event at `now_us`, or says after how many milliseconds it would be allowed.
    pub fn admit(&mut self, quota: Quota, now_us: i64) -> Result<(), u32> {
        let arrival = self.arrival_us.max(now_us) + quota.interval_us;
        let ahead = arrival - now_us;
        if ahead > quota.burst_us {
            let wait_us = ahead - quota.burst_us;
            return Err(u32::try_from(wait_us.div_euclid(1_000) + 1).unwrap_or(u32::MAX));
        }
        self.arrival_us = arrival;
        Ok(())
    }

    /// Whether the state says nothing any more: the steady rate has caught up.
    fn is_spent(self, now_us: i64) -> bool {
        self.arrival_us <= now_us
    }
}

/// Fewer states are not looked through for spent ones.
const SWEEP_MIN: usize = 1_024;

/// Limits of many things of one kind, bounded: spent ones are dropped when there are twice as many as
/// were left last time, and if none of `capacity` is spent new ones are refused, which is what a flood
/// from that many addresses calls for.
#[derive(Debug)]
pub(super) struct Limits<K> {
    quota: Quota,
    capacity: usize,
    sweep_at: usize,
    states: HashMap<K, Gcra>,
}

impl<K: Hash + Eq> Limits<K> {
    pub(super) fn new(quota: Quota, capacity: usize) -> Self {
        Self { quota, capacity, sweep_at: SWEEP_MIN.min(capacity), states: HashMap::new() }
    }

    pub(super) fn admit(&mut self, key: K, now_us: i64) -> Result<(), u32> {
        if self.states.len() >= self.sweep_at && !self.states.contains_key(&key) {
            self.states.retain(|_, state| !state.is_spent(now_us));
            self.sweep_at = (2 * self.states.len()).max(SWEEP_MIN).min(self.capacity);
            if self.states.len() >= self.capacity {
                return Err(1_000);
            }
        }
        self.states.entry(key).or_default().admit(self.quota, now_us)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_is_allowed_and_then_the_steady_rate() {
        let quota = Quota::new(10, 5);
        let mut state = Gcra::default();
        let now = 1_000_000_000;
        for _ in 0..5 {
            assert_eq!(state.admit(quota, now), Ok(()));
        }
        let wait_ms = state.admit(quota, now).expect_err("sixth at once");
        assert!((100..=101).contains(&wait_ms), "{wait_ms}");
        assert_eq!(state.admit(quota, now + 100_000), Ok(()));
        assert!(state.admit(quota, now + 100_000).is_err());
    }

    #[test]
    fn a_refused_event_costs_nothing() {
        let quota = Quota::new(1, 1);
        let mut state = Gcra::default();
        assert_eq!(state.admit(quota, 0), Ok(()));
        for _ in 0..100 {
            assert!(state.admit(quota, 500_000).is_err());
        }
        assert_eq!(state.admit(quota, 1_000_000), Ok(()));
    }

    #[test]
    fn who_passed_by_is_forgotten_long_before_the_map_is_full() {
        let mut limits = Limits::new(Quota::new(1, 1), 65_536);
        for visitor in 0..50_000_i64 {
            assert_eq!(limits.admit(visitor, visitor * 100_000), Ok(()));
        }
        assert!(limits.states.len() <= SWEEP_MIN, "{}", limits.states.len());
        assert!(limits.admit(49_999, 50_000 * 100_000).is_err(), "who is there still counts");
    }

    #[test]
    fn the_map_is_bounded_and_forgets_the_quiet_first() {
        let mut limits = Limits::new(Quota::new(1, 1), 2);
        assert_eq!(limits.admit(1, 0), Ok(()));
        assert_eq!(limits.admit(2, 0), Ok(()));
        assert!(limits.admit(3, 0).is_err());
        assert_eq!(limits.admit(3, 2_000_000), Ok(()));
    }
}
