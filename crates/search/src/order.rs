//! The order of answers, and where a page of them ends.
//!
//! The order is total and the same in every index: relevance is counted from the message and the query alone,
//! never from how often a word is used elsewhere, so that two engines, and two nodes with different deletions
//! behind them, answer alike. The newest of equally relevant ones come first.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use milena_domain::{ConversationId, Position, Timestamp};
use serde::{Deserialize, Serialize};

/// What comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    /// The newest.
    #[default]
    Newest,
    /// What fits best.
    Relevance,
}

/// All words stand together, in the order in which they were asked for.
pub(crate) const TOGETHER: u32 = 16;
/// The last word is there as it was typed, and not only as the beginning of another.
pub(crate) const WHOLE: u32 = 8;
/// Somebody found it worth pinning.
const PINNED: u32 = 4;
/// Short: what is asked for is most of what it says.
const SHORT: u32 = 2;
/// Not long.
const MEDIUM: u32 = 1;
/// Somebody reacted.
const REACTED: u32 = 1;

const SHORT_TOKENS: usize = 12;
const MEDIUM_TOKENS: usize = 40;

/// How much a message counts whatever is asked for.
pub(crate) fn weight(tokens: usize, pinned: bool, reacted: bool) -> u32 {
    let length = match tokens {
        0..=SHORT_TOKENS => SHORT,
        _ if tokens <= MEDIUM_TOKENS => MEDIUM,
        _ => 0,
    };
    length + if pinned { PINNED } else { 0 } + if reacted { REACTED } else { 0 }
}

/// The place of an answer among the others: the greatest comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Key {
    /// How well it fits; 0 when the newest come first.
    pub relevance: u32,
    /// When it was sent.
    pub sent_at: Timestamp,
    /// Where it stands in its conversation.
    pub position: Position,
    /// Where it was said.
    pub conversation: ConversationId,
}

impl Key {
    fn parts(&self) -> (u32, Timestamp, Position, ConversationId) {
        (self.relevance, self.sent_at, self.position, self.conversation)
    }
}

impl Ord for Key {
    fn cmp(&self, other: &Self) -> Ordering {
        self.parts().cmp(&other.parts())
    }
}

impl PartialOrd for Key {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Where the next page begins: behind this key. Opaque to clients.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor(pub Key);

/// A text that is no cursor of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("cursor must be one that an answer gave")]
pub struct CursorError;

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (relevance, sent_at, position, conversation) = self.0.parts();
        let conversation = conversation.as_uuid().simple();
        write!(f, "{relevance}.{}.{position}.{conversation}", sent_at.unix_ms())
    }
}

impl FromStr for Cursor {
    type Err = CursorError;

    fn from_str(text: &str) -> Result<Self, CursorError> {
        let mut parts = text.split('.');
        let mut next = || parts.next().ok_or(CursorError);
        let (relevance, sent_at, position, conversation) = (next()?, next()?, next()?, next()?);
        let position: u64 = position.parse().map_err(|_| CursorError)?;
        let cursor = Self(Key {
            relevance: relevance.parse().map_err(|_| CursorError)?,
            sent_at: Timestamp::from_unix_ms(sent_at.parse().map_err(|_| CursorError)?),
            position: Position::from_u64(position).ok_or(CursorError)?,
            conversation: conversation.parse().map_err(|_| CursorError)?,
        });
        if parts.next().is_none() { Ok(cursor) } else { Err(CursorError) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_what_it_was_printed_as() {
        let conversation: ConversationId = "14259dc6-baa2-86ca-9d01-88697c2268e1".parse().unwrap();
        let position = Position::from_u64(1 << 40).unwrap();
        let key = Key { relevance: 7, sent_at: Timestamp::from_unix_ms(-5), position, conversation };
        let text = Cursor(key).to_string();
        assert_eq!(text, "7.-5.1099511627776.14259dc6baa286ca9d0188697c2268e1");
        assert_eq!(text.parse(), Ok(Cursor(key)));
        for bad in ["", "1.2.3", "a.2.3.14259dc6baa286ca9d0188697c2268e1", &format!("{text}.1"), "1.2.3.x"] {
            assert_eq!(bad.parse::<Cursor>(), Err(CursorError), "{bad}");
        }
    }
}
