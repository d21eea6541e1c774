//! The rules: whether an event counts, given what stood before it.
//!
//! Rules about a person come before rules about the room, so that whoever is not in it learns nothing of it.

use std::collections::{BTreeMap, HashSet};

use milena_domain::limits::{EVERYONE_FREE_MEMBERS, REACTIONS_PER_PERSON_MAX, ROOM_MEMBERS_MAX};
use milena_domain::record::{Action, Emoji, Event, Posting, Role, RoomPatch, Visibility};
use milena_domain::{Position, UserId};

use crate::state::{Item, Room, Standing};
use crate::{ConversationState, Missing, Void};

/// The verdict without the changes: what admission needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Judgement {
    /// It counts.
    Counts,
    /// It does not.
    Void(Void),
    /// It changes nothing: what it says was so since there.
    Repeat(Position),
}

use Judgement::{Counts, Repeat};

impl From<Void> for Judgement {
    fn from(void: Void) -> Self {
        Self::Void(void)
    }
}

/// How far a verdict is when the message that the event is about was not looked at yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Leave {
    /// It is final.
    Settled(Judgement),
    /// The actor may do such things here; the message decides.
    About {
        /// Whether the actor may take away what others wrote.
        moderates: bool,
    },
}

impl From<Judgement> for Leave {
    fn from(judgement: Judgement) -> Self {
        Self::Settled(judgement)
    }
}

impl From<Void> for Leave {
    fn from(void: Void) -> Self {
        Self::Settled(void.into())
    }
}

/// What decides about a message that an event is about, as of just before the event.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facts {
    /// The message at that place; `None` when there is none.
    pub item: Option<Item>,
    /// The actor's reactions to it, each with where it was put.
    pub mine: BTreeMap<Emoji, Position>,
}

impl Facts {
    /// Carries on what an event that counts has changed of them.
    pub fn carry(&mut self, at: Position, action: &Action) {
        match action {
            Action::Deleted { .. } => {
                if let Some(item) = &mut self.item {
                    item.deleted = Some(at);
                }
            }
            Action::Pinned { on, .. } => {
                if let Some(item) = &mut self.item {
                    item.pinned = Some((at, *on));
                }
            }
            Action::Reacted { emoji, on: true, .. } => drop(self.mine.insert(emoji.clone(), at)),
            Action::Reacted { emoji, on: false, .. } => drop(self.mine.remove(emoji)),
            _ => {}
        }
    }
}

impl Leave {
    /// The verdict, given the message.
    #[must_use]
    pub fn decide(self, event: &Event, facts: &Facts) -> Judgement {
        self.given(event, facts.item.as_ref(), Some(&facts.mine))
    }

    fn given(
        self,
        event: &Event,
        item: Option<&Item>,
        mine: Option<&BTreeMap<Emoji, Position>>,
    ) -> Judgement {
        let moderates = match self {
            Self::Settled(judgement) => return judgement,
            Self::About { moderates } => moderates,
        };
        let Some(target) = event.action.target() else { return Void::NotPermitted.into() };
        // A place alone does not name a message.
        let item = item.filter(|item| item.id == target.id);
        match &event.action {
            Action::Deleted { .. } => judge_deletion(event, item, moderates),
            _ => judge_target(event, item, mine),
        }
    }
}

impl ConversationState {
    /// Whether the event would count if it stood next in the log. Repeats by id are the window's matter.
    ///
    /// # Errors
    /// [`Missing`] names what must be loaded first.
    pub fn judge(&self, event: &Event) -> Result<Judgement, Missing> {
        let missing = self.missing(event);
        if !missing.is_empty() {
            return Err(missing);
        }
        let leave = self.admitted(event);
        let Some(target) = event.action.target() else { return Ok(leave.given(event, None, None)) };
        let mine = self.reactions_of(target.position, event.actor);
        Ok(leave.given(event, self.item(target.position).flatten(), mine))
    }

    /// The first half of [`ConversationState::judge`], which needs no message: for whoever keeps what is
    /// known of messages elsewhere ([`Facts`]).
    ///
    /// # Errors
    /// [`Missing`] names the people who must be loaded first.
    pub fn admit(&self, event: &Event) -> Result<Leave, Missing> {
        let missing = self.missing(event);
        if !missing.people.is_empty() {
            return Err(Missing { people: missing.people, ..Missing::default() });
        }
        Ok(self.admitted(event))
    }

    fn admitted(&self, event: &Event) -> Leave {
        match event.to {
            Some(other) => self.judge_direct(event, other),
            None => self.judge_in_room(event),
        }
    }

    fn judge_direct(&self, event: &Event, other: UserId) -> Leave {
        let blocked = !self.blocks.is_empty();
        match &event.action {
            Action::Blocked { .. } if other == event.actor => Void::NotPermitted.into(),
            Action::Blocked { on } => match (on, self.blocks.get(&event.actor)) {
                (true, Some(since)) => Repeat(*since).into(),
                // Nothing tells any more where an older block ended; what was never blocked is as open as it
                // was.
                (false, None) => Repeat(Position::ZERO).into(),
                _ => Counts.into(),
            },
            // Taking one's own words back is nobody's disturbance.
            Action::Deleted { .. } => Leave::About { moderates: false },
            _ if blocked => Void::Blocked.into(),
            Action::Message(_) => Counts.into(),
            _ => Leave::About { moderates: false },
        }
    }

    fn judge_in_room(&self, event: &Event) -> Leave {
        let Some(room) = &self.room else {
            return match event.action {
                Action::RoomCreated(_) | Action::RoomState(_) => Counts.into(),
                _ => Void::NoRoom.into(),
            };
        };
        match &event.action {
            Action::RoomState(_) if room.awaits_more => return Counts.into(),
            Action::RoomCreated(_) | Action::RoomState(_) => return Repeat(room.created).into(),
            Action::Blocked { .. } => return Void::NotPermitted.into(),
            Action::Joined => return judge_joining(room, self.known(event.actor)).into(),
            _ => {}
        }
        let actor = self.known(event.actor);
        let Some(membership) = actor.membership else {
            return match (&event.action, actor.changed) {
                (Action::Left, Some(since)) => Repeat(since).into(),
                (action, _) if needs_role(action) => Void::NotPermitted.into(),
                _ => Void::NotMember.into(),
            };
        };
        if room.archived && !open_when_archived(&event.action) {
            return Void::Archived.into();
        }
        let role = membership.role;
        match &event.action {
            Action::Message(message) => {
                let too_loud = message.everyone && room.members > EVERYONE_FREE_MEMBERS;
                if role < poster(room) || (too_loud && role < Role::Moderator) {
                    return Void::NotPermitted.into();
                }
                Counts.into()
            }
            Action::Pinned { .. } if role < poster(room) => Void::NotPermitted.into(),
            Action::RoomChanged(patch) => judge_patch(room, role, patch).into(),
            Action::Left if role == Role::Owner && room.owners == 1 => Void::LastOwner.into(),
            Action::Left => Counts.into(),
            Action::MembersAdded { users } => self.judge_adding(room, users).into(),
            Action::Removed { user } => self.judge_removal(event.actor, role, *user, false).into(),
            Action::Banned { user } => self.judge_removal(event.actor, role, *user, true).into(),
            Action::Unbanned { user } => {
                let standing = self.known(*user);
                if role < Role::Moderator {
                    Void::NotPermitted.into()
                } else if standing.banned {
                    Counts.into()
                } else {
                    Repeat(standing.changed.unwrap_or(room.created)).into()
                }
            }
            Action::RoleChanged { user, role: wanted } => self.judge_role(room, role, *user, *wanted).into(),
            _ => Leave::About { moderates: role >= Role::Moderator },
        }
    }

    fn judge_adding(&self, room: &Room, users: &[UserId]) -> Judgement {
        let mut newcomers = 0;
        let (mut first, mut banned) = (None, false);
        let each: HashSet<&UserId> = users.iter().collect();
        for user in each {
            let standing = self.known(*user);
            match standing.membership {
                _ if standing.banned => banned = true,
                Some(membership) => first = first.max(Some(membership.from)),
                None => newcomers += 1,
            }
        }
        if newcomers == 0 {
            return match first {
                Some(first) => Repeat(first),
                None if banned => Void::Banned.into(),
                None => Repeat(room.created),
            };
        }
        if room.members.saturating_add(newcomers) > ROOM_MEMBERS_MAX { Void::Full.into() } else { Counts }
    }

    fn judge_removal(&self, actor: UserId, role: Role, user: UserId, ban: bool) -> Judgement {
        let standing = self.known(user);
        let above = |other: Role| role == Role::Owner || role > other;
        // Whoever wants to go says so: `left` knows about the last owner.
        if role < Role::Moderator || user == actor {
            return Void::NotPermitted.into();
        }
        match (standing.membership, standing.changed) {
            (Some(membership), _) if !above(membership.role) => Void::NotPermitted.into(),
            (Some(_), _) => Counts,
            (None, since) if ban => match since {
                Some(since) if standing.banned => Repeat(since),
                _ => Counts,
            },
            (None, Some(since)) => Repeat(since),
            (None, None) => Void::NotMember.into(),
        }
    }

    fn judge_role(&self, room: &Room, role: Role, user: UserId, wanted: Role) -> Judgement {
        let Some(membership) = self.known(user).membership else {
            return Void::NotMember.into();
        };
        if role < Role::Owner {
            Void::NotPermitted.into()
        } else if membership.role == wanted {
            Repeat(membership.from)
        } else if membership.role == Role::Owner && room.owners == 1 {
            Void::LastOwner.into()
        } else {
            Counts
        }
    }

    /// What is known of somebody; `missing` was asked before.
    pub(crate) fn known(&self, user: UserId) -> Standing {
        self.standing(user).unwrap_or_default()
    }
}

fn judge_deletion(event: &Event, item: Option<&Item>, moderates: bool) -> Judgement {
    match item {
        Some(item) if item.author != event.actor && !moderates => Void::NotPermitted.into(),
        Some(Item { deleted: Some(since), .. }) => Repeat(*since),
        Some(_) => Counts,
        None => Void::NotPermitted.into(),
    }
}

/// Edits, reactions and pins.
fn judge_target(event: &Event, item: Option<&Item>, mine: Option<&BTreeMap<Emoji, Position>>) -> Judgement {
    let Some(target) = event.action.target() else { return Void::NotPermitted.into() };
    let Some(item) = item else { return Void::NotPermitted.into() };
    if matches!(event.action, Action::Edited { .. }) && item.author != event.actor {
        return Void::NotPermitted.into();
    }
    if item.deleted.is_some() {
        return Void::Deleted.into();
    }
    match &event.action {
        Action::Reacted { emoji, on, .. } => {
            let Some(mine) = mine else { return Counts };
            match (mine.get(emoji), on) {
                (Some(since), true) => Repeat(*since),
                (None, false) => Repeat(target.position),
                (None, true) if mine.len() >= REACTIONS_PER_PERSON_MAX => Void::TooManyReactions.into(),
                _ => Counts,
            }
        }
        Action::Pinned { on, .. } => match item.pinned {
            Some((since, pinned)) if pinned == *on => Repeat(since),
            None if !on => Repeat(target.position),
            _ => Counts,
        },
        _ => Counts,
    }
}

fn judge_joining(room: &Room, standing: Standing) -> Judgement {
    if let Some(membership) = standing.membership {
        Repeat(membership.from)
    } else if standing.banned {
        Void::Banned.into()
    } else if room.visibility == Visibility::Private {
        Void::NotPermitted.into()
    } else if room.archived {
        Void::Archived.into()
    } else if room.members >= ROOM_MEMBERS_MAX {
        Void::Full.into()
    } else {
        Counts
    }
}

fn judge_patch(room: &Room, role: Role, patch: &RoomPatch) -> Judgement {
    let for_owners = patch.handle.is_some()
        || patch.visibility.is_some()
        || patch.posting.is_some()
        || patch.archived.is_some();
    if role < Role::Moderator || (for_owners && role < Role::Owner) {
        Void::NotPermitted.into()
    } else if same(&patch.handle, &room.handle)
        && same(&patch.title, &room.title)
        && same(&patch.topic, &room.topic)
        && same(&patch.visibility, &room.visibility)
        && same(&patch.posting, &room.posting)
        && same(&patch.archived, &room.archived)
    {
        Repeat(room.changed)
    } else {
        Counts
    }
}

fn same<T: PartialEq>(wanted: &Option<T>, is: &T) -> bool {
    wanted.as_ref().is_none_or(|wanted| wanted == is)
}

/// The least role that may write.
const fn poster(room: &Room) -> Role {
    match room.posting {
        Posting::Members => Role::Member,
        Posting::Moderators => Role::Moderator,
    }
}

/// What not every member may do, whatever the room is like: whoever is not in it may not either, and of two
/// who send each other away the second is refused as somebody without the role.
const fn needs_role(action: &Action) -> bool {
    matches!(
        action,
        Action::RoomChanged(_)
            | Action::Removed { .. }
            | Action::Banned { .. }
            | Action::Unbanned { .. }
            | Action::RoleChanged { .. }
    )
}

/// What goes on in a closed room: going, keeping order, and opening it again.
const fn open_when_archived(action: &Action) -> bool {
    match action {
        Action::Left
        | Action::Removed { .. }
        | Action::Banned { .. }
        | Action::Unbanned { .. }
        | Action::RoleChanged { .. }
        | Action::Deleted { .. } => true,
        Action::RoomChanged(patch) => patch.archived.is_some(),
        _ => false,
    }
}
