//! Own messages that are not answered yet: sent again after a reconnect or a temporary refusal, in their
//! order.

use std::collections::BTreeMap;

use tokio::sync::OwnedSemaphorePermit;
use tokio::time::Instant;
use uuid::Uuid;

/// Where a message goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Target {
    Person(Uuid),
    Room(Uuid),
}

/// A message on its way.
pub(super) struct Outgoing {
    pub(super) client_id: String,
    pub(super) to: Target,
    pub(super) body: String,
    /// A place in the device's window, given back with the answer.
    pub(super) _permit: OwnedSemaphorePermit,
}

struct Waiting {
    outgoing: Outgoing,
    sent: u32,
    /// After a temporary refusal: when to send again.
    again_at: Option<Instant>,
}

/// In the order in which the user wrote them.
#[derive(Default)]
pub(super) struct Pending {
    messages: BTreeMap<u64, Waiting>,
    next: u64,
}

impl Pending {
    pub(super) fn add(&mut self, outgoing: Outgoing) {
        self.messages.insert(self.next, Waiting { outgoing, sent: 0, again_at: None });
        self.next += 1;
    }

    /// All, or those whose time has come: message and whether it was sent before. Counts them as sent.
    pub(super) fn take(&mut self, all: bool, now: Instant) -> Vec<(&Outgoing, bool)> {
        let mut due = Vec::new();
        for waiting in self.messages.values_mut() {
            let fresh = waiting.sent == 0;
            if all || fresh || waiting.again_at.is_some_and(|at| at <= now) {
                waiting.again_at = None;
                waiting.sent += 1;
                due.push((&waiting.outgoing, !fresh));
            }
        }
        due
    }

    /// When the next refused one is due.
    pub(super) fn next_due(&self) -> Option<Instant> {
        self.messages.values().filter_map(|waiting| waiting.again_at).min()
    }

    /// A temporary refusal.
    pub(super) fn later(&mut self, client_id: &str, at: Instant) {
        if let Some(waiting) =
            self.messages.values_mut().find(|waiting| waiting.outgoing.client_id == client_id)
        {
            waiting.again_at = Some(at);
        }
    }

    /// Answered for good; where it went and what it said, or nothing when it was answered before.
    pub(super) fn remove(&mut self, client_id: &str) -> Option<(Target, String)> {
        let mut waiting = self.messages.extract_if(.., |_, waiting| waiting.outgoing.client_id == client_id);
        waiting.next().map(|(_, waiting)| (waiting.outgoing.to, waiting.outgoing.body))
    }
}
