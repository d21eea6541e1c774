//! What all nodes share: the log, and the store that a consumer fills from it.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use futures::FutureExt;
use milena_domain::record::Event;
use milena_domain::{
    Body, ClientId, ConversationId, Epoch, MessageId, Position, Timestamp, UserId, partition_of,
};
use milena_storage::{
    HistoryPage, LogPosition, Page, Person, PositionRange, StoredMessage, StoredPlace, StoredRoom,
    TimelinePage, Touched,
};
use milena_timeline::Interval;
use tokio::sync::Semaphore;
use uuid::Uuid;

use crate::chat::ports::{Answer, Lookups};
use crate::log::event::{self, direct_message};

pub(super) const PARTITIONS: usize = 3;
/// Memory of a message, roughly.
pub(super) const MESSAGE_BYTES: usize = 402;

/// Somebody.
pub(super) fn user(number: u128) -> UserId {
    UserId::from_uuid(Uuid::from_u128(number + 1))
}

/// Two other people whose conversation lies in the same partition.
pub(super) fn strangers(partition: i32) -> (UserId, UserId) {
    let pairs = (10..).map(|number| (user(number), user(number + 1)));
    let mut pairs =
        pairs.filter(|(a, b)| partition_of(ConversationId::direct(*a, *b), PARTITIONS) == partition);
    pairs.next().expect("there are many people")
}

/// Something that `sender` says to `to`.
pub(super) fn event(sender: UserId, to: UserId, client_id: &str) -> Event {
    let client_id = ClientId::new(client_id).unwrap();
    direct_message(sender, to, client_id, Timestamp::from_unix_ms(0), Body::new("x").unwrap())
}

/// The log, by partition.
#[derive(Default)]
pub(super) struct Log {
    /// The time on all nodes; moves with each record.
    pub(super) time_ms: Arc<AtomicI64>,
    pub(super) partitions: [Vec<Event>; PARTITIONS],
}

impl Log {
    /// The partition and the offset that it got.
    pub(super) fn append(&mut self, event: Event) -> (i32, i64) {
        let partition = partition_of(event.conversation, PARTITIONS);
        let records = &mut self.partitions[partition as usize];
        records.push(event);
        self.time_ms.fetch_add(1, Ordering::Relaxed);
        (partition, records.len() as i64 - 1)
    }

    pub(super) fn ends(&self) -> Vec<i64> {
        self.partitions.iter().map(|records| records.len() as i64).collect()
    }

    /// What `user` must be shown, by conversation, in order: each message once, where it stands first.
    pub(super) fn of(&self, user: UserId) -> BTreeMap<ConversationId, Vec<(Position, MessageId)>> {
        let mut seen = HashSet::new();
        let mut conversations: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for records in &self.partitions {
            for (offset, event) in
                (0..).zip(records).filter(|(_, event)| event::people(event).any(|one| one == user))
            {
                if seen.insert(event.id) {
                    let place = (Position::new(Epoch::FIRST, offset), event.id);
                    conversations.entry(event.conversation).or_default().push(place);
                }
            }
        }
        conversations
    }
}

/// What the consumer stored.
#[derive(Default)]
struct Rows {
    next_offsets: [i64; PARTITIONS],
    ids: HashMap<MessageId, (ConversationId, usize)>,
    conversations: BTreeMap<ConversationId, Vec<StoredMessage>>,
}

/// The store; clones are the same one.
#[derive(Clone, Default)]
pub(super) struct MemoryStore {
    rows: Arc<Mutex<Rows>>,
    /// With a gate, each look-up waits for a permit before it reads and for another one before it answers.
    gate: Option<Arc<Semaphore>>,
    /// How often it was asked.
    looks: Arc<AtomicUsize>,
}

impl MemoryStore {
    /// The same rows behind a gate.
    pub(super) fn behind(&self, gate: &Arc<Semaphore>) -> Self {
        Self { gate: Some(Arc::clone(gate)), ..self.clone() }
    }

    /// The consumer stores up to `count` records of a partition; the first of an id wins.
    pub(super) fn consume(&self, log: &Log, partition: usize, count: usize) {
        let mut rows = self.lock();
        let from = rows.next_offsets[partition];
        let records = log.partitions[partition].iter().zip(0..).skip(from as usize).take(count);
        for (event, offset) in records {
            rows.next_offsets[partition] = offset + 1;
            rows.insert(event, Position::new(Epoch::FIRST, offset));
        }
    }

    /// How far the consumer is.
    pub(super) fn next_offsets(&self) -> [i64; PARTITIONS] {
        self.lock().next_offsets
    }

    /// How often it was asked since the last time.
    pub(super) fn looks(&self) -> usize {
        self.looks.swap(0, Ordering::Relaxed)
    }

    fn lock(&self) -> MutexGuard<'_, Rows> {
        self.rows.lock().unwrap()
    }

    fn ask<'a, T: Send>(&'a self, read: impl FnOnce(&Rows) -> T + Send + 'a) -> Answer<'a, T> {
        self.looks.fetch_add(1, Ordering::Relaxed);
        async move {
            self.pass().await;
            let answer = read(&self.lock());
            self.pass().await;
            Ok(answer)
        }
        .boxed()
    }

    /// What is asked about rooms, of which these schedules have none: it takes no turn of its own.
    fn answer<'a, T: Send + 'a>(&'a self, read: impl FnOnce(&Rows) -> T) -> Answer<'a, T> {
        let answer = read(&self.lock());
        async move { Ok(answer) }.boxed()
    }

    async fn pass(&self) {
        if let Some(gate) = &self.gate {
            gate.acquire().await.expect("never closed").forget();
        }
    }
}

impl Rows {
    fn log(&self) -> LogPosition {
        let next_offsets = (0..).zip(self.next_offsets).collect();
        LogPosition { epoch: Epoch::FIRST, next_offsets }
    }

    fn insert(&mut self, event: &Event, position: Position) {
        if self.ids.contains_key(&event.id) {
            return;
        }
        let messages = self.conversations.entry(event.conversation).or_default();
        self.ids.insert(event.id, (event.conversation, messages.len()));
        messages.push(StoredMessage {
            id: event.id,
            conversation: event.conversation,
            position,
            sender: event.actor,
            to: event.to.unwrap(),
            client_id: event.client_id.clone(),
            sent_at: event.at,
            body: event::message(event).unwrap().body.clone(),
        });
    }

    fn page(&self, conversation: ConversationId, page: Page, limit: usize) -> HistoryPage {
        let all = self.conversations.get(&conversation).map_or(&[][..], Vec::as_slice);
        let (first, last) = match page {
            Page::Latest => (all.len().saturating_sub(limit), all.len()),
            Page::After(start) => {
                let first = all.partition_point(|message| message.position <= start);
                (first, all.len().min(first + limit))
            }
            Page::Before(_) | Page::Around(_) => unreachable!("nobody here pages backwards"),
        };
        let messages = all[first..last].to_vec();
        HistoryPage { messages, has_before: first > 0, has_after: last < all.len() }
    }
}

impl Lookups for MemoryStore {
    fn person(&self, user: UserId) -> Answer<'_, Option<Person>> {
        self.ask(move |_| Some(person(user)))
    }

    fn persons<'a>(&'a self, users: &'a [UserId]) -> Answer<'a, HashMap<UserId, Person>> {
        self.ask(move |_| users.iter().map(|user| (*user, person(*user))).collect())
    }

    fn members(&self, conversation: ConversationId) -> Answer<'_, Vec<UserId>> {
        self.ask(move |rows| {
            let first = rows.conversations.get(&conversation).and_then(|messages| messages.first());
            first.map_or(Vec::new(), |message| vec![message.sender, message.to])
        })
    }

    fn messages_by_id<'a>(&'a self, ids: &'a [MessageId]) -> Answer<'a, Vec<StoredMessage>> {
        self.ask(move |rows| {
            let row = |(conversation, place): &(ConversationId, usize)| {
                rows.conversations[conversation][*place].clone()
            };
            ids.iter().filter_map(|id| rows.ids.get(id)).map(row).collect()
        })
    }

    fn history(&self, conversation: ConversationId, page: Page, limit: usize) -> Answer<'_, HistoryPage> {
        self.ask(move |rows| rows.page(conversation, page, limit))
    }

    fn conversations_since(&self, user: UserId, first: Position, limit: usize) -> Answer<'_, Vec<Touched>> {
        self.ask(move |rows| {
            let of_user = |(id, messages): (&ConversationId, &Vec<StoredMessage>)| {
                let last = messages.last().filter(|last| last.sender == user || last.to == user)?;
                (last.position >= first).then_some(Touched {
                    id: *id,
                    last_position: last.position,
                    is_room: false,
                })
            };
            rows.conversations.iter().filter_map(of_user).take(limit).collect()
        })
    }

    fn room_at<'a>(&'a self, _: &'a str, _: ConversationId) -> Answer<'a, (Option<StoredRoom>, LogPosition)> {
        self.answer(|rows| (None, rows.log()))
    }

    fn rooms_of<'a>(
        &'a self,
        _: &'a str,
        _: UserId,
        _: usize,
    ) -> Answer<'a, (Vec<ConversationId>, LogPosition)> {
        self.answer(|rows| (Vec::new(), rows.log()))
    }

    fn ids_since(&self, _: ConversationId, _: Position) -> Answer<'_, Vec<(MessageId, Position)>> {
        self.answer(|_| Vec::new())
    }

    fn events_by_id<'a>(&'a self, _: &'a [MessageId]) -> Answer<'a, Vec<StoredPlace>> {
        self.answer(|_| Vec::new())
    }

    fn intervals_of(&self, _: ConversationId, _: UserId) -> Answer<'_, Vec<Interval>> {
        self.answer(|_| Vec::new())
    }

    fn room_by_handle<'a>(&'a self, _: &'a str) -> Answer<'a, Option<ConversationId>> {
        self.answer(|_| None)
    }

    fn timeline<'a>(
        &'a self,
        _: ConversationId,
        _: Page,
        _: usize,
        _: &'a [PositionRange],
    ) -> Answer<'a, TimelinePage> {
        self.answer(|_| TimelinePage { events: Vec::new(), has_before: false, has_after: false })
    }

    fn messages_within<'a>(
        &'a self,
        room: ConversationId,
        page: Page,
        limit: usize,
        visible: &'a [PositionRange],
    ) -> Answer<'a, TimelinePage> {
        self.timeline(room, page, limit, visible)
    }
}

fn person(id: UserId) -> Person {
    let name = id.to_string();
    Person { id, username: name.clone(), display_name: name, created_at: Timestamp::from_unix_ms(0) }
}
