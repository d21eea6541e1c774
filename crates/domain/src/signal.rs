//! What backends tell each other at once and nobody stores: one JSON object a record in a topic of its own,
//! versioned, readable with any Kafka tool.
//!
//! A signal says what follows from the store a moment later anyway, so a lost one is harmless and an old one
//! worthless.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::event::Envelope;
use crate::{ConversationId, DecodeError, Position, Timestamp, UserId, VERSION};

/// The types that this program knows, as `#[serde(tag)]` writes them.
const TYPES: [&str; 15] = [
    "read",
    "received",
    "room_read",
    "room_seen",
    "session_ended",
    "token_replaced",
    "presence",
    "alive",
    "people",
    "ask_people",
    "goodbye",
    "hidden",
    "typing",
    "notifications_changed",
    "status_changed",
];

/// The most people in one part of a node's list.
pub const PEOPLE_PART_MAX: usize = 500;

/// Somebody who is here. The greater is the more present one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Availability {
    /// Connected, but nobody sits before it.
    Away,
    /// Connected and there.
    Online,
}

/// Something to tell.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Signal {
    /// Somebody has read something.
    Read(ReadSignal),
    /// A device of somebody has what the other one wrote.
    Received(ReadSignal),
    /// Somebody has read something in a room; or between two people, if nobody else is to know.
    RoomRead(RoomReadSignal),
    /// Somebody has read something in a small room, and its members may know.
    RoomSeen(RoomSeenSignal),
    /// A session was ended before its time: its sockets go.
    SessionEnded {
        /// Its public name.
        session: Uuid,
    },
    /// A session got another token, since its owner has another password: the one before is worth nothing.
    TokenReplaced {
        /// Its public name.
        session: Uuid,
    },
    /// Somebody came to the node that tells it, went, or is away.
    Presence {
        /// Who.
        user: UserId,
        /// What they are there now; nothing is offline.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        state: Option<Availability>,
        /// Of somebody who is offline: since when.
        since: Timestamp,
    },
    /// The node lives, and this is what it has told of its people, in short: whoever has something else has
    /// missed something.
    Alive {
        /// How many there are.
        people: u64,
        /// A sum over them.
        sum: u64,
    },
    /// A part of the list of the node's people, on being asked.
    People {
        /// Its number, from 0.
        part: u32,
        /// Whether it is the last.
        last: bool,
        /// At most [`PEOPLE_PART_MAX`].
        people: Vec<(UserId, Availability)>,
    },
    /// Something of that node was missed: it is asked for its list.
    AskPeople {
        /// Which.
        of: Uuid,
    },
    /// The node stops.
    Goodbye,
    /// Whether somebody wants to be taken for offline from now on.
    Hidden {
        /// Who.
        user: UserId,
        /// Whether they do.
        on: bool,
    },
    /// Somebody is writing, or not any more.
    Typing {
        /// Who.
        user: UserId,
        /// Where.
        conversation: ConversationId,
        /// Whether they are.
        on: bool,
    },
    /// Somebody wants to be told of something else than before; of what, stands in the store.
    NotificationsChanged {
        /// Who.
        user: UserId,
        /// In which conversation; none is in general.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        conversation: Option<ConversationId>,
    },
    /// Somebody says something else of themselves; what, stands in the store.
    StatusChanged {
        /// Who.
        user: UserId,
    },
}

/// `user` has read, or a device of theirs has, the conversation with `other` up to `position`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReadSignal {
    /// Who read.
    pub user: UserId,
    /// The other person; `user` for notes to self.
    pub other: UserId,
    /// The newest that was read.
    pub position: Position,
}

/// `user` has read a conversation up to `position`. It concerns nobody else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoomReadSignal {
    /// Who read.
    pub user: UserId,
    /// Which one.
    pub conversation: ConversationId,
    /// The newest that was read.
    pub position: Position,
}

/// `user` has read a small room up to `position`: its other members are told, but for some.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoomSeenSignal {
    /// Who read.
    pub user: UserId,
    /// Which room.
    pub conversation: ConversationId,
    /// The newest that was read.
    pub position: Position,
    /// Members who do not let others know, and so are not told either.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub except: Vec<UserId>,
}

impl ReadSignal {
    /// Theirs.
    #[must_use]
    pub fn conversation(&self) -> ConversationId {
        ConversationId::direct(self.user, self.other)
    }
}

/// The record's form, version 1. Unknown fields are ignored.
#[derive(Deserialize)]
struct Record {
    node: Uuid,
    #[serde(flatten)]
    signal: Signal,
}

#[derive(Serialize)]
struct NewRecord<'a> {
    v: u32,
    node: Uuid,
    #[serde(flatten)]
    signal: &'a Signal,
}

impl Signal {
    /// The record's key: signals about the same thing stay in order, and so does all that a node tells of its
    /// people.
    #[must_use]
    pub fn key(&self, node: Uuid) -> String {
        match self {
            Self::Presence { .. } | Self::Alive { .. } | Self::People { .. } | Self::Goodbye => {
                node.to_string()
            }
            Self::AskPeople { of } => of.to_string(),
            Self::Hidden { user, .. }
            | Self::NotificationsChanged { user, .. }
            | Self::StatusChanged { user } => user.to_string(),
            Self::Typing { conversation, .. } => conversation.to_string(),
            Self::Read(read) | Self::Received(read) => read.conversation().to_string(),
            Self::RoomRead(read) => read.conversation.to_string(),
            Self::RoomSeen(seen) => seen.conversation.to_string(),
            Self::SessionEnded { session } | Self::TokenReplaced { session } => session.to_string(),
        }
    }

    /// The record's value; `node` is the backend that says it.
    #[must_use]
    pub fn encode(&self, node: Uuid) -> Vec<u8> {
        let record = NewRecord { v: VERSION, node, signal: self };
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
        if !TYPES.contains(&&*envelope.kind) {
            return Err(DecodeError::UnknownType(envelope.kind.chars().take(64).collect()));
        }
        let record: Record = serde_json::from_slice(value).map_err(malformed)?;
        Ok((record.node, record.signal))
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
        let node = Uuid::now_v7();
        let session = Uuid::now_v7();
        let seen = RoomSeenSignal {
            user: UserId::new(),
            conversation: ConversationId::from_uuid(session),
            position: Position::new(Epoch::FIRST, 7),
            except: vec![UserId::new()],
        };
        let (user, since) = (UserId::new(), Timestamp::from_unix_ms(1_700_000_000_000));
        for signal in [
            read(),
            Signal::RoomSeen(seen),
            Signal::SessionEnded { session },
            Signal::TokenReplaced { session },
            Signal::Presence { user, state: Some(Availability::Away), since },
            Signal::Presence { user, state: None, since },
            Signal::Alive { people: 3, sum: (1 << 53) - 1 },
            Signal::People { part: 1, last: true, people: vec![(user, Availability::Online)] },
            Signal::AskPeople { of: session },
            Signal::Goodbye,
            Signal::Hidden { user, on: true },
            Signal::Typing { user, conversation: ConversationId::direct(user, user), on: true },
            Signal::NotificationsChanged { user, conversation: None },
            Signal::NotificationsChanged { user, conversation: Some(ConversationId::direct(user, user)) },
            Signal::StatusChanged { user },
        ] {
            assert_eq!(Signal::decode(Some(&signal.encode(node))), Ok((node, signal)));
        }
    }

    #[test]
    fn the_form_is_flat_and_named() {
        let told = |signal: Signal| -> serde_json::Value {
            serde_json::from_slice(&signal.encode(Uuid::nil())).unwrap()
        };
        let session = Uuid::now_v7();
        let expected = serde_json::json!({
            "v": 1, "type": "session_ended", "node": Uuid::nil(), "session": session,
        });
        assert_eq!(told(Signal::SessionEnded { session }), expected);
        let signal = read();
        let Signal::Read(read) = signal else { unreachable!() };
        let expected = serde_json::json!({
            "v": 1, "type": "read", "node": Uuid::nil(), "user": read.user, "other": read.other,
            "position": read.position,
        });
        assert_eq!(told(signal), expected);
    }

    #[test]
    fn what_is_unknown_or_broken_is_named() {
        let code = |value: &str| Signal::decode(Some(value.as_bytes())).map_err(|error| error.code());
        assert_eq!(Signal::decode(None), Err(DecodeError::NoValue));
        assert_eq!(code("{"), Err("malformed"));
        assert_eq!(code(r#"{"v":1,"type":"read"}"#), Err("malformed"));
        assert_eq!(code(r#"{"v":1,"type":"waving"}"#), Err("unknown_type"));
        assert_eq!(code(r#"{"v":2,"type":"read"}"#), Err("unknown_version"));
        let text = String::from_utf8(read().encode(Uuid::nil())).unwrap();
        let later = text.replacen('{', r#"{"added_later":true,"#, 1);
        assert!(Signal::decode(Some(later.as_bytes())).is_ok());
        let negative = text.replace(r#""position":"#, r#""position":-"#);
        assert_eq!(code(&negative), Err("malformed"));
    }
}
