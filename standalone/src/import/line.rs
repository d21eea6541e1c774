//! One line of an import file: its form, its rules, and what it becomes in the log.

use std::collections::HashMap;

use milena_domain::record::{self, Action, Event};
use milena_domain::{Body, ClientId, FieldError, MessageEvent, MessageId, Timestamp, UserId, limits};
use milena_timeline::Void;
use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::event::{Happened, RoomEvent, event_client_id};
use super::ledger::Content;
use super::rooms::Rooms;
use crate::cli::IdScope;

/// Why a line is refused.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LineError {
    /// Not UTF-8.
    #[error("it is not UTF-8")]
    NotUtf8,
    /// Not JSON, or not of the expected form.
    #[error("it is not JSON of the expected form: {}", without_line(.0))]
    Json(#[from] serde_json::Error),
    /// A rule of a field.
    #[error("{0}")]
    Field(#[from] FieldError),
    /// Neither `to` nor `room`.
    #[error("the field `to` is missing, or `room`")]
    NoPlace,
    /// Both.
    #[error("the fields `to` and `room` exclude each other")]
    TwoPlaces,
    /// What happens in rooms only.
    #[error("the field `event` goes with `room`, not with `to`")]
    NoRoom,
    /// A field that a line of its kind has.
    #[error("the field {0} is missing")]
    Missing(&'static str),
    /// Not allowed in the room as it is.
    #[error("the room does not let this happen: {0}")]
    NotAllowed(Void),
    /// Another message has the name that this one would have.
    #[error("the id {id:?} already names a message of {from:?} {other}{at}")]
    Taken {
        /// As in the file.
        id: String,
        /// The sender's name in the file.
        from: String,
        /// In what the other one differs.
        other: &'static str,
        /// Where the other one is.
        at: String,
    },
    /// The log has it, but the database did not take it.
    #[error("the database has no such message: it is a dead letter, or its sender may not write there")]
    NotStored,
    /// While it was on its way, somebody else sent another message under its name.
    #[error("meanwhile its id names a message of the same person {0}")]
    Overtaken(&'static str),
}

/// Each line is a JSON text of its own, so serde's "at line 1" would only mislead beside the number of the
/// line.
fn without_line(error: &serde_json::Error) -> String {
    error.to_string().replace(" at line 1 column ", " at column ")
}

#[derive(Deserialize)]
struct Wire {
    id: String,
    sent_at: String,
    from: String,
    text: Option<String>,
    to: Option<String>,
    room: Option<String>,
    event: Option<String>,
    user: Option<String>,
    title: Option<String>,
    topic: Option<String>,
}

/// A good line.
#[derive(Debug)]
pub(crate) struct ImportLine {
    /// Its number in the file.
    pub(crate) number: u64,
    /// As in the file.
    pub(crate) id: String,
    client_id: ClientId,
    pub(crate) sent_at: Timestamp,
    /// The sender's name in the file.
    pub(crate) from: String,
    /// Where.
    pub(crate) place: Place,
    what: What,
}

/// What a line says.
#[derive(Debug)]
enum What {
    Said(Body),
    Happened(RoomEvent),
}

/// Where a message was sent to, by names in the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Place {
    To(String),
    Room(String),
}

/// A message as it goes into the log.
#[derive(Debug)]
pub(crate) enum Message {
    Direct(MessageEvent),
    Room(Event),
}

impl Message {
    pub(crate) fn id(&self) -> MessageId {
        match self {
            Self::Direct(event) => event.id,
            Self::Room(event) => event.id,
        }
    }
}

/// What a line becomes.
#[derive(Debug)]
pub(crate) enum Record {
    Message(Message, Content),
    Happened(Happened),
}

/// Names in files are not usernames yet, but an endless one is a mistake.
const NAME_MAX_CHARS: usize = 64;

impl ImportLine {
    /// Reads a line.
    ///
    /// # Errors
    /// [`LineError`], a sentence that names the field.
    pub(crate) fn parse(number: u64, line: &[u8], scope: IdScope) -> Result<Self, LineError> {
        let text = std::str::from_utf8(line).map_err(|_| LineError::NotUtf8)?;
        let wire: Wire = serde_json::from_str(text)?;
        let place = match (wire.to, wire.room) {
            (Some(to), None) => Place::To(to),
            (None, Some(room)) => Place::Room(room),
            (Some(_), Some(_)) => return Err(LineError::TwoPlaces),
            (None, None) => return Err(LineError::NoPlace),
        };
        let what = match wire.event {
            Some(_) if matches!(place, Place::To(_)) => return Err(LineError::NoRoom),
            Some(kind) => {
                let event = RoomEvent::new(&kind, wire.user, wire.title.as_deref(), wire.topic.as_deref())?;
                event.user().map_or(Ok(()), |user| name("user", user))?;
                What::Happened(event)
            }
            None => {
                let text = wire.text.ok_or(LineError::Missing("`text`"))?;
                What::Said(Body::new(text).map_err(|error| FieldError { field: "text", ..error })?)
            }
        };
        name("from", &wire.from)?;
        match &place {
            Place::To(to) => name("to", to)?,
            Place::Room(room) => name("room", room)?,
        }
        let client_id = match (scope, &place) {
            _ if matches!(what, What::Happened(_)) => event_client_id(&wire.id, &wire.from),
            (IdScope::Sender, _) => ClientId::new(&wire.id),
            (IdScope::Conversation, Place::To(to)) => within_conversation(&wire.id, &wire.from, to),
            (IdScope::Conversation, Place::Room(_)) => within_room(&wire.id),
        };
        let client_id = client_id.map_err(|error| FieldError { field: "id", ..error })?;
        let sent_at = Timestamp::exact(&wire.sent_at)?;
        Ok(Self { number, id: wire.id, client_id, sent_at, from: wire.from, place, what })
    }

    /// The names of the people in it.
    pub(crate) fn people(&self) -> impl Iterator<Item = &str> {
        let other = match (&self.place, &self.what) {
            (Place::To(to), _) => Some(&**to),
            (Place::Room(_), What::Happened(event)) => event.user(),
            (Place::Room(_), What::Said(_)) => None,
        };
        std::iter::once(&*self.from).chain(other)
    }

    /// What goes into the log, once people and rooms are known.
    ///
    /// # Panics
    /// When one of the names is not known; the caller has just asked for them.
    #[must_use]
    pub(crate) fn record(&self, people: &HashMap<String, UserId>, rooms: &Rooms) -> Record {
        let id = |name: &str| *people.get(name).expect("all people were created before");
        let (from, at) = (id(&self.from), self.sent_at);
        let client_id = self.client_id.clone();
        let (message, conversation, body) = match (&self.place, &self.what) {
            (Place::To(to), What::Said(body)) => {
                let event = MessageEvent::new(from, id(to), client_id, at, body.clone());
                let conversation = event.conversation;
                (Message::Direct(event), conversation, body)
            }
            (Place::Room(room), What::Said(body)) => {
                let said = Action::Message(record::Message::plain(body.clone()));
                let event = rooms.event_in(room, from, client_id, at, said);
                let conversation = event.conversation;
                (Message::Room(event), conversation, body)
            }
            (Place::To(room) | Place::Room(room), What::Happened(event)) => {
                let by = |actor| rooms.event_in(room, actor, client_id.clone(), at, event.action(people));
                let by_server = event.may_be_the_servers().then(|| by(UserId::SERVER));
                return Record::Happened(Happened { by_sender: by(from), by_server });
            }
        };
        Record::Message(message, Content::of(conversation, at, body))
    }
}

/// Hex digits that tell a sender's conversations apart.
const SCOPE_DIGITS: usize = 16;

/// A `client_id` for an id that is unique within its conversation only. From the names in the file, so that
/// it is the same in every run and every database. An id that leaves no room for the conversation is hashed.
fn within_conversation(id: &str, from: &str, to: &str) -> Result<ClientId, FieldError> {
    let mut people = [from, to];
    people.sort_unstable();
    // No name has a control character in it.
    let conversation = hex(people.join("\0").as_bytes());
    let conversation = &conversation[..SCOPE_DIGITS];
    if id.is_empty() || id.len() + 1 + SCOPE_DIGITS <= limits::CLIENT_ID_MAX_CHARS && id.is_ascii() {
        // An empty one is refused as such.
        let text = if id.is_empty() { String::new() } else { format!("{id}@{conversation}") };
        return ClientId::new(&text);
    }
    ClientId::new(&format!("{}@{conversation}", &hex(id.as_bytes())[..40]))
}

/// Names of version 2 are of one conversation anyway. An id that cannot be one is hashed.
fn within_room(id: &str) -> Result<ClientId, FieldError> {
    if id.is_empty() {
        return ClientId::new(id);
    }
    ClientId::new(id).or_else(|_| ClientId::new(&hex(id.as_bytes())[..40]))
}

fn hex(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn name(field: &'static str, name: &str) -> Result<(), FieldError> {
    let chars = name.chars().count();
    if (1..=NAME_MAX_CHARS).contains(&chars) && !name.chars().any(char::is_control) && !name.trim().is_empty()
    {
        return Ok(());
    }
    Err(FieldError::new(
        field,
        format!("must be 1 to {NAME_MAX_CHARS} characters without control characters"),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(line: &str) -> String {
        ImportLine::parse(1, line.as_bytes(), IdScope::Sender).unwrap_err().to_string()
    }

    #[test]
    fn a_line_of_the_documented_form() {
        let line = r#"{"id":"en-1","sent_at":"2010-11-11T12:23:00Z","from":"ann","to":"bob","text":" "}"#;
        let line = ImportLine::parse(7, line.as_bytes(), IdScope::Sender).unwrap();
        assert_eq!((line.number, &*line.id, line.client_id.as_str()), (7, "en-1", "en-1"));
        assert_eq!((&*line.from, line.sent_at.unix_ms()), ("ann", 1_289_478_180_000));
        assert_eq!(line.place, Place::To("bob".to_owned()));
        let line =
            r##"{"id":"1","sent_at":"2004-11-15T12:18:00Z","room":"#ubuntu","from":"|trey|","text":":)"}"##;
        let line = ImportLine::parse(8, line.as_bytes(), IdScope::Sender).unwrap();
        assert_eq!(line.place, Place::Room("#ubuntu".to_owned()));
        assert_eq!(line.people().collect::<Vec<_>>(), ["|trey|"]);
    }

    #[test]
    fn each_problem_names_its_field() {
        let with = |field: &str, value: &str| {
            let mut fields = serde_json::json!({
                "id": "1", "sent_at": "2010-11-11T12:23:00Z", "from": "ann", "to": "bob", "text": "x"
            });
            fields[field] = serde_json::from_str(value).unwrap();
            problem(&fields.to_string())
        };
        assert!(with("id", "\"\"").starts_with("id must be"));
        assert!(with("sent_at", "\"noon\"").starts_with("sent_at must be"));
        assert!(with("from", "\"\"").starts_with("from must be"));
        assert!(with("text", "\"\"").starts_with("text must be"));
        assert!(with("text", "\"a\\u0000\"").starts_with("text must not"));
        assert!(with("text", "null").contains("`text` is missing"));
        assert!(with("to", "null").contains("`to` is missing"));
        assert!(with("event", "\"joined\"").contains("`event` goes with `room`"));
        assert!(with("room", "\"ubuntu\"").contains("`to` and `room` exclude each other"));
        let in_room = |room: &str| {
            let line = serde_json::json!({
                "id": "1", "sent_at": "2010-11-11T12:23:00Z", "from": "ann", "room": room, "text": "x"
            });
            problem(&line.to_string())
        };
        assert!(in_room("").starts_with("room must be 1 to 64 characters"));
        assert!(in_room(&"x".repeat(65)).starts_with("room must be 1 to 64 characters"));
        let event = |kind: &str, user: &str| {
            let line = serde_json::json!({
                "id": "1", "sent_at": "2010-11-11T12:23:00Z", "from": "ann", "room": "r", "event": kind,
                "user": user
            });
            problem(&line.to_string())
        };
        assert!(event("promoted", "bob").starts_with("event must be joined"));
        assert!(event("removed", "").starts_with("user must be 1 to 64 characters"));
        assert!(event("changed", "bob").contains("`title`, or `topic`, is missing"));
        assert!(problem("{\"id\":").contains("EOF"));
        let not_text = ImportLine::parse(1, b"\xff", IdScope::Sender).unwrap_err().to_string();
        assert!(not_text.contains("UTF-8"));
        assert!(with("id", &format!("\"{}\"", "x".repeat(65))).starts_with("id must be"));
        for beyond in ["9999-12-31T23:59:59Z", "-000001-12-31T23:59:59Z"] {
            let problem = with("sent_at", &format!("\"{beyond}\""));
            assert!(problem.starts_with("sent_at must be between 0000-01-01"), "{beyond}: {problem}");
        }
    }

    #[test]
    fn ids_of_a_conversation_become_names_of_their_own() {
        let scoped = |id: &str, from: &str, to: &str| {
            let line = serde_json::json!({
                "id": id, "sent_at": "2010-11-11T12:23:00Z", "from": from, "to": to, "text": "x"
            });
            ImportLine::parse(1, line.to_string().as_bytes(), IdScope::Conversation)
                .map(|line| line.client_id)
        };
        let first = scoped("1", "ann", "bob").unwrap();
        // Written down once: what was imported before has these names.
        assert_eq!(first.as_str(), "1@8f9622b42f75a84d");
        assert_ne!(first, scoped("1", "ann", "eve").unwrap());
        assert_eq!(first, scoped("1", "bob", "ann").unwrap(), "one conversation, whoever writes");
        for long in ["x".repeat(48), "x".repeat(5_000), "1767600000.000200/größe".to_owned()] {
            let hashed = scoped(&long, "ann", "bob").unwrap();
            assert!(hashed.as_str().len() <= 64 && hashed.as_str().ends_with(&first.as_str()[1..]));
        }
        assert!(scoped("", "ann", "bob").unwrap_err().to_string().starts_with("id must be"));
        assert!(scoped("a\nb", "ann", "bob").is_err());
    }
}
