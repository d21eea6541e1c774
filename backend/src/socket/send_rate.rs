//! How fast and how much one user may send, over all sockets and REST of this node.

use milena_domain::UserId;
use milena_settings::LimitSettings;

use crate::rate::{KeyedRate, per_day, per_second};
use crate::refusal::Refusal;

/// What an event takes in the log besides its payload: ids, times, names of fields, its place in a batch.
const OVERHEAD_BYTES: u32 = 500;

/// Buckets of sends a user: how many, and how much.
#[derive(Debug)]
pub struct SendRate {
    sends: KeyedRate<UserId>,
    bytes: KeyedRate<UserId>,
    bytes_of_day: KeyedRate<UserId>,
}

impl SendRate {
    /// As the settings bound it.
    #[must_use]
    pub fn from_settings(settings: &LimitSettings) -> Self {
        Self {
            sends: KeyedRate::new(per_second(settings.send_burst, settings.send_per_second)),
            bytes: KeyedRate::new(per_second(settings.send_bytes_burst, settings.send_bytes_per_second)),
            bytes_of_day: KeyedRate::new(per_day(settings.send_bytes_per_day)),
        }
    }

    /// Counts a send.
    ///
    /// # Errors
    /// `rate_limited` with the time to wait.
    pub fn check(&self, user: UserId) -> Result<(), Refusal> {
        self.sends.check(&user).map_err(|too_soon| too_soon.refusal("you send too fast"))
    }

    /// Counts what an event with so large a payload takes of the log.
    ///
    /// # Errors
    /// `rate_limited` with the time to wait.
    pub fn check_bytes(&self, user: UserId, payload: usize) -> Result<(), Refusal> {
        let bytes = u32::try_from(payload).unwrap_or(u32::MAX).saturating_add(OVERHEAD_BYTES);
        self.bytes
            .check_many(&user, bytes)
            .map_err(|too_soon| too_soon.refusal("you send too much at once"))?;
        self.bytes_of_day
            .check_many(&user, bytes)
            .map_err(|too_soon| too_soon.refusal("you have sent as much as one may in a day"))
    }
}

#[cfg(test)]
mod tests {
    use milena_settings::Settings;

    use super::*;
    use crate::refusal::Code;

    #[test]
    fn what_one_user_writes_is_bounded_by_the_second_and_by_the_day() {
        const LETTER: usize = 4_000;
        let limits = LimitSettings {
            send_bytes_burst: 45_000,
            send_bytes_per_second: 9_000,
            send_bytes_per_day: 90_000,
            ..Settings::defaults().limits
        };
        let rate = SendRate::from_settings(&limits);
        let (greedy, other) = (UserId::new(), UserId::new());
        assert_eq!((0..20).filter(|_| rate.check_bytes(greedy, LETTER).is_ok()).count(), 10);
        let refused = rate.check_bytes(greedy, LETTER).unwrap_err();
        assert_eq!(refused.code, Code::RateLimited);
        assert!((1..=501).contains(&refused.retry_after_ms.unwrap()), "{refused:?}");
        assert!(rate.check_bytes(other, LETTER).is_ok(), "others are not affected");
        let rate = SendRate::from_settings(&LimitSettings { send_bytes_burst: 4_000_000, ..limits });
        assert_eq!((0..40).filter(|_| rate.check_bytes(greedy, LETTER).is_ok()).count(), 20);
        let wait_ms = rate.check_bytes(greedy, LETTER).unwrap_err().retry_after_ms.unwrap();
        assert!((4_200_000..=4_330_000).contains(&wait_ms), "a twentieth of a day: {wait_ms}");
    }
}
