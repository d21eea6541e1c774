//! Rebalances, as they happen inside a poll.
//!
//! Partitions that come start at the store's offsets, never at the group's; partitions that go are drained
//! first. The incremental calls are used where the group's protocol is cooperative.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use milena_kafka::{Forgotten, Quiet};
use milena_storage::crash_point;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer, ConsumerContext, RebalanceProtocol};
use rdkafka::error::{KafkaError, KafkaResult};
use rdkafka::types::RDKafkaRespErr;
use rdkafka::{ClientContext, Offset, Statistics, TopicPartitionList};
use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot};

use super::{Control, Start};
use crate::ledger::Generation;

/// How long a new assignment waits for the store's offsets. While it waits nothing else is polled.
const START_PATIENCE: Duration = Duration::from_secs(3);
/// On top of a revocation's deadline, for the answer to arrive.
const GRACE: Duration = Duration::from_millis(500);

/// What callbacks and the poll loop share. Both run on the poll thread: the lock is never contended.
#[derive(Debug, Default)]
pub(super) struct Held {
    /// The spell that each assigned partition is in; absent while its start is unknown.
    pub(super) generations: HashMap<i32, Generation>,
    /// Whether the partitions are paused because the ingest loop does not keep up.
    pub(super) paused: bool,
    /// The ingest loop has stopped: callbacks ask nobody.
    pub(super) stopping: bool,
}

/// The client's context.
pub(super) struct GroupContext {
    quiet: Quiet,
    topic: String,
    control: mpsc::Sender<Control>,
    runtime: Handle,
    drain: Duration,
    held: Mutex<Held>,
    forgotten: Forgotten,
}

impl GroupContext {
    pub(super) fn new(
        topic: String,
        control: mpsc::Sender<Control>,
        runtime: Handle,
        drain: Duration,
    ) -> Self {
        let (quiet, held, forgotten) = (Quiet::default(), Mutex::default(), Forgotten::default());
        Self { quiet, topic, control, runtime, drain, held, forgotten }
    }

    pub(super) fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn runtime(&self) -> &Handle {
        &self.runtime
    }

    /// Tells the ingest loop; false when it is gone.
    pub(super) fn tell(&self, control: Control) -> bool {
        !self.held().stopping && self.runtime.block_on(self.control.send(control)).is_ok()
    }

    /// Asks and waits; `None` when there is no answer in time. An answer that was sent is never lost: closing
    /// comes before giving up, so that the sender knows.
    fn ask<T>(&self, control: Control, mut reply: oneshot::Receiver<T>, patience: Duration) -> Option<T> {
        if !self.tell(control) {
            return None;
        }
        let waited = self.runtime.block_on(async { tokio::time::timeout(patience, &mut reply).await });
        match waited {
            Ok(answer) => answer.ok(),
            Err(_) => {
                reply.close();
                reply.try_recv().ok()
            }
        }
    }

    fn assigned(&self, consumer: &BaseConsumer<Self>, list: &mut TopicPartitionList) -> KafkaResult<()> {
        let partitions = partitions_of(list);
        let starts = self.starts_of(&partitions);
        let mut unknown = TopicPartitionList::new();
        let paused = {
            let mut held = self.held();
            for &partition in &partitions {
                // A start that is not known yet: the beginning is always there, and nothing is read while
                // paused.
                let start = starts.get(&partition);
                let offset = start.and_then(|start| start.offset).map_or(Offset::Beginning, Offset::Offset);
                list.set_partition_offset(&self.topic, partition, offset)?;
                match start {
                    Some(start) => drop(held.generations.insert(partition, start.generation)),
                    None => drop(unknown.add_partition(&self.topic, partition)),
                }
            }
            held.paused
        };
        match consumer.rebalance_protocol() {
            RebalanceProtocol::Cooperative => consumer.incremental_assign(list)?,
            _ => consumer.assign(list)?,
        }
        // Paused is a state of the partition that outlives an assignment: set it either way.
        if paused {
            consumer.pause(list)?;
        } else {
            consumer.resume(list)?;
            if unknown.count() > 0 {
                consumer.pause(&unknown)?;
            }
        }
        Ok(())
    }

    /// A cooperative group also announces that nothing has come: nobody needs to be asked.
    fn starts_of(&self, partitions: &[i32]) -> BTreeMap<i32, Start> {
        if partitions.is_empty() {
            return BTreeMap::new();
        }
        let (sender, reply) = oneshot::channel();
        let question = Control::Assigned { partitions: partitions.to_vec(), reply: sender };
        self.ask(question, reply, START_PATIENCE).unwrap_or_default()
    }

    fn revoked(&self, consumer: &BaseConsumer<Self>, list: &TopicPartitionList) -> KafkaResult<()> {
        let partitions = partitions_of(list);
        let lost = consumer.assignment_lost();
        if !partitions.is_empty() {
            crash_point("in_revoke");
            let (sender, reply) = oneshot::channel();
            let deadline = Instant::now() + self.drain;
            let question = Control::Revoked { partitions: partitions.clone(), lost, deadline, reply: sender };
            let commits = self.ask(question, reply, self.drain + GRACE).unwrap_or_default();
            crash_point("after_drain");
            if !lost && !commits.is_empty() {
                // A late commit may be refused while the group changes: the store's offsets are what counts.
                if let Err(error) = commit(consumer, &self.topic, &commits, CommitMode::Sync) {
                    log::info!("the group offsets were not committed on a rebalance: {error}");
                }
            }
            let mut held = self.held();
            for partition in &partitions {
                held.generations.remove(partition);
            }
        }
        match consumer.rebalance_protocol() {
            RebalanceProtocol::Cooperative => consumer.incremental_unassign(list),
            _ => consumer.unassign(),
        }
    }
}

/// Commits next offsets to the group. The list lives only here: one that outlives the client makes its drop
/// hang.
pub(super) fn commit(
    consumer: &BaseConsumer<GroupContext>,
    topic: &str,
    offsets: &BTreeMap<i32, i64>,
    mode: CommitMode,
) -> KafkaResult<()> {
    let mut list = TopicPartitionList::with_capacity(offsets.len());
    for (&partition, &offset) in offsets {
        list.add_partition_offset(topic, partition, Offset::Offset(offset))?;
    }
    consumer.commit(&list, mode)
}

/// A list for [`Consumer::pause`] and the like.
pub(super) fn list_of(topic: &str, partitions: impl IntoIterator<Item = i32>) -> TopicPartitionList {
    let mut list = TopicPartitionList::new();
    for partition in partitions {
        list.add_partition(topic, partition);
    }
    list
}

fn partitions_of(list: &TopicPartitionList) -> Vec<i32> {
    list.elements().iter().map(rdkafka::topic_partition_list::TopicPartitionListElem::partition).collect()
}

impl Start {
    pub(super) fn kafka_offset(self) -> Offset {
        self.offset.map_or(Offset::Beginning, Offset::Offset)
    }
}

impl ConsumerContext for GroupContext {
    fn rebalance(&self, consumer: &BaseConsumer<Self>, event: RDKafkaRespErr, list: &mut TopicPartitionList) {
        let result = match event {
            RDKafkaRespErr::RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS => self.assigned(consumer, list),
            _ => self.revoked(consumer, list),
        };
        if let Err(error) = result {
            self.tell(Control::Fatal(error));
        }
    }

    fn commit_callback(&self, result: KafkaResult<()>, _offsets: &TopicPartitionList) {
        if let Err(error) = result {
            // The next one, a second later, covers it; nothing rests on group offsets.
            log::debug!("group offsets were not committed: {error}");
        }
    }
}

impl ClientContext for GroupContext {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        self.quiet.log(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.quiet.error(error, reason);
    }

    fn stats(&self, statistics: Statistics) {
        self.forgotten.look(&statistics);
        if self.forgotten.is_certain() {
            self.tell(Control::Forgotten);
        }
        let Some(topic) = statistics.topics.get(&self.topic) else { return };
        let ends = topic
            .partitions
            .values()
            .filter(|partition| partition.partition >= 0 && partition.hi_offset >= 0)
            .map(|partition| (partition.partition, partition.hi_offset))
            .collect();
        if !self.held().stopping {
            // A report that finds no room is dropped: the next comes soon.
            let _ = self.control.try_send(Control::LogEnds(ends));
        }
    }
}
