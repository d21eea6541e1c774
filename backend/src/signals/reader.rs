//! Hears what other backends tell: a thread that owns a consumer of the whole topic, from its end.

use std::thread::JoinHandle;
use std::time::Duration;

use milena_domain::Signal;
use milena_kafka::{LogError, Role, take_over};
use milena_settings::KafkaSettings;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::Message;
use rdkafka::{Offset, TopicPartitionList};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::client::{self, Context};
use super::{Changed, look_at, notify};
use crate::metrics::{self, SignalOutcome};
use crate::presence::Presence;
use crate::registry::Registry;

const POLL: Duration = Duration::from_millis(100);
/// Between attempts to make a new consumer.
const RETRY: Duration = Duration::from_secs(5);

/// Those on this node to whom signals are something.
pub(super) struct Listeners {
    /// This node: what it told itself is shown already.
    pub(super) node: Uuid,
    pub(super) registry: Registry,
    pub(super) presence: Presence,
    /// To the task that looks at what was changed; bounded, full means that it is dropped.
    pub(super) changed: mpsc::Sender<Changed>,
}

/// What the thread owns.
pub(super) struct Reader {
    settings: KafkaSettings,
    partitions: usize,
    listeners: Listeners,
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
        listeners: Listeners,
        stop: CancellationToken,
    ) -> Result<JoinHandle<()>, LogError> {
        let consumer = connect(settings, partitions)?;
        let reader = Self { settings: settings.clone(), partitions, listeners, stop, consumer };
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
                Some(Ok(record)) => self.listeners.hear(record.payload()),
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

impl Listeners {
    fn hear(&self, value: Option<&[u8]>) {
        let (from, signal) = match Signal::decode(value) {
            Ok(told) => told,
            // A newer backend's, or nonsense: there is nobody to tell, and nothing to lose.
            Err(error) => {
                metrics::signal(SignalOutcome::Skipped);
                return log::debug!(error:% = error; "a signal was passed over");
            }
        };
        let is_own = from == self.node;
        if !is_own {
            metrics::signal(SignalOutcome::Heard);
        }
        match signal {
            Signal::Read(read) if !is_own => notify::read(&self.registry, read, &[]),
            Signal::Received(received) if !is_own => notify::received(&self.registry, received),
            Signal::RoomRead(read) if !is_own => notify::room_read(&self.registry, read, &[]),
            Signal::RoomSeen(seen) if !is_own => notify::room_seen(&self.registry, &seen),
            Signal::SessionEnded { session } if !is_own => notify::session_ended(&self.registry, session),
            Signal::TokenReplaced { session } if !is_own => self.registry.token_replaced(session),
            Signal::Read(_)
            | Signal::Received(_)
            | Signal::RoomRead(_)
            | Signal::RoomSeen(_)
            | Signal::SessionEnded { .. }
            | Signal::TokenReplaced { .. } => {}
            Signal::NotificationsChanged { user, conversation } => {
                if !is_own && self.registry.is_connected(user) {
                    look_at(&self.changed, Changed::Notifications { user, conversation });
                }
            }
            Signal::StatusChanged { user } => {
                if !is_own {
                    look_at(&self.changed, Changed::Status { user });
                }
            }
            Signal::Presence { .. }
            | Signal::Alive { .. }
            | Signal::People { .. }
            | Signal::AskPeople { .. }
            | Signal::Goodbye
            | Signal::Hidden { .. }
            | Signal::Typing { .. } => self.presence.heard(from, self.node, signal),
        }
    }
}
