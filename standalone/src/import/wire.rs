//! A line of an import file as it is written: JSON of a documented form.

use milena_domain::record::{Emoji, Title, Topic, Visibility};
use milena_domain::{Body, FieldError, Timestamp};
use milena_import::Origin;
use serde::Deserialize;

use super::client_ids;
use super::event::{RoomEvent, event_client_id};
use super::line::{Aim, ImportLine, LineError, Place, RoomForm, Said, What, name};
use crate::cli::IdScope;

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
    archived: Option<bool>,
    visibility: Option<Visibility>,
    reply_to: Option<WireAim>,
    target: Option<WireAim>,
    emoji: Option<String>,
    mentions: Option<Vec<String>>,
    everyone: Option<bool>,
}

/// An earlier message, by its id and its sender.
#[derive(Deserialize)]
struct WireAim {
    id: String,
    from: String,
}

impl ImportLine {
    /// Reads a line.
    ///
    /// # Errors
    /// [`LineError`], a sentence that names the field.
    pub(crate) fn parse(origin: Origin, line: &[u8], scope: IdScope) -> Result<Self, LineError> {
        let text = std::str::from_utf8(line).map_err(|_| LineError::NotUtf8)?;
        let mut wire: Wire = serde_json::from_str(text)?;
        let place = match (wire.to.take(), wire.room.take()) {
            (Some(to), None) => Place::To(to),
            (None, Some(room)) => Place::Room(room),
            (Some(_), Some(_)) => return Err(LineError::TwoPlaces),
            (None, None) => return Err(LineError::NoPlace),
        };
        let what = wire.what(&place, scope)?;
        name("from", &wire.from)?;
        match &place {
            Place::To(to) => name("to", to)?,
            Place::Room(room) => name("room", room)?,
        }
        let client_id = if matches!(what, What::Said(_)) {
            client_ids::of_message(scope, &place, &wire.from, &wire.id)
        } else {
            event_client_id(&wire.id, &wire.from)
        };
        let client_id = client_id.map_err(|error| FieldError { field: "id", ..error })?;
        let sent_at = Timestamp::exact(&wire.sent_at)?;
        let (id, from) = (wire.id, wire.from);
        Ok(Self { origin, id, client_id, sent_at, from, place, what, is_undated: false })
    }
}

impl Wire {
    fn what(&mut self, place: &Place, scope: IdScope) -> Result<What, LineError> {
        let aim = |aim: WireAim, from: &str| {
            name("from", &aim.from)?;
            let client_id = client_ids::of_message(scope, place, from, &aim.id)?;
            Ok::<_, LineError>(Aim { id: aim.id, client_id, from: aim.from })
        };
        let reply_to = self.reply_to.take().map(|to| aim(to, &self.from)).transpose()?;
        let target = self.target.take().map(|to| aim(to, &self.from)).transpose()?;
        let target = || target.ok_or(LineError::Missing("`target`"));
        match self.event.take().as_deref() {
            None => Ok(What::Said(Said { reply_to, ..self.said()? })),
            Some("edited") => Ok(What::Edited { aim: target()?, said: self.said()? }),
            Some("reacted") => {
                let emoji = self.emoji.take().ok_or(LineError::Missing("`emoji`"))?;
                Ok(What::Reacted { aim: target()?, emoji: Emoji::admitted(&emoji)? })
            }
            Some(_) if matches!(place, Place::To(_)) => Err(LineError::NoRoom),
            Some("created") => {
                let title = self.title.as_deref().map(Title::admitted).transpose()?;
                let topic = self.topic.as_deref().map(Topic::admitted).transpose()?;
                let visibility = self.visibility.ok_or(LineError::Missing("`visibility`"))?;
                Ok(What::Created(RoomForm { visibility, title, topic }))
            }
            Some(kind) => {
                let (title, topic) = (self.title.as_deref(), self.topic.as_deref());
                let event = RoomEvent::new(kind, self.user.take(), title, topic, self.archived)?;
                event.user().map_or(Ok(()), |user| name("user", user))?;
                Ok(What::Happened(event))
            }
        }
    }

    fn said(&mut self) -> Result<Said, LineError> {
        let text = self.text.take().ok_or(LineError::Missing("`text`"))?;
        Body::new(text.as_str()).map_err(|error| FieldError { field: "text", ..error })?;
        let mentions = self.mentions.take().unwrap_or_default();
        mentions.iter().try_for_each(|mention| name("mentions", mention))?;
        Ok(Said { mentions, everyone: self.everyone.unwrap_or_default(), ..Said::plain(text) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin(line: u64) -> Origin {
        Origin::line(&"".into(), line)
    }

    fn problem(line: &str) -> String {
        ImportLine::parse(origin(1), line.as_bytes(), IdScope::Sender).unwrap_err().to_string()
    }

    #[test]
    fn a_line_of_the_documented_form() {
        let line = r#"{"id":"en-1","sent_at":"2010-11-11T12:23:00Z","from":"ann","to":"bob","text":" "}"#;
        let line = ImportLine::parse(origin(7), line.as_bytes(), IdScope::Sender).unwrap();
        assert_eq!((line.origin.number, &*line.id, line.client_id.as_str()), (7, "en-1", "en-1"));
        assert_eq!((&*line.from, line.sent_at.unix_ms()), ("ann", 1_289_478_180_000));
        assert_eq!(line.place, Place::To("bob".to_owned()));
        let line =
            r##"{"id":"1","sent_at":"2004-11-15T12:18:00Z","room":"#ubuntu","from":"|trey|","text":":)"}"##;
        let line = ImportLine::parse(origin(8), line.as_bytes(), IdScope::Sender).unwrap();
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
        assert!(event("promoted", "bob").starts_with("event must be created, joined"));
        assert!(event("created", "bob").contains("`visibility` is missing"));
        assert!(event("edited", "bob").contains("`target` is missing"));
        assert!(event("reacted", "bob").contains("`emoji` is missing"));
        assert!(event("removed", "").starts_with("user must be 1 to 64 characters"));
        assert!(event("changed", "bob").contains("`title`, `topic` or `archived` is missing"));
        assert!(problem("{\"id\":").contains("EOF"));
        let not_text = ImportLine::parse(origin(1), b"\xff", IdScope::Sender).unwrap_err().to_string();
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
            ImportLine::parse(origin(1), line.to_string().as_bytes(), IdScope::Conversation)
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
