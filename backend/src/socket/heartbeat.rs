//! When to ask whether the other side is still there, and when to give up. Pure: the time is handed in.
//!
//! A ping goes out only when nothing was received for a while; anything received is an answer. The interval
//! has some randomness, so that ten thousand sockets that connected in one second do not ping in one second
//! for ever.

use std::time::Duration;

use tokio::time::Instant;

/// The line's state of health.
#[derive(Debug)]
pub(super) struct Heartbeat {
    interval: Duration,
    patience: Duration,
    heard_at: Instant,
    pinged_at: Option<Instant>,
}

/// What to do now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Beat {
    /// Nothing.
    Wait,
    /// Send a ping.
    Ping,
    /// End the connection: nothing came for `patience` after the ping.
    Dead,
}

impl Heartbeat {
    /// Pings `interval` and up to 10 % more after something was heard last, `jitter` (0 to 1) deciding how
    /// much.
    pub(super) fn new(now: Instant, interval: Duration, patience: Duration, jitter: f64) -> Self {
        let interval = interval.mul_f64(1.0 + 0.1 * jitter.clamp(0.0, 1.0));
        Self { interval, patience, heard_at: now, pinged_at: None }
    }

    /// Something was received. Also to be said while nobody listens: then silence means nothing.
    pub(super) fn heard(&mut self, now: Instant) {
        self.heard_at = now;
        self.pinged_at = None;
    }

    /// When to ask [`Heartbeat::beat`] again at the latest.
    pub(super) fn deadline(&self) -> Instant {
        self.pinged_at.map_or(self.heard_at + self.interval, |pinged_at| pinged_at + self.patience)
    }

    /// What to do at `now`; a ping is taken as sent.
    pub(super) fn beat(&mut self, now: Instant) -> Beat {
        if now < self.deadline() {
            return Beat::Wait;
        }
        if self.pinged_at.is_some() {
            return Beat::Dead;
        }
        self.pinged_at = Some(now);
        Beat::Ping
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn silence_is_asked_once_and_then_ended() {
        let start = Instant::now();
        let mut line = Heartbeat::new(start, 25 * SECOND, 10 * SECOND, 0.0);
        assert_eq!(line.beat(start + 24 * SECOND), Beat::Wait);
        assert_eq!(line.beat(start + 25 * SECOND), Beat::Ping);
        assert_eq!(line.beat(start + 34 * SECOND), Beat::Wait);
        assert_eq!(line.beat(start + 35 * SECOND), Beat::Dead);
        line.heard(start + 35 * SECOND);
        assert_eq!(line.beat(start + 59 * SECOND), Beat::Wait);
        assert_eq!(line.beat(start + 60 * SECOND), Beat::Ping);
    }

    proptest! {
        #[test]
        fn a_line_that_is_heard_in_time_lives(
            gaps_ms in prop::collection::vec(1_u64..34_999, 1..50), jitter in 0.0_f64..=1.0
        ) {
            let mut now = Instant::now();
            let mut line = Heartbeat::new(now, 25 * SECOND, 10 * SECOND, jitter);
            for gap in gaps_ms {
                let heard_at = now + Duration::from_millis(gap);
                // As the connection does: it looks at each deadline before the next thing arrives.
                while line.deadline() < heard_at {
                    prop_assert_ne!(line.beat(line.deadline()), Beat::Dead);
                }
                now = heard_at;
                line.heard(now);
            }
            let silent_until = now + 40 * SECOND;
            prop_assert_eq!(line.beat(line.deadline()), Beat::Ping);
            prop_assert!(line.deadline() <= silent_until);
            prop_assert_eq!(line.beat(line.deadline()), Beat::Dead);
        }
    }
}
