//! What people do in rooms: one event each, asked of the fold first, written to the log, and answered with
//! the fold's verdict.

use milena_domain::record::{Action, Created, Event, Handle, Place as LogPlace, RoomPatch, Visibility};
use milena_domain::{ClientId, ConversationId, Position, Timestamp, UserId};
use milena_timeline::{Standing, Void};

use super::access::unknown_room;
use crate::chat::Chat;
use crate::chat::rooms::follow::ROOMS_OF_ONE_MAX;
use crate::chat::send::Prepared;
use crate::live::rooms::RoomView;
use crate::refusal::{Code, Refusal};
use crate::registry::ConnectionId;

/// Something that somebody wants to do in a room, or to it.
#[derive(Debug, Clone)]
pub struct RoomChange {
    /// Who.
    pub actor: UserId,
    /// Where; a creation's room follows from actor and `client_id`.
    pub room: ConversationId,
    /// The client's name for it.
    pub client_id: ClientId,
    /// What. No message, and nothing about one.
    pub action: Action,
    /// The socket that gets `accepted` instead of the event; `None` for REST.
    pub connection: Option<ConnectionId>,
}

impl RoomChange {
    /// The creation of a room, whose id follows. Its creator is its owner, and no member besides.
    #[must_use]
    pub fn creation(
        actor: UserId,
        client_id: ClientId,
        mut created: Created,
        connection: Option<ConnectionId>,
    ) -> Self {
        created.members.retain(|seat| seat.user != actor);
        let room = ConversationId::room(actor, &client_id);
        Self { actor, room, client_id, action: Action::RoomCreated(created), connection }
    }
}

/// It counts.
#[derive(Debug, Clone)]
pub struct Acted {
    /// Where it stands; of what was so already, since where it was.
    pub position: Position,
    /// The room as the actor sees it now; `None` for who may not any more.
    pub room: Option<RoomView>,
}

impl Chat {
    /// Creates a room. The same creation again is the same room.
    ///
    /// # Errors
    /// `handle_taken`, `unknown_recipient` for members whom nobody knows, and those of sending.
    pub async fn create_room(
        &self,
        actor: UserId,
        client_id: ClientId,
        created: Created,
    ) -> Result<Acted, Refusal> {
        self.change_room(RoomChange::creation(actor, client_id, created, None)).await
    }

    /// Does something in a room, or creates it, and waits for the log.
    ///
    /// # Errors
    /// See [`Chat::prepare_room_change`] and [`Prepared::produce`].
    pub async fn change_room(&self, change: RoomChange) -> Result<Acted, Refusal> {
        let (actor, room) = (change.actor, change.room);
        let accepted = self.prepare_room_change(change).await?.produce().await?;
        let view = self.rooms().view(room, actor).filter(RoomView::is_open);
        Ok(Acted { position: accepted.position, room: view })
    }

    /// Checks whether it would count, and whether it was sent before.
    ///
    /// # Errors
    /// `unknown_conversation`, the fold's reasons, `handle_taken`, `unknown_recipient`, and those of sending.
    pub async fn prepare_room_change(&self, change: RoomChange) -> Result<Prepared, Refusal> {
        if !matches!(change.action, Action::RoomCreated(_)) {
            self.once_heard(change.room, || self.may_try(&change)).await?;
        }
        let RoomChange { actor, room, client_id, action, connection } = change;
        self.prepare_in_room(actor, room, client_id, action, connection).await
    }

    /// Nobody learns of a private room by trying.
    async fn may_try(&self, change: &RoomChange) -> Result<(), Refusal> {
        if !self.follow(change.room).await? {
            return Err(unknown_room());
        }
        let view = self.rooms().view(change.room, change.actor).ok_or_else(unknown_room)?;
        if view.room.visibility == Visibility::Private && view.standing == Standing::default() {
            return Err(unknown_room());
        }
        Ok(())
    }

    /// What is asked of the database before somebody does something for the first time.
    ///
    /// # Errors
    /// `handle_taken`, `unknown_recipient`, `too_many_rooms`, and the database's.
    pub(in crate::chat) async fn check_action(&self, event: &Event) -> Result<(), Refusal> {
        match &event.action {
            Action::RoomCreated(created) if !self.rooms().contains(event.conversation) => {
                let members: Vec<UserId> = created.members.iter().map(|seat| seat.user).collect();
                self.everybody_exists(members.iter().copied(), "members").await?;
                self.all_have_room(&[event.actor], None).await?;
                self.all_have_room(&members, Some("members")).await?;
                self.handle_is_free(&created.handle, event.conversation).await
            }
            Action::MembersAdded { users } => {
                self.everybody_exists(users.iter().copied(), "users").await?;
                self.all_have_room(users, Some("users")).await
            }
            Action::Joined => self.all_have_room(&[event.actor], None).await,
            Action::RoomChanged(RoomPatch { handle: Some(handle), .. }) => {
                self.handle_is_free(handle, event.conversation).await
            }
            _ => Ok(()),
        }
    }

    async fn everybody_exists(
        &self,
        people: impl IntoIterator<Item = UserId>,
        field: &'static str,
    ) -> Result<(), Refusal> {
        let people: Vec<UserId> = people.into_iter().collect();
        let found = self.directory.persons(people.iter().copied()).await?;
        match people.iter().find(|user| !found.contains_key(user)) {
            None => Ok(()),
            Some(user) => Err(Refusal {
                field: Some(field),
                ..Refusal::new(Code::UnknownRecipient, format!("{field} names nobody: there is no {user}"))
            }),
        }
    }

    /// Two rooms may still get the same handle at the same moment: then the older one keeps it.
    async fn handle_is_free(&self, handle: &Handle, room: ConversationId) -> Result<(), Refusal> {
        let here = self.rooms().by_handle(handle);
        let taken = match here {
            Some(other) => Some(other),
            None => self.lookups.room_by_handle(handle.as_str()).await?,
        };
        match taken.filter(|other| *other != room) {
            None => Ok(()),
            Some(_) => Err(Refusal {
                field: Some("handle"),
                ..Refusal::new(Code::HandleTaken, format!("handle is taken: there is a room #{handle}"))
            }),
        }
    }

    /// Whoever is brought into rooms has the same limit as whoever comes by themselves. One query for all of
    /// whom this node does not know it.
    async fn all_have_room(&self, people: &[UserId], field: Option<&'static str>) -> Result<(), Refusal> {
        let known = |user: &UserId| self.registry.rooms_of(*user).map(|rooms| rooms.len());
        let (mut unknown, mut most) = (Vec::new(), 0);
        for user in people {
            match known(user) {
                Some(count) => most = most.max(count),
                None => unknown.push(*user),
            }
        }
        if !unknown.is_empty() {
            let counts = self.lookups.room_counts(&unknown).await?;
            most = counts.into_values().fold(most, usize::max);
        }
        if most < ROOMS_OF_ONE_MAX {
            return Ok(());
        }
        let text = format!("a person can be in {ROOMS_OF_ONE_MAX} rooms at most");
        Err(Refusal { field, ..Refusal::new(Code::TooManyRooms, text) })
    }

    pub(in crate::chat) fn room_event(
        &self,
        actor: UserId,
        room: ConversationId,
        client_id: ClientId,
        seen: Position,
        action: Action,
    ) -> Event {
        Event::new(actor, LogPlace::Room(room), client_id, Timestamp::now(), seen, action)
    }
}

/// Whether a refusal says only that the proof of newness was too old.
pub(in crate::chat) fn is_stale(refusal: &Refusal) -> bool {
    refusal.code == Code::Void(Void::StaleProof)
}
