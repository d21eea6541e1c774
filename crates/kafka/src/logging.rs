//! A client context whose connection errors are worth a line, not a flood.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use rdkafka::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::consumer::ConsumerContext;
use rdkafka::error::KafkaError;
use rdkafka::types::RDKafkaErrorCode;

/// librdkafka reports an unreachable broker many times a second. This context passes on at most one such
/// report every ten seconds, as a warning: the client goes on trying, so nothing is lost yet.
#[derive(Debug, Default)]
pub struct Quiet {
    /// When the last report went out; locked for the length of a comparison.
    last_report: Mutex<Option<Instant>>,
}

impl Quiet {
    const INTERVAL: Duration = Duration::from_secs(10);

    fn may_report(&self) -> bool {
        let Ok(mut last) = self.last_report.lock() else { return false };
        let due = last.is_none_or(|moment| moment.elapsed() >= Self::INTERVAL);
        if due {
            *last = Some(Instant::now());
        }
        due
    }
}

impl ClientContext for Quiet {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        match level {
            RDKafkaLogLevel::Emerg | RDKafkaLogLevel::Alert | RDKafkaLogLevel::Critical => {
                log::error!(target: "librdkafka", facility; "{message}");
            }
            RDKafkaLogLevel::Error | RDKafkaLogLevel::Warning if self.may_report() => {
                log::warn!(target: "librdkafka", facility; "{message}");
            }
            _ => log::debug!(target: "librdkafka", facility; "{message}"),
        }
    }

    fn error(&self, error: KafkaError, reason: &str) {
        // The end of a partition is no error: whoever asked for it gets it as an event too.
        let is_end = error.rdkafka_error_code() == Some(RDKafkaErrorCode::PartitionEOF);
        if !is_end && self.may_report() {
            log::warn!(target: "librdkafka", reason; "{error}");
        }
    }
}

impl ConsumerContext for Quiet {}
