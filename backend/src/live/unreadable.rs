//! Conversations in which a newer program has written what this one cannot read.
//!
//! An unknown version or type may change what everything after it means, so this program neither shows nor
//! takes anything more in that conversation, and says so; others go on. What it does not read it must not let
//! its clients believe they have seen: their cursors stay before it ([`Unreadable::told`]). Whoever starts
//! this program anew meets the record again, because the consumer does not pass it either.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use milena_domain::{ConversationId, DecodeError};

use crate::metrics;
use crate::refusal::{Code, Refusal};

/// Closed conversations that are remembered, at most; a program that has met more can show little anyway, and
/// ends with a sentence that says what is to be done.
const CONVERSATIONS_MAX: usize = 10_000;
/// Nobody upgrades a server in a moment.
const RETRY_MS: u64 = 30_000;

/// Written by the delivery task, read for each send and each read. Clones are the same.
#[derive(Debug, Clone, Default)]
pub struct Unreadable(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    /// Mostly nothing is closed, and then nobody takes the lock.
    any: AtomicBool,
    closed: RwLock<Closed>,
}

#[derive(Debug, Default)]
struct Closed {
    /// Each with the place of the first such record.
    conversations: HashMap<ConversationId, (i32, i64)>,
    /// By partition: the first such record.
    first: HashMap<i32, i64>,
}

/// There are more than can be remembered.
#[derive(Debug, PartialEq, Eq)]
pub struct TooMany;

/// Whether a newer program may have meant something by a record that is bad to this one.
#[must_use]
pub const fn is_newer(error: &DecodeError) -> bool {
    matches!(error, DecodeError::UnknownVersion(_) | DecodeError::UnknownType(_))
}

impl Unreadable {
    /// A record of this conversation cannot be read.
    ///
    /// # Errors
    /// [`TooMany`] when it cannot be remembered.
    pub fn close(
        &self,
        conversation: ConversationId,
        (partition, offset): (i32, i64),
        error: &DecodeError,
    ) -> Result<(), TooMany> {
        let mut closed = self.0.closed.write().unwrap_or_else(PoisonError::into_inner);
        if closed.conversations.contains_key(&conversation) {
            return Ok(());
        }
        if closed.conversations.len() >= CONVERSATIONS_MAX {
            return Err(TooMany);
        }
        closed.conversations.insert(conversation, (partition, offset));
        let first = closed.first.entry(partition).or_insert(offset);
        *first = offset.min(*first);
        let count = closed.conversations.len();
        drop(closed);
        self.0.any.store(true, Ordering::Release);
        metrics::conversations_closed(count);
        log::error!(
            conversation:%, partition, offset, error:% = error;
            "a newer program wrote what this one cannot read: upgrade this one; until then the conversation \
             is closed here"
        );
        Ok(())
    }

    /// Whether anything is closed.
    #[must_use]
    pub fn is_any(&self) -> bool {
        self.0.any.load(Ordering::Acquire)
    }

    /// Whether this conversation is closed.
    #[must_use]
    pub fn is_closed(&self, conversation: ConversationId) -> bool {
        self.is_any() && self.read(|closed| closed.conversations.contains_key(&conversation))
    }

    /// # Errors
    /// `upgrade_needed` when the conversation is closed.
    pub fn check(&self, conversation: ConversationId) -> Result<(), Refusal> {
        if self.is_closed(conversation) { Err(upgrade_needed()) } else { Ok(()) }
    }

    /// What a cursor may say of a partition of which everything before `next` was delivered: the first record
    /// that was not read, once there is one.
    #[must_use]
    pub fn told(&self, partition: i32, next: i64) -> i64 {
        if !self.is_any() {
            return next;
        }
        self.read(|closed| closed.first.get(&partition).map_or(next, |first| next.min(*first)))
    }

    fn read<T>(&self, look: impl FnOnce(&Closed) -> T) -> T {
        look(&self.0.closed.read().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The refusal of whatever is wanted in a closed conversation.
#[must_use]
pub fn upgrade_needed() -> Refusal {
    let said = "a newer server has written in this conversation; this one has to be upgraded first";
    Refusal::later(Code::UpgradeNeeded, said, RETRY_MS)
}

#[cfg(test)]
mod tests {
    use milena_domain::UserId;

    use super::*;

    #[test]
    fn one_conversation_is_closed_and_cursors_stay_before_it() {
        let unreadable = Unreadable::default();
        let conversation = |_| ConversationId::direct(UserId::new(), UserId::new());
        let (closed, open) = (conversation(()), conversation(()));
        assert_eq!((unreadable.told(1, 9), unreadable.is_any()), (9, false));
        for offset in [5, 7] {
            unreadable.close(closed, (1, offset), &DecodeError::UnknownVersion(3)).unwrap();
        }
        assert_eq!(unreadable.check(closed).unwrap_err().code, Code::UpgradeNeeded);
        assert_eq!(unreadable.check(open), Ok(()));
        assert_eq!(
            [(1, 9), (1, 4), (2, 9)].map(|(partition, next)| unreadable.told(partition, next)),
            [5, 4, 9]
        );
    }

    #[test]
    fn there_is_an_end_to_what_is_remembered() {
        let unreadable = Unreadable::default();
        let error = DecodeError::UnknownType("sung".to_owned());
        let close = || unreadable.close(ConversationId::direct(UserId::new(), UserId::new()), (0, 0), &error);
        assert!((0..CONVERSATIONS_MAX).all(|_| close().is_ok()));
        assert_eq!(close(), Err(TooMany));
    }
}
