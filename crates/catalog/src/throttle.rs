//! Slows down guessing of passwords (S5): ten tries a minute for one address, then a wait that
//! grows to a minute. Nobody is locked out: a right password that comes when the wait is over is
//! accepted, however many wrong ones others tried, and a browser that has signed in before has an
//! allowance of its own that others cannot use up.
//!
//! Pure and in memory: callers give the time, and a restart forgets. It hands out delays; that a
//! caller sits them out (or gets 429 with `Retry-After`) is the HTTP layer's part.

use std::collections::HashMap;

/// Tries within the window that cost nothing.
pub const FREE_TRIES: u32 = 10;
/// The window.
pub const WINDOW_MS: i64 = 60_000;
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
        if now_ms - tries.last_ms >= WINDOW_MS.max(2 * (tries.next_ms - tries.last_ms)) {
            tries.failed = 0;
        }
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
        self.tries.retain(|_, tries| now_ms - tries.last_ms < 2 * WINDOW_MS);
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
    fn s05_a_thousand_guesses_take_most_of_a_day_and_never_lock_anybody_out() {
        let mut throttle = LoginThrottle::default();
        let source = Source::address("ann@example.com");
        let mut now_ms = 0;
        for _ in 0..1_000 {
            while let Err(wait_ms) = throttle.admit(&source, now_ms) {
                assert!(wait_ms <= DELAY_MS_MAX);
                now_ms += wait_ms;
            }
        }
        assert!(now_ms > 16 * 60 * 60 * 1_000, "{now_ms}");
        let known = Source::Device("d1".to_owned());
        assert_eq!(
            throttle.admit(&known, now_ms),
            Ok(()),
            "a known browser is not slowed by others"
        );
        assert_eq!(throttle.admit(&source, now_ms + DELAY_MS_MAX), Ok(()));
    }

    #[test]
    fn a_right_password_or_a_quiet_while_clears_the_count() {
        let source = Source::address("ann@example.com");
        let mut throttle = LoginThrottle::default();
        for _ in 0..FREE_TRIES {
            assert_eq!(throttle.admit(&source, 0), Ok(()));
        }
        assert_eq!(throttle.admit(&source, WINDOW_MS), Ok(()));
        assert_eq!(throttle.admit(&source, WINDOW_MS), Ok(()), "counted from one again");

        let mut throttle = LoginThrottle::default();
        for _ in 0..FREE_TRIES {
            assert_eq!(throttle.admit(&source, 0), Ok(()));
        }
        throttle.succeeded(&source);
        assert_eq!(throttle.admit(&source, 0), Ok(()));
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
