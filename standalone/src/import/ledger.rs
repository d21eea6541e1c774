//! What this import has put into the log and has not seen in the database yet.
//!
//! A message is named by its sender and its id. Of two lines with the same name only one can be stored; which
//! one is decided here, in the order of the file, not by the consumer, to which partitions come in any order.
//! And what is counted as imported is looked up in the database afterwards, by its content.

use std::collections::HashMap;

use milena_domain::record::Event;
use milena_domain::{Body, ConversationId, MessageId, Position, Timestamp};
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

/// A message or room event on its way.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sent {
    /// Its line in the file.
    pub(crate) line: u64,
    /// What must be in the database.
    pub(crate) content: Content,
    /// Whether it is no message.
    pub(crate) is_event: bool,
}

/// Everything on its way.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    sent: HashMap<MessageId, Sent>,
}

impl Ledger {
    /// The message of this import that has the id.
    pub(crate) fn get(&self, id: MessageId) -> Option<Sent> {
        self.sent.get(&id).copied()
    }

    /// Notes a message.
    pub(crate) fn insert(&mut self, id: MessageId, sent: Sent) {
        self.sent.insert(id, sent);
    }

    /// No more may be noted.
    pub(crate) fn is_full(&self) -> bool {
        self.sent.len() >= MESSAGES_MAX
    }

    /// All of it, by line.
    pub(crate) fn take(&mut self) -> Vec<(MessageId, Sent)> {
        let mut sent: Vec<_> = std::mem::take(&mut self.sent).into_iter().collect();
        sent.sort_unstable_by_key(|(_, sent)| sent.line);
        sent
    }
}
