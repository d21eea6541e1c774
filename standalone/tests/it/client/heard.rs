//! What a device was told, in the order in which it came, and what a user of it would see.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::time::{Duration, Instant};

use milena_testkit::Held;
use uuid::Uuid;

use super::wire::{Accepted, Event, Message};

/// How a message came to a device.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Via {
    /// As the answer to its own `send`.
    Accepted,
    /// As a `message` frame.
    Live,
    /// As a `message` frame of a resumed connection, before its first `cursor`: it may be one that is known.
    Replay,
    /// By REST, to fill a `gap` or after `resumed: false`.
    Fetched,
}

/// A message that came.
#[derive(Debug, Clone)]
pub(crate) struct Arrival {
    pub(crate) id: Uuid,
    pub(crate) conversation: Uuid,
    pub(crate) position: i64,
    pub(crate) via: Via,
    /// On which of the device's connections, and how long after its `welcome`.
    pub(crate) connection: usize,
    pub(crate) at: Duration,
    /// Absent in an answer.
    pub(crate) body: Option<String>,
}

/// The record of one device. Its task writes, the test reads.
#[derive(Debug, Default)]
pub(crate) struct Heard {
    /// What new names of messages shall begin with; from `welcome` or `prefix`.
    pub(crate) client_id_prefix: String,
    /// Everything that came.
    pub(crate) arrivals: Vec<Arrival>,
    /// Every answer to every own message.
    pub(crate) accepted: HashMap<String, Vec<Accepted>>,
    /// Codes of refusals that were temporary.
    pub(crate) refused_for_now: BTreeMap<String, usize>,
    /// Own messages that were sent more than once: a later one may be stored before them.
    pub(crate) sent_again: HashSet<String>,
    /// Own messages to rooms that were refused for good, and why.
    pub(crate) void: HashMap<String, String>,
    /// Other refusals and errors that were final: a defect in these tests.
    pub(crate) refused: Vec<String>,
    /// Messages as they are now, as far as it was told.
    pub(crate) held: Held,
    /// What is being fetched.
    pub(crate) owed: usize,
    /// What of rooms was to be fetched and was refused, because the owner had been sent away meanwhile: the
    /// room, after where, and before where.
    pub(crate) denied: Vec<(Uuid, i64, i64)>,
    /// People in a frame who do not include the owner.
    pub(crate) foreign: usize,
    /// The same message shown again on a connection that was not replaying.
    pub(crate) duplicated: usize,
    /// A message shown after a newer one of its conversation, on a connection that was not replaying.
    pub(crate) reordered: usize,
    /// Known messages that came again while replaying: allowed.
    pub(crate) replayed_again: usize,
    /// Connections that got their `welcome`.
    pub(crate) connections: usize,
    /// When the last of them did.
    pub(crate) welcomed_at: Option<Instant>,
    /// Connections that ended, for whatever reason.
    pub(crate) ends: usize,
    /// Of the connections, the ones that said `resumed: true`.
    pub(crate) resumed: usize,
    /// Gaps that were filled by REST.
    pub(crate) gaps: usize,
    /// What was duplicated or reordered, and how it came, for people.
    pub(crate) oddities: Vec<String>,
    /// Own messages that were sent more than once and answered before they came: the answer to a repeat may
    /// come from the store, and overtake what the node has still to read.
    answered_early: HashSet<Uuid>,
    /// What REST has told before it came by the socket.
    fetched_ahead: HashSet<Uuid>,
    ids: HashSet<Uuid>,
    newest: HashMap<Uuid, i64>,
}

impl Heard {
    /// Ids of all messages that this device has.
    pub(crate) const fn ids(&self) -> &HashSet<Uuid> {
        &self.ids
    }

    /// A message as a frame or by REST.
    pub(crate) fn message(&mut self, message: Message, owner: Uuid, via: Via) {
        let is_foreign = message.sender != owner && message.to.is_some_and(|to| to != owner);
        self.foreign += usize::from(is_foreign);
        let Message { id, conversation, position, body, .. } = message;
        let arrival = self.arrival(id, conversation, position, via, Some(body));
        self.arrive(arrival, via == Via::Live);
    }

    /// What happened in a room, or a message there by REST.
    pub(super) fn event(&mut self, event: Event, via: Via) {
        let Event { id, conversation, position, body, kind, .. } = event;
        let arrival = self.arrival(id, conversation, position, via, body);
        // What is done to a message may come a little after newer ones.
        self.arrive(arrival, via == Via::Live && kind != "pinned");
    }

    /// Where the newest of a conversation stands that came by the socket.
    pub(super) fn newest(&self, conversation: Uuid) -> i64 {
        self.newest.get(&conversation).copied().unwrap_or(0)
    }

    /// An answer. Of a message that was sent more than once, it may come late or twice.
    pub(super) fn accept(&mut self, accepted: Accepted) {
        let sent_again = self.sent_again.contains(&accepted.client_id);
        let Accepted { id, conversation, position, .. } = accepted;
        let answers = self.accepted.entry(accepted.client_id.clone()).or_default();
        answers.push(accepted);
        let arrival = self.arrival(id, conversation, position, Via::Accepted, None);
        self.arrive(arrival, !sent_again);
    }

    fn arrival(
        &self,
        id: Uuid,
        conversation: Uuid,
        position: i64,
        via: Via,
        body: Option<String>,
    ) -> Arrival {
        let at = self.welcomed_at.map(|at| at.elapsed()).unwrap_or_default();
        Arrival { id, conversation, position, via, connection: self.connections, at, body }
    }

    fn arrive(&mut self, arrival: Arrival, strict: bool) {
        let newest = self.newest.entry(arrival.conversation).or_insert(-1);
        let mut known = !self.ids.insert(arrival.id);
        if arrival.via == Via::Accepted && !strict {
            if !known {
                self.answered_early.insert(arrival.id);
            }
            self.arrivals.push(arrival);
            return;
        }
        known &= !self.answered_early.remove(&arrival.id);
        if arrival.via == Via::Fetched {
            if !known && arrival.position > *newest {
                self.fetched_ahead.insert(arrival.id);
            }
            self.replayed_again += usize::from(known);
            self.arrivals.push(arrival);
            return;
        }
        known &= !self.fetched_ahead.remove(&arrival.id);
        if strict && (known || arrival.position <= *newest) {
            let before = self.arrivals.iter().filter(|before| before.id == arrival.id);
            let before: Vec<_> = before.map(|before| (before.via, before.connection)).collect();
            let Arrival { via, connection, position, at, .. } = &arrival;
            self.oddities.push(format!(
                "{at:?} after welcome {connection} (resumed {}): position {position} by {via:?}, newest \
                 {newest}, before by {before:?}",
                self.resumed
            ));
        }
        match (known, strict) {
            (true, true) => self.duplicated += 1,
            (true, false) => self.replayed_again += 1,
            (false, true) => self.reordered += usize::from(arrival.position <= *newest),
            (false, false) => {}
        }
        *newest = arrival.position.max(*newest);
        self.arrivals.push(arrival);
    }

    /// What a user sees: each conversation in its order, each message once, first bodies first.
    pub(crate) fn shown(&self) -> HashMap<Uuid, Vec<(i64, Uuid)>> {
        let mut conversations: HashMap<Uuid, BTreeMap<i64, Uuid>> = HashMap::new();
        for arrival in &self.arrivals {
            let before =
                conversations.entry(arrival.conversation).or_default().insert(arrival.position, arrival.id);
            assert!(before.is_none_or(|id| id == arrival.id), "two messages at one position");
        }
        conversations.into_iter().map(|(id, messages)| (id, messages.into_iter().collect())).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(number: u128, position: i64) -> Message {
        Message {
            id: Uuid::from_u128(number),
            conversation: Uuid::from_u128(7),
            sender: Uuid::from_u128(1),
            to: Some(Uuid::from_u128(2)),
            position,
            sent_at: "2026-01-01T00:00:00.000Z".to_owned(),
            body: "x".to_owned(),
            client_id: None,
        }
    }

    fn heard(messages: &[(u128, i64, Via)]) -> Heard {
        let mut heard = Heard::default();
        for (number, position, via) in messages {
            heard.message(message(*number, *position), Uuid::from_u128(2), *via);
        }
        heard
    }

    /// The judge is judged: what must be counted is counted.
    #[test]
    fn duplicates_and_disorder_are_seen_where_they_are_not_allowed() {
        let counts = |heard: &Heard| (heard.duplicated, heard.reordered, heard.replayed_again);
        assert_eq!(counts(&heard(&[(1, 10, Via::Live), (2, 11, Via::Live)])), (0, 0, 0));
        assert_eq!(counts(&heard(&[(1, 10, Via::Live), (1, 10, Via::Live)])), (1, 0, 0));
        assert_eq!(counts(&heard(&[(2, 11, Via::Live), (1, 10, Via::Live)])), (0, 1, 0));
        assert_eq!(
            counts(&heard(&[(2, 11, Via::Live), (1, 10, Via::Replay), (2, 11, Via::Replay)])),
            (0, 0, 1)
        );
        assert_eq!(heard(&[(2, 11, Via::Live), (1, 10, Via::Replay)]).shown()[&Uuid::from_u128(7)].len(), 2);
        let mut overheard = Heard::default();
        overheard.message(message(1, 10), Uuid::from_u128(3), Via::Live);
        assert_eq!(overheard.foreign, 1);
    }
}
