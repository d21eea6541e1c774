//! The use cases of chat, the same for REST and WebSocket: send, read, list, resume.
//!
//! [`start()`] connects the parts: producer and tail feed the delivery task ([`crate::log`]), and [`Chat`] is
//! the handle that requests and connections work with.

mod change;
mod conversations;
mod cursor_seal;
mod directory;
mod edits;
mod first_sends;
mod here;
mod history;
mod listing;
mod mentions;
mod notifications;
mod page;
mod pins;
mod ports;
mod presence;
mod push;
mod reactions;
mod read_barrier;
mod reads;
mod receipts;
mod resume;
mod rooms;
mod send;
mod sent_before;
mod start;
mod status;
#[cfg(test)]
mod tests;
mod turns;

use std::sync::{Arc, RwLock};
use std::time::Duration;

use milena_domain::{ConversationId, Epoch, MessageId, SessionCursor, UserId};
use milena_settings::ChatSettings;
use milena_storage::{Store, StoredMessage, StoredPlace};
use tokio::sync::{mpsc, watch};

pub use change::{ChangeRequest, What};
pub(crate) use conversations::stranger;
pub use conversations::{Conversation, ConversationList, With};
pub use directory::Directory;
pub use edits::Edits;
pub(crate) use first_sends::SteadyClock;
pub use history::{ChangePage, History};
pub use mentions::Mentions;
pub use notifications::Notifications;
pub use pins::Pins;
pub(crate) use push::ToTell;
pub use reactions::Reactions;
pub use receipts::Readers;
pub(crate) use resume::news_of;
pub use resume::{Attached, Backlog};
pub use rooms::{Acted, Member, MemberPage, RoomChange, RoomPage};
pub use send::{Besides, Prepared, SendRequest, Target};
pub use start::{ChatError, Running, start};

use self::cursor_seal::CursorSeal;
use self::first_sends::FirstSends;
use crate::batched::Batched;
use crate::live::blocks::Blocks;
use crate::live::progress::Progress;
use crate::live::rooms::Rooms;
use crate::live::targets::Targets;
use crate::live::unreadable::Unreadable;
use crate::log::delivery::{Attach, Install, InstallTarget};
use crate::log::health::Health;
pub use crate::log::pending::Accepted;
use crate::log::pending::Pending;
use crate::log::recent::Recent;
use crate::registry::Registry;
use crate::signals::Signals;

/// The handle to chat; cheap to clone.
#[derive(Clone)]
pub struct Chat {
    /// For lists and read positions.
    store: Store,
    /// The same store, for all that sending, history and resuming look up in it.
    lookups: Arc<dyn ports::Lookups>,
    /// Messages by id, of those who cannot prove that theirs is a first send.
    repeats: Arc<Batched<MessageId, StoredMessage>>,
    /// The same of events of version 2.
    places: Arc<Batched<MessageId, StoredPlace>>,
    /// How people who connect want to be seen, and what they may have missed.
    appearances: Arc<Batched<UserId, presence::Appearance>>,
    first_sends: Arc<FirstSends>,
    turns: Arc<turns::Turns<UserId>>,
    /// Who needs the same room waits for whoever loads it.
    room_turns: Arc<turns::Turns<ConversationId>>,
    /// What was not there, when somebody looked.
    absent: Arc<rooms::Absent>,
    first_rooms: Arc<rooms::first::FirstRooms>,
    cursor_seal: Arc<CursorSeal>,
    directory: Directory,
    producer: Arc<dyn ports::LogEntry>,
    /// Where the log ends, of those who would be refused.
    ends: Arc<read_barrier::Ends>,
    registry: Registry,
    health: Health,
    pending: Arc<Pending>,
    /// Shared with the delivery task, which writes it; read here for the length of a look-up.
    recent: Arc<RwLock<Recent>>,
    /// Written by the delivery task; read here for the length of a look-up, never before `recent`.
    rooms: Arc<RwLock<Rooms>>,
    /// Written by the delivery task; read here for the length of a look-up, never before `recent`.
    targets: Arc<RwLock<Targets>>,
    /// To the delivery task; bounded, full means that whoever looked a message up waits.
    target_installs: mpsc::Sender<InstallTarget>,
    /// Written by the delivery task.
    blocks: Blocks,
    /// To the delivery task; bounded, full means that whoever loaded a room waits.
    installs: mpsc::Sender<Install>,
    reads: Arc<reads::Reads>,
    receipts: receipts::Receipts,
    here: Arc<here::Here>,
    /// In rooms of more members counts are told instead of people.
    presence_members_max: u32,
    /// Tells read positions to those who are connected, here and elsewhere.
    signals: Signals,
    /// To the delivery task; bounded, full means that connections wait their turn.
    attaches: mpsc::Sender<Attach>,
    /// From the delivery task, always behind what is in the sockets' queues.
    progress: watch::Receiver<Progress>,
    unreadable: Unreadable,
    epoch: Epoch,
    topic: Arc<str>,
    partitions: usize,
    send_timeout: Duration,
    edits: EditRules,
}

/// What the settings say of edits.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct EditRules {
    /// How long after a message was sent its words may be changed; `None`: always.
    limit_ms: Option<i64>,
    /// Whether the consumer keeps what messages said before.
    kept: bool,
}

impl EditRules {
    fn new(settings: &ChatSettings) -> Self {
        let limit_ms = i64::from(settings.edit_limit_seconds) * 1_000;
        Self { limit_ms: (limit_ms > 0).then_some(limit_ms), kept: settings.keep_edits }
    }
}

impl Chat {
    /// Whether the log is live, caught up, and still the same.
    #[must_use]
    pub fn health(&self) -> &Health {
        &self.health
    }

    /// Where this program cannot follow the log.
    #[must_use]
    pub const fn unreadable(&self) -> &Unreadable {
        &self.unreadable
    }

    /// What is told to other nodes.
    #[must_use]
    pub fn signals(&self) -> &Signals {
        &self.signals
    }

    /// What `user`'s `client_id`s shall begin with from now on, so that a first send needs no look-up.
    #[must_use]
    pub fn client_id_prefix(&self, user: UserId) -> String {
        self.first_sends.prefix(user)
    }

    /// A cursor as `user` holds it.
    #[must_use]
    pub fn seal_cursor(&self, user: UserId, cursor: &SessionCursor) -> String {
        self.cursor_seal.seal(user, cursor)
    }

    /// What `user` was given, if it is that.
    #[must_use]
    pub fn open_cursor(&self, user: UserId, text: &str) -> Option<SessionCursor> {
        self.cursor_seal.open(user, text)
    }

    /// Names and existence of people.
    #[must_use]
    pub fn directory(&self) -> &Directory {
        &self.directory
    }
}
