//! A plain reader of the log: it folds record by record, forgets nothing, and knows nothing of nodes. What it
//! says is what every other reader must come to.

use std::collections::{BTreeMap, HashMap};

use milena_domain::record::{Action, Event, History, Placed};
use milena_domain::{ConversationId, Epoch, MessageId, Position, UserId};
use milena_storage::{StoredRoom, Touched};
use milena_timeline::{Change, ConversationState, Interval, Outcome, Room, Window, fold};

use super::shared::{Log, PARTITIONS};
use crate::log::event;

/// What it made of the log so far.
#[derive(Default)]
pub(super) struct Reader {
    pub(super) next_offsets: [i64; PARTITIONS],
    windows: [Window; PARTITIONS],
    pub(super) states: BTreeMap<ConversationId, ConversationState>,
    /// What counts.
    pub(super) timelines: BTreeMap<ConversationId, BTreeMap<Position, Placed>>,
    pub(super) places: HashMap<MessageId, Position>,
    /// What changed a message, by its place.
    pub(super) changed: HashMap<(ConversationId, Position), Vec<Position>>,
    intervals: HashMap<(ConversationId, UserId), Vec<Interval>>,
    /// Since when a room has its handle.
    handles: BTreeMap<ConversationId, (String, Position)>,
}

impl Reader {
    /// Reads up to `count` records of a partition, each with its verdict to `judged`.
    pub(super) fn read(
        &mut self,
        log: &Log,
        partition: usize,
        count: usize,
        mut judged: impl FnMut(&Placed, &Outcome),
    ) {
        let from = self.next_offsets[partition];
        for (event, offset) in log.partitions[partition].iter().zip(0..).skip(from as usize).take(count) {
            let placed = Placed { position: Position::new(Epoch::FIRST, offset), event: event.clone() };
            let outcome = self.fold(partition, &placed);
            judged(&placed, &outcome);
            self.next_offsets[partition] = offset + 1;
        }
    }

    fn fold(&mut self, partition: usize, placed: &Placed) -> Outcome {
        let (window, event) = (&mut self.windows[partition], &placed.event);
        let state = self.states.entry(event.conversation).or_insert_with(ConversationState::unwritten);
        let outcome = match fold(window, state, placed) {
            Ok(outcome) => outcome,
            Err(missing) => {
                missing.ids.iter().for_each(|id| window.answer(*id, self.places.get(id).copied()));
                fold(window, state, placed).expect("it has read everything")
            }
        };
        if let Outcome::Effective(changes) = &outcome {
            self.places.insert(event.id, placed.position);
            if let Some(target) = event.action.target() {
                let changed = self.changed.entry((event.conversation, target.position));
                changed.or_default().push(placed.position);
            }
            self.timelines.entry(event.conversation).or_default().insert(placed.position, placed.clone());
            changes.iter().for_each(|change| self.remember(placed, change));
        }
        outcome
    }

    fn remember(&mut self, placed: &Placed, change: &Change) {
        let (room, at) = (placed.event.conversation, placed.position);
        match change {
            Change::Opened { user, role, from } => {
                let begun = Interval { role: *role, from: *from, to: None };
                self.intervals.entry((room, *user)).or_default().push(begun);
            }
            Change::Closed { user, .. } => {
                let last = self.intervals.get_mut(&(room, *user)).and_then(|all| all.last_mut());
                last.expect("what ends began").to = Some(at);
            }
            Change::Room => {
                let handle = self.room(room).expect("it changed").handle.as_str().to_owned();
                if self.handles.get(&room).is_none_or(|(before, _)| *before != handle) {
                    self.handles.insert(room, (handle, at));
                }
            }
            _ => {}
        }
    }

    pub(super) fn room(&self, id: ConversationId) -> Option<&Room> {
        self.states.get(&id)?.room()
    }

    pub(super) fn is_member(&self, room: ConversationId, user: UserId) -> bool {
        self.intervals(room, user).last().is_some_and(|last| last.to.is_none())
    }

    pub(super) fn intervals(&self, room: ConversationId, user: UserId) -> &[Interval] {
        self.intervals.get(&(room, user)).map_or(&[], Vec::as_slice)
    }

    /// Whether somebody was there when this happened.
    pub(super) fn was_there(&self, user: UserId, placed: &Placed) -> bool {
        let event = &placed.event;
        match event.to {
            Some(_) => event::people(event).any(|one| one == user),
            None => self.intervals(event.conversation, user).iter().any(|one| one.covers(placed.position)),
        }
    }

    /// What somebody who is in a conversation may see of it now.
    pub(super) fn sees(&self, user: UserId, placed: &Placed) -> bool {
        let Some(room) = self.room(placed.event.conversation) else { return self.was_there(user, placed) };
        let intervals = self.intervals(placed.event.conversation, user);
        self.is_member(placed.event.conversation, user)
            && milena_timeline::sees(room.history, intervals, placed.position)
    }

    /// Whether somebody may be told this by a node that has read up to `next`: they were there, or came later
    /// and then saw what was before, in a room that shows that.
    pub(super) fn may_hear(&self, user: UserId, room: ConversationId, at: Position, next: i64) -> bool {
        let intervals = self.intervals(room, user);
        let shows_all = self.room(room).is_some_and(|room| room.history == History::All);
        intervals.iter().any(|one| one.covers(at))
            || (shows_all && intervals.iter().any(|one| at < one.from && one.from.offset() < next))
    }

    pub(super) fn rooms(&self) -> impl Iterator<Item = ConversationId> {
        self.states.iter().filter(|(_, state)| state.room().is_some()).map(|(id, _)| *id)
    }

    pub(super) fn rooms_of(&self, user: UserId) -> Vec<ConversationId> {
        self.rooms().filter(|room| self.is_member(*room, user)).collect()
    }

    /// As the writer keeps a room.
    pub(super) fn stored_room(&self, id: ConversationId) -> Option<StoredRoom> {
        let state = self.states.get(&id)?;
        let room = state.room()?.clone();
        let timeline = &self.timelines[&id];
        let is_message = |placed: &&Placed| event::message(&placed.event).is_some();
        let newest = timeline.values().rev().find(is_message).or_else(|| timeline.values().next())?;
        let folded = timeline.values().rev().find(|placed| !is_message(placed))?.position;
        Some(StoredRoom {
            room,
            people: state.people().collect(),
            last_seq: state.last_seq(),
            last_position: newest.position,
            last_sent_at: newest.event.at,
            folded,
        })
    }

    /// A room in which something happened that somebody was there for, as the store tells it.
    pub(super) fn touched(&self, user: UserId, room: ConversationId) -> Option<Touched> {
        let last = self.intervals(room, user).last()?;
        let newest = self.timelines[&room].keys().next_back()?;
        Some(Touched { id: room, last_position: last.to.unwrap_or(*newest), is_room: true })
    }

    /// The room that took this handle first.
    pub(super) fn by_handle(&self, handle: &str) -> Option<ConversationId> {
        let all = self.handles.iter().filter(|(_, (name, _))| name == handle);
        all.min_by_key(|(id, (_, since))| (*since, **id)).map(|(id, _)| *id)
    }

    /// Where somebody's mark stands in a room, as the list has it: what they wrote last, or their coming.
    pub(super) fn mark(&self, room: ConversationId, user: UserId) -> Position {
        let mut came = Position::ZERO;
        let mut end = None;
        for interval in self.intervals(room, user) {
            if end != Some(interval.from) {
                came = interval.from;
            }
            end = interval.to;
        }
        let mine = |placed: &&Placed| placed.event.actor == user && event::message(&placed.event).is_some();
        let written = self.timelines[&room].values().rev().find(mine).map(|placed| placed.position);
        came.max(written.unwrap_or(Position::ZERO))
    }

    /// How many messages stand after a mark.
    pub(super) fn unread(&self, room: ConversationId, mark: Position) -> usize {
        let after = self.timelines[&room].values().filter(|placed| placed.position > mark);
        after.filter(|placed| event::message(&placed.event).is_some()).count()
    }

    /// Of which kind the store says an event is.
    pub(super) fn kind(event: &Event) -> Option<String> {
        let in_timeline = match event.action {
            Action::Blocked { .. } => false,
            Action::Pinned { .. } => true,
            _ => event.action.target().is_none(),
        };
        in_timeline.then(|| event.action.name().to_owned())
    }
}
