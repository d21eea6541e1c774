//! Reads the log in a group of all backends, so that each partition is one's: a thread that owns a consumer
//! and hands over messages that are not too old to be told.
//!
//! Nothing rests on the group's own offsets. A partition is read from where pushing was taken up in the
//! database, or from [`TTL_MS`] ago, whichever is later; read twice is not pushed twice, since it is claimed.

use std::collections::BTreeMap;
use std::thread::JoinHandle;
use std::time::Duration;

use milena_domain::record::{Action, Event};
use milena_domain::{Epoch, Timestamp};
use milena_kafka::{Forgotten, LogError, Quiet, Role, client_config, take_over};
use milena_settings::Settings;
use milena_storage::Store;
use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::{BaseConsumer, Consumer, ConsumerContext, RebalanceProtocol};
use rdkafka::error::{KafkaError, KafkaResult};
use rdkafka::message::{BorrowedMessage, Message};
use rdkafka::statistics::Statistics;
use rdkafka::topic_partition_list::TopicPartitionListElem;
use rdkafka::types::{RDKafkaErrorCode, RDKafkaRespErr};
use rdkafka::{Offset, TopicPartitionList};
use tokio::runtime::Handle;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::notifier::TTL_MS;
use crate::seldom::Seldom;

/// Chunks between the thread and the notifier, which gives them on at once; while it is full the thread
/// waits.
pub(super) const CHUNKS: usize = 2;
/// Messages of one chunk.
const CHUNK: usize = 256;
/// Records that are looked at for one chunk.
const LOOKED_AT: usize = 4_096;
const POLL: Duration = Duration::from_millis(100);
/// Between attempts to make a new consumer.
const RETRY: Duration = Duration::from_secs(5);
/// How long a new assignment waits for the log and the database to say where it begins.
const START_PATIENCE: Duration = Duration::from_secs(3);

/// A message of the log that may be told to somebody.
#[derive(Debug)]
pub(super) struct Heard {
    pub(super) partition: i32,
    pub(super) offset: i64,
    pub(super) event: Event,
}

/// Where the group reads from.
#[derive(Clone)]
pub(super) struct Source {
    pub(super) settings: Settings,
    pub(super) partitions: usize,
    pub(super) epoch: Epoch,
    pub(super) store: Store,
}

struct Reader {
    source: Source,
    runtime: Handle,
    consumer: BaseConsumer<Group>,
    chunks: mpsc::Sender<Vec<Heard>>,
    stop: CancellationToken,
}

/// Starts the thread; it ends when `stop` is cancelled or the receiver is gone.
///
/// # Errors
/// [`LogError::Properties`] when librdkafka refuses the settings.
pub(super) fn start(
    source: Source,
    chunks: mpsc::Sender<Vec<Heard>>,
    stop: CancellationToken,
) -> Result<JoinHandle<()>, LogError> {
    let runtime = Handle::current();
    let consumer = connect(&source, &runtime)?;
    let reader = Reader { source, runtime, consumer, chunks, stop };
    Ok(std::thread::Builder::new()
        .name("kafka-push".to_owned())
        .spawn(move || reader.run())
        .expect("the system starts a thread"))
}

fn connect(source: &Source, runtime: &Handle) -> Result<BaseConsumer<Group>, LogError> {
    let settings = &source.settings;
    let context = Group {
        quiet: Quiet::default(),
        forgotten: Forgotten::default(),
        source: source.clone(),
        runtime: runtime.clone(),
    };
    let mut config = client_config(&settings.kafka, &Role::Notifier { group: settings.push.group.clone() });
    config.set("statistics.interval.ms", "1000");
    let consumer: BaseConsumer<Group> = config.create_with_context(context).map_err(LogError::refused)?;
    consumer.subscribe(&[&settings.kafka.topic]).map_err(LogError::refused)?;
    Ok(consumer)
}

impl Reader {
    fn run(mut self) {
        while !self.stop.is_cancelled() {
            if self.consumer.context().forgotten.is_certain() {
                let (source, runtime) = (&self.source, &self.runtime);
                if !take_over(&mut self.consumer, "reader of pushes", || connect(source, runtime)) {
                    std::thread::sleep(RETRY);
                }
            }
            let chunk = self.gather();
            if !chunk.is_empty() && self.chunks.blocking_send(chunk).is_err() {
                break;
            }
        }
        // Leaving takes the revoke callback with it; the drop then only closes connections.
        self.consumer.unsubscribe();
    }

    /// What there is: waits for the first record only.
    fn gather(&self) -> Vec<Heard> {
        let (mut chunk, mut patience) = (Vec::new(), POLL);
        for _ in 0..LOOKED_AT {
            match self.consumer.poll(patience) {
                None => break,
                Some(Err(error)) => {
                    report(&error);
                    break;
                }
                Some(Ok(record)) => {
                    chunk.extend(self.heard(&record));
                    if chunk.len() >= CHUNK {
                        break;
                    }
                }
            }
            patience = Duration::ZERO;
        }
        chunk
    }

    fn heard(&self, record: &BorrowedMessage<'_>) -> Option<Heard> {
        let oldest = Timestamp::now().plus_ms(-TTL_MS);
        let written = record.timestamp().to_millis().map(Timestamp::from_unix_ms);
        // Told by the record's own time first: what is too old is not even read.
        if written.is_some_and(|written| written < oldest) {
            return None;
        }
        let (partition, offset) = (record.partition(), record.offset());
        let event = Event::read(partition, self.source.partitions, record.key(), record.payload()).ok()?;
        let event = event.believed(written);
        let is_told = matches!(event.action, Action::Message(_)) && event.at >= oldest;
        is_told.then_some(Heard { partition, offset, event })
    }
}

fn report(error: &KafkaError) {
    static TOLD: Seldom = Seldom::new();
    let is_refused = matches!(
        error.rdkafka_error_code(),
        Some(RDKafkaErrorCode::GroupAuthorizationFailed | RDKafkaErrorCode::TopicAuthorizationFailed)
    );
    if !is_refused {
        log::debug!(error:% = error; "pushing waits for the log");
    } else if let Some(left_out) = TOLD.due() {
        log::error!(error:% = error, left_out; "Kafka does not let this program share the work of pushing");
    }
}

/// The client's context: where partitions that come begin.
struct Group {
    quiet: Quiet,
    forgotten: Forgotten,
    source: Source,
    runtime: Handle,
}

impl Group {
    fn assigned(&self, consumer: &BaseConsumer<Self>, list: &mut TopicPartitionList) -> KafkaResult<()> {
        let topic = &self.source.settings.kafka.topic;
        let partitions: Vec<i32> = list.elements().iter().map(TopicPartitionListElem::partition).collect();
        if !partitions.is_empty() {
            let starts = self.starts(consumer, topic, &partitions);
            for partition in partitions {
                let start = starts.get(&partition).copied().map_or(Offset::End, Offset::Offset);
                list.set_partition_offset(topic, partition, start)?;
            }
        }
        match consumer.rebalance_protocol() {
            RebalanceProtocol::Cooperative => consumer.incremental_assign(list),
            _ => consumer.assign(list),
        }
    }

    /// Where each begins, as far as log and database say.
    fn starts(&self, consumer: &BaseConsumer<Self>, topic: &str, partitions: &[i32]) -> BTreeMap<i32, i64> {
        let mut starts = BTreeMap::new();
        let mut times = TopicPartitionList::new();
        let oldest = Timestamp::now().plus_ms(-TTL_MS).unix_ms();
        for &partition in partitions {
            // The end first: nothing that comes while the times are asked for is passed over.
            match consumer.fetch_watermarks(topic, partition, START_PATIENCE) {
                Ok((_, end)) => drop(starts.insert(partition, end)),
                Err(error) => log::debug!(error:% = error; "the log does not say where it ends"),
            }
            let _ = times.add_partition_offset(topic, partition, Offset::Offset(oldest));
        }
        match consumer.offsets_for_times(times, START_PATIENCE) {
            Ok(found) => {
                for found in found.elements() {
                    if let Offset::Offset(offset) = found.offset() {
                        starts.insert(found.partition(), offset);
                    }
                }
            }
            Err(error) => log::debug!(error:% = error; "the log does not say where a time is"),
        }
        let store = &self.source.store;
        let asked = async { tokio::time::timeout(START_PATIENCE, store.pushed_up_to(topic)).await };
        if let Ok(Ok(pushed)) = self.runtime.block_on(asked) {
            for (partition, position) in pushed {
                if position.epoch_number() == self.source.epoch.get()
                    && let Some(start) = starts.get_mut(&partition)
                {
                    *start = position.offset().max(*start);
                }
            }
        }
        starts
    }
}

impl ConsumerContext for Group {
    fn rebalance(&self, consumer: &BaseConsumer<Self>, event: RDKafkaRespErr, list: &mut TopicPartitionList) {
        let outcome = match event {
            RDKafkaRespErr::RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS => self.assigned(consumer, list),
            _ => match consumer.rebalance_protocol() {
                RebalanceProtocol::Cooperative => consumer.incremental_unassign(list),
                _ => consumer.unassign(),
            },
        };
        if let Err(error) = outcome {
            log::warn!(error:% = error; "partitions of the log cannot be shared for pushing");
        }
    }
}

impl ClientContext for Group {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        self.quiet.log(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.quiet.error(error, reason);
    }

    fn stats(&self, statistics: Statistics) {
        self.forgotten.look(&statistics);
    }
}
