//! Which sockets want to know of whom, and have which conversations open. Plain data.

use std::collections::{HashMap, HashSet};

use milena_domain::{ConversationId, UserId};
use tokio::time::Instant;

use super::{WATCH_LASTS, WATCHED_CONVERSATIONS_MAX, WATCHED_USERS_MAX};
use crate::registry::ConnectionId;

/// Bounded by the connections of this node: each watches at most [`WATCHED_USERS_MAX`] people and
/// [`WATCHED_CONVERSATIONS_MAX`] conversations.
#[derive(Debug, Default)]
pub(super) struct Watches {
    sockets: HashMap<ConnectionId, Watch>,
    /// Never empty.
    of_user: HashMap<UserId, Vec<ConnectionId>>,
    /// Never empty.
    of_conversation: HashMap<ConversationId, Vec<ConnectionId>>,
}

#[derive(Debug)]
struct Watch {
    users: Box<[UserId]>,
    conversations: Box<[ConversationId]>,
    until: Instant,
}

impl Watches {
    /// What the socket watches for [`WATCH_LASTS`], instead of what it watched. More than it may is cut off.
    pub(super) fn set(
        &mut self,
        id: ConnectionId,
        users: Vec<UserId>,
        conversations: Vec<ConversationId>,
        now: Instant,
    ) {
        self.remove(id);
        let users = at_most(users, WATCHED_USERS_MAX);
        let conversations = at_most(conversations, WATCHED_CONVERSATIONS_MAX);
        if users.is_empty() && conversations.is_empty() {
            return;
        }
        users.iter().for_each(|user| self.of_user.entry(*user).or_default().push(id));
        let of_conversation = &mut self.of_conversation;
        conversations.iter().for_each(|place| of_conversation.entry(*place).or_default().push(id));
        self.sockets.insert(id, Watch { users, conversations, until: now + WATCH_LASTS });
    }

    /// The socket is gone.
    pub(super) fn remove(&mut self, id: ConnectionId) {
        let Some(watch) = self.sockets.remove(&id) else { return };
        watch.users.iter().for_each(|user| let_go(&mut self.of_user, user, id));
        watch.conversations.iter().for_each(|place| let_go(&mut self.of_conversation, place, id));
    }

    /// The sockets that watch somebody.
    pub(super) fn of_user(&self, user: UserId, now: Instant) -> impl Iterator<Item = ConnectionId> {
        self.current(self.of_user.get(&user), now)
    }

    /// The sockets that have a conversation open.
    pub(super) fn of_conversation(
        &self,
        conversation: ConversationId,
        now: Instant,
    ) -> impl Iterator<Item = ConnectionId> {
        self.current(self.of_conversation.get(&conversation), now)
    }

    /// The conversations that sockets have open.
    pub(super) fn conversations(&self, now: Instant) -> HashSet<ConversationId> {
        let current = self.sockets.values().filter(|watch| now < watch.until);
        current.flat_map(|watch| watch.conversations.iter().copied()).collect()
    }

    fn current<'a>(
        &'a self,
        ids: Option<&'a Vec<ConnectionId>>,
        now: Instant,
    ) -> impl Iterator<Item = ConnectionId> + 'a {
        let lasts = move |id: &ConnectionId| self.sockets.get(id).is_some_and(|watch| now < watch.until);
        ids.into_iter().flatten().copied().filter(lasts)
    }

    #[cfg(test)]
    fn check_invariants(&self) {
        let users: usize = self.of_user.values().map(Vec::len).sum();
        let places: usize = self.of_conversation.values().map(Vec::len).sum();
        assert_eq!(users, self.sockets.values().map(|watch| watch.users.len()).sum::<usize>());
        assert_eq!(places, self.sockets.values().map(|watch| watch.conversations.len()).sum::<usize>());
        assert!(self.of_user.values().all(|sockets| !sockets.is_empty()));
        assert!(self.of_conversation.values().all(|sockets| !sockets.is_empty()));
    }
}

/// Each once, the first ones.
fn at_most<T: Ord + Copy>(mut ids: Vec<T>, most: usize) -> Box<[T]> {
    ids.truncate(most);
    ids.sort_unstable();
    ids.dedup();
    ids.into()
}

fn let_go<K: Eq + std::hash::Hash>(index: &mut HashMap<K, Vec<ConnectionId>>, key: &K, id: ConnectionId) {
    let Some(sockets) = index.get_mut(key) else { return };
    sockets.retain(|other| *other != id);
    if sockets.is_empty() {
        index.remove(key);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::registry::{Outbox, Registry};

    proptest! {
        #[test]
        fn a_socket_hears_what_it_watched_last(
            steps in prop::collection::vec(
                (0..4_usize, prop::option::of((prop::collection::vec(0..6_usize, 0..8), 0..3_usize))), 0..40,
            ),
        ) {
            let (registry, mut watches) = (Registry::default(), Watches::default());
            let now = Instant::now();
            let ids: Vec<ConnectionId> = (0..4)
                .map(|_| registry.register(UserId::new(), uuid::Uuid::nil(), Outbox::new(1, 1)).id())
                .collect();
            let users: Vec<UserId> = (0..6).map(|_| UserId::new()).collect();
            let place = |number: usize| ConversationId::direct(users[number], users[number]);
            let mut model: HashMap<usize, (Vec<usize>, usize)> = HashMap::new();
            for (socket, watch) in steps {
                if let Some((watched, open)) = watch {
                    let people = watched.iter().map(|user| users[*user]).collect();
                    watches.set(ids[socket], people, vec![place(open)], now);
                    model.insert(socket, (watched, open));
                } else {
                    watches.remove(ids[socket]);
                    model.remove(&socket);
                }
                watches.check_invariants();
                for (number, user) in users.iter().enumerate() {
                    let mut watching: Vec<_> = watches.of_user(*user, now).collect();
                    watching.sort_unstable();
                    let mut expected: Vec<_> =
                        model.iter().filter(|it| it.1.0.contains(&number)).map(|it| ids[*it.0]).collect();
                    expected.sort_unstable();
                    prop_assert_eq!(watching, expected);
                    let open = model.values().filter(|it| it.1 == number).count();
                    prop_assert_eq!(watches.of_conversation(place(number), now).count(), open);
                }
            }
        }
    }

    #[test]
    fn no_socket_watches_more_than_it_may() {
        let (registry, mut watches) = (Registry::default(), Watches::default());
        let id = registry.register(UserId::new(), uuid::Uuid::nil(), Outbox::new(1, 1)).id();
        let users: Vec<UserId> = (0..300).map(|_| UserId::new()).collect();
        let now = Instant::now();
        watches.set(id, users.clone(), Vec::new(), now);
        let watched = |now| users.iter().filter(|user| watches.of_user(**user, now).eq([id])).count();
        assert_eq!((watched(now), watched(now + WATCH_LASTS)), (WATCHED_USERS_MAX, 0));
        watches.remove(id);
        assert!(watches.of_user.is_empty() && watches.sockets.is_empty());
    }
}
