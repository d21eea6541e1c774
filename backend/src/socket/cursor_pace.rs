//! When to tell a client its cursor: soon after it was sent something, but at most once a second, and now and
//! then when all is quiet, because the log moves on with other people's messages. Pure: the time is handed
//! in.

use std::time::Duration;

use milena_domain::SessionCursor;
use tokio::time::Instant;

const AT_MOST_EVERY: Duration = Duration::from_secs(1);

/// What the client was told last, and when.
#[derive(Debug)]
pub(crate) struct CursorPace {
    told: SessionCursor,
    told_at: Instant,
    quiet_interval: Duration,
    sent_since: bool,
}

impl CursorPace {
    /// `told` stood in `welcome`; without traffic the next follows after `quiet_interval`.
    pub(crate) fn new(now: Instant, told: SessionCursor, quiet_interval: Duration) -> Self {
        Self { told, told_at: now, quiet_interval, sent_since: false }
    }

    /// Something that the next cursor covers was sent.
    pub(crate) fn sent(&mut self) {
        self.sent_since = true;
    }

    /// When the next cursor is due.
    pub(crate) fn deadline(&self) -> Instant {
        self.told_at + if self.sent_since { AT_MOST_EVERY } else { self.quiet_interval }
    }

    /// Whether the client is to be told this cursor. Counts as told, too, when it is not news.
    pub(crate) fn tell(&mut self, now: Instant, cursor: &SessionCursor) -> bool {
        self.told_at = now;
        self.sent_since = false;
        if self.told == *cursor {
            return false;
        }
        self.told.clone_from(cursor);
        true
    }
}

#[cfg(test)]
mod tests {
    use milena_domain::Epoch;

    use super::*;

    fn cursor(offset: i64) -> SessionCursor {
        SessionCursor { epoch: Epoch::FIRST, next_offsets: vec![offset] }
    }

    #[test]
    fn once_a_second_when_busy_seldom_when_quiet_never_twice_the_same() {
        let start = Instant::now();
        let quiet = Duration::from_secs(25);
        let mut pace = CursorPace::new(start, cursor(1), quiet);
        assert_eq!(pace.deadline(), start + quiet);
        pace.sent();
        assert_eq!(pace.deadline(), start + AT_MOST_EVERY);
        let now = start + AT_MOST_EVERY;
        assert!(pace.tell(now, &cursor(2)));
        assert_eq!(pace.deadline(), now + quiet);
        assert!(!pace.tell(now + quiet, &cursor(2)));
        assert_eq!(pace.deadline(), now + quiet + quiet);
    }
}
