//! Updates for rooms with many sockets here, handed out some sockets at a time.
//!
//! Ten thousand sockets that are woken at once stand before everybody else's in the queue for the processors:
//! a message between two people would wait for all of them. So the delivery task hands such an update to
//! some sockets, lets others have a turn, and goes on. What comes for a room meanwhile waits behind it, so
//! each socket gets a room's updates in their order; rooms take turns; and nobody's cursor covers an update
//! that is still being handed out ([`Fanout::told`]). Whom an update is for was decided when it was added.
//!
//! What waits together for the same sockets is handed out together: a room that is written in faster than its
//! sockets take it costs each of them one write for several messages.
//!
//! It all happens in the one delivery task: what costs time is writing, and sockets do that side by side.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use milena_domain::ConversationId;

use crate::live::Update;
use crate::registry::{ConnectionId, Listeners};

/// Sockets in one go.
const SLICE: usize = 64;
/// Rooms with more sockets here than this are handed out in slices.
pub const LARGE: usize = 256;
/// Updates that may be under way; beyond, the oldest are finished at once, and deliveries wait for that.
const MOST: usize = 1_024;

/// Updates on their way to the same sockets.
#[derive(Debug)]
struct Handout {
    /// The partition and offset of the event that the first is about.
    at: (i32, i64),
    /// Each with those who do not get it.
    updates: Vec<(Update, Vec<ConnectionId>)>,
    audience: Listeners,
    /// How many sockets have them.
    done: usize,
}

/// Everything that is under way.
#[derive(Debug)]
pub struct Fanout {
    /// Rooms with more sockets are handed out in slices.
    large: usize,
    rooms: HashMap<ConversationId, VecDeque<Handout>>,
    /// The rooms, the next in turn first.
    turns: VecDeque<ConversationId>,
    updates: usize,
}

impl Fanout {
    /// `large`: as [`LARGE`]; tests have small rooms.
    #[must_use]
    pub fn new(large: usize) -> Self {
        Self { large, rooms: HashMap::new(), turns: VecDeque::new(), updates: 0 }
    }

    /// Whether what is for `sockets` sockets in the room now must be [added](Self::add) instead of handed out
    /// at once.
    #[must_use]
    pub fn takes(&self, room: ConversationId, sockets: usize) -> bool {
        sockets > self.large || self.rooms.contains_key(&room)
    }

    /// An update about the event at a partition's offset, for all of `audience` but `except`; those of a room
    /// come in the order of the log.
    pub fn add(
        &mut self,
        room: ConversationId,
        at: (i32, i64),
        (update, except): (Update, &[ConnectionId]),
        audience: Listeners,
    ) {
        let waiting = self.rooms.entry(room).or_default();
        if waiting.is_empty() {
            self.turns.push_back(room);
        }
        let update = (update, except.to_vec());
        match waiting.back_mut() {
            Some(last) if last.done == 0 && Arc::ptr_eq(&last.audience, &audience) => {
                last.updates.push(update);
            }
            _ => waiting.push_back(Handout { at, updates: vec![update], audience, done: 0 }),
        }
        self.updates += 1;
        while self.updates > MOST {
            self.step();
        }
    }

    /// Whether nothing is under way.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.turns.is_empty()
    }

    /// Hands out a slice. `true` when some socket's cursor may say more now.
    pub fn step(&mut self) -> bool {
        let Some(room) = self.turns.pop_front() else { return false };
        let Some(waiting) = self.rooms.get_mut(&room) else { return false };
        let mut is_finished = false;
        if let Some(handout) = waiting.front_mut() {
            let end = handout.audience.len().min(handout.done + SLICE);
            for (id, outbox) in &handout.audience[handout.done..end] {
                for (update, _) in handout.updates.iter().filter(|(_, except)| !except.contains(id)) {
                    outbox.push(update.clone());
                }
            }
            handout.done = end;
            is_finished = handout.done == handout.audience.len();
        }
        if is_finished && let Some(handout) = waiting.pop_front() {
            self.updates -= handout.updates.len();
        }
        if waiting.is_empty() {
            self.rooms.remove(&room);
        } else {
            self.turns.push_back(room);
        }
        is_finished
    }

    /// What a cursor may say of a partition of which everything before `next` was delivered.
    #[must_use]
    pub fn told(&self, partition: i32, next: i64) -> i64 {
        // The first of a room is its earliest.
        let earliest = self.rooms.values().filter_map(|waiting| waiting.front().map(|handout| handout.at));
        earliest.filter(|at| at.0 == partition).map(|at| at.1).fold(next, i64::min)
    }
}

#[cfg(test)]
mod tests {
    use milena_domain::{ClientId, UserId};
    use proptest::prelude::*;

    use super::*;
    use crate::live::News;
    use crate::registry::{Outbox, Registry};

    fn audience(sockets: usize) -> Listeners {
        let registry = Registry::default();
        let user = UserId::from_uuid(uuid::Uuid::nil());
        let outboxes = (0..sockets).map(|_| Outbox::new(10_000, 1 << 24));
        let registered: Vec<_> =
            outboxes.map(|outbox| registry.register(user, uuid::Uuid::nil(), outbox)).collect();
        let audience = registry.sockets_of(user);
        drop(registered);
        audience
    }

    fn room(number: usize) -> ConversationId {
        let client_id = ClientId::new(&format!("room-{number}")).unwrap();
        ConversationId::room(UserId::from_uuid(uuid::Uuid::nil()), &client_id)
    }

    fn update(offset: i64) -> Update {
        News::Prefix(offset.to_string()).into()
    }

    proptest! {
        /// Three rooms on two partitions, one with many sockets; steps at any moment.
        #[test]
        fn each_socket_gets_everything_in_order_before_a_cursor_says_so(
            plan in prop::collection::vec((0..3_usize, 0..4_usize), 1..40),
        ) {
            let sockets = [1, 40, 200].map(audience);
            let mut fanout = Fanout::new(0);
            let mut sent: Vec<Vec<i64>> = vec![Vec::new(); 3];
            let mut next = [0_i64; 2];
            let check = |fanout: &Fanout, sent: &[Vec<i64>], next: [i64; 2]| {
                for (number, outboxes) in sockets.iter().enumerate() {
                    let partition = number % 2;
                    let told = fanout.told(partition as i32, next[partition]);
                    let due = sent[number].iter().filter(|offset| **offset < told).count();
                    prop_assert!(outboxes.iter().all(|(_, outbox)| outbox.len() >= due));
                }
                Ok(())
            };
            for (number, steps) in plan {
                let partition = number % 2;
                let at = (partition as i32, next[partition]);
                fanout.add(room(number), at, (update(at.1), &[]), sockets[number].clone());
                sent[number].push(at.1);
                next[partition] += 1;
                check(&fanout, &sent, next)?;
                for _ in 0..steps {
                    fanout.step();
                    check(&fanout, &sent, next)?;
                }
            }
            while !fanout.is_empty() {
                fanout.step();
                check(&fanout, &sent, next)?;
            }
            prop_assert!(!fanout.takes(room(1), 0));
            for (outboxes, sent) in sockets.iter().zip(&sent) {
                for (_, outbox) in outboxes.iter() {
                    let got: Vec<i64> = std::iter::from_fn(|| outbox.pop())
                        .map(|update| match update.news() {
                            News::Prefix(offset) => offset.parse().unwrap(),
                            other => panic!("{other:?}"),
                        })
                        .collect();
                    prop_assert_eq!(&got, sent);
                }
            }
        }
    }

    #[test]
    fn what_is_under_way_is_bounded_and_rooms_take_turns() {
        let (many, one) = (audience(SLICE * 3), audience(1));
        let mut fanout = Fanout::new(LARGE);
        assert!(!fanout.takes(room(1), LARGE) && fanout.takes(room(1), LARGE + 1));
        fanout.add(room(1), (0, 1), (update(1), &[]), many.clone());
        assert!(fanout.takes(room(1), 1), "behind what is under way");
        fanout.add(room(2), (0, 2), (update(2), &[]), one);
        assert!(!fanout.step() && fanout.step(), "the small room does not wait for the large one");
        for offset in 3..2_000 {
            fanout.add(room(1), (0, offset), (update(offset), &[]), many.clone());
        }
        assert!(fanout.updates <= MOST && fanout.told(0, 2_000) > 900);
    }

    #[test]
    fn what_waits_for_the_same_sockets_goes_together() {
        let (many, others) = (audience(SLICE + 1), audience(SLICE));
        let mut fanout = Fanout::new(LARGE);
        let sender = many[0].0;
        for offset in 1..5 {
            let except = if offset == 3 { &[sender][..] } else { &[] };
            fanout.add(room(1), (0, offset), (update(offset), except), many.clone());
        }
        fanout.add(room(1), (0, 5), (update(5), &[]), others.clone());
        assert!(!fanout.step());
        assert_eq!((many[0].1.len(), many[1].1.len(), many[SLICE].1.len()), (3, 4, 0));
        assert!(fanout.step() && fanout.told(0, 6) == 5);
        assert!(fanout.step() && fanout.is_empty() && others[0].1.len() == 1);
    }
}
