//! Rooms that were looked for and are not there. Whoever names one again and again costs a look-up in the
//! database each time, one after the other; so those who waited while somebody looked share the answer.
//! Nothing is remembered longer: the answer counts for whoever asked before that look began.

use std::sync::atomic::{AtomicU64, Ordering};

use milena_domain::ConversationId;
use moka::sync::Cache;

/// Rooms of the last looks, at most; whoever is forgotten looks again.
const LOOKS: u64 = 10_000;

/// The last looks that found nothing.
pub(in crate::chat) struct Absent {
    clock: AtomicU64,
    /// When the look began.
    looks: Cache<ConversationId, u64>,
}

impl Default for Absent {
    fn default() -> Self {
        Self { clock: AtomicU64::new(0), looks: Cache::new(LOOKS) }
    }
}

impl Absent {
    /// The next moment: of asking, or of beginning to look.
    pub(super) fn moment(&self) -> u64 {
        self.clock.fetch_add(1, Ordering::Relaxed)
    }

    /// A look that began then found no such room.
    pub(super) fn found_none(&self, room: ConversationId, began: u64) {
        self.looks.insert(room, began);
    }

    /// Whether a look that began after `asked` found no such room.
    pub(super) fn is_known(&self, room: ConversationId, asked: u64) -> bool {
        self.looks.get(&room).is_some_and(|began| began > asked)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_for_those_who_asked_before_the_look() {
        let absent = Absent::default();
        let room = ConversationId::from_uuid(uuid::Uuid::nil());
        let before = absent.moment();
        let began = absent.moment();
        let meanwhile = absent.moment();
        assert!(!absent.is_known(room, before));
        absent.found_none(room, began);
        assert!(absent.is_known(room, before));
        assert!(!absent.is_known(room, meanwhile));
    }
}
