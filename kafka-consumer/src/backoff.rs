//! How long to wait before the next attempt: exponential, capped, jittered, without an end.
//!
//! The log is the buffer: while the store is away, waiting costs nothing, and giving up would only move the
//! same retry into the supervisor. The jitter keeps several consumers from returning to a recovering store in
//! step.

use std::time::Duration;

const BASE: Duration = Duration::from_millis(100);
const CAP: Duration = Duration::from_secs(5);

/// The waits of one run of failures. Pure: the chance is handed in.
#[derive(Debug, Default, Clone)]
pub(crate) struct Backoff {
    attempts: u32,
}

impl Backoff {
    /// The next wait; `chance` from 0 to 1 places it between a quarter of the current bound and the bound, so
    /// that it is never a busy loop.
    pub(crate) fn next(&mut self, chance: f64) -> Duration {
        let bound = BASE.saturating_mul(2_u32.saturating_pow(self.attempts)).min(CAP);
        self.attempts = self.attempts.saturating_add(1);
        bound.mul_f64(0.25 + 0.75 * chance.clamp(0.0, 1.0))
    }

    /// Failures so far.
    pub(crate) const fn attempts(&self) -> u32 {
        self.attempts
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn waits_grow_to_the_cap_and_never_vanish(chances in prop::collection::vec(0.0..=1.0_f64, 1..100)) {
            let mut backoff = Backoff::default();
            for chance in chances {
                let wait = backoff.next(chance);
                prop_assert!(wait >= BASE / 4 && wait <= CAP);
            }
        }
    }

    #[test]
    fn the_bound_doubles() {
        let mut backoff = Backoff::default();
        let waits: Vec<_> = (0..8).map(|_| backoff.next(1.0).as_millis()).collect();
        assert_eq!(waits, [100, 200, 400, 800, 1_600, 3_200, 5_000, 5_000]);
        assert_eq!(backoff.attempts(), 8);
    }
}
