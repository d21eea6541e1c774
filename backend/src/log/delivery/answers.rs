//! Answers to those who wait for the log: what their event became, each told once.

use milena_domain::record::Placed;
use milena_domain::{MessageId, partition_of};
use milena_timeline::{Outcome, Void};

use super::DeliveryTask;
use crate::live::News;
use crate::log::event;
use crate::log::pending::{Accepted, Waiter};
use crate::log::recent::{Delivered, Recent};
use crate::metrics;
use crate::refusal::{Code, Refusal};
use crate::registry::ConnectionId;

impl DeliveryTask {
    /// What does not count, or is so already, is told to whoever waits for it.
    pub(super) fn answer_judged(&self, recent: &Recent, placed: &Placed, outcome: &Outcome) {
        let event = &placed.event;
        match outcome {
            Outcome::Effective(_) => {}
            Outcome::Void(void) => self.refuse_void(event.id, *void),
            Outcome::Repeat(first) => {
                metrics::repeat();
                let of_name = match event.to {
                    Some(_) => {
                        self.fold.place_of(partition_of(event.conversation, self.cursors.len()), event.id)
                    }
                    None => self.rooms().get(event.conversation).and_then(|loaded| loaded.place_of(event.id)),
                };
                match recent.find(event.id) {
                    Some(first) => self.accept_repeat(&first),
                    None if of_name == Some(*first) => self.refuse(event.id, &Refusal::log_unavailable()),
                    // It says what is so already.
                    None => {
                        let answer = Accepted { position: *first, ..accepted(placed) };
                        for waiter in self.waiters(event.id) {
                            self.accept((waiter.live_connection(), waiter), &answer);
                        }
                    }
                }
            }
        }
    }

    pub(super) fn accept_repeat(&self, first: &Delivered) {
        for waiter in self.take_waiters(first) {
            self.accept(waiter, &accepted(first.placed()));
        }
    }

    pub(super) fn refuse(&self, id: MessageId, refusal: &Refusal) {
        for waiter in self.waiters(id) {
            answer(waiter, Err(refusal.clone()));
        }
    }

    pub(super) fn refuse_void(&self, id: MessageId, void: Void) {
        metrics::record_void(void.code());
        self.refuse(id, &void.into());
    }

    /// Those who wait, each with the socket to answer; decided once, so that a socket which gives up at this
    /// very moment gets either `accepted` or `message`, not neither.
    ///
    /// Who waits for another message of the same name (the first one came from another node) is refused here.
    pub(super) fn take_waiters(&self, first: &Delivered) -> Vec<(Option<ConnectionId>, Waiter)> {
        let Some(under_way) = self.pending.take(first.event().id) else { return Vec::new() };
        let waiters = under_way.waiters.into_iter();
        if event::is_same(first.as_sent(), &under_way.event) {
            return waiters.map(|waiter| (waiter.live_connection(), waiter)).collect();
        }
        waiters.for_each(|waiter| answer(waiter, Err(client_id_reused())));
        Vec::new()
    }

    fn waiters(&self, id: MessageId) -> Vec<Waiter> {
        self.pending.take(id).map(|under_way| under_way.waiters).unwrap_or_default()
    }

    pub(super) fn accept(&self, (connection, waiter): (Option<ConnectionId>, Waiter), accepted: &Accepted) {
        if let Some(connection) = connection {
            self.registry.deliver_to(connection, News::Accepted(accepted.clone()).into());
        }
        answer(waiter, Ok(accepted.clone()));
    }
}

/// The answer for a message in the log.
#[must_use]
pub fn accepted(first: &Placed) -> Accepted {
    Accepted {
        client_id: first.event.client_id.clone(),
        id: first.event.id,
        conversation: first.event.conversation,
        position: first.position,
        sent_at: first.event.at,
    }
}

/// The refusal of a `client_id` that names another message of the same sender.
#[must_use]
pub fn client_id_reused() -> Refusal {
    Refusal::new(Code::ClientIdReused, "client_id already names another message of yours")
}

fn answer(waiter: Waiter, outcome: Result<Accepted, Refusal>) {
    // Whoever gave up waiting was told so already.
    let _ = waiter.answer.send(outcome);
}
