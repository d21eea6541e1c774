//! The loop of the poll thread.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use milena_domain::Partitioning;
use milena_storage::crash_point;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::{Message, TopicPartitionList};
use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TryRecvError;

use super::context::{GroupContext, commit, list_of};
use super::{Command, Control, Start};
use crate::record::Record;

/// How long a poll waits on a quiet topic. A record ends it at once; a command waits for it.
const IDLE_POLL: Duration = Duration::from_millis(100);
/// Records of one chunk, at most, and their bytes, about.
const CHUNK_RECORDS: usize = 512;
const CHUNK_BYTES: usize = 1 << 20;
/// A full channel is only waited for; one that stays full this long pauses the partitions. Pausing throws
/// away what librdkafka has fetched, so it is for a store that is gone, not for one that is busy.
const PAUSE_AFTER: Duration = Duration::from_secs(1);
const SEEK_TIMEOUT: Duration = Duration::from_secs(5);

pub(super) struct PollThread {
    consumer: BaseConsumer<GroupContext>,
    topic: String,
    /// Of the topic: decides where a conversation's records belong.
    partitioning: Arc<Partitioning>,
    records: mpsc::Sender<Vec<Record>>,
    commands: mpsc::Receiver<Command>,
    /// The chunk that is being filled or waits for room; at most one record over its limits.
    chunk: Vec<Record>,
    chunk_bytes: usize,
    /// Since when `chunk` waits.
    waiting_since: Option<Instant>,
    /// Seeks that have not succeeded yet.
    seeks: BTreeMap<i32, Start>,
}

impl PollThread {
    pub(super) fn new(
        consumer: BaseConsumer<GroupContext>,
        topic: String,
        partitioning: Arc<Partitioning>,
        records: mpsc::Sender<Vec<Record>>,
        commands: mpsc::Receiver<Command>,
    ) -> Self {
        let (chunk, seeks) = (Vec::with_capacity(CHUNK_RECORDS), BTreeMap::new());
        Self {
            consumer,
            topic,
            partitioning,
            records,
            commands,
            chunk,
            chunk_bytes: 0,
            waiting_since: None,
            seeks,
        }
    }

    /// Polls until told to stop, or until the ingest loop is gone.
    pub(super) fn run(mut self) {
        let commits = loop {
            match self.commands.try_recv() {
                Ok(Command::Stop(commits)) => break commits,
                Ok(Command::Commit(offsets)) => self.commit(&offsets, CommitMode::Async),
                Ok(Command::Seek(starts)) => self.seeks.extend(starts),
                Err(TryRecvError::Disconnected) => break BTreeMap::new(),
                Err(TryRecvError::Empty) => {
                    self.seek();
                    self.turn();
                }
            }
        };
        self.consumer.context().held().stopping = true;
        self.commit(&commits, CommitMode::Sync);
        // Leaving takes the revoke callback with it; the drop below then only closes connections.
        self.consumer.unsubscribe();
    }

    fn turn(&mut self) {
        if self.waiting_since.is_none() {
            self.gather(IDLE_POLL);
        } else if self.is_paused() {
            // Nothing comes but callbacks, and those must come.
            self.gather(IDLE_POLL);
        }
        if !self.chunk.is_empty() {
            self.hand_over();
        }
    }

    /// Takes what there is: waits for the first record only.
    fn gather(&mut self, patience: Duration) {
        let mut patience = patience;
        loop {
            match self.consumer.poll(patience) {
                Some(Ok(message)) => {
                    let generation =
                        self.consumer.context().held().generations.get(&message.partition()).copied();
                    // Without a generation the start is not known yet: it will be read again from there.
                    if let Some(generation) = generation {
                        let record = Record::decode(&message, &self.partitioning, generation);
                        self.chunk_bytes += record.bytes;
                        self.chunk.push(record);
                        crash_point("after_poll");
                    }
                }
                Some(Err(error)) => {
                    self.report(error);
                    return;
                }
                None => return,
            }
            if self.chunk.len() >= CHUNK_RECORDS || self.chunk_bytes >= CHUNK_BYTES {
                return;
            }
            patience = Duration::ZERO;
        }
    }

    /// Gives the chunk away, or waits a little for room.
    fn hand_over(&mut self) {
        // Inside the block: a timer is made where the runtime is.
        let room = async { tokio::time::timeout(IDLE_POLL, self.records.reserve()).await };
        let context = self.consumer.context();
        let permit = if self.is_paused() {
            self.records.try_reserve().ok()
        } else {
            context.runtime().block_on(room).ok().and_then(Result::ok)
        };
        if let Some(permit) = permit {
            let full = std::mem::replace(&mut self.chunk, Vec::with_capacity(CHUNK_RECORDS));
            permit.send(full);
            self.chunk_bytes = 0;
            self.waiting_since = None;
            self.set_paused(false);
            return;
        }
        let since = *self.waiting_since.get_or_insert_with(Instant::now);
        if since.elapsed() >= PAUSE_AFTER {
            self.set_paused(true);
        }
    }

    fn is_paused(&self) -> bool {
        self.consumer.context().held().paused
    }

    fn set_paused(&self, paused: bool) {
        let partitions: Vec<i32> = {
            let mut held = self.consumer.context().held();
            if held.paused == paused {
                return;
            }
            held.paused = paused;
            held.generations.keys().copied().collect()
        };
        let list = list_of(&self.topic, partitions);
        let result = if paused { self.consumer.pause(&list) } else { self.consumer.resume(&list) };
        match result {
            Ok(()) => log::debug!(paused; "partitions paused or resumed"),
            Err(error) => log::warn!(paused; "partitions could not be paused or resumed: {error}"),
        }
    }

    fn commit(&self, offsets: &BTreeMap<i32, i64>, mode: CommitMode) {
        if offsets.is_empty() {
            return;
        }
        crash_point("before_group_commit");
        if let Err(error) = commit(&self.consumer, &self.topic, offsets, mode) {
            log::debug!("group offsets were not committed: {error}");
        }
    }

    /// Moves partitions to where they are to be read from. One that cannot be moved now stays without a
    /// generation, so that nothing of it counts, and is tried again.
    fn seek(&mut self) {
        if self.seeks.is_empty() {
            return;
        }
        let assigned: Vec<i32> = match self.consumer.assignment() {
            Ok(list) => list.elements().iter().map(|element| element.partition()).collect(),
            Err(_) => return,
        };
        self.seeks.retain(|partition, _| assigned.contains(partition));
        let mut list = TopicPartitionList::new();
        for (&partition, start) in &self.seeks {
            self.consumer.context().held().generations.remove(&partition);
            if list.add_partition_offset(&self.topic, partition, start.kafka_offset()).is_err() {
                return;
            }
        }
        let moved = match self.consumer.seek_partitions(list, SEEK_TIMEOUT) {
            Ok(moved) => moved,
            Err(error) => {
                log::debug!("a seek failed, trying again: {error}");
                return;
            }
        };
        let done: Vec<i32> = moved
            .elements()
            .iter()
            .filter(|element| element.error().is_ok())
            .map(|element| element.partition())
            .collect();
        drop(moved);
        for partition in &done {
            if let Some(start) = self.seeks.remove(partition) {
                self.consumer.context().held().generations.insert(*partition, start.generation);
            }
        }
        if !self.is_paused()
            && let Err(error) = self.consumer.resume(&list_of(&self.topic, done))
        {
            log::warn!("partitions could not be resumed: {error}");
        }
    }

    fn report(&self, error: KafkaError) {
        match error {
            KafkaError::MessageConsumption(RDKafkaErrorCode::AutoOffsetReset) => {
                self.consumer.context().tell(Control::OutOfRange);
            }
            KafkaError::MessageConsumptionFatal(_)
            | KafkaError::MessageConsumption(
                RDKafkaErrorCode::TopicAuthorizationFailed | RDKafkaErrorCode::GroupAuthorizationFailed,
            ) => {
                self.consumer.context().tell(Control::Fatal(error));
            }
            // Everything else librdkafka mends by itself, and reports itself.
            other => log::debug!("the Kafka client reports: {other}"),
        }
    }
}
