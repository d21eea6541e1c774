//! Refusals of requests about topics and their settings.

use kafka_protocol::ResponseError;

use crate::catalogue::TopicError;

/// Why a request about a topic is refused, as the client is told.
pub(super) struct Refusal {
    pub(super) error: ResponseError,
    pub(super) message: String,
}

impl Refusal {
    pub(super) fn new(error: ResponseError, message: impl Into<String>) -> Self {
        Self { error, message: message.into() }
    }
}

impl From<TopicError> for Refusal {
    fn from(error: TopicError) -> Self {
        let code = match &error {
            TopicError::Unknown => ResponseError::UnknownTopicOrPartition,
            TopicError::Exists => ResponseError::TopicAlreadyExists,
            TopicError::Name => ResponseError::InvalidTopicException,
            TopicError::Partitions(_) => ResponseError::InvalidPartitions,
            TopicError::Config(_) => ResponseError::InvalidConfig,
            TopicError::Storage(error) => {
                log::error!(error:%; "the topics could not be changed");
                ResponseError::KafkaStorageError
            }
        };
        Self::new(code, error.to_string())
    }
}
