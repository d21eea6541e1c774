//! How often one address may try to sign in or register, and how often anybody may try one account: the brakes on
//! guessing passwords, from one place and from many.

use std::net::IpAddr;

use milena_domain::Username;
use milena_settings::LimitSettings;

use crate::rate::{KeyedRate, per_minute};
use crate::refusal::Refusal;
use crate::server::address::network_of;

/// A bucket of attempts an address, and one an account.
#[derive(Debug)]
pub struct SignInRate {
    addresses: KeyedRate<IpAddr>,
    /// By folded username, whether anybody has it or not: so the limit does not tell.
    accounts: KeyedRate<String>,
}

impl SignInRate {
    /// As the settings bound it.
    #[must_use]
    pub fn from_settings(settings: &LimitSettings) -> Self {
        let accounts = per_minute(settings.sign_in_account_burst, settings.sign_in_account_per_minute);
        Self {
            addresses: KeyedRate::new(per_minute(settings.sign_in_burst, settings.sign_in_per_minute)),
            accounts: KeyedRate::new(accounts),
        }
    }

    /// Counts an attempt from an address.
    ///
    /// # Errors
    /// `rate_limited` with the time to wait.
    pub fn check(&self, address: IpAddr) -> Result<(), Refusal> {
        self.addresses
            .check(&network_of(address))
            .map_err(|too_soon| too_soon.refusal("too many attempts to sign in from your address"))
    }

    /// Counts an attempt at an account, right or wrong. What cannot be a username is nobody's and not counted.
    ///
    /// # Errors
    /// `rate_limited` with the time to wait.
    pub fn check_account(&self, username: &str) -> Result<(), Refusal> {
        let Ok(username) = Username::new(username) else { return Ok(()) };
        self.accounts
            .check(&username.folded())
            .map_err(|too_soon| too_soon.refusal("too many attempts to sign in to this account"))
    }
}

#[cfg(test)]
mod tests {
    use milena_settings::Settings;

    use super::*;
    use crate::refusal::Code;

    fn rate(burst: u32, per_minute: u32) -> SignInRate {
        SignInRate::from_settings(&LimitSettings {
            sign_in_burst: burst,
            sign_in_per_minute: per_minute,
            sign_in_account_burst: burst,
            sign_in_account_per_minute: per_minute,
            ..Settings::defaults().limits
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

    #[test]
    fn an_account_is_one_whatever_its_case_and_whether_it_exists() {
        let rate = rate(2, 1);
        rate.check_account("Anna").unwrap();
        rate.check_account("ANNA").unwrap();
        assert_eq!(rate.check_account("anna").unwrap_err().code, Code::RateLimited);
        rate.check_account("ben").unwrap();
        for _ in 0..10 {
            rate.check_account(&"x".repeat(100_000)).unwrap();
        }
    }
}
