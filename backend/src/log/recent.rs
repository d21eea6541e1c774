//! What was lately delivered, in memory: all that the store may not have yet, and as much more as fits.
//!
//! Three uses: history and the conversation list are the store ∪ this; a repeated send is recognised here
//! before the store knows the first; and a client that reconnects is served from here without a query.
//!
//! Bounded in bytes. At the bound, what the store has goes first, then the oldest of what it does not have:
//! from then on, until the store has caught up with that, answers about the partition are not provably
//! complete. Pure: no I/O.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::Arc;

use milena_domain::{
    ConversationId, Epoch, MessageEvent, MessageId, Position, SessionCursor, UserId, limits,
};

/// A delivered message and its place.
#[derive(Debug)]
pub struct LogMessage {
    /// The message.
    pub event: MessageEvent,
    /// Its place in the order of its conversation.
    pub position: Position,
    /// The partition it came from.
    pub partition: i32,
    /// When it was delivered here; see [`Recent::covers_since_ms`].
    pub at_ms: i64,
}

impl LogMessage {
    /// Memory that it holds, roughly: the text, the ids, and its share of the indexes.
    fn bytes(&self) -> usize {
        self.event.body.as_str().len() + self.event.client_id.as_str().len() + 400
    }
}

/// Whether a record was the first with its id.
#[derive(Debug)]
pub enum Inserted {
    /// It is new; show it.
    First(Arc<LogMessage>),
    /// The log holds this message already; do not show it again.
    Repeat(Arc<LogMessage>),
}

#[derive(Debug)]
struct PartitionMemory {
    /// In log order.
    records: VecDeque<(u64, Arc<LogMessage>)>,
    /// Every message at or after this offset is in `records`.
    reaches_back_to: i64,
    /// The consumer's next offset: the store has everything before.
    stored_next: i64,
    /// Messages before this offset left memory although the store did not have them then.
    lost_before: i64,
}

#[derive(Debug, Default)]
struct ConversationMemory {
    /// In log order.
    messages: VecDeque<Arc<LogMessage>>,
    /// Of the newest message.
    last_arrival: u64,
}

/// The memory of all partitions.
#[derive(Debug)]
pub struct Recent {
    epoch: Epoch,
    partitions: Vec<PartitionMemory>,
    by_id: HashMap<MessageId, Arc<LogMessage>>,
    by_conversation: HashMap<ConversationId, ConversationMemory>,
    /// A person's conversations in memory, by the arrival of the newest message of each.
    by_person: HashMap<UserId, BTreeMap<u64, ConversationId>>,
    bytes: usize,
    limit_bytes: usize,
    /// Order of arrival over all partitions, to find the oldest.
    arrivals: u64,
    /// Set by the delivery task before it inserts.
    now_ms: i64,
    covers_since_ms: i64,
}

/// What a resuming client missed, as far as memory tells.
#[derive(Debug, Default)]
pub struct Missed {
    /// The conversations that were written in last.
    pub conversations: Vec<MissedOf>,
    /// Further conversations in which something was missed.
    pub further: Vec<ConversationId>,
    /// Partitions in which memory does not reach back to the cursor: ask the store.
    pub uncovered: Vec<i32>,
}

/// What a resuming client missed of a conversation.
#[derive(Debug)]
pub struct MissedOf {
    /// Which.
    pub conversation: ConversationId,
    /// The newest of it, in order of position; at least one.
    pub messages: Vec<Arc<LogMessage>>,
    /// More was missed before these.
    pub is_cut: bool,
}

impl Recent {
    /// An empty memory of a log whose partition `p` is read from `start[p]`; the store has everything before,
    /// and the log has nothing after that came into it before `now_ms` and is not going to be read.
    #[must_use]
    pub fn new(epoch: Epoch, start: &[i64], limit_bytes: usize, now_ms: i64) -> Self {
        let partition = |&next: &i64| PartitionMemory {
            records: VecDeque::new(),
            reaches_back_to: next,
            stored_next: next,
            lost_before: 0,
        };
        Self {
            epoch,
            partitions: start.iter().map(partition).collect(),
            by_id: HashMap::new(),
            by_conversation: HashMap::new(),
            by_person: HashMap::new(),
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

    /// Messages in memory.
    #[must_use]
    pub fn len(&self) -> usize {
        self.by_id.len()
    }

    /// Whether nothing is in memory.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.by_id.is_empty()
    }

    /// Takes the record at `offset` of `partition`. Offsets of a partition come in increasing order.
    pub fn insert(&mut self, partition: i32, offset: i64, event: MessageEvent) -> Inserted {
        if let Some(first) = self.by_id.get(&event.id) {
            return Inserted::Repeat(Arc::clone(first));
        }
        let message = Arc::new(LogMessage {
            event,
            position: Position::new(self.epoch, offset),
            partition,
            at_ms: self.now_ms,
        });
        let event = &message.event;
        self.by_id.insert(event.id, Arc::clone(&message));
        self.arrivals += 1;
        let conversation = self.by_conversation.entry(event.conversation).or_default();
        let before = std::mem::replace(&mut conversation.last_arrival, self.arrivals);
        for person in event.people() {
            let conversations = self.by_person.entry(person).or_default();
            conversations.remove(&before);
            conversations.insert(self.arrivals, event.conversation);
        }
        conversation.messages.push_back(Arc::clone(&message));
        self.bytes += message.bytes();
        if let Some(memory) = self.partitions.get_mut(partition as usize) {
            memory.records.push_back((self.arrivals, Arc::clone(&message)));
        }
        self.evict();
        Inserted::First(message)
    }

    /// The consumer has stored everything of `partition` before `next_offset`. Never goes backwards.
    pub fn set_stored(&mut self, partition: i32, next_offset: i64) {
        if let Some(memory) = self.partitions.get_mut(partition as usize) {
            memory.stored_next = memory.stored_next.max(next_offset);
        }
    }

    /// The message with this id, if memory has it.
    #[must_use]
    pub fn find(&self, id: MessageId) -> Option<Arc<LogMessage>> {
        self.by_id.get(&id).map(Arc::clone)
    }

    /// The people of a conversation, if memory has a message of it.
    #[must_use]
    pub fn people(&self, conversation: ConversationId) -> Option<(UserId, UserId)> {
        let message = self.by_conversation.get(&conversation)?.messages.back()?;
        Some((message.event.sender, message.event.to))
    }

    /// What the store may not have of a conversation, in order.
    #[must_use]
    pub fn unflushed(&self, conversation: ConversationId) -> Vec<Arc<LogMessage>> {
        let Some(memory) = self.by_conversation.get(&conversation) else { return Vec::new() };
        memory.messages.iter().filter(|message| self.is_unflushed(message)).map(Arc::clone).collect()
    }

    /// What the store may not have of all conversations of a person.
    #[must_use]
    pub fn unflushed_of(&self, person: UserId) -> Vec<(ConversationId, Vec<Arc<LogMessage>>)> {
        self.conversations_of(person)
            .map(|conversation| (conversation, self.unflushed(conversation)))
            .filter(|(_, messages)| !messages.is_empty())
            .collect()
    }

    /// Whether store ∪ memory is provably all of `partition` that was delivered.
    #[must_use]
    pub fn is_complete(&self, partition: i32) -> bool {
        self.partitions.get(partition as usize).is_some_and(|memory| memory.lost_before <= memory.stored_next)
    }

    /// Whether that holds for every partition.
    #[must_use]
    pub fn is_all_complete(&self) -> bool {
        self.partitions.iter().all(|memory| memory.lost_before <= memory.stored_next)
    }

    /// What `person` was not sent according to `cursor`, which must be of this epoch and partition count;
    /// `None` when it is more than a resume can tell. The work is that of what it gives, however much there
    /// is in memory.
    #[must_use]
    pub fn missed(&self, person: UserId, cursor: &SessionCursor) -> Option<Missed> {
        let next = |partition: i32| cursor.next_offsets.get(partition as usize).copied().unwrap_or(0);
        let uncovered = (0..)
            .zip(&self.partitions)
            .filter(|(partition, memory)| memory.reaches_back_to > next(*partition))
            .map(|(partition, _)| partition)
            .collect::<Vec<i32>>();
        let mut missed = Missed { uncovered, ..Missed::default() };
        for conversation in self.written_in_since(person, |partition| {
            if missed.uncovered.contains(&partition) { i64::MAX } else { next(partition) }
        }) {
            let Some(memory) = self.by_conversation.get(&conversation) else { continue };
            let Some(partition) = memory.messages.back().map(|message| message.partition) else { continue };
            if missed.uncovered.contains(&partition) {
                continue;
            }
            let messages = &memory.messages;
            let first = messages.partition_point(|message| message.position.offset() < next(partition));
            if first == messages.len() {
                continue;
            }
            if missed.conversations.len() < limits::REPLAY_CONVERSATIONS {
                let skipped = first.max(messages.len().saturating_sub(limits::REPLAY_PAGE));
                let is_cut = skipped > first;
                let messages = messages.range(skipped..).map(Arc::clone).collect();
                missed.conversations.push(MissedOf { conversation, messages, is_cut });
            } else if missed.further.len() < limits::REPLAY_MAX_CONVERSATIONS {
                missed.further.push(conversation);
            } else {
                return None;
            }
        }
        Some(missed)
    }

    /// The conversations of `person` of which the store may not have everything, those that were written in
    /// last first.
    pub fn unflushed_conversations(&self, person: UserId) -> impl Iterator<Item = ConversationId> {
        self.written_in_since(person, |partition| self.stored_next(partition)).filter(|conversation| {
            let newest = self.by_conversation.get(conversation).and_then(|memory| memory.messages.back());
            newest.is_some_and(|message| self.is_unflushed(message))
        })
    }

    /// Conversations of `person`, among them all with a message at or after `first(partition)`, those that
    /// were written in last first. The others are few: they were written in since the oldest of these
    /// messages came.
    fn written_in_since(
        &self,
        person: UserId,
        first: impl Fn(i32) -> i64,
    ) -> impl Iterator<Item = ConversationId> {
        let oldest = (0..)
            .zip(&self.partitions)
            .filter_map(|(partition, memory)| {
                let first = first(partition);
                let place = memory.records.partition_point(|(_, message)| message.position.offset() < first);
                memory.records.get(place).map(|(arrival, _)| *arrival)
            })
            .min();
        let conversations = self.by_person.get(&person).zip(oldest);
        conversations.into_iter().flat_map(|(all, oldest)| all.range(oldest..).rev()).map(|(_, id)| *id)
    }

    fn conversations_of(&self, person: UserId) -> impl Iterator<Item = ConversationId> {
        self.by_person.get(&person).into_iter().flat_map(BTreeMap::values).copied()
    }

    /// The consumer's next offset: the store has everything of the partition before.
    #[must_use]
    pub fn stored_next(&self, partition: i32) -> i64 {
        self.partitions.get(partition as usize).map_or(0, |memory| memory.stored_next)
    }

    fn is_unflushed(&self, message: &LogMessage) -> bool {
        self.partitions
            .get(message.partition as usize)
            .is_some_and(|memory| message.position.offset() >= memory.stored_next)
    }

    fn evict(&mut self) {
        while self.bytes > self.limit_bytes {
            let oldest = |stored_only: bool| {
                self.partitions
                    .iter()
                    .enumerate()
                    .filter_map(|(partition, memory)| {
                        let (arrival, message) = memory.records.front()?;
                        let stored = message.position.offset() < memory.stored_next;
                        (stored || !stored_only).then_some((*arrival, partition))
                    })
                    .min()
            };
            let Some((_, partition)) = oldest(true).or_else(|| oldest(false)) else { return };
            self.evict_first_of(partition);
        }
    }

    fn evict_first_of(&mut self, partition: usize) {
        let memory = &mut self.partitions[partition];
        let Some((_, message)) = memory.records.pop_front() else { return };
        let offset = message.position.offset();
        memory.reaches_back_to = offset + 1;
        if offset >= memory.stored_next {
            memory.lost_before = offset + 1;
        }
        self.covers_since_ms = self.covers_since_ms.max(message.at_ms);
        self.bytes -= message.bytes();
        self.by_id.remove(&message.event.id);
        let conversation = message.event.conversation;
        if let Some(memory) = self.by_conversation.get_mut(&conversation) {
            // A conversation lives in one partition, so its oldest message is the one that leaves.
            memory.messages.pop_front();
            if memory.messages.is_empty() {
                let last_arrival = memory.last_arrival;
                self.by_conversation.remove(&conversation);
                for person in message.event.people() {
                    if let Some(conversations) = self.by_person.get_mut(&person) {
                        conversations.remove(&last_arrival);
                        if conversations.is_empty() {
                            self.by_person.remove(&person);
                        }
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use milena_domain::{Body, ClientId, Timestamp};
    use proptest::prelude::*;

    use super::*;

    fn user(n: u128) -> UserId {
        UserId::from_uuid(uuid::Uuid::from_u128(n))
    }

    fn event(sender: u128, to: u128, client_id: &str) -> MessageEvent {
        MessageEvent::new(
            user(sender),
            user(to),
            ClientId::new(client_id).unwrap(),
            Timestamp::from_unix_ms(0),
            Body::new("x").unwrap(),
        )
    }

    fn offsets(messages: &[Arc<LogMessage>]) -> Vec<i64> {
        messages.iter().map(|message| message.position.offset()).collect()
    }

    fn memory_of(count: usize) -> usize {
        (0..count).map(|n| event(1, 2, &n.to_string()).client_id.as_str().len() + 401).sum()
    }

    #[test]
    fn a_repeat_names_the_first() {
        let mut recent = Recent::new(Epoch::FIRST, &[0], 1 << 20, 0);
        assert!(matches!(recent.insert(0, 0, event(1, 2, "a")), Inserted::First(_)));
        let Inserted::Repeat(first) = recent.insert(0, 1, event(1, 2, "a")) else { panic!("not a repeat") };
        assert_eq!(first.position.offset(), 0);
        assert_eq!(recent.len(), 1);
    }

    #[test]
    fn what_the_store_has_is_not_unflushed_but_serves_resumes() {
        let mut recent = Recent::new(Epoch::FIRST, &[0], 1 << 20, 0);
        for offset in 0..5 {
            recent.insert(0, offset, event(1, 2, &offset.to_string()));
        }
        recent.set_stored(0, 3);
        let conversation = ConversationId::direct(user(1), user(2));
        assert_eq!(offsets(&recent.unflushed(conversation)), [3, 4]);
        let cursor = SessionCursor { epoch: Epoch::FIRST, next_offsets: vec![1] };
        let missed = recent.missed(user(2), &cursor).unwrap();
        assert!(missed.uncovered.is_empty());
        assert_eq!(offsets(&missed.conversations[0].messages), [1, 2, 3, 4]);
        assert!(recent.missed(user(3), &cursor).unwrap().conversations.is_empty());
    }

    #[test]
    fn how_far_the_store_is_never_goes_backwards() {
        let mut recent = Recent::new(Epoch::FIRST, &[0], 1 << 20, 0);
        for offset in 0..5 {
            recent.insert(0, offset, event(1, 2, &offset.to_string()));
        }
        for stored in [3, 1] {
            recent.set_stored(0, stored);
            assert_eq!(offsets(&recent.unflushed(ConversationId::direct(user(1), user(2)))), [3, 4]);
        }
    }

    #[test]
    fn at_the_bound_stored_messages_go_first() {
        let mut recent = Recent::new(Epoch::FIRST, &[0, 0], memory_of(3), 0);
        recent.insert(0, 0, event(1, 2, "0"));
        recent.insert(1, 0, event(1, 3, "1"));
        recent.insert(1, 1, event(1, 3, "2"));
        recent.set_stored(1, 2);
        recent.insert(0, 1, event(1, 2, "3"));
        assert!(recent.is_all_complete());
        assert_eq!(offsets(&recent.unflushed(ConversationId::direct(user(1), user(2)))), [0, 1]);
    }

    #[test]
    fn losing_what_the_store_lacks_is_said_until_it_catches_up() {
        let mut recent = Recent::new(Epoch::FIRST, &[0], memory_of(2), 0);
        for offset in 0..4 {
            recent.insert(0, offset, event(1, 2, &offset.to_string()));
        }
        assert!(!recent.is_complete(0));
        recent.set_stored(0, 1);
        assert!(!recent.is_complete(0));
        recent.set_stored(0, 2);
        assert!(recent.is_complete(0));
        let cursor = SessionCursor { epoch: Epoch::FIRST, next_offsets: vec![1] };
        assert_eq!(recent.missed(user(1), &cursor).unwrap().uncovered, [0]);
    }

    /// 150,000 messages in memory: what is looked at is what is told, not what there is.
    #[test]
    fn what_a_resume_takes_from_memory_is_bounded() {
        let mut recent = Recent::new(Epoch::FIRST, &[0], 1 << 30, 0);
        for offset in 0..150_000 {
            // One conversation with half of them, and 75,000 others of the same person with one each.
            let to = if offset % 2 == 0 { 2 } else { 10 + offset as u128 };
            recent.insert(0, offset, event(1, to, &offset.to_string()));
        }
        let since = |offset: i64| SessionCursor { epoch: Epoch::FIRST, next_offsets: vec![offset] };
        let count = |missed: &Missed| missed.conversations.iter().map(|of| of.messages.len()).sum::<usize>();

        let missed = recent.missed(user(2), &since(0)).unwrap();
        assert_eq!((count(&missed), missed.further.len()), (limits::REPLAY_PAGE, 0));
        let newest = &missed.conversations[0];
        assert!(newest.is_cut && newest.messages.last().unwrap().position.offset() == 149_998);

        let missed = recent.missed(user(1), &since(149_000)).unwrap();
        assert_eq!(missed.conversations.len(), limits::REPLAY_CONVERSATIONS);
        assert_eq!(missed.further.len(), 501 - limits::REPLAY_CONVERSATIONS);
        assert_eq!(count(&missed), limits::REPLAY_PAGE + limits::REPLAY_CONVERSATIONS - 1);
        // Nothing but what was written in since is even looked at.
        assert_eq!(recent.written_in_since(user(1), |_| 149_000).count(), 501);
        assert_eq!(recent.written_in_since(user(1), |_| 150_000).count(), 0);

        assert!(recent.missed(user(1), &since(0)).is_none(), "more than a resume can tell");
    }

    #[test]
    fn what_left_memory_moves_the_time_that_it_covers() {
        let mut recent = Recent::new(Epoch::FIRST, &[0, 0], memory_of(2), 100);
        for (offset, now_ms) in [(0, 110), (1, 120), (2, 115)] {
            assert_eq!(recent.covers_since_ms(), 100, "it began with all that was not stored");
            recent.set_time(now_ms);
            recent.insert((offset % 2) as i32, offset, event(1, 2, &offset.to_string()));
        }
        assert_eq!(recent.covers_since_ms(), 110);
        recent.insert(0, 4, event(1, 2, "4"));
        assert_eq!(recent.covers_since_ms(), 120);
        recent.insert(0, 6, event(1, 2, "6"));
        assert_eq!(recent.covers_since_ms(), 120, "time does not go back");
    }

    proptest! {
        /// Store ∪ memory is everything delivered, unless the answer says otherwise; indexes stay consistent.
        #[test]
        fn never_silently_incomplete(
            steps in prop::collection::vec((0_u8..3, 0_i32..3, 1_u128..5), 1..200), limit in 1_usize..40
        ) {
            let mut recent = Recent::new(Epoch::FIRST, &[0, 0, 0], memory_of(limit), 0);
            let mut log: [Vec<MessageEvent>; 3] = Default::default();
            let mut stored = [0_usize; 3];
            for (number, (kind, partition, to)) in steps.into_iter().enumerate() {
                let p = partition as usize;
                if kind == 0 {
                    stored[p] = log[p].len().min(stored[p] + to as usize);
                    recent.set_stored(partition, stored[p] as i64);
                } else {
                    // Each partition has people of its own, as conversations live in one partition.
                    let event = event(100 * (p as u128 + 1), 100 * (p as u128 + 1) + to, &number.to_string());
                    recent.insert(partition, log[p].len() as i64, event.clone());
                    log[p].push(event);
                }
            }
            prop_assert!(recent.bytes() <= memory_of(limit).max(800));
            for (p, events) in log.iter().enumerate() {
                let in_memory: Vec<_> =
                    events[stored[p]..].iter().filter(|e| recent.find(e.id).is_some()).collect();
                let all_there = in_memory.len() == events.len() - stored[p];
                prop_assert_eq!(recent.is_complete(p as i32), all_there);
                let person = user(100 * (p as u128 + 1));
                let listed: usize = recent.unflushed_of(person).iter().map(|(_, m)| m.len()).sum();
                prop_assert_eq!(listed, in_memory.len());
                let mut unflushed: Vec<_> =
                    recent.unflushed_of(person).into_iter().map(|(id, _)| id).collect();
                let mut quickly: Vec<_> = recent.unflushed_conversations(person).collect();
                unflushed.sort_unstable();
                quickly.sort_unstable();
                prop_assert_eq!(quickly, unflushed);
            }
            let everything: usize = recent.by_person.values().map(BTreeMap::len).sum();
            let people = |of: &ConversationMemory| of.messages[0].event.people().count();
            prop_assert_eq!(everything, recent.by_conversation.values().map(people).sum::<usize>());
        }
    }
}
