//! Memory by conversation, and by person: whose conversations were written in, and when last.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;

use milena_domain::{ConversationId, Position, UserId};

use super::Delivered;

#[derive(Debug, Default)]
pub(super) struct ConversationMemory {
    /// In log order; never empty.
    messages: VecDeque<Arc<Delivered>>,
    /// Those among them that are about a message, by its place. Nothing is allocated where there are none.
    changes: HashMap<Position, VecDeque<Arc<Delivered>>>,
    /// Of the newest message.
    last_arrival: u64,
}

impl ConversationMemory {
    pub(super) const fn messages(&self) -> &VecDeque<Arc<Delivered>> {
        &self.messages
    }

    pub(super) fn changes_of(&self, place: Position) -> impl Iterator<Item = &Arc<Delivered>> {
        self.changes.get(&place).into_iter().flatten()
    }

    pub(super) fn all_changes(&self) -> impl Iterator<Item = &Arc<Delivered>> {
        self.changes.values().flatten()
    }

    fn forget_change(&mut self, place: Position) {
        if let Some(changes) = self.changes.get_mut(&place) {
            changes.pop_front();
            if changes.is_empty() {
                self.changes.remove(&place);
            }
        }
    }
}

#[derive(Debug, Default)]
pub(super) struct Conversations {
    by_id: HashMap<ConversationId, ConversationMemory>,
    /// A person's conversations in memory, by the arrival of the newest message of each.
    by_person: HashMap<UserId, BTreeMap<u64, ConversationId>>,
    /// Rooms in memory by the people whose membership may have changed there, with how many such events there
    /// are.
    named: HashMap<UserId, HashMap<ConversationId, usize>>,
}

impl Conversations {
    pub(super) fn add(&mut self, arrival: u64, delivered: &Arc<Delivered>) {
        let id = delivered.event().conversation;
        let conversation = self.by_id.entry(id).or_default();
        let before = std::mem::replace(&mut conversation.last_arrival, arrival);
        conversation.messages.push_back(Arc::clone(delivered));
        if let Some(target) = delivered.event().action.target() {
            conversation.changes.entry(target.position).or_default().push_back(Arc::clone(delivered));
        }
        for person in delivered.people() {
            let conversations = self.by_person.entry(person).or_default();
            conversations.remove(&before);
            conversations.insert(arrival, id);
        }
        if delivered.event().to.is_none() {
            for person in delivered.named() {
                *self.named.entry(person).or_default().entry(id).or_default() += 1;
            }
        }
    }

    /// `delivered` leaves. A conversation lives in one partition, so it is its conversation's oldest.
    pub(super) fn remove(&mut self, delivered: &Delivered) {
        let id = delivered.event().conversation;
        if delivered.event().to.is_none() {
            delivered.named().into_iter().for_each(|person| self.forget_name(person, id));
        }
        let Some(conversation) = self.by_id.get_mut(&id) else { return };
        conversation.messages.pop_front();
        if let Some(target) = delivered.event().action.target() {
            conversation.forget_change(target.position);
        }
        if !conversation.messages.is_empty() {
            return;
        }
        let last_arrival = conversation.last_arrival;
        self.by_id.remove(&id);
        for person in delivered.people() {
            if let Some(conversations) = self.by_person.get_mut(&person) {
                conversations.remove(&last_arrival);
                if conversations.is_empty() {
                    self.by_person.remove(&person);
                }
            }
        }
    }

    fn forget_name(&mut self, person: UserId, id: ConversationId) {
        let Some(rooms) = self.named.get_mut(&person) else { return };
        if let Some(count) = rooms.get_mut(&id) {
            *count -= 1;
            if *count == 0 {
                rooms.remove(&id);
            }
        }
        if rooms.is_empty() {
            self.named.remove(&person);
        }
    }

    /// Rooms in which somebody's membership may have changed, in no order.
    pub(super) fn naming(&self, person: UserId) -> impl Iterator<Item = ConversationId> {
        self.named.get(&person).into_iter().flat_map(HashMap::keys).copied()
    }

    pub(super) fn get(&self, id: ConversationId) -> Option<&ConversationMemory> {
        self.by_id.get(&id)
    }

    pub(super) fn newest(&self, id: ConversationId) -> Option<&Arc<Delivered>> {
        self.by_id.get(&id)?.messages.back()
    }

    /// In no order.
    pub(super) fn of(&self, person: UserId) -> impl Iterator<Item = ConversationId> {
        self.by_person.get(&person).into_iter().flat_map(BTreeMap::values).copied()
    }

    /// Those whose newest message arrived at `arrival` or later, the newest first.
    pub(super) fn since(&self, person: UserId, arrival: Option<u64>) -> impl Iterator<Item = ConversationId> {
        let conversations = self.by_person.get(&person).zip(arrival);
        conversations.into_iter().flat_map(|(all, oldest)| all.range(oldest..).rev()).map(|(_, id)| *id)
    }

    /// How often anybody is named, and how often anybody must be.
    #[cfg(test)]
    pub(super) fn entries(&self) -> (usize, usize) {
        let people = |memory: &ConversationMemory| memory.messages[0].people().count();
        (self.by_person.values().map(BTreeMap::len).sum(), self.by_id.values().map(people).sum())
    }
}
