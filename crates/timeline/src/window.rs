//! Repeats within a partition, in bounded memory.
//!
//! Whether an id was used before is a fact about the whole log, and nobody remembers the whole log. So
//! admission proves absence before a position (`seen`), and the fold looks only at what came since: at most
//! [`REPEAT_WINDOW_OFFSETS`] records, which every reader remembers, because it begins to read that far before
//! where it begins to judge.

use std::collections::{HashMap, VecDeque};

use milena_domain::limits::REPEAT_WINDOW_OFFSETS;
use milena_domain::record::Placed;
use milena_domain::{MessageId, Position};

/// The effective ids of the newest records of one partition: at most one a record of the window.
#[derive(Debug, Default)]
pub struct Window {
    places: HashMap<MessageId, Position>,
    order: VecDeque<(Position, MessageId)>,
    /// What a projection has answered about ids of version 1; used up by the event that asked.
    answers: HashMap<MessageId, Option<Position>>,
}

/// What the window knows of an event's id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proof {
    /// It was not used before.
    New,
    /// It was, here first.
    Repeat(Position),
    /// The event says too little about what was seen.
    Stale,
    /// A record of version 1 or of another epoch, which proves nothing: whoever has the store must be asked.
    Ask,
}

impl Window {
    /// What is known of the event's id.
    #[must_use]
    pub fn check(&self, placed: &Placed) -> Proof {
        let id = placed.event.id;
        if let Some(&first) = self.places.get(&id)
            && near(first, placed.position)
        {
            return Proof::Repeat(first);
        }
        match placed.proof() {
            Some(seen) if near(seen, placed.position) => Proof::New,
            Some(_) => Proof::Stale,
            None => match self.answers.get(&id) {
                Some(Some(first)) => Proof::Repeat(*first),
                Some(None) => Proof::New,
                None => Proof::Ask,
            },
        }
    }

    /// Where an id was used, if that is remembered.
    #[must_use]
    pub fn place_of(&self, id: MessageId) -> Option<Position> {
        self.places.get(&id).copied()
    }

    /// Tells where an id of version 1 was used before, if it was.
    pub fn answer(&mut self, id: MessageId, first: Option<Position>) {
        self.answers.insert(id, first);
    }

    /// Remembers an effective event, and forgets what no later event can ask for.
    pub fn remember(&mut self, placed: &Placed) {
        self.answers.remove(&placed.event.id);
        self.remember_id(placed.event.id, placed.position);
    }

    /// The same of an id of which a projection says that it was used there. They are told in the order of the
    /// log, before what is remembered as it is folded. Of what waited to be judged newer ones may be
    /// remembered already: those stay.
    pub fn remember_id(&mut self, id: MessageId, position: Position) {
        self.places.insert(id, position);
        self.order.push_back((position, id));
        while let Some(&(oldest, id)) = self.order.front()
            && oldest < position
            && !near(oldest, position)
        {
            self.order.pop_front();
            // A repeat of version 1 may have renewed the place since.
            if self.places.get(&id) == Some(&oldest) {
                self.places.remove(&id);
            }
        }
    }

    /// How many ids are remembered.
    #[must_use]
    pub fn len(&self) -> usize {
        self.places.len()
    }

    /// Whether none is.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }
}

/// Whether `earlier` stands in the same epoch, not after `position`, and at most a window before it. Another
/// epoch is another log: what was seen there proves nothing here.
#[must_use]
pub fn near(earlier: Position, position: Position) -> bool {
    earlier.epoch_number() == position.epoch_number()
        && earlier <= position
        && position.offset() - earlier.offset() <= REPEAT_WINDOW_OFFSETS
}

#[cfg(test)]
mod tests {
    use milena_domain::record::{Action, Event, Message, Place};
    use milena_domain::{Body, ClientId, Epoch, Timestamp, UserId};

    use super::*;

    fn at(offset: i64) -> Position {
        Position::new(Epoch::FIRST, offset)
    }

    fn placed(client_id: &str, offset: i64, seen: Option<i64>) -> Placed {
        let user = UserId::from_uuid(uuid::Uuid::from_u128(1));
        let client_id = ClientId::new(client_id).unwrap();
        let action = Action::Message(Message::plain(Body::new("x").unwrap()));
        let moment = Timestamp::from_unix_ms(0);
        let mut event = Event::new(user, Place::Direct(user), client_id, moment, at(0), action);
        event.seen = seen.map(at);
        Placed { position: at(offset), event }
    }

    #[test]
    fn a_repeat_is_found_as_far_as_the_window_reaches_and_no_further() {
        let w = REPEAT_WINDOW_OFFSETS;
        let mut window = Window::default();
        window.remember(&placed("a", 10, Some(0)));
        assert_eq!(window.check(&placed("a", 10 + w, Some(10 + w))), Proof::Repeat(at(10)));
        assert_eq!(window.check(&placed("a", 11 + w, Some(11 + w))), Proof::New);
        window.remember(&placed("b", 11 + w, Some(w)));
        assert_eq!(window.len(), 1, "what no event can ask for is forgotten");
    }

    #[test]
    fn what_is_judged_late_makes_nothing_newer_forgotten() {
        let mut window = Window::default();
        let w = REPEAT_WINDOW_OFFSETS;
        window.remember(&placed("newest", 20 + w, Some(w)));
        for waited in [30, 10] {
            window.remember(&placed(&waited.to_string(), waited, Some(0)));
        }
        assert_eq!(window.check(&placed("newest", 30 + w, Some(w))), Proof::Repeat(at(20 + w)));
        assert_eq!(window.check(&placed("30", 30 + w, Some(w))), Proof::Repeat(at(30)));
    }

    #[test]
    fn a_proof_must_be_near_and_of_this_log() {
        let w = REPEAT_WINDOW_OFFSETS;
        let window = Window::default();
        assert_eq!(window.check(&placed("a", w, Some(0))), Proof::New);
        assert_eq!(window.check(&placed("a", w + 1, Some(0))), Proof::Stale);
        assert_eq!(window.check(&placed("a", 5, Some(6))), Proof::Stale, "nobody has seen the future");
        let mut other = placed("a", 5, Some(5));
        other.position = Position::new(Epoch::new(2).unwrap(), 5);
        assert_eq!(window.check(&other), Proof::Ask, "it does not make a good record of a replay void");
    }

    #[test]
    fn version_1_proves_nothing_and_is_asked_for_once() {
        let mut window = Window::default();
        let old = placed("a", 10, None);
        assert_eq!(window.check(&old), Proof::Ask);
        window.answer(old.event.id, None);
        assert_eq!(window.check(&old), Proof::New);
        window.remember(&old);
        assert_eq!(window.check(&placed("a", 11, None)), Proof::Repeat(at(10)));
        let other = placed("b", 12, None);
        window.answer(other.event.id, Some(at(3)));
        assert_eq!(window.check(&other), Proof::Repeat(at(3)));
    }
}
