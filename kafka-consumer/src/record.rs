//! What the poll thread hands over: a record, decoded, or what is wrong with it.

use milena_domain::record::Event;
use milena_domain::{DecodeError, Partitioning, Timestamp};
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

/// Good, bad, or not for this program to judge.
#[derive(Debug)]
pub(crate) enum Content {
    Event(Event),
    /// Boxed: rare, and larger than most events.
    Rejected(Box<DeadLetter>),
    /// A newer program wrote it. What follows it cannot be judged without it, so nothing passes it: neither
    /// is it stored, nor given away.
    Newer(Newer),
}

/// A record that this program cannot read because it is too old.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "the record at offset {offset} of partition {partition} was written by a newer program ({what}); \
     nothing of this partition is stored from there on, and nothing is lost: upgrade this program and start \
     it again"
)]
pub(crate) struct Newer {
    /// The partition.
    pub(crate) partition: i32,
    /// Where in it.
    pub(crate) offset: i64,
    /// The version or the type, in words.
    pub(crate) what: String,
}

impl Newer {
    /// Whether the record is such a one.
    pub(crate) fn of(record: &RawRecord) -> Option<Self> {
        let error = Event::decode(record.key.as_deref(), record.value.as_deref()).err()?;
        let (partition, offset) = (record.partition, record.offset);
        error.is_newer().then(|| Self { partition, offset, what: error.to_string() })
    }
}

/// A record that cannot be stored, with the reason.
#[derive(Debug, Clone)]
pub(crate) struct DeadLetter {
    pub(crate) original: RawRecord,
    /// A stable name: of [`DecodeError::code`], or `refused_by_store` or `false_proof`.
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
        let (partition, offset) = (message.partition(), message.offset());
        let content = match Event::read_again(partition, partitioning, message.key(), message.payload()) {
            Ok(event) => {
                let written = message.timestamp().to_millis().map(Timestamp::from_unix_ms);
                Content::Event(event.believed(written))
            }
            Err(error) if error.is_newer() => {
                Content::Newer(Newer { partition, offset, what: error.to_string() })
            }
            Err(error) => {
                Content::Rejected(Box::new(DeadLetter::unreadable(RawRecord::copy(message), &error)))
            }
        };
        let bytes = message.key_len() + message.payload_len();
        Self { partition, generation, offset, bytes, content }
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
