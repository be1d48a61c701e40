//! Slows down guessing of passwords (S5): ten tries for one address, then a wait that grows to a
//! minute; each quiet minute takes one try back, so in the long run nobody makes more than one a
//! minute, however patient. Nobody is locked out: a right password that comes when the wait is over
//! is accepted, however many wrong ones others tried, and a browser that has signed in before has
//! an allowance of its own that others cannot use up.
//!
//! Pure and in memory: callers give the time, and a restart forgets. It hands out delays; that a
//! caller sits them out (or gets 429 with `Retry-After`) is the HTTP layer's part.

use std::collections::HashMap;

/// Tries that cost no wait.
pub const FREE_TRIES: u32 = 10;
/// A quiet time that takes one failed try back.
pub const FORGET_MS: i64 = 60_000;
/// The first wait after the free tries, and the step by which it grows.
const DELAY_STEP_MS: i64 = 5_000;
/// The longest wait.
pub const DELAY_MS_MAX: i64 = 60_000;
/// Entries kept at most; beyond, the oldest go. 64 bytes of key each.
const ENTRIES_MAX: usize = 20_000;

/// Who is trying, as the throttle counts.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Source {
    /// Anybody who tries this e-mail address.
    Address(String),
    /// A browser that signed in to this address before, by the handle of its device cookie.
    Device(String),
}

impl Source {
    /// The source for an e-mail address, in whatever spelling.
    pub fn address(email: &str) -> Self {
        Self::Address(crate::text::email_key(email).chars().take(254).collect())
    }
}

#[derive(Debug, Clone, Copy)]
struct Tries {
    failed: u32,
    /// When the newest try was let through.
    last_ms: i64,
    /// Before this, no further try.
    next_ms: i64,
}

impl Tries {
    /// Failed tries still held against the source.
    fn left(&self, now_ms: i64) -> u32 {
        let forgotten = (now_ms - self.last_ms).max(0) / FORGET_MS;
        self.failed.saturating_sub(u32::try_from(forgotten).unwrap_or(u32::MAX))
    }
}

/// Counts failed sign-ins and says how long the next try has to wait.
#[derive(Debug, Default)]
pub struct LoginThrottle {
    tries: HashMap<Source, Tries>,
}

impl LoginThrottle {
    /// Asks to try now. `Err` is the time to wait in milliseconds; a granted try counts as failed
    /// until `succeeded` says otherwise, so that parallel guesses do not slip through.
    pub fn admit(&mut self, source: &Source, now_ms: i64) -> Result<(), i64> {
        let mut tries = self.tries.get(source).copied().unwrap_or(Tries {
            failed: 0,
            last_ms: now_ms,
            next_ms: now_ms,
        });
        if now_ms < tries.next_ms {
            return Err(tries.next_ms - now_ms);
        }
        tries.failed = tries.left(now_ms);
        tries.failed = tries.failed.saturating_add(1);
        tries.last_ms = now_ms;
        tries.next_ms = now_ms + delay_ms(tries.failed);
        if self.tries.len() >= ENTRIES_MAX && !self.tries.contains_key(source) {
            self.make_room(now_ms);
        }
        self.tries.insert(source.clone(), tries);
        Ok(())
    }

    /// The password was right: the count starts anew.
    pub fn succeeded(&mut self, source: &Source) {
        self.tries.remove(source);
    }

    /// Forgets what no longer delays anybody; if that is nothing, the half used longest ago.
    fn make_room(&mut self, now_ms: i64) {
        self.tries.retain(|_, tries| tries.left(now_ms) > 0);
        if self.tries.len() < ENTRIES_MAX {
            return;
        }
        let mut times: Vec<i64> = self.tries.values().map(|tries| tries.last_ms).collect();
        let middle = times.len() / 2;
        let (_, median_ms, _) = times.select_nth_unstable(middle);
        let median_ms = *median_ms;
        let mut surplus = middle;
        self.tries.retain(|_, tries| {
            let goes = tries.last_ms <= median_ms && surplus > 0;
            surplus -= usize::from(goes);
            !goes
        });
    }
}

/// The wait after the nth failed try.
fn delay_ms(failed: u32) -> i64 {
    let beyond = i64::from(failed.saturating_sub(FREE_TRIES - 1));
    (beyond * DELAY_STEP_MS).min(DELAY_MS_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s05_ten_tries_are_free_and_then_the_wait_grows_to_a_minute() {
        let mut throttle = LoginThrottle::default();
        let source = Source::address("Ann@Example.com");
        let mut now_ms = 1_000_000;
        for _ in 0..FREE_TRIES {
            assert_eq!(throttle.admit(&source, now_ms), Ok(()));
        }
        let mut waits = Vec::new();
        for _ in 0..14 {
            let wait_ms = throttle.admit(&source, now_ms).expect_err("the free tries are used up");
            waits.push(wait_ms);
            assert_eq!(throttle.admit(&source, now_ms + wait_ms - 1), Err(1));
            now_ms += wait_ms;
            assert_eq!(throttle.admit(&source, now_ms), Ok(()));
        }
        assert_eq!(waits[..3], [5_000, 10_000, 15_000]);
        assert_eq!(waits[11..], [60_000, 60_000, 60_000]);
    }

    #[test]
    fn s05_a_thousand_guesses_take_most_of_a_day_however_patient_and_lock_nobody_out() {
        let source = Source::address("ann@example.com");
        for pause_ms in [0, 1_000, 30_000, 60_000, 120_000, 600_000] {
            let mut throttle = LoginThrottle::default();
            let mut now_ms = 0;
            let mut guesses = 0;
            while guesses < 1_000 {
                match throttle.admit(&source, now_ms) {
                    Ok(()) => guesses += 1,
                    Err(wait_ms) => {
                        assert!(wait_ms <= DELAY_MS_MAX);
                        now_ms += wait_ms.max(pause_ms);
                    }
                }
            }
            assert!(now_ms > 16 * 60 * 60 * 1_000, "{pause_ms}: {now_ms}");
            let known = Source::Device("d1".to_owned());
            assert_eq!(throttle.admit(&known, now_ms), Ok(()), "a known browser is not slowed");
            assert_eq!(throttle.admit(&source, now_ms + DELAY_MS_MAX), Ok(()));
        }
    }

    #[test]
    fn a_right_password_clears_the_count_and_each_quiet_minute_one_try() {
        let source = Source::address("ann@example.com");
        let tired = || {
            let mut throttle = LoginThrottle::default();
            for _ in 0..FREE_TRIES {
                assert_eq!(throttle.admit(&source, 0), Ok(()));
            }
            throttle
        };
        let mut throttle = tired();
        throttle.succeeded(&source);
        assert_eq!(throttle.admit(&source, 0), Ok(()));

        for (minutes, free) in [(1, 1), (3, 3), (10, 10), (1_000, 10)] {
            let mut throttle = tired();
            let now_ms = minutes * FORGET_MS;
            for n in 0..free {
                assert_eq!(throttle.admit(&source, now_ms), Ok(()), "{minutes}: {n}");
            }
            assert!(throttle.admit(&source, now_ms).is_err(), "{minutes}");
        }
    }

    #[test]
    fn addresses_are_counted_apart_and_spelling_does_not_matter() {
        let mut throttle = LoginThrottle::default();
        for _ in 0..FREE_TRIES {
            assert_eq!(throttle.admit(&Source::address("ann@example.com"), 0), Ok(()));
        }
        assert!(throttle.admit(&Source::address(" ANN@example.COM "), 0).is_err());
        assert_eq!(throttle.admit(&Source::address("bob@example.com"), 0), Ok(()));
    }

    #[test]
    fn a_spread_attack_does_not_fill_the_memory() {
        let mut throttle = LoginThrottle::default();
        for n in 0..3 * ENTRIES_MAX {
            assert_eq!(throttle.admit(&Source::address(&format!("u{n}@example.com")), 0), Ok(()));
        }
        assert!(throttle.tries.len() <= ENTRIES_MAX);
    }
}
