//! The fold as delivery needs it: whether a record counts, in the order of the log.
//!
//! One window of repeats a partition, which is warm because the tail begins to read a window before the first
//! record that is judged. Of a direct conversation the fold needs to know only who blocks whom ([`Blocks`]),
//! so an ordinary message costs a look there and one into the window. What this node has no roster of
//! (rooms) is not judged here: whoever shows it will. What is about a message is judged in two steps, since
//! its message may have to be looked up in between ([`super::targets`]). Pure: no I/O.

use std::collections::HashMap;

use milena_domain::record::{Action, Placed};
use milena_domain::{MessageId, Position};
use milena_timeline::{Change, Facts, Leave, Outcome, Void, Window, fold, fold_about, near};

use super::blocks::Blocks;

/// What is to be done with a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It counts.
    Counts,
    /// It was said before, there.
    Repeat(Position),
    /// It does not count.
    Void(Void),
    /// It is nobody's business here.
    NotJudged,
}

/// What delivery remembers of the log to judge what comes.
#[derive(Debug, Default)]
pub struct Fold {
    /// By partition.
    windows: HashMap<i32, Window>,
    /// By partition, changes of messages that were read to warm the windows: the store says whether they
    /// counted, and is asked when another one has the name.
    unsure: HashMap<i32, HashMap<MessageId, Position>>,
    blocks: Blocks,
}

impl Fold {
    /// Nothing was read yet; `blocks` are as of what is read first.
    #[must_use]
    pub fn new(blocks: Blocks) -> Self {
        Self { windows: HashMap::new(), unsure: HashMap::new(), blocks }
    }

    /// Judges the next record of its partition. `first_of` knows where an id was used lately, if it was: a
    /// record of version 1 proves nothing by itself, and was looked up by whoever sent it.
    pub fn judge(
        &mut self,
        partition: i32,
        placed: &Placed,
        first_of: impl Fn(MessageId) -> Option<Position>,
    ) -> Verdict {
        let event = &placed.event;
        if event.to.is_none() || !matches!(event.action, Action::Message(_) | Action::Blocked { .. }) {
            return Verdict::NotJudged;
        }
        let window = self.windows.entry(partition).or_default();
        let mut state = self.blocks.state(event.conversation);
        let outcome = match fold(window, &mut state, placed) {
            Err(missing) if !missing.ids.is_empty() => {
                missing.ids.iter().for_each(|&id| window.answer(id, first_of(id)));
                fold(window, &mut state, placed)
            }
            outcome => outcome,
        };
        match outcome {
            Ok(Outcome::Effective(changes)) => {
                changes.iter().for_each(|change| self.remember(placed, change));
                Verdict::Counts
            }
            Ok(Outcome::Void(void)) => Verdict::Void(void),
            Ok(Outcome::Repeat(first)) => Verdict::Repeat(first),
            // Messages and blocks ask for nothing else.
            Err(_) => Verdict::NotJudged,
        }
    }

    /// Takes a record that the store has already, so that what follows is judged as everywhere.
    pub fn warm(&mut self, partition: i32, placed: &Placed) {
        if placed.event.to.is_some() && placed.event.action.target().is_some() {
            self.unsure.entry(partition).or_default().insert(placed.event.id, placed.position);
        } else {
            self.judge(partition, placed, |_| None);
        }
    }

    /// Whether something of this name was read while the window was warmed of which nobody here knows whether
    /// it counted.
    pub fn is_unsure(&mut self, partition: i32, placed: &Placed) -> bool {
        let Some(unsure) = self.unsure.get(&partition) else { return false };
        if unsure.values().all(|before| !near(*before, placed.position)) {
            self.unsure.remove(&partition);
            return false;
        }
        unsure.get(&placed.event.id).is_some_and(|before| near(*before, placed.position))
    }

    /// The store says where something of this name counted, if it did.
    pub fn make_sure(&mut self, partition: i32, id: MessageId, first: Option<Position>) {
        if let Some(unsure) = self.unsure.get_mut(&partition) {
            unsure.remove(&id);
        }
        if let Some(first) = first {
            self.windows.entry(partition).or_default().remember_id(id, first);
        }
    }

    /// What the conversation says of an event about a message.
    #[must_use]
    pub fn admit(&self, placed: &Placed) -> Option<Leave> {
        self.blocks.state(placed.event.conversation).admit(&placed.event).ok()
    }

    /// Judges an event about a message; `facts` are carried on if it counts.
    pub fn judge_about(
        &mut self,
        partition: i32,
        placed: &Placed,
        leave: Leave,
        facts: &mut Facts,
    ) -> Outcome {
        fold_about(self.windows.entry(partition).or_default(), leave, facts, placed)
    }

    /// Where the window remembers an id.
    #[must_use]
    pub fn place_of(&self, partition: i32, id: MessageId) -> Option<Position> {
        self.windows.get(&partition)?.place_of(id)
    }

    fn remember(&self, placed: &Placed, change: &Change) {
        if let Change::Blocked { by, on } = *change {
            self.blocks.set(placed.event.conversation, by, on.then_some(placed.position));
        }
    }

    /// Ids that the windows hold.
    #[must_use]
    pub fn remembered(&self) -> usize {
        self.windows.values().map(Window::len).sum()
    }
}

#[cfg(test)]
mod tests {
    use milena_domain::limits::REPEAT_WINDOW_OFFSETS;
    use milena_domain::record::{Event, Message, Place};
    use milena_domain::{Body, ClientId, ConversationId, Epoch, Timestamp, UserId};

    use super::*;
    use crate::log::event::direct_message;

    fn user(number: u128) -> UserId {
        UserId::from_uuid(uuid::Uuid::from_u128(number))
    }

    fn at(offset: i64) -> Position {
        Position::new(Epoch::FIRST, offset)
    }

    fn words() -> Body {
        Body::new("x").unwrap()
    }

    fn old(name: &str, to: u128, offset: i64) -> Placed {
        let name = ClientId::new(name).unwrap();
        let event = direct_message(user(1), user(to), name, Timestamp::from_unix_ms(0), words());
        Placed { position: at(offset), event }
    }

    fn new(actor: u128, to: u128, action: Action, offset: i64, seen: i64) -> Placed {
        let (place, name) = (Place::Direct(user(to)), ClientId::new(&offset.to_string()).unwrap());
        let event = Event::new(user(actor), place, name, Timestamp::from_unix_ms(0), at(seen), action);
        Placed { position: at(offset), event }
    }

    fn message() -> Action {
        Action::Message(Message::plain(words()))
    }

    const NEVER: fn(MessageId) -> Option<Position> = |_| None;

    #[test]
    fn both_versions_are_judged_by_what_stood_before() {
        let mut fold = Fold::default();
        assert_eq!(fold.judge(0, &old("a", 2, 5), NEVER), Verdict::Counts);
        assert_eq!(fold.judge(0, &old("a", 2, 6), NEVER), Verdict::Repeat(at(5)), "the window knows it");
        assert_eq!(fold.judge(0, &old("b", 2, 7), |_| Some(at(1))), Verdict::Repeat(at(1)), "memory does");
        let sent = new(1, 2, message(), 8, 7);
        assert_eq!(fold.judge(0, &sent, NEVER), Verdict::Counts);
        let again = Placed { position: at(9), ..sent };
        assert_eq!(fold.judge(0, &again, NEVER), Verdict::Repeat(at(8)));
        let stale = new(1, 2, message(), REPEAT_WINDOW_OFFSETS + 10, 9);
        assert_eq!(fold.judge(0, &stale, NEVER), Verdict::Void(Void::StaleProof));
    }

    #[test]
    fn a_block_voids_what_comes_after_it_and_only_there() {
        let mut fold = Fold::default();
        assert_eq!(fold.judge(0, &new(2, 1, Action::Blocked { on: true }, 1, 0), NEVER), Verdict::Counts);
        assert_eq!(fold.judge(0, &old("a", 2, 2), NEVER), Verdict::Void(Void::Blocked));
        assert_eq!(fold.judge(0, &old("b", 3, 3), NEVER), Verdict::Counts, "another conversation");
        let again = new(2, 1, Action::Blocked { on: true }, 4, 3);
        assert_eq!(fold.judge(0, &again, NEVER), Verdict::Repeat(at(1)));
        assert_eq!(fold.judge(0, &new(2, 1, Action::Blocked { on: false }, 5, 4), NEVER), Verdict::Counts);
        assert_eq!(fold.judge(0, &old("a", 2, 6), NEVER), Verdict::Counts, "a void one used no name up");
        assert!(!fold.blocks.is_blocked(ConversationId::direct(user(1), user(2))));
    }

    #[test]
    fn what_the_store_knows_of_blocks_holds_unless_it_is_read_again() {
        let pair = |other: u128| ConversationId::direct(user(1), user(other));
        let stored = [(pair(2), user(2), at(3)), (pair(3), user(3), at(7))];
        let mut fold = Fold::new(Blocks::stored(stored, |_| at(5)));
        assert_eq!(fold.judge(0, &old("a", 2, 5), NEVER), Verdict::Void(Void::Blocked));
        assert_eq!(fold.judge(0, &old("b", 3, 6), NEVER), Verdict::Counts, "not yet");
        let blocked = new(3, 1, Action::Blocked { on: true }, 7, 6);
        assert_eq!(fold.judge(0, &blocked, NEVER), Verdict::Counts);
        assert_eq!(fold.judge(0, &old("c", 3, 8), NEVER), Verdict::Void(Void::Blocked));
    }

    #[test]
    fn rooms_are_left_to_those_who_show_them() {
        let mut fold = Fold::default();
        let room = ConversationId::room(user(1), &ClientId::new("r").unwrap());
        let name = ClientId::new("j").unwrap();
        let joined =
            Event::new(user(1), Place::Room(room), name, Timestamp::from_unix_ms(0), at(0), Action::Joined);
        assert_eq!(fold.judge(0, &Placed { position: at(1), event: joined }, NEVER), Verdict::NotJudged);
        assert_eq!(fold.remembered(), 0);
    }
}
