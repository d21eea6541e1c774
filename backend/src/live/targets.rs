//! What decides about messages that somebody edits, deletes, reacts to or pins, and what waits for it.
//!
//! Of a message that is in memory, memory tells everything. Of an older one the store is asked, once: from
//! then on the delivery task carries on what is known. Whoever admits a change asks the same. A change whose
//! message is not known here when it is delivered waits, with what its conversation said at that moment
//! ([`Leave`]); what comes after it about the same message waits behind it, and nothing else does. No
//! client's cursor goes beyond what waits. Pure: no I/O.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::sync::Arc;

use milena_domain::record::{Action, Emoji, Event, Placed};
use milena_domain::{ConversationId, MessageId, Position, Timestamp, UserId};
use milena_timeline::{Facts, Item, Leave};

use crate::log::recent::{Delivered, Recent};

/// A message: its conversation and its place.
pub type Key = (ConversationId, Position);

/// Messages that are remembered; some hundred bytes each.
const KNOWN_MAX: usize = 4_096;
/// People whose reactions to them are remembered, together; beyond, everything is asked for again.
const PEOPLE_MAX: usize = 200_000;
/// Changes that may wait. Beyond, what comes is not judged here: whoever is here is told that something has
/// changed, and asks the store.
const WAITING_MAX: usize = 10_000;

/// What is known of a message.
#[derive(Debug, Clone, Default)]
pub struct Known {
    /// The message; `None` when there is none.
    pub item: Option<Item>,
    /// When it was sent.
    pub sent_at: Option<Timestamp>,
    /// Who is named in it.
    pub mentions: Vec<UserId>,
    /// Reactions, by person.
    pub mine: HashMap<UserId, BTreeMap<Emoji, Position>>,
    /// Whoever is not in `mine` has none.
    pub is_whole: bool,
    used: u64,
}

impl Known {
    /// What the store has of a message, with the reactions of some.
    #[must_use]
    pub fn stored(
        item: Option<Item>,
        sent_at: Option<Timestamp>,
        mine: HashMap<UserId, BTreeMap<Emoji, Position>>,
    ) -> Self {
        let is_whole = item.is_none();
        Self { item, sent_at, mentions: Vec::new(), mine, is_whole, used: 0 }
    }

    /// The same of a message that names these people.
    #[must_use]
    pub fn naming(self, mentions: Vec<UserId>) -> Self {
        Self { mentions, ..self }
    }

    /// What memory has of a message as of just before `end`; `None` when memory does not reach back to its
    /// place, or not all that is about it was judged.
    #[must_use]
    pub fn in_memory(
        recent: &Recent,
        partition: i32,
        (conversation, place): Key,
        end: Position,
    ) -> Option<Self> {
        if !recent.covers(partition, place) {
            return None;
        }
        let message = recent.message_at(conversation, place);
        let item = message.map(|message| Item {
            id: message.event().id,
            author: message.event().actor,
            deleted: None,
            pinned: None,
        });
        let sent_at = message.map(|message| message.event().at);
        let mentions = match message.map(|message| &message.event().action) {
            Some(Action::Message(words)) => words.mentions.clone(),
            _ => Vec::new(),
        };
        let mut known = Self { item, sent_at, mentions, mine: HashMap::new(), is_whole: true, used: 0 };
        for change in recent.changes_of(conversation, place).take_while(|change| change.position() < end) {
            if *change.counts.get()? {
                known.carry(change.placed());
            }
        }
        Some(known)
    }

    /// A copy for one person: a message may have the reactions of thousands.
    #[must_use]
    pub fn of(&self, user: UserId) -> Self {
        let mine = self.mine.get(&user).map(|mine| (user, mine.clone()));
        let (item, mine) = (self.item.clone(), mine.into_iter().collect());
        Self { item, mentions: self.mentions.clone(), mine, ..*self }
    }

    /// What is needed to judge this event; `None` when it is not known.
    #[must_use]
    pub fn facts(&self, event: &Event) -> Option<Facts> {
        let mine = match (&event.action, self.mine.get(&event.actor)) {
            (Action::Reacted { .. }, Some(mine)) => mine.clone(),
            (Action::Reacted { .. }, None) if !self.is_whole => return None,
            _ => BTreeMap::new(),
        };
        Some(Facts { item: self.item.clone(), mine })
    }

    /// Carries on what an event that counts has changed.
    pub fn carry(&mut self, placed: &Placed) {
        let (at, action) = (placed.position, &placed.event.action);
        let mut facts = Facts { item: self.item.take(), mine: BTreeMap::new() };
        match action {
            Action::Reacted { .. } => {
                let mine = self.mine.entry(placed.event.actor);
                if let std::collections::hash_map::Entry::Vacant(_) = &mine
                    && !self.is_whole
                {
                    // Not known, and not made up.
                } else {
                    let mine = mine.or_default();
                    facts.mine = std::mem::take(mine);
                    facts.carry(at, action);
                    *mine = std::mem::take(&mut facts.mine);
                }
            }
            action => {
                if let Action::Edited { mentions, .. } = action {
                    self.mentions.clone_from(mentions);
                }
                facts.carry(at, action);
            }
        }
        self.item = facts.item;
    }
}

/// A change that waits for what is known of its message.
#[derive(Debug, Clone)]
pub struct Waiting {
    /// In memory, and not judged.
    pub event: Arc<Delivered>,
    /// What its conversation said when it was delivered.
    pub leave: Leave,
}

/// What whoever loads is to look up.
#[derive(Debug, Clone)]
pub struct WantedTarget {
    /// Which message.
    pub key: Key,
    /// Whose reactions to it.
    pub people: Vec<UserId>,
}

/// All that is known, and all that waits.
#[derive(Debug, Default)]
pub struct Targets {
    known: HashMap<Key, Known>,
    people: usize,
    waiting: HashMap<Key, VecDeque<Waiting>>,
    waiting_ids: HashMap<MessageId, Key>,
    /// By message: what is about it and waits for another one, since it has the name of what waits there; by
    /// place, each with the message that it waits for. What comes later about the message waits there, too.
    elsewhere: HashMap<Key, BTreeMap<Position, Key>>,
    /// Messages of which the first that waits for another one has to be judged, because it has the name of
    /// what waited there: whose it is, and where it waits.
    needed: HashMap<Key, Vec<(Key, UserId)>>,
    unasked: VecDeque<Key>,
    uses: u64,
}

impl Targets {
    /// What is known of a message.
    #[must_use]
    pub fn known(&self, key: Key) -> Option<&Known> {
        self.known.get(&key)
    }

    /// Remembers what is known of a message as of now.
    pub fn remember(&mut self, key: Key, known: Known) {
        self.uses += 1;
        let before = self.known.remove(&key).map_or(0, |before| before.mine.len());
        self.people = self.people.saturating_sub(before) + known.mine.len();
        self.known.insert(key, Known { used: self.uses, ..known });
        if self.known.len() > KNOWN_MAX || self.people > PEOPLE_MAX {
            self.forget_least_used(key);
        }
    }

    /// Carries on what is known of a message; does nothing where that is nothing.
    pub fn carry(&mut self, key: Key, placed: &Placed) {
        self.uses += 1;
        if let Some(known) = self.known.get_mut(&key) {
            let before = known.mine.len();
            known.carry(placed);
            known.used = self.uses;
            self.people = self.people + known.mine.len() - before;
        }
    }

    /// A quarter of what is known, but for `except`.
    fn forget_least_used(&mut self, except: Key) {
        let mut by_use: Vec<(u64, Key)> = self.known.iter().map(|(key, known)| (known.used, *key)).collect();
        by_use.sort_unstable();
        for (_, key) in by_use.into_iter().take(KNOWN_MAX / 4).filter(|(_, key)| *key != except) {
            self.forget(key);
        }
    }

    /// Forgets a message.
    pub fn forget(&mut self, key: Key) {
        if let Some(known) = self.known.remove(&key) {
            self.people = self.people.saturating_sub(known.mine.len());
        }
    }

    /// The message that this event has to wait for: because others about it wait, or one of its own name
    /// does.
    #[must_use]
    pub fn waits_behind(&self, key: Option<Key>, id: MessageId) -> Option<Key> {
        if self.waiting.is_empty() {
            return None;
        }
        let of_name = self.waiting_ids.get(&id).copied();
        let behind = |key: Key| {
            let elsewhere = self.elsewhere.get(&key).and_then(|all| all.values().next_back()).copied();
            elsewhere.or_else(|| self.waiting.contains_key(&key).then_some(key))
        };
        of_name.or_else(|| key.and_then(behind))
    }

    /// Whether anything about a message waits that stands before `at`, besides in the queue of `key`.
    #[must_use]
    pub fn waits_before(&self, own: Key, at: Position, key: Key) -> bool {
        let first = self.first_waiting(own).filter(|_| own != key);
        let elsewhere = self.elsewhere.get(&own).into_iter().flatten();
        first.is_some_and(|first| first.event.position() < at)
            || elsewhere.take_while(|(place, _)| **place < at).any(|(_, queue)| *queue != key)
    }

    /// Whether one more may wait.
    #[must_use]
    pub fn has_room(&self) -> bool {
        self.waiting_ids.len() < WAITING_MAX
    }

    /// Lets a change wait.
    pub fn wait(&mut self, key: Key, waiting: Waiting) {
        let event = waiting.event.event();
        self.waiting_ids.insert(event.id, key);
        // What it waits for by its name is not what it is about: that is not known as of now any more.
        if let Some(own) = event.action.target().map(|target| (event.conversation, target.position))
            && own != key
        {
            self.forget(own);
            self.elsewhere.entry(own).or_default().insert(waiting.event.position(), key);
        }
        let queue = self.waiting.entry(key).or_default();
        queue.push_back(waiting);
        if queue.len() == 1 {
            self.unasked.push_back(key);
        }
    }

    /// Whether it waits.
    #[must_use]
    pub fn holds(&self, event: &Delivered) -> bool {
        let key = self.waiting_ids.get(&event.event().id);
        key.is_some_and(|key| self.waiting_for(*key).any(|other| other.position() == event.position()))
    }

    /// The first that waits for `key` cannot be judged before this message, `own`, is known, too.
    pub fn need(&mut self, own: Key, key: Key) {
        let Some(first) = self.first_waiting(key) else { return };
        let actor = first.event.event().actor;
        self.needed.entry(own).or_default().push((key, actor));
        self.unasked.push_back(own);
    }

    /// Where the first that waits needs this message, and those, in order; they need it no more.
    pub fn take_needing(&mut self, own: Key) -> Vec<(Position, Key)> {
        let queues = self.needed.remove(&own).unwrap_or_default();
        let first = |(key, _)| Some((self.first_waiting(key)?.event.position(), key));
        let mut needing: Vec<(Position, Key)> = queues.into_iter().filter_map(first).collect();
        needing.sort_unstable();
        needing.dedup();
        needing
    }

    /// What waits elsewhere and needs this message.
    pub fn needing(&self, own: Key) -> impl Iterator<Item = &Arc<Delivered>> {
        let queues = self.needed.get(&own).into_iter().flatten();
        queues.filter_map(|(key, _)| self.first_waiting(*key)).map(|waiting| &waiting.event)
    }

    /// All that waits for a message, in order.
    pub fn waiting_for(&self, key: Key) -> impl Iterator<Item = &Arc<Delivered>> {
        self.waiting.get(&key).into_iter().flatten().map(|waiting| &waiting.event)
    }

    /// The first that waits for a message.
    #[must_use]
    pub fn first_waiting(&self, key: Key) -> Option<&Waiting> {
        self.waiting.get(&key)?.front()
    }

    /// It waits no more.
    pub fn pop_waiting(&mut self, key: Key) {
        let Some(queue) = self.waiting.get_mut(&key) else { return };
        if let Some(first) = queue.pop_front() {
            let event = first.event.event();
            let id = event.id;
            let own = event.action.target().map(|target| (event.conversation, target.position));
            if let Some(own) = own.filter(|own| *own != key)
                && let Some(elsewhere) = self.elsewhere.get_mut(&own)
            {
                elsewhere.remove(&first.event.position());
                if elsewhere.is_empty() {
                    self.elsewhere.remove(&own);
                }
            }
            if queue.iter().all(|other| other.event.event().id != id) {
                self.waiting_ids.remove(&id);
            }
        }
        if queue.is_empty() {
            self.waiting.remove(&key);
        }
    }

    /// Something that waits for a message is still not known.
    pub fn want_again(&mut self, key: Key) {
        if self.waiting.contains_key(&key) {
            self.unasked.push_back(key);
        }
    }

    /// Whether nothing waits.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.waiting.is_empty()
    }

    /// What a cursor may say of a partition of which everything before `next` was delivered.
    #[must_use]
    pub fn told(&self, partition: i32, next: i64) -> i64 {
        let firsts = self.waiting.values().filter_map(VecDeque::front);
        let of_partition = firsts.filter(|waiting| waiting.event.partition == partition);
        of_partition.map(|waiting| waiting.event.position().offset()).fold(next, i64::min)
    }

    /// Passes on what nobody looks up yet, until `ask` takes no more.
    pub fn pass_on(&mut self, mut ask: impl FnMut(WantedTarget) -> bool) {
        while let Some(key) = self.unasked.pop_front() {
            let mut people: HashSet<UserId> =
                self.waiting_for(key).map(|event| event.event().actor).collect();
            people.extend(self.needed.get(&key).into_iter().flatten().map(|(_, actor)| *actor));
            if people.is_empty() {
                continue;
            }
            if !ask(WantedTarget { key, people: people.into_iter().collect() }) {
                self.unasked.push_front(key);
                return;
            }
        }
    }
}
