//! What the fold knows of one conversation.
//!
//! A state may be *partial*: the people and messages that it was told about, as of one position. A backend
//! that has a room's whole roster says so; a consumer loads the people of a batch. Both give the same
//! verdicts, because a state that does not know names what it misses.

use std::collections::{BTreeMap, HashMap, HashSet};

use milena_domain::record::{Emoji, Event, Handle, History, Posting, Role, Title, Topic, Visibility};
use milena_domain::{MessageId, Position, UserId};

use crate::Missing;

/// A room, apart from its people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Room {
    /// Its name in addresses.
    pub handle: Handle,
    /// Its title.
    pub title: Title,
    /// What it is about; empty for nothing.
    pub topic: Topic,
    /// Who may find and join it.
    pub visibility: Visibility,
    /// What members see of the time before them.
    pub history: History,
    /// Who may write.
    pub posting: Posting,
    /// Whether it is closed.
    pub archived: bool,
    /// Where it was created.
    pub created: Position,
    /// Where any of the above was last changed.
    pub changed: Position,
    /// People in it.
    pub members: u32,
    /// Owners among them.
    pub owners: u32,
    /// A checkpoint of several records of which not all were read yet.
    pub awaits_more: bool,
}

/// Somebody's being in a room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Membership {
    /// As what.
    pub role: Role,
    /// Since which event, in this role.
    pub from: Position,
}

/// What a room knows of a person; of a stranger the default.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Standing {
    /// In the room, or not.
    pub membership: Option<Membership>,
    /// Kept away.
    pub banned: bool,
    /// Where they last went, were removed, banned or unbanned.
    pub changed: Option<Position>,
}

/// What the fold must know of a message that a later event is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// Its id.
    pub id: MessageId,
    /// Who wrote it.
    pub author: UserId,
    /// Where it was deleted.
    pub deleted: Option<Position>,
    /// Where it was last pinned (`true`) or unpinned.
    pub pinned: Option<(Position, bool)>,
}

/// One conversation as of one position.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ConversationState {
    pub(crate) room: Option<Room>,
    /// Who blocks the other in a direct conversation, and since where.
    pub(crate) blocks: BTreeMap<UserId, Position>,
    pub(crate) last_seq: u64,
    pub(crate) people: HashMap<UserId, Standing>,
    pub(crate) whole_roster: bool,
    /// `None`: there is no message.
    pub(crate) items: HashMap<Position, Option<Item>>,
    pub(crate) reactions: HashMap<(Position, UserId), BTreeMap<Emoji, Position>>,
    /// Messages of which all reactions are known, because this state saw them written.
    pub(crate) whole_since: Option<Position>,
}

impl ConversationState {
    /// A conversation of which nothing stands in the log yet: everything about it is known.
    #[must_use]
    pub fn unwritten() -> Self {
        Self { whole_roster: true, whole_since: Some(Position::ZERO), ..Self::default() }
    }

    /// A conversation as a projection has it at its offsets: people and messages are asked for when they are
    /// needed.
    #[must_use]
    pub fn stored(
        room: Option<Room>,
        blocks: impl IntoIterator<Item = (UserId, Position)>,
        last_seq: u64,
    ) -> Self {
        Self { room, blocks: blocks.into_iter().collect(), last_seq, ..Self::default() }
    }

    /// Tells what the room knows of somebody.
    pub fn load_standing(&mut self, user: UserId, standing: Standing) {
        self.people.insert(user, standing);
    }

    /// Tells of everybody whom the room knows anything of; from then on everybody else is a stranger.
    pub fn load_roster(&mut self, people: impl IntoIterator<Item = (UserId, Standing)>) {
        self.people = people.into_iter().collect();
        self.whole_roster = true;
    }

    /// Tells which message stands at a position of this conversation; `None` for none.
    pub fn load_item(&mut self, position: Position, item: Option<Item>) {
        self.items.insert(position, item);
    }

    /// Tells which reactions somebody has on a message, each with where it was put.
    pub fn load_reactions(
        &mut self,
        target: Position,
        user: UserId,
        emoji: impl IntoIterator<Item = (Emoji, Position)>,
    ) {
        self.reactions.insert((target, user), emoji.into_iter().collect());
    }

    /// Forgets messages and reactions, to stay small; they are asked for again when they are needed.
    pub fn forget_items(&mut self) {
        self.items.clear();
        self.reactions.clear();
        self.whole_since = None;
    }

    /// The room; `None` for a direct conversation, and for a room that nobody created.
    #[must_use]
    pub const fn room(&self) -> Option<&Room> {
        self.room.as_ref()
    }

    /// Who blocks the other in a direct conversation, and since where.
    pub fn blocks(&self) -> impl Iterator<Item = (UserId, Position)> {
        self.blocks.iter().map(|(&user, &since)| (user, since))
    }

    /// How many messages it has.
    #[must_use]
    pub const fn last_seq(&self) -> u64 {
        self.last_seq
    }

    /// What is known of somebody; `None` if it was not loaded.
    #[must_use]
    pub fn standing(&self, user: UserId) -> Option<Standing> {
        let known = self.people.get(&user).copied();
        if self.whole_roster { Some(known.unwrap_or_default()) } else { known }
    }

    /// Everybody who is in the room as far as this state was told, in no order.
    pub fn members(&self) -> impl Iterator<Item = (UserId, Membership)> {
        self.people.iter().filter_map(|(&user, standing)| Some((user, standing.membership?)))
    }

    /// Everybody whom the room knows anything of as far as this state was told, in no order.
    pub fn people(&self) -> impl Iterator<Item = (UserId, Standing)> {
        self.people.iter().map(|(&user, &standing)| (user, standing))
    }

    /// How many people this state was told of, members or not.
    #[must_use]
    pub fn known_people(&self) -> usize {
        self.people.len()
    }

    /// What must be loaded before this event can be judged.
    #[must_use]
    pub fn missing(&self, event: &Event) -> Missing {
        let mut missing = Missing::default();
        if event.to.is_none() && self.room.is_some() {
            let mut asked = HashSet::new();
            let people = std::iter::once(&event.actor).chain(event.action.subjects());
            let unknown = people.filter(|user| self.standing(**user).is_none() && asked.insert(**user));
            missing.people.extend(unknown.copied());
        }
        if let Some(target) = event.action.target() {
            let position = target.position;
            if self.item(position).is_none() {
                missing.items.push(position);
            }
            if matches!(event.action, milena_domain::record::Action::Reacted { .. })
                && self.reactions_of(position, event.actor).is_none()
            {
                missing.reactions.push((position, event.actor));
            }
        }
        missing
    }

    /// The message at a position, if that is known: `Some(None)` if there is none.
    pub(crate) fn item(&self, position: Position) -> Option<Option<&Item>> {
        match self.items.get(&position) {
            Some(item) => Some(item.as_ref()),
            None => self.saw(position).then_some(None),
        }
    }

    /// Somebody's reactions to the message at a position, if they are known.
    pub(crate) fn reactions_of(&self, target: Position, user: UserId) -> Option<&BTreeMap<Emoji, Position>> {
        const NONE: &BTreeMap<Emoji, Position> = &BTreeMap::new();
        self.reactions.get(&(target, user)).or_else(|| self.saw(target).then_some(NONE))
    }

    /// Whether this state saw everything that was written from `position` on.
    fn saw(&self, position: Position) -> bool {
        self.whole_since.is_some_and(|since| position >= since)
    }
}
