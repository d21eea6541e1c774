//! What the log says: read whole, and folded by the rules that every program has.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use milena_domain::record::{Action, Event, History, Placed, Role};
use milena_domain::{ConversationId, Epoch, Position, Timestamp, UserId};
use milena_timeline::{Change, ConversationState, Interval, Outcome, Standing, Void, Window, fold};
use uuid::Uuid;

use crate::world::read_log;

/// An event that counts.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    pub(crate) position: i64,
    pub(crate) id: Uuid,
    pub(crate) kind: &'static str,
    pub(crate) actor: Uuid,
    pub(crate) client_id: String,
    /// Of a message, as it is now: empty when it was deleted.
    pub(crate) body: Option<String>,
    /// What became of a message.
    pub(crate) life: Life,
    /// The message that it is about.
    pub(crate) target: Option<i64>,
}

/// What became of a message.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Life {
    pub(crate) edited: Option<i64>,
    pub(crate) deleted: Option<i64>,
    pub(crate) pinned: Option<i64>,
    pub(crate) changed: Option<i64>,
    pub(crate) mentions: BTreeSet<Uuid>,
    /// Whose, and since where.
    pub(crate) reactions: BTreeMap<(String, Uuid), i64>,
    /// All words that it ever had, the newest last.
    pub(crate) bodies: Vec<String>,
}

/// A room, or a conversation of two; all of it.
#[derive(Debug)]
pub(crate) struct RoomOracle {
    pub(crate) history: History,
    /// The timeline, in its order.
    pub(crate) rows: Vec<Row>,
    /// What only changed a message, in order.
    pub(crate) changes: Vec<Row>,
    pub(crate) intervals: BTreeMap<Uuid, Vec<Interval>>,
}

impl RoomOracle {
    pub(crate) fn intervals_of(&self, person: Uuid) -> &[Interval] {
        self.intervals.get(&person).map_or(&[], Vec::as_slice)
    }
}

/// The log.
#[derive(Debug, Default)]
pub(crate) struct Oracle {
    pub(crate) records: u64,
    pub(crate) repeats: u64,
    pub(crate) dead: u64,
    pub(crate) void: Vec<(Uuid, i64, Uuid, Void)>,
    pub(crate) rooms: BTreeMap<Uuid, RoomOracle>,
}

impl Oracle {
    pub(crate) async fn read(brokers: &str, topic: &str) -> Self {
        let (partitions, records) = read_log(brokers, topic).await;
        let mut oracle = Self { records: records.len() as u64, ..Self::default() };
        let mut windows: HashMap<i32, Window> = HashMap::new();
        let mut states: HashMap<ConversationId, ConversationState> = HashMap::new();
        for record in records {
            let written = record.written_ms.map(Timestamp::from_unix_ms);
            let (key, value) = (record.key.as_deref(), record.value.as_deref());
            let Ok(event) = Event::read(record.partition, partitions, key, value) else {
                oracle.dead += 1;
                continue;
            };
            let position = Position::new(Epoch::FIRST, record.offset);
            let placed = Placed { position, event: event.believed(written) };
            let state = states.entry(placed.event.conversation).or_insert_with(ConversationState::unwritten);
            let window = windows.entry(record.partition).or_default();
            match judged(window, state, &placed) {
                Outcome::Repeat(_) => oracle.repeats += 1,
                Outcome::Void(why) => {
                    let (room, id) = (placed.event.conversation.as_uuid(), placed.event.id.as_uuid());
                    oracle.void.push((room, position.as_i64(), id, why));
                }
                Outcome::Effective(changes) => {
                    // Two people see everything.
                    let history = state.room().map_or(History::All, |room| room.history);
                    oracle.counts(history, &placed, &changes);
                }
            }
        }
        oracle
    }

    fn counts(&mut self, history: History, placed: &Placed, changes: &[Change]) {
        let Placed { position, event } = placed;
        let room = self.rooms.entry(event.conversation.as_uuid()).or_insert_with(|| RoomOracle {
            history,
            rows: Vec::new(),
            changes: Vec::new(),
            intervals: BTreeMap::new(),
        });
        let mut life = Life::default();
        let body = match &event.action {
            Action::Message(message) => {
                life.mentions = message.mentions.iter().map(|user| user.as_uuid()).collect();
                life.bodies = vec![message.body.as_str().to_owned()];
                Some(message.body.as_str().to_owned())
            }
            _ => None,
        };
        let row = Row {
            position: position.as_i64(),
            id: event.id.as_uuid(),
            kind: event.action.name(),
            actor: event.actor.as_uuid(),
            client_id: event.client_id.as_str().to_owned(),
            body,
            life,
            target: event.action.target().map(|target| target.position.as_i64()),
        };
        if let Some(target) = event.action.target() {
            let at = room.rows.binary_search_by_key(&target.position.as_i64(), |row| row.position);
            room.rows[at.expect("what is changed stands before")].change(&row, &event.action);
        }
        match event.action {
            Action::Pinned { .. } => room.rows.push(row),
            _ if event.action.target().is_some() => room.changes.push(row),
            Action::Blocked { .. } => {}
            _ => room.rows.push(row),
        }
        let intervals = &mut room.intervals;
        for change in changes {
            match change {
                Change::Opened { user, role, from } => {
                    of(intervals, *user).push(Interval { role: *role, from: *from, to: None });
                }
                Change::Closed { user, from } => {
                    let ended = of(intervals, *user).iter_mut().find(|interval| interval.from == *from);
                    ended.expect("what ends has begun").to = Some(*position);
                }
                _ => {}
            }
        }
    }

    pub(crate) fn rows(&self) -> impl Iterator<Item = (Uuid, &Row)> {
        self.rooms.iter().flat_map(|(id, room)| room.rows.iter().map(|row| (*id, row)))
    }

    /// What only changed messages.
    pub(crate) fn changes(&self) -> impl Iterator<Item = (Uuid, &Row)> {
        self.rooms.iter().flat_map(|(id, room)| room.changes.iter().map(|row| (*id, row)))
    }

    /// The rooms that somebody is in.
    pub(crate) fn rooms_with(&self, person: Uuid) -> impl Iterator<Item = (Uuid, &RoomOracle)> {
        let is_in = move |room: &RoomOracle| room.intervals_of(person).iter().any(|one| one.to.is_none());
        self.rooms.iter().filter(move |(_, room)| is_in(room)).map(|(id, room)| (*id, room))
    }

    /// Their newest rows.
    pub(crate) fn last_of_rooms_with(&self, person: Uuid) -> Vec<Uuid> {
        self.rooms_with(person).filter_map(|(_, room)| room.rows.last()).map(|row| row.id).collect()
    }

    /// Memberships as the store has them.
    pub(crate) fn memberships(&self) -> Vec<(Uuid, Uuid, i64, Option<i64>, Role)> {
        let mut all = Vec::new();
        for (room, oracle) in &self.rooms {
            for (user, intervals) in &oracle.intervals {
                all.extend(
                    intervals
                        .iter()
                        .map(|one| (*room, *user, one.from.as_i64(), one.to.map(Position::as_i64), one.role)),
                );
            }
        }
        all.sort_unstable_by_key(|(room, user, from, ..)| (*room, *user, *from));
        all
    }
}

impl Row {
    fn change(&mut self, by: &Row, action: &Action) {
        let (at, life) = (by.position, &mut self.life);
        life.changed = Some(at);
        match action {
            Action::Edited { body, mentions, .. } => {
                self.body = Some(body.as_str().to_owned());
                life.edited = Some(at);
                life.mentions = mentions.iter().map(|user| user.as_uuid()).collect();
                life.bodies.push(body.as_str().to_owned());
            }
            Action::Deleted { .. } => {
                self.body = Some(String::new());
                let (deleted, changed) = (Some(at), Some(at));
                let (edited, pinned) = (life.edited, life.pinned);
                let bodies = std::mem::take(&mut life.bodies);
                *life = Life { edited, deleted, pinned, changed, bodies, ..Life::default() };
            }
            Action::Pinned { on, .. } => life.pinned = on.then_some(at),
            Action::Reacted { emoji, on, .. } => {
                let mine = (emoji.as_str().to_owned(), by.actor);
                if *on {
                    life.reactions.insert(mine, at);
                } else {
                    life.reactions.remove(&mine);
                }
            }
            _ => {}
        }
    }
}

fn of(intervals: &mut BTreeMap<Uuid, Vec<Interval>>, user: UserId) -> &mut Vec<Interval> {
    intervals.entry(user.as_uuid()).or_default()
}

/// The log is read from its beginning: who is not known is a stranger.
fn judged(window: &mut Window, state: &mut ConversationState, placed: &Placed) -> Outcome {
    loop {
        let missing = match fold(window, state, placed) {
            Ok(outcome) => return outcome,
            Err(missing) => missing,
        };
        missing.ids.iter().for_each(|id| window.answer(*id, None));
        missing.people.iter().for_each(|user| state.load_standing(*user, Standing::default()));
    }
}
