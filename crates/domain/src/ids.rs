//! The ids of people, conversations and messages.
//!
//! User ids are UUIDv7. The other two are *derived*, as UUIDv8 (RFC 9562, section 5.8), so that no node has
//! to ask another one: whoever knows two people knows their conversation, and whoever sends a message again
//! gets the same id. The fixed prefixes below are part of the stored data: changing one makes every id a
//! stranger.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use uuid::{Builder, Uuid};

use crate::ClientId;

const DIRECT_CONVERSATION_PREFIX: &[u8] = b"milena/direct-conversation/v1";
const ROOM_PREFIX: &[u8] = b"milena/room/v1";
const MESSAGE_PREFIX: &[u8] = b"milena/message/v1";
const EVENT_PREFIX: &[u8] = b"milena/event/v2";

macro_rules! uuid_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(Uuid);

        impl $name {
            /// Takes an id as it is, for example from a row or a record.
            #[must_use]
            pub const fn from_uuid(uuid: Uuid) -> Self {
                Self(uuid)
            }

            /// The id as the store binds it.
            #[must_use]
            pub const fn as_uuid(self) -> Uuid {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.hyphenated().fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Uuid::parse_str(text).map(Self)
            }
        }
    };
}

uuid_id! {
    /// A person: UUIDv7, made at registration.
    UserId
}
uuid_id! {
    /// A conversation. Direct ones are derived from their two people.
    ConversationId
}
uuid_id! {
    /// A message, derived from its sender and the `client_id` that the sender chose.
    MessageId
}

impl UserId {
    /// Nobody: who creates and owns the rooms that are the server's own.
    pub const SERVER: Self = Self(Uuid::from_u128(0x0000_0000_0000_8000_8000_0000_0000_0001));

    /// A new person's id: ordered by time of creation, random in the rest.
    #[must_use]
    pub fn new() -> Self {
        Self(Uuid::now_v7())
    }
}

impl Default for UserId {
    fn default() -> Self {
        Self::new()
    }
}

impl ConversationId {
    /// The one direct conversation of `a` and `b`, whichever way round they are named. `a == b` is notes to
    /// self.
    #[must_use]
    pub fn direct(a: UserId, b: UserId) -> Self {
        let (low, high) = if a <= b { (a, b) } else { (b, a) };
        Self(derive(DIRECT_CONVERSATION_PREFIX, &[low.0.as_bytes(), high.0.as_bytes()]))
    }

    /// The room that `creator` creates under the name `client_id`: creating it again is the same room.
    #[must_use]
    pub fn room(creator: UserId, client_id: &ClientId) -> Self {
        Self(derive(ROOM_PREFIX, &[creator.0.as_bytes(), client_id.as_str().as_bytes()]))
    }
}

impl MessageId {
    /// The id of what `sender` calls `client_id`: the same on every node and after every restart.
    #[must_use]
    pub fn derive(sender: UserId, client_id: &ClientId) -> Self {
        Self(derive(MESSAGE_PREFIX, &[sender.0.as_bytes(), client_id.as_str().as_bytes()]))
    }

    /// The id, from version 2 of the log on, of what `actor` calls `client_id` in a conversation. The
    /// conversation is part of it, so that what is a repeat is decided within one partition.
    #[must_use]
    pub fn of_event(conversation: ConversationId, actor: UserId, client_id: &ClientId) -> Self {
        let parts = [conversation.0.as_bytes(), actor.0.as_bytes(), client_id.as_str().as_bytes()];
        Self(derive(EVENT_PREFIX, &parts.map(|part: &[u8]| part)))
    }
}

/// The inputs need no separators: all but the last have a fixed length.
fn derive(prefix: &[u8], parts: &[&[u8]]) -> Uuid {
    let mut hash = Sha256::new();
    hash.update(prefix);
    for part in parts {
        hash.update(part);
    }
    let digest = hash.finalize();
    let mut bytes = [0_u8; 16];
    bytes.copy_from_slice(&digest[..16]);
    Builder::from_custom_bytes(bytes).into_uuid()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(n: u128) -> UserId {
        UserId::from_uuid(Uuid::from_u128(n))
    }

    #[test]
    fn a_direct_conversation_is_the_same_from_both_sides() {
        assert_eq!(ConversationId::direct(user(1), user(2)), ConversationId::direct(user(2), user(1)));
        assert_ne!(ConversationId::direct(user(1), user(2)), ConversationId::direct(user(1), user(3)));
        assert_eq!(ConversationId::direct(user(1), user(2)).as_uuid().get_version_num(), 8);
    }

    #[test]
    fn derived_ids_never_change() {
        // Written down once: stored data depends on these.
        let client_id = ClientId::new("en-16586").unwrap();
        assert_eq!(
            MessageId::derive(user(1), &client_id).to_string(),
            "f6d6b3d1-f891-8297-99ed-36488db75c43"
        );
        assert_eq!(
            ConversationId::direct(user(1), user(2)).to_string(),
            "14259dc6-baa2-86ca-9d01-88697c2268e1"
        );
    }

    #[test]
    fn nobody_makes_another_senders_id() {
        let client_id = ClientId::new("x").unwrap();
        assert_ne!(MessageId::derive(user(1), &client_id), MessageId::derive(user(2), &client_id));
    }
}
