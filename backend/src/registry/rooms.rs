//! Who is in which room, of the people that this node has to do with: room → sockets.
//!
//! Of a person who is here the registry knows *all* rooms, so that a record of a room reaches exactly the
//! sockets of its members. A person is here from [`Index::expect`] on, before their rooms are looked up, so
//! that whatever changes meanwhile is not missed; and stays for a while after their last socket went, so that
//! whoever comes back needs no look-up, also while the database is away. Plain data.

use std::collections::{HashMap, HashSet, VecDeque};

use milena_domain::{ConversationId, UserId};

use super::{ConnectionId, Listeners, Outbox};

/// People without sockets whose rooms are still known, at most; the longest gone are forgotten first.
pub(super) const LINGERING_MAX: usize = 20_000;

/// Somebody who is here.
#[derive(Debug, Default)]
struct Here {
    rooms: HashSet<ConversationId>,
    sockets: usize,
    /// Those who wait for the rooms to be looked up.
    expected: usize,
    /// All rooms are known.
    complete: bool,
}

impl Here {
    /// Connected, or about to be.
    const fn is_coming(&self) -> bool {
        self.sockets > 0 || self.expected > 0
    }
}

/// Those members of a room who are here.
#[derive(Debug, Default)]
pub(super) struct Audience {
    pub(super) people: HashSet<UserId>,
    pub(super) sockets: HashMap<ConnectionId, Outbox>,
    /// The sockets as a list, until they change.
    listed: Option<Listeners>,
}

/// Both ways, always the same facts.
#[derive(Debug, Default)]
pub(super) struct Index {
    people: HashMap<UserId, Here>,
    rooms: HashMap<ConversationId, Audience>,
    /// Whoever has neither sockets nor is expected; some may have come back since.
    lingering: VecDeque<UserId>,
}

impl Index {
    /// Somebody is about to come.
    pub(super) fn expect(&mut self, user: UserId) {
        self.people.entry(user).or_default().expected += 1;
    }

    /// Whoever was expected has come, or will not.
    pub(super) fn no_longer_expected(&mut self, user: UserId) {
        if let Some(here) = self.people.get_mut(&user) {
            here.expected = here.expected.saturating_sub(1);
        }
        self.let_go(user);
    }

    /// Whether changes of their rooms concern this node.
    pub(super) fn is_here(&self, user: UserId) -> bool {
        self.people.contains_key(&user)
    }

    /// All rooms of somebody, if they are known.
    pub(super) fn rooms_of(&self, user: UserId) -> Option<Vec<ConversationId>> {
        let here = self.people.get(&user).filter(|here| here.complete)?;
        Some(here.rooms.iter().copied().collect())
    }

    /// What is known of somebody's rooms, complete or not.
    pub(super) fn known_rooms_of(&self, user: UserId) -> Vec<ConversationId> {
        self.people.get(&user).map_or(Vec::new(), |here| here.rooms.iter().copied().collect())
    }

    /// These are all rooms of somebody who is here.
    pub(super) fn know(
        &mut self,
        user: UserId,
        rooms: impl IntoIterator<Item = ConversationId>,
        sockets: &[(ConnectionId, Outbox)],
    ) {
        let Some(here) = self.people.get_mut(&user) else { return };
        here.complete = true;
        let wanted: HashSet<ConversationId> = rooms.into_iter().collect();
        let gone: Vec<ConversationId> = here.rooms.difference(&wanted).copied().collect();
        let came: Vec<ConversationId> = wanted.difference(&here.rooms).copied().collect();
        gone.into_iter().for_each(|room| self.leave(user, room, sockets));
        came.into_iter().for_each(|room| self.enter(user, room, sockets));
    }

    /// Somebody came into a room; `sockets` are theirs.
    pub(super) fn enter(&mut self, user: UserId, room: ConversationId, sockets: &[(ConnectionId, Outbox)]) {
        let Some(here) = self.people.get_mut(&user) else { return };
        here.rooms.insert(room);
        let audience = self.rooms.entry(room).or_default();
        audience.people.insert(user);
        audience.sockets.extend(sockets.iter().cloned());
        audience.listed = None;
    }

    /// Somebody went out of a room; `sockets` are theirs.
    pub(super) fn leave(&mut self, user: UserId, room: ConversationId, sockets: &[(ConnectionId, Outbox)]) {
        if let Some(here) = self.people.get_mut(&user) {
            here.rooms.remove(&room);
        }
        let Some(audience) = self.rooms.get_mut(&room) else { return };
        audience.people.remove(&user);
        for (id, _) in sockets {
            audience.sockets.remove(id);
        }
        audience.listed = None;
        if audience.people.is_empty() {
            self.rooms.remove(&room);
        }
    }

    /// A socket of somebody: in all their rooms from now on.
    pub(super) fn connected(&mut self, user: UserId, id: ConnectionId, outbox: &Outbox) {
        let here = self.people.entry(user).or_default();
        here.sockets += 1;
        for room in &here.rooms {
            if let Some(audience) = self.rooms.get_mut(room) {
                audience.sockets.insert(id, outbox.clone());
                audience.listed = None;
            }
        }
    }

    /// One went.
    pub(super) fn disconnected(&mut self, user: UserId, id: ConnectionId) {
        let Some(here) = self.people.get_mut(&user) else { return };
        here.sockets = here.sockets.saturating_sub(1);
        for room in &here.rooms {
            if let Some(audience) = self.rooms.get_mut(room) {
                audience.sockets.remove(&id);
                audience.listed = None;
            }
        }
        self.let_go(user);
    }

    /// The members of a room who are here.
    pub(super) fn audience(&self, room: ConversationId) -> Option<&Audience> {
        self.rooms.get(&room)
    }

    /// The sockets in a room: the same list until they change.
    pub(super) fn listeners(&mut self, room: ConversationId) -> Listeners {
        let Some(audience) = self.rooms.get_mut(&room) else { return Listeners::default() };
        let sockets = &audience.sockets;
        let list = || sockets.iter().map(|(id, outbox)| (*id, outbox.clone())).collect();
        audience.listed.get_or_insert_with(list).clone()
    }

    /// Whether anybody in the room is connected, or about to be.
    pub(super) fn is_needed(&self, room: ConversationId) -> bool {
        let people = self.rooms.get(&room).into_iter().flat_map(|audience| &audience.people);
        people.filter_map(|user| self.people.get(user)).any(Here::is_coming)
    }

    /// Forgets whoever lingers in the room.
    pub(super) fn unfollowed(&mut self, room: ConversationId) {
        let people = self.rooms.get(&room).map(|audience| audience.people.clone()).unwrap_or_default();
        for user in people {
            if !self.people.get(&user).is_some_and(Here::is_coming) {
                self.forget(user);
            }
        }
    }

    /// Everybody who is here.
    pub(super) fn people(&self) -> impl Iterator<Item = UserId> {
        self.people.keys().copied()
    }

    fn let_go(&mut self, user: UserId) {
        let Some(here) = self.people.get(&user) else { return };
        if here.is_coming() {
            return;
        }
        if here.complete {
            self.lingering.push_back(user);
        } else {
            self.forget(user);
        }
        while self.lingering.len() > LINGERING_MAX
            && let Some(oldest) = self.lingering.pop_front()
        {
            let is_gone = self.people.get(&oldest).is_some_and(|here| !here.is_coming());
            if is_gone && !self.lingering.contains(&oldest) {
                self.forget(oldest);
            }
        }
    }

    fn forget(&mut self, user: UserId) {
        for room in self.known_rooms_of(user) {
            self.leave(user, room, &[]);
        }
        self.people.remove(&user);
    }

    /// Both directions tell the same, and only sockets of members are in a room.
    #[cfg(test)]
    pub(super) fn check_invariants(&self, user_of: impl Fn(ConnectionId) -> Option<UserId>) {
        for (user, here) in &self.people {
            for room in &here.rooms {
                assert!(self.rooms[room].people.contains(user));
            }
        }
        for (room, audience) in &self.rooms {
            assert!(!audience.people.is_empty());
            assert!(audience.people.iter().all(|user| self.people[user].rooms.contains(room)));
            for id in audience.sockets.keys() {
                assert!(user_of(*id).is_some_and(|user| audience.people.contains(&user)));
            }
            let sockets: usize = audience.people.iter().map(|user| self.people[user].sockets).sum();
            assert_eq!(audience.sockets.len(), sockets);
            if let Some(listed) = &audience.listed {
                assert!(listed.iter().all(|(id, _)| audience.sockets.contains_key(id)));
                assert_eq!(listed.len(), sockets);
            }
        }
    }
}
