//! Who is here: which people have a living socket on any node, and who of the connected wants to know.
//!
//! The living socket is presence; nothing waits for it, and only when people were here last is stored. A
//! node tells the others transitions only (`own`), keeps what they tell of theirs (`others`), and shows
//! changes to the sockets that watch somebody (`watches`). What it costs grows with the people who come and
//! go, never with the rooms that they are in.
//!
//! Three rules keep it honest. A socket that comes back within `OFFLINE_AFTER` makes no transition, so a
//! storm of reconnects makes none. A node that falls silent is believed for `SILENT_LEASES` of *our own*
//! leases that came back from the topic: while the topic is away, dots freeze instead of going out. And
//! each lease carries a digest of what its node has told, so that a lost transition is noticed and asked
//! for.

mod board;
mod others;
mod own;
mod typing;
mod watches;
mod went;

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use milena_domain::{Availability, ConversationId, Signal, Status, Timestamp, UserId};
use milena_storage::Store;
use tokio::sync::{Notify, mpsc};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use self::board::{Board, Outcome};
use self::own::Now;
use self::typing::Typing;
use self::went::Went;
use crate::live::{HereCount, News, Present, Update};
use crate::metrics::{self, SignalOutcome};
use crate::registry::{ConnectionId, Registry};

/// How long somebody's last socket must be gone until they are said to be offline.
pub(crate) const OFFLINE_AFTER: Duration = Duration::from_secs(45);
/// A person's transitions are told at most this often: what lies between is never told.
pub(crate) const TOLD_AT_MOST_EVERY: Duration = Duration::from_secs(2);
/// How often a node says that it lives.
pub(crate) const LEASE_EVERY: Duration = Duration::from_secs(10);
/// Own leases heard back without a word of another node, until its people are offline: 90 to 100 seconds.
pub(crate) const SILENT_LEASES: u32 = 10;
/// People whom a socket may watch.
pub const WATCHED_USERS_MAX: usize = 200;
/// Conversations that a socket may watch.
pub const WATCHED_CONVERSATIONS_MAX: usize = 64;
/// What a socket watches, it says again: what it may see may be less by then.
pub(crate) const WATCH_LASTS: Duration = Duration::from_secs(300);
/// People who are looked up under one hold of the lock.
const COUNTED_AT_ONCE: usize = 4_096;
/// Between attempts to write down who went.
const WRITE_AGAIN: Duration = Duration::from_secs(10);

/// The handle; clones are the same one.
#[derive(Debug, Clone)]
pub struct Presence(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    /// Locked for a few instructions at a time, never across an await.
    board: Mutex<Board>,
    typing: Mutex<Typing>,
    registry: Registry,
    /// To the task behind the signals; full means that signals are dropped, which the next lease tells.
    /// `None`: this is the only backend.
    others: Option<mpsc::Sender<Signal>>,
    /// From those who changed something, to the one task that waits for what is due.
    planned: Notify,
    went: Went,
}

/// A connection that is seen; dropping it says that it went.
#[derive(Debug)]
#[must_use = "dropping it says that the connection went"]
pub struct Seen {
    presence: Presence,
    user: UserId,
    id: ConnectionId,
}

impl Drop for Seen {
    fn drop(&mut self) {
        let (user, id) = (self.user, self.id);
        self.presence.act(|board, now| board.disconnected(user, id, now));
    }
}

impl Presence {
    /// Nobody is here yet. What others have to know goes to `others`.
    #[must_use]
    pub fn new(registry: Registry, others: Option<mpsc::Sender<Signal>>) -> Self {
        let (board, typing, planned, went) =
            (Mutex::default(), Mutex::default(), Notify::new(), Went::default());
        Self(Arc::new(Shared { board, typing, registry, others, planned, went }))
    }

    /// A registered socket of `user`, who hides or not, as long as the answer lives.
    pub fn connected(&self, user: UserId, id: ConnectionId, hides: bool) -> Seen {
        self.act(|board, now| board.connected(user, id, hides, now));
        Seen { presence: self.clone(), user, id }
    }

    /// Whether somebody sits before the socket.
    pub fn idle(&self, user: UserId, id: ConnectionId, is_idle: bool) {
        self.act(|board, now| board.idle(user, id, is_idle, now));
    }

    /// Whether the person wants to be seen, where they are connected here: so it stands in the store.
    pub fn appear(&self, user: UserId, is_hidden: bool) {
        self.act(|board, now| board.hide(user, is_hidden, now));
    }

    /// Whether the person wants to be seen from now on, on whichever node they are.
    pub fn hide(&self, user: UserId, is_hidden: bool) {
        self.appear(user, is_hidden);
        self.tell(Signal::Hidden { user, on: is_hidden });
    }

    /// Whether somebody who is connected here wants to be taken for offline.
    #[must_use]
    pub fn hides(&self, user: UserId) -> bool {
        self.board().is_hidden(user)
    }

    /// Whether somebody sits before a socket of theirs, here or on another node: for what is told to them
    /// alone, never to others, since it is so of those who hide as well.
    #[must_use]
    pub fn is_active(&self, user: UserId) -> bool {
        self.board().is_active(user)
    }

    /// What the socket watches for `WATCH_LASTS` from now on. What is to be seen now of the people whom it
    /// may see, and of `others` whom it may not, is in its queue then: of those there is nothing to be seen.
    /// When people were here last stands in the store, if it was not seen since, and so does what they say
    /// of themselves.
    pub fn watch(
        &self,
        id: ConnectionId,
        users: Vec<UserId>,
        others: impl IntoIterator<Item = UserId>,
        conversations: Vec<ConversationId>,
        last_seen: impl Fn(UserId) -> Option<Timestamp>,
        mut statuses: HashMap<UserId, Status>,
    ) {
        // Under the lock, so that no change comes before what it changes.
        let mut board = self.board();
        let unseen = others.into_iter();
        let unseen = unseen.map(|user| Present { user, state: None, last_seen: None, status: Some(None) });
        let seen = users.iter().map(|user| {
            let status = statuses.remove(user).map(Arc::new);
            Present { status: Some(status), ..board.shown(*user, last_seen(*user)) }
        });
        let shown: Vec<Present> = seen.chain(unseen).collect();
        board.watches.set(id, users, conversations, Instant::now());
        if !shown.is_empty() {
            self.0.registry.deliver_to(id, Update::from(News::Presence(shown.into())));
        }
    }

    /// What is to be seen of somebody, who was here last at `last_seen` or later.
    #[must_use]
    pub fn shown(&self, user: UserId, last_seen: Option<Timestamp>) -> Present {
        self.board().shown(user, last_seen)
    }

    /// How many of these are here.
    #[must_use]
    pub fn count(&self, people: &[UserId]) -> HereCount {
        let mut count = HereCount::default();
        for part in people.chunks(COUNTED_AT_ONCE) {
            let board = self.board();
            for state in part.iter().filter_map(|user| board.state(*user)) {
                match state {
                    Availability::Online => count.online += 1,
                    Availability::Away => count.away += 1,
                }
            }
        }
        count
    }

    /// How often what is shown of anybody has changed since the start.
    #[must_use]
    pub fn changes(&self) -> u64 {
        self.board().changes()
    }

    /// The conversations that sockets of this node have open.
    #[must_use]
    pub fn watched_conversations(&self) -> HashSet<ConversationId> {
        self.board().watches.conversations(Instant::now())
    }

    /// How many are here in a room: for those who have it open.
    pub fn show_here(&self, conversation: ConversationId, count: HereCount) {
        let sockets: Vec<_> = self.board().watches.of_conversation(conversation, Instant::now()).collect();
        let update = Update::from(News::Here { conversation, count });
        for id in sockets {
            if self.0.registry.is_in(id, conversation) {
                self.0.registry.deliver_to(id, update.clone());
            }
        }
    }

    /// Whether a socket of this node watches somebody.
    #[must_use]
    pub fn is_watched(&self, user: UserId) -> bool {
        self.board().watches.of_user(user, Instant::now()).next().is_some()
    }

    /// Somebody, who was here last at `last_seen` or later, says this of themselves from now on: shown to
    /// those who watch them here.
    pub fn says(&self, user: UserId, status: Option<Status>, last_seen: Option<Timestamp>) {
        let board = self.board();
        let shown = Present { status: Some(status.map(Arc::new)), ..board.shown(user, last_seen) };
        let update = Update::from(News::Presence([shown].into()));
        for id in board.watches.of_user(user, Instant::now()) {
            self.0.registry.deliver_to(id, update.clone());
        }
    }

    /// Somebody who may write there is writing, or not any more: shown to those who have the conversation
    /// open, here and elsewhere, unless it was just said.
    pub fn typing(&self, user: UserId, conversation: ConversationId, on: bool) {
        if self.board().is_hidden(user)
            || !self.lock_typing().may_tell(user, conversation, on, Instant::now())
        {
            return;
        }
        self.show_typing(user, conversation, on);
        self.tell(Signal::Typing { user, conversation, on });
    }

    /// What another node, or this one, told.
    pub fn heard(&self, from: Uuid, own: Uuid, signal: Signal) {
        match signal {
            Signal::Alive { .. } if from == own => self.act(|board, now| board.own_lease(now.wall)),
            _ if from == own => {}
            Signal::AskPeople { of } if of == own => {
                let people = self.board().people();
                people.into_iter().for_each(|part| self.tell(part));
            }
            Signal::Typing { user, conversation, on } => self.show_typing(user, conversation, on),
            Signal::Hidden { user, on } => self.appear(user, on),
            signal => self.act(|board, now| board.heard(from, signal, now)),
        }
    }

    /// Waits for what becomes due, writes down when people were here last, and says that this node lives,
    /// until `stop`.
    pub async fn keep(self, store: Store, stop: CancellationToken) {
        let mut lease_at = self.0.others.is_some().then(Instant::now);
        let mut write_at: Option<Instant> = None;
        loop {
            let mut planned = std::pin::pin!(self.0.planned.notified());
            planned.as_mut().enable();
            let deadline = self.board().deadline().into_iter().chain(lease_at).chain(write_at).min();
            let due = async {
                match deadline {
                    Some(at) => tokio::time::sleep_until(at).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = stop.cancelled() => break,
                () = planned => {}
                () = due => {}
            }
            self.act(|board, now| board.elapsed(now));
            let now = Instant::now();
            if lease_at.is_some_and(|at| at <= now) {
                let lease = self.board().lease();
                self.tell(lease);
                lease_at = Some(now + LEASE_EVERY);
            }
            if write_at.is_none_or(|at| at <= now) {
                write_at = (!self.0.went.write_down(&store).await).then(|| Instant::now() + WRITE_AGAIN);
            }
        }
        self.tell(Signal::Goodbye);
        let now = Timestamp::now();
        let here: Vec<_> = self.board().here().map(|user| (user, now)).collect();
        self.0.went.note(here);
        self.0.went.write_down(&store).await;
    }

    fn act(&self, act: impl FnOnce(&mut Board, Now) -> Outcome) {
        let now = Now { at: Instant::now(), wall: Timestamp::now() };
        // Shown under the lock, so that two changes of one person reach everybody in their order.
        let mut board = self.board();
        let before = board.deadline();
        let Outcome { changed, tell } = act(&mut board, now);
        for shown in changed {
            let user = shown.user;
            let update = Update::from(News::Presence([shown].into()));
            for id in board.watches.of_user(user, now.at) {
                self.0.registry.deliver_to(id, update.clone());
            }
        }
        for signal in tell {
            if let Signal::Presence { user, state: None, since } = signal {
                self.0.went.note([(user, since)]);
            }
            self.tell(signal);
        }
        if board.deadline() < before || before.is_none() && board.deadline().is_some() {
            self.0.planned.notify_one();
        }
    }

    fn show_typing(&self, user: UserId, conversation: ConversationId, on: bool) {
        let sockets: Vec<_> = self.board().watches.of_conversation(conversation, Instant::now()).collect();
        let update = Update::from(News::Typing { user, conversation, on });
        for id in sockets {
            if self.0.registry.may_hear(id, conversation, user) {
                self.0.registry.deliver_to(id, update.clone());
            }
        }
    }

    fn tell(&self, signal: Signal) {
        if let Some(others) = &self.0.others
            && others.try_send(signal).is_err()
        {
            metrics::signal(SignalOutcome::Dropped);
        }
    }

    // Nothing under the locks can panic half-way, so a poisoned lock still guards consistent maps.

    fn board(&self) -> MutexGuard<'_, Board> {
        self.0.board.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock_typing(&self) -> MutexGuard<'_, Typing> {
        self.0.typing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
