//! What an import file says of a room besides messages: who came and went, whom somebody sent away, and what
//! the room is called.
//!
//! A file tells what happened, not who was allowed to do it. Where the room does not let the sender send
//! somebody away or change it, the event is written as the server's, to whom the rooms of imports belong.

use std::collections::HashMap;

use milena_domain::record::{Action, Event, RoomPatch, Title, Topic};
use milena_domain::{ClientId, FieldError, MessageId, UserId};

use super::line::LineError;
use super::rooms::digits;

/// An event, by names in the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum RoomEvent {
    Joined,
    Left,
    Removed { user: String },
    Changed { title: Option<Title>, topic: Option<Topic>, archived: Option<bool> },
}

impl RoomEvent {
    /// From the fields of a line.
    ///
    /// # Errors
    /// [`LineError`], a sentence that names the field.
    pub(crate) fn new(
        kind: &str,
        user: Option<String>,
        title: Option<&str>,
        topic: Option<&str>,
        archived: Option<bool>,
    ) -> Result<Self, LineError> {
        match kind {
            "joined" => Ok(Self::Joined),
            "left" => Ok(Self::Left),
            "removed" => user.map(|user| Self::Removed { user }).ok_or(LineError::Missing("`user`")),
            "changed" if title.is_none() && topic.is_none() && archived.is_none() => {
                Err(LineError::Missing("`title`, `topic` or `archived`"))
            }
            "changed" => {
                let title = title.map(Title::admitted).transpose()?;
                Ok(Self::Changed { title, topic: topic.map(Topic::admitted).transpose()?, archived })
            }
            _ => Err(FieldError::new(
                "event",
                "must be created, joined, left, removed, changed, edited or reacted",
            )
            .into()),
        }
    }

    /// Whom it concerns besides its sender.
    pub(crate) fn user(&self) -> Option<&str> {
        match self {
            Self::Removed { user } => Some(user),
            Self::Joined | Self::Left | Self::Changed { .. } => None,
        }
    }

    /// What is done.
    ///
    /// # Panics
    /// When somebody in it is not known.
    pub(crate) fn action(&self, people: &HashMap<String, UserId>) -> Action {
        match self {
            Self::Joined => Action::Joined,
            Self::Left => Action::Left,
            Self::Removed { user } => {
                Action::Removed { user: *people.get(user).expect("all people were created before") }
            }
            Self::Changed { title, topic, archived } => Action::RoomChanged(RoomPatch {
                title: title.clone(),
                topic: topic.clone(),
                archived: *archived,
                ..RoomPatch::default()
            }),
        }
    }

    /// The same as the server says it, to whom the rooms of imports belong: where `from` may not do it, and
    /// of joinings where nobody may come in who is not brought.
    pub(crate) fn by_server(&self, from: UserId, people: &HashMap<String, UserId>) -> Option<Action> {
        match self {
            Self::Joined => Some(Action::MembersAdded { users: vec![from] }),
            Self::Left => None,
            Self::Removed { .. } | Self::Changed { .. } => Some(self.action(people)),
        }
    }
}

/// A `client_id` for the event of this id and sender, also where the server is its actor.
///
/// # Errors
/// An empty id names nothing.
pub(crate) fn event_client_id(id: &str, from: &str) -> Result<ClientId, FieldError> {
    if id.is_empty() {
        return ClientId::new(id);
    }
    // No name has a control character in it.
    ClientId::new(&format!("event-{}", digits(&format!("{from}\0{id}"), 20)))
}

/// An event as it may go into the log.
#[derive(Debug)]
pub(crate) struct Happened {
    pub(crate) by_sender: Event,
    pub(crate) by_server: Option<Event>,
}

impl Happened {
    /// Under which ids it may be known.
    pub(crate) fn ids(&self) -> impl Iterator<Item = MessageId> {
        std::iter::once(self.by_sender.id).chain(self.by_server.as_ref().map(|event| event.id))
    }

    /// The one of them that is named so.
    pub(crate) fn named(&self, id: MessageId) -> &Event {
        self.by_server.as_ref().filter(|event| event.id == id).unwrap_or(&self.by_sender)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_event_has_its_fields() {
        let text = |text: &str| Some(text.to_owned());
        assert_eq!(RoomEvent::new("joined", None, None, None, None).unwrap(), RoomEvent::Joined);
        assert_eq!(RoomEvent::new("left", text("bob"), None, None, None).unwrap(), RoomEvent::Left);
        let removed = RoomEvent::new("removed", text("bob"), None, None, None).unwrap();
        assert_eq!(removed.user(), Some("bob"));
        let changed = RoomEvent::new("changed", None, Some("A title"), Some(""), None).unwrap();
        let Action::RoomChanged(patch) = changed.action(&HashMap::new()) else { panic!("{changed:?}") };
        assert_eq!((patch.title.unwrap().as_str(), patch.topic.unwrap().as_str()), ("A title", ""));
        let problem = |kind: &str, title: Option<&str>| {
            RoomEvent::new(kind, None, title, None, None).unwrap_err().to_string()
        };
        assert_eq!(problem("removed", None), "the field `user` is missing");
        assert_eq!(problem("changed", None), "the field `title`, `topic` or `archived` is missing");
        assert!(problem("changed", Some("")).starts_with("title must"));
        assert_eq!(
            problem("promoted", None),
            "event must be created, joined, left, removed, changed, edited or reacted"
        );
    }

    #[test]
    fn ids_become_names_of_one_sender() {
        let of = |id: &str, from: &str| event_client_id(id, from).map(|id| id.as_str().to_owned());
        // Written down once: what was imported before has these names.
        assert_eq!(of("1", "ann").unwrap(), "event-073c4fdb7abb32772dd1e68ba5cdb06e4c3270e9");
        assert_ne!(of("1", "ann").unwrap(), of("1", "bob").unwrap());
        assert!(of(&"ü".repeat(500), "ann").unwrap().len() <= 64);
        assert!(of("", "ann").is_err());
    }
}
