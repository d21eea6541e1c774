//! What both clients of the signals are: quiet about a log that is away, and watched for having forgotten all
//! brokers.

use milena_kafka::{Forgotten, LogError, Quiet, Role, client_config};
use milena_settings::KafkaSettings;
use rdkafka::Statistics;
use rdkafka::client::ClientContext;
use rdkafka::config::{FromClientConfigAndContext, RDKafkaLogLevel};
use rdkafka::consumer::ConsumerContext;
use rdkafka::error::KafkaError;
use rdkafka::message::DeliveryResult;
use rdkafka::producer::ProducerContext;

use crate::metrics::{self, SignalOutcome};

/// Of one client, as `forgotten` judges it alone.
#[derive(Default)]
pub(super) struct Context {
    quiet: Quiet,
    pub(super) forgotten: Forgotten,
}

/// A client of this role.
///
/// # Errors
/// [`LogError::Properties`] when librdkafka refuses the settings.
pub(super) fn connect<T>(settings: &KafkaSettings, role: &Role) -> Result<T, LogError>
where
    T: FromClientConfigAndContext<Context>,
{
    client_config(settings, role)
        .set("statistics.interval.ms", "2000")
        .create_with_context(Context::default())
        .map_err(LogError::refused)
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
    }
}

impl ConsumerContext for Context {}

impl ProducerContext for Context {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, (): ()) {
        metrics::signal(if result.is_ok() { SignalOutcome::Sent } else { SignalOutcome::Dropped });
    }
}
