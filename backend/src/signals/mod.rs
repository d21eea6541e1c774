//! What this backend tells the others at once, and they tell it: what people have read, and which sessions
//! were ended.
//!
//! A topic of its own (`kafka.signals_topic`), that every backend reads from its end. No promise rests on it:
//! what is told is stored elsewhere, so telling never waits and never fails, and what cannot be told is
//! dropped and counted. Without the topic, people hear at once what happens on their own node, and the rest
//! with their next look.

mod client;
mod notify;
mod reader;
mod sender;

use std::time::Duration;

use milena_domain::{ConversationId, ReadSignal, RoomReadSignal, RoomSeenSignal, Signal, UserId};
use milena_kafka::{LogError, ensure_signals_topic};
use milena_settings::KafkaSettings;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use self::reader::{Listeners, Reader};
use self::sender::Sender;
use crate::metrics;
use crate::presence::Presence;
use crate::registry::{ConnectionId, Registry};

/// Signals that may wait to be handed to librdkafka, at most; more are dropped.
const CHANNEL: usize = 4_096;
/// Changes of what people want and say that may wait to be looked at, at most; more are dropped, and seen
/// with the next look.
pub(crate) const CHANGED_CHANNEL: usize = 1_024;
/// How long the log may take to answer when the topic is looked for: also a cluster that is slow to reach
/// does in that time. At its end the program waits for one question of it, 5 s at most.
const TOPIC_TIMEOUT: Duration = Duration::from_secs(30);
/// Between attempts to find or create the topic.
const TOPIC_AGAIN: Duration = Duration::from_secs(30);

/// Something that stands in the store was changed: whoever shows it looks there. So what is told is always
/// what is so, in whatever order the words of two nodes come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Changed {
    /// What somebody wants to be told, in general or of one conversation.
    Notifications {
        /// Who.
        user: UserId,
        /// Which one; `None` is in general.
        conversation: Option<ConversationId>,
    },
    /// What somebody says of themselves.
    Status {
        /// Who.
        user: UserId,
    },
}

impl From<Changed> for Signal {
    fn from(changed: Changed) -> Self {
        match changed {
            Changed::Notifications { user, conversation } => {
                Self::NotificationsChanged { user, conversation }
            }
            Changed::Status { user } => Self::StatusChanged { user },
        }
    }
}

/// The handle for those who have something to tell; clones share it.
#[derive(Debug, Clone)]
pub struct Signals {
    registry: Registry,
    /// To the task behind [`SignalTask`]; full means that signals are dropped. `None`: this is the only
    /// backend.
    others: Option<mpsc::Sender<Signal>>,
    presence: Presence,
    changed: mpsc::Sender<Changed>,
}

/// The other end of [`Signals`]: sends to and hears from the other backends.
pub struct SignalTask {
    settings: KafkaSettings,
    registry: Registry,
    presence: Presence,
    outgoing: mpsc::Receiver<Signal>,
    changed: mpsc::Sender<Changed>,
}

/// Nothing is told to other backends when `settings` names no topic for it. What was changed, here or there,
/// goes to `changed`, which is bounded: what finds no room is dropped.
#[must_use]
pub fn signals(
    settings: &KafkaSettings,
    registry: &Registry,
    changed: mpsc::Sender<Changed>,
) -> (Signals, Option<SignalTask>) {
    if settings.signals_topic.is_empty() {
        return (Signals::alone(registry, changed), None);
    }
    let (sender, outgoing) = mpsc::channel(CHANNEL);
    let presence = Presence::new(registry.clone(), Some(sender.clone()));
    let registry = registry.clone();
    let task = SignalTask {
        settings: settings.clone(),
        registry: registry.clone(),
        presence: presence.clone(),
        outgoing,
        changed: changed.clone(),
    };
    (Signals { registry, others: Some(sender), presence, changed }, Some(task))
}

impl Signals {
    /// Of the only backend.
    #[must_use]
    pub fn alone(registry: &Registry, changed: mpsc::Sender<Changed>) -> Self {
        let presence = Presence::new(registry.clone(), None);
        Self { registry: registry.clone(), others: None, presence, changed }
    }

    /// Who is here.
    #[must_use]
    pub const fn presence(&self) -> &Presence {
        &self.presence
    }

    /// Shows a read mark to everybody it concerns, on this node and the others, but to the socket that said
    /// it.
    pub fn tell_read(&self, read: ReadSignal, from: Option<ConnectionId>) {
        notify::read(&self.registry, read, from.as_slice());
        self.tell_others(Signal::Read(read));
    }

    /// Tells the other one that a device of somebody has what was written to them, here and elsewhere.
    pub fn tell_received(&self, received: ReadSignal) {
        notify::received(&self.registry, received);
        self.tell_others(Signal::Received(received));
    }

    /// Tells the members of a small room what one of them has read, on this node and the others, but those
    /// whom the signal excepts.
    pub fn tell_room_seen(&self, seen: RoomSeenSignal) {
        notify::room_seen(&self.registry, &seen);
        self.tell_others(Signal::RoomSeen(seen));
    }

    /// The same of a read mark that concerns its reader only: in a room, or of somebody who lets nobody know.
    pub fn tell_room_read(&self, read: RoomReadSignal, from: Option<ConnectionId>) {
        notify::room_read(&self.registry, read, from.as_slice());
        self.tell_others(Signal::RoomRead(read));
    }

    /// Has the other nodes close the sockets of a session that was ended.
    pub fn tell_session_ended(&self, session: Uuid) {
        self.tell_others(Signal::SessionEnded { session });
    }

    /// Has the other nodes believe no token of this session that they saw before.
    pub fn tell_token_replaced(&self, session: Uuid) {
        self.tell_others(Signal::TokenReplaced { session });
    }

    /// Has this node and the others look at what was changed, and show it.
    pub fn tell_changed(&self, changed: Changed) {
        look_at(&self.changed, changed);
        self.tell_others(changed.into());
    }

    fn tell_others(&self, signal: Signal) {
        if let Some(others) = &self.others
            && others.try_send(signal).is_err()
        {
            metrics::signal(metrics::SignalOutcome::Dropped);
        }
    }
}

fn look_at(looks: &mpsc::Sender<Changed>, changed: Changed) {
    if looks.try_send(changed).is_err() {
        metrics::signal(metrics::SignalOutcome::Dropped);
    }
}

impl SignalTask {
    /// Sends and hears until `stop`.
    pub async fn run(mut self, stop: CancellationToken) {
        let Some(partitions) = find_topic(&self.settings, &stop).await else { return };
        // What was said before there was a topic is old by now.
        while self.outgoing.try_recv().is_ok() {
            metrics::signal(metrics::SignalOutcome::Dropped);
        }
        let node = Uuid::now_v7();
        // The thread last: it would go on when the other fails.
        let started = Sender::new(&self.settings, node).and_then(|sender| {
            let (registry, presence) = (self.registry.clone(), self.presence.clone());
            let listeners = Listeners { node, registry, presence, changed: self.changed.clone() };
            Ok((sender, Reader::start(&self.settings, partitions, listeners, stop.clone())?))
        });
        let (mut sender, thread) = match started {
            Ok(started) => started,
            Err(error) => {
                log::error!(error:% = error; "signals are neither sent nor heard");
                return;
            }
        };
        loop {
            tokio::select! {
                () = stop.cancelled() => break,
                signal = self.outgoing.recv() => match signal {
                    Some(signal) => sender.send(signal),
                    None => break,
                },
            }
        }
        while let Ok(signal) = self.outgoing.try_recv() {
            sender.send(signal);
        }
        let ended = tokio::task::spawn_blocking(move || {
            sender.finish();
            thread.join()
        });
        if !matches!(ended.await, Ok(Ok(()))) {
            log::error!("a thread of the signals failed");
        }
    }
}

/// How many partitions the topic has, once it is there; `None` at `stop`. An operator who lets nobody create
/// topics may create it later.
async fn find_topic(settings: &KafkaSettings, stop: &CancellationToken) -> Option<usize> {
    let mut said = false;
    loop {
        let found = tokio::select! {
            () = stop.cancelled() => return None,
            found = ensure_signals_topic(settings, TOPIC_TIMEOUT) => found,
        };
        match found {
            Ok(partitions) => return Some(partitions),
            Err(error @ LogError::Create { .. }) if !said => {
                said = true;
                log::warn!(
                    error:% = error;
                    "without kafka.signals_topic, read marks and ended sessions reach other backends late"
                );
            }
            Err(error) => log::debug!(error:% = error; "signals wait for their topic"),
        }
        tokio::select! {
            () = stop.cancelled() => return None,
            () = tokio::time::sleep(TOPIC_AGAIN) => {}
        }
    }
}
