//! The one task that delivers: it alone moves the cursors, so what it does is in the order of the log.
//!
//! Invariants that others rest on:
//! - an update is in a socket's queue *before* the cursor that covers it is published, so whoever reads the
//!   published cursor and then empties the queue has sent everything up to it (also when it takes several
//!   turns to hand it out: `fanout`);
//! - attaching a socket happens between two deliveries: what came before is the backlog, what comes after
//!   goes to the socket's queue, and nothing falls between.

mod answers;
mod changes;
mod fanout;
mod rooms;
mod waiting;

use std::sync::{Arc, PoisonError, RwLock};

use milena_domain::record::{Event, Placed};
use milena_domain::{ConversationId, Position, SessionCursor, UserId};
use tokio::sync::{mpsc, oneshot, watch};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

pub use self::answers::{accepted, client_id_reused};
pub use self::fanout::{Fanout, LARGE};
pub use self::rooms::{INSTALL_CHANNEL, Install, Installed, WANTED_CHANNEL};
pub use self::waiting::{InstallTarget, WANTED_TARGETS_CHANNEL};
use super::cursor::PartitionCursor;
use super::event;
use super::health::Health;
use super::pending::Pending;
use super::producer::Confirmation;
use super::recent::{Delivered, Inserted, Missed, Recent};
use super::tail::{BadRecord, Ends, TailEvent, repartitioned};
use crate::chat::SteadyClock;
use crate::live::fold::{Fold, Verdict};
use crate::live::progress::Progress;
use crate::live::rooms::Rooms;
use crate::live::targets::{Targets, WantedTarget};
use crate::live::unreadable::{Unreadable, is_newer, upgrade_needed};
use crate::live::wanted::Wanted;
use crate::metrics;
use crate::refusal::Refusal;
use crate::registry::{ConnectionId, Outbox, Registration, Registry};

/// A socket that wants to go live.
#[derive(Debug)]
pub struct Attach {
    /// Whose.
    pub user: UserId,
    /// Under which session.
    pub session: Uuid,
    /// Where its updates go.
    pub outbox: Outbox,
    /// What it has seen.
    pub resume: Option<SessionCursor>,
    /// The user's rooms as they were looked up: all are followed. What changed since is known here.
    pub rooms: Vec<ConversationId>,
    /// The answer; dropped when the program ends first.
    pub reply: oneshot::Sender<Attachment>,
}

/// A socket that is live.
#[derive(Debug)]
pub struct Attachment {
    /// Keeps it registered.
    pub registration: Registration,
    /// Everything before this is backlog, everything after goes to the outbox.
    pub cursor: SessionCursor,
    /// What it missed; `None` when it must start afresh.
    pub missed: Option<Missed>,
}

/// Attaches that may wait for the task; more wait in their connections.
pub const ATTACH_CHANNEL: usize = 1_024;
/// Attaches between two bursts of deliveries, at most: whoever connects holds up nobody who chats.
const ATTACHES: usize = 16;
/// Records handled before sockets and cursors are looked at again.
const BURST: usize = 512;

/// What the task owns.
pub struct DeliveryTask {
    /// Read by history, lists and sends; written only here and by the stored-offsets follower.
    pub recent: Arc<RwLock<Recent>>,
    /// Says when records came.
    pub(crate) clock: SteadyClock,
    /// Of all messages.
    pub topic: Arc<str>,
    /// Judges what comes in direct conversations.
    pub fold: Fold,
    /// Judge what comes in rooms. Read by all use cases, written only here. Never locked before `recent`.
    pub rooms: Arc<RwLock<Rooms>>,
    /// Rooms that wait to be loaded.
    pub wanted: Wanted,
    /// What is being handed out to many sockets.
    pub fanout: Fanout,
    /// To whoever loads rooms; bounded by [`WANTED_CHANNEL`], and what does not fit waits in `wanted`.
    pub wants: mpsc::Sender<ConversationId>,
    /// From whoever loaded a room; bounded by [`INSTALL_CHANNEL`].
    pub installs: mpsc::Receiver<Install>,
    /// What is known of messages that somebody changes. Read by all use cases, written only here. Never
    /// locked before `recent`.
    pub targets: Arc<RwLock<Targets>>,
    /// Whether something waits in `targets`.
    pub something_waits: bool,
    /// To whoever looks messages up; bounded by [`WANTED_TARGETS_CHANNEL`], and what does not fit waits in
    /// `targets`.
    pub target_wants: mpsc::Sender<WantedTarget>,
    /// From whoever looked a message up; bounded by [`INSTALL_CHANNEL`].
    pub target_installs: mpsc::Receiver<InstallTarget>,
    /// By partition: what is before is read only for that, and was shown by whoever stored it.
    pub from: Vec<i64>,
    /// Where this program cannot follow.
    pub unreadable: Unreadable,
    /// By partition.
    pub cursors: Vec<PartitionCursor<Arc<Event>>>,
    /// What must be delivered before this node knows the log as it is; see [`TailEvent::Ends`].
    pub ends: Option<Ends>,
    /// Whom to answer.
    pub pending: Arc<Pending>,
    /// Whom to show.
    pub registry: Registry,
    /// What the tail said.
    pub health: Health,
    /// From the tail's thread; bounded by [`super::tail::TAIL_CHANNEL`].
    pub tail: mpsc::Receiver<TailEvent>,
    /// From librdkafka's thread, which must never wait; bounded by its queue, `queue.buffering.max.messages`.
    pub confirmations: mpsc::UnboundedReceiver<Confirmation>,
    /// From connections; bounded by [`ATTACH_CHANNEL`].
    pub attaches: mpsc::Receiver<Attach>,
    /// To the tail and to connections.
    pub progress: watch::Sender<Progress>,
    /// Ends the task and its siblings.
    pub stop: CancellationToken,
}

/// However the task ends, nobody goes on as if it still delivered.
struct EndOfDelivery {
    health: Health,
    stop: CancellationToken,
}

impl Drop for EndOfDelivery {
    fn drop(&mut self) {
        if !self.stop.is_cancelled() {
            self.health.set_broken("the delivery of messages ended unexpectedly");
            self.stop.cancel();
        }
    }
}

impl DeliveryTask {
    /// Delivers until `stop`.
    pub async fn run(mut self) {
        let stop = self.stop.clone();
        let _end = EndOfDelivery { health: self.health.clone(), stop: stop.clone() };
        let mut confirmations = Vec::with_capacity(BURST);
        let mut records = Vec::with_capacity(BURST);
        let mut attaches = Vec::with_capacity(ATTACHES);
        loop {
            // Attaches first: each is a person who waits for a page. A few, then what is there to be
            // delivered.
            tokio::select! {
                biased;
                () = stop.cancelled() => return,
                1.. = self.attaches.recv_many(&mut attaches, ATTACHES) => {
                    attaches.drain(..).for_each(|attach| self.attach(attach));
                }
                Some(install) = self.installs.recv() => self.install(install),
                Some(install) = self.target_installs.recv() => self.install_target(install),
                _ = self.confirmations.recv_many(&mut confirmations, BURST) => {}
                count = self.tail.recv_many(&mut records, BURST) => {
                    if count == 0 {
                        // The tail's thread ended: the log cannot be followed, see `Health`.
                        return;
                    }
                }
                // Those who were given something have their turn first.
                () = tokio::task::yield_now(), if !self.fanout.is_empty() => {}
            }
            if self.fanout.step() {
                self.progress.send_replace(self.progress());
            }
            // Neither feed may starve the other: each burst takes from both what is there.
            top_up(&mut confirmations, || self.confirmations.try_recv().ok());
            top_up(&mut records, || self.tail.try_recv().ok());
            if !confirmations.is_empty() || !records.is_empty() {
                self.burst(&mut confirmations, &mut records);
            }
        }
    }

    fn burst(&mut self, confirmations: &mut Vec<Confirmation>, records: &mut Vec<TailEvent>) {
        let recent = Arc::clone(&self.recent);
        let mut recent = recent.write().unwrap_or_else(PoisonError::into_inner);
        // All of the burst is in the log by now.
        recent.set_time(self.clock.now_ms());
        for confirmation in confirmations.drain(..) {
            self.take_confirmation(&mut recent, confirmation);
        }
        for event in records.drain(..) {
            self.take_tail_event(&mut recent, event);
        }
        metrics::recent_memory(recent.bytes(), recent.len());
        // Before memory is free again: whoever was shown a message and looks into memory then finds it
        // delivered too.
        self.progress.send_replace(self.progress());
        drop(recent);
        self.wanted.pass_on(|room| self.wants.try_send(room).is_ok());
        if self.something_waits {
            self.pass_on_targets();
        }
        if self.ends.as_ref().is_some_and(|ends| ends.are_reached(&self.cursors))
            && let Some(ends) = self.ends.take()
        {
            self.health.reached_ends(ends.connection);
        }
    }

    fn take_confirmation(&mut self, recent: &mut Recent, confirmation: Confirmation) {
        match confirmation {
            Confirmation::Confirmed { partition, offset, event } => {
                let Some(cursor) = self.cursors.get_mut(partition as usize) else {
                    self.health.set_broken(repartitioned(&self.topic));
                    self.stop.cancel();
                    return;
                };
                // Without an offset (the broker only said "I have it") the tail brings it.
                if offset >= 0 {
                    cursor.confirmed(offset, event);
                }
                self.deliver_ready(recent, partition);
            }
            Confirmation::Failed { id, error, alone } => {
                metrics::send_failed();
                log::debug!(id:% = id, error:% = error; "a message was not confirmed");
                let refusal = Refusal::not_confirmed(&error, alone);
                self.refuse(id, &refusal);
            }
        }
    }

    fn take_tail_event(&mut self, recent: &mut Recent, event: TailEvent) {
        match event {
            TailEvent::Record { partition, offset, event } => {
                let Some(cursor) = self.cursors.get_mut(partition as usize) else { return };
                if cursor.tailed(offset) {
                    match event {
                        Ok(event) => self.deliver(recent, partition, offset, event),
                        Err(bad) => self.skip(partition, offset, bad),
                    }
                }
                self.deliver_ready(recent, partition);
            }
            TailEvent::Passed { partition, to } => {
                if let Some(cursor) = self.cursors.get_mut(partition as usize) {
                    cursor.advance_to(to);
                }
                self.deliver_ready(recent, partition);
            }
            TailEvent::Ends(ends) => self.ends = Some(ends),
        }
    }

    fn deliver_ready(&mut self, recent: &mut Recent, partition: i32) {
        while let Some((offset, event)) =
            self.cursors.get_mut(partition as usize).and_then(|c| c.take_ready())
        {
            self.deliver(recent, partition, offset, Arc::unwrap_or_clone(event));
        }
    }

    fn deliver(&mut self, recent: &mut Recent, partition: i32, offset: i64, event: Event) {
        let placed = Placed { position: Position::new(recent.epoch(), offset), event };
        let event = &placed.event;
        if self.from.get(partition as usize).is_some_and(|from| offset < *from) {
            // Only so that what follows is judged as everywhere: this is in the store.
            self.fold.warm(partition, &placed);
            return;
        }
        if self.unreadable.is_closed(event.conversation) {
            metrics::record_skipped("upgrade_needed");
            self.refuse(event.id, &upgrade_needed());
            return;
        }
        if self.something_waits
            && event.action.target().is_none()
            && self.waits_for_its_name(recent, partition, &placed)
        {
            return;
        }
        let event = &placed.event;
        if event.to.is_none() {
            self.deliver_in_room(recent, partition, placed);
            return;
        }
        if event.action.target().is_some() {
            self.deliver_change(recent, partition, placed);
            return;
        }
        match self.fold.judge(partition, &placed, |id| Some(recent.find(id)?.position())) {
            Verdict::Counts if event::message(event).is_some() => self.show_first(recent, partition, placed),
            // A block: there is nothing to show.
            Verdict::Counts => {}
            Verdict::Repeat(_) => {
                metrics::repeat();
                match recent.find(event.id) {
                    Some(first) => self.accept_repeat(&first),
                    // The first left memory, so the store has it, and finds it when this is sent again.
                    None => self.refuse(event.id, &Refusal::log_unavailable()),
                }
            }
            Verdict::Void(void) => self.refuse_void(event.id, void),
            Verdict::NotJudged => metrics::record_skipped(event.action.name()),
        }
    }

    fn show_first(&self, recent: &mut Recent, partition: i32, placed: Placed) {
        match recent.insert(partition, placed) {
            Inserted::First(message) => {
                let waiters = self.take_waiters(&message);
                let sending: Vec<_> = waiters.iter().filter_map(|(connection, _)| *connection).collect();
                self.show(&message, &sending);
                let accepted = accepted(message.placed());
                for waiter in waiters {
                    self.accept(waiter, &accepted);
                }
            }
            Inserted::Repeat(first) => self.accept_repeat(&first),
        }
    }

    fn skip(&self, partition: i32, offset: i64, bad: BadRecord) {
        let BadRecord { error, conversation } = bad;
        metrics::record_skipped(error.code());
        log::debug!(partition, offset, code = error.code(); "a record was skipped");
        let Some(conversation) = conversation.filter(|_| is_newer(&error)) else { return };
        if self.unreadable.close(conversation, (partition, offset), &error).is_err() {
            self.health.set_broken("a newer program writes the log: upgrade this one");
            self.stop.cancel();
        }
    }

    /// One update for all sockets. Those that sent it hear `accepted` instead.
    fn show(&self, message: &Delivered, sending: &[ConnectionId]) {
        let Event { actor, to, .. } = *message.event();
        let to = to.filter(|to| *to != actor && self.registry.is_connected(*to));
        // Mostly the socket that sent it is its sender's only one: then there is nothing to make.
        let has_other = self.registry.has_other(actor, sending);
        if to.is_none() && !has_other {
            return;
        }
        let update = message.update();
        if has_other {
            self.registry.deliver(actor, &update, sending);
        }
        if let Some(to) = to {
            self.registry.deliver(to, &update, &[]);
        }
    }

    fn attach(&self, attach: Attach) {
        let recent = self.recent.read().unwrap_or_else(PoisonError::into_inner);
        let cursor = SessionCursor { epoch: recent.epoch(), next_offsets: self.progress().told.to_vec() };
        let rooms = self.rooms_of(attach.user, attach.rooms);
        let missed = attach
            .resume
            .filter(|resume| {
                resume.epoch == cursor.epoch && resume.next_offsets.len() == cursor.next_offsets.len()
            })
            .and_then(|resume| {
                let mut missed = recent.missed(attach.user, &resume)?;
                self.add_missed_in_rooms(&recent, (attach.user, &rooms), &resume, &mut missed);
                Some(missed)
            })
            // What left memory before it was stored is nowhere to be found now: the client must start afresh.
            .filter(|missed| missed.uncovered.iter().all(|partition| recent.is_complete(*partition)));
        self.registry.know_rooms(attach.user, rooms);
        let registration = self.registry.register(attach.user, attach.session, attach.outbox);
        // A connection that ended meanwhile drops the registration with the answer.
        let _ = attach.reply.send(Attachment { registration, cursor, missed });
    }

    fn progress(&self) -> Progress {
        let read = self.cursors.iter().map(PartitionCursor::next).collect();
        let is_held = self.unreadable.is_any()
            || !self.wanted.is_empty()
            || !self.fanout.is_empty()
            || self.something_waits;
        let told = |partition, next| {
            let next = self.wanted.told(partition, self.unreadable.told(partition, next));
            let next = self.fanout.told(partition, next);
            #[cfg(test)]
            if crate::mutation::Mutation::CursorPassesWhatWaits.is_on() {
                return next;
            }
            if self.something_waits { self.targets().told(partition, next) } else { next }
        };
        Progress::new(read, &self.from, is_held.then_some(&told as _))
    }
}

fn top_up<T>(burst: &mut Vec<T>, mut next: impl FnMut() -> Option<T>) {
    while burst.len() < BURST {
        let Some(item) = next() else { return };
        burst.push(item);
    }
}
