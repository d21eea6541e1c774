//! How often one address may try to sign in or register, and how often anybody may try one account: the
//! brakes on guessing passwords, from one place and from many.
//!
//! Whoever floods an account must not keep its owner out. So attempts from a device that has signed in to the
//! account before ([`super::Devices`]), and changes of the password by somebody who is signed in, are counted
//! apart: as strictly, but in buckets that nobody else can empty.

use std::net::IpAddr;

use milena_domain::{UserId, Username};
use milena_settings::LimitSettings;

use super::DeviceId;
use crate::rate::{KeyedRate, per_minute};
use crate::refusal::Refusal;
use crate::server::address::{LEVELS, Network, networks_of};

/// Devices of one account together may try so many times as often as one.
const DEVICES: u32 = 4;

/// A bucket of attempts for each that is limited.
#[derive(Debug)]
pub struct SignInRate {
    /// One a level: an address, and the networks around it.
    addresses: [KeyedRate<Network>; LEVELS],
    /// By folded username, whether anybody has it or not: so the limit does not tell.
    accounts: KeyedRate<String>,
    devices: KeyedRate<DeviceId>,
    /// Of all known devices of an account, by folded username: whoever knows the password can have many
    /// devices.
    accounts_of_devices: KeyedRate<String>,
    password_changes: KeyedRate<UserId>,
}

impl SignInRate {
    /// As the settings bound it.
    #[must_use]
    pub fn from_settings(settings: &LimitSettings) -> Self {
        let address = |times: u32| {
            let (burst, rate) = (settings.sign_in_burst, settings.sign_in_per_minute);
            KeyedRate::new(per_minute(burst.saturating_mul(times), rate.saturating_mul(times)))
        };
        let (burst, rate) = (settings.sign_in_account_burst, settings.sign_in_account_per_minute);
        let account = per_minute(burst, rate);
        let devices = per_minute(burst.saturating_mul(DEVICES), rate.saturating_mul(DEVICES));
        Self {
            addresses: Network::TIMES.map(address),
            accounts: KeyedRate::new(account),
            devices: KeyedRate::new(account),
            accounts_of_devices: KeyedRate::new(devices),
            password_changes: KeyedRate::new(account),
        }
    }

    /// Counts an attempt from an address, and from the networks around it.
    ///
    /// # Errors
    /// `rate_limited` with the time to wait.
    pub fn check(&self, address: IpAddr) -> Result<(), Refusal> {
        for (network, rate) in networks_of(address).zip(&self.addresses) {
            rate.check(&network)
                .map_err(|too_soon| too_soon.refusal("too many attempts to sign in from your address"))?;
        }
        Ok(())
    }

    /// Counts an attempt at an account, right or wrong. What cannot be a username is nobody's and not
    /// counted.
    ///
    /// # Errors
    /// `rate_limited` with the time to wait.
    pub fn check_account(&self, username: &str) -> Result<(), Refusal> {
        let Ok(username) = Username::new(username) else { return Ok(()) };
        self.accounts
            .check(&username.folded())
            .map_err(|too_soon| too_soon.refusal("too many attempts to sign in to this account"))
    }

    /// Counts an attempt at an account from a device that has signed in to it before, in the place of the two
    /// above.
    ///
    /// # Errors
    /// `rate_limited` with the time to wait.
    pub fn check_device(&self, device: DeviceId, username: &str) -> Result<(), Refusal> {
        let account = username.to_ascii_lowercase();
        self.devices
            .check(&device)
            .and_then(|()| self.accounts_of_devices.check(&account))
            .map_err(|too_soon| too_soon.refusal("too many attempts to sign in from your device"))
    }

    /// Counts an attempt of somebody who is signed in to change the password: whoever found an open browser
    /// guesses no faster than at the door.
    ///
    /// # Errors
    /// `rate_limited` with the time to wait.
    pub fn check_password_change(&self, user: UserId) -> Result<(), Refusal> {
        self.password_changes
            .check(&user)
            .map_err(|too_soon| too_soon.refusal("too many attempts to change the password"))
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
    fn whoever_has_a_larger_ipv6_network_is_bounded_too() {
        let rate = rate(1, 1);
        let passed = |addresses: &mut dyn Iterator<Item = String>| {
            addresses.filter(|address| rate.check(address.parse().unwrap()).is_ok()).count()
        };
        assert_eq!(passed(&mut (0..256).map(|net| format!("2001:db8:1:{net:x}::1"))), 4, "one /56");
        assert_eq!(
            passed(&mut (0..65_536).step_by(256).map(|net| format!("2001:db8:2:{net:x}::1"))),
            16,
            "one /48"
        );
        assert_eq!(passed(&mut (0..9).map(|net| format!("2001:db8:{net:x}::1"))), 7, "others have theirs");
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
