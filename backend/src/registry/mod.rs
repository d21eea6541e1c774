//! Who is connected to this node: user → sockets, session → sockets, room → sockets (`rooms`). A user has any
//! number of sockets.
//!
//! [`Outbox`] is what others put updates into for a socket, and [`CloseCode`] why one is ended.
//!
//! Plain data behind one lock, without I/O: a lookup copies the handles it needs and pushes outside the lock.
//! Connection ids are never used twice, so a late unregistration cannot remove a newer connection.

mod close;
mod outbox;
mod rooms;

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use milena_domain::{ConversationId, UserId};
use uuid::Uuid;

pub use self::close::CloseCode;
pub use self::outbox::Outbox;
use crate::live::Update;

/// Sockets, and where what they are sent goes.
pub type Listeners = Arc<[(ConnectionId, Outbox)]>;

/// A connection of this node, unique for the life of the process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ConnectionId(u64);

impl std::fmt::Display for ConnectionId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// Ended sessions that are remembered: many more than end between a sign-in and the registration that follows
/// it.
const REMEMBERED_ENDS: usize = 4_096;

/// The registry; clones are the same one.
#[derive(Debug, Clone, Default)]
pub struct Registry(Arc<RwLock<Connections>>);

/// Bounded by the server's limit of connections: each registered connection is one entry in each map's
/// values.
#[derive(Debug, Default)]
struct Connections {
    last_id: u64,
    by_id: HashMap<ConnectionId, Connection>,
    /// Never empty. A snapshot: replaced when somebody comes or goes, so that a delivery only clones the
    /// `Arc`.
    by_user: HashMap<UserId, Listeners>,
    /// Never empty.
    by_session: HashMap<Uuid, Vec<ConnectionId>>,
    /// The sessions that were closed last, at most [`REMEMBERED_ENDS`]: a socket that was signed in just
    /// before and registers just after must not outlive its session.
    ended: VecDeque<(Uuid, CloseCode)>,
    /// Sessions that got another token on another node, at most [`REMEMBERED_ENDS`], until it is seen here.
    renewed: VecDeque<Uuid>,
    /// Written by the delivery task as people come into rooms and go, and by whoever connects.
    rooms: rooms::Index,
}

#[derive(Debug)]
struct Connection {
    user: UserId,
    session: Uuid,
    outbox: Outbox,
}

/// The guard of one registered connection: dropping it unregisters.
#[derive(Debug)]
#[must_use = "dropping it unregisters the connection"]
pub struct Registration {
    registry: Registry,
    id: ConnectionId,
}

impl Registration {
    /// The connection's id.
    #[must_use]
    pub const fn id(&self) -> ConnectionId {
        self.id
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        self.registry.write().remove(self.id);
    }
}

/// Somebody whose rooms are being looked up: changes of them are not missed. Dropped when they are here, or
/// will not come.
#[derive(Debug)]
#[must_use = "dropping it ends the expectation"]
pub struct Expectation {
    registry: Registry,
    user: UserId,
}

impl Drop for Expectation {
    fn drop(&mut self) {
        self.registry.write().rooms.no_longer_expected(self.user);
    }
}

impl Registry {
    /// From now on, changes of the user's rooms concern this node.
    pub fn expect(&self, user: UserId) -> Expectation {
        self.write().rooms.expect(user);
        Expectation { registry: self.clone(), user }
    }

    /// Whether changes of the user's rooms concern this node.
    #[must_use]
    pub fn is_here(&self, user: UserId) -> bool {
        self.read().rooms.is_here(user)
    }

    /// All rooms of the user, if they are known here.
    #[must_use]
    pub fn rooms_of(&self, user: UserId) -> Option<Vec<ConversationId>> {
        self.read().rooms.rooms_of(user)
    }

    /// What is known here of the user's rooms, be it all or not.
    #[must_use]
    pub fn known_rooms_of(&self, user: UserId) -> Vec<ConversationId> {
        self.read().rooms.known_rooms_of(user)
    }

    /// These are all rooms of the user, who is expected or here.
    pub fn know_rooms(&self, user: UserId, rooms: impl IntoIterator<Item = ConversationId>) {
        let mut connections = self.write();
        let sockets = connections.by_user.get(&user).cloned();
        connections.rooms.know(user, rooms, sockets.as_deref().unwrap_or_default());
    }

    /// Everybody whose rooms concern this node.
    #[must_use]
    pub fn people_here(&self) -> Vec<UserId> {
        self.read().rooms.people().collect()
    }

    /// The user came into a room: their sockets hear it from now on.
    pub fn enter(&self, user: UserId, room: ConversationId) {
        let mut connections = self.write();
        let sockets = connections.by_user.get(&user).cloned();
        connections.rooms.enter(user, room, sockets.as_deref().unwrap_or_default());
    }

    /// The user went out of a room: their sockets hear it no more.
    pub fn leave(&self, user: UserId, room: ConversationId) {
        let mut connections = self.write();
        let sockets = connections.by_user.get(&user).cloned();
        connections.rooms.leave(user, room, sockets.as_deref().unwrap_or_default());
    }

    /// Whether anybody who is connected, or about to be, is in the room.
    #[must_use]
    pub fn is_needed(&self, room: ConversationId) -> bool {
        self.read().rooms.is_needed(room)
    }

    /// The room is not followed any more: the rooms of its people, who are not connected, are looked up anew
    /// when they come back.
    pub fn unfollowed(&self, room: ConversationId) {
        self.write().rooms.unfollowed(room);
    }

    /// Those of the room's members who are here.
    #[must_use]
    pub fn people_in(&self, room: ConversationId) -> Vec<UserId> {
        let connections = self.read();
        let people = connections.rooms.audience(room).map(|audience| audience.people.iter().copied());
        people.into_iter().flatten().collect()
    }

    /// Sockets that hear the room.
    #[must_use]
    pub fn listeners(&self, room: ConversationId) -> usize {
        self.read().rooms.audience(room).map_or(0, |audience| audience.sockets.len())
    }

    /// Queues an update for all sockets of the room's members but those of `except`. A full socket is closed
    /// with 4008 and holds up nobody.
    pub fn deliver_in(&self, room: ConversationId, update: &Update, except: &[ConnectionId]) {
        let connections = self.read();
        let Some(audience) = connections.rooms.audience(room) else { return };
        for (id, outbox) in &audience.sockets {
            if !except.contains(id) {
                outbox.push(update.clone());
            }
        }
    }

    /// The sockets that hear the room now: the same list until they change.
    #[must_use]
    pub fn sockets_in(&self, room: ConversationId) -> Listeners {
        self.write().rooms.listeners(room)
    }

    /// Whether the socket is that of somebody else who is in the conversation, a room or one of two.
    #[must_use]
    pub fn may_hear(&self, connection: ConnectionId, conversation: ConversationId, of: UserId) -> bool {
        let connections = self.read();
        let Some(user) = connections.by_id.get(&connection).map(|connection| connection.user) else {
            return false;
        };
        let is_in_room = || {
            let audience = connections.rooms.audience(conversation);
            audience.is_some_and(|audience| audience.sockets.contains_key(&connection))
        };
        user != of && (conversation == ConversationId::direct(user, of) || is_in_room())
    }

    /// Whether the socket is that of somebody who is in the room.
    #[must_use]
    pub fn is_in(&self, connection: ConnectionId, room: ConversationId) -> bool {
        let connections = self.read();
        let audience = connections.rooms.audience(room);
        audience.is_some_and(|audience| audience.sockets.contains_key(&connection))
    }

    /// The sockets of a user now.
    #[must_use]
    pub fn sockets_of(&self, user: UserId) -> Listeners {
        self.read().by_user.get(&user).cloned().unwrap_or_default()
    }

    /// Adds a connection. From the return on, every [`Registry::deliver`] to `user` that begins reaches
    /// `outbox`. An outbox of a session that has ended is closed at once.
    pub fn register(&self, user: UserId, session: Uuid, outbox: Outbox) -> Registration {
        let id = self.write().insert(Connection { user, session, outbox });
        Registration { registry: self.clone(), id }
    }

    /// Whether the user has a socket here.
    #[must_use]
    pub fn is_connected(&self, user: UserId) -> bool {
        self.read().by_user.contains_key(&user)
    }

    /// Whether the session was lately closed here, whichever node ended it.
    #[must_use]
    pub fn has_ended(&self, session: Uuid) -> bool {
        self.read().ended.iter().any(|(ended, _)| *ended == session)
    }

    /// Whether the user has a socket here that is none of `except`.
    #[must_use]
    pub fn has_other(&self, user: UserId, except: &[ConnectionId]) -> bool {
        let connections = self.read();
        connections
            .by_user
            .get(&user)
            .is_some_and(|sockets| sockets.iter().any(|(id, _)| !except.contains(id)))
    }

    /// Queues an update for all sockets of a user but those of `except`. A full socket is closed with 4008
    /// and holds up nobody.
    pub fn deliver(&self, user: UserId, update: &Update, except: &[ConnectionId]) {
        let Some(sockets) = self.read().by_user.get(&user).cloned() else { return };
        for (id, outbox) in sockets.iter() {
            if !except.contains(id) {
                outbox.push(update.clone());
            }
        }
    }

    /// Queues an update for one socket. `false` when it is gone or closed.
    pub fn deliver_to(&self, connection: ConnectionId, update: Update) -> bool {
        let outbox = self.read().by_id.get(&connection).map(|connection| connection.outbox.clone());
        outbox.is_some_and(|outbox| outbox.push(update))
    }

    /// Ends a session: closes its sockets, now and when one registers later. Says how many there were.
    pub fn close_session(&self, session: Uuid, code: CloseCode) -> usize {
        let outboxes = self.write().end(session, code);
        outboxes.iter().for_each(|outbox| outbox.close(code));
        outboxes.len()
    }

    /// Another node gave this session another token.
    pub fn token_replaced(&self, session: Uuid) {
        let mut connections = self.write();
        if !connections.renewed.contains(&session) {
            if connections.renewed.len() == REMEMBERED_ENDS {
                connections.renewed.pop_front();
            }
            connections.renewed.push_back(session);
        }
    }

    /// Whether another node gave this session a token that was not seen here yet.
    #[must_use]
    pub fn awaits_new_token(&self, session: Uuid) -> bool {
        self.read().renewed.contains(&session)
    }

    /// The session's token was looked up: whether that was awaited, and now is not any more.
    pub fn saw_token(&self, session: Uuid) -> bool {
        if self.read().renewed.is_empty() {
            return false;
        }
        let mut connections = self.write();
        let before = connections.renewed.len();
        connections.renewed.retain(|other| *other != session);
        connections.renewed.len() != before
    }

    /// The sessions that have sockets here.
    #[must_use]
    pub fn sessions(&self) -> Vec<Uuid> {
        self.read().by_session.keys().copied().collect()
    }

    /// Closes all sockets.
    pub fn close_all(&self, code: CloseCode) {
        let outboxes: Vec<Outbox> =
            self.read().by_id.values().map(|connection| connection.outbox.clone()).collect();
        outboxes.iter().for_each(|outbox| outbox.close(code));
    }

    /// Sockets that are connected.
    #[must_use]
    pub fn count(&self) -> usize {
        self.read().by_id.len()
    }

    /// Looks through all indexes, which must tell the same.
    #[cfg(test)]
    pub(crate) fn check_invariants(&self) {
        self.read().check_invariants();
    }

    // Nothing under the lock can panic half-way, so a poisoned lock still guards consistent maps.

    fn read(&self) -> RwLockReadGuard<'_, Connections> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Connections> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Connections {
    fn insert(&mut self, connection: Connection) -> ConnectionId {
        if let Some((_, code)) = self.ended.iter().find(|(session, _)| *session == connection.session) {
            connection.outbox.close(*code);
        }
        self.last_id += 1;
        let id = ConnectionId(self.last_id);
        self.by_session.entry(connection.session).or_default().push(id);
        let others = self.by_user.get(&connection.user).map_or(&[][..], |sockets| sockets);
        let sockets = others.iter().cloned().chain([(id, connection.outbox.clone())]).collect();
        self.by_user.insert(connection.user, sockets);
        self.rooms.connected(connection.user, id, &connection.outbox);
        self.by_id.insert(id, connection);
        id
    }

    fn remove(&mut self, id: ConnectionId) {
        let Some(connection) = self.by_id.remove(&id) else { return };
        self.rooms.disconnected(connection.user, id);
        if let Some(ids) = self.by_session.get_mut(&connection.session) {
            ids.retain(|other| *other != id);
            if ids.is_empty() {
                self.by_session.remove(&connection.session);
            }
        }
        if let Some(sockets) = self.by_user.remove(&connection.user)
            && sockets.len() > 1
        {
            let others = sockets.iter().filter(|(other, _)| *other != id).cloned().collect();
            self.by_user.insert(connection.user, others);
        }
    }

    fn end(&mut self, session: Uuid, code: CloseCode) -> Vec<Outbox> {
        if self.ended.len() == REMEMBERED_ENDS {
            self.ended.pop_front();
        }
        self.ended.push_back((session, code));
        let ids = self.by_session.get(&session).map_or(&[][..], Vec::as_slice);
        ids.iter().filter_map(|id| self.by_id.get(id)).map(|connection| connection.outbox.clone()).collect()
    }
}

#[cfg(test)]
mod tests;
