//! How fast one user may send, over all sockets and REST of this node.

use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use governor::clock::{Clock, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use milena_domain::UserId;
use milena_settings::LimitSettings;

use crate::refusal::{Code, Refusal};

/// Users whose bucket is full again are forgotten each time that so many sends were checked. So at most these, and
/// those who sent within the time that a bucket takes to fill, are remembered.
const SWEEP_EVERY: u32 = 4_096;

/// A bucket of sends a user.
#[derive(Debug)]
pub struct SendRate {
    limiter: DefaultKeyedRateLimiter<UserId>,
    clock: DefaultClock,
    checks: AtomicU32,
}

impl SendRate {
    /// As the settings bound it.
    #[must_use]
    pub fn from_settings(settings: &LimitSettings) -> Self {
        let at_least_one = |number| NonZeroU32::new(number).unwrap_or(NonZeroU32::MIN);
        let quota = Quota::per_second(at_least_one(settings.send_per_second))
            .allow_burst(at_least_one(settings.send_burst));
        Self { limiter: RateLimiter::keyed(quota), clock: DefaultClock::default(), checks: AtomicU32::new(0) }
    }

    /// Counts a send.
    ///
    /// # Errors
    /// `rate_limited` with the time to wait.
    pub fn check(&self, user: UserId) -> Result<(), Refusal> {
        if self.checks.fetch_add(1, Ordering::Relaxed) % SWEEP_EVERY == SWEEP_EVERY - 1 {
            self.limiter.retain_recent();
            self.limiter.shrink_to_fit();
        }
        self.limiter.check_key(&user).map_err(|too_early| {
            let wait = too_early.wait_time_from(self.clock.now()) + Duration::from_millis(1);
            let wait_ms = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
            Refusal::later(Code::RateLimited, "you send too fast", wait_ms)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(send_burst: u32, send_per_second: u32) -> LimitSettings {
        LimitSettings { sign_in_burst: 1, sign_in_per_minute: 1, send_burst, send_per_second }
    }

    #[test]
    fn a_burst_then_a_refusal_that_says_how_long() {
        let rate = SendRate::from_settings(&settings(3, 1));
        let (busy, other) = (UserId::new(), UserId::new());
        assert!((0..3).all(|_| rate.check(busy).is_ok()));
        let refusal = rate.check(busy).unwrap_err();
        assert_eq!(refusal.code, Code::RateLimited);
        assert!((1..=1_001).contains(&refusal.retry_after_ms.unwrap()));
        assert!(rate.check(other).is_ok(), "others are not affected");
    }

    #[test]
    fn who_sends_no_more_is_forgotten() {
        let rate = SendRate::from_settings(&settings(1_000, 1_000_000));
        for _ in 0..5 * SWEEP_EVERY {
            rate.check(UserId::new()).unwrap();
        }
        assert!(rate.limiter.len() <= 2 * SWEEP_EVERY as usize, "{}", rate.limiter.len());
    }
}
