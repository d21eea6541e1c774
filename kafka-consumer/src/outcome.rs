//! What the writer tells those who count, report and go on reading.

use std::time::Duration;

use crate::bisect::Moved;
use crate::ledger::Span;

/// What became of a batch.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    /// Finished spans.
    pub(crate) done: Vec<Span>,
    /// Partitions that the store is further or elsewhere with: drop what is at hand of them and read from
    /// here.
    pub(crate) moved: Vec<Moved>,
    /// Events that count and are stored now.
    pub(crate) inserted: u64,
    /// Events that were said before, or change nothing.
    pub(crate) repeats: u64,
    /// Good events that do not count.
    pub(crate) void: u64,
    /// Events of batches whose commit was not answered, found in the store afterwards: how many of them count
    /// was in the answer.
    pub(crate) unanswered: u64,
    pub(crate) dead: u64,
    /// Transactions that were committed.
    pub(crate) transactions: u64,
    /// Attempts that failed for the time being.
    pub(crate) retries: u64,
    /// Transactions refused because the store was elsewhere.
    pub(crate) fenced: u64,
    /// From the first attempt to the end.
    pub(crate) took: Duration,
}
