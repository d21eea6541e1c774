//! What a message has besides its words, and what became of it: the same in REST answers and in frames.

use milena_domain::record::{Message, Target};
use milena_domain::{FieldError, FieldResult, MessageId, Position, UserId, limits};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::live::life::{self, Life};

/// What a message has besides its words, and what became of it; a field is there only where there is
/// something to say.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Besides {
    /// What it answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    reply_to: Option<MessageRef>,
    /// Who is named in it, at most 50.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(value_type = Vec<Uuid>, required = false)]
    mentions: Vec<UserId>,
    /// It calls everybody in the room.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    #[schema(required = false)]
    everyone: bool,
    /// The position of the newest edit; the words are the newest ones.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<u64>, nullable = false)]
    edited: Option<Position>,
    /// It was deleted: there are no words any more, and nothing else.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    deleted: Option<Deletion>,
    /// The position of the pin, while it is pinned.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<u64>, nullable = false)]
    pinned: Option<Position>,
    /// Those that came first first, at most 100.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    reactions: Vec<Reaction>,
    /// All changes up to this position are in here. A later one is to be applied; absent: as it was written.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<u64>, nullable = false)]
    changed: Option<Position>,
}

/// Names an earlier message of the same conversation.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
pub struct MessageRef {
    /// Its place.
    #[schema(value_type = u64)]
    position: Position,
    #[schema(value_type = Uuid)]
    id: MessageId,
}

impl From<Target> for MessageRef {
    fn from(target: Target) -> Self {
        Self { position: target.position, id: target.id }
    }
}

/// That a message was deleted.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Deletion {
    /// Of the deletion.
    #[schema(value_type = u64)]
    position: Position,
    /// Who did it.
    #[schema(value_type = Uuid)]
    by: UserId,
    /// What they said about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    reason: Option<String>,
}

/// A reaction to a message, and whose it is.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Reaction {
    emoji: String,
    /// How many people.
    count: u64,
    /// Whether one is among them.
    mine: bool,
    /// Up to five of them, those who came first.
    #[schema(value_type = Vec<Uuid>)]
    users: Vec<UserId>,
}

impl From<&life::Reaction> for Reaction {
    fn from(reaction: &life::Reaction) -> Self {
        Self {
            emoji: reaction.emoji.clone(),
            count: reaction.count,
            mine: reaction.mine,
            users: reaction.first.iter().map(|(user, _)| *user).collect(),
        }
    }
}

impl Besides {
    /// `None` for words and nothing else, as they were written.
    #[must_use]
    pub fn of(message: &Message, life: Option<&Life>) -> Option<Box<Self>> {
        let is_plain = message.reply_to.is_none() && message.mentions.is_empty() && !message.everyone;
        if is_plain && life.is_none() {
            return None;
        }
        let deleted = life.and_then(|life| life.deleted.as_ref());
        Some(Box::new(Self {
            reply_to: message.reply_to.map(MessageRef::from),
            mentions: message.mentions.clone(),
            everyone: message.everyone,
            edited: life.and_then(|life| life.edited),
            deleted: deleted.map(|deleted| Deletion {
                position: deleted.position,
                by: deleted.by,
                reason: deleted.reason.clone(),
            }),
            pinned: life.and_then(|life| life.pinned),
            reactions: life.into_iter().flat_map(|life| &life.reactions).map(Reaction::from).collect(),
            changed: life.map(|life| life.changed),
        }))
    }
}

/// Reads a reference to a message.
///
/// # Errors
/// Names the field.
pub fn read_target(field: &'static str, value: Value) -> FieldResult<Target> {
    let wrong = || FieldError::new(field, "must be an object with the position and the id of a message");
    let Value::Object(mut fields) = value else { return Err(wrong()) };
    let position = fields.get("position").and_then(Value::as_u64).and_then(Position::from_u64);
    let id = match fields.remove("id") {
        Some(Value::String(text)) => text.parse().ok(),
        _ => None,
    };
    position.zip(id).map(|(position, id)| Target { position, id }).ok_or_else(wrong)
}

/// Reads who is named: each once.
///
/// # Errors
/// Names the field and the limit.
pub fn read_mentions(field: &'static str, value: Value) -> FieldResult<Vec<UserId>> {
    let Value::Array(items) = value else { return Err(FieldError::new(field, "must be a list of user ids")) };
    if items.len() > limits::MENTIONS_MAX {
        let problem = format!("must be at most {} (got {})", limits::MENTIONS_MAX, items.len());
        return Err(FieldError::new(field, problem));
    }
    let mut named: Vec<UserId> = Vec::with_capacity(items.len());
    for item in items {
        let user = item.as_str().and_then(|text| text.parse().ok());
        let user = user.ok_or_else(|| FieldError::new(field, "must be a list of user ids"))?;
        if !named.contains(&user) {
            named.push(user);
        }
    }
    Ok(named)
}

/// Reads a truth value.
///
/// # Errors
/// Names the field.
pub fn read_flag(field: &'static str, value: &Value) -> FieldResult<bool> {
    value.as_bool().ok_or_else(|| FieldError::new(field, "must be true or false"))
}
