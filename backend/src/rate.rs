//! How often something may happen, for each of many: a bucket a key, in one place for all limits of that
//! kind.
//!
//! Memory is bounded: keys whose bucket is full again are forgotten each time that `SWEEP_EVERY` checks were
//! made. So at most these, and those who were busy within the time that a bucket takes to fill, are
//! remembered.

use std::hash::Hash;
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use governor::clock::{Clock, DefaultClock, MonotonicClock};
use governor::middleware::NoOpMiddleware;
use governor::state::{InMemoryState, NotKeyed};
use governor::{DefaultKeyedRateLimiter, InsufficientCapacity, NotUntil, Quota, RateLimiter};

use crate::refusal::{Code, Refusal};

const SWEEP_EVERY: u32 = 4_096;

/// So many a second, after a burst.
#[must_use]
pub fn per_second(burst: u32, rate: u32) -> Quota {
    // One a nanosecond is as fast as time is counted.
    Quota::per_second(at_least_one(rate.min(1_000_000_000))).allow_burst(at_least_one(burst))
}

/// So many a minute, after a burst.
#[must_use]
pub fn per_minute(burst: u32, rate: u32) -> Quota {
    Quota::per_minute(at_least_one(rate)).allow_burst(at_least_one(burst))
}

/// So many a day; they come back evenly.
#[must_use]
pub fn per_day(rate: u32) -> Quota {
    const DAY: Duration = Duration::from_secs(24 * 3_600);
    let rate = at_least_one(rate);
    // Of a period of less than a nanosecond there is none; no setting is as large.
    Quota::with_period(DAY / rate.get()).unwrap_or(Quota::per_second(rate)).allow_burst(rate)
}

fn at_least_one(number: u32) -> NonZeroU32 {
    NonZeroU32::new(number).unwrap_or(NonZeroU32::MIN)
}

/// It is too soon: the time to wait, at least 1 ms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooSoon {
    /// In milliseconds, rounded up.
    pub wait_ms: u64,
}

impl TooSoon {
    fn of<C: Clock>(too_early: &NotUntil<C::Instant>, clock: &C) -> Self {
        let wait = too_early.wait_time_from(clock.now()) + Duration::from_millis(1);
        Self { wait_ms: u64::try_from(wait.as_millis()).unwrap_or(u64::MAX) }
    }

    /// `rate_limited`, with the time to wait.
    #[must_use]
    pub fn refusal(self, sentence: &str) -> Refusal {
        Refusal::later(Code::RateLimited, sentence, self.wait_ms)
    }
}

/// A bucket for each key.
#[derive(Debug)]
pub struct KeyedRate<K: Hash + Eq + Clone> {
    limiter: DefaultKeyedRateLimiter<K>,
    checks: AtomicU32,
}

impl<K: Hash + Eq + Clone> KeyedRate<K> {
    /// All buckets are full.
    #[must_use]
    pub fn new(quota: Quota) -> Self {
        Self { limiter: RateLimiter::keyed(quota), checks: AtomicU32::new(0) }
    }

    /// Takes one out of the key's bucket.
    ///
    /// # Errors
    /// [`TooSoon`] when it is empty.
    pub fn check(&self, key: &K) -> Result<(), TooSoon> {
        self.sweep();
        self.limiter
            .check_key(key)
            .map_err(|too_early| TooSoon::of::<DefaultClock>(&too_early, self.limiter.clock()))
    }

    /// Takes so many out of the key's bucket, or none. More than the bucket holds are as many as it holds.
    ///
    /// # Errors
    /// [`TooSoon`] when there are not as many in it.
    pub fn check_many(&self, key: &K, count: u32) -> Result<(), TooSoon> {
        self.sweep();
        let too_early = match self.limiter.check_key_n(key, at_least_one(count)) {
            Ok(outcome) => outcome,
            Err(InsufficientCapacity(all)) => {
                self.limiter.check_key_n(key, at_least_one(all)).unwrap_or(Ok(()))
            }
        };
        too_early.map_err(|too_early| TooSoon::of::<DefaultClock>(&too_early, self.limiter.clock()))
    }

    fn sweep(&self) {
        if self.checks.fetch_add(1, Ordering::Relaxed) % SWEEP_EVERY == SWEEP_EVERY - 1 {
            self.limiter.retain_recent();
            self.limiter.shrink_to_fit();
        }
    }
}

/// One bucket, without a key. Every connection has some: the system's clock needs no room, governor's own 150
/// bytes a bucket.
#[derive(Debug)]
pub struct Rate(RateLimiter<NotKeyed, InMemoryState, MonotonicClock, NoOpMiddleware<Instant>>);

impl Rate {
    /// The bucket is full.
    #[must_use]
    pub fn new(quota: Quota) -> Self {
        Self(RateLimiter::direct_with_clock(quota, MonotonicClock))
    }

    /// Takes one out of the bucket.
    ///
    /// # Errors
    /// [`TooSoon`] when it is empty.
    pub fn check(&self) -> Result<(), TooSoon> {
        self.0.check().map_err(|too_early| TooSoon::of(&too_early, &MonotonicClock))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_then_a_wait_for_each_key() {
        let rate = KeyedRate::new(per_second(3, 1));
        assert!((0..3).all(|_| rate.check(&"busy").is_ok()));
        assert!((1..=1_001).contains(&rate.check(&"busy").unwrap_err().wait_ms));
        assert!(rate.check(&"other").is_ok(), "others are not affected");
        let refusal = TooSoon { wait_ms: 7 }.refusal("too fast");
        assert_eq!((refusal.code, refusal.retry_after_ms), (Code::RateLimited, Some(7)));
    }

    #[test]
    fn who_is_quiet_is_forgotten() {
        let rate = KeyedRate::new(per_second(1_000, 1_000_000));
        for key in 0..5 * SWEEP_EVERY {
            rate.check(&key).unwrap();
        }
        assert!(rate.limiter.len() <= 2 * SWEEP_EVERY as usize, "{}", rate.limiter.len());
    }

    #[test]
    fn one_bucket() {
        let rate = Rate::new(per_minute(2, 1));
        assert!(rate.check().is_ok() && rate.check().is_ok());
        assert!((50_000..=60_001).contains(&rate.check().unwrap_err().wait_ms));
    }
}
