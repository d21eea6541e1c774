//! Carries batches into the store, one at a time, until each is finished.
//!
//! A batch is finished when every one of its records is stored, dead-lettered and acknowledged, or found to
//! be in other hands. Temporary failures are retried for ever; meanwhile nothing further is taken, so that
//! the log holds what waits. A row that the store refuses for ever is found by bisection and given away; the
//! others are stored.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use milena_domain::record::Placed;
use milena_domain::{ConversationId, Epoch, Position};
use milena_storage::{LogPosition, WriteError, WriteReport};

use crate::backoff::Backoff;
use crate::batch::{Batch, Lent};
use crate::bisect::{Split, reconcile, split};
use crate::error::ConsumerError;
use crate::health::{Health, Waiting};
use crate::metrics;
use crate::outcome::Outcome;
use crate::quota::Quota;
use crate::record::DeadLetter;
use crate::sink::{DeadLetters, Sink};

/// While the store is away, one line in so much time.
const REPORT_INTERVAL: Duration = Duration::from_secs(10);

/// The writing side: owns the store's handle and the quota of dead letters.
pub(crate) struct Writer<S, G> {
    store: S,
    dead_letters: G,
    topic: String,
    epoch: Epoch,
    quota: Quota,
    health: Health,
    last_report: Option<Instant>,
    /// How many partitions the topic had at the start.
    partitions: usize,
    replay: bool,
    /// In a replay: the store's offsets. What lies below them is written without passing them again.
    settled: BTreeMap<i32, i64>,
}

impl<S: Sink, G: DeadLetters> Writer<S, G> {
    pub(crate) fn new(store: S, dead_letters: G, topic: String, epoch: Epoch, health: Health) -> Self {
        let (quota, settled) = (Quota::default(), BTreeMap::new());
        let (last_report, partitions, replay) = (None, 0, false);
        Self { store, dead_letters, topic, epoch, quota, health, last_report, partitions, replay, settled }
    }

    /// The topic has so many at the start. That it has more later is no fault of the records.
    pub(crate) fn in_partitions(mut self, partitions: usize) -> Self {
        self.partitions = partitions;
        self
    }

    /// For reading again what is stored already up to `settled`: nothing is fenced, a consumer that stores
    /// meanwhile only moves that line.
    pub(crate) fn replaying(mut self, settled: BTreeMap<i32, i64>) -> Self {
        self.replay = true;
        self.settled = settled;
        self
    }

    /// Finishes `batch`.
    ///
    /// # Errors
    /// Only what waiting cannot cure: the dead-letter quota, a new epoch, partitions that were added, a store
    /// that refuses even to count.
    pub(crate) async fn write(&mut self, batch: Batch) -> Result<Outcome, ConsumerError> {
        let began = Instant::now();
        let mut outcome = Outcome::default();
        // Records of a producer that knows of new partitions already stand where they seem astray.
        let astray = batch.parts.values().flat_map(|part| &part.dead).any(DeadLetter::is_astray);
        if astray && self.dead_letters.partitions().await != self.partitions {
            return Err(ConsumerError::Repartitioned { topic: self.topic.clone(), known: self.partitions });
        }
        if !self.quota.admit(batch.events() as u64, batch.dead() as u64) {
            return Err(ConsumerError::TooManyDead { topic: self.topic.clone() });
        }
        let batch = self.publish_unreadable(batch, &mut outcome).await?;
        // A stack of what is left, the next piece on top.
        let (mut left, mut unanswered) = self.side_by_side(batch, &mut outcome).await;
        while let Some(mut piece) = left.pop() {
            if piece.parts.is_empty() {
                continue;
            }
            let lent = piece.lend(&self.topic, self.epoch, &self.settled);
            let result = self.attempt(&lent.write, &mut unanswered, &mut outcome).await;
            match result {
                Ok(report) => self.stored(&piece, &lent, report, &mut outcome),
                Err(Refusal::Fenced) => {
                    outcome.fenced += 1;
                    piece.put_back(lent);
                    let (rest, found) = self.reconcile(piece, &mut outcome).await?;
                    outcome.unanswered += if unanswered { found as u64 } else { 0 };
                    left.push(rest);
                }
                Err(Refusal::Permanent(reason)) => {
                    piece.put_back(lent);
                    match split(piece) {
                        Split::Halves(first, second) => left.extend([second, first]),
                        Split::Single { partition, event, rest } => {
                            if !self.quota.admit_refused() {
                                return Err(ConsumerError::StoreRefuses(reason));
                            }
                            self.refuse(partition, &event, "refused_by_store", reason, &mut outcome).await;
                            left.push(rest);
                        }
                        Split::Nothing => return Err(ConsumerError::StoreRefuses(reason)),
                    }
                }
                Err(Refusal::FalseProof { conversation, position, reason }) => {
                    piece.put_back(lent);
                    // Once it is gone, the others of its batch are judged without it, in the same order.
                    let Some((partition, event)) = piece.remove(conversation, position) else {
                        return Err(ConsumerError::StoreRefuses(reason));
                    };
                    if !self.quota.admit_refused() {
                        return Err(ConsumerError::StoreRefuses(reason));
                    }
                    self.refuse(partition, &event, "false_proof", reason, &mut outcome).await;
                    left.push(piece);
                }
            }
        }
        if self.last_report.take().is_some() {
            log::info!(retries = outcome.retries; "the store is available again");
        }
        self.health.waiting(Waiting::Nothing);
        outcome.took = began.elapsed();
        Ok(outcome)
    }

    /// Tries once to store a large batch in several transactions under way at once, each with partitions of
    /// its own, and answers what is left: what did not succeed is taken up again a piece after the other.
    /// Also whether an attempt failed in a way that may hide a commit.
    async fn side_by_side(&mut self, batch: Batch, outcome: &mut Outcome) -> (Vec<Batch>, bool) {
        let count = if self.replay { 1 } else { self.store.at_once(batch.events()) };
        if count < 2 {
            return (vec![batch], false);
        }
        let attempts = batch.shares(count).into_iter().map(|mut piece| {
            let (store, lent) = (&self.store, piece.lend(&self.topic, self.epoch, &self.settled));
            async move { (store.write(&lent.write).await, piece, lent) }
        });
        let (mut left, mut unanswered) = (Vec::new(), false);
        for (result, mut piece, lent) in futures::future::join_all(attempts).await {
            match result {
                Ok(report) => self.stored(&piece, &lent, report, outcome),
                Err(error) => {
                    unanswered |= matches!(error, WriteError::Transient(_) | WriteError::NeedsRepair(_));
                    piece.put_back(lent);
                    left.push(piece);
                }
            }
        }
        (left, unanswered)
    }

    fn stored(&mut self, piece: &Batch, lent: &Lent, report: WriteReport, outcome: &mut Outcome) {
        self.quota.stored(lent.write.events.len() as u64);
        outcome.inserted += report.inserted;
        outcome.repeats += report.repeats;
        outcome.void += report.void;
        outcome.transactions += 1;
        outcome.done.extend(piece.spans());
    }

    /// Gives the unreadable records away, but not those of partitions that have moved on without us: whoever
    /// did that gave them away too.
    async fn publish_unreadable(
        &mut self,
        batch: Batch,
        outcome: &mut Outcome,
    ) -> Result<Batch, ConsumerError> {
        if batch.dead() == 0 {
            return Ok(batch);
        }
        let (mut batch, _) = self.reconcile(batch, outcome).await?;
        let letters: Vec<_> =
            batch.parts.values_mut().flat_map(|part| std::mem::take(&mut part.dead)).collect();
        self.publish(letters, outcome).await;
        Ok(batch)
    }

    /// Gives away an event that the store will never take.
    async fn refuse(
        &self,
        partition: i32,
        event: &Placed,
        reason: &'static str,
        detail: String,
        outcome: &mut Outcome,
    ) {
        let original = self.dead_letters.original(partition, event).await;
        self.publish(vec![DeadLetter { original, reason, detail }], outcome).await;
    }

    async fn publish(&self, letters: Vec<DeadLetter>, outcome: &mut Outcome) {
        if letters.is_empty() {
            return;
        }
        outcome.dead += letters.len() as u64;
        for letter in letters.iter().take(10) {
            let (partition, offset, reason) =
                (letter.original.partition, letter.original.offset, letter.reason);
            log::warn!(
                partition, offset, reason;
                "a record cannot be stored and goes to the dead-letter topic"
            );
        }
        self.dead_letters.publish(letters).await;
    }

    /// Asks the store where it is and keeps of `piece` what still is to be written; also answers how many of
    /// its events the store has.
    async fn reconcile(
        &mut self,
        piece: Batch,
        outcome: &mut Outcome,
    ) -> Result<(Batch, usize), ConsumerError> {
        let position = self.position(outcome).await?;
        if self.replay {
            self.settled = position.next_offsets;
            return Ok((piece, 0));
        }
        let answer = reconcile(piece, &position.next_offsets);
        outcome.done.extend(answer.done);
        outcome.moved.extend(answer.moved);
        Ok((answer.left, answer.done_events))
    }

    async fn position(&mut self, outcome: &mut Outcome) -> Result<LogPosition, ConsumerError> {
        let mut backoff = Backoff::default();
        loop {
            match self.store.log_position(&self.topic).await {
                Ok(position) if position.epoch == self.epoch => return Ok(position),
                Ok(position) => {
                    return Err(ConsumerError::EpochChanged { ours: self.epoch, store: position.epoch });
                }
                Err(error) if error.is_worth_waiting_for() => {
                    outcome.retries += 1;
                    let waiting = if error.is_temporary() { Waiting::Unavailable } else { Waiting::Repair };
                    self.wait(&mut backoff, waiting, &error.to_string()).await;
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Tries until the store has an opinion; `unanswered` becomes true with an attempt that may have been
    /// committed although it failed.
    async fn attempt(
        &mut self,
        write: &milena_storage::WriteBatch,
        unanswered: &mut bool,
        outcome: &mut Outcome,
    ) -> Result<WriteReport, Refusal> {
        let mut backoff = Backoff::default();
        loop {
            let (waiting, reason) = match self.store.write(write).await {
                Ok(report) => return Ok(report),
                Err(WriteError::Fenced { partition, .. }) => {
                    log::debug!(partition; "the store is elsewhere");
                    return Err(Refusal::Fenced);
                }
                // Which epoch it is now is asked for in the same way as which offset it is now.
                Err(WriteError::StaleEpoch { .. }) => return Err(Refusal::Fenced),
                Err(error @ WriteError::FalseProof { conversation, position }) => {
                    return Err(Refusal::FalseProof { conversation, position, reason: error.to_string() });
                }
                Err(WriteError::Permanent(error)) => return Err(Refusal::Permanent(error.to_string())),
                Err(WriteError::Transient(error)) => (Waiting::Unavailable, error.to_string()),
                Err(WriteError::NeedsRepair(error)) => (Waiting::Repair, error.to_string()),
            };
            *unanswered = true;
            outcome.retries += 1;
            self.wait(&mut backoff, waiting, &reason).await;
        }
    }

    async fn wait(&mut self, backoff: &mut Backoff, waiting: Waiting, reason: &str) {
        if self.last_report.is_none_or(|last| last.elapsed() >= REPORT_INTERVAL) {
            self.last_report = Some(Instant::now());
            let attempts = backoff.attempts() + 1;
            if waiting == Waiting::Repair {
                log::error!(attempts, reason; "the store refuses until somebody mends it");
            } else {
                log::warn!(attempts, reason; "the store is not available; waiting for it");
            }
        }
        self.health.waiting(waiting);
        metrics::retry();
        tokio::time::sleep(backoff.next(rand::random())).await;
    }
}

/// Why the store did not take a batch, other than for the time being.
enum Refusal {
    Fenced,
    Permanent(String),
    FalseProof { conversation: ConversationId, position: Position, reason: String },
}

#[cfg(test)]
mod tests;
