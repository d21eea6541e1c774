//! The side that talks to Kafka: one thread owns the client, polls it and turns what happens into messages.
//!
//! Rebalance callbacks run on the polling thread, inside a poll. So a partition can be held back until the
//! async side has stored what it read of it: the callback asks and waits, with a deadline. Records wait in a
//! bounded channel; while that is full the thread takes nothing more from librdkafka, and when it stays full
//! it pauses the partitions and polls on, so that the group never takes a slow store for a dead member.

mod context;
mod thread;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use milena_domain::Partitioning;
use milena_kafka::{Role, client_config};
use milena_settings::Settings;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot};

use crate::error::ConsumerError;
use crate::ledger::Generation;
use crate::record::Record;
use context::GroupContext;

/// Where to read a partition from, and the number of that spell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Start {
    /// The store's next offset; `None` when the store never saw the partition: from the log's beginning.
    pub(crate) offset: Option<i64>,
    pub(crate) generation: Generation,
}

/// What happened to the assignment. Sent by the poll thread, received by the ingest loop; bound
/// [`CONTROL_BOUND`]; when full the thread waits (the loop always takes these).
#[derive(Debug)]
pub(crate) enum Control {
    /// Partitions came. The thread waits a while for the answer; if that is too late it holds them paused
    /// until a [`Command::Seek`] says where they begin.
    Assigned {
        partitions: Vec<i32>,
        /// Sent by the ingest loop, received by the waiting callback.
        reply: oneshot::Sender<BTreeMap<i32, Start>>,
    },
    /// Partitions go. The thread waits until `deadline`; the answer is what to commit to the group.
    Revoked {
        partitions: Vec<i32>,
        /// They are already somebody else's: nothing to wait for.
        lost: bool,
        deadline: Instant,
        /// Sent by the ingest loop, received by the waiting callback.
        reply: oneshot::Sender<BTreeMap<i32, i64>>,
    },
    /// The log does not hold an offset that was asked for.
    OutOfRange,
    /// librdkafka cannot go on.
    Fatal(KafkaError),
    /// The client has forgotten all brokers.
    Forgotten,
    /// How far the log reaches beyond what was read, by partition: from librdkafka's statistics.
    LogEnds(BTreeMap<i32, i64>),
}

/// What the ingest loop wants. Received by the poll thread between polls; bound [`COMMAND_BOUND`].
#[derive(Debug)]
pub(crate) enum Command {
    /// Read these partitions from there, if they are still assigned.
    Seek(BTreeMap<i32, Start>),
    /// Tell the group, without waiting: next offsets.
    Commit(BTreeMap<i32, i64>),
    /// Commit, leave the group, end.
    Stop(BTreeMap<i32, i64>),
}

const CONTROL_BOUND: usize = 16;
const COMMAND_BOUND: usize = 256;
/// Chunks of records between the thread and the loop.
const CHUNK_BOUND: usize = 2;
/// Time for the thread to leave the group and close the client. Everything is stored by then: beyond it the
/// thread is left to itself.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(10);

/// The async side's ends.
#[derive(Debug)]
pub(crate) struct Inbox {
    pub(crate) control: mpsc::Receiver<Control>,
    /// Records in the order of their partitions, in chunks; bound [`CHUNK_BOUND`]; when full the thread
    /// waits, then pauses.
    pub(crate) records: mpsc::Receiver<Vec<Record>>,
}

/// The running thread.
#[derive(Debug)]
pub(crate) struct Poller {
    /// Sent by the ingest loop.
    pub(crate) commands: mpsc::Sender<Command>,
    /// Sent, by being dropped, when the thread has ended.
    ended: oneshot::Receiver<()>,
}

/// Joins the group and starts to poll.
pub(crate) fn start(
    settings: &Settings,
    partitioning: Arc<Partitioning>,
) -> Result<(Poller, Inbox), ConsumerError> {
    let (control_sender, control) = mpsc::channel(CONTROL_BOUND);
    let (record_sender, records) = mpsc::channel(CHUNK_BOUND);
    let (commands, command_receiver) = mpsc::channel(COMMAND_BOUND);
    let (ended_sender, ended) = oneshot::channel();
    let drain = Duration::from_millis(settings.consumer.drain_ms);
    let topic = settings.kafka.topic.clone();
    let context = GroupContext::new(topic.clone(), control_sender, Handle::current(), drain);
    let consumer: BaseConsumer<GroupContext> =
        client_config(&settings.kafka, &Role::Consumer { group: settings.consumer.group.clone() })
            .set("statistics.interval.ms", "1000")
            .create_with_context(context)?;
    consumer.subscribe(&[&topic])?;
    std::thread::Builder::new()
        .name("kafka-poll".to_owned())
        .spawn(move || {
            thread::PollThread::new(consumer, topic, partitioning, record_sender, command_receiver).run();
            drop(ended_sender);
        })
        .map_err(ConsumerError::Thread)?;
    Ok((Poller { commands, ended }, Inbox { control, records }))
}

impl Poller {
    /// Commits, leaves the group and waits for the thread, for a while.
    pub(crate) async fn stop(self, commits: BTreeMap<i32, i64>) {
        if self.commands.send(Command::Stop(commits)).await.is_err() {
            return;
        }
        if tokio::time::timeout(CLOSE_TIMEOUT, self.ended).await.is_err() {
            log::warn!("the Kafka client does not close in time; going on without it");
        }
    }
}
