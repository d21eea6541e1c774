//! What the writer needs of the outside: the store, and a place for what cannot be stored.
//!
//! Two small traits, so that the writer's rules are tested against stores that fail on command.

use std::future::Future;

use milena_domain::record::Placed;
use milena_storage::{LogPosition, StorageError, Store, WriteBatch, WriteError, WriteReport};

use crate::record::{DeadLetter, RawRecord};

/// The relational store, as far as the consumer writes it.
pub(crate) trait Sink: Send + Sync + 'static {
    /// One transaction: offsets by compare-and-set, then events.
    fn write(&self, batch: &WriteBatch) -> impl Future<Output = Result<WriteReport, WriteError>> + Send;

    /// In how many transactions at once it takes so many events the soonest; each has partitions of its own.
    fn at_once(&self, events: usize) -> usize;

    /// Epoch and next offsets of `topic`.
    fn log_position(&self, topic: &str) -> impl Future<Output = Result<LogPosition, StorageError>> + Send;
}

impl Sink for Store {
    async fn write(&self, batch: &WriteBatch) -> Result<WriteReport, WriteError> {
        self.write_batch(batch).await
    }

    fn at_once(&self, events: usize) -> usize {
        self.writes_at_once(events)
    }

    async fn log_position(&self, topic: &str) -> Result<LogPosition, StorageError> {
        Self::log_position(self, topic).await
    }
}

/// Where dead letters go. All functions wait, for ever if need be, until Kafka answers.
pub(crate) trait DeadLetters: Send + Sync + 'static {
    /// Returns when every letter is acknowledged.
    fn publish(&self, letters: Vec<DeadLetter>) -> impl Future<Output = ()> + Send;

    /// How many partitions the message topic has now.
    fn partitions(&self) -> impl Future<Output = usize> + Send;

    /// The original record of an event that the store refused, read again from the log; made from the event
    /// itself when the log does not hold it any more.
    fn original(&self, partition: i32, event: &Placed) -> impl Future<Output = RawRecord> + Send;
}
