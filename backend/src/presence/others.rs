//! What the other nodes have told of the people whose sockets are theirs. Pure: the time is handed in.
//!
//! Everything that a node tells is in one partition of the topic, so it comes in order; what is lost on the
//! way is noticed by the digest in the node's next lease. A node of which nothing is heard is believed until
//! enough of our own leases came back: the topic works, so the silence is the node's.

use std::collections::HashMap;

use milena_domain::{Availability, UserId};
use tokio::time::Instant;
use uuid::Uuid;

use super::{OFFLINE_AFTER, SILENT_LEASES};

/// Bounded by the connections of all nodes.
#[derive(Debug, Default)]
pub(super) struct Others {
    nodes: HashMap<Uuid, Node>,
}

#[derive(Debug, Default)]
struct Node {
    people: HashMap<UserId, Availability>,
    /// A list that is coming in, part by part.
    list: Option<List>,
    /// Our own leases that were heard back since this node was heard.
    silent: u32,
    /// It said goodbye: its people are gone then, unless they are on another node.
    ends_at: Option<Instant>,
}

#[derive(Debug)]
struct List {
    people: HashMap<UserId, Availability>,
    /// The part that is expected next.
    next: u32,
}

/// What a node says of its people, besides transitions: how many there are, and a sum over them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Digest {
    pub(super) people: u64,
    pub(super) sum: u64,
}

/// Of what was told of somebody.
pub(super) fn digest(told: impl Iterator<Item = (UserId, Availability)>) -> Digest {
    told.fold(Digest::default(), |digest, (user, state)| {
        let id = user.as_uuid().as_u128();
        // The random half of an id is spread well enough; the state must change more than a bit.
        let mixed = (id as u64 ^ (id >> 64) as u64).wrapping_mul(match state {
            Availability::Online => 0x9e37_79b9_7f4a_7c15,
            Availability::Away => 0xc2b2_ae3d_27d4_eb4f,
        });
        // JSON numbers are exact up to here.
        Digest { people: digest.people + 1, sum: digest.sum.wrapping_add(mixed) & ((1 << 53) - 1) }
    })
}

impl Others {
    /// A person of `node` changed.
    pub(super) fn transition(&mut self, node: Uuid, user: UserId, state: Option<Availability>) {
        let node = self.heard(node);
        let people = std::iter::once(&mut node.people).chain(node.list.as_mut().map(|list| &mut list.people));
        for people in people {
            match state {
                Some(state) => drop(people.insert(user, state)),
                None => drop(people.remove(&user)),
            }
        }
    }

    /// A lease of `node`. Whether something was lost: then its list is to be asked for.
    pub(super) fn lease(&mut self, node: Uuid, told: Digest) -> bool {
        let node = self.heard(node);
        digest(node.people.iter().map(|(user, state)| (*user, *state))) != told
    }

    /// A part of a node's list. Who changed, when it was the last.
    pub(super) fn list(
        &mut self,
        node: Uuid,
        (part, is_last): (u32, bool),
        people: impl IntoIterator<Item = (UserId, Availability)>,
    ) -> Vec<UserId> {
        let node = self.heard(node);
        if part == 0 {
            node.list = Some(List { people: HashMap::new(), next: 0 });
        }
        match &mut node.list {
            Some(list) if list.next == part => {
                list.people.extend(people);
                list.next += 1;
            }
            // A part was lost; the next lease has it asked for again.
            list => *list = None,
        }
        if !is_last {
            return Vec::new();
        }
        let Some(list) = node.list.take() else { return Vec::new() };
        let before = std::mem::replace(&mut node.people, list.people);
        let mut changed: Vec<_> = before
            .iter()
            .filter(|(user, _)| !node.people.contains_key(user))
            .map(|(user, _)| *user)
            .collect();
        changed.extend(
            node.people.iter().filter(|(user, state)| before.get(user) != Some(state)).map(|(user, _)| *user),
        );
        changed
    }

    /// `node` says goodbye: its people have [`OFFLINE_AFTER`] to come to another one.
    pub(super) fn goodbye(&mut self, node: Uuid, now: Instant) {
        self.heard(node).ends_at = Some(now + OFFLINE_AFTER);
    }

    /// Our own lease was heard back. Who is gone with nodes that fell silent.
    pub(super) fn own_lease(&mut self) -> Vec<UserId> {
        self.nodes.values_mut().for_each(|node| node.silent += 1);
        self.end(|node| node.silent >= SILENT_LEASES)
    }

    /// When [`Others::elapsed`] has something to do.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.nodes.values().filter_map(|node| node.ends_at).min()
    }

    /// Who is gone with nodes that said goodbye.
    pub(super) fn elapsed(&mut self, now: Instant) -> Vec<UserId> {
        self.end(|node| node.ends_at.is_some_and(|at| at <= now))
    }

    /// What the other nodes say of somebody: the most that any does.
    pub(super) fn told(&self, user: UserId) -> Option<Availability> {
        self.nodes.values().filter_map(|node| node.people.get(&user)).max().copied()
    }

    fn heard(&mut self, node: Uuid) -> &mut Node {
        let node = self.nodes.entry(node).or_default();
        node.silent = 0;
        node
    }

    fn end(&mut self, is_over: impl Fn(&Node) -> bool) -> Vec<UserId> {
        let gone = self.nodes.extract_if(|_, node| is_over(node));
        gone.flat_map(|(_, node)| node.people.into_keys()).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn people<const N: usize>() -> [UserId; N] {
        [(); N].map(|()| UserId::new())
    }

    fn online(users: &[UserId]) -> Vec<(UserId, Availability)> {
        users.iter().map(|user| (*user, Availability::Online)).collect()
    }

    #[test]
    fn somebody_is_where_anybody_says() {
        let (mut others, [ann, bob], [a, b]) =
            (Others::default(), people(), [Uuid::now_v7(), Uuid::now_v7()]);
        others.transition(a, ann, Some(Availability::Away));
        others.transition(b, ann, Some(Availability::Online));
        assert_eq!((others.told(ann), others.told(bob)), (Some(Availability::Online), None));
        others.transition(b, ann, None);
        assert_eq!(others.told(ann), Some(Availability::Away));
    }

    #[test]
    fn a_lost_transition_is_noticed_and_mended() {
        let (mut others, users, node) = (Others::default(), people::<3>(), Uuid::now_v7());
        let told = online(&users);
        assert!(!others.lease(node, Digest::default()));
        others.transition(node, users[0], Some(Availability::Online));
        assert!(others.lease(node, digest(told.iter().copied())), "two were lost");
        let parts = [online(&users[..2]), online(&users[2..])];
        assert!(others.list(node, (0, false), parts[0].clone()).is_empty());
        // Meanwhile somebody goes, and comes back as away.
        others.transition(node, users[1], None);
        others.transition(node, users[0], Some(Availability::Away));
        let mut changed = others.list(node, (1, true), parts[1].clone());
        changed.sort();
        assert_eq!(changed, [users[2]]);
        assert_eq!(
            users.map(|user| others.told(user)),
            [Some(Availability::Away), None, Some(Availability::Online)]
        );
        let now = [(users[0], Availability::Away), (users[2], Availability::Online)];
        assert!(!others.lease(node, digest(now.into_iter())));
        // A state that was lost is noticed, too, and so is one for another.
        assert!(others.lease(node, digest(online(&[users[0], users[2]]).into_iter())));
    }

    #[test]
    fn a_list_of_which_a_part_is_lost_changes_nothing() {
        let (mut others, users, node) = (Others::default(), people::<3>(), Uuid::now_v7());
        others.transition(node, users[0], Some(Availability::Online));
        for parts in [&[0_u32, 2][..], &[1, 2], &[0, 1, 1, 2]] {
            for part in parts {
                assert!(others.list(node, (*part, *part == 2), online(&users[1..])).is_empty());
            }
            assert_eq!(users.map(|user| others.told(user).is_some()), [true, false, false]);
        }
    }

    #[test]
    fn a_silent_node_is_believed_for_a_while_and_only_while_the_topic_works() {
        let (mut others, [ann, bob], [a, b]) =
            (Others::default(), people(), [Uuid::now_v7(), Uuid::now_v7()]);
        others.transition(a, ann, Some(Availability::Online));
        others.transition(b, bob, Some(Availability::Online));
        for _ in 1..SILENT_LEASES {
            assert!(others.own_lease().is_empty());
        }
        // However long the topic is away: nothing is heard, so nothing is counted.
        others.lease(b, digest(online(&[bob]).into_iter()));
        assert_eq!(others.own_lease(), [ann]);
        assert_eq!((others.told(ann), others.told(bob)), (None, Some(Availability::Online)));
        assert_eq!(others.nodes.len(), 1);
    }

    #[test]
    fn who_was_on_a_node_that_stops_has_time_to_come_to_another() {
        let (mut others, [ann, bob], [a, b]) =
            (Others::default(), people(), [Uuid::now_v7(), Uuid::now_v7()]);
        let now = Instant::now();
        others.list(a, (0, true), online(&[ann, bob]));
        others.goodbye(a, now);
        others.transition(b, ann, Some(Availability::Online));
        assert_eq!(others.deadline(), Some(now + OFFLINE_AFTER));
        assert!(others.elapsed(now + OFFLINE_AFTER - Duration::from_millis(1)).is_empty());
        assert_eq!(others.elapsed(now + OFFLINE_AFTER).len(), 2);
        assert_eq!((others.told(ann), others.told(bob)), (Some(Availability::Online), None));
    }
}
