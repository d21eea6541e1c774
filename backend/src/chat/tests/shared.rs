//! What all nodes share: the log, and the store that a consumer fills from it.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use futures::FutureExt;
use milena_domain::record::{Event, Placed};
use milena_domain::{
    Body, ClientId, ConversationId, Epoch, MessageId, Position, Timestamp, UserId, partition_of,
};
use milena_storage::{
    LogPosition, MessageNow, Page, Person, PositionRange, StoredFacts, StoredMessage, StoredPlace,
    StoredRoom, TimelinePage, Touched,
};
use milena_timeline::{ConversationState, Interval, Outcome};
use tokio::sync::Semaphore;
use uuid::Uuid;

use super::reader::Reader;
use crate::batched::Batched;
use crate::chat::ports::{Answer, Lookups};
use crate::chat::read_barrier::Ends;
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
    /// Where they end, for those who ask.
    ends: Arc<Mutex<[i64; PARTITIONS]>>,
}

impl Log {
    /// The partition and the offset that it got.
    pub(super) fn append(&mut self, event: Event) -> (i32, i64) {
        let partition = partition_of(event.conversation, PARTITIONS);
        let records = &mut self.partitions[partition as usize];
        records.push(event);
        self.ends.lock().unwrap()[partition as usize] += 1;
        self.time_ms.fetch_add(1, Ordering::Relaxed);
        (partition, records.len() as i64 - 1)
    }

    /// As a node asks for its ends.
    pub(super) fn ends_as_asked(&self) -> Arc<Ends> {
        let ends = Arc::clone(&self.ends);
        Arc::new(Batched::new(PARTITIONS, move |_| {
            let ends = (0..).zip(*ends.lock().unwrap()).collect();
            async move { Ok(ends) }.boxed()
        }))
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
    /// Rooms, and what counts.
    reader: Reader,
    ids: HashMap<MessageId, (ConversationId, usize)>,
    conversations: BTreeMap<ConversationId, Vec<StoredMessage>>,
}

/// The store; clones are the same one.
#[derive(Clone, Default)]
pub(super) struct MemoryStore {
    rows: Arc<Mutex<Rows>>,
    /// With a gate, each look-up waits for a permit before it reads and for another one before it answers.
    gate: Option<Arc<Semaphore>>,
    /// What is asked about rooms goes through the gate, too.
    gates_rooms: bool,
    /// How often it was asked.
    pub(super) looks: Arc<AtomicUsize>,
    /// Look-ups that wait for their answer.
    under_way: Arc<AtomicUsize>,
}

/// A look-up, until it is answered or given up.
struct UnderWay(Arc<AtomicUsize>);

impl UnderWay {
    fn begin(count: &Arc<AtomicUsize>) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(count))
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl MemoryStore {
    /// The same rows behind a gate.
    pub(super) fn behind(&self, gate: &Arc<Semaphore>) -> Self {
        Self { gate: Some(Arc::clone(gate)), ..self.clone() }
    }

    /// The same rows, whatever is asked behind a gate.
    pub(super) fn all_behind(&self, gate: &Arc<Semaphore>) -> Self {
        Self { gates_rooms: true, ..self.behind(gate) }
    }

    /// The consumer stores up to `count` records of a partition: what counts.
    pub(super) fn consume(&self, log: &Log, partition: usize, count: usize) {
        let rows = &mut *self.lock();
        let Rows { reader, ids, conversations } = rows;
        reader.read(log, partition, count, |placed, outcome| {
            if matches!(outcome, Outcome::Effective(_)) && placed.event.to.is_some() {
                insert(ids, conversations, &placed.event, placed.position);
            }
        });
    }

    /// How far the consumer is.
    pub(super) fn next_offsets(&self) -> [i64; PARTITIONS] {
        self.lock().reader.next_offsets
    }

    /// Where somebody blocks the other, and since when.
    pub(super) fn blocks(&self) -> Vec<(ConversationId, UserId, Position)> {
        let rows = self.lock();
        let of = |(id, state): (&ConversationId, &ConversationState)| {
            let id = *id;
            state.blocks().map(|(user, since)| (id, user, since)).collect::<Vec<_>>()
        };
        rows.reader.states.iter().flat_map(of).collect()
    }

    /// What the consumer has made of the log.
    pub(super) fn with_reader<T>(&self, look: impl FnOnce(&Reader) -> T) -> T {
        look(&self.lock().reader)
    }

    /// How often it was asked since the last time.
    pub(super) fn looks(&self) -> usize {
        self.looks.swap(0, Ordering::Relaxed)
    }

    /// How many look-ups wait for their answer.
    pub(super) fn under_way(&self) -> usize {
        self.under_way.load(Ordering::Relaxed)
    }

    fn lock(&self) -> MutexGuard<'_, Rows> {
        self.rows.lock().unwrap()
    }

    fn ask<'a, T: Send>(&'a self, read: impl FnOnce(&Rows) -> T + Send + 'a) -> Answer<'a, T> {
        self.looks.fetch_add(1, Ordering::Relaxed);
        async move {
            let _under_way = UnderWay::begin(&self.under_way);
            self.pass().await;
            let answer = read(&self.lock());
            self.pass().await;
            Ok(answer)
        }
        .boxed()
    }

    /// What is asked about rooms: of those who step through look-ups about people it takes no turn.
    fn answer<'a, T: Send + 'a>(&'a self, read: impl FnOnce(&Rows) -> T + Send + 'a) -> Answer<'a, T> {
        if self.gates_rooms {
            return self.ask(read);
        }
        let answer = read(&self.lock());
        async move { Ok(answer) }.boxed()
    }

    /// What is asked about a conversation: of two people through the gate.
    fn ask_of<'a, T: Send + 'a>(
        &'a self,
        conversation: ConversationId,
        read: impl FnOnce(&Rows) -> T + Send + 'a,
    ) -> Answer<'a, T> {
        let is_room = self.lock().reader.room(conversation).is_some();
        if is_room { self.answer(read) } else { self.ask(read) }
    }

    async fn pass(&self) {
        if let Some(gate) = &self.gate {
            gate.acquire().await.expect("never closed").forget();
        }
    }
}

impl Rows {
    fn log(&self) -> LogPosition {
        let next_offsets = (0..).zip(self.reader.next_offsets).collect();
        LogPosition { epoch: Epoch::FIRST, next_offsets }
    }

    /// A page of what may be seen of a room.
    fn timeline(
        &self,
        room: ConversationId,
        page: Page,
        limit: usize,
        visible: &[PositionRange],
        is_wanted: impl Fn(&Event) -> bool,
    ) -> TimelinePage {
        let is_visible =
            |at: Position| visible.iter().any(|range| range.from <= at && range.to.is_none_or(|to| at <= to));
        let all: Vec<&Placed> =
            self.reader.timelines.get(&room).into_iter().flat_map(BTreeMap::values).collect();
        let all: Vec<&Placed> = all
            .into_iter()
            .filter(|placed| Reader::kind(&placed.event).is_some())
            .filter(|placed| is_visible(placed.position) && is_wanted(&placed.event))
            .collect();
        let (first, last) = range(page, limit, &all, |placed| placed.position);
        let events: Vec<Placed> = all[first..last].iter().map(|placed| self.reader.now(placed).0).collect();
        let changed = events.iter().map(|placed| placed.position);
        let changed = changed.filter(|place| self.reader.is_changed(room, *place)).collect();
        TimelinePage { events, changed, has_before: first > 0, has_after: last < all.len() }
    }
}

/// Which of all rows, oldest first, a page has.
fn range<T>(page: Page, limit: usize, all: &[T], at: impl Fn(&T) -> Position) -> (usize, usize) {
    let count = all.len();
    let below = |bound: Position| all.partition_point(|row| at(row) < bound);
    match page {
        Page::Latest => (count.saturating_sub(limit), count),
        Page::Before(bound) => (below(bound).saturating_sub(limit), below(bound)),
        Page::After(bound) => {
            let first = all.partition_point(|row| at(row) <= bound);
            (first, count.min(first + limit))
        }
        Page::Around(bound) => {
            let first = below(bound).saturating_sub(limit / 2).min(count.saturating_sub(limit));
            (first, count.min(first + limit))
        }
    }
}

fn insert(
    ids: &mut HashMap<MessageId, (ConversationId, usize)>,
    conversations: &mut BTreeMap<ConversationId, Vec<StoredMessage>>,
    event: &Event,
    position: Position,
) {
    let Some(message) = event::message(event) else { return };
    let messages = conversations.entry(event.conversation).or_default();
    ids.insert(event.id, (event.conversation, messages.len()));
    messages.push(StoredMessage {
        id: event.id,
        conversation: event.conversation,
        position,
        sender: event.actor,
        to: event.to.unwrap(),
        client_id: event.client_id.clone(),
        sent_at: event.at,
        body: message.body.clone(),
        is_changed: false,
    });
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
                let row = rows.conversations[conversation][*place].clone();
                let is_changed = rows.reader.is_changed(row.conversation, row.position);
                StoredMessage { is_changed, ..row }
            };
            ids.iter().filter_map(|id| rows.ids.get(id)).map(row).collect()
        })
    }

    fn conversations_since(&self, user: UserId, first: Position, limit: usize) -> Answer<'_, Vec<Touched>> {
        self.ask(move |rows| {
            let of_user = |(id, messages): (&ConversationId, &Vec<StoredMessage>)| {
                messages.last().filter(|last| last.sender == user || last.to == user)?;
                let last = *rows.reader.timelines.get(id)?.keys().next_back()?;
                (last >= first).then_some(Touched { id: *id, last_position: last, is_room: false })
            };
            let direct = rows.conversations.iter().filter_map(of_user);
            let rooms = rows.reader.rooms().filter_map(|room| rows.reader.touched(user, room));
            direct.chain(rooms.filter(|touched| touched.last_position >= first)).take(limit).collect()
        })
    }

    fn room_at<'a>(
        &'a self,
        _: &'a str,
        room: ConversationId,
    ) -> Answer<'a, (Option<StoredRoom>, LogPosition)> {
        self.answer(move |rows| (rows.reader.stored_room(room), rows.log()))
    }

    fn rooms_of<'a>(
        &'a self,
        _: &'a str,
        user: UserId,
        limit: usize,
    ) -> Answer<'a, (Vec<ConversationId>, LogPosition)> {
        self.answer(move |rows| {
            let mut rooms = rows.reader.rooms_of(user);
            rooms.truncate(limit);
            (rooms, rows.log())
        })
    }

    fn room_counts<'a>(&'a self, users: &'a [UserId]) -> Answer<'a, HashMap<UserId, usize>> {
        self.answer(move |rows| {
            let counts = users.iter().map(|user| (*user, rows.reader.rooms_of(*user).len()));
            counts.filter(|(_, count)| *count > 0).collect()
        })
    }

    fn ids_since(&self, room: ConversationId, first: Position) -> Answer<'_, Vec<(MessageId, Position)>> {
        self.answer(move |rows| {
            let timeline = rows.reader.timelines.get(&room).into_iter().flat_map(|all| all.range(first..));
            timeline.map(|(position, placed)| (placed.event.id, *position)).collect()
        })
    }

    fn events_by_id<'a>(&'a self, ids: &'a [MessageId]) -> Answer<'a, Vec<StoredPlace>> {
        self.answer(move |rows| {
            let all = rows.reader.timelines.values().flat_map(BTreeMap::values);
            let place = |placed: &Placed| StoredPlace {
                digest: Reader::kind(&placed.event).is_none().then(|| placed.event.digest()),
                id: placed.event.id,
                conversation: placed.event.conversation,
                position: placed.position,
                kind: Reader::kind(&placed.event),
            };
            all.filter(|placed| ids.contains(&placed.event.id)).map(place).collect()
        })
    }

    fn intervals_of(&self, room: ConversationId, user: UserId) -> Answer<'_, Vec<Interval>> {
        self.answer(move |rows| rows.reader.intervals(room, user).to_vec())
    }

    fn room_by_handle<'a>(&'a self, handle: &'a str) -> Answer<'a, Option<ConversationId>> {
        self.answer(move |rows| rows.reader.by_handle(handle))
    }

    fn timeline<'a>(
        &'a self,
        room: ConversationId,
        page: Page,
        limit: usize,
        visible: &'a [PositionRange],
    ) -> Answer<'a, TimelinePage> {
        self.ask_of(room, move |rows| rows.timeline(room, page, limit, visible, |_| true))
    }

    fn messages_within<'a>(
        &'a self,
        room: ConversationId,
        page: Page,
        limit: usize,
        visible: &'a [PositionRange],
    ) -> Answer<'a, TimelinePage> {
        self.ask_of(room, move |rows| {
            let has_words = |event: &Event| event::message(event).is_some() && !rows.reader.is_deleted(event);
            rows.timeline(room, page, limit, visible, has_words)
        })
    }

    fn messages_now<'a>(
        &'a self,
        conversation: ConversationId,
        places: &'a [Position],
        asked: &'a [UserId],
    ) -> Answer<'a, Vec<MessageNow>> {
        self.answer(move |rows| {
            let timeline = rows.reader.timelines.get(&conversation);
            let at = |place: &Position| {
                timeline?.get(place).filter(|placed| event::message(&placed.event).is_some())
            };
            let now = |placed: &Placed| {
                let (placed, life) = rows.reader.now(placed);
                MessageNow {
                    placed,
                    life: life.map(|life| rows.reader.stored_life(conversation, life, asked)),
                }
            };
            places.iter().filter_map(at).map(now).collect()
        })
    }

    fn message_facts<'a>(
        &'a self,
        _: &'a str,
        conversation: ConversationId,
        place: Position,
        people: &'a [UserId],
    ) -> Answer<'a, (StoredFacts, LogPosition)> {
        self.answer(move |rows| (rows.reader.facts(conversation, place, people), rows.log()))
    }

    fn changed_after<'a>(
        &'a self,
        conversation: ConversationId,
        after: Position,
        limit: usize,
        asked: &'a [UserId],
    ) -> Answer<'a, (Vec<MessageNow>, bool)> {
        self.answer(move |rows| {
            let timeline = rows.reader.timelines.get(&conversation);
            let messages = timeline.into_iter().flat_map(BTreeMap::values);
            let mut changed: Vec<MessageNow> = messages
                .filter_map(|placed| {
                    let (placed, life) = rows.reader.now(placed);
                    let life = life.filter(|life| life.changed > after)?;
                    let life = rows.reader.stored_life(conversation, life, asked);
                    Some(MessageNow { placed, life: Some(life) })
                })
                .collect();
            changed.sort_by_key(|now| now.life.as_ref().map(|life| life.changed));
            let has_more = changed.len() > limit;
            changed.truncate(limit);
            (changed, has_more)
        })
    }
}

fn person(id: UserId) -> Person {
    let name = id.to_string();
    Person { id, username: name.clone(), display_name: name, created_at: Timestamp::from_unix_ms(0) }
}
