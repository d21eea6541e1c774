//! An event as memory keeps it.

use std::sync::{Arc, OnceLock};

use milena_domain::record::{Action, Event, Placed};
use milena_domain::{Position, UserId};

use crate::log::event;

/// An event that was delivered here, and its place.
#[derive(Debug)]
pub struct Delivered {
    /// The event in the order of its conversation.
    pub placed: Arc<Placed>,
    /// The partition it came from.
    pub partition: i32,
    /// When it was delivered here; see [`Recent::covers_since_ms`](super::Recent::covers_since_ms).
    pub at_ms: i64,
    /// Whether it counts; empty while nobody here follows its room, and therefore nobody has judged it.
    pub counts: OnceLock<bool>,
}

impl Delivered {
    /// What happened.
    #[must_use]
    pub fn event(&self) -> &Event {
        &self.placed.event
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
        let event = self.event();
        let text = event::message(event).map_or(0, |message| message.body.as_str().len());
        let people = match &event.action {
            Action::RoomCreated(created) => created.members.len(),
            action => action.subjects().len(),
        };
        text + event.client_id.as_str().len() + 100 * people + 400
    }
}
