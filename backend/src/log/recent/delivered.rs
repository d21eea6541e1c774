//! An event as memory keeps it.

use std::sync::Arc;

use milena_domain::record::{Event, Placed};
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

    /// Whose lists it is in.
    pub(super) fn people(&self) -> impl Iterator<Item = UserId> + use<> {
        event::people(self.event())
    }

    /// Memory that it holds, roughly: the text, the ids, and its share of the indexes.
    pub(super) fn bytes(&self) -> usize {
        let event = self.event();
        let text = event::message(event).map_or(0, |message| message.body.as_str().len());
        text + event.client_id.as_str().len() + 400
    }
}
