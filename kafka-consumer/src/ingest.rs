//! The loop between Kafka and the store: it owns the ledger, the open batch and the one batch that is being
//! written.
//!
//! Records are taken only while the open batch has room; everything else that waits, waits in Kafka. Events
//! of the assignment come first: a partition that goes is drained (its rows written, its group offset
//! committed) before it is released, within a deadline; a partition that comes starts at the store's offset.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use milena_domain::{Epoch, Partitioning};
use milena_storage::{LogPosition, StorageError, crash_point};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;
use tokio::time::sleep_until;
use tokio_util::sync::CancellationToken;

use crate::backoff::Backoff;
use crate::batch::{Batch, Limits, OpenBatch};
use crate::bisect::Moved;
use crate::error::ConsumerError;
use crate::health::Health;
use crate::ledger::Ledger;
use crate::metrics;
use crate::outcome::Outcome;
use crate::poll::{Command, Control, Inbox, Start};
use crate::record::{Newer, Record};
use crate::report::{Report, Summary};
use crate::sink::Sink;

/// Group offsets and the log line, while there is something new.
const TICK: Duration = Duration::from_secs(1);

/// Where and how to work.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub(crate) topic: String,
    pub(crate) epoch: Epoch,
    pub(crate) limits: Limits,
    /// Time to write what is at hand when the program stops.
    pub(crate) drain: Duration,
    /// How many partitions the topic has, and had.
    pub(crate) partitioning: Arc<Partitioning>,
    /// The log's ends at the start.
    pub(crate) log_ends: BTreeMap<i32, i64>,
}

/// The writer task, seen from here. One batch at a time: the next is sent when the outcome of the last has
/// come.
#[derive(Debug)]
pub(crate) struct WriterPort {
    /// Bound 1, never full.
    pub(crate) batches: mpsc::Sender<Batch>,
    /// Bound 1. Closed when the writer task ended, which it does only after an error.
    pub(crate) outcomes: mpsc::Receiver<Result<Outcome, ConsumerError>>,
}

/// Partitions that are being given back.
#[derive(Debug)]
struct Release {
    partitions: Vec<i32>,
    deadline: Instant,
    reply: oneshot::Sender<BTreeMap<i32, i64>>,
}

/// An answer to "where do these partitions begin?", asked of the store in a task of its own.
type Located = (Vec<i32>, oneshot::Sender<BTreeMap<i32, Start>>, Result<LogPosition, StorageError>);

/// How the loop ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) summary: Summary,
    /// What the group is still to be told.
    pub(crate) commits: BTreeMap<i32, i64>,
    pub(crate) result: Result<(), ConsumerError>,
}

/// The loop's state; see the module.
pub(crate) struct Ingest<S> {
    plan: Plan,
    store: S,
    inbox: Inbox,
    commands: mpsc::Sender<Command>,
    writer: WriterPort,
    ledger: Ledger,
    open: OpenBatch,
    /// The rest of a chunk that did not fit into the open batch.
    backlog: std::vec::IntoIter<Record>,
    writing: bool,
    /// Partitions that the group gave us, whether or not their start is known yet.
    assigned: BTreeSet<i32>,
    releases: Vec<Release>,
    /// Ends with the loop: dropping it aborts what runs.
    locating: JoinSet<Located>,
    /// Set when the shutdown began.
    stop_by: Option<Instant>,
    /// Partitions that stand still before a record of a newer program.
    halted: BTreeSet<i32>,
    /// The log's ends, for the lag; from statistics, every second.
    log_ends: BTreeMap<i32, i64>,
    /// When group offsets or the log line are due; `None` while there is nothing new.
    tick_at: Option<Instant>,
    report: Report,
    health: Health,
}

impl<S: Sink + Clone> Ingest<S> {
    pub(crate) fn new(
        plan: Plan,
        store: S,
        inbox: Inbox,
        commands: mpsc::Sender<Command>,
        writer: WriterPort,
        health: Health,
    ) -> Self {
        let open = OpenBatch::new(plan.limits, plan.epoch);
        let log_ends = plan.log_ends.clone();
        Self {
            plan,
            store,
            inbox,
            commands,
            writer,
            ledger: Ledger::default(),
            open,
            backlog: Vec::new().into_iter(),
            writing: false,
            assigned: BTreeSet::new(),
            releases: Vec::new(),
            locating: JoinSet::new(),
            stop_by: None,
            halted: BTreeSet::new(),
            log_ends,
            tick_at: None,
            report: Report::new(),
            health,
        }
    }

    /// Works until `shutdown`, then writes what is at hand.
    pub(crate) async fn run(mut self, shutdown: &CancellationToken) -> Ended {
        let result = self.work(shutdown).await;
        self.report.say(self.lag());
        Ended { summary: self.report.total, commits: self.ledger.take_commits(), result }
    }

    async fn work(&mut self, shutdown: &CancellationToken) -> Result<(), ConsumerError> {
        loop {
            self.fill();
            self.dispatch().await?;
            self.release_drained();
            if self.stop_by.is_some() && !self.writing && self.open.is_empty() {
                return Ok(());
            }
            let stopping = self.stop_by.is_some();
            let takes_records = !stopping && self.backlog.as_slice().is_empty() && !self.open.is_full();
            let deadline = self.next_deadline();
            tokio::select! {
                biased;
                () = shutdown.cancelled(), if !stopping => {
                    self.stop_by = Some(Instant::now() + self.plan.drain);
                }
                control = self.inbox.control.recv() => {
                    self.control(control.ok_or(ConsumerError::ThreadEnded)?)?;
                }
                outcome = self.writer.outcomes.recv(), if self.writing => {
                    self.writing = false;
                    self.settle(outcome.ok_or(ConsumerError::ThreadEnded)??).await?;
                }
                Some(located) = self.locating.join_next() => {
                    let (partitions, reply, position) = located.map_err(|_| ConsumerError::ThreadEnded)?;
                    self.begin(&partitions, reply, position?).await?;
                }
                () = at(deadline) => {
                    if self.stop_by.is_some_and(|deadline| deadline <= Instant::now()) {
                        log::warn!(
                            "the store did not take the last batch in time; its records stay in the log"
                        );
                        return Ok(());
                    }
                }
                () = at(self.tick_at) => self.tick(),
                chunk = self.inbox.records.recv(), if takes_records => {
                    self.backlog = chunk.ok_or(ConsumerError::ThreadEnded)?.into_iter();
                }
            }
        }
    }

    /// Moves waiting records into the open batch as far as it has room.
    fn fill(&mut self) {
        let now = Instant::now();
        while !self.open.is_full() {
            let Some(record) = self.backlog.next() else { return };
            let (partition, generation, offset) = (record.partition, record.generation, record.offset);
            let Some(from) = self.ledger.wants(partition, generation, offset) else { continue };
            match self.open.push(record, from, now) {
                Ok(()) => self.ledger.accept(partition, generation, offset),
                Err(newer) => {
                    self.halt(&newer);
                    continue;
                }
            };
            crash_point("mid_batch");
        }
    }

    /// Reads no further in a partition, at a record that must not be passed: what stands before it is
    /// written, and the other partitions go on. Whoever has the partition next comes to it again.
    fn halt(&mut self, newer: &Newer) {
        log::error!(partition = newer.partition, offset = newer.offset; "{newer}");
        self.ledger.stop_reading(newer.partition);
        self.halted.insert(newer.partition);
        self.tell_halted();
    }

    /// A partition goes, or begins anew.
    fn unhalt(&mut self, partition: i32) {
        if self.halted.remove(&partition) {
            self.tell_halted();
        }
    }

    fn tell_halted(&self) {
        self.health.halted(!self.halted.is_empty());
        metrics::halted(self.halted.len());
    }

    /// Writes the open batch if it is time and nothing is being written.
    async fn dispatch(&mut self) -> Result<(), ConsumerError> {
        if self.writing || self.open.is_empty() {
            return Ok(());
        }
        let due = self.open.due_at().is_some_and(|due| due <= Instant::now());
        if due || self.open.is_full() || self.stop_by.is_some() || !self.releases.is_empty() {
            let batch = self.open.take();
            metrics::batch(&batch);
            self.writer.batches.send(batch).await.map_err(|_| ConsumerError::ThreadEnded)?;
            self.writing = true;
        }
        Ok(())
    }

    /// The next moment at which something must happen without an event.
    fn next_deadline(&self) -> Option<Instant> {
        let due = if self.writing { None } else { self.open.due_at() };
        let releases = self.releases.iter().map(|release| release.deadline);
        releases.chain(due).chain(self.stop_by).min()
    }

    fn control(&mut self, control: Control) -> Result<(), ConsumerError> {
        match control {
            Control::Assigned { partitions, reply } => {
                self.report.total.rebalances += 1;
                let known = self.plan.partitioning.now();
                if partitions.iter().any(|&partition| usize::try_from(partition).is_ok_and(|at| at >= known))
                {
                    return Err(ConsumerError::Repartitioned { topic: self.plan.topic.clone(), known });
                }
                self.assigned.extend(&partitions);
                let (store, topic) = (self.store.clone(), self.plan.topic.clone());
                self.locating.spawn(async move {
                    let position = locate(&store, &topic).await;
                    (partitions, reply, position)
                });
            }
            Control::Revoked { partitions, lost, deadline, reply } => {
                self.report.total.rebalances += 1;
                log::info!(partitions:?, lost; "partitions go");
                for &partition in &partitions {
                    self.assigned.remove(&partition);
                    self.unhalt(partition);
                    self.ledger.stop_reading(partition);
                    if lost {
                        self.open.drop_partition(partition);
                    }
                }
                metrics::rebalance(self.assigned.len());
                let deadline = if lost { Instant::now() } else { deadline };
                self.releases.push(Release { partitions, deadline, reply });
            }
            Control::LogEnds(ends) => {
                self.log_ends = ends;
                metrics::lag(self.lag());
            }
            Control::OutOfRange => return Err(ConsumerError::OutOfRange),
            Control::Fatal(error) => return Err(error.into()),
            // For what is at hand the store is enough.
            Control::Forgotten if self.stop_by.is_some() => {}
            Control::Forgotten => return Err(ConsumerError::Forgotten),
        }
        Ok(())
    }

    /// Answers the revocations whose partitions are drained, or whose time is up.
    fn release_drained(&mut self) {
        let now = Instant::now();
        for release in std::mem::take(&mut self.releases) {
            let drained = release.partitions.iter().all(|&partition| self.ledger.is_drained(partition));
            if !drained && now < release.deadline {
                self.releases.push(release);
                continue;
            }
            if !drained {
                log::info!(
                    "partitions go before all of them is stored; whoever has them next reads it again"
                );
            }
            let mut commits = BTreeMap::new();
            for partition in release.partitions {
                self.open.drop_partition(partition);
                if let Some(stored) = self.ledger.close(partition) {
                    commits.insert(partition, stored);
                }
            }
            // The callback may have given up waiting: then the next owner commits.
            let _ = release.reply.send(commits);
        }
    }

    /// Starts to read partitions at the store's offsets.
    async fn begin(
        &mut self,
        partitions: &[i32],
        reply: oneshot::Sender<BTreeMap<i32, Start>>,
        position: LogPosition,
    ) -> Result<(), ConsumerError> {
        if position.epoch != self.plan.epoch {
            return Err(ConsumerError::EpochChanged { ours: self.plan.epoch, store: position.epoch });
        }
        let mut starts = BTreeMap::new();
        // What went again meanwhile does not begin.
        for &partition in partitions {
            if !self.assigned.contains(&partition) {
                continue;
            }
            let offset = position.next_offsets.get(&partition).copied();
            // Should an older spell have left something here: it will be read again.
            self.open.drop_partition(partition);
            self.unhalt(partition);
            let generation = self.ledger.open(partition, offset.unwrap_or(0));
            starts.insert(partition, Start { offset, generation });
        }
        log::info!(partitions:?; "partitions come");
        self.health.assigned();
        metrics::rebalance(self.assigned.len());
        self.arm_tick();
        match reply.send(starts) {
            Ok(()) => Ok(()),
            Err(late) => self.seek(late).await,
        }
    }

    async fn seek(&mut self, starts: BTreeMap<i32, Start>) -> Result<(), ConsumerError> {
        if starts.is_empty() {
            return Ok(());
        }
        self.commands.send(Command::Seek(starts)).await.map_err(|_| ConsumerError::ThreadEnded)
    }

    /// Takes note of what became of a batch.
    async fn settle(&mut self, outcome: Outcome) -> Result<(), ConsumerError> {
        self.report.add(&outcome);
        metrics::outcome(&outcome);
        self.arm_tick();
        for span in outcome.done {
            self.ledger.finish(span);
        }
        let mut starts = BTreeMap::new();
        for Moved { partition, generation, next } in outcome.moved {
            if !self.ledger.is_current(partition, generation) {
                continue;
            }
            self.open.drop_partition(partition);
            self.unhalt(partition);
            if self.assigned.contains(&partition) {
                log::info!(
                    partition, next;
                    "another consumer wrote this partition; reading on from the store's offset"
                );
                let generation = self.ledger.open(partition, next);
                starts.insert(partition, Start { offset: Some(next), generation });
            } else {
                self.ledger.close(partition);
            }
        }
        self.seek(starts).await
    }

    fn arm_tick(&mut self) {
        self.tick_at.get_or_insert_with(|| Instant::now() + TICK);
    }

    fn tick(&mut self) {
        self.tick_at = None;
        let commits = self.ledger.take_commits();
        // If the poll thread is busy the next tick commits: group offsets only serve lag tools.
        if !commits.is_empty() && self.commands.try_send(Command::Commit(commits)).is_err() {
            log::debug!("group offsets were not handed over");
        }
        self.report.say(self.lag());
    }

    /// Records in the log that are not stored yet, of the partitions held, as of librdkafka's last
    /// statistics.
    fn lag(&self) -> i64 {
        let behind = |(partition, stored): (&i32, &i64)| {
            self.log_ends.get(partition).map_or(0, |end| (end - stored).max(0))
        };
        self.ledger.stored().iter().map(behind).sum()
    }
}

/// Asks the store until it answers.
async fn locate<S: Sink>(store: &S, topic: &str) -> Result<LogPosition, StorageError> {
    let mut backoff = Backoff::default();
    loop {
        match store.log_position(topic).await {
            Err(error) if error.is_worth_waiting_for() => {
                if backoff.attempts() == 0 {
                    log::warn!("the store's offsets cannot be read, waiting for it: {error}");
                }
                tokio::time::sleep(backoff.next(rand::random())).await;
            }
            answer => return answer,
        }
    }
}

/// Sleeps until then; for ever when there is no such moment.
async fn at(moment: Option<Instant>) {
    match moment {
        Some(moment) => sleep_until(moment.into()).await,
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests;
