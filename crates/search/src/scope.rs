//! Where somebody may look: their conversations, and in rooms the time of their memberships.

use std::collections::HashMap;

use milena_domain::record::History;
use milena_domain::{ConversationId, Position};
use milena_timeline::{Interval, sees};

/// What a person may see. Who has an empty one finds nothing.
#[derive(Debug, Clone, Default)]
pub struct Scope {
    conversations: HashMap<ConversationId, Seen>,
}

/// What of a conversation.
#[derive(Debug, Clone)]
enum Seen {
    /// Everything.
    All,
    /// The positions within these, both ends included.
    Within(Vec<Interval>),
}

impl Scope {
    /// Adds a conversation that may be seen as a whole: a direct one.
    pub fn insert(&mut self, conversation: ConversationId) {
        self.conversations.insert(conversation, Seen::All);
    }

    /// Adds a room, as far as somebody with these memberships may see it.
    pub fn insert_room(&mut self, room: ConversationId, history: History, memberships: &[Interval]) {
        let seen = match history {
            History::All if sees(history, memberships, Position::MAX) => Seen::All,
            History::All => return,
            History::SinceJoin => Seen::Within(memberships.to_vec()),
        };
        self.conversations.insert(room, seen);
    }

    /// Whether what stands there may be seen.
    #[must_use]
    pub fn allows(&self, conversation: ConversationId, position: Position) -> bool {
        match self.conversations.get(&conversation) {
            None => false,
            Some(Seen::All) => true,
            Some(Seen::Within(intervals)) => sees(History::SinceJoin, intervals, position),
        }
    }

    /// Whether anything of the conversation may be seen.
    #[must_use]
    pub fn has(&self, conversation: ConversationId) -> bool {
        self.conversations.contains_key(&conversation)
    }

    /// The conversations, in no order.
    pub fn conversations(&self) -> impl Iterator<Item = ConversationId> {
        self.conversations.keys().copied()
    }

    /// How many conversations.
    #[must_use]
    pub fn len(&self) -> usize {
        self.conversations.len()
    }

    /// Whether nothing may be seen.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.conversations.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use milena_domain::record::Role;
    use uuid::Uuid;

    use super::*;

    fn position(number: u64) -> Position {
        Position::from_u64(number).unwrap()
    }

    #[test]
    fn a_room_is_seen_as_the_fold_says() {
        let [direct, open, left, since] = [1, 2, 3, 4].map(|n| ConversationId::from_uuid(Uuid::from_u128(n)));
        let role = Role::Member;
        let over = Interval { role, from: position(5), to: Some(position(8)) };
        let lasts = Interval { role, from: position(12), to: None };
        let mut scope = Scope::default();
        scope.insert(direct);
        scope.insert_room(open, History::All, &[lasts]);
        scope.insert_room(left, History::All, &[over]);
        scope.insert_room(since, History::SinceJoin, &[over, lasts]);
        let seen = |conversation| (1..=14).filter(|at| scope.allows(conversation, position(*at))).count();
        assert_eq!([direct, open, left, since].map(seen), [14, 14, 0, 7]);
        assert!(scope.allows(since, position(8)) && !scope.allows(since, position(9)));
        assert!(!scope.has(left) && scope.len() == 3);
    }
}
