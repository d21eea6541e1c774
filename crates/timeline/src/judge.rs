//! The rules: whether an event counts, given what stood before it.
//!
//! Rules about a person come before rules about the room, so that whoever is not in it learns nothing of it.

use std::collections::HashSet;

use milena_domain::limits::{EVERYONE_FREE_MEMBERS, REACTIONS_PER_PERSON_MAX, ROOM_MEMBERS_MAX};
use milena_domain::record::{Action, Event, Posting, Role, RoomPatch, Target, Visibility};
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
        Ok(match event.to {
            Some(other) => self.judge_direct(event, other),
            None => self.judge_in_room(event),
        })
    }

    fn judge_direct(&self, event: &Event, other: UserId) -> Judgement {
        let blocked = !self.blocks.is_empty();
        match &event.action {
            Action::Blocked { .. } if other == event.actor => Void::NotPermitted.into(),
            Action::Blocked { on } => match (on, self.blocks.get(&event.actor)) {
                (true, Some(since)) => Repeat(*since),
                // Nothing tells any more where an older block ended; what was never blocked is as open as it
                // was.
                (false, None) => Repeat(Position::ZERO),
                _ => Counts,
            },
            // Taking one's own words back is nobody's disturbance.
            Action::Deleted { target, .. } => self.judge_deletion(event, *target, false),
            _ if blocked => Void::Blocked.into(),
            Action::Message(_) => Counts,
            _ => self.judge_target(event),
        }
    }

    fn judge_in_room(&self, event: &Event) -> Judgement {
        let Some(room) = &self.room else {
            return match event.action {
                Action::RoomCreated(_) | Action::RoomState(_) => Counts,
                _ => Void::NoRoom.into(),
            };
        };
        match &event.action {
            Action::RoomState(_) if room.awaits_more => return Counts,
            Action::RoomCreated(_) | Action::RoomState(_) => return Repeat(room.created),
            Action::Blocked { .. } => return Void::NotPermitted.into(),
            Action::Joined => return judge_joining(room, self.known(event.actor)),
            _ => {}
        }
        let actor = self.known(event.actor);
        let Some(membership) = actor.membership else {
            return match (&event.action, actor.changed) {
                (Action::Left, Some(since)) => Repeat(since),
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
                Counts
            }
            Action::Pinned { .. } if role < poster(room) => Void::NotPermitted.into(),
            Action::Deleted { target, .. } => self.judge_deletion(event, *target, role >= Role::Moderator),
            Action::RoomChanged(patch) => judge_patch(room, role, patch),
            Action::Left if role == Role::Owner && room.owners == 1 => Void::LastOwner.into(),
            Action::Left => Counts,
            Action::MembersAdded { users } => self.judge_adding(room, users),
            Action::Removed { user } => self.judge_removal(event.actor, role, *user, false),
            Action::Banned { user } => self.judge_removal(event.actor, role, *user, true),
            Action::Unbanned { user } => {
                let standing = self.known(*user);
                if role < Role::Moderator {
                    Void::NotPermitted.into()
                } else if standing.banned {
                    Counts
                } else {
                    Repeat(standing.changed.unwrap_or(room.created))
                }
            }
            Action::RoleChanged { user, role: wanted } => self.judge_role(room, role, *user, *wanted),
            _ => self.judge_target(event),
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

    fn judge_deletion(&self, event: &Event, target: Target, moderates: bool) -> Judgement {
        match self.message(target) {
            Some(item) if item.author != event.actor && !moderates => Void::NotPermitted.into(),
            Some(Item { deleted: Some(since), .. }) => Repeat(*since),
            Some(_) => Counts,
            None => Void::NotPermitted.into(),
        }
    }

    /// Edits, reactions and pins.
    fn judge_target(&self, event: &Event) -> Judgement {
        let Some(target) = event.action.target() else { return Void::NotPermitted.into() };
        let Some(item) = self.message(target) else { return Void::NotPermitted.into() };
        if matches!(event.action, Action::Edited { .. }) && item.author != event.actor {
            return Void::NotPermitted.into();
        }
        if item.deleted.is_some() {
            return Void::Deleted.into();
        }
        match &event.action {
            Action::Reacted { emoji, on, .. } => {
                let Some(mine) = self.reactions_of(target.position, event.actor) else { return Counts };
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

    /// The message that a target names; a place alone does not name it.
    fn message(&self, target: Target) -> Option<&Item> {
        self.item(target.position).flatten().filter(|item| item.id == target.id)
    }

    /// What is known of somebody; `missing` was asked before.
    pub(crate) fn known(&self, user: UserId) -> Standing {
        self.standing(user).unwrap_or_default()
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
