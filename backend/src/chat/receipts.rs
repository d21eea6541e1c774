//! Who has read what, as far as they let others know: whoever does not, sees nobody else's marks either.
//!
//! Who hides their marks is asked of the store, once a minute for each person; a change is noticed on other
//! nodes as late. While that cannot be told, nobody is told anything.

use std::collections::HashSet;
use std::time::Duration;

use milena_domain::limits::RECEIPTS_MEMBERS_MAX;
use milena_domain::{ConversationId, Position, ReadSignal, RoomReadSignal, RoomSeenSignal, UserId};
use milena_storage::{StorageError, Store};
use moka::future::Cache;

use super::Chat;
use super::history::MemoryOf;
use super::reactions::no_such_message;
use super::rooms::Place;
use crate::live::life::Shown;
use crate::log::event::message;
use crate::refusal::{Code, Refusal};
use crate::registry::ConnectionId;

const PEOPLE: u64 = 50_000;
const TTL: Duration = Duration::from_secs(60);

/// Who hides what they have read, remembered for a while.
#[derive(Clone)]
pub(super) struct Receipts {
    store: Store,
    hidden: Cache<UserId, bool>,
}

impl Receipts {
    pub(super) fn new(store: Store) -> Self {
        Self { store, hidden: Cache::builder().max_capacity(PEOPLE).time_to_live(TTL).build() }
    }

    /// Those of `users` who let nobody know.
    pub(super) async fn hidden_among(&self, users: &[UserId]) -> Result<HashSet<UserId>, StorageError> {
        let (mut hidden, mut unknown) = (HashSet::new(), Vec::new());
        for user in users {
            match self.hidden.get(user).await {
                Some(true) => drop(hidden.insert(*user)),
                Some(false) => {}
                None => unknown.push(*user),
            }
        }
        if !unknown.is_empty() {
            let found = self.store.hidden_receipts(&unknown).await?;
            for user in unknown {
                self.hidden.insert(user, found.contains(&user)).await;
            }
            hidden.extend(found);
        }
        Ok(hidden)
    }
}

/// Who has read a message.
#[derive(Debug, Clone)]
pub struct Readers {
    /// Its author is not among them.
    pub readers: Vec<UserId>,
    /// Nobody is missing whose mark was noted.
    pub complete: bool,
}

impl Chat {
    /// Whether somebody lets others know what they have read.
    ///
    /// # Errors
    /// `store_unavailable` when the database is needed and away.
    pub async fn shows_receipts(&self, user: UserId) -> Result<bool, Refusal> {
        Ok(!self.receipts.hidden_among(&[user]).await?.contains(&user))
    }

    /// Notes whether somebody lets others know.
    ///
    /// # Errors
    /// `store_unavailable` when the database is away.
    pub async fn show_receipts(&self, user: UserId, shows: bool) -> Result<(), Refusal> {
        self.store.show_receipts(user, shows).await?;
        self.receipts.hidden.insert(user, !shows).await;
        Ok(())
    }

    /// Tells a mark to the reader's other sockets, and to whom it may concern.
    pub(super) async fn tell_read(
        &self,
        user: UserId,
        (conversation, place): (ConversationId, Place),
        position: Position,
        connection: Option<ConnectionId>,
    ) {
        let own = RoomReadSignal { user, conversation, position };
        match place {
            Place::Direct(other) => {
                let hidden = self.receipts.hidden_among(&[user, other]).await;
                if hidden.is_ok_and(|hidden| hidden.is_empty()) {
                    self.signals.tell_read(ReadSignal { user, other, position }, connection);
                } else {
                    self.signals.tell_room_read(own, connection);
                }
            }
            Place::Room => {
                self.signals.tell_room_read(own, connection);
                let Some(members) = self.members_of_small(conversation) else { return };
                let Ok(hidden) = self.receipts.hidden_among(&members).await else { return };
                if !hidden.contains(&user) {
                    let mut except: Vec<UserId> = hidden.into_iter().collect();
                    except.sort_unstable();
                    let seen = RoomSeenSignal { user, conversation, position, except };
                    self.signals.tell_room_seen(seen);
                }
            }
        }
    }

    /// A device of `user` has what the other one wrote up to `position`: told to them at once, and nowhere
    /// kept. It says that `user` is here, and what they do with messages: so it is told where both are.
    ///
    /// # Errors
    /// What finding out whether they are in it may answer, and `store_unavailable`.
    pub async fn received(
        &self,
        user: UserId,
        conversation: ConversationId,
        position: Position,
    ) -> Result<(), Refusal> {
        let Place::Direct(other) = self.place(user, conversation).await? else { return Ok(()) };
        if other == user || self.blocks.is_blocked(conversation) || self.presence().hides(user) {
            return Ok(());
        }
        if !self.receipts.hidden_among(&[user, other]).await?.is_empty() {
            return Ok(());
        }
        let stored = self.store.presence_of(&[user]).await?;
        if self.visible_among(other, &[user], &stored).await?.contains(&user) {
            let position = position.min(self.newest_shown(conversation));
            self.signals.tell_received(ReadSignal { user, other, position });
        }
        Ok(())
    }

    /// The members of a room that is followed, if they are few enough for telling who has read what.
    fn members_of_small(&self, room: ConversationId) -> Option<Vec<UserId>> {
        let rooms = self.rooms();
        let state = rooms.get(room)?.state();
        let is_small = state.room().is_some_and(|room| room.members <= RECEIPTS_MEMBERS_MAX);
        is_small.then(|| state.members().map(|(user, _)| user).collect())
    }

    /// Who has read a message that `user` may see; nobody, if they let nobody know what they have read.
    ///
    /// # Errors
    /// As [`Chat::history`]; `not_found` for what is no message, was deleted, or is not theirs to see;
    /// `too_many_members` in a large room.
    pub async fn readers(
        &self,
        user: UserId,
        (conversation, place): (ConversationId, Position),
    ) -> Result<Readers, Refusal> {
        let of = self.place(user, conversation).await?;
        let members = match of {
            Place::Direct(other) => vec![user, other],
            Place::Room => self.members_of_small(conversation).ok_or_else(|| {
                let said = format!("this is told in rooms of up to {RECEIPTS_MEMBERS_MAX} members");
                Refusal::new(Code::TooManyMembers, said)
            })?,
        };
        let is_room = of == Place::Room;
        let MemoryOf { unflushed, visible, changes, last, is_complete: in_memory } =
            self.in_memory((user, is_room), conversation).await?;
        let places = [place].into_iter().filter(|place| visible.contains(*place)).collect::<Vec<_>>();
        let shown = self.at_places(user, conversation, &places, &unflushed, &changes).await?;
        let shown = shown.into_iter().next().filter(|shown| !shown.is_deleted());
        let Some(shown) = shown else { return Err(no_such_message()) };
        let complete = in_memory && self.health.is_current();
        let hidden = self.receipts.hidden_among(&members).await?;
        if hidden.contains(&user) {
            return Ok(Readers { readers: Vec::new(), complete });
        }
        let author = shown.placed.event.actor;
        // Marks that are not stored yet first: one that is written meanwhile is in both.
        let mut readers: HashSet<UserId> = members
            .iter()
            .filter(|member| self.reads.waiting(**member, conversation).is_some_and(|mark| mark >= place))
            .copied()
            .collect();
        if is_room {
            // Who writes has read.
            let written = unflushed.iter().filter(|event| event.position() > place);
            readers.extend(written.filter(|event| message(event.event()).is_some()).map(|e| e.event().actor));
        }
        let stored = self.store.read_marks(conversation, &members).await?;
        readers.extend(stored.into_iter().filter(|(_, mark)| *mark >= place).map(|(reader, _)| reader));
        let mut readers: Vec<UserId> = members
            .into_iter()
            .filter(|member| *member != author && readers.contains(member) && !hidden.contains(member))
            .collect();
        readers.sort_unstable();
        readers.dedup();
        self.is_still_theirs((user, is_room), conversation, last, Some(Shown::changed(&shown))).await?;
        Ok(Readers { readers, complete })
    }
}
