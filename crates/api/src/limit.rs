//! Request limits: GCRA per address, per principal and per account, and the sign-in throttle.
//!
//! The limits of one node; they bound what a client costs this process. Buckets that are full again say
//! nothing and are dropped when there are twice as many as were left last time. Their number is bounded
//! too: once it is reached, addresses never seen before share one bucket, so that a flood of addresses
//! costs newcomers patience and nobody memory.

use std::{
    hash::Hash,
    num::NonZeroU32,
    sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed},
    time::Duration,
};

use governor::{
    DefaultDirectRateLimiter, Quota, RateLimiter,
    clock::{Clock, DefaultClock},
    middleware::StateInformationMiddleware,
    state::keyed::HashMapStateStore,
};
use http::{HeaderMap, HeaderValue, header};

/// Buckets one limiter keeps.
const BUCKETS_MAX: usize = 100_000;
/// Fewer buckets are not looked through for full ones.
const SWEEP_MIN: usize = 1_024;

/// One kind of limit.
pub(crate) struct Limiter<K: Hash + Eq + Clone> {
    name: &'static str,
    per_minute: NonZeroU32,
    crowd: K,
    /// How many buckets make the next look for full ones.
    sweep_at: AtomicUsize,
    buckets: RateLimiter<K, HashMapStateStore<K>, DefaultClock, StateInformationMiddleware>,
    clock: DefaultClock,
}

/// How many sockets are let in, of everybody together.
///
/// A limit for each address does not help where everybody lost their connection at once.
pub(crate) struct Admission {
    bucket: DefaultDirectRateLimiter,
    clock: DefaultClock,
    admitted: AtomicU64,
    refused: AtomicU64,
}

/// Handshakes of sockets since the start, for `/metrics`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct HandshakeCounts {
    /// Let in.
    pub admitted: u64,
    /// Told to come again later, because more than `handshakes_per_s` came together.
    pub refused: u64,
}

impl Admission {
    pub(crate) fn new(per_s: u32) -> Self {
        let quota = Quota::per_second(NonZeroU32::new(per_s).unwrap_or(NonZeroU32::MIN));
        Self {
            bucket: RateLimiter::direct(quota),
            clock: DefaultClock::default(),
            admitted: AtomicU64::new(0),
            refused: AtomicU64::new(0),
        }
    }

    /// Admits one, or says how long to wait.
    pub(crate) fn admit(&self) -> Result<(), Duration> {
        let verdict = self.bucket.check();
        let count = if verdict.is_ok() { &self.admitted } else { &self.refused };
        count.fetch_add(1, Relaxed);
        verdict.map_err(|refused| refused.wait_time_from(self.clock.now()))
    }

    pub(crate) fn counts(&self) -> HandshakeCounts {
        HandshakeCounts {
            admitted: self.admitted.load(Relaxed),
            refused: self.refused.load(Relaxed),
        }
    }
}

/// What a limit said about one request.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Standing {
    name: &'static str,
    per_minute: u32,
    remaining: u32,
    /// Present where the request is refused.
    pub(crate) retry_after: Option<Duration>,
}

impl<K: Hash + Eq + Clone> Limiter<K> {
    /// `crowd` is the bucket newcomers share once there are too many buckets.
    pub(crate) fn new(name: &'static str, per_minute: u32, crowd: K) -> Self {
        let per_minute = NonZeroU32::new(per_minute).unwrap_or(NonZeroU32::MIN);
        let quota = Quota::per_minute(per_minute);
        Self {
            name,
            per_minute,
            crowd,
            sweep_at: AtomicUsize::new(SWEEP_MIN),
            buckets: RateLimiter::hashmap(quota).with_middleware(),
            clock: DefaultClock::default(),
        }
    }

    /// How many a minute.
    pub(crate) fn per_minute(&self) -> NonZeroU32 {
        self.per_minute
    }

    /// Counts one request.
    pub(crate) fn count(&self, key: &K) -> Standing {
        if self.buckets.len() >= self.sweep_at.load(Relaxed) {
            self.buckets.retain_recent();
            self.buckets.shrink_to_fit();
            let next = (2 * self.buckets.len()).clamp(SWEEP_MIN, BUCKETS_MAX);
            self.sweep_at.store(next, Relaxed);
        }
        let key = if self.buckets.len() >= BUCKETS_MAX { &self.crowd } else { key };
        let per_minute = self.per_minute.get();
        match self.buckets.check_key(key) {
            Ok(snapshot) => Standing {
                name: self.name,
                per_minute,
                remaining: snapshot.remaining_burst_capacity(),
                retry_after: None,
            },
            Err(refused) => Standing {
                name: self.name,
                per_minute,
                remaining: 0,
                retry_after: Some(refused.wait_time_from(self.clock.now())),
            },
        }
    }
}

impl Standing {
    /// The one a client has to mind: the refusal, else the one with the least left.
    pub(crate) fn tighter(self, other: Self) -> Self {
        match (self.retry_after, other.retry_after) {
            (Some(a), Some(b)) => {
                if a >= b {
                    self
                } else {
                    other
                }
            }
            (Some(_), None) => self,
            (None, Some(_)) => other,
            (None, None) => {
                let left = u64::from(self.remaining) * u64::from(other.per_minute);
                let right = u64::from(other.remaining) * u64::from(self.per_minute);
                if left <= right { self } else { other }
            }
        }
    }

    /// Writes `RateLimit` and `RateLimit-Policy` (draft-ietf-httpapi-ratelimit-headers).
    pub(crate) fn write(self, headers: &mut HeaderMap) {
        let policy = format!("\"{}\";q={};w=60", self.name, self.per_minute);
        // Seconds until the bucket is full again.
        let missing = u64::from(self.per_minute - self.remaining.min(self.per_minute));
        let reset = (missing * 60).div_ceil(u64::from(self.per_minute));
        let now = format!("\"{}\";r={};t={reset}", self.name, self.remaining);
        for (name, value) in [("ratelimit-policy", policy), ("ratelimit", now)] {
            if let Ok(value) = HeaderValue::try_from(value) {
                headers.insert(name, value);
            }
        }
        if let Some(after) = self.retry_after {
            let seconds = after.as_millis().div_ceil(1000).max(1) as u64;
            headers.insert(header::RETRY_AFTER, seconds.into());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_than_a_second_admits_are_told_to_wait() {
        let admission = Admission::new(3);
        let admitted = (0..10).map(|_| admission.admit()).take_while(Result::is_ok).count();
        // A slow machine lets one more in.
        assert!((3..=4).contains(&admitted), "{admitted}");
        let wait = admission.admit().expect_err("the bucket is empty");
        assert!(wait <= Duration::from_secs(1), "{wait:?}");
    }

    #[test]
    fn buckets_that_are_full_again_are_dropped() {
        // A bucket of one is full after two microseconds.
        let limiter = Limiter::new("ip", 30_000_000, 0u32);
        for address in 1..20_000 {
            limiter.count(&address);
        }
        assert!(limiter.buckets.len() <= 2 * SWEEP_MIN, "{}", limiter.buckets.len());
        // None is full within the minute.
        let slow = Limiter::new("ip", 1, 0u32);
        for address in 1..=5_000 {
            slow.count(&address);
        }
        assert_eq!(slow.buckets.len(), 5_000);
        assert!(slow.count(&1).retry_after.is_some(), "it was not forgotten");
    }

    #[test]
    fn a_bucket_runs_dry_and_says_when_to_come_back() {
        let limiter = Limiter::new("ip", 3, 0u8);
        let left: Vec<u32> = (0..3).map(|_| limiter.count(&1).remaining).collect();
        assert_eq!(left, [2, 1, 0]);
        let refused = limiter.count(&1);
        let wait = refused.retry_after.expect("the fourth is over the limit");
        assert!(wait <= Duration::from_secs(20), "{wait:?}");
        assert!(limiter.count(&2).retry_after.is_none(), "others are not touched");
        let mut headers = HeaderMap::new();
        refused.write(&mut headers);
        assert_eq!(headers["ratelimit-policy"], "\"ip\";q=3;w=60");
        assert_eq!(headers["ratelimit"], "\"ip\";r=0;t=60");
        assert!(headers.contains_key("retry-after"));
    }
}
