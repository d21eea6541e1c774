//! What the core has to say to people, in its own terms; the doors make frames of it.
//!
//! One [`Update`] is shared by all sockets that show it. Each wire form encodes it at most once for each way
//! in which people see it (as its author, or not), when the first socket sends it: what nobody reads any more
//! is never encoded. This module knows no wire; it only keeps what a door made.

use std::any::Any;
use std::sync::{Arc, OnceLock};

use milena_domain::record::{Action, Placed};
use milena_domain::tell::{General, OfConversation};
use milena_domain::{Availability, ConversationId, Position, Status, Timestamp, UserId};

use super::life::{Life, Shown};
use super::rooms::RoomView;
use crate::log::pending::Accepted;

/// What happened.
#[derive(Debug, Clone)]
pub enum News {
    /// An event that counts stands in the log.
    Placed(Arc<Placed>),
    /// A room as its one reader sees it from now on; whoever is not in it any more is told by this.
    Room(Arc<RoomView>),
    /// What this very socket sent counts.
    Accepted(Accepted),
    /// What the client's new `client_id`s shall begin with.
    Prefix(String),
    /// The user read up to here, in another place.
    Read {
        /// In which conversation.
        conversation: ConversationId,
        /// Up to where.
        position: Position,
    },
    /// The other one of a direct conversation read up to here, or a member of a small room.
    Seen {
        /// In which conversation.
        conversation: ConversationId,
        /// Who, in a room.
        by: Option<UserId>,
        /// Up to where.
        position: Position,
    },
    /// A device of the other one of a direct conversation has what was written up to here.
    Received {
        /// In which conversation.
        conversation: ConversationId,
        /// Up to where.
        position: Position,
    },
    /// More was missed between the positions (exclusive) than is replayed.
    Gap {
        /// In which conversation.
        conversation: ConversationId,
        /// The last that the client has.
        after: Position,
        /// The first that it gets; `None` is "to the newest".
        before: Option<Position>,
        /// Changes of older messages after this are not told one by one: the client asks for them.
        changes_after: Option<Position>,
    },
    /// A message that was missed, with what became of it since it was written.
    Message(Arc<Shown>),
    /// What a message is now that the client may hold as it was.
    Changed(Arc<Shown>),
    /// Whether people are here whom the socket watches.
    Presence(Arc<[Present]>),
    /// Somebody else is writing in a conversation that the socket has open, or not any more.
    Typing {
        /// In which conversation.
        conversation: ConversationId,
        /// Who.
        user: UserId,
        /// Whether they are.
        on: bool,
    },
    /// How many are here in a large room that the socket has open.
    Here {
        /// Which.
        conversation: ConversationId,
        /// How many.
        count: HereCount,
    },
    /// What the person wants to be told was changed so many times.
    Notifications {
        /// Which change this is; without one, which was the newest.
        revision: u64,
        /// What is so now.
        changed: Option<Arc<Wanted>>,
    },
}

impl News {
    /// Which conversation it is about; `None` for what is about people or the socket itself.
    #[must_use]
    pub fn conversation(&self) -> Option<ConversationId> {
        match self {
            Self::Placed(placed) => Some(placed.event.conversation),
            Self::Message(shown) | Self::Changed(shown) => Some(shown.placed.event.conversation),
            Self::Room(view) => Some(view.id),
            Self::Read { conversation, .. }
            | Self::Seen { conversation, .. }
            | Self::Received { conversation, .. }
            | Self::Gap { conversation, .. }
            | Self::Typing { conversation, .. }
            | Self::Here { conversation, .. } => Some(*conversation),
            Self::Accepted(_) | Self::Prefix(_) | Self::Presence(_) | Self::Notifications { .. } => None,
        }
    }
}

/// How many members of a room are here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct HereCount {
    /// Those who sit before a client.
    pub online: u32,
    /// Those whose clients are idle.
    pub away: u32,
}

/// What somebody wants to be told from now on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    /// In general.
    General(General),
    /// Of one conversation.
    Of(ConversationId, OfConversation),
}

/// What is to be seen of somebody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Present {
    /// Who.
    pub user: UserId,
    /// `None` is offline.
    pub state: Option<Availability>,
    /// When they were here last, if they are offline and that is known.
    pub last_seen: Option<Timestamp>,
    /// What they say of themselves, or that it is nothing; `None`: what they said before.
    pub status: Option<Option<Arc<Status>>>,
}

/// Whom an edit names anew, and whom no more: only they have something to be told.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Names {
    /// They were not named before.
    pub named: Vec<UserId>,
    /// They are not named any more.
    pub unnamed: Vec<UserId>,
}

impl Names {
    /// What an edit changes; `None` when that is nothing.
    #[must_use]
    pub fn changed(before: &[UserId], now: &[UserId]) -> Option<Self> {
        let without = |these: &[UserId], those: &[UserId]| {
            these.iter().filter(|user| !those.contains(user)).copied().collect()
        };
        let names = Self { named: without(now, before), unnamed: without(before, now) };
        (names != Self::default()).then_some(names)
    }
}

/// How somebody sees an update.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum View {
    /// As its author.
    Own,
    /// As anybody else.
    Others,
}

/// A wire form: each has a place of its own for what it made of an update.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// JSON frames.
    Frames,
}

const FORMS: usize = 1;
const VIEWS: usize = 2;

/// What a door made of an update, whatever that is.
type Encoded = Box<dyn Any + Send + Sync>;

/// News with what was made of it. Clones share it.
#[derive(Clone)]
pub struct Update(Arc<Shared>);

struct Shared {
    news: News,
    names: Option<Names>,
    bytes: usize,
    encoded: [[OnceLock<Encoded>; VIEWS]; FORMS],
}

impl std::fmt::Debug for Update {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Update").field(&self.0.news).finish()
    }
}

impl From<News> for Update {
    fn from(news: News) -> Self {
        Self::naming(news, None)
    }
}

impl Update {
    /// News of an edit, with what it changes of who is named.
    #[must_use]
    pub fn naming(news: News, names: Option<Names>) -> Self {
        let people = names.as_ref().map_or(0, |names| names.named.len() + names.unnamed.len());
        let bytes = bytes_of(&news) + PERSON_BYTES * people;
        Self(Arc::new(Shared { news, names, bytes, encoded: Default::default() }))
    }

    /// What an edit changes of who is named.
    #[must_use]
    pub fn names(&self) -> Option<&Names> {
        self.0.names.as_ref()
    }

    /// What happened.
    #[must_use]
    pub fn news(&self) -> &News {
        &self.0.news
    }

    /// What it counts as in a queue, before and after it is encoded: at least the bytes of its largest form.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.0.bytes
    }

    /// How `user` sees it.
    #[must_use]
    pub fn view(&self, user: UserId) -> View {
        match &self.0.news {
            News::Placed(placed) if placed.event.actor != user => View::Others,
            News::Message(shown) | News::Changed(shown) if shown.placed.event.actor != user => View::Others,
            _ => View::Own,
        }
    }

    /// What the door of `form` made of it; `encode` is called at most once for each view, whoever asks.
    pub fn encoded<T: Clone + Send + Sync + 'static>(
        &self,
        form: Form,
        view: View,
        encode: impl Fn(&News, View) -> T,
    ) -> T {
        let place = &self.0.encoded[form as usize][view as usize];
        let encoded = place.get_or_init(|| Box::new(encode(&self.0.news, view)));
        // A form has one type; were there another, it would be made anew each time.
        encoded.downcast_ref::<T>().cloned().unwrap_or_else(|| encode(&self.0.news, view))
    }
}

/// More than names, ids and times take in any form: of an event, and of everything else.
const EVENT_BYTES: usize = 384;
const OTHER_BYTES: usize = 256;
/// What a room is, apart from its texts.
const ROOM_BYTES: usize = 448;
/// A person of a list, with their role.
const PERSON_BYTES: usize = 80;

/// Somebody with their state.
const PRESENT_BYTES: usize = 160;
/// What somebody says of themselves, apart from the words, and the longest sign.
const STATUS_BYTES: usize = 192;
/// What somebody wants in general, apart from keywords and times of the week.
const GENERAL_BYTES: usize = 384;
/// Some times of the week.
const WINDOW_BYTES: usize = 96;

fn bytes_of(news: &News) -> usize {
    match news {
        News::Placed(placed) => placed_bytes(placed),
        News::Message(shown) | News::Changed(shown) => {
            placed_bytes(&shown.placed) + shown.life.as_ref().map_or(0, |life| life_bytes(life))
        }
        News::Room(view) => {
            let room = &view.room;
            ROOM_BYTES + escaped_bytes(room.title.as_str()) + escaped_bytes(room.topic.as_str())
        }
        News::Accepted(accepted) => OTHER_BYTES + escaped_bytes(accepted.client_id.as_str()),
        News::Prefix(prefix) => OTHER_BYTES + escaped_bytes(prefix),
        News::Presence(people) => OTHER_BYTES + people.iter().map(present_bytes).sum::<usize>(),
        News::Notifications { changed, .. } => match changed.as_deref() {
            Some(Wanted::General(general)) => OTHER_BYTES + general_bytes(general),
            Some(Wanted::Of(..)) | None => OTHER_BYTES,
        },
        News::Read { .. }
        | News::Seen { .. }
        | News::Received { .. }
        | News::Gap { .. }
        | News::Typing { .. }
        | News::Here { .. } => OTHER_BYTES,
    }
}

fn placed_bytes(placed: &Placed) -> usize {
    let event = &placed.event;
    EVENT_BYTES + other_bytes(&event.action) + escaped_bytes(event.client_id.as_str())
}

fn present_bytes(present: &Present) -> usize {
    let said = present.status.iter().flatten();
    let said = said.map(|status| STATUS_BYTES + escaped_bytes(status.text().unwrap_or_default()));
    PRESENT_BYTES + said.sum::<usize>()
}

fn general_bytes(general: &General) -> usize {
    let keywords = general.keywords.iter().map(|keyword| escaped_bytes(keyword) + 3);
    let windows = general.dnd_schedule.as_ref().map_or(0, |schedule| schedule.windows().len());
    GENERAL_BYTES + keywords.sum::<usize>() + WINDOW_BYTES * windows
}

/// Numbers and names of what became of a message.
const LIFE_BYTES: usize = 384;
/// One reaction with five people.
const REACTION_BYTES: usize = 384;
/// A reference to another message.
const TARGET_BYTES: usize = 128;

fn life_bytes(life: &Life) -> usize {
    let reason = life.deleted.as_ref().and_then(|deleted| deleted.reason.as_deref());
    LIFE_BYTES + REACTION_BYTES * life.reactions.len() + escaped_bytes(reason.unwrap_or_default())
}

/// What the payload takes.
fn other_bytes(action: &Action) -> usize {
    let text = |title: Option<&str>, topic: Option<&str>| {
        escaped_bytes(title.unwrap_or_default()) + escaped_bytes(topic.unwrap_or_default())
    };
    match action {
        Action::RoomCreated(created) => {
            let topic = created.topic.as_ref().map(|topic| topic.as_str());
            ROOM_BYTES + PERSON_BYTES * created.members.len() + text(Some(created.title.as_str()), topic)
        }
        Action::RoomChanged(patch) => {
            let title = patch.title.as_ref().map(|title| title.as_str());
            ROOM_BYTES + text(title, patch.topic.as_ref().map(|topic| topic.as_str()))
        }
        Action::Message(message) => {
            let target = message.reply_to.map_or(0, |_| TARGET_BYTES);
            let everyone = if message.everyone { 32 } else { 0 };
            escaped_bytes(message.body.as_str()) + PERSON_BYTES * message.mentions.len() + target + everyone
        }
        Action::Edited { body, mentions, .. } => {
            TARGET_BYTES + escaped_bytes(body.as_str()) + PERSON_BYTES * mentions.len()
        }
        Action::Deleted { reason, .. } => {
            TARGET_BYTES + escaped_bytes(reason.as_ref().map_or("", |reason| reason.as_str()))
        }
        Action::Reacted { emoji, .. } => TARGET_BYTES + escaped_bytes(emoji.as_str()),
        Action::Pinned { .. } => TARGET_BYTES,
        action => PERSON_BYTES * action.subjects().len(),
    }
}

/// A text's bytes when it stands in JSON.
fn escaped_bytes(text: &str) -> usize {
    let extra = |byte: u8| match byte {
        b'"' | b'\\' | b'\n' | b'\r' | b'\t' | 0x08 | 0x0c => 1,
        0..0x20 => 5,
        _ => 0,
    };
    text.len() + text.bytes().map(extra).sum::<usize>()
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[test]
    fn each_view_is_encoded_once_however_many_ask() {
        let update = Update::from(News::Prefix("p".to_owned()));
        let count = AtomicUsize::new(0);
        let encode = |_: &News, view: View| {
            count.fetch_add(1, Ordering::Relaxed);
            format!("{view:?}")
        };
        for _ in 0..3 {
            let shared = update.clone();
            assert_eq!(shared.encoded(Form::Frames, View::Own, encode), "Own");
            assert_eq!(shared.encoded(Form::Frames, View::Others, encode), "Others");
        }
        assert_eq!(count.into_inner(), 2);
    }
}
