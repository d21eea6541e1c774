//! What the consumer did: the totals for its owner, and one log line a second at most while it works.

use std::ops::AddAssign;
use std::time::{Duration, Instant};

use crate::outcome::Outcome;

/// What one run did, from its start to its end.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Summary {
    /// Events that count, stored.
    pub inserted: u64,
    /// Events that were said before, or change nothing.
    pub repeats: u64,
    /// Good events that do not count.
    pub void: u64,
    /// Events of batches whose commit was not answered, found in the store afterwards: stored, but which of
    /// the three they were was in the answer.
    pub unanswered: u64,
    /// Records given to the dead-letter topic.
    pub dead_letters: u64,
    /// Transactions committed.
    pub transactions: u64,
    /// Attempts that failed for the time being.
    pub retries: u64,
    /// Times that partitions came or went.
    pub rebalances: u64,
    /// Transactions refused because another consumer had written a partition meanwhile.
    pub fenced: u64,
}

impl AddAssign for Summary {
    fn add_assign(&mut self, more: Self) {
        self.inserted += more.inserted;
        self.repeats += more.repeats;
        self.void += more.void;
        self.unanswered += more.unanswered;
        self.dead_letters += more.dead_letters;
        self.transactions += more.transactions;
        self.retries += more.retries;
        self.rebalances += more.rebalances;
        self.fenced += more.fenced;
    }
}

/// Not more often than this.
const INTERVAL: Duration = Duration::from_secs(1);

/// Sums up, and writes the line when there is something to say.
#[derive(Debug)]
pub(crate) struct Report {
    pub(crate) total: Summary,
    said: Summary,
    said_at: Instant,
    slowest: Duration,
}

impl Report {
    pub(crate) fn new() -> Self {
        let nothing = Summary::default();
        Self { total: nothing, said: nothing, said_at: Instant::now(), slowest: Duration::ZERO }
    }

    pub(crate) fn add(&mut self, outcome: &Outcome) {
        self.total.inserted += outcome.inserted;
        self.total.repeats += outcome.repeats;
        self.total.void += outcome.void;
        self.total.unanswered += outcome.unanswered;
        self.total.dead_letters += outcome.dead;
        self.total.transactions += outcome.transactions;
        self.total.retries += outcome.retries;
        self.total.fenced += outcome.fenced;
        self.slowest = self.slowest.max(outcome.took);
    }

    /// Writes the line if the last one is long enough ago and something was written since. `lag` is in
    /// records.
    pub(crate) fn say(&mut self, lag: i64) {
        let elapsed = self.said_at.elapsed();
        let nothing_new = Summary { rebalances: self.total.rebalances, ..self.said } == self.total;
        if elapsed < INTERVAL || nothing_new {
            return;
        }
        // After a quiet time the rates are those of the last second, not of the whole quiet time.
        let seconds = elapsed.min(2 * INTERVAL).as_secs_f64();
        let rate = |now: u64, then: u64| ((now - then) as f64 / seconds).round();
        log::info!(
            rows_per_s = rate(self.total.inserted, self.said.inserted),
            batches_per_s = rate(self.total.transactions, self.said.transactions),
            repeats = self.total.repeats - self.said.repeats,
            void = self.total.void - self.said.void,
            unanswered = self.total.unanswered - self.said.unanswered,
            dead_letters = self.total.dead_letters - self.said.dead_letters,
            retries = self.total.retries - self.said.retries,
            slowest_ms = self.slowest.as_millis() as u64,
            lag;
            "stored"
        );
        self.said = self.total;
        self.said_at = Instant::now();
        self.slowest = Duration::ZERO;
    }
}
