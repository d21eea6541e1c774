//! What the fold says of an event.

use milena_domain::record::{Emoji, Role};
use milena_domain::{MessageId, Position, UserId};

/// The verdict, the same in every program that reads the same log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It counts, and this is what it changes, in order. Empty where only the log needed it.
    Effective(Vec<Change>),
    /// A good record that came too late or was never allowed: shown to nobody, its `client_id` not used up.
    Void(Void),
    /// It was said before, or changes nothing: answered with the place of the first.
    Repeat(Position),
}

/// Why an event does not count. The code goes to the sender and to the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, thiserror::Error)]
pub enum Void {
    /// The actor, or whom it concerns, is not in the room.
    #[error("not a member of the room")]
    NotMember,
    /// The actor may not do this, be it as no member of the room, or the target is not a message that they
    /// may do it to.
    #[error("not permitted")]
    NotPermitted,
    /// A room keeps an owner.
    #[error("the last owner cannot go or step down")]
    LastOwner,
    /// They were kept away.
    #[error("banned from the room")]
    Banned,
    /// The room is closed.
    #[error("the room is archived")]
    Archived,
    /// No more members fit.
    #[error("the room is full")]
    Full,
    /// Deletion wins.
    #[error("the message is deleted")]
    Deleted,
    /// One of the two does not want to hear from the other.
    #[error("the conversation is blocked")]
    Blocked,
    /// One person's different reactions to one message have a limit.
    #[error("too many different reactions")]
    TooManyReactions,
    /// Nobody created it.
    #[error("there is no such room")]
    NoRoom,
    /// What the backend had seen lies too far back to rule out a repeat; it sends the event again with a new
    /// proof.
    #[error("the proof that it is no repeat is too old")]
    StaleProof,
}

impl Void {
    /// All of them.
    pub const ALL: [Self; 11] = [
        Self::NotMember,
        Self::NotPermitted,
        Self::LastOwner,
        Self::Banned,
        Self::Archived,
        Self::Full,
        Self::Deleted,
        Self::Blocked,
        Self::TooManyReactions,
        Self::NoRoom,
        Self::StaleProof,
    ];

    /// A stable name for answers, rows and metrics.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::NotMember => "not_member",
            Self::NotPermitted => "not_permitted",
            Self::LastOwner => "last_owner",
            Self::Banned => "banned",
            Self::Archived => "archived",
            Self::Full => "full",
            Self::Deleted => "deleted",
            Self::Blocked => "blocked",
            Self::TooManyReactions => "too_many_reactions",
            Self::NoRoom => "no_room",
            Self::StaleProof => "stale_proof",
        }
    }

    /// The reason with this code, for what a row says.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|void| void.code() == code)
    }
}

/// One thing that an effective event changes. A projection applies them as they are, and needs no rule of its
/// own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// A message is appended to the timeline, the conversation's `seq`-th.
    Message {
        /// 1 for the first one.
        seq: u64,
    },
    /// The event itself is appended to the timeline, as something that happened in the room.
    Happened,
    /// The words of the message there are replaced by the event's.
    Edited {
        /// The message.
        target: Position,
    },
    /// The message there loses its words, edits, mentions and reactions.
    Deleted {
        /// The message.
        target: Position,
    },
    /// The actor's reaction to the message there comes or goes.
    Reacted {
        /// The message.
        target: Position,
        /// Which one.
        emoji: Emoji,
        /// Comes or goes.
        on: bool,
    },
    /// The message there is pinned, or no longer.
    Pinned {
        /// The message.
        target: Position,
        /// Pinned or not.
        on: bool,
    },
    /// What the room is has changed: the state's [`Room`](crate::Room) holds it.
    Room,
    /// An interval of membership begins at this event.
    Opened {
        /// Whose.
        user: UserId,
        /// As what.
        role: Role,
        /// Where it begins: this event's position, or, from a checkpoint, an older one.
        from: Position,
    },
    /// An interval of membership ends at this event, which its member still sees.
    Closed {
        /// Whose.
        user: UserId,
        /// Where it began.
        from: Position,
    },
    /// Somebody is kept away from now on, or no longer.
    Banned {
        /// Who.
        user: UserId,
        /// Kept away or not.
        on: bool,
    },
    /// In a direct conversation, somebody blocks the other, or no longer.
    Blocked {
        /// Who blocks.
        by: UserId,
        /// Blocks or not.
        on: bool,
    },
}

/// What a state must be given, as of just before the event, before it can judge it. Each list names a thing
/// once.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Missing {
    /// Ids of version 1, of which it must be known whether they were used before ([`crate::Window::answer`]).
    pub ids: Vec<MessageId>,
    /// People ([`crate::ConversationState::load_standing`]).
    pub people: Vec<UserId>,
    /// Messages ([`crate::ConversationState::load_item`]).
    pub items: Vec<Position>,
    /// Somebody's reactions to a message ([`crate::ConversationState::load_reactions`]).
    pub reactions: Vec<(Position, UserId)>,
}

impl Missing {
    /// Whether nothing is missing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty() && self.people.is_empty() && self.items.is_empty() && self.reactions.is_empty()
    }
}
