//! One line of an import file: its form, its rules, and the message that it becomes.

use std::collections::HashMap;

use milena_domain::{Body, ClientId, FieldError, MessageEvent, Timestamp, UserId};
use serde::Deserialize;

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
    /// A message of a room.
    #[error("it is a message of the room {0:?}; only direct messages (with `to`) can be imported")]
    Room(String),
    /// Neither `to` nor `room`.
    #[error("the field `to` is missing")]
    NoRecipient,
}

/// Each line is a JSON text of its own, so serde's "at line 1" would only mislead beside the number of the line.
fn without_line(error: &serde_json::Error) -> String {
    error.to_string().replace(" at line 1 column ", " at column ")
}

#[derive(Deserialize)]
struct Wire {
    id: String,
    sent_at: String,
    from: String,
    text: String,
    to: Option<String>,
    room: Option<String>,
}

/// A good line.
#[derive(Debug)]
pub(crate) struct ImportLine {
    client_id: ClientId,
    sent_at: Timestamp,
    /// The sender's name in the file.
    pub(crate) from: String,
    /// The recipient's name in the file.
    pub(crate) to: String,
    body: Body,
}

/// Names in files are not usernames yet, but an endless one is a mistake.
const NAME_MAX_CHARS: usize = 64;

impl ImportLine {
    /// Reads a line.
    ///
    /// # Errors
    /// [`LineError`], a sentence that names the field.
    pub(crate) fn parse(line: &[u8]) -> Result<Self, LineError> {
        let text = std::str::from_utf8(line).map_err(|_| LineError::NotUtf8)?;
        let wire: Wire = serde_json::from_str(text)?;
        let to = match (wire.to, wire.room) {
            (Some(to), _) => to,
            (None, Some(room)) => return Err(LineError::Room(room.chars().take(NAME_MAX_CHARS).collect())),
            (None, None) => return Err(LineError::NoRecipient),
        };
        let client_id = ClientId::new(&wire.id).map_err(|error| FieldError { field: "id", ..error })?;
        let body = Body::new(wire.text).map_err(|error| FieldError { field: "text", ..error })?;
        name("from", &wire.from)?;
        name("to", &to)?;
        Ok(Self { client_id, sent_at: wire.sent_at.parse()?, from: wire.from, to, body })
    }

    /// The message, once the people are known.
    ///
    /// # Panics
    /// When `people` lacks one of the names; the caller has just asked for them.
    #[must_use]
    pub(crate) fn into_event(self, people: &HashMap<String, UserId>) -> MessageEvent {
        let id = |name: &str| *people.get(name).expect("both people were created before");
        MessageEvent::new(id(&self.from), id(&self.to), self.client_id, self.sent_at, self.body)
    }
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
        ImportLine::parse(line.as_bytes()).unwrap_err().to_string()
    }

    #[test]
    fn a_line_of_the_documented_form() {
        let line = r#"{"id":"en-1","sent_at":"2010-11-11T12:23:00Z","from":"ann","to":"bob","text":" "}"#;
        let line = ImportLine::parse(line.as_bytes()).unwrap();
        assert_eq!((&*line.from, &*line.to, line.sent_at.unix_ms()), ("ann", "bob", 1_289_478_180_000));
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
        assert!(with("to", "null").contains("`to` is missing"));
        assert!(
            problem(r#"{"id":"1","sent_at":"x","from":"a","text":"t","room":"ubuntu"}"#).contains("room")
        );
        assert!(problem("{\"id\":").contains("EOF"));
        assert!(ImportLine::parse(b"\xff").unwrap_err().to_string().contains("UTF-8"));
    }
}
