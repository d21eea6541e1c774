//! What the poll thread hands over: a record, decoded, or what is wrong with it.

use milena_domain::{DecodeError, Event, MessageEvent, Partitioning};
use rdkafka::Message;
use rdkafka::message::{BorrowedMessage, OwnedHeaders};

use crate::ledger::Generation;

/// A record of the log as the rest of the consumer sees it.
#[derive(Debug)]
pub(crate) struct Record {
    pub(crate) partition: i32,
    pub(crate) generation: Generation,
    pub(crate) offset: i64,
    /// Key and value together, for the memory bounds.
    pub(crate) bytes: usize,
    pub(crate) content: Content,
}

/// Good or bad.
#[derive(Debug)]
pub(crate) enum Content {
    Message(MessageEvent),
    /// Boxed: rare, and larger than a message.
    Rejected(Box<DeadLetter>),
}

/// A record that cannot be stored, with the reason.
#[derive(Debug, Clone)]
pub(crate) struct DeadLetter {
    pub(crate) original: RawRecord,
    /// A stable name: of [`DecodeError::code`], or `refused_by_store`.
    pub(crate) reason: &'static str,
    /// For people; never a body.
    pub(crate) detail: String,
}

/// A record's bytes as they stand in the log.
#[derive(Debug, Clone)]
pub(crate) struct RawRecord {
    pub(crate) partition: i32,
    pub(crate) offset: i64,
    pub(crate) timestamp_ms: Option<i64>,
    pub(crate) key: Option<Vec<u8>>,
    pub(crate) value: Option<Vec<u8>>,
    pub(crate) headers: Option<OwnedHeaders>,
}

impl RawRecord {
    pub(crate) fn copy(message: &BorrowedMessage<'_>) -> Self {
        Self {
            partition: message.partition(),
            offset: message.offset(),
            timestamp_ms: message.timestamp().to_millis(),
            key: message.key().map(<[u8]>::to_vec),
            value: message.payload().map(<[u8]>::to_vec),
            headers: message.headers().map(rdkafka::message::BorrowedHeaders::detach),
        }
    }
}

impl Record {
    /// Decodes a message where it lies, in a topic of this `partitioning`. Only a bad one's bytes are copied:
    /// a good one can be read again from the log.
    pub(crate) fn decode(
        message: &BorrowedMessage<'_>,
        partitioning: &Partitioning,
        generation: Generation,
    ) -> Self {
        let content =
            match Event::read_again(message.partition(), partitioning, message.key(), message.payload()) {
                Ok(Event::Message(event)) => Content::Message(event),
                Err(error) => {
                    Content::Rejected(Box::new(DeadLetter::unreadable(RawRecord::copy(message), &error)))
                }
            };
        Self {
            partition: message.partition(),
            generation,
            offset: message.offset(),
            bytes: message.key_len() + message.payload_len(),
            content,
        }
    }
}

impl DeadLetter {
    /// Whether it is bad only because of the partition that it stands in.
    pub(crate) fn is_astray(&self) -> bool {
        self.reason == "wrong_partition"
    }

    fn unreadable(original: RawRecord, error: &DecodeError) -> Self {
        Self { original, reason: error.code(), detail: error.to_string() }
    }
}
