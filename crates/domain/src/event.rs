//! What stands in the log: one JSON object a record, versioned, readable with any Kafka tool.
//!
//! Version 1, which backends still write: a message between two people. Programs read both versions by
//! [`record::Event`](crate::record::Event). [`Event::read`] says what a good record of version 1 is. It
//! checks not only the form but the derived ids: a record whose key, conversation or id does not follow from
//! its sender, recipient and `client_id` is bad, whoever produced it. So is one that stands in another
//! partition than its conversation's: beside the others of its conversation it has no order.

use serde::{Deserialize, Serialize};

use crate::{Body, ClientId, ConversationId, MessageId, Timestamp, UserId, partition_of};

/// Record header: the event's type, as in the value. Lets a reader skip what it does not know.
pub const HEADER_TYPE: &str = "type";
/// Record header: the message id as text.
pub const HEADER_ID: &str = "id";
/// Record header: the sender's user id as text.
pub const HEADER_SENDER: &str = "sender";
/// Record header: the other person's user id as text (direct messages).
pub const HEADER_TO: &str = "to";
/// The type of a direct message.
pub const TYPE_MESSAGE: &str = "message";
/// The version that this program writes, and the newest that it reads.
pub const VERSION: u32 = 1;

/// A decoded record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// Somebody wrote to somebody.
    Message(MessageEvent),
}

/// A direct message as its sender's backend put it into the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageEvent {
    /// Derived from sender and `client_id`.
    pub id: MessageId,
    /// Derived from sender and recipient; also the record's key.
    pub conversation: ConversationId,
    /// Who wrote it.
    pub sender: UserId,
    /// To whom; the sender for notes to self.
    pub to: UserId,
    /// The client's name for it.
    pub client_id: ClientId,
    /// When the backend accepted it; for imported messages, when it was first sent.
    pub sent_at: Timestamp,
    /// The text.
    pub body: Body,
}

/// Why a record is not a good one. The code goes to the dead-letter topic.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// A tombstone; nobody writes these.
    #[error("the record has no value")]
    NoValue,
    /// The key is missing or not the conversation's id as text.
    #[error("the record's key is not its conversation id")]
    WrongKey,
    /// Not JSON, not UTF-8, or a field is missing, malformed or out of its limit.
    #[error("the record is malformed: {0}")]
    Malformed(String),
    /// Written by a newer program.
    #[error("version {0} is newer than this program reads")]
    UnknownVersion(u32),
    /// Written by a newer program.
    #[error("type \"{}\" is unknown to this program", .0.escape_debug())]
    UnknownType(String),
    /// An id that does not follow from the other fields.
    #[error("{0} does not follow from the other fields")]
    ForeignId(&'static str),
    /// A good record in a partition where its conversation does not live: its producer has another
    /// partitioner.
    #[error("the record stands in partition {found}, but its conversation lives in partition {expected}")]
    WrongPartition {
        /// Where it stands.
        found: i32,
        /// Where it belongs.
        expected: i32,
    },
}

impl DecodeError {
    /// Whether a newer program wrote the record: whoever reads must stop and be upgraded. Passing it over
    /// would make a false state of all that follows.
    #[must_use]
    pub const fn is_newer(&self) -> bool {
        matches!(self, Self::UnknownVersion(_) | Self::UnknownType(_))
    }

    /// A stable name for metrics and the dead-letter topic's `reason` header.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::NoValue => "no_value",
            Self::WrongKey => "wrong_key",
            Self::Malformed(_) => "malformed",
            Self::UnknownVersion(_) => "unknown_version",
            Self::UnknownType(_) => "unknown_type",
            Self::ForeignId(_) => "foreign_id",
            Self::WrongPartition { .. } => "wrong_partition",
        }
    }
}

/// Read first: what decides whether the rest can be understood.
#[derive(Deserialize)]
pub(crate) struct Envelope<'a> {
    pub(crate) v: u32,
    #[serde(rename = "type", borrow)]
    pub(crate) kind: std::borrow::Cow<'a, str>,
}

/// The record's form, version 1. Unknown fields are ignored: a later addition must not become a dead letter.
#[derive(Deserialize)]
struct MessageFields {
    id: MessageId,
    conversation: ConversationId,
    sender: UserId,
    to: UserId,
    client_id: ClientId,
    sent_at: Timestamp,
    body: Body,
}

/// The same fields as they are written, in the order in which a person reads them.
#[derive(Serialize)]
struct MessageRecord<'a> {
    v: u32,
    #[serde(rename = "type")]
    kind: &'static str,
    id: MessageId,
    conversation: ConversationId,
    sender: UserId,
    to: UserId,
    client_id: &'a str,
    sent_at: Timestamp,
    body: &'a str,
}

impl Event {
    /// Reads a record of `partition`, in a topic of so many `partitions`.
    ///
    /// # Errors
    /// [`DecodeError`] says why the record can be neither shown nor stored.
    pub fn read(
        partition: i32,
        partitions: usize,
        key: Option<&[u8]>,
        value: Option<&[u8]>,
    ) -> Result<Self, DecodeError> {
        let Self::Message(event) = Self::decode(key, value)?;
        let expected = partition_of(event.conversation, partitions);
        if expected != partition {
            return Err(DecodeError::WrongPartition { found: partition, expected });
        }
        Ok(Self::Message(event))
    }

    /// Reads a record's key and value, wherever it stands: for a dead letter, which stands in another topic.
    ///
    /// # Errors
    /// [`DecodeError`]; never that of the partition.
    pub fn decode(key: Option<&[u8]>, value: Option<&[u8]>) -> Result<Self, DecodeError> {
        let value = value.ok_or(DecodeError::NoValue)?;
        let malformed = |error: serde_json::Error| DecodeError::Malformed(error.to_string());
        let envelope: Envelope<'_> = serde_json::from_slice(value).map_err(malformed)?;
        if envelope.v > VERSION {
            return Err(DecodeError::UnknownVersion(envelope.v));
        }
        if envelope.kind != TYPE_MESSAGE {
            return Err(DecodeError::UnknownType(envelope.kind.chars().take(64).collect()));
        }
        let fields: MessageFields = serde_json::from_slice(value).map_err(malformed)?;
        let event =
            MessageEvent::new(fields.sender, fields.to, fields.client_id, fields.sent_at, fields.body);
        if event.conversation != fields.conversation {
            return Err(DecodeError::ForeignId("conversation"));
        }
        if event.id != fields.id {
            return Err(DecodeError::ForeignId("id"));
        }
        let mut buffer = uuid::Uuid::encode_buffer();
        let expected_key = event.conversation.as_uuid().hyphenated().encode_lower(&mut buffer).as_bytes();
        if key.is_none_or(|key| key != expected_key) {
            return Err(DecodeError::WrongKey);
        }
        Ok(Self::Message(event))
    }
}

impl MessageEvent {
    /// A message from `sender` to `to`, with the ids that follow.
    #[must_use]
    pub fn new(sender: UserId, to: UserId, client_id: ClientId, sent_at: Timestamp, body: Body) -> Self {
        Self {
            id: MessageId::derive(sender, &client_id),
            conversation: ConversationId::direct(sender, to),
            sender,
            to,
            client_id,
            sent_at,
            body,
        }
    }

    /// The record's value.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let record = MessageRecord {
            v: VERSION,
            kind: TYPE_MESSAGE,
            id: self.id,
            conversation: self.conversation,
            sender: self.sender,
            to: self.to,
            client_id: self.client_id.as_str(),
            sent_at: self.sent_at,
            body: self.body.as_str(),
        };
        serde_json::to_vec(&record).expect("strings, ids and numbers always serialise")
    }

    /// The record's key: the conversation's id as text, which decides the partition.
    #[must_use]
    pub fn key(&self) -> String {
        self.conversation.to_string()
    }

    /// Whether `user` is in the conversation.
    #[must_use]
    pub fn concerns(&self, user: UserId) -> bool {
        self.sender == user || self.to == user
    }

    /// The two people, each once: one entry for notes to self.
    pub fn people(&self) -> impl Iterator<Item = UserId> + use<> {
        std::iter::once(self.sender).chain((self.to != self.sender).then_some(self.to))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn user(n: u128) -> UserId {
        UserId::from_uuid(uuid::Uuid::from_u128(n))
    }

    fn event(client_id: &str, body: &str) -> MessageEvent {
        MessageEvent::new(
            user(1),
            user(2),
            ClientId::new(client_id).unwrap(),
            Timestamp::from_unix_ms(1_700_000_000_123),
            Body::new(body).unwrap(),
        )
    }

    fn decode(event: &MessageEvent, value: &[u8]) -> Result<Event, DecodeError> {
        Event::decode(Some(event.key().as_bytes()), Some(value))
    }

    proptest! {
        #[test]
        fn round_trip(client_id in "[ -~]{1,64}", body in "[^\0]{1,100}") {
            let event = event(&client_id, &body);
            prop_assert_eq!(decode(&event, &event.encode()), Ok(Event::Message(event)));
        }

        #[test]
        fn any_bytes_are_read_or_refused(value in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = Event::decode(Some(b"k"), Some(&value));
        }
    }

    #[test]
    fn the_written_form_is_fixed() {
        let event = event("c-1", "Dear \"Milena\"");
        assert_eq!(
            String::from_utf8(event.encode()).unwrap(),
            format!(
                concat!(
                    r#"{{"v":1,"type":"message","id":"{}","conversation":"{}","sender":"{}","to":"{}","#,
                    r#""client_id":"c-1","sent_at":"2023-11-14T22:13:20.123Z","body":"Dear \"Milena\""}}"#,
                ),
                event.id, event.conversation, event.sender, event.to
            )
        );
    }

    #[test]
    fn bad_records_are_told_apart() {
        let good = event("c-1", "hello");
        let text = String::from_utf8(good.encode()).unwrap();
        let code = |value: &str| decode(&good, value.as_bytes()).unwrap_err().code();
        assert_eq!(Event::decode(Some(b"k"), None).unwrap_err().code(), "no_value");
        assert_eq!(Event::decode(None, Some(text.as_bytes())).unwrap_err().code(), "wrong_key");
        assert_eq!(Event::decode(Some(b"k"), Some(text.as_bytes())).unwrap_err().code(), "wrong_key");
        assert_eq!(code("not json"), "malformed");
        assert_eq!(decode(&good, b"\xff\xfe").unwrap_err().code(), "malformed");
        assert_eq!(code(&text.replace("\"v\":1", "\"v\":2")), "unknown_version");
        assert_eq!(code(&text.replace("\"type\":\"message\"", "\"type\":\"reaction\"")), "unknown_type");
        assert_eq!(code(&text.replace("hello", "hel\\u0000lo")), "malformed");
        assert_eq!(code(&text.replace("\"body\":\"hello\"", "\"text\":\"hello\"")), "malformed");
        assert_eq!(code(&text.replace("\"client_id\":\"c-1\"", "\"client_id\":\"c-2\"")), "foreign_id");
        assert_eq!(
            code(
                &text.replace(&format!("\"sender\":\"{}\"", user(1)), &format!("\"sender\":\"{}\"", user(3)))
            ),
            "foreign_id"
        );
    }

    #[test]
    fn a_record_is_good_in_one_partition_only() {
        let good = event("c-1", "hello");
        let home = partition_of(good.conversation, 12);
        for partition in 0..12 {
            let read = Event::read(partition, 12, Some(good.key().as_bytes()), Some(&good.encode()));
            if partition == home {
                assert_eq!(read, Ok(Event::Message(good.clone())));
            } else {
                let error = read.unwrap_err();
                assert_eq!(error, DecodeError::WrongPartition { found: partition, expected: home });
                assert_eq!(error.code(), "wrong_partition");
            }
        }
    }

    #[test]
    fn notes_to_self_concern_one_person() {
        let note = MessageEvent::new(
            user(1),
            user(1),
            ClientId::new("n").unwrap(),
            Timestamp::from_unix_ms(0),
            Body::new("milk").unwrap(),
        );
        assert_eq!(note.people().count(), 1);
        assert!(note.concerns(user(1)) && !note.concerns(user(2)));
    }
}
