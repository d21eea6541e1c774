//! Rooms and what happens in them, the same in REST answers and in frames.

use milena_domain::record::{Action, Handle, History, Placed, Posting, Role, Seat, Title, Topic, Visibility};
use milena_domain::tell::OfConversation;
use milena_domain::{Body, ClientId, ConversationId, MessageId, Position, Timestamp, UserId};
use serde::Serialize;
use utoipa::ToSchema;

use crate::live::life::Shown;
use crate::live::rooms::RoomView;
use crate::wire::messages::{Besides, MessageRef};
use crate::wire::rest::ConversationNotifications;

/// A room as one person sees it. Whoever is not in a private room, any more or yet, learns nothing of what it
/// is: its texts are empty then, and it has 0 members.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Room {
    #[schema(value_type = Uuid)]
    id: ConversationId,
    /// Its name in addresses and after `#`: 2 to 32 of `a-z`, `0-9`, `.`, `_`, `-`.
    #[schema(example = "general")]
    handle: String,
    /// 1 to 80 characters.
    #[schema(example = "General")]
    title: String,
    /// At most 250 characters; empty for nothing.
    topic: String,
    /// Who may find and join it.
    #[schema(value_type = WireVisibility)]
    visibility: Visibility,
    /// What members see of the time before them.
    #[schema(value_type = WireHistory)]
    history: History,
    /// Who may write.
    #[schema(value_type = WirePosting)]
    posting: Posting,
    /// Closed: nobody writes.
    archived: bool,
    /// How many are in it.
    members: u32,
    /// One's own; null when one is not in it.
    #[schema(required, value_type = Option<WireRole>)]
    role: Option<Role>,
    /// Whether one is kept away.
    banned: bool,
    /// Of what one wants to be told of it; only where a single room is asked for that one is in.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    notifications: Option<ConversationNotifications>,
}

/// `public`: everybody finds and joins it. `private`: members bring others.
#[derive(ToSchema)]
#[schema(as = Visibility, rename_all = "snake_case")]
#[allow(dead_code, reason = "the schema of the domain's type")]
pub(crate) enum WireVisibility {
    Public,
    Private,
}

/// `all`: members see everything. `since_join`: only the time of their own membership.
#[derive(ToSchema)]
#[schema(as = RoomHistory, rename_all = "snake_case")]
#[allow(dead_code, reason = "the schema of the domain's type")]
pub(crate) enum WireHistory {
    All,
    SinceJoin,
}

/// Who may write: all `members`, or `moderators` and owners only.
#[derive(ToSchema)]
#[schema(as = Posting, rename_all = "snake_case")]
#[allow(dead_code, reason = "the schema of the domain's type")]
pub(crate) enum WirePosting {
    Members,
    Moderators,
}

/// What somebody may do in a room.
#[derive(ToSchema)]
#[schema(as = Role, rename_all = "snake_case")]
#[allow(dead_code, reason = "the schema of the domain's type")]
pub(crate) enum WireRole {
    Member,
    Moderator,
    Owner,
}

impl From<&RoomView> for Room {
    fn from(view: &RoomView) -> Self {
        let room = &view.room;
        let is_open = view.is_open();
        let text = |text: &str| if is_open { text.to_owned() } else { String::new() };
        Self {
            id: view.id,
            handle: text(room.handle.as_str()),
            title: text(room.title.as_str()),
            topic: text(room.topic.as_str()),
            visibility: room.visibility,
            history: room.history,
            posting: room.posting,
            archived: is_open && room.archived,
            members: if is_open { room.members } else { 0 },
            role: view.standing.membership.map(|membership| membership.role),
            banned: view.standing.banned,
            notifications: None,
        }
    }
}

impl Room {
    /// The same, of which somebody wants to be told this.
    #[must_use]
    pub fn wanting(self, settings: OfConversation) -> Self {
        Self { notifications: Some(settings.into()), ..self }
    }
}

/// Something that happened in a conversation.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Event {
    #[schema(value_type = Uuid)]
    id: MessageId,
    #[schema(value_type = Uuid)]
    conversation: ConversationId,
    /// Who did it.
    #[schema(value_type = Uuid)]
    actor: UserId,
    /// Orders a conversation: strictly increasing, not gapless, below 2^53.
    #[schema(value_type = u64, example = 1_099_511_627_776_u64)]
    position: Position,
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// Only to who did it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, nullable = false)]
    client_id: Option<ClientId>,
    #[serde(flatten)]
    what: What,
}

/// What happened. New kinds are added: a client shows what it does not know as a quiet line, or not at all.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum What {
    /// Somebody wrote.
    Message {
        /// 1 to 8000 characters; empty when it was deleted.
        #[schema(value_type = String)]
        body: Body,
        /// In a direct conversation.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[schema(value_type = Option<Uuid>, nullable = false)]
        to: Option<UserId>,
        /// What else there is, and what became of it.
        #[serde(flatten)]
        #[schema(value_type = Besides, inline = false)]
        besides: Option<Box<Besides>>,
    },
    /// A message was pinned, or the pin taken out.
    Pinned {
        /// The message.
        target: MessageRef,
        /// Pinned or not.
        on: bool,
    },
    /// The first event of a room.
    RoomCreated {
        /// As then.
        #[schema(value_type = String)]
        handle: Handle,
        /// As then.
        #[schema(value_type = String)]
        title: Title,
        /// As then.
        topic: String,
        /// As then.
        #[schema(value_type = WireVisibility)]
        visibility: Visibility,
        /// For ever.
        #[schema(value_type = WireHistory)]
        history: History,
        /// As then.
        #[schema(value_type = WirePosting)]
        posting: Posting,
        /// Who was in it from the first moment, besides its creator.
        members: Vec<Seated>,
    },
    /// What is named was changed.
    RoomChanged {
        /// A new name in addresses.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[schema(value_type = Option<String>, nullable = false)]
        handle: Option<Handle>,
        /// A new title.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[schema(value_type = Option<String>, nullable = false)]
        title: Option<Title>,
        /// A new topic; empty for none.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[schema(value_type = Option<String>, nullable = false)]
        topic: Option<Topic>,
        /// Who may find and join it from then on.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[schema(value_type = Option<WireVisibility>, nullable = false)]
        visibility: Option<Visibility>,
        /// Who may write from then on.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[schema(value_type = Option<WirePosting>, nullable = false)]
        posting: Option<Posting>,
        /// Closed, or opened again.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[schema(nullable = false)]
        archived: Option<bool>,
    },
    /// The actor came.
    Joined,
    /// The actor went.
    Left,
    /// The actor brought others.
    MembersAdded {
        /// Whom; some may have been there.
        #[schema(value_type = Vec<Uuid>)]
        users: Vec<UserId>,
    },
    /// Somebody was sent away.
    Removed {
        /// Who.
        #[schema(value_type = Uuid)]
        user: UserId,
    },
    /// Somebody was sent away, and is kept away.
    Banned {
        /// Who.
        #[schema(value_type = Uuid)]
        user: UserId,
    },
    /// A ban was lifted.
    Unbanned {
        /// Whose.
        #[schema(value_type = Uuid)]
        user: UserId,
    },
    /// Somebody may do more, or less.
    RoleChanged {
        /// Who.
        #[schema(value_type = Uuid)]
        user: UserId,
        /// What they are from then on.
        #[schema(value_type = WireRole)]
        role: Role,
    },
}

/// Somebody who was in a room from the first moment.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Seated {
    #[schema(value_type = Uuid)]
    user: UserId,
    #[schema(value_type = WireRole)]
    role: Role,
}

impl From<&Seat> for Seated {
    fn from(seat: &Seat) -> Self {
        Self { user: seat.user, role: seat.role }
    }
}

impl Event {
    /// As its actor sees it (`own`), or everybody else; `None` for what is no place in the timeline.
    #[must_use]
    pub fn new(placed: &Placed, own: bool) -> Option<Self> {
        let event = &placed.event;
        Some(Self {
            id: event.id,
            conversation: event.conversation,
            actor: event.actor,
            position: placed.position,
            at: event.at,
            client_id: own.then(|| event.client_id.clone()),
            what: what(&event.action, event.to)?,
        })
    }

    /// An event of a page.
    #[must_use]
    pub fn shown(shown: &Shown, own: bool) -> Option<Self> {
        let mut event = Self::new(&shown.placed, own)?;
        if let (What::Message { besides, .. }, Action::Message(message)) =
            (&mut event.what, &shown.placed.event.action)
        {
            *besides = Besides::of(message, shown.life.as_deref());
        }
        Some(event)
    }
}

fn what(action: &Action, to: Option<UserId>) -> Option<What> {
    Some(match action {
        Action::Message(message) => {
            What::Message { body: message.body.clone(), to, besides: Besides::of(message, None) }
        }
        Action::Pinned { target, on } => What::Pinned { target: (*target).into(), on: *on },
        Action::RoomCreated(created) => What::RoomCreated {
            handle: created.handle.clone(),
            title: created.title.clone(),
            topic: created.topic.as_ref().map(|topic| topic.as_str().to_owned()).unwrap_or_default(),
            visibility: created.visibility,
            history: created.history,
            posting: created.posting,
            members: created.members.iter().map(Seated::from).collect(),
        },
        Action::RoomChanged(patch) => What::RoomChanged {
            handle: patch.handle.clone(),
            title: patch.title.clone(),
            topic: patch.topic.clone(),
            visibility: patch.visibility,
            posting: patch.posting,
            archived: patch.archived,
        },
        Action::Joined => What::Joined,
        Action::Left => What::Left,
        Action::MembersAdded { users } => What::MembersAdded { users: users.clone() },
        Action::Removed { user } => What::Removed { user: *user },
        Action::Banned { user } => What::Banned { user: *user },
        Action::Unbanned { user } => What::Unbanned { user: *user },
        Action::RoleChanged { user, role } => What::RoleChanged { user: *user, role: *role },
        Action::Edited { .. }
        | Action::Deleted { .. }
        | Action::Reacted { .. }
        | Action::Blocked { .. }
        | Action::RoomState(_) => return None,
    })
}
