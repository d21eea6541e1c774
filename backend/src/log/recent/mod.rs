//! What was lately delivered, in memory: all that the store may not have yet, and as much more as fits.
//!
//! Three uses: history and the conversation list are the store ∪ this; a repeated send is recognised here
//! before the store knows the first; and a client that reconnects is served from here without a query
//! (`missed`).
//!
//! Bounded in bytes (`bound`). At the bound, what the store has goes first, then the oldest of what it does
//! not have: from then on, until the store has caught up with that, answers about the partition are not
//! provably complete. Pure: no I/O.

mod bound;
mod conversations;
mod delivered;
mod missed;
mod partition;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::Arc;

use milena_domain::record::{Action, Event, Placed};
use milena_domain::{ConversationId, Epoch, MessageId, Position, UserId};

use self::conversations::Conversations;
pub use self::delivered::Delivered;
pub use self::missed::{Missed, MissedOf};
use self::partition::PartitionMemory;

/// Whether a record was the first with its id.
#[derive(Debug)]
pub enum Inserted {
    /// It is new; show it.
    First(Arc<Delivered>),
    /// The log holds this message already; do not show it again.
    Repeat(Arc<Delivered>),
}

/// The memory of all partitions.
#[derive(Debug)]
pub struct Recent {
    epoch: Epoch,
    partitions: Vec<PartitionMemory>,
    by_id: HashMap<MessageId, Arc<Delivered>>,
    conversations: Conversations,
    bytes: usize,
    limit_bytes: usize,
    /// Order of arrival over all partitions, to find the oldest.
    arrivals: u64,
    /// Set by the delivery task before it inserts.
    now_ms: i64,
    covers_since_ms: i64,
}

impl Recent {
    /// An empty memory of a log whose partition `p` is read from `start[p]`; the store has everything before,
    /// and the log has nothing after that came into it before `now_ms` and is not going to be read.
    #[must_use]
    pub fn new(epoch: Epoch, start: &[i64], limit_bytes: usize, now_ms: i64) -> Self {
        Self {
            epoch,
            partitions: start.iter().map(|next| PartitionMemory::new(*next)).collect(),
            by_id: HashMap::new(),
            conversations: Conversations::default(),
            bytes: 0,
            limit_bytes,
            arrivals: 0,
            now_ms,
            covers_since_ms: now_ms,
        }
    }

    /// The time by this process's clock, by which what is inserted next is in the log. Never goes backwards.
    pub fn set_time(&mut self, now_ms: i64) {
        self.now_ms = self.now_ms.max(now_ms);
    }

    /// Whatever gets into the log (any partition of it) after this moment is in memory, or will be once it is
    /// delivered: what left memory was delivered at this moment or before.
    #[must_use]
    pub const fn covers_since_ms(&self) -> i64 {
        self.covers_since_ms
    }

    /// The log's generation.
    #[must_use]
    pub const fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// Bytes in use, roughly.
    #[must_use]
    pub const fn bytes(&self) -> usize {
        self.bytes
    }

    /// Events in memory.
    #[must_use]
    pub fn len(&self) -> usize {
        self.by_id.len()
    }

    /// Whether nothing is in memory.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.by_id.is_empty()
    }

    /// Takes a record of `partition`. Positions of a partition come in increasing order.
    pub fn insert(&mut self, partition: i32, placed: Placed) -> Inserted {
        if let Some(first) = self.by_id.get(&placed.event.id) {
            return Inserted::Repeat(Arc::clone(first));
        }
        let delivered = self.keep(partition, placed);
        self.settle(&delivered, true);
        self.evict();
        Inserted::First(delivered)
    }

    /// Takes a record that nobody here can judge yet: whether it counts is for [`Recent::settle`] to say.
    pub fn insert_unjudged(&mut self, partition: i32, placed: Placed) -> Arc<Delivered> {
        let delivered = self.keep(partition, placed);
        self.evict();
        delivered
    }

    /// Whether everything that was written from this place on is in memory.
    #[must_use]
    pub fn covers(&self, partition: i32, from: Position) -> bool {
        from.epoch_number() == self.epoch.get() && from.offset() >= self.reaches_back_to(partition)
    }

    /// The message at a place that memory covers.
    #[must_use]
    pub fn message_at(&self, conversation: ConversationId, place: Position) -> Option<&Arc<Delivered>> {
        let events = self.conversations.get(conversation)?.messages();
        let found = events.get(events.partition_point(|event| event.position() < place))?;
        let is_it = found.position() == place && found.is_shown();
        (is_it && matches!(found.event().action, Action::Message(_))).then_some(found)
    }

    /// What memory has that is about the message at a place, judged or not, in order.
    pub fn changes_of(
        &self,
        conversation: ConversationId,
        place: Position,
    ) -> impl Iterator<Item = &Arc<Delivered>> {
        let memory = self.conversations.get(conversation);
        memory.into_iter().flat_map(move |memory| memory.changes_of(place))
    }

    /// Whether memory has changes of messages of the conversation that the store may not have and of which
    /// nobody knows yet whether they count.
    #[must_use]
    pub fn has_undecided(&self, conversation: ConversationId) -> bool {
        let Some(memory) = self.conversations.get(conversation) else { return false };
        memory.all_changes().any(|event| event.counts.get().is_none() && self.is_unflushed(event))
    }

    /// A message was deleted: what memory has of its words is not shown any more.
    pub fn forget_words(&self, conversation: ConversationId, place: Position) {
        #[cfg(test)]
        if crate::mutation::Mutation::DeletedWordsStay.is_on() {
            return;
        }
        let Some(memory) = self.conversations.get(conversation) else { return };
        if let Some(message) = self.message_at(conversation, place) {
            message.forget_words();
        }
        memory.changes_of(place).for_each(|change| change.forget_words());
    }

    /// Says whether a record counts.
    pub fn settle(&mut self, delivered: &Arc<Delivered>, counts: bool) {
        let _ = delivered.counts.set(counts);
        if counts {
            self.by_id.entry(delivered.event().id).or_insert_with(|| Arc::clone(delivered));
        }
    }

    /// What nobody has judged yet of a room, in order.
    #[must_use]
    pub fn unjudged(&self, room: ConversationId) -> Vec<Arc<Delivered>> {
        let Some(memory) = self.conversations.get(room) else { return Vec::new() };
        memory.messages().iter().filter(|event| event.counts.get().is_none()).map(Arc::clone).collect()
    }

    /// All that memory has of a room, judged or not, in order.
    #[must_use]
    pub fn all_of(&self, room: ConversationId) -> Vec<Arc<Delivered>> {
        let memory = self.conversations.get(room);
        memory.into_iter().flat_map(|memory| memory.messages()).map(Arc::clone).collect()
    }

    /// Rooms in memory in which somebody's membership may have changed.
    #[must_use]
    pub fn naming(&self, person: UserId) -> Vec<ConversationId> {
        self.conversations.naming(person).collect()
    }

    /// Rooms that somebody left or was sent out of at or after `since` of the room, as far as memory knows.
    #[must_use]
    pub fn gone_from(
        &self,
        person: UserId,
        since: impl Fn(ConversationId) -> Position,
    ) -> Vec<ConversationId> {
        let is_going = |event: &Event| match &event.action {
            Action::Left => event.actor == person,
            Action::Removed { user } | Action::Banned { user } => *user == person,
            _ => false,
        };
        let is_gone = |room: &ConversationId| {
            let since = since(*room);
            let events =
                self.conversations.get(*room).into_iter().flat_map(|memory| memory.messages().iter().rev());
            let mut missed = events.take_while(|event| event.position() >= since);
            missed.any(|event| event.is_shown() && is_going(event.event()))
        };
        self.conversations.naming(person).filter(is_gone).collect()
    }

    /// Everything of the partition at or after this offset is in memory.
    #[must_use]
    pub fn reaches_back_to(&self, partition: i32) -> i64 {
        self.partitions.get(partition as usize).map_or(i64::MAX, PartitionMemory::reaches_back_to)
    }

    fn keep(&mut self, partition: i32, placed: Placed) -> Arc<Delivered> {
        let delivered = Arc::new(Delivered::new(placed, partition, self.now_ms, None));
        self.arrivals += 1;
        self.conversations.add(self.arrivals, &delivered);
        self.bytes += delivered.bytes();
        if let Some(memory) = self.partitions.get_mut(partition as usize) {
            memory.push(self.arrivals, Arc::clone(&delivered));
        }
        delivered
    }

    /// The consumer has stored everything of `partition` before `next_offset`. Never goes backwards.
    pub fn set_stored(&mut self, partition: i32, next_offset: i64) {
        if let Some(memory) = self.partitions.get_mut(partition as usize) {
            memory.set_stored(next_offset);
        }
    }

    /// The event with this id, if memory has it.
    #[must_use]
    pub fn find(&self, id: MessageId) -> Option<Arc<Delivered>> {
        self.by_id.get(&id).map(Arc::clone)
    }

    /// The people of a direct conversation, if memory has something of it.
    #[must_use]
    pub fn people(&self, conversation: ConversationId) -> Option<(UserId, UserId)> {
        let event = self.conversations.newest(conversation)?.event();
        Some((event.actor, event.to?))
    }

    /// Where the newest of a conversation stands that the store may not have.
    #[must_use]
    pub fn newest_unflushed(&self, conversation: ConversationId) -> Option<Position> {
        let newest = self.conversations.newest(conversation)?;
        self.is_unflushed(newest).then(|| newest.position())
    }

    /// What the store may not have of a conversation, in order.
    #[must_use]
    pub fn unflushed(&self, conversation: ConversationId) -> Vec<Arc<Delivered>> {
        let Some(memory) = self.conversations.get(conversation) else { return Vec::new() };
        let is_wanted = |event: &&Arc<Delivered>| event.is_shown() && self.is_unflushed(event);
        memory.messages().iter().filter(is_wanted).map(Arc::clone).collect()
    }

    /// What the store may not have of all conversations of a person.
    #[must_use]
    pub fn unflushed_of(&self, person: UserId) -> Vec<(ConversationId, Vec<Arc<Delivered>>)> {
        self.conversations
            .of(person)
            .map(|conversation| (conversation, self.unflushed(conversation)))
            .filter(|(_, messages)| !messages.is_empty())
            .collect()
    }

    /// Whether store ∪ memory is provably all of `partition` that was delivered.
    #[must_use]
    pub fn is_complete(&self, partition: i32) -> bool {
        self.partitions.get(partition as usize).is_some_and(PartitionMemory::is_complete)
    }

    /// Before this place of `partition`, something that was delivered may be neither in the store nor in
    /// memory; at or after it, nothing is. `None` when it is complete.
    #[must_use]
    pub fn lost_before(&self, partition: i32) -> Option<Position> {
        let lost_before = self.partitions.get(partition as usize)?.lost_before()?;
        Some(Position::new(self.epoch, lost_before))
    }

    /// Whether that holds for every partition.
    #[must_use]
    pub fn is_all_complete(&self) -> bool {
        self.partitions.iter().all(PartitionMemory::is_complete)
    }

    /// Whether store ∪ memory provably has everything that says who is in which room.
    #[must_use]
    pub fn knows_all_rooms(&self) -> bool {
        self.partitions.iter().all(PartitionMemory::knows_all_rooms)
    }

    /// Whether the store has everything that was delivered.
    #[must_use]
    pub fn is_all_flushed(&self) -> bool {
        self.partitions.iter().all(PartitionMemory::is_flushed)
    }

    /// The consumer's next offset: the store has everything of the partition before.
    #[must_use]
    pub fn stored_next(&self, partition: i32) -> i64 {
        self.partitions.get(partition as usize).map_or(0, PartitionMemory::stored_next)
    }

    fn is_unflushed(&self, message: &Delivered) -> bool {
        self.partitions.get(message.partition as usize).is_some_and(|memory| memory.is_unflushed(message))
    }
}
