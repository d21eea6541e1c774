//! What can go wrong between a program and Kafka, in words for the person who starts the program.

use milena_domain::LogMismatch;
use rdkafka::error::KafkaError;
use rdkafka::types::RDKafkaErrorCode;

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
        /// Whether the same request may succeed later, when more of the cluster is up.
        passes: bool,
    },
    /// A topic that must be there is not known to the broker that was asked.
    #[error("topic {topic} is not known to the broker that was asked")]
    Missing {
        /// The topic.
        topic: String,
    },
    /// A limit under which not every accepted message would get into the log.
    #[error(
        "{setting} is {actual} bytes, but messages are written in batches of up to {needed}: raise it, \
         to 1048588 for example"
    )]
    TooSmall {
        /// What is to be raised, and where.
        setting: String,
        /// Its value.
        actual: u64,
        /// What it must be at least.
        needed: u64,
    },
    /// The topic keeps only the newest record of each key.
    #[error(
        "topic {topic} has cleanup.policy = compact, which removes all but the newest message of each \
         conversation: set it to delete"
    )]
    Compacted {
        /// The topic.
        topic: String,
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

impl LogError {
    /// Whether it may be gone in a moment without anybody doing anything: brokers that still start, topics
    /// that not every broker has heard of, partitions without a leader.
    #[must_use]
    pub fn is_temporary(&self) -> bool {
        match self {
            Self::Unreachable { .. } | Self::Missing { .. } => true,
            Self::Create { passes, .. } => *passes,
            Self::State { source, .. } => source.rdkafka_error_code().is_some_and(passes),
            Self::Properties(_)
            | Self::TooSmall { .. }
            | Self::Compacted { .. }
            | Self::Mismatch(_)
            | Self::Ended => false,
        }
    }
}

/// Whether Kafka, or librdkafka, says with this that the cluster is not complete at the moment.
pub(crate) fn passes(code: RDKafkaErrorCode) -> bool {
    use RDKafkaErrorCode as Code;
    matches!(
        code,
        Code::UnknownTopicOrPartition
            | Code::UnknownTopic
            | Code::UnknownPartition
            | Code::LeaderNotAvailable
            | Code::NotLeaderForPartition
            | Code::BrokerNotAvailable
            | Code::ReplicaNotAvailable
            | Code::NotEnoughReplicas
            | Code::NotController
            // Fewer brokers than copies: while a cluster starts, the others are still to come.
            | Code::InvalidReplicationFactor
            | Code::NetworkException
            | Code::RequestTimedOut
            | Code::KafkaStorageError
            | Code::BrokerTransportFailure
            | Code::AllBrokersDown
            | Code::Resolve
            | Code::OperationTimedOut
            | Code::MessageTimedOut
    )
}
