//! What a connection is not sent of large rooms that its client does not show: announced instead, at most
//! every [`EVERY`]. Pure: the time is handed in.
//!
//! An announced gap is no hidden one. Whatever is held back is covered by an announcement that is sent before
//! anything else of the same room, and before any cursor that covers it. So a client knows at every moment
//! what it lacks, and a resume by a cursor repeats what was held back and not announced.

use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

use milena_domain::record::Action;
use milena_domain::{ConversationId, Position, Timestamp, UserId};
use tokio::time::Instant;

use crate::live::{News, Update};
use crate::presence::WATCH_LASTS;

/// A client that shows nothing of a room is told at most this often that something happened there.
pub(super) const EVERY: Duration = Duration::from_secs(5);

/// Of a client that wants it so. Bounded by the rooms of its person.
#[derive(Debug, Default)]
pub(super) struct Passive {
    /// What the client shows.
    open: HashSet<ConversationId>,
    /// Until when, unless it says so again.
    open_until: Option<Instant>,
    held: BTreeMap<ConversationId, Held>,
    /// When the first of `held` came.
    held_since: Option<Instant>,
    /// When what was held was announced last.
    told_at: Option<Instant>,
}

/// What was held back of a room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Held {
    /// Everything beyond this…
    pub(super) after: Position,
    /// … up to here.
    pub(super) position: Position,
    /// Messages of others among it.
    pub(super) messages: u32,
    /// When the newest of it happened.
    pub(super) at: Timestamp,
}

/// An update of a conversation, as far as it can be held back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Told {
    pub(super) conversation: ConversationId,
    /// `None`: it is sent whatever the room.
    pub(super) can_wait: Option<Waiting>,
}

/// What can wait.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Waiting {
    pub(super) position: Position,
    pub(super) at: Timestamp,
    pub(super) is_message: bool,
}

/// What becomes of an update.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Taken {
    /// It is held back.
    Held,
    /// It is sent, after this announcement.
    Sent(Option<Held>),
}

impl Told {
    /// What `user` is told; `None` for what is of no conversation's timeline.
    pub(super) fn of(update: &Update, user: UserId) -> Option<Self> {
        let (placed, position) = match update.news() {
            News::Placed(placed) => (placed, placed.position),
            News::Message(shown) => (&shown.placed, shown.placed.position),
            News::Changed(shown) => (&shown.placed, shown.changed()),
            News::Accepted(accepted) => {
                return Some(Self { conversation: accepted.conversation, can_wait: None });
            }
            News::Gap { conversation, .. } => {
                return Some(Self { conversation: *conversation, can_wait: None });
            }
            News::Room(view) => return Some(Self { conversation: view.id, can_wait: None }),
            _ => return None,
        };
        let event = &placed.event;
        let names = update.names();
        let is_renamed =
            names.is_some_and(|names| names.named.contains(&user) || names.unnamed.contains(&user));
        let is_theirs = event.actor == user
            || is_renamed
            || match &event.action {
                Action::Message(message) => message.everyone || message.mentions.contains(&user),
                // What the list of conversations shows.
                Action::RoomCreated(_) | Action::RoomChanged(_) => true,
                action => action.subjects().contains(&user),
            };
        let is_message =
            matches!(event.action, Action::Message(_)) && !matches!(update.news(), News::Changed(_));
        let waiting = Waiting { position, at: event.at, is_message };
        Some(Self { conversation: event.conversation, can_wait: (!is_theirs).then_some(waiting) })
    }
}

impl Passive {
    /// The client shows these from now on, instead of what it showed; what was held back of them is to be
    /// announced now.
    pub(super) fn watch(
        &mut self,
        conversations: &[ConversationId],
        now: Instant,
    ) -> Vec<(ConversationId, Held)> {
        self.open = conversations.iter().copied().collect();
        self.open_until = Some(now + WATCH_LASTS);
        let opened = |conversation: &ConversationId| Some((*conversation, self.held.remove(conversation)?));
        conversations.iter().filter_map(opened).collect()
    }

    /// What becomes of an update of a room that is large or not.
    pub(super) fn take(&mut self, told: Told, is_large: bool, now: Instant) -> Taken {
        let is_open =
            self.open_until.is_some_and(|until| now < until) && self.open.contains(&told.conversation);
        let Some(waiting) = told.can_wait.filter(|_| is_large && !is_open) else {
            return Taken::Sent(self.held.remove(&told.conversation));
        };
        let Waiting { position, at, is_message } = waiting;
        if self.held.is_empty() {
            self.held_since = Some(now);
        }
        let first = Held { after: position.before(), position, messages: 0, at };
        let held = self.held.entry(told.conversation).or_insert(first);
        held.after = held.after.min(position.before());
        held.position = held.position.max(position);
        held.messages = held.messages.saturating_add(u32::from(is_message));
        held.at = held.at.max(at);
        Taken::Held
    }

    /// Whether something is held back: then no cursor may be told.
    pub(super) fn holds(&self) -> bool {
        !self.held.is_empty()
    }

    /// When what is held back is to be announced.
    pub(super) fn deadline(&self) -> Option<Instant> {
        let since = self.held_since.filter(|_| self.holds())?;
        Some(self.told_at.map_or(since, |told_at| since.max(told_at + EVERY)))
    }

    /// What is to be announced now.
    pub(super) fn due(&mut self, now: Instant) -> BTreeMap<ConversationId, Held> {
        if self.deadline().is_none_or(|deadline| now < deadline) {
            return BTreeMap::new();
        }
        self.told_at = Some(now);
        std::mem::take(&mut self.held)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use milena_domain::Epoch;
    use proptest::prelude::*;

    use super::*;

    fn room(number: usize) -> ConversationId {
        ConversationId::from_uuid(uuid::Uuid::from_u128(number as u128))
    }

    fn at(offset: i64) -> Position {
        Position::new(Epoch::FIRST, offset)
    }

    #[derive(Debug, Clone)]
    enum Step {
        /// Something happens in a room, which names the person or not.
        Happens(usize, bool),
        /// The client shows these rooms.
        Watch(Vec<usize>),
        /// The connection has so many milliseconds of peace, and then tells a cursor if it may.
        Wait(u64),
    }

    /// A client that follows the protocol, of one room.
    #[derive(Default)]
    struct Client {
        sent: HashSet<Position>,
        announced: Vec<Held>,
    }

    impl Client {
        fn knows_of(&self, position: Position) -> bool {
            let covers = |held: &Held| held.after < position && position <= held.position;
            self.sent.contains(&position) || self.announced.iter().any(covers)
        }
    }

    proptest! {
        /// Before anything of a room is sent, and before a cursor is, the client knows of all that came
        /// before; what names the person, and what is shown, is sent at once; and nothing else is said more
        /// often than it may.
        #[test]
        fn no_gap_is_hidden(
            steps in prop::collection::vec(prop_oneof![
                4 => (0..4_usize, prop::bool::weighted(0.2))
                    .prop_map(|(room, is_named)| Step::Happens(room, is_named)),
                1 => prop::collection::vec(0..4_usize, 0..3).prop_map(Step::Watch),
                2 => (0..3_700_u64).prop_map(Step::Wait),
            ], 1..80),
        ) {
            let start = Instant::now();
            let (mut passive, mut now, mut offset) = (Passive::default(), start, 0);
            let mut happened: Vec<(usize, Position)> = Vec::new();
            let mut clients: HashMap<usize, Client> = HashMap::new();
            let mut shown: Vec<usize> = Vec::new();
            let mut told_at: Option<Instant> = None;
            let mut told = 0;
            type Clients = HashMap<usize, Client>;
            let knows_all = |clients: &Clients, happened: &[(usize, Position)], of: Option<usize>| {
                let knows = |room: &usize, position: Position| {
                    clients.get(room).is_some_and(|client| client.knows_of(position))
                };
                let mut concerned = happened.iter().filter(|(room, _)| of.is_none_or(|of| of == *room));
                concerned.all(|(room, position)| knows(room, *position))
            };
            for step in steps {
                match step {
                    Step::Happens(number, is_named) => {
                        offset += 1;
                        // Room 0 is a small one.
                        let is_large = number > 0;
                        let waiting = Waiting {
                            position: at(offset), at: Timestamp::from_unix_ms(offset), is_message: true,
                        };
                        let update = Told {
                            conversation: room(number), can_wait: (!is_named).then_some(waiting),
                        };
                        let taken = passive.take(update, is_large, now);
                        let is_sent = !is_large || is_named || shown.contains(&number);
                        prop_assert_eq!(is_sent, taken != Taken::Held);
                        let client = clients.entry(number).or_default();
                        if let Taken::Sent(before) = taken {
                            client.announced.extend(before);
                            client.sent.insert(at(offset));
                        }
                        happened.push((number, at(offset)));
                        if is_sent {
                            prop_assert!(knows_all(&clients, &happened, Some(number)));
                        }
                    }
                    Step::Watch(numbers) => {
                        let rooms: Vec<_> = numbers.iter().map(|number| room(*number)).collect();
                        for (conversation, held) in passive.watch(&rooms, now) {
                            let number = (0..4).find(|number| room(*number) == conversation).unwrap();
                            clients.entry(number).or_default().announced.push(held);
                        }
                        for number in &numbers {
                            prop_assert!(knows_all(&clients, &happened, Some(*number)));
                        }
                        shown = numbers;
                    }
                    Step::Wait(ms) => now += Duration::from_millis(ms),
                }
                // As the connection does after each turn.
                let is_due = passive.deadline().is_some_and(|deadline| deadline <= now);
                let due = passive.due(now);
                prop_assert_eq!(is_due, !due.is_empty());
                if is_due {
                    prop_assert!(told_at.is_none_or(|told_at| now - told_at >= EVERY), "too often");
                    told_at = Some(now);
                }
                for (conversation, held) in due {
                    let number = (0..4).find(|number| room(*number) == conversation).unwrap();
                    clients.entry(number).or_default().announced.push(held);
                }
                if passive.holds() {
                    let deadline = passive.deadline().unwrap();
                    prop_assert!(deadline > now && deadline <= now + EVERY, "cursors wait no longer");
                } else {
                    prop_assert!(knows_all(&clients, &happened, None), "a cursor may be told");
                    told += 1;
                }
            }
            // In the end everything is announced, each message once.
            now += EVERY;
            for (conversation, held) in passive.due(now) {
                let number = (0..4).find(|number| room(*number) == conversation).unwrap();
                clients.entry(number).or_default().announced.push(held);
            }
            prop_assert!(!passive.holds() && knows_all(&clients, &happened, None), "after {told} cursors");
            let announced = clients.values().flat_map(|client| &client.announced);
            let counted: u32 = announced.map(|held| held.messages).sum();
            let sent: usize = clients.values().map(|client| client.sent.len()).sum();
            prop_assert_eq!(counted as usize + sent, happened.len());
        }
    }
}
