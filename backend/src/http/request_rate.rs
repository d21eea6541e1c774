//! How fast one signed-in user may ask over REST, in all sessions on this node: each answer may cost the
//! store a query.

use milena_domain::UserId;
use milena_settings::LimitSettings;

use crate::rate::{KeyedRate, per_second};
use crate::refusal::Refusal;

/// A bucket of requests a user. Sends are not among them: they have their own ([`crate::socket::SendRate`]).
#[derive(Debug)]
pub struct RequestRate(KeyedRate<UserId>);

impl RequestRate {
    /// As the settings bound it.
    #[must_use]
    pub fn from_settings(settings: &LimitSettings) -> Self {
        Self(KeyedRate::new(per_second(settings.request_burst, settings.request_per_second)))
    }

    /// Counts a request.
    ///
    /// # Errors
    /// `rate_limited` with the time to wait.
    pub(super) fn check(&self, user: UserId) -> Result<(), Refusal> {
        self.0.check(&user).map_err(|too_soon| too_soon.refusal("you make too many requests"))
    }
}
