//! When to tell a client its cursor: a second or two after it was sent something, and now and then when all
//! is quiet, because the log moves on with other people's messages. Each connection waits a little
//! differently: a message to a room of ten thousand sockets would otherwise be followed at once by ten
//! thousand cursors, and everybody else would wait for them, too. Pure: the time is handed in.

use std::time::Duration;

use milena_domain::SessionCursor;
use tokio::time::Instant;

/// From the first thing that was sent since, at least; at most twice as long.
const AFTER: Duration = Duration::from_secs(1);

/// What the client was told last, and when the next is due. Each idle connection holds one: it is small.
#[derive(Debug)]
pub(crate) struct CursorPace {
    told: SessionCursor,
    due: Instant,
    /// Something was sent since.
    sent_since: bool,
    quiet_ms: u32,
    busy_ms: u32,
}

impl CursorPace {
    /// `told` stood in `welcome`; without traffic the next follows after `quiet_interval`. `jitter` (0 to 1)
    /// decides how long after something was sent.
    pub(crate) fn new(now: Instant, told: SessionCursor, quiet_interval: Duration, jitter: f64) -> Self {
        let busy_interval = AFTER.mul_f64(1.0 + jitter.clamp(0.0, 1.0)).min(quiet_interval);
        let due = now + quiet_interval;
        Self { told, due, sent_since: false, quiet_ms: ms(quiet_interval), busy_ms: ms(busy_interval) }
    }

    /// Something that the next cursor covers was sent.
    pub(crate) fn sent(&mut self, now: Instant) {
        if !self.sent_since {
            self.sent_since = true;
            self.due = self.due.min(now + Duration::from_millis(self.busy_ms.into()));
        }
    }

    /// When the next cursor is due.
    pub(crate) const fn deadline(&self) -> Instant {
        self.due
    }

    /// Whether the client is to be told this cursor. Counts as told, too, when it is not news.
    pub(crate) fn tell(&mut self, now: Instant, cursor: &SessionCursor) -> bool {
        self.due = now + Duration::from_millis(self.quiet_ms.into());
        self.sent_since = false;
        if self.told == *cursor {
            return false;
        }
        self.told.clone_from(cursor);
        true
    }
}

fn ms(interval: Duration) -> u32 {
    interval.as_millis().try_into().unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use milena_domain::Epoch;
    use proptest::prelude::*;

    use super::*;

    fn cursor(offset: i64) -> SessionCursor {
        SessionCursor { epoch: Epoch::FIRST, next_offsets: vec![offset] }
    }

    #[test]
    fn soon_when_busy_seldom_when_quiet_never_twice_the_same() {
        let (start, second) = (Instant::now(), Duration::from_secs(1));
        let quiet = 25 * second;
        let mut pace = CursorPace::new(start, cursor(1), quiet, 0.5);
        assert_eq!(pace.deadline(), start + quiet);
        pace.sent(start + 10 * second);
        pace.sent(start + 11 * second);
        let due = start + second.mul_f64(11.5);
        assert_eq!(pace.deadline(), due, "after the first of them");
        assert!(pace.tell(due, &cursor(2)));
        assert_eq!(pace.deadline(), due + quiet);
        assert!(!pace.tell(due + quiet, &cursor(2)));
        assert_eq!(pace.deadline(), due + quiet + quiet);
        pace.sent(due + quiet + quiet - second);
        assert_eq!(pace.deadline(), due + quiet + quiet, "never later than when all is quiet");
    }

    proptest! {
        /// Whatever is sent and when: no cursor comes within a second of another, none later than two
        /// seconds after something was sent, and sockets that were sent the same at once are told apart.
        #[test]
        fn cursors_are_spread(
            gaps_ms in prop::collection::vec(0_u64..5_000, 1..50), jitter in 0.0_f64..=1.0,
        ) {
            let mut now = Instant::now();
            let mut pace = CursorPace::new(now, cursor(0), Duration::from_secs(25), jitter);
            let (mut told_at, mut waits_since) = (None, None);
            for (at, gap_ms) in gaps_ms.into_iter().enumerate() {
                let next = now + Duration::from_millis(gap_ms);
                while pace.deadline() <= next {
                    let due = pace.deadline();
                    prop_assert!(waits_since.is_none_or(|since| due <= since + 2 * AFTER));
                    prop_assert!(told_at.is_none_or(|before| due >= before + AFTER));
                    pace.tell(due, &cursor(at.try_into().unwrap_or(i64::MAX)));
                    (told_at, waits_since) = (Some(due), None);
                }
                now = next;
                pace.sent(now);
                waits_since.get_or_insert(now);
            }
        }
    }
}
