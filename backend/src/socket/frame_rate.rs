//! How many frames one connection may send, of whatever kind, and when it is sent away.
//!
//! A frame beyond the rate is refused with the time to wait; that costs a few microseconds. A client that
//! does not wait uses up the server's patience and is closed with 4503: so a flood ends, and ends soon.

use milena_settings::LimitSettings;

use super::line::End;
use crate::metrics;
use crate::rate::{Rate, per_second};
use crate::refusal::Refusal;
use crate::registry::CloseCode;

/// Refused frames that a connection may have at once: more than a client that sends its whole backlog makes,
/// and over within a second for one that floods.
const PATIENCE_BURST: u32 = 1_000;
/// Refused frames that are forgiven a second.
const PATIENCE_PER_SECOND: u32 = 20;

/// The buckets of one connection.
#[derive(Debug)]
pub(super) struct FrameRate {
    frames: Rate,
    patience: Rate,
}

impl FrameRate {
    /// As the settings bound it.
    pub(super) fn from_settings(settings: &LimitSettings) -> Self {
        Self {
            frames: Rate::new(per_second(settings.frame_burst, settings.frame_per_second)),
            patience: Rate::new(per_second(PATIENCE_BURST, PATIENCE_PER_SECOND)),
        }
    }

    /// Counts a frame; inside, the refusal to answer it with.
    ///
    /// # Errors
    /// The end of a connection that goes on in spite of refusals.
    pub(super) fn check(&self) -> Result<Result<(), Refusal>, End> {
        match self.frames.check() {
            Ok(()) => Ok(Ok(())),
            Err(too_soon) => {
                self.refused()?;
                Ok(Err(too_soon.refusal("this connection sends frames too fast")))
            }
        }
    }

    /// Counts a frame that was refused because it came too soon, whoever's limit that was.
    ///
    /// # Errors
    /// The end of a connection that goes on in spite of refusals.
    pub(super) fn refused(&self) -> Result<(), End> {
        metrics::frame_refused();
        self.patience.check().map_err(|_| End::Ours(CloseCode::Flooding))
    }
}

#[cfg(test)]
mod tests {
    use milena_settings::Settings;

    use super::*;

    #[test]
    fn frames_are_taken_then_refused_then_the_connection_ends() {
        let settings = LimitSettings { frame_burst: 5, frame_per_second: 1, ..Settings::defaults().limits };
        let rate = FrameRate::from_settings(&settings);
        assert!((0..5).all(|_| rate.check() == Ok(Ok(()))));
        let refusals = (0..100_000).take_while(|_| matches!(rate.check(), Ok(Err(_)))).count();
        assert!((1_000..1_100).contains(&refusals), "{refusals}");
        assert_eq!(rate.check(), Err(End::Ours(CloseCode::Flooding)));
    }
}
