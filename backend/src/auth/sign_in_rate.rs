//! How often one address may try to sign in or register: the brake on guessing passwords.

use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use governor::clock::{Clock, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use milena_settings::LimitSettings;

use crate::refusal::{Code, Refusal};

/// Addresses whose bucket is full again are forgotten each time that so many attempts were checked.
const SWEEP_EVERY: u32 = 1_024;

/// A bucket of attempts an address.
#[derive(Debug)]
pub struct SignInRate {
    limiter: DefaultKeyedRateLimiter<IpAddr>,
    clock: DefaultClock,
    checks: AtomicU32,
}

impl SignInRate {
    /// As the settings bound it.
    #[must_use]
    pub fn from_settings(settings: &LimitSettings) -> Self {
        let at_least_one = |number| NonZeroU32::new(number).unwrap_or(NonZeroU32::MIN);
        let quota = Quota::per_minute(at_least_one(settings.sign_in_per_minute))
            .allow_burst(at_least_one(settings.sign_in_burst));
        Self { limiter: RateLimiter::keyed(quota), clock: DefaultClock::default(), checks: AtomicU32::new(0) }
    }

    /// Counts an attempt.
    ///
    /// # Errors
    /// `rate_limited` with the time to wait.
    pub fn check(&self, address: IpAddr) -> Result<(), Refusal> {
        if self.checks.fetch_add(1, Ordering::Relaxed) % SWEEP_EVERY == SWEEP_EVERY - 1 {
            self.limiter.retain_recent();
            self.limiter.shrink_to_fit();
        }
        self.limiter.check_key(&bucket_of(address)).map_err(|too_early| {
            let wait = too_early.wait_time_from(self.clock.now()) + Duration::from_millis(1);
            let wait_ms = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
            Refusal::later(Code::RateLimited, "too many attempts to sign in from your address", wait_ms)
        })
    }
}

/// Whoever has one IPv6 address has at least 2^64 of them: the network is what counts.
fn bucket_of(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => {
            let [a, b, c, d, ..] = v6.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
        v4 => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rate(sign_in_burst: u32, sign_in_per_minute: u32) -> SignInRate {
        SignInRate::from_settings(&LimitSettings {
            sign_in_burst,
            sign_in_per_minute,
            send_burst: 1,
            send_per_second: 1,
        })
    }

    #[test]
    fn a_burst_and_then_a_wait_for_each_address() {
        let rate = rate(3, 6);
        let (one, other) = ("10.0.0.1".parse().unwrap(), "10.0.0.2".parse().unwrap());
        for _ in 0..3 {
            rate.check(one).unwrap();
        }
        let refusal = rate.check(one).unwrap_err();
        assert_eq!(refusal.code, Code::RateLimited);
        assert!((1..=10_001).contains(&refusal.retry_after_ms.unwrap()), "{refusal:?}");
        rate.check(other).unwrap();
    }

    #[test]
    fn an_ipv6_network_is_one_address() {
        let rate = rate(1, 1);
        rate.check("2001:db8:1:2::1".parse().unwrap()).unwrap();
        assert!(rate.check("2001:db8:1:2:ffff::9".parse().unwrap()).is_err());
        rate.check("2001:db8:1:3::1".parse().unwrap()).unwrap();
        rate.check("::ffff:10.0.0.1".parse().unwrap()).unwrap();
        assert!(rate.check("10.0.0.1".parse().unwrap()).is_err());
    }
}
