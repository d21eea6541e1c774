//! Updates for rooms with many sockets here, handed out some sockets at a time.
//!
//! Ten thousand sockets that are woken at once stand before everybody else's in the queue for the processors:
//! a message between two people would wait for all of them. So the delivery task hands such an update to
//! some sockets, lets others have a turn, and goes on. What comes for a room meanwhile waits behind it, so
//! each socket gets a room's updates in their order; rooms take turns; and nobody's cursor covers an update
//! that is still being handed out ([`Fanout::told`]). Whom an update is for was decided when it was added.
//!
//! It all happens in the one delivery task: what costs time is writing, and sockets do that side by side.

use std::collections::{HashMap, VecDeque};

use milena_domain::ConversationId;

use crate::live::Update;
use crate::registry::Outbox;

/// Sockets in one go.
const SLICE: usize = 64;
/// Rooms with more sockets here than this are handed out in slices.
pub const LARGE: usize = 256;
/// Updates that may be under way; beyond, the oldest are finished at once, and deliveries wait for that.
const MOST: usize = 1_024;

/// One update on its way.
#[derive(Debug)]
struct Handout {
    /// The partition and offset of the event that it is about.
    at: (i32, i64),
    update: Update,
    sockets: Vec<Outbox>,
    /// How many of them have it.
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
    handouts: usize,
}

impl Fanout {
    /// `large`: as [`LARGE`]; tests have small rooms.
    #[must_use]
    pub fn new(large: usize) -> Self {
        Self { large, rooms: HashMap::new(), turns: VecDeque::new(), handouts: 0 }
    }

    /// Whether what is for `sockets` sockets in the room now must be [added](Self::add) instead of handed out
    /// at once.
    #[must_use]
    pub fn takes(&self, room: ConversationId, sockets: usize) -> bool {
        sockets > self.large || self.rooms.contains_key(&room)
    }

    /// An update about the event at a partition's offset; those of a room come in the order of the log.
    pub fn add(&mut self, room: ConversationId, at: (i32, i64), update: Update, sockets: Vec<Outbox>) {
        let waiting = self.rooms.entry(room).or_default();
        if waiting.is_empty() {
            self.turns.push_back(room);
        }
        waiting.push_back(Handout { at, update, sockets, done: 0 });
        self.handouts += 1;
        while self.handouts > MOST {
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
            let end = handout.sockets.len().min(handout.done + SLICE);
            for outbox in &handout.sockets[handout.done..end] {
                outbox.push(handout.update.clone());
            }
            handout.done = end;
            is_finished = handout.done == handout.sockets.len();
        }
        if is_finished {
            waiting.pop_front();
            self.handouts -= 1;
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
            let sizes = [1, 40, 200];
            let sockets: Vec<Vec<Outbox>> =
                sizes.iter().map(|size| (0..*size).map(|_| Outbox::new(1_000, 1 << 20)).collect()).collect();
            let mut fanout = Fanout::new(0);
            let mut sent: Vec<Vec<i64>> = vec![Vec::new(); 3];
            let mut next = [0_i64; 2];
            let check = |fanout: &Fanout, sent: &[Vec<i64>], next: [i64; 2]| {
                for (number, outboxes) in sockets.iter().enumerate() {
                    let partition = number % 2;
                    let told = fanout.told(partition as i32, next[partition]);
                    let due = sent[number].iter().filter(|offset| **offset < told).count();
                    prop_assert!(outboxes.iter().all(|outbox| outbox.len() >= due));
                }
                Ok(())
            };
            for (number, steps) in plan {
                let partition = number % 2;
                let at = (partition as i32, next[partition]);
                fanout.add(room(number), at, update(at.1), sockets[number].clone());
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
                for outbox in outboxes {
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
        let outboxes: Vec<Outbox> = (0..SLICE * 3).map(|_| Outbox::new(10_000, 1 << 24)).collect();
        let mut fanout = Fanout::new(LARGE);
        assert!(!fanout.takes(room(1), LARGE) && fanout.takes(room(1), LARGE + 1));
        fanout.add(room(1), (0, 1), update(1), outboxes.clone());
        assert!(fanout.takes(room(1), 1), "behind what is under way");
        fanout.add(room(2), (0, 2), update(2), outboxes[..1].to_vec());
        assert!(!fanout.step() && fanout.step(), "the small room does not wait for the large one");
        for offset in 3..2_000 {
            fanout.add(room(1), (0, offset), update(offset), outboxes.clone());
        }
        assert!(fanout.handouts <= MOST && fanout.told(0, 2_000) > 900);
    }
}
