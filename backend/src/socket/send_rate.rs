//! How fast one user may send, over all sockets and REST of this node.

use milena_domain::UserId;
use milena_settings::LimitSettings;

use crate::rate::{KeyedRate, per_second};
use crate::refusal::Refusal;

/// A bucket of sends a user.
#[derive(Debug)]
pub struct SendRate(KeyedRate<UserId>);

impl SendRate {
    /// As the settings bound it.
    #[must_use]
    pub fn from_settings(settings: &LimitSettings) -> Self {
        Self(KeyedRate::new(per_second(settings.send_burst, settings.send_per_second)))
    }

    /// Counts a send.
    ///
    /// # Errors
    /// `rate_limited` with the time to wait.
    pub fn check(&self, user: UserId) -> Result<(), Refusal> {
        self.0.check(&user).map_err(|too_soon| too_soon.refusal("you send too fast"))
    }
}
