//! Who waits for which message.
//!
//! A send registers here *before* it goes to the producer, so that whichever of tail and confirmation brings
//! the record first finds its waiters. Two sends of the same id while the first is under way share one
//! record.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use milena_domain::record::Event;
use milena_domain::{ClientId, ConversationId, MessageId, Position, Timestamp};
use tokio::sync::oneshot;

use super::event::is_same;
use crate::refusal::Refusal;
use crate::registry::ConnectionId;

/// The answer to a send: durable, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Accepted {
    /// As the client called it.
    pub client_id: ClientId,
    /// The message's id.
    pub id: MessageId,
    /// Its conversation.
    pub conversation: ConversationId,
    /// The first one's position, however often it was sent.
    pub position: Position,
    /// The first one's time.
    pub sent_at: Timestamp,
}

/// One send that waits for the log.
#[derive(Debug)]
pub struct Waiter {
    /// The socket that gets `accepted` instead of `message`; `None` for REST.
    pub connection: Option<ConnectionId>,
    /// To the sending task; closed when it gave up waiting.
    pub answer: oneshot::Sender<Result<Accepted, Refusal>>,
}

impl Waiter {
    /// The socket to answer, if somebody still waits there.
    #[must_use]
    pub fn live_connection(&self) -> Option<ConnectionId> {
        self.connection.filter(|_| !self.answer.is_closed())
    }
}

/// What registering found.
#[derive(Debug, PartialEq, Eq)]
pub enum Registered {
    /// Nobody else is sending this: produce it.
    First,
    /// It is under way: the answer comes with the other's.
    Joined,
    /// Another message of the same name is under way, to somebody else or with other words; the waiter was
    /// dropped.
    Reused,
    /// The limit is reached; the waiter was dropped.
    Full,
}

/// Waiters by message.
#[derive(Debug)]
pub struct Pending {
    /// Written by sending tasks and by the delivery task, each for the length of a map operation. At most
    /// `limit` messages; then sends are refused as `overloaded`.
    waiters: Mutex<HashMap<MessageId, UnderWay>>,
    limit: usize,
}

/// A message on its way into the log, and who waits for it.
#[derive(Debug)]
pub struct UnderWay {
    /// What they want to have sent. Another node may send another message of the same name meanwhile.
    pub event: Arc<Event>,
    /// At least one.
    pub waiters: Vec<Waiter>,
}

/// Sends of one message that may wait together; a client that repeats faster gains nothing.
const MAX_WAITERS_OF_ONE: usize = 256;

impl Pending {
    /// No waiters; at most `limit` messages.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Self { waiters: Mutex::new(HashMap::new()), limit }
    }

    /// Adds a waiter for a message.
    pub fn register(&self, event: &Arc<Event>, waiter: Waiter) -> Registered {
        let mut all = self.lock();
        let count = all.len();
        match all.get_mut(&event.id) {
            Some(other) if !is_same(&other.event, event) => Registered::Reused,
            Some(other) if other.waiters.len() >= MAX_WAITERS_OF_ONE => Registered::Full,
            Some(other) => {
                other.waiters.push(waiter);
                Registered::Joined
            }
            None if count >= self.limit => Registered::Full,
            None => {
                all.insert(event.id, UnderWay { event: Arc::clone(event), waiters: vec![waiter] });
                Registered::First
            }
        }
    }

    /// Whether anybody waits for `id`.
    #[must_use]
    pub fn is_awaited(&self, id: MessageId) -> bool {
        self.lock().contains_key(&id)
    }

    /// Takes what waits for `id`, to answer it.
    pub fn take(&self, id: MessageId) -> Option<UnderWay> {
        self.lock().remove(&id)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<MessageId, UnderWay>> {
        // Nothing panics while the lock is held; a poisoned map would still be consistent.
        self.waiters.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use milena_domain::{Body, UserId};

    use super::*;
    use crate::log::event::direct_message;

    fn waiter() -> (Waiter, oneshot::Receiver<Result<Accepted, Refusal>>) {
        let (answer, receiver) = oneshot::channel();
        (Waiter { connection: None, answer }, receiver)
    }

    fn event(client_id: &str, to: u128, body: &str) -> Arc<Event> {
        let user = |number| UserId::from_uuid(uuid::Uuid::from_u128(number));
        let (client_id, body) = (ClientId::new(client_id).unwrap(), Body::new(body).unwrap());
        Arc::new(direct_message(user(1), user(to), client_id, Timestamp::from_unix_ms(0), body))
    }

    #[test]
    fn the_second_send_joins_and_the_limit_holds() {
        let pending = Pending::new(1);
        let register = |event: &Arc<Event>| pending.register(event, waiter().0);
        assert_eq!(register(&event("a", 2, "x")), Registered::First);
        assert_eq!(register(&event("a", 2, "x")), Registered::Joined);
        assert_eq!(register(&event("a", 3, "x")), Registered::Reused, "to somebody else");
        assert_eq!(register(&event("a", 2, "y")), Registered::Reused, "in other words");
        assert_eq!(register(&event("b", 2, "x")), Registered::Full);
        assert_eq!(pending.take(event("a", 2, "x").id).unwrap().waiters.len(), 2);
        assert_eq!(register(&event("b", 2, "x")), Registered::First);
    }

    #[test]
    fn as_many_wait_for_one_message_as_may() {
        let pending = Pending::new(1);
        let event = event("a", 1, "x");
        assert_eq!(pending.register(&event, waiter().0), Registered::First);
        for _ in 1..MAX_WAITERS_OF_ONE {
            assert_eq!(pending.register(&event, waiter().0), Registered::Joined);
        }
        assert_eq!(pending.register(&event, waiter().0), Registered::Full);
        assert_eq!(pending.take(event.id).unwrap().waiters.len(), MAX_WAITERS_OF_ONE);
    }
}
