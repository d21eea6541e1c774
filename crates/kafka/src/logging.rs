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

/// Whether it tells of a request that found its connection ended: by ourselves, as when a consumer of a
/// moment is closed while it still signs in, or by something that was reported when it ended the connection.
/// At a first start it would be the first thing that somebody reads.
fn is_echo(message: &str) -> bool {
    message.ends_with(" in state DOWN)") || message.contains(" in state DOWN, ")
}

impl ClientContext for Quiet {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        match level {
            RDKafkaLogLevel::Emerg | RDKafkaLogLevel::Alert | RDKafkaLogLevel::Critical => {
                log::error!(target: "librdkafka", facility; "{message}");
            }
            RDKafkaLogLevel::Error | RDKafkaLogLevel::Warning if !is_echo(message) && self.may_report() => {
                log::warn!(target: "librdkafka", facility; "{message}");
            }
            _ => log::debug!(target: "librdkafka", facility; "{message}"),
        }
    }

    fn error(&self, error: KafkaError, reason: &str) {
        // The end of a partition is no error: whoever asked for it gets it as an event too.
        let is_end = error.rdkafka_error_code() == Some(RDKafkaErrorCode::PartitionEOF);
        if !is_end && !is_echo(reason) && self.may_report() {
            log::warn!(target: "librdkafka", reason; "{error}");
        }
    }
}

impl ConsumerContext for Quiet {}

#[cfg(test)]
mod tests {
    use super::is_echo;

    #[test]
    fn what_ended_a_connection_is_no_echo() {
        let said = |extra: &str| {
            format!("GroupCoordinator: SASL authentication error: SaslAuthenticateRequest failed: {extra}")
        };
        assert!(is_echo(&said("Local: Broker transport failure (after 0ms in state DOWN)")));
        assert!(is_echo(&said("Local: failure (after 3ms in state DOWN, 2 identical error(s) suppressed)")));
        for state in ["CONNECT", "AUTH_REQ", "UP", "APIVERSION_QUERY"] {
            assert!(!is_echo(&said(&format!("Broker: Not authorised (after 2ms in state {state})"))));
        }
    }
}
