//! What can go wrong between a program and Kafka, in words for the person who starts the program.

use milena_domain::LogMismatch;
use rdkafka::error::KafkaError;

/// An error of reaching or preparing the log.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// librdkafka refused properties. Says which and why, never what their values are: they may be passwords.
    #[error("kafka.properties are not accepted: {0}")]
    Properties(String),
    /// No broker answered in time.
    #[error("no Kafka broker answers at {brokers}: {source}")]
    Unreachable {
        /// As in the settings.
        brokers: String,
        /// What librdkafka says.
        source: KafkaError,
    },
    /// The topic is missing and could not be created.
    #[error("topic {topic} cannot be created: {reason}")]
    Create {
        /// The topic.
        topic: String,
        /// The broker's words.
        reason: String,
    },
    /// The topic's state could not be read.
    #[error("the state of topic {topic} cannot be read: {source}")]
    State {
        /// The topic.
        topic: String,
        /// What librdkafka says.
        source: KafkaError,
    },
    /// Log and store do not belong together.
    #[error(transparent)]
    Mismatch(#[from] LogMismatch),
    /// The thread that asked ended without an answer.
    #[error("the Kafka client ended unexpectedly")]
    Ended,
}
