//! Lists of messages apart from their conversations, and of who has reacted.

use milena_domain::{Body, ConversationId, Position, Timestamp, UserId};
use milena_storage::MentionCursor;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::answers::Message;
use crate::chat;
use crate::live::life::Shown;

/// The pinned messages of a conversation.
#[derive(Debug, Serialize, ToSchema)]
pub struct PinList {
    /// The newest pin first, at most 100.
    messages: Vec<Message>,
    /// No pin that was accepted is missing; when false, ask again later.
    complete: bool,
}

impl PinList {
    /// As `reader` may see it.
    #[must_use]
    pub fn new(pins: &chat::Pins, reader: UserId) -> Self {
        Self { messages: messages(&pins.messages, reader), complete: pins.complete }
    }
}

/// Messages that name one, of all conversations.
#[derive(Debug, Serialize, ToSchema)]
pub struct MentionPage {
    /// By when they were sent, newest first. There may be fewer than were asked for, and more to come.
    messages: Vec<Message>,
    /// To be given as `before` to get the next part; null at the end.
    #[schema(required)]
    next: Option<String>,
    /// No accepted message is missing; when false, ask again later.
    complete: bool,
}

impl MentionPage {
    /// As `reader`, who is named, may see it.
    #[must_use]
    pub fn new(mentions: &chat::Mentions, reader: UserId) -> Self {
        Self {
            messages: messages(&mentions.messages, reader),
            next: mentions.next.as_ref().map(encode_mention_cursor),
            complete: mentions.complete,
        }
    }
}

fn messages(shown: &[Shown], reader: UserId) -> Vec<Message> {
    let own = |shown: &Shown| shown.placed.event.actor == reader;
    shown.iter().filter_map(|shown| Message::shown(shown, own(shown))).collect()
}

fn encode_mention_cursor(cursor: &MentionCursor) -> String {
    let MentionCursor { sent_at, conversation, position } = cursor;
    format!("{}.{}.{position}", sent_at.unix_ms(), conversation.as_uuid().simple())
}

/// Reads what [`MentionPage`] gave as `next`; `None` for anything else.
#[must_use]
pub fn decode_mention_cursor(text: &str) -> Option<MentionCursor> {
    let mut parts = text.splitn(3, '.');
    Some(MentionCursor {
        sent_at: Timestamp::from_unix_ms(parts.next()?.parse().ok()?),
        conversation: ConversationId::from_uuid(Uuid::try_parse(parts.next()?).ok()?),
        position: Position::from_u64(parts.next()?.parse().ok()?)?,
    })
}

/// A person's reaction to a message.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ReactionOf {
    #[schema(value_type = Uuid)]
    user: UserId,
    emoji: String,
    /// Where it was put.
    #[schema(value_type = u64)]
    position: Position,
}

/// A part of who has reacted to a message.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReactionList {
    /// In the order in which they were put.
    reactions: Vec<ReactionOf>,
    /// To be given as `after` to get the next part; null at the end.
    #[schema(required)]
    next: Option<String>,
    /// No reaction that was accepted is missing; when false, ask again later.
    complete: bool,
}

impl From<chat::Reactions> for ReactionList {
    fn from(page: chat::Reactions) -> Self {
        let reaction = |put: milena_storage::PutReaction| ReactionOf {
            user: put.user,
            emoji: put.emoji,
            position: put.position,
        };
        Self {
            reactions: page.reactions.into_iter().map(reaction).collect(),
            next: page.next.map(|position| position.to_string()),
            complete: page.complete,
        }
    }
}

/// Somebody who has read a message.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ReaderOf {
    #[schema(value_type = Uuid)]
    user: UserId,
}

/// Who has read a message.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReaderList {
    /// Members who let others know what they have read, the author left out; nobody for those who do not.
    readers: Vec<ReaderOf>,
    /// Nobody is missing; when false, ask again later.
    complete: bool,
}

impl From<chat::Readers> for ReaderList {
    fn from(found: chat::Readers) -> Self {
        let readers = found.readers.into_iter().map(|user| ReaderOf { user });
        Self { readers: readers.collect(), complete: found.complete }
    }
}

/// Words of a message.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct EditOf {
    /// Where they were said: the message's own place, or the edit's.
    #[schema(value_type = u64)]
    position: Position,
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    #[schema(value_type = String)]
    body: Body,
}

/// What a message said, from the words that it began with to those that it has now.
#[derive(Debug, Serialize, ToSchema)]
pub struct EditList {
    /// Oldest first.
    edits: Vec<EditOf>,
    /// There are older ones.
    has_before: bool,
    /// None that was accepted is missing; when false, ask again later.
    complete: bool,
}

impl From<chat::Edits> for EditList {
    fn from(found: chat::Edits) -> Self {
        let edit = |(position, at, body)| EditOf { position, at, body };
        Self {
            edits: found.edits.into_iter().map(edit).collect(),
            has_before: found.has_before,
            complete: found.complete,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn cursors_come_back(
            ms in -60_000_000_000_000_i64..250_000_000_000_000, id in any::<u128>(), place in 0_u64..1 << 53,
        ) {
            let cursor = MentionCursor {
                sent_at: Timestamp::from_unix_ms(ms),
                conversation: ConversationId::from_uuid(Uuid::from_u128(id)),
                position: Position::from_u64(place).unwrap(),
            };
            prop_assert_eq!(decode_mention_cursor(&encode_mention_cursor(&cursor)), Some(cursor));
        }

        #[test]
        fn any_text_is_read_or_refused(text in ".{0,60}") {
            let _ = decode_mention_cursor(&text);
        }
    }
}
