//! The reader of every partition: a thread that owns a consumer and passes on what it decodes.
//!
//! It belongs to no group: every backend reads everything, from what the store had when the program started.
//! The channel is bounded; when the delivery task is behind, the thread waits, and librdkafka's own bounded
//! queue holds back the broker. A client that has forgotten all brokers is replaced by one that reads on
//! where it was.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use milena_domain::cure::{all_programs, command};
use milena_domain::record::Event;
use milena_domain::{ConversationId, DecodeError, Timestamp, partition_of};
use milena_kafka::{Forgotten, LogError, Quiet, Role, client_config, take_over};
use milena_settings::KafkaSettings;
use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::error::KafkaError;
use rdkafka::message::Message;
use rdkafka::statistics::Statistics;
use rdkafka::types::RDKafkaErrorCode;
use rdkafka::{ClientConfig, Offset, TopicPartitionList};
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use super::cursor::PartitionCursor;
use super::health::Health;
use crate::live::progress::Progress;

/// What the tail saw.
#[derive(Debug)]
pub enum TailEvent {
    /// A record.
    Record {
        /// Where.
        partition: i32,
        /// Its place there.
        offset: i64,
        /// What it says, or why it is not a good one.
        event: Result<Event, BadRecord>,
    },
    /// Nothing that can be read stands before `to` any more.
    Passed {
        /// In which partition.
        partition: i32,
        /// What comes next there.
        to: i64,
    },
    /// What the log has since a connection was made, at the start or after a loss.
    Ends(Ends),
}

/// A record that is not a good one to this program.
#[derive(Debug)]
pub struct BadRecord {
    /// Why.
    pub error: DecodeError,
    /// The conversation that its key names, if it stands where that conversation lives. A newer program may
    /// have written it.
    pub conversation: Option<ConversationId>,
}

impl BadRecord {
    fn new(error: DecodeError, partition: i32, partitions: usize, key: Option<&[u8]>) -> Self {
        let conversation = key
            .and_then(|key| std::str::from_utf8(key).ok()?.parse().ok())
            .filter(|conversation| partition_of(*conversation, partitions) == partition);
        Self { error, conversation }
    }
}

/// Where the partitions ended just after a connection to their leaders was made. Once all of it is delivered,
/// this node knows the log as it is.
#[derive(Debug)]
pub struct Ends {
    /// Which connection; see [`Health::connection`].
    pub connection: u64,
    /// By partition: the offset that the next record would have got.
    pub offsets: Vec<i64>,
}

impl Ends {
    /// Whether everything before them was delivered.
    #[must_use]
    pub fn are_reached<T>(&self, cursors: &[PartitionCursor<T>]) -> bool {
        cursors.len() == self.offsets.len()
            && cursors.iter().zip(&self.offsets).all(|(cursor, end)| cursor.next() >= *end)
    }
}

/// How many decoded records may wait for the delivery task.
pub const TAIL_CHANNEL: usize = 4_096;
/// With a time to gather: so much is handed out before it is over.
const GATHER_BYTES: u32 = 64 << 10;
const POLL: Duration = Duration::from_millis(100);
/// Between attempts to make a new consumer.
const RETRY: Duration = Duration::from_secs(5);
/// How long one partition's leader may take to say where the partition ends.
const ENDS_TIMEOUT: Duration = Duration::from_secs(1);

/// Starts the thread, which reads each partition from `next` on. The log may keep a record back for `wait_ms`
/// to hand out several together. It ends when `stop` is cancelled or the receiver is gone.
///
/// # Errors
/// [`LogError::Properties`] when librdkafka refuses the settings or the assignment.
pub fn spawn(
    settings: &KafkaSettings,
    wait_ms: u64,
    next: BTreeMap<i32, i64>,
    events: mpsc::Sender<TailEvent>,
    progress: watch::Receiver<Progress>,
    health: Health,
    stop: CancellationToken,
) -> Result<JoinHandle<()>, LogError> {
    let client =
        Client { config: config(settings, wait_ms), topic: settings.topic.clone(), health: health.clone() };
    let consumer = client.connect(&next)?;
    let tail = Tail { client, consumer, next, events, progress, health, stop };
    Ok(std::thread::Builder::new()
        .name("kafka-tail".to_owned())
        .spawn(move || tail.run())
        .expect("the system starts a thread"))
}

fn config(settings: &KafkaSettings, wait_ms: u64) -> ClientConfig {
    let mut config = client_config(settings, &Role::Tail);
    config.set("statistics.interval.ms", "500");
    config.set("enable.partition.eof", "true");
    if wait_ms > 0 {
        let gathering =
            [("fetch.wait.max.ms", wait_ms.to_string()), ("fetch.min.bytes", GATHER_BYTES.to_string())];
        for (name, value) in gathering {
            if !settings.properties.contains_key(name) {
                config.set(name, value);
            }
        }
    }
    config
}

/// How a consumer is made.
struct Client {
    config: ClientConfig,
    topic: String,
    health: Health,
}

impl Client {
    /// A consumer that reads on from `next`.
    fn connect(&self, next: &BTreeMap<i32, i64>) -> Result<BaseConsumer<Context>, LogError> {
        let context = Context {
            quiet: Quiet::default(),
            topic: self.topic.clone(),
            partitions: next.len(),
            health: self.health.clone(),
            // At first, so that the first answer makes the node ready, not the first statistics.
            connected: AtomicBool::new(true),
            grown: AtomicBool::new(false),
            forgotten: Forgotten::default(),
        };
        let consumer: BaseConsumer<Context> =
            self.config.create_with_context(context).map_err(LogError::refused)?;
        let mut assignment = TopicPartitionList::with_capacity(next.len());
        for (&partition, &offset) in next {
            assignment
                .add_partition_offset(&self.topic, partition, Offset::Offset(offset))
                .map_err(LogError::refused)?;
        }
        consumer.assign(&assignment).map_err(LogError::refused)?;
        Ok(consumer)
    }
}

/// What the thread owns.
struct Tail {
    client: Client,
    consumer: BaseConsumer<Context>,
    /// By partition: what is read next.
    next: BTreeMap<i32, i64>,
    events: mpsc::Sender<TailEvent>,
    /// From the delivery task: what it expects next.
    progress: watch::Receiver<Progress>,
    health: Health,
    stop: CancellationToken,
}

impl Tail {
    fn run(mut self) {
        let mut asked = None;
        while !self.stop.is_cancelled() {
            if self.consumer.context().forgotten.is_certain() {
                self.replace_consumer();
            }
            if self.consumer.context().grown.load(Ordering::Relaxed) {
                self.health.set_broken(repartitioned(&self.client.topic));
                self.stop.cancel();
                return;
            }
            let connection = self.health.connection();
            if asked != Some(connection) && self.consumer.context().connected.load(Ordering::Relaxed) {
                match self.ends() {
                    Ok(offsets) => {
                        asked = Some(connection);
                        if self.events.blocking_send(TailEvent::Ends(Ends { connection, offsets })).is_err() {
                            return;
                        }
                    }
                    Err(error) => log::debug!(error:% = error; "the log does not say where it ends"),
                }
            }
            let Some(outcome) = self.consumer.poll(POLL) else { continue };
            let event = match outcome {
                Ok(record) => {
                    let (partition, offset) = (record.partition(), record.offset());
                    self.next.insert(partition, offset + 1);
                    // What this node sent itself was mostly delivered by its confirmation already: not
                    // decoded again.
                    if self.was_delivered(partition, offset) {
                        continue;
                    }
                    let (partitions, key) = (self.next.len(), record.key());
                    let written = record.timestamp().to_millis().map(Timestamp::from_unix_ms);
                    let event = Event::read(partition, partitions, key, record.payload())
                        .map(|event| event.believed(written))
                        .map_err(|error| BadRecord::new(error, partition, partitions, key));
                    TailEvent::Record { partition, offset, event }
                }
                // Mostly news of nothing: there is no more for now.
                Err(KafkaError::PartitionEOF(partition)) => match self.warmed(partition) {
                    Some(passed) => passed,
                    None => continue,
                },
                Err(error) if is_final(&error) && self.is_warming() => {
                    // Retention took what was only to warm the windows; it is not missed.
                    log::debug!(error:% = error; "the tail begins later");
                    let partitions: Vec<i32> = self.next.keys().copied().collect();
                    for partition in partitions {
                        let passed = self.warmed(partition);
                        if passed.is_some_and(|passed| self.events.blocking_send(passed).is_err()) {
                            return;
                        }
                    }
                    self.replace_consumer();
                    continue;
                }
                Err(error) if is_final(&error) => {
                    self.health.set_broken(format!(
                        "the log was changed under this program ({error}); start it again, and it says what \
                         is to be done"
                    ));
                    self.stop.cancel();
                    return;
                }
                Err(error) => {
                    log::debug!(error:% = error; "the tail waits for the log");
                    continue;
                }
            };
            if self.events.blocking_send(event).is_err() {
                return;
            }
        }
    }

    fn replace_consumer(&mut self) {
        if !take_over(&mut self.consumer, "tail", || self.client.connect(&self.next)) {
            std::thread::sleep(RETRY);
        }
    }

    /// Whether some partition is still read only to warm its window.
    fn is_warming(&self) -> bool {
        let progress = self.progress.borrow();
        self.next.values().zip(progress.shown.iter()).any(|(next, shown)| next < shown)
    }

    /// Ends the warming of a partition of which nothing more is to be read before what was shown already;
    /// `None` when it has ended.
    fn warmed(&mut self, partition: i32) -> Option<TailEvent> {
        let shown = self.progress.borrow().shown.get(usize::try_from(partition).ok()?).copied()?;
        let next = self.next.get_mut(&partition).filter(|next| **next < shown)?;
        *next = shown;
        Some(TailEvent::Passed { partition, to: shown })
    }

    fn was_delivered(&self, partition: i32, offset: i64) -> bool {
        let progress = self.progress.borrow();
        usize::try_from(partition)
            .ok()
            .and_then(|index| progress.read.get(index))
            .is_some_and(|next| offset < *next)
    }

    /// Asks the leaders themselves, not librdkafka's memory of their last answers.
    fn ends(&self) -> Result<Vec<i64>, KafkaError> {
        self.next
            .keys()
            .map(|&partition| {
                Ok(self.consumer.fetch_watermarks(&self.client.topic, partition, ENDS_TIMEOUT)?.1)
            })
            .collect()
    }
}

/// Why a program does not go on when somebody has added partitions to the topic.
pub(super) fn repartitioned(topic: &str) -> String {
    format!(
        "topic {topic} has got more partitions than it had at the start: stop {}, set kafka.partitions to \
         the new number, and run {}, which first stores what was written before",
        all_programs(),
        command("new-epoch")
    )
}

/// Offsets that were there are gone: only a restart, which compares log and store, can tell what happened.
fn is_final(error: &KafkaError) -> bool {
    matches!(
        error.rdkafka_error_code(),
        Some(RDKafkaErrorCode::AutoOffsetReset | RDKafkaErrorCode::OffsetOutOfRange)
    )
}

struct Context {
    quiet: Quiet,
    topic: String,
    /// How many there were at the start.
    partitions: usize,
    /// Whether there are more now.
    grown: AtomicBool,
    health: Health,
    /// Whether all leaders were connected at the last statistics.
    connected: AtomicBool,
    forgotten: Forgotten,
}

impl ClientContext for Context {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        self.quiet.log(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.quiet.error(error, reason);
    }

    fn stats(&self, statistics: Statistics) {
        self.forgotten.look(&statistics);
        let is_up = |leader: i32| {
            statistics.brokers.values().any(|broker| broker.nodeid == leader && broker.state == "UP")
        };
        let Some(topic) = statistics.topics.get(&self.topic) else { return };
        let count = topic.partitions.values().filter(|partition| partition.partition >= 0).count();
        self.grown.fetch_or(count > self.partitions, Ordering::Relaxed);
        let mut partitions =
            topic.partitions.values().filter(|partition| partition.partition >= 0).peekable();
        let connected = partitions.peek().is_some() && partitions.all(|partition| is_up(partition.leader));
        if self.connected.swap(connected, Ordering::Relaxed) && !connected {
            self.health.lost_connection();
        }
    }
}

impl ConsumerContext for Context {}
