//! What is shown of everybody on all nodes, made of what this node and the others have told. Pure: the time
//! is handed in.
//!
//! Every change of `own` or `others` goes through [`Board`], which says whose state has changed by it for
//! those who look on: somebody who comes to a second node has not.

use std::collections::{HashMap, VecDeque};

use milena_domain::{Availability, PEOPLE_PART_MAX, Signal, Timestamp, UserId};
use tokio::time::Instant;
use uuid::Uuid;

use super::others::{Digest, Others, digest};
use super::own::{Now, Own, Transition};
use super::watches::Watches;
use crate::live::Present;
use crate::registry::ConnectionId;

/// People who went whose time of going is remembered; the longest gone are forgotten first.
const REMEMBERED: usize = 50_000;

/// What came of something.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Outcome {
    /// For those who watch these people.
    pub(super) changed: Vec<Present>,
    /// For the other nodes.
    pub(super) tell: Vec<Signal>,
}

#[derive(Debug, Default)]
pub(super) struct Board {
    own: Own,
    others: Others,
    pub(super) watches: Watches,
    /// What is shown of everybody who is not offline; bounded by the connections of all nodes.
    shown: HashMap<UserId, Availability>,
    seen: LastSeen,
    /// How often `shown` has changed.
    changes: u64,
}

/// When people went, at most [`REMEMBERED`] of them.
#[derive(Debug, Default)]
struct LastSeen {
    at: HashMap<UserId, Timestamp>,
    order: VecDeque<UserId>,
}

impl LastSeen {
    fn went(&mut self, user: UserId, at: Timestamp) {
        match self.at.insert(user, at) {
            Some(before) => drop(self.at.insert(user, at.max(before))),
            None => self.order.push_back(user),
        }
        if self.order.len() > REMEMBERED
            && let Some(oldest) = self.order.pop_front()
        {
            self.at.remove(&oldest);
        }
    }
}

impl Board {
    /// A socket of `user`, who hides or not.
    pub(super) fn connected(&mut self, user: UserId, id: ConnectionId, hides: bool, now: Now) -> Outcome {
        let transition = self.own.connected(user, id, hides, now);
        self.told(transition)
    }

    /// A socket went.
    pub(super) fn disconnected(&mut self, user: UserId, id: ConnectionId, now: Now) -> Outcome {
        self.watches.remove(id);
        let transition = self.own.disconnected(user, id, now);
        self.told(transition)
    }

    /// Whether somebody sits before the socket.
    pub(super) fn idle(&mut self, user: UserId, id: ConnectionId, is_idle: bool, now: Now) -> Outcome {
        let transition = self.own.idle(user, id, is_idle, now);
        self.told(transition)
    }

    /// Whether the person wants to be seen.
    pub(super) fn hide(&mut self, user: UserId, is_hidden: bool, now: Now) -> Outcome {
        let transition = self.own.hide(user, is_hidden, now);
        self.told(transition)
    }

    /// Whether they are connected here and hide.
    pub(super) fn is_hidden(&self, user: UserId) -> bool {
        self.own.is_hidden(user)
    }

    /// Whether they sit before a socket: of this node exactly, of others as far as those have told. Who hides
    /// and sits before another node's is not known to.
    pub(super) fn is_active(&self, user: UserId) -> bool {
        self.own.is_active(user) || self.others.told(user) == Some(Availability::Online)
    }

    /// When [`Board::elapsed`] has something to do.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.own.deadline().into_iter().chain(self.others.deadline()).min()
    }

    /// What became due.
    pub(super) fn elapsed(&mut self, now: Now) -> Outcome {
        let transitions = self.own.elapsed(now);
        let mut outcome = self.told(transitions);
        let gone = self.others.elapsed(now.at);
        outcome.changed.extend(self.gone(gone, now.wall));
        outcome
    }

    /// What this node says now and then.
    pub(super) fn lease(&self) -> Signal {
        let Digest { people, sum } = digest(self.own.all_told());
        Signal::Alive { people, sum }
    }

    /// What another node told; `wall` is now.
    pub(super) fn heard(&mut self, node: Uuid, signal: Signal, now: Now) -> Outcome {
        match signal {
            Signal::Presence { user, state, since } => {
                self.others.transition(node, user, state);
                Outcome { changed: self.look(user, since).into_iter().collect(), tell: Vec::new() }
            }
            Signal::Alive { people, sum } => {
                let is_behind = self.others.lease(node, Digest { people, sum });
                let tell = is_behind.then_some(Signal::AskPeople { of: node });
                Outcome { changed: Vec::new(), tell: tell.into_iter().collect() }
            }
            Signal::People { part, last, people } => {
                let changed = self.others.list(node, (part, last), people);
                Outcome { changed: self.gone(changed, now.wall), tell: Vec::new() }
            }
            Signal::Goodbye => {
                self.others.goodbye(node, now.at);
                Outcome::default()
            }
            _ => Outcome::default(),
        }
    }

    /// This node's own lease came back; `wall` is now.
    pub(super) fn own_lease(&mut self, wall: Timestamp) -> Outcome {
        let gone = self.others.own_lease();
        Outcome { changed: self.gone(gone, wall), tell: Vec::new() }
    }

    /// The list of this node's people, for those who missed something.
    pub(super) fn people(&self) -> Vec<Signal> {
        let people: Vec<_> = self.own.all_told().collect();
        let parts = people.chunks(PEOPLE_PART_MAX);
        let count = parts.len().max(1);
        let part = |(part, people): (usize, &[(UserId, Availability)])| Signal::People {
            part: u32::try_from(part).unwrap_or(u32::MAX),
            last: part + 1 == count,
            people: people.to_vec(),
        };
        if people.is_empty() {
            return vec![part((0, &[]))];
        }
        parts.enumerate().map(part).collect()
    }

    /// What is shown of somebody, who was here last at `stored` or later.
    pub(super) fn shown(&self, user: UserId, stored: Option<Timestamp>) -> Present {
        let state = self.shown.get(&user).copied();
        let last_seen = if state.is_some() { None } else { self.seen.at.get(&user).copied().max(stored) };
        Present { user, state, last_seen, status: None }
    }

    /// What is shown of somebody; `None` is offline.
    pub(super) fn state(&self, user: UserId) -> Option<Availability> {
        self.shown.get(&user).copied()
    }

    /// How often what is shown of anybody has changed.
    pub(super) const fn changes(&self) -> u64 {
        self.changes
    }

    /// The people of this node of whom it was told that they are here.
    pub(super) fn here(&self) -> impl Iterator<Item = UserId> {
        self.own.all_told().map(|(user, _)| user)
    }

    fn told(&mut self, transitions: impl IntoIterator<Item = Transition>) -> Outcome {
        let mut outcome = Outcome::default();
        for Transition { user, state, since } in transitions {
            outcome.changed.extend(self.look(user, since));
            outcome.tell.push(Signal::Presence { user, state, since });
        }
        outcome
    }

    fn gone(&mut self, users: Vec<UserId>, wall: Timestamp) -> Vec<Present> {
        users.into_iter().filter_map(|user| self.look(user, wall)).collect()
    }

    /// Looks whether something else is to be shown of somebody; who is offline now went at `since`.
    fn look(&mut self, user: UserId, since: Timestamp) -> Option<Present> {
        let state = self.own.told(user).max(self.others.told(user));
        let before = match state {
            Some(state) => self.shown.insert(user, state),
            None => self.shown.remove(&user),
        };
        if before == state {
            return None;
        }
        self.changes += 1;
        if state.is_none() {
            self.seen.went(user, since);
        }
        Some(self.shown(user, None))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;
    use crate::presence::{LEASE_EVERY, OFFLINE_AFTER, SILENT_LEASES};
    use crate::registry::{Outbox, Registry};

    /// Nodes with a topic between them that may lose things.
    struct World {
        boards: Vec<(Uuid, Board)>,
        at: Now,
        registry: Registry,
    }

    impl World {
        fn new(nodes: usize) -> Self {
            Self {
                boards: (0..nodes).map(|_| (Uuid::now_v7(), Board::default())).collect(),
                at: Now { at: Instant::now(), wall: Timestamp::from_unix_ms(1_700_000_000_000) },
                registry: Registry::default(),
            }
        }

        fn socket(&self) -> ConnectionId {
            self.registry.register(UserId::new(), Uuid::nil(), Outbox::new(1, 1)).id()
        }

        /// Carries what `from` tells to all others, and their answers; `is_lost` says what is not.
        fn carry(&mut self, from: usize, outcome: Outcome, is_lost: &mut impl FnMut() -> bool) {
            let mut told: VecDeque<_> = outcome.tell.into_iter().map(|signal| (from, signal)).collect();
            while let Some((from, signal)) = told.pop_front() {
                if is_lost() {
                    continue;
                }
                let (node, now) = (self.boards[from].0, self.at);
                for to in (0..self.boards.len()).filter(|to| *to != from) {
                    let (own, board) = &mut self.boards[to];
                    let answers = match &signal {
                        Signal::AskPeople { of } if *of == *own => board.people(),
                        signal => board.heard(node, signal.clone(), now).tell,
                    };
                    told.extend(answers.into_iter().map(|answer| (to, answer)));
                }
            }
        }

        /// A second, with what becomes due in it.
        fn second(&mut self, is_lost: &mut impl FnMut() -> bool) {
            self.at.at += Duration::from_secs(1);
            self.at.wall = self.at.wall.plus_ms(1_000);
            for node in 0..self.boards.len() {
                let outcome = self.boards[node].1.elapsed(self.at);
                self.carry(node, outcome, is_lost);
            }
        }

        fn leases(&mut self, is_lost: &mut impl FnMut() -> bool) {
            for node in 0..self.boards.len() {
                let tell = vec![self.boards[node].1.lease()];
                self.carry(node, Outcome { changed: Vec::new(), tell }, is_lost);
            }
        }
    }

    #[test]
    fn who_changes_the_node_changes_nothing_for_those_who_look_on() {
        let mut world = World::new(2);
        let (ann, [first, second]) = (UserId::new(), [world.socket(), world.socket()]);
        let came = world.boards[0].1.connected(ann, first, false, world.at);
        assert_eq!(came.changed.len(), 1);
        world.carry(0, came, &mut || false);
        assert_eq!(world.boards[1].1.shown(ann, None).state, Some(Availability::Online));
        let now = world.at;
        assert!(world.boards[0].1.disconnected(ann, first, now).changed.is_empty());
        let there = world.boards[1].1.connected(ann, second, false, now);
        assert!(there.changed.is_empty());
        world.carry(1, there, &mut || false);
        world.at.at += OFFLINE_AFTER;
        let gone = world.boards[0].1.elapsed(world.at);
        assert!(gone.changed.is_empty() && gone.tell.len() == 1, "she is on the other one");
        world.carry(0, gone, &mut || false);
        assert_eq!(world.boards[1].1.shown(ann, None).state, Some(Availability::Online));
    }

    #[test]
    fn who_went_was_last_seen_when_the_last_socket_went() {
        let mut world = World::new(2);
        let (ann, socket) = (UserId::new(), world.socket());
        let came = world.boards[0].1.connected(ann, socket, false, world.at);
        world.carry(0, came, &mut || false);
        world.second(&mut || false);
        let went = world.at;
        world.boards[0].1.disconnected(ann, socket, went);
        for _ in 0..=OFFLINE_AFTER.as_secs() {
            world.second(&mut || false);
        }
        for (_, board) in &world.boards {
            assert_eq!(
                board.shown(ann, None),
                Present { user: ann, state: None, last_seen: Some(went.wall), status: None }
            );
        }
    }

    #[test]
    fn a_killed_nodes_people_go_after_its_leases_ran_out() {
        let mut world = World::new(2);
        let (ann, socket) = (UserId::new(), world.socket());
        let came = world.boards[0].1.connected(ann, socket, false, world.at);
        world.carry(0, came, &mut || false);
        let wall = world.at.wall;
        for lease in 1..=SILENT_LEASES {
            let shown = world.boards[1].1.shown(ann, None).state;
            assert_eq!(shown, Some(Availability::Online), "before lease {lease}");
            world.boards[1].1.own_lease(wall);
        }
        assert_eq!(world.boards[1].1.shown(ann, None).state, None);
        let least = LEASE_EVERY * (SILENT_LEASES - 1);
        assert!(least >= Duration::from_secs(90) && LEASE_EVERY * SILENT_LEASES <= Duration::from_secs(100));
    }

    proptest! {
        /// Whatever is lost between the nodes: when the topic works again, all nodes show what is so.
        #[test]
        fn all_nodes_come_to_show_the_same(
            steps in prop::collection::vec((0..3_usize, 0..4_usize, 0..5_u8, 0..30_u64), 1..40),
            losses in prop::collection::vec(any::<bool>(), 1..20),
        ) {
            let mut world = World::new(3);
            let users: Vec<UserId> = (0..4).map(|_| UserId::new()).collect();
            let mut open: Vec<(usize, usize, ConnectionId, bool)> = Vec::new();
            let mut loss = losses.iter().cycle();
            let mut is_lost = || *loss.next().unwrap();
            for (node, user, what, seconds) in steps {
                let (now, id) = (world.at, users[user]);
                let outcome = match what {
                    0 | 1 => {
                        let socket = world.socket();
                        open.push((node, user, socket, false));
                        world.boards[node].1.connected(id, socket, false, now)
                    }
                    2 => match open.iter_mut().find(|it| (it.0, it.1) == (node, user)) {
                        Some(it) => {
                            it.3 = !it.3;
                            world.boards[node].1.idle(id, it.2, it.3, now)
                        }
                        None => continue,
                    },
                    _ => match open.iter().position(|it| (it.0, it.1) == (node, user)) {
                        Some(place) => {
                            let socket = open.remove(place).2;
                            world.boards[node].1.disconnected(id, socket, now)
                        }
                        None => continue,
                    },
                };
                world.carry(node, outcome, &mut is_lost);
                for _ in 0..seconds {
                    world.second(&mut is_lost);
                }
            }
            for _ in 0..=OFFLINE_AFTER.as_secs() {
                world.second(&mut is_lost);
            }
            world.leases(&mut || false);
            let here: HashSet<usize> = open.iter().map(|it| it.1).collect();
            for (number, user) in users.iter().enumerate() {
                let shown = |(_, board): &(Uuid, Board)| board.shown(*user, None).state;
                let shown: Vec<_> = world.boards.iter().map(shown).collect();
                let is_idle = open.iter().filter(|it| it.1 == number).all(|it| it.3);
                let expected = here.contains(&number).then_some(if is_idle {
                    Availability::Away
                } else {
                    Availability::Online
                });
                prop_assert!(shown.iter().all(|state| *state == expected), "{shown:?} {expected:?}");
            }
        }
    }
}
