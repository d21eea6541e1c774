//! The reader of every partition: a thread that owns a consumer and passes on what it decodes.
//!
//! It belongs to no group: every backend reads everything, from what the store had when the program started. The
//! channel is bounded; when the delivery task is behind, the thread waits, and librdkafka's own bounded queue
//! holds back the broker.

use std::collections::BTreeMap;
use std::thread::JoinHandle;
use std::time::Duration;

use milena_domain::{DecodeError, Event};
use milena_kafka::{LogError, Quiet, Role, client_config};
use milena_settings::KafkaSettings;
use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext};
use rdkafka::error::KafkaError;
use rdkafka::message::Message;
use rdkafka::statistics::Statistics;
use rdkafka::types::RDKafkaErrorCode;
use rdkafka::{Offset, TopicPartitionList};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::health::Health;

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
        event: Result<Event, DecodeError>,
    },
    /// Everything in `partition` up to now was passed on.
    End {
        /// Which partition.
        partition: i32,
    },
}

/// How many decoded records may wait for the delivery task.
pub const TAIL_CHANNEL: usize = 4_096;
const POLL: Duration = Duration::from_millis(100);

/// Starts the thread. It ends when `stop` is cancelled or the receiver is gone.
///
/// # Errors
/// [`LogError::Properties`] when librdkafka refuses the settings or the assignment.
pub fn spawn(
    settings: &KafkaSettings,
    start: &BTreeMap<i32, i64>,
    events: mpsc::Sender<TailEvent>,
    health: Health,
    stop: CancellationToken,
) -> Result<JoinHandle<()>, LogError> {
    let mut config = client_config(settings, &Role::Tail);
    config.set("enable.partition.eof", "true").set("statistics.interval.ms", "500");
    let context = Context { quiet: Quiet::default(), topic: settings.topic.clone(), health: health.clone() };
    let consumer: BaseConsumer<Context> =
        config.create_with_context(context).map_err(LogError::Properties)?;
    let mut assignment = TopicPartitionList::with_capacity(start.len());
    for (&partition, &offset) in start {
        assignment
            .add_partition_offset(&settings.topic, partition, Offset::Offset(offset))
            .map_err(LogError::Properties)?;
    }
    consumer.assign(&assignment).map_err(LogError::Properties)?;
    Ok(std::thread::Builder::new()
        .name("kafka-tail".to_owned())
        .spawn(move || {
            while !stop.is_cancelled() {
                let Some(outcome) = consumer.poll(POLL) else { continue };
                let event = match outcome {
                    Ok(record) => TailEvent::Record {
                        partition: record.partition(),
                        offset: record.offset(),
                        event: Event::decode(record.key(), record.payload()),
                    },
                    Err(KafkaError::PartitionEOF(partition)) => {
                        // The broker has just answered; the statistics would say so half a second later.
                        health.set_live(true);
                        TailEvent::End { partition }
                    }
                    Err(error) if is_final(&error) => {
                        health.set_broken(format!("the log was changed under this program: {error}"));
                        stop.cancel();
                        return;
                    }
                    Err(error) => {
                        log::debug!(error:% = error; "the tail waits for the log");
                        continue;
                    }
                };
                if events.blocking_send(event).is_err() {
                    return;
                }
            }
        })
        .expect("the system starts a thread"))
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
    health: Health,
}

impl ClientContext for Context {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        self.quiet.log(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.quiet.error(error, reason);
    }

    fn stats(&self, statistics: Statistics) {
        let is_up = |leader: i32| {
            statistics.brokers.values().any(|broker| broker.nodeid == leader && broker.state == "UP")
        };
        let Some(topic) = statistics.topics.get(&self.topic) else { return };
        let mut partitions =
            topic.partitions.values().filter(|partition| partition.partition >= 0).peekable();
        let live = partitions.peek().is_some() && partitions.all(|partition| is_up(partition.leader));
        self.health.set_live(live);
    }
}

impl ConsumerContext for Context {}
