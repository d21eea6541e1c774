//! What backends tell each other at once and nobody stores: one JSON object a record in a topic of its own, versioned,
//! readable with any Kafka tool.
//!
//! A signal says what follows from the store a moment later anyway, so a lost one is harmless and an old one worthless.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::event::Envelope;
use crate::{ConversationId, DecodeError, Position, UserId, VERSION};

/// The type of a read mark.
const TYPE_READ: &str = "read";

/// Something to tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// Somebody has read something.
    Read(ReadSignal),
}

/// `user` has read the conversation with `other` up to `position`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadSignal {
    /// Who read.
    pub user: UserId,
    /// The other person; `user` for notes to self.
    pub other: UserId,
    /// The newest that was read.
    pub position: Position,
}

impl ReadSignal {
    /// Theirs.
    #[must_use]
    pub fn conversation(&self) -> ConversationId {
        ConversationId::direct(self.user, self.other)
    }
}

/// The record's form, version 1. Unknown fields are ignored.
#[derive(Serialize, Deserialize)]
struct ReadRecord<T> {
    v: u32,
    #[serde(rename = "type")]
    kind: T,
    node: Uuid,
    #[serde(flatten)]
    read: ReadSignal,
}

impl Signal {
    /// The record's value; `node` is the backend that says it.
    #[must_use]
    pub fn encode(&self, node: Uuid) -> Vec<u8> {
        let Self::Read(read) = *self;
        let record = ReadRecord { v: VERSION, kind: TYPE_READ, node, read };
        serde_json::to_vec(&record).expect("ids and numbers are JSON")
    }

    /// Which backend says it, and what.
    ///
    /// # Errors
    /// [`DecodeError`]: such a record is passed over.
    pub fn decode(value: Option<&[u8]>) -> Result<(Uuid, Self), DecodeError> {
        let value = value.ok_or(DecodeError::NoValue)?;
        let malformed = |error: serde_json::Error| DecodeError::Malformed(error.to_string());
        let envelope: Envelope<'_> = serde_json::from_slice(value).map_err(malformed)?;
        if envelope.v > VERSION {
            return Err(DecodeError::UnknownVersion(envelope.v));
        }
        if envelope.kind != TYPE_READ {
            return Err(DecodeError::UnknownType(envelope.kind.chars().take(64).collect()));
        }
        let record: ReadRecord<String> = serde_json::from_slice(value).map_err(malformed)?;
        Ok((record.node, Self::Read(record.read)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Epoch;

    fn read() -> Signal {
        let position = Position::new(Epoch::FIRST, 7);
        Signal::Read(ReadSignal { user: UserId::new(), other: UserId::new(), position })
    }

    #[test]
    fn what_is_told_is_heard() {
        let (node, signal) = (Uuid::now_v7(), read());
        assert_eq!(Signal::decode(Some(&signal.encode(node))), Ok((node, signal)));
    }

    #[test]
    fn the_form_is_flat_and_named() {
        let Signal::Read(read) = read();
        let value: serde_json::Value =
            serde_json::from_slice(&Signal::Read(read).encode(Uuid::nil())).unwrap();
        let expected = serde_json::json!({
            "v": 1, "type": "read", "node": Uuid::nil(), "user": read.user, "other": read.other,
            "position": read.position,
        });
        assert_eq!(value, expected);
    }

    #[test]
    fn what_is_unknown_or_broken_is_named() {
        let code = |value: &str| Signal::decode(Some(value.as_bytes())).map_err(|error| error.code());
        assert_eq!(Signal::decode(None), Err(DecodeError::NoValue));
        assert_eq!(code("{"), Err("malformed"));
        assert_eq!(code(r#"{"v":1,"type":"read"}"#), Err("malformed"));
        assert_eq!(code(r#"{"v":1,"type":"typing"}"#), Err("unknown_type"));
        assert_eq!(code(r#"{"v":2,"type":"read"}"#), Err("unknown_version"));
        let text = String::from_utf8(read().encode(Uuid::nil())).unwrap();
        let later = text.replacen('{', r#"{"added_later":true,"#, 1);
        assert!(Signal::decode(Some(later.as_bytes())).is_ok());
        let negative = text.replace(r#""position":"#, r#""position":-"#);
        assert_eq!(code(&negative), Err("malformed"));
    }
}
