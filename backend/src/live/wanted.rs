//! Rooms of which somebody here should hear, and which are being loaded for that.
//!
//! Their records wait in memory, so no client's cursor may say yet that it has seen them
//! ([`Wanted::told`]). Pure.

use std::collections::{HashMap, VecDeque};

use milena_domain::ConversationId;

/// What is wanted, by room: the first record that waits.
#[derive(Debug, Default)]
pub struct Wanted {
    held: HashMap<ConversationId, (i32, i64)>,
    /// To be passed on to whoever loads.
    unasked: VecDeque<ConversationId>,
}

impl Wanted {
    /// A record of a room waits. Whoever wants it already waits for the first one.
    pub fn want(&mut self, room: ConversationId, partition: i32, offset: i64) {
        self.held.entry(room).or_insert_with(|| {
            self.unasked.push_back(room);
            (partition, offset)
        });
    }

    /// The room is loaded, or there is none: the first record that waited.
    pub fn got(&mut self, room: ConversationId) -> Option<i64> {
        self.held.remove(&room).map(|(_, offset)| offset)
    }

    /// What a cursor may say of a partition of which everything before `next` was delivered.
    #[must_use]
    pub fn told(&self, partition: i32, next: i64) -> i64 {
        let of_partition = self.held.values().filter(|(held, _)| *held == partition);
        of_partition.map(|(_, offset)| *offset).fold(next, i64::min)
    }

    /// Whether nothing is wanted.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.held.is_empty()
    }

    /// Passes on what nobody loads yet, until `ask` takes no more.
    pub fn pass_on(&mut self, mut ask: impl FnMut(ConversationId) -> bool) {
        while let Some(room) = self.unasked.pop_front() {
            if self.held.contains_key(&room) && !ask(room) {
                self.unasked.push_front(room);
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use milena_domain::{ClientId, UserId};

    use super::*;

    #[test]
    fn cursors_stay_before_what_waits() {
        let room = |name: &str| ConversationId::room(UserId::new(), &ClientId::new(name).unwrap());
        let (one, two) = (room("1"), room("2"));
        let mut wanted = Wanted::default();
        for (room, offset) in [(one, 5), (two, 3), (one, 4)] {
            wanted.want(room, 0, offset);
        }
        assert_eq!([wanted.told(0, 9), wanted.told(0, 2), wanted.told(1, 9)], [3, 2, 9]);
        let mut asked = Vec::new();
        wanted.pass_on(|room| {
            asked.push(room);
            asked.len() < 2
        });
        assert_eq!(asked, [one, two], "each once");
        assert_eq!(wanted.got(two), Some(3));
        assert_eq!((wanted.told(0, 9), wanted.got(two)), (5, None));
        wanted.pass_on(|_| panic!("the second is not wanted any more"));
    }
}
