//! Where somebody is, and whether they may be there.

use milena_domain::record::Visibility;
use milena_domain::{ConversationId, UserId};
use milena_timeline::Void;

use crate::chat::Chat;
use crate::live::rooms::RoomView;
use crate::refusal::{Code, Refusal};

/// A conversation that somebody is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::chat) enum Place {
    /// With this person, who may be oneself.
    Direct(UserId),
    /// A room, which is followed.
    Room,
}

impl Chat {
    /// What kind of conversation this is, if `user` is in it.
    ///
    /// # Errors
    /// `unknown_conversation` when there is none, or nothing of it may be known to `user`; `not_member` of a
    /// public room that they are not in; those of [`Chat::follow`], [`Chat::other_in`],
    /// [`Chat::once_heard`].
    pub(in crate::chat) async fn place(
        &self,
        user: UserId,
        conversation: ConversationId,
    ) -> Result<Place, Refusal> {
        self.once_heard(conversation, || self.place_heard_of(user, conversation)).await
    }

    /// The same as far as this node has read.
    async fn place_heard_of(&self, user: UserId, conversation: ConversationId) -> Result<Place, Refusal> {
        self.unreadable.check(conversation)?;
        if self.is_room(user, conversation).await? {
            self.member(user, conversation)?;
            return Ok(Place::Room);
        }
        self.other_in(user, conversation).await.map(Place::Direct)
    }

    /// Whether this is a room, which is followed then. What the store knows of two people comes first: it can
    /// be told while memory lacks something, and then a room could not be.
    async fn is_room(&self, user: UserId, conversation: ConversationId) -> Result<bool, Refusal> {
        if self.rooms().contains(conversation) {
            return Ok(true);
        }
        let is_direct = conversation == ConversationId::direct(user, user)
            || self.recent().people(conversation).is_some()
            || self.directory.pair(conversation).await?.is_some();
        Ok(!is_direct && self.follow(conversation).await?)
    }

    /// The room as a member sees it, as far as this node has read. The room is followed.
    ///
    /// # Errors
    /// `unknown_conversation` for strangers of a private room, `not_member` of a public one.
    pub(in crate::chat) fn member(&self, user: UserId, room: ConversationId) -> Result<RoomView, Refusal> {
        let view = self.rooms().view(room, user);
        match view {
            Some(view) if view.standing.membership.is_some() => Ok(view),
            Some(view) if view.room.visibility == Visibility::Public => Err(Void::NotMember.into()),
            _ => Err(unknown_room()),
        }
    }

    /// A room as `user` may see it from outside or inside.
    ///
    /// # Errors
    /// `unknown_conversation`, and what following a room and waiting for the log may answer.
    pub async fn room(&self, user: UserId, room: ConversationId) -> Result<RoomView, Refusal> {
        self.once_heard(room, || self.room_heard_of(user, room)).await
    }

    async fn room_heard_of(&self, user: UserId, room: ConversationId) -> Result<RoomView, Refusal> {
        if !self.follow(room).await? {
            return Err(unknown_room());
        }
        let view = self.rooms().view(room, user);
        match view {
            Some(view) if view.room.visibility == Visibility::Public => Ok(view),
            Some(_) => self.member(user, room),
            None => Err(unknown_room()),
        }
    }
}

/// There is no such room, or none that one may know of: the two look the same from outside.
pub(super) fn unknown_room() -> Refusal {
    Refusal {
        field: Some("conversation"),
        ..Refusal::new(Code::UnknownConversation, "there is no such room, or you are not in it")
    }
}
