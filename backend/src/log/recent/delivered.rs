//! An event as memory keeps it.

use std::sync::{Arc, OnceLock};

use milena_domain::record::{Action, Event, Message, Placed};
use milena_domain::{Body, Position, UserId};

use crate::live::{Names, News, Update};
use crate::log::event;

/// An event that was delivered here, and its place.
#[derive(Debug)]
pub struct Delivered {
    /// The event in the order of its conversation, as it came.
    placed: Arc<Placed>,
    /// The same without its words, once the message was deleted: from then on nobody is shown anything else.
    wordless: OnceLock<Arc<Placed>>,
    /// The partition it came from.
    pub partition: i32,
    /// When it was delivered here; see [`Recent::covers_since_ms`](super::Recent::covers_since_ms).
    pub at_ms: i64,
    /// Whether it counts; empty while nobody here follows its room, and therefore nobody has judged it.
    pub counts: OnceLock<bool>,
    /// What an edit that counts changes of who is named, where that is known.
    pub names: OnceLock<Box<Names>>,
}

impl Delivered {
    /// An event that comes now; `counts` when somebody has judged it.
    #[must_use]
    pub fn new(placed: Placed, partition: i32, at_ms: i64, counts: Option<bool>) -> Self {
        let counts = counts.map_or_else(OnceLock::new, OnceLock::from);
        let (wordless, names) = (OnceLock::new(), OnceLock::new());
        Self { placed: Arc::new(placed), wordless, partition, at_ms, counts, names }
    }

    /// What people are told of it.
    #[must_use]
    pub fn update(&self) -> Update {
        let names = self.names.get().map(|names| Names::clone(names));
        Update::naming(News::Placed(Arc::clone(self.placed())), names)
    }

    /// What may be shown of it: a message that was deleted, and its edits, have no words any more.
    #[must_use]
    pub fn placed(&self) -> &Arc<Placed> {
        self.wordless.get().unwrap_or(&self.placed)
    }

    /// What happened, as it may be shown.
    #[must_use]
    pub fn event(&self) -> &Event {
        &self.placed().event
    }

    /// What happened, as it stands in the log: to compare a repeat with, and for nothing else.
    #[must_use]
    pub fn as_sent(&self) -> &Event {
        &self.placed.event
    }

    /// Takes the words away.
    pub(super) fn forget_words(&self) {
        let mut placed = Placed::clone(&self.placed);
        match &mut placed.event.action {
            Action::Message(message) => *message = Message::plain(Body::deleted()),
            Action::Edited { body, mentions, .. } => {
                *body = Body::deleted();
                mentions.clear();
            }
            _ => return,
        }
        let _ = self.wordless.set(Arc::new(placed));
    }

    /// Its place.
    #[must_use]
    pub fn position(&self) -> Position {
        self.placed.position
    }

    /// Its place in its partition.
    pub(super) fn offset(&self) -> i64 {
        self.placed.position.offset()
    }

    /// Whether it counts and may be shown.
    #[must_use]
    pub fn is_shown(&self) -> bool {
        self.counts.get() == Some(&true)
    }

    /// Whose lists it is in: those of the two of a direct conversation. Rooms are on nobody's, whoever is in
    /// them.
    pub(super) fn people(&self) -> impl Iterator<Item = UserId> + use<> {
        let event = self.event();
        let both = event.to.is_some().then(|| event::people(event));
        both.into_iter().flatten()
    }

    /// Whose membership it may change.
    pub(crate) fn named(&self) -> Vec<UserId> {
        let event = self.event();
        match &event.action {
            Action::RoomCreated(created) => {
                let members = created.members.iter().map(|seat| seat.user);
                std::iter::once(event.actor).chain(members).collect()
            }
            Action::Joined | Action::Left => vec![event.actor],
            action => action.subjects().to_vec(),
        }
    }

    /// Memory that it holds, roughly: the text, the ids, and its share of the indexes.
    pub(super) fn bytes(&self) -> usize {
        // What it had when it came, so that as much is given back.
        let event = self.as_sent();
        let text = match &event.action {
            Action::Message(message) => message.body.as_str().len() + 16 * message.mentions.len(),
            Action::Edited { body, mentions, .. } => body.as_str().len() + 16 * mentions.len(),
            _ => 0,
        };
        let people = match &event.action {
            Action::RoomCreated(created) => created.members.len(),
            action => action.subjects().len(),
        };
        text + event.client_id.as_str().len() + 100 * people + 400
    }
}
