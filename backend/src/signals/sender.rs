//! Puts this node's signals into their topic.

use std::time::Duration;

use milena_domain::Signal;
use milena_kafka::{LogError, Role, take_over};
use milena_settings::KafkaSettings;
use rdkafka::producer::{BaseRecord, Producer as _, ThreadedProducer};
use uuid::Uuid;

use super::client::{self, Context};
use crate::metrics::{self, SignalOutcome};

/// How long the last signals may take when the program stops.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(1);

/// Owned by the task of the signals.
pub(super) struct Sender {
    settings: KafkaSettings,
    node: Uuid,
    client: ThreadedProducer<Context>,
}

impl Sender {
    /// # Errors
    /// [`LogError::Properties`] when librdkafka refuses the settings.
    pub(super) fn new(settings: &KafkaSettings, node: Uuid) -> Result<Self, LogError> {
        let client = client::connect(settings, &Role::SignalSender)?;
        Ok(Self { settings: settings.clone(), node, client })
    }

    /// Enqueues a signal; never waits. What the queue of librdkafka has no room for is dropped.
    pub(super) fn send(&mut self, signal: Signal) {
        if self.client.client().context().forgotten.is_certain() {
            let connect = || client::connect(&self.settings, &Role::SignalSender);
            take_over(&mut self.client, "sender of signals", connect);
        }
        let (key, value) = (signal.key(self.node), signal.encode(self.node));
        let record = BaseRecord::to(&self.settings.signals_topic).key(&key).payload(&value);
        if let Err((error, _)) = self.client.send(record) {
            metrics::signal(SignalOutcome::Dropped);
            log::debug!(error:% = error; "a signal was dropped");
        }
    }

    /// Waits shortly until the last signals are sent, and ends the client. Blocks.
    pub(super) fn finish(self) {
        if let Err(error) = self.client.flush(FLUSH_TIMEOUT) {
            log::debug!(error:% = error; "the last signals were dropped");
        }
    }
}
