//! Client frames. A frame that cannot be taken is answered with the field and the limit that it broke.
//!
//! Fields are read one by one from loose JSON values rather than by a derived type, so that one bad field
//! does not hide which message the frame was about. Unknown fields are ignored, and so is a `null`.

use milena_domain::record::{Emoji, Reason, Target as LogTarget};
use milena_domain::{Body, ClientId, ConversationId, FieldError, FieldResult, Position, UserId};
use serde::Deserialize;
use serde_json::Value;

use super::rooms::{self, InRoom};
use crate::chat::{Besides, Target, What};
use crate::presence::{WATCHED_CONVERSATIONS_MAX, WATCHED_USERS_MAX};
use crate::refusal::{Code, Refusal};
use crate::wire::messages::{read_flag, read_mentions, read_target};

/// A frame from a client, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClientFrame {
    /// The first frame: who, and from where on.
    Hello {
        /// The session's token; not needed with the cookie.
        token: Option<Token>,
        /// The last cursor that the client got, sealed. One that this server cannot open is no mistake: the
        /// client is then told `resumed: false`.
        resume: Option<String>,
        /// Whether large rooms that the client does not watch are to be announced to it instead of told.
        passive: bool,
    },
    /// A message to send.
    Send {
        /// The client's name for it.
        client_id: ClientId,
        /// To whom.
        target: Target,
        /// The text.
        body: Body,
        /// What else belongs to it; mostly nothing.
        besides: Option<Box<Besides>>,
    },
    /// A change of a message: `edit`, `delete`, `react`, `pin`.
    Change {
        /// The client's name for it.
        client_id: ClientId,
        /// Where.
        target: Target,
        /// The message.
        message: LogTarget,
        /// What is to become of it.
        what: What,
    },
    /// Something to be done in a room, or a room to be created.
    InRoom {
        /// The client's name for it.
        client_id: ClientId,
        /// What; seldom enough to lie elsewhere.
        what: Box<InRoom>,
    },
    /// Everything up to `position` was read.
    Read {
        /// In which conversation.
        conversation: ConversationId,
        /// Up to where.
        position: Position,
    },
    /// The client has what the other one wrote up to here.
    Received {
        /// In which conversation, between two people.
        conversation: ConversationId,
        /// Up to where.
        position: Position,
    },
    /// Whom and what the client shows: it hears who is here of the people, and who writes in the
    /// conversations, until it says so again, or for some minutes.
    Watch {
        /// Instead of those of before.
        users: Vec<UserId>,
        /// Instead of those of before.
        conversations: Vec<ConversationId>,
    },
    /// Whether somebody sits before this client.
    Idle {
        /// Nobody does.
        on: bool,
    },
    /// Something is being written.
    Typing {
        /// Where.
        conversation: ConversationId,
        /// Or not any more.
        on: bool,
    },
    /// A question for a `pong`.
    Ping,
}

/// A secret: `Debug` does not show it.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

impl Token {
    /// The secret, for the look-up of the session only.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Token(***)")
    }
}

/// A frame that cannot be taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{refusal}")]
pub struct BadFrame {
    /// What is wrong with it.
    pub refusal: Refusal,
    /// The message that it was about, if that could be read.
    pub client_id: Option<ClientId>,
}

#[derive(Deserialize)]
struct Fields {
    #[serde(rename = "type")]
    kind: Option<Value>,
    token: Option<Value>,
    resume: Option<Value>,
    passive: Option<Value>,
    client_id: Option<Value>,
    to: Option<Value>,
    conversation: Option<Value>,
    body: Option<Value>,
    position: Option<Value>,
    reply_to: Option<Value>,
    mentions: Option<Value>,
    everyone: Option<Value>,
    target: Option<Value>,
    reason: Option<Value>,
    emoji: Option<Value>,
    on: Option<Value>,
    users: Option<Value>,
    conversations: Option<Value>,
}

impl ClientFrame {
    /// Reads a text frame.
    ///
    /// # Errors
    /// [`BadFrame`] with `invalid_json`, `unknown_type` or `invalid_field`.
    pub fn parse(text: &str) -> Result<Self, BadFrame> {
        let not_json = |problem: &dyn std::fmt::Display| BadFrame {
            refusal: Refusal::new(Code::InvalidJson, format!("the frame is not a JSON object: {problem}")),
            client_id: None,
        };
        if !text.trim_start().starts_with('{') {
            // An array of fields in the right order would be taken as well.
            return Err(not_json(&"it must begin with {"));
        }
        let mut fields: Fields = serde_json::from_str(text).map_err(|error| not_json(&error))?;
        let client_id = fields.client_id.take().map(client_id);
        let known = client_id.as_ref().and_then(|id| id.as_ref().ok()).cloned();
        let of_rooms =
            fields.kind.as_ref().and_then(Value::as_str).filter(|kind| rooms::KINDS.contains(kind));
        let frame = match of_rooms {
            Some(kind) => in_room(kind, client_id, text),
            None => fields.read(client_id),
        };
        frame.map_err(|refusal| BadFrame { refusal, client_id: known })
    }
}

impl Fields {
    fn read(self, client_id: Option<FieldResult<ClientId>>) -> Result<ClientFrame, Refusal> {
        let kind = text("type", required("type", self.kind)?)?;
        match kind.as_str() {
            "hello" => Ok(ClientFrame::Hello {
                token: optional(self.token, |value| text("token", value))?.map(Token),
                resume: optional(self.resume, |value| text("resume", value))?,
                passive: optional(self.passive, |value| read_flag("passive", &value))?.unwrap_or_default(),
            }),
            "send" => Ok(ClientFrame::Send {
                client_id: required("client_id", client_id)??,
                target: target(self.to, self.conversation)?,
                body: Body::written(text("body", required("body", self.body)?)?)?,
                besides: Besides {
                    reply_to: optional(self.reply_to, |value| read_target("reply_to", value))?,
                    mentions: optional(self.mentions, |value| read_mentions("mentions", value))?
                        .unwrap_or_default(),
                    everyone: optional(self.everyone, |value| read_flag("everyone", &value))?
                        .unwrap_or_default(),
                }
                .boxed(),
            }),
            "edit" | "delete" | "react" | "pin" => Ok(ClientFrame::Change {
                client_id: required("client_id", client_id)??,
                target: target(self.to, self.conversation)?,
                message: read_target("target", required("target", self.target)?)?,
                what: match kind.as_str() {
                    "edit" => What::Edit {
                        body: Body::written(text("body", required("body", self.body)?)?)?,
                        mentions: optional(self.mentions, |value| read_mentions("mentions", value))?
                            .unwrap_or_default(),
                    },
                    "delete" => What::Delete {
                        reason: optional(self.reason, |value| Reason::admitted(&text("reason", value)?))?,
                    },
                    "react" => What::React {
                        emoji: Emoji::admitted(&text("emoji", required("emoji", self.emoji)?)?)?,
                        on: optional(self.on, |value| read_flag("on", &value))?.unwrap_or(true),
                    },
                    _ => {
                        What::Pin { on: optional(self.on, |value| read_flag("on", &value))?.unwrap_or(true) }
                    }
                },
            }),
            "read" => Ok(ClientFrame::Read {
                conversation: id("conversation", required("conversation", self.conversation)?)?,
                position: position(&required("position", self.position)?)?,
            }),
            "received" => Ok(ClientFrame::Received {
                conversation: id("conversation", required("conversation", self.conversation)?)?,
                position: position(&required("position", self.position)?)?,
            }),
            "watch" => Ok(ClientFrame::Watch {
                users: optional(self.users, |value| ids("users", value, WATCHED_USERS_MAX))?
                    .unwrap_or_default(),
                conversations: optional(self.conversations, |value| {
                    ids("conversations", value, WATCHED_CONVERSATIONS_MAX)
                })?
                .unwrap_or_default(),
            }),
            "idle" => Ok(ClientFrame::Idle {
                on: optional(self.on, |value| read_flag("on", &value))?.unwrap_or(true),
            }),
            "typing" => Ok(ClientFrame::Typing {
                conversation: id("conversation", required("conversation", self.conversation)?)?,
                on: optional(self.on, |value| read_flag("on", &value))?.unwrap_or(true),
            }),
            "ping" => Ok(ClientFrame::Ping),
            _ => Err(Refusal {
                field: Some("type"),
                ..Refusal::new(
                    Code::UnknownType,
                    format!(
                        "type must be one of hello, send, edit, delete, react, pin, {}, read, received, \
                         watch, idle, typing, ping",
                        rooms::KINDS.join(", ")
                    ),
                )
            }),
        }
    }
}

fn in_room(kind: &str, client_id: Option<FieldResult<ClientId>>, text: &str) -> Result<ClientFrame, Refusal> {
    let client_id = required("client_id", client_id)??;
    Ok(ClientFrame::InRoom { client_id, what: Box::new(rooms::read(kind, text)?) })
}

fn required<T>(field: &'static str, value: Option<T>) -> FieldResult<T> {
    value.ok_or_else(|| FieldError::new(field, "is missing"))
}

fn optional<T>(value: Option<Value>, read: impl FnOnce(Value) -> FieldResult<T>) -> FieldResult<Option<T>> {
    value.map(read).transpose()
}

fn text(field: &'static str, value: Value) -> FieldResult<String> {
    match value {
        Value::String(text) => Ok(text),
        _ => Err(FieldError::new(field, "must be a text")),
    }
}

fn client_id(value: Value) -> FieldResult<ClientId> {
    ClientId::new(&text("client_id", value)?)
}

fn id<T: std::str::FromStr>(field: &'static str, value: Value) -> FieldResult<T> {
    text(field, value)?.parse().map_err(|_| FieldError::new(field, "must be a UUID"))
}

fn ids<T: std::str::FromStr>(field: &'static str, value: Value, most: usize) -> FieldResult<Vec<T>> {
    let Value::Array(items) = value else { return Err(FieldError::new(field, "must be a list of UUIDs")) };
    if items.len() > most {
        return Err(FieldError::new(field, format!("must be at most {most} (got {})", items.len())));
    }
    let read = |item: Value| item.as_str().and_then(|text| text.parse().ok());
    let ids: Option<Vec<T>> = items.into_iter().map(read).collect();
    ids.ok_or_else(|| FieldError::new(field, "must be a list of UUIDs"))
}

fn position(value: &Value) -> FieldResult<Position> {
    value
        .as_u64()
        .and_then(Position::from_u64)
        .ok_or_else(|| FieldError::new("position", "must be a whole number from 0 to 9007199254740991"))
}

fn target(to: Option<Value>, conversation: Option<Value>) -> FieldResult<Target> {
    match (to, conversation) {
        (Some(to), None) => Ok(Target::User(id("to", to)?)),
        (None, Some(conversation)) => Ok(Target::Conversation(id("conversation", conversation)?)),
        (None, None) => Err(FieldError::new("to", "is missing; name a user here or a conversation")),
        (Some(_), Some(_)) => Err(FieldError::new("to", "and conversation exclude each other")),
    }
}

#[cfg(test)]
mod tests {
    use milena_domain::{UserId, limits};
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn parse(value: &Value) -> Result<ClientFrame, BadFrame> {
        ClientFrame::parse(&value.to_string())
    }

    fn uuid() -> impl Strategy<Value = uuid::Uuid> {
        any::<u128>().prop_map(uuid::Uuid::from_u128)
    }

    proptest! {
        #[test]
        fn a_send_is_read_as_it_was_written(
            client_id in "[ -~]{1,64}", to in uuid(), to_user in any::<bool>(), body in "\\PC{1,200}",
            retry in prop::sample::select(vec!["true", "false", "null", "1", "[]"])
        ) {
            let mut frame = json!({"type": "send", "client_id": client_id, "body": body, "x": [{}]});
            // What older clients say about repeats is not believed, so it cannot be wrong either.
            frame["retry"] = serde_json::from_str(retry).unwrap();
            frame[if to_user { "to" } else { "conversation" }] = json!(to);
            let target = if to_user {
                Target::User(UserId::from_uuid(to))
            } else {
                Target::Conversation(ConversationId::from_uuid(to))
            };
            prop_assert_eq!(parse(&frame), Ok(ClientFrame::Send {
                besides: None,
                client_id: ClientId::new(&client_id).unwrap(),
                target,
                body: Body::new(body).unwrap(),
            }));
        }

        #[test]
        fn a_read_is_read_as_it_was_written(conversation in uuid(), position in 0..=Position::MAX.get()) {
            let frame = json!({"type": "read", "conversation": conversation, "position": position});
            prop_assert_eq!(parse(&frame), Ok(ClientFrame::Read {
                conversation: ConversationId::from_uuid(conversation),
                position: Position::from_u64(position).unwrap(),
            }));
        }

        #[test]
        fn any_text_is_read_or_refused(text in "\\PC{0,200}") {
            let _ = ClientFrame::parse(&text);
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = ClientFrame::parse(&String::from_utf8_lossy(&bytes));
        }

        #[test]
        fn any_mix_of_field_values_is_read_or_refused(
            kind in prop::sample::select(vec!["hello", "send", "read", "ping", "x"]),
            values in prop::collection::vec(prop::sample::select(vec![
                "null", "true", "0", "-1", "1e300", "9007199254740992", "\"\"", "\"a\"", "\"\\u0000\"", "[]",
                "{}", "\"\\ud800\"", "\"00000000-0000-0000-0000-000000000001\"",
            ]), 8)
        ) {
            let names = ["token", "resume", "client_id", "to", "conversation", "body", "retry", "position"];
            let fields: Vec<_> =
                names.iter().zip(values).map(|(name, value)| format!("\"{name}\":{value}")).collect();
            let _ = ClientFrame::parse(&format!("{{\"type\":\"{kind}\",{}}}", fields.join(",")));
        }
    }

    #[test]
    fn hello() {
        let frame = json!({"type": "hello", "token": "t", "resume": "opaque"});
        let hello = |token: Option<&str>, resume: Option<&str>| ClientFrame::Hello {
            token: token.map(|token| Token(token.to_owned())),
            resume: resume.map(str::to_owned),
            passive: false,
        };
        let passive = ClientFrame::Hello { token: None, resume: None, passive: true };
        assert_eq!(parse(&json!({"type": "hello", "passive": true})), Ok(passive));
        assert_eq!(parse(&frame), Ok(hello(Some("t"), Some("opaque"))));
        let bare = json!({"type": "hello", "resume": null, "token": null});
        assert_eq!(parse(&bare), Ok(hello(None, None)));
        assert!(!format!("{:?}", parse(&frame)).contains("\"t\""));
    }

    #[test]
    fn what_is_wrong_is_named() {
        let uuid = "00000000-0000-0000-0000-000000000001";
        let send = |field: &str, value: Value| {
            let mut frame = json!({"type": "send", "client_id": "c", "to": uuid, "body": "b"});
            frame[field] = value;
            parse(&frame).unwrap_err()
        };
        for (field, value, message) in [
            ("body", json!(""), "body must be 1 to 8000 characters (got 0)"),
            (
                "body",
                json!("x".repeat(limits::BODY_MAX_CHARS + 1)),
                "body must be 1 to 8000 characters (got 8001)",
            ),
            ("body", json!("a\0b"), "body must not contain the character U+0000"),
            ("body", json!(5), "body must be a text"),
            ("body", json!(null), "body is missing"),
            ("to", json!("you"), "to must be a UUID"),
            ("to", json!(null), "to is missing; name a user here or a conversation"),
        ] {
            let bad = send(field, value);
            assert_eq!(
                (bad.refusal.code, bad.refusal.field, bad.refusal.message.as_str()),
                (Code::InvalidField, Some(field), message)
            );
            assert_eq!(bad.client_id.as_ref().map(ClientId::as_str), Some("c"), "{message}");
        }
        let bad = send("client_id", json!("x".repeat(65)));
        assert_eq!(bad.refusal.message, "client_id must be 1 to 64 characters (got 65)");
        assert_eq!(bad.client_id, None);
        assert_eq!(
            send("conversation", json!(uuid)).refusal.message,
            "to and conversation exclude each other"
        );

        let read = parse(&json!({"type": "read", "conversation": uuid, "position": -1})).unwrap_err();
        assert_eq!(read.refusal.field, Some("position"));
        let code = |text: &str| ClientFrame::parse(text).unwrap_err().refusal.code;
        assert_eq!(code("{"), Code::InvalidJson);
        assert_eq!(code("\"hello\""), Code::InvalidJson);
        assert_eq!(code("[\"ping\",null,null,null,null,null,null,null,null]"), Code::InvalidJson);
        assert_eq!(code("{\"type\":\"ping\"} x"), Code::InvalidJson);
        assert_eq!(code("{\"type\":\"ping\",\"type\":\"ping\"}"), Code::InvalidJson);
        assert_eq!(code(&format!("{{\"body\":{}", "[".repeat(100_000))), Code::InvalidJson);
        assert_eq!(code("{}"), Code::InvalidField);
        assert_eq!(code("{\"type\":\"waving\"}"), Code::UnknownType);
        assert_eq!(ClientFrame::parse(&"[".repeat(100)).unwrap_err().client_id, None);
    }
}
