//! What an event does: one variant a type of the log.

use serde::{Deserialize, Serialize};

use super::{Emoji, Handle, History, Posting, Reason, Role, Title, Topic, Visibility};
use crate::{Body, MessageId, Position, UserId};

/// A type of the log with its payload. The names of the variants, in snake case, are the record's `type`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Somebody wrote something.
    Message(Message),
    /// An author changed the words.
    Edited {
        /// The message.
        target: Target,
        /// The new words.
        body: Body,
        /// Who is named now, at most [`MENTIONS_MAX`](crate::limits::MENTIONS_MAX).
        mentions: Vec<UserId>,
    },
    /// An author, or in a room a moderator, took a message away.
    Deleted {
        /// The message.
        target: Target,
        /// What the moderator says about it.
        reason: Option<Reason>,
    },
    /// Somebody put a reaction to a message, or took it back.
    Reacted {
        /// The message.
        target: Target,
        /// Which one.
        emoji: Emoji,
        /// Put or taken back.
        on: bool,
    },
    /// Somebody pinned a message, or took the pin out.
    Pinned {
        /// The message.
        target: Target,
        /// Pinned or not.
        on: bool,
    },
    /// The first event of a room.
    RoomCreated(Created),
    /// What is named is changed, the rest stays.
    RoomChanged(RoomPatch),
    /// The actor came by themselves.
    Joined,
    /// The actor went.
    Left,
    /// A member brought others.
    MembersAdded {
        /// Whom, at most [`MEMBERS_ADDED_MAX`](crate::limits::MEMBERS_ADDED_MAX).
        users: Vec<UserId>,
    },
    /// Somebody was sent away, and may come again.
    Removed {
        /// Who.
        user: UserId,
    },
    /// Somebody was sent away, or kept away, until the ban is lifted.
    Banned {
        /// Who.
        user: UserId,
    },
    /// A ban was lifted.
    Unbanned {
        /// Whose.
        user: UserId,
    },
    /// Somebody may do more, or less.
    RoleChanged {
        /// Who.
        user: UserId,
        /// What they are now.
        role: Role,
    },
    /// In a direct conversation: the actor wants to hear nothing more of the other, or wants to again.
    Blocked {
        /// Blocked or not.
        on: bool,
    },
    /// A checkpoint, written by `new-epoch` alone: what the fold knew of a room at the end of the epoch
    /// before.
    RoomState(Box<Snapshot>),
}

/// Names an earlier event of the same conversation. It always stands before the event that names it, so
/// nothing ever waits for its target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Target {
    /// Its place.
    pub position: Position,
    /// Its id: whoever names a place of another epoch or conversation names another message.
    pub id: MessageId,
}

/// The payload of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// The words.
    pub body: Body,
    /// What it answers.
    pub reply_to: Option<Target>,
    /// Who is named, at most [`MENTIONS_MAX`](crate::limits::MENTIONS_MAX).
    pub mentions: Vec<UserId>,
    /// Whether it calls everybody in the room.
    pub everyone: bool,
}

impl Message {
    /// Words and nothing else.
    #[must_use]
    pub const fn plain(body: Body) -> Self {
        Self { body, reply_to: None, mentions: Vec::new(), everyone: false }
    }
}

/// A member as creation and checkpoint list them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seat {
    /// Who.
    pub user: UserId,
    /// As what.
    pub role: Role,
    /// Since when, in a checkpoint.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Position>,
}

/// The payload of a creation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Created {
    /// Its name in addresses.
    pub handle: Handle,
    /// Its title.
    pub title: Title,
    /// What it is about.
    pub topic: Option<Topic>,
    /// Who may find and join it.
    pub visibility: Visibility,
    /// What members see of the time before them.
    pub history: History,
    /// Who may write.
    pub posting: Posting,
    /// Who is in it from the first moment, besides the actor, who is its owner; at most
    /// [`MEMBERS_ADDED_MAX`](crate::limits::MEMBERS_ADDED_MAX).
    pub members: Vec<Seat>,
}

/// The payload of a change: what is `None` stays as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RoomPatch {
    /// A new name in addresses.
    pub handle: Option<Handle>,
    /// A new title.
    pub title: Option<Title>,
    /// A new topic; empty for none.
    pub topic: Option<Topic>,
    /// Who may find and join it from now on.
    pub visibility: Option<Visibility>,
    /// Who may write from now on.
    pub posting: Option<Posting>,
    /// Closed for good, or opened again.
    pub archived: Option<bool>,
}

impl RoomPatch {
    /// Whether nothing is named.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// The payload of a checkpoint. A room of many members takes several records, because a record has a size
/// limit: each repeats what is not the members, and all but the last say `more`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// The room as it was; `members` are those of this part, the creator being its events' actor.
    pub room: Created,
    /// Whether it was closed.
    pub archived: bool,
    /// Where it was created.
    pub created: Position,
    /// How many messages it had.
    pub last_seq: u64,
    /// Who was kept away, of this part.
    pub banned: Vec<UserId>,
    /// Whether another part follows.
    pub more: bool,
}

/// What the log takes of somebody who is named: an id in JSON, and the comma after it.
pub const PERSON_BYTES: usize = 39;
/// The same of a [`Seat`], with the names of its fields.
const SEAT_BYTES: usize = 67;

fn of_text<T: AsRef<str>>(text: Option<&T>) -> usize {
    text.map_or(0, |text| text.as_ref().len())
}

impl Created {
    /// See [`Action::payload_bytes`].
    #[must_use]
    pub fn payload_bytes(&self) -> usize {
        let Self { handle, title, topic, members, .. } = self;
        let texts = handle.as_str().len() + title.as_str().len() + of_text(topic.as_ref());
        texts + members.len() * SEAT_BYTES
    }
}

impl Action {
    /// What the payload takes of the log, about: its texts and the people whom it names. What every event has
    /// (ids, times, a target, names of fields) is not in it.
    #[must_use]
    pub fn payload_bytes(&self) -> usize {
        match self {
            Self::Message(Message { body, mentions, .. }) | Self::Edited { body, mentions, .. } => {
                body.as_str().len() + mentions.len() * PERSON_BYTES
            }
            Self::Deleted { reason, .. } => of_text(reason.as_ref()),
            Self::Reacted { emoji, .. } => emoji.as_str().len(),
            Self::RoomCreated(created) => created.payload_bytes(),
            Self::RoomChanged(RoomPatch { handle, title, topic, .. }) => {
                of_text(handle.as_ref()) + of_text(title.as_ref()) + of_text(topic.as_ref())
            }
            Self::MembersAdded { users } => users.len() * PERSON_BYTES,
            Self::RoomState(snapshot) => snapshot.room.payload_bytes() + snapshot.banned.len() * PERSON_BYTES,
            Self::Pinned { .. }
            | Self::Joined
            | Self::Left
            | Self::Removed { .. }
            | Self::Banned { .. }
            | Self::Unbanned { .. }
            | Self::RoleChanged { .. }
            | Self::Blocked { .. } => 0,
        }
    }

    /// The record's `type`.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Message(_) => "message",
            Self::Edited { .. } => "edited",
            Self::Deleted { .. } => "deleted",
            Self::Reacted { .. } => "reacted",
            Self::Pinned { .. } => "pinned",
            Self::RoomCreated(_) => "room_created",
            Self::RoomChanged(_) => "room_changed",
            Self::Joined => "joined",
            Self::Left => "left",
            Self::MembersAdded { .. } => "members_added",
            Self::Removed { .. } => "removed",
            Self::Banned { .. } => "banned",
            Self::Unbanned { .. } => "unbanned",
            Self::RoleChanged { .. } => "role_changed",
            Self::Blocked { .. } => "blocked",
            Self::RoomState(_) => "room_state",
        }
    }

    /// The message that it is about, of which the fold must know some facts.
    #[must_use]
    pub const fn target(&self) -> Option<Target> {
        match self {
            Self::Edited { target, .. }
            | Self::Deleted { target, .. }
            | Self::Reacted { target, .. }
            | Self::Pinned { target, .. } => Some(*target),
            _ => None,
        }
    }

    /// The people, besides the actor, whose standing decides whether it counts.
    #[must_use]
    pub fn subjects(&self) -> &[UserId] {
        match self {
            Self::MembersAdded { users } => users,
            Self::Removed { user }
            | Self::Banned { user }
            | Self::Unbanned { user }
            | Self::RoleChanged { user, .. } => std::slice::from_ref(user),
            _ => &[],
        }
    }
}
