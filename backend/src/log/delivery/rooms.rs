//! Delivery in rooms: each record of a room that is followed is folded, and shown to those of its members who
//! are here; what is not followed waits in memory, unjudged, until somebody here needs the room.
//!
//! Who hears an event is decided by the state that it makes: whoever comes hears their coming, and whoever
//! goes their going, and nothing after it.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, PoisonError, RwLockReadGuard, RwLockWriteGuard};

use milena_domain::record::{Action, Event, History, Placed};
use milena_domain::{ConversationId, MessageId, Position, SessionCursor, UserId, limits, partition_of};
use milena_timeline::{Change, Outcome};
use tokio::sync::oneshot;

use super::{DeliveryTask, accepted};
use crate::live::rooms::{Loaded, Rooms, is_followed};
use crate::live::{News, Update};
use crate::log::recent::{Delivered, Inserted, Missed, MissedOf, Recent};
use crate::metrics;
use crate::registry::ConnectionId;

/// Rooms that may wait to be loaded; more wait with the delivery task.
pub const WANTED_CHANNEL: usize = 1_024;
/// Loaded rooms that may wait for the delivery task; who has more waits.
pub const INSTALL_CHANNEL: usize = 64;
/// In rooms with more sockets here, only those whom a change concerns are told what the room is now: the
/// others see the event.
const VIEWS_MAX: usize = 256;

/// A room as the store has it, to be followed from there on.
#[derive(Debug)]
pub struct Install {
    /// Which.
    pub room: ConversationId,
    /// Its state as of `next_offset`; of a room that is not stored the unwritten one.
    pub loaded: Loaded,
    /// Everything of its partition before this is in the state.
    pub next_offset: i64,
    /// Of what nobody has judged here and stands before that: what counts, and where.
    pub stored: HashMap<MessageId, Position>,
    /// The answer.
    pub reply: oneshot::Sender<Installed>,
}

/// What became of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Installed {
    /// The room is followed.
    Followed,
    /// There is no such room.
    NoRoom,
    /// This node has not read the log up to there, or does not have what came since in memory: it is to be
    /// loaded again.
    Again,
}

impl DeliveryTask {
    pub(super) fn deliver_in_room(&mut self, recent: &mut Recent, partition: i32, placed: Placed) {
        let event = &placed.event;
        if let Some(target) = event.action.target() {
            if self.rooms().contains(event.conversation) {
                self.deliver_change(recent, partition, placed);
                return;
            }
            self.targets_mut().forget((event.conversation, target.position));
        } else if !is_followed(&event.action) {
            metrics::record_skipped(event.action.name());
            return;
        }
        let verdict = self.rooms_mut().fold(&placed);
        match verdict {
            Some(Outcome::Effective(changes)) => {
                if let Inserted::First(event) = recent.insert(partition, placed) {
                    self.show_in_room(&event, &changes);
                }
            }
            Some(outcome) => self.answer_judged(recent, &placed, &outcome),
            None => {
                if self.concerns_somebody_here(event) {
                    self.wanted.want(event.conversation, partition, placed.position.offset());
                }
                recent.insert_unjudged(partition, placed);
            }
        }
    }

    pub(super) fn concerns_somebody_here(&self, event: &Event) -> bool {
        let seats = match &event.action {
            Action::RoomCreated(created) => created.members.as_slice(),
            _ => &[],
        };
        let named = event.action.subjects().iter().copied().chain(seats.iter().map(|seat| seat.user));
        self.pending.is_awaited(event.id)
            || std::iter::once(event.actor).chain(named).any(|user| self.registry.is_here(user))
    }

    /// An event that counts: to all members who are here.
    pub(super) fn show_in_room(&mut self, event: &Arc<Delivered>, changes: &[Change]) {
        let room = event.event().conversation;
        let moves = moves(changes);
        let (members, gone): (Vec<UserId>, Vec<UserId>) = {
            let rooms = self.rooms();
            moves.iter().copied().partition(|user| rooms.is_member(room, *user))
        };
        for user in members {
            self.registry.enter(user, room);
        }
        let waiters = self.take_waiters(event);
        let sending: Vec<ConnectionId> = waiters.iter().filter_map(|(connection, _)| *connection).collect();
        if self.registry.listeners(room) > 0 {
            let update = Update::from(News::Placed(Arc::clone(event.placed())));
            self.tell_room(room, event.position().offset(), &update, &sending);
        }
        let accepted = accepted(event.placed());
        for waiter in waiters {
            self.accept(waiter, &accepted);
        }
        for user in gone {
            self.registry.leave(user, room);
        }
        if !matches!(event.event().action, Action::Message(_)) {
            self.show_views(room, event.position().offset(), moves.into_iter().collect());
        }
    }

    /// Whoever came hears the room from now on, and whoever went does not.
    fn move_people(&self, room: ConversationId, changes: &[Change]) {
        for user in moves(changes) {
            let is_member = self.rooms().is_member(room, user);
            if is_member {
                self.registry.enter(user, room);
            } else {
                self.registry.leave(user, room);
            }
        }
    }

    /// An update about a record of the room, for all who are in it.
    pub(super) fn tell_room(
        &mut self,
        room: ConversationId,
        offset: i64,
        update: &Update,
        except: &[ConnectionId],
    ) {
        if !self.fanout.takes(room, self.registry.listeners(room)) {
            self.registry.deliver_in(room, update, except);
            return;
        }
        let at = (partition_of(room, self.cursors.len()), offset);
        self.fanout.add(room, at, (update.clone(), except), self.registry.sockets_in(room));
    }

    /// An update about a record of the room, for one who is or was in it.
    pub(super) fn tell_one(
        &mut self,
        room: ConversationId,
        offset: i64,
        update: &Update,
        (user, except): (UserId, &[ConnectionId]),
    ) {
        if !self.fanout.takes(room, 0) {
            self.registry.deliver(user, update, except);
            return;
        }
        let at = (partition_of(room, self.cursors.len()), offset);
        self.fanout.add(room, at, (update.clone(), except), self.registry.sockets_of(user));
    }

    /// What the room is now, to those whom it concerns.
    fn show_views(&mut self, room: ConversationId, offset: i64, mut concerned: Vec<UserId>) {
        if self.registry.listeners(room) <= VIEWS_MAX {
            concerned.extend(self.registry.people_in(room));
            concerned.sort_unstable();
            concerned.dedup();
        }
        concerned.retain(|user| self.registry.is_connected(*user));
        for user in concerned {
            let view = self.rooms().view(room, user);
            if let Some(view) = view {
                self.tell_one(room, offset, &News::Room(Arc::new(view)).into(), (user, &[]));
            }
        }
    }

    /// Begins to follow a room: what memory has of it since the store's offset is folded and shown.
    pub(super) fn install(&mut self, install: Install) {
        let Install { room, loaded, next_offset, stored, reply } = install;
        let partition = partition_of(room, self.cursors.len());
        let recent = Arc::clone(&self.recent);
        let mut recent = recent.write().unwrap_or_else(PoisonError::into_inner);
        let read = self.cursors.get(partition as usize).map_or(0, |cursor| cursor.next());
        let outcome = if self.rooms().contains(room) {
            Installed::Followed
        } else if read < next_offset || recent.reaches_back_to(partition) > next_offset {
            Installed::Again
        } else {
            self.follow(&mut recent, room, loaded, next_offset, &stored)
        };
        if outcome != Installed::Again {
            let first = self.wanted.got(room);
            if let Some(first) = first.filter(|first| *first < next_offset) {
                self.show_gap(recent.epoch(), room, first);
            }
            self.progress.send_replace(self.progress());
        }
        drop(recent);
        // What memory has of it may wait for messages now.
        self.pass_on_targets();
        // Whoever asked may have gone away.
        let _ = reply.send(outcome);
    }

    fn follow(
        &mut self,
        recent: &mut Recent,
        room: ConversationId,
        loaded: Loaded,
        next_offset: i64,
        stored: &HashMap<MessageId, Position>,
    ) -> Installed {
        {
            let mut rooms = self.rooms_mut();
            let unloaded = rooms.unload(|id| self.registry.is_needed(id));
            unloaded.into_iter().for_each(|room| self.registry.unfollowed(room));
            rooms.install(room, loaded);
        }
        for user in self.registry.people_here() {
            if self.rooms().is_member(room, user) {
                self.registry.enter(user, room);
            }
        }
        for event in recent.all_of(room) {
            if event.event().action.target().is_some() {
                self.follow_change(recent, &event, next_offset, stored);
                continue;
            }
            let position = event.position();
            let was_judged = event.counts.get().is_some();
            if position.offset() < next_offset {
                if !was_judged {
                    recent.settle(&event, stored.get(&event.event().id) == Some(&position));
                }
                continue;
            }
            let outcome = self.rooms_mut().fold(event.placed());
            if was_judged {
                // The room was followed before: this was shown, and only its state was forgotten. Whoever
                // went by it must not hear what follows.
                if let Some(Outcome::Effective(changes)) = outcome {
                    self.move_people(room, &changes);
                }
                continue;
            }
            match outcome {
                Some(Outcome::Effective(changes)) => {
                    recent.settle(&event, true);
                    self.show_in_room(&event, &changes);
                }
                Some(outcome) => {
                    recent.settle(&event, false);
                    self.answer_judged(recent, event.placed(), &outcome);
                }
                None => recent.settle(&event, false),
            }
        }
        let exists = self.rooms().get(room).is_some_and(|loaded| loaded.state().room().is_some());
        if !exists {
            self.rooms_mut().remove(room);
            return Installed::NoRoom;
        }
        Installed::Followed
    }

    /// Somebody here was brought into a room, and the store was further than that when it was loaded: what
    /// lies between is in the store.
    fn show_gap(&mut self, epoch: milena_domain::Epoch, room: ConversationId, first: i64) {
        let after = Position::new(epoch, first).before();
        let gap =
            Update::from(News::Gap { conversation: room, after, before: None, changes_after: Some(after) });
        self.tell_room(room, first, &gap, &[]);
        self.show_views(room, first, self.registry.people_in(room));
    }

    /// All rooms of somebody who attaches: those that were looked up, and what changed since.
    pub(super) fn rooms_of(&self, user: UserId, looked_up: Vec<ConversationId>) -> Vec<ConversationId> {
        let mut all = looked_up;
        all.extend(self.registry.known_rooms_of(user));
        all.sort_unstable();
        all.dedup();
        let rooms = self.rooms();
        all.retain(|room| rooms.is_member(*room, user));
        all
    }

    /// What a resuming client missed in its rooms, those that were written in last first.
    pub(super) fn add_missed_in_rooms(
        &self,
        recent: &Recent,
        (user, of_user): (UserId, &[ConversationId]),
        resume: &SessionCursor,
        missed: &mut Missed,
    ) {
        let rooms = self.rooms();
        let mut written: Vec<_> = of_user
            .iter()
            .filter_map(|room| {
                let (last, at) = rooms.get(*room)?.last()?;
                let partition = partition_of(*room, self.cursors.len());
                let next = resume.next_offsets.get(partition as usize).copied().unwrap_or(0);
                (last >= Position::new(resume.epoch, next)).then_some((at, last, *room, partition, next))
            })
            .collect();
        written.sort_unstable_by(|one, other| other.cmp(one));
        let mut replayed = 0;
        for (_, last, room, partition, next) in written {
            let since = rooms.get(room).and_then(|loaded| visible_since(loaded, user));
            let of = recent.missed_in_room(room, partition, next).map(|of| of.cut_to(since));
            match of {
                Some(MissedOf { messages, hidden: None, .. }) if messages.is_empty() => {}
                Some(of) if replayed < limits::REPLAY_CONVERSATIONS => {
                    replayed += 1;
                    missed.conversations.push(of);
                }
                Some(_) => missed.further.push(room),
                None => missed.rooms.push((room, last)),
            }
        }
        missed.cut_to_newest();
    }

    pub(super) fn rooms(&self) -> RwLockReadGuard<'_, Rooms> {
        self.rooms.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn rooms_mut(&self) -> RwLockWriteGuard<'_, Rooms> {
        self.rooms.write().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whose membership or standing an event changed.
fn moves(changes: &[Change]) -> BTreeSet<UserId> {
    let moved = |change: &Change| match change {
        Change::Opened { user, .. } | Change::Closed { user, .. } | Change::Banned { user, .. } => {
            Some(*user)
        }
        _ => None,
    };
    changes.iter().filter_map(moved).collect()
}

/// From where on somebody surely sees everything, in a room that shows only the time of one's membership.
/// What else they may see (they were in it before, or got another role), history tells.
fn visible_since(loaded: &Loaded, user: UserId) -> Option<Position> {
    #[cfg(test)]
    if crate::mutation::Mutation::ResumeShowsWhatWasBefore.is_on() {
        return None;
    }
    let state = loaded.state();
    let membership = state.standing(user)?.membership?;
    (state.room()?.history == History::SinceJoin).then_some(membership.from)
}
