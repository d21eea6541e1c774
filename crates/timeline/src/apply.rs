//! Carrying an event that counts into the state, and naming what it changes.

use std::collections::HashSet;

use milena_domain::record::{Action, Created, Placed, Role, RoomPatch, Seat, Snapshot, Topic};
use milena_domain::{Position, UserId};

use crate::fold::changes_about;
use crate::judge::Judgement;
use crate::state::{Item, Membership, Room};
use crate::{Change, ConversationState, Missing, Outcome};

impl ConversationState {
    /// Judges the event, and if it counts, changes the state by it. Repeats by id are the window's matter
    /// ([`fold`](crate::fold())).
    ///
    /// # Errors
    /// [`Missing`]: nothing was changed.
    pub fn apply(&mut self, placed: &Placed) -> Result<Outcome, Missing> {
        match self.judge(&placed.event)? {
            Judgement::Void(void) => Ok(Outcome::Void(void)),
            Judgement::Repeat(first) => Ok(Outcome::Repeat(first)),
            Judgement::Counts => {
                self.whole_since.get_or_insert(placed.position);
                Ok(Outcome::Effective(self.carry(placed)))
            }
        }
    }

    fn carry(&mut self, placed: &Placed) -> Vec<Change> {
        let (at, event) = (placed.position, &placed.event);
        let actor = event.actor;
        match &event.action {
            Action::Message(_) => {
                self.last_seq += 1;
                let item = Item { id: event.id, author: actor, deleted: None, pinned: None };
                self.items.insert(at, Some(item));
                vec![Change::Message { seq: self.last_seq }]
            }
            Action::Edited { .. } => changes_about(&event.action),
            Action::Deleted { target, .. } => {
                if let Some(Some(item)) = self.items.get_mut(&target.position) {
                    item.deleted = Some(at);
                }
                changes_about(&event.action)
            }
            Action::Reacted { target, emoji, on } => {
                let mine = self.reactions.entry((target.position, actor)).or_default();
                if *on {
                    mine.insert(emoji.clone(), at);
                } else {
                    mine.remove(emoji);
                }
                changes_about(&event.action)
            }
            Action::Pinned { target, on } => {
                if let Some(Some(item)) = self.items.get_mut(&target.position) {
                    item.pinned = Some((at, *on));
                }
                changes_about(&event.action)
            }
            Action::Blocked { on } => {
                if *on {
                    self.blocks.insert(actor, at);
                } else {
                    self.blocks.remove(&actor);
                }
                vec![Change::Blocked { by: actor, on: *on }]
            }
            Action::RoomCreated(created) => self.create(at, actor, created),
            Action::RoomState(snapshot) => self.restore(at, snapshot),
            Action::RoomChanged(patch) => {
                if let Some(room) = &mut self.room {
                    change(room, at, patch);
                }
                vec![Change::Happened, Change::Room]
            }
            Action::Joined => self.happened(|state, changes| state.open(at, actor, Role::Member, changes)),
            Action::Left => self.happened(|state, changes| state.close(at, actor, changes)),
            Action::MembersAdded { users } => self.happened(|state, changes| {
                for &user in users {
                    let standing = state.known(user);
                    if standing.membership.is_none() && !standing.banned {
                        state.open(at, user, Role::Member, changes);
                    }
                }
            }),
            Action::Removed { user } => self.happened(|state, changes| state.close(at, *user, changes)),
            Action::Banned { user } => self.happened(|state, changes| {
                state.close(at, *user, changes);
                state.keep_away(at, *user, true, changes);
            }),
            Action::Unbanned { user } => {
                self.happened(|state, changes| state.keep_away(at, *user, false, changes))
            }
            Action::RoleChanged { user, role } => self.happened(|state, changes| {
                state.close(at, *user, changes);
                state.open(at, *user, *role, changes);
            }),
        }
    }

    /// An event of the room itself: it stands in the timeline, and changes who is in it.
    fn happened(&mut self, step: impl FnOnce(&mut Self, &mut Vec<Change>)) -> Vec<Change> {
        let mut changes = vec![Change::Happened];
        step(self, &mut changes);
        changes
    }

    fn open(&mut self, from: Position, user: UserId, role: Role, changes: &mut Vec<Change>) {
        self.people.entry(user).or_default().membership = Some(Membership { role, from });
        if let Some(room) = &mut self.room {
            room.members += 1;
            room.owners += u32::from(role == Role::Owner);
        }
        changes.push(Change::Opened { user, role, from });
    }

    fn close(&mut self, at: Position, user: UserId, changes: &mut Vec<Change>) {
        let standing = self.people.entry(user).or_default();
        let Some(Membership { role, from }) = standing.membership.take() else { return };
        standing.changed = Some(at);
        if let Some(room) = &mut self.room {
            room.members = room.members.saturating_sub(1);
            room.owners = room.owners.saturating_sub(u32::from(role == Role::Owner));
        }
        changes.push(Change::Closed { user, from });
    }

    fn keep_away(&mut self, at: Position, user: UserId, on: bool, changes: &mut Vec<Change>) {
        let standing = self.people.entry(user).or_default();
        standing.banned = on;
        standing.changed = Some(at);
        changes.push(Change::Banned { user, on });
    }

    fn create(&mut self, at: Position, creator: UserId, created: &Created) -> Vec<Change> {
        self.room = Some(room(created, at, at));
        self.whole_roster = true;
        self.people.clear();
        let mut changes = vec![Change::Happened, Change::Room];
        self.open(at, creator, Role::Owner, &mut changes);
        self.seat(at, &created.members, &mut changes);
        changes
    }

    /// A checkpoint, or one more part of it. Only the first one begins the room. Its members were there
    /// before it, also where positions are counted anew (a replay into an empty store).
    fn restore(&mut self, at: Position, snapshot: &Snapshot) -> Vec<Change> {
        let mut changes = Vec::new();
        if self.room.is_none() {
            self.room =
                Some(Room { archived: snapshot.archived, ..room(&snapshot.room, snapshot.created, at) });
            self.last_seq = snapshot.last_seq;
            self.whole_roster = true;
            self.people.clear();
            changes.push(Change::Room);
        }
        self.seat(at, &snapshot.room.members, &mut changes);
        for &user in &snapshot.banned {
            self.keep_away(at, user, true, &mut changes);
        }
        if let Some(room) = &mut self.room {
            room.awaits_more = snapshot.more;
        }
        changes
    }

    fn seat(&mut self, at: Position, seats: &[Seat], changes: &mut Vec<Change>) {
        let mut seated: HashSet<UserId> = self.members().map(|(user, _)| user).collect();
        for seat in seats {
            if seated.insert(seat.user) {
                self.open(seat.from.map_or(at, |from| from.min(at)), seat.user, seat.role, changes);
            }
        }
    }
}

fn room(created: &Created, at: Position, changed: Position) -> Room {
    Room {
        handle: created.handle.clone(),
        title: created.title.clone(),
        topic: created.topic.clone().unwrap_or_else(no_topic),
        visibility: created.visibility,
        history: created.history,
        posting: created.posting,
        archived: false,
        created: at,
        changed,
        members: 0,
        owners: 0,
        awaits_more: false,
    }
}

fn no_topic() -> Topic {
    Topic::new("").expect("an empty topic is one")
}

fn change(room: &mut Room, at: Position, patch: &RoomPatch) {
    fn set<T: Clone>(is: &mut T, wanted: &Option<T>) {
        if let Some(wanted) = wanted {
            is.clone_from(wanted);
        }
    }
    set(&mut room.handle, &patch.handle);
    set(&mut room.title, &patch.title);
    set(&mut room.topic, &patch.topic);
    set(&mut room.visibility, &patch.visibility);
    set(&mut room.posting, &patch.posting);
    set(&mut room.archived, &patch.archived);
    room.changed = at;
}
