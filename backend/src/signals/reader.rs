//! Hears what other backends tell: a thread that owns a consumer of the whole topic, from its end.

use std::thread::JoinHandle;
use std::time::Duration;

use milena_domain::Signal;
use milena_kafka::{LogError, Role, take_over};
use milena_settings::KafkaSettings;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::Message;
use rdkafka::{Offset, TopicPartitionList};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::client::{self, Context};
use super::notify;
use crate::metrics::{self, SignalOutcome};
use crate::registry::Registry;

const POLL: Duration = Duration::from_millis(100);
/// Between attempts to make a new consumer.
const RETRY: Duration = Duration::from_secs(5);

/// What the thread owns.
pub(super) struct Reader {
    settings: KafkaSettings,
    partitions: usize,
    /// This node: what it told itself is shown already.
    node: Uuid,
    registry: Registry,
    stop: CancellationToken,
    consumer: BaseConsumer<Context>,
}

impl Reader {
    /// Starts the thread; it ends when `stop` is cancelled.
    ///
    /// # Errors
    /// [`LogError::Properties`] when librdkafka refuses the settings or the assignment.
    pub(super) fn start(
        settings: &KafkaSettings,
        partitions: usize,
        node: Uuid,
        registry: Registry,
        stop: CancellationToken,
    ) -> Result<JoinHandle<()>, LogError> {
        let consumer = connect(settings, partitions)?;
        let reader = Self { settings: settings.clone(), partitions, node, registry, stop, consumer };
        Ok(std::thread::Builder::new()
            .name("kafka-signals".to_owned())
            .spawn(move || reader.run())
            .expect("the system starts a thread"))
    }

    fn run(mut self) {
        while !self.stop.is_cancelled() {
            if self.consumer.context().forgotten.is_certain() {
                self.replace_consumer();
            }
            match self.consumer.poll(POLL) {
                Some(Ok(record)) => hear(record.payload(), self.node, &self.registry),
                Some(Err(error)) => log::debug!(error:% = error; "signals wait for the log"),
                None => {}
            }
        }
    }

    fn replace_consumer(&mut self) {
        let connect = || connect(&self.settings, self.partitions);
        if !take_over(&mut self.consumer, "reader of signals", connect) {
            std::thread::sleep(RETRY);
        }
    }
}

fn connect(settings: &KafkaSettings, partitions: usize) -> Result<BaseConsumer<Context>, LogError> {
    let consumer: BaseConsumer<Context> = client::connect(settings, &Role::SignalReader)?;
    let mut assignment = TopicPartitionList::with_capacity(partitions);
    for partition in 0..i32::try_from(partitions).unwrap_or(i32::MAX) {
        assignment
            .add_partition_offset(&settings.signals_topic, partition, Offset::End)
            .map_err(LogError::refused)?;
    }
    consumer.assign(&assignment).map_err(LogError::refused)?;
    Ok(consumer)
}

fn hear(value: Option<&[u8]>, node: Uuid, registry: &Registry) {
    match Signal::decode(value) {
        Ok((from, _)) if from == node => {}
        Ok((_, signal)) => {
            metrics::signal(SignalOutcome::Heard);
            match signal {
                Signal::Read(read) => notify::read(registry, read, &[]),
                Signal::RoomRead(read) => notify::room_read(registry, read, &[]),
                Signal::RoomSeen(seen) => notify::room_seen(registry, &seen),
                Signal::SessionEnded { session } => notify::session_ended(registry, session),
                Signal::TokenReplaced { session } => registry.token_replaced(session),
            }
        }
        // A newer backend's, or nonsense: there is nobody to tell, and nothing to lose.
        Err(error) => {
            metrics::signal(SignalOutcome::Skipped);
            log::debug!(error:% = error; "a signal was passed over");
        }
    }
}
