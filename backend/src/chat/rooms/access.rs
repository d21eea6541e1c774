//! Where somebody is, and whether they may be there.

use std::time::Duration;

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

/// How long a node may take to hear of a membership that another one has confirmed already.
const HEARD_WITHIN: Duration = Duration::from_millis(500);

impl Chat {
    /// What kind of conversation this is, if `user` is in it.
    ///
    /// # Errors
    /// `unknown_conversation` when there is none, or nothing of it may be known to `user`; `not_member` of a
    /// public room that they are not in; those of [`Chat::follow`] and [`Chat::other_in`].
    pub(in crate::chat) async fn place(
        &self,
        user: UserId,
        conversation: ConversationId,
    ) -> Result<Place, Refusal> {
        self.unreadable.check(conversation)?;
        if self.is_room(user, conversation).await? {
            self.member(user, conversation).await?;
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

    /// The room as a member sees it. The room is followed.
    ///
    /// # Errors
    /// `unknown_conversation` for strangers of a private room, `not_member` of a public one.
    pub(in crate::chat) async fn member(
        &self,
        user: UserId,
        room: ConversationId,
    ) -> Result<RoomView, Refusal> {
        let is_member = |view: &RoomView| view.standing.membership.is_some();
        // Their joining may have been confirmed by another node a moment ago.
        let mut progress = self.progress.clone();
        let heard = tokio::time::timeout(HEARD_WITHIN, async {
            loop {
                let view = self.rooms().view(room, user);
                if view.as_ref().is_some_and(is_member) || progress.changed().await.is_err() {
                    return view;
                }
            }
        });
        let view = match heard.await {
            Ok(view) => view,
            Err(_) => self.rooms().view(room, user),
        };
        match view {
            Some(view) if is_member(&view) => Ok(view),
            Some(view) if view.room.visibility == Visibility::Public => Err(Void::NotMember.into()),
            _ => Err(unknown_room()),
        }
    }

    /// A room as `user` may see it from outside or inside.
    ///
    /// # Errors
    /// `unknown_conversation`, and what following a room may answer.
    pub async fn room(&self, user: UserId, room: ConversationId) -> Result<RoomView, Refusal> {
        if !self.follow(room).await? {
            return Err(unknown_room());
        }
        let view = self.rooms().view(room, user);
        match view {
            Some(view) if view.room.visibility == Visibility::Public => Ok(view),
            Some(_) => self.member(user, room).await,
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
