//! What this import has put into the log and has not seen in the database yet.
//!
//! A message is named by its sender and its id. Of two lines with the same name only one can be stored; which
//! one is decided here, in the order of the file, not by the consumer, to which partitions come in any order.
//! And what is counted as imported is looked up in the database afterwards, by its content.

use std::collections::HashMap;

use milena_domain::record::Event;
use milena_domain::{Body, ConversationId, MessageId, Position, Timestamp};
use milena_import::Origin;
use milena_storage::StoredMessage;
use sha2::{Digest, Sha256};

/// Messages remembered, at most (about 100 MB): then the import waits until the database has them.
pub(crate) const MESSAGES_MAX: usize = 1_000_000;

/// What makes a message itself, besides its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Content {
    conversation: ConversationId,
    /// The first half of a SHA-256 over time and text; of a room event, over its record. `None` where the
    /// store does not tell any more what was sent, because it was edited or deleted since.
    digest: Option<[u8; 16]>,
}

impl Content {
    pub(crate) fn of(conversation: ConversationId, sent_at: Timestamp, body: &Body) -> Self {
        Self::new(conversation, sent_at.unix_ms(), body.as_str())
    }

    pub(crate) fn of_stored(message: &StoredMessage) -> Self {
        if message.is_changed {
            return Self { conversation: message.conversation, digest: None };
        }
        Self::new(message.conversation, message.sent_at.unix_ms(), message.body.as_str())
    }

    fn new(conversation: ConversationId, sent_at_ms: i64, body: &str) -> Self {
        let hash = Sha256::new().chain_update(sent_at_ms.to_be_bytes()).chain_update(body);
        Self { conversation, digest: Some(half(hash)) }
    }

    /// Of an edit or a reaction: its id says all of it but the words, which are compared elsewhere.
    pub(crate) const fn of_change(conversation: ConversationId) -> Self {
        Self { conversation, digest: None }
    }

    /// Of something that happened in a room. How far its sender had read is no part of it.
    pub(crate) fn of_event(event: &Event) -> Self {
        let record = Event { seen: Some(Position::ZERO), ..event.clone() }.encode();
        Self { conversation: event.conversation, digest: Some(half(Sha256::new().chain_update(record))) }
    }

    /// Where it is.
    pub(crate) const fn conversation(self) -> ConversationId {
        self.conversation
    }

    /// Why a message with this content cannot have the name of one with the content of `other`.
    pub(crate) fn conflict(self, other: Self) -> Option<&'static str> {
        if self.conversation != other.conversation {
            return Some("to somebody else (see --id-scope)");
        }
        let differs = self.digest.zip(other.digest).is_some_and(|(one, other)| one != other);
        differs.then_some("with another text or time")
    }
}

fn half(hash: Sha256) -> [u8; 16] {
    let mut digest = [0; 16];
    digest.copy_from_slice(&hash.finalize()[..16]);
    digest
}

/// Something on its way.
#[derive(Debug, Clone)]
pub(crate) struct Sent {
    /// Where in the file it is from.
    pub(crate) origin: Origin,
    /// What must be in the database.
    pub(crate) content: Content,
    /// What it is.
    pub(crate) kind: SentKind,
}

/// What is on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SentKind {
    /// A message.
    Message,
    /// Something that happened in a room.
    Event,
    /// An edit or a reaction.
    Change,
}

/// Everything on its way.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    /// With their places in the order of the file.
    sent: HashMap<MessageId, (u64, Sent)>,
    noted: u64,
}

impl Ledger {
    /// The message of this import that has the id.
    pub(crate) fn get(&self, id: MessageId) -> Option<&Sent> {
        self.sent.get(&id).map(|(_, sent)| sent)
    }

    /// Notes a message.
    pub(crate) fn insert(&mut self, id: MessageId, sent: Sent) {
        self.noted += 1;
        self.sent.insert(id, (self.noted, sent));
    }

    /// No more may be noted.
    pub(crate) fn is_full(&self) -> bool {
        self.sent.len() >= MESSAGES_MAX
    }

    /// All of it, in the order of the file.
    pub(crate) fn take(&mut self) -> Vec<(MessageId, Sent)> {
        let mut sent: Vec<_> = std::mem::take(&mut self.sent).into_iter().collect();
        sent.sort_unstable_by_key(|(_, (place, _))| *place);
        sent.into_iter().map(|(id, (_, sent))| (id, sent)).collect()
    }
}
