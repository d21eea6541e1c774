//! What a device is told: a small JSON object, encrypted for it alone.
//!
//! Pure. At most [`PAYLOAD_MAX_BYTES`], whatever people write; filled up with blanks to a multiple of some
//! hundred bytes, so that its length says less about the words to whoever carries it.

use milena_domain::{ConversationId, MessageId, Position, Timestamp, UserId};
use serde::Serialize;

/// The protocol carries nearly 4,000.
pub(crate) const PAYLOAD_MAX_BYTES: usize = 3_072;
/// Characters of a message that are shown on a screen.
const WORDS_MAX_CHARS: usize = 500;
const FILLED_TO_BYTES: usize = 512;

/// Why somebody is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Kind {
    /// Written to them alone.
    Direct,
    /// They are named, or everybody is called.
    Mention,
    /// It answers something of theirs.
    Reply,
    /// It has a word that they wait for.
    Keyword,
    /// Anything else in a room of theirs.
    Room,
}

impl Kind {
    /// Whether a device that saves its power is to be woken for it.
    pub(crate) const fn is_urgent(self) -> bool {
        !matches!(self, Self::Room)
    }
}

/// What a device is told.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Payload {
    v: u8,
    kind: Kind,
    conversation: ConversationId,
    position: Position,
    id: MessageId,
    sent_at: Timestamp,
    user: UserId,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    words: Option<Words>,
}

/// What may be left out, when somebody wants it so.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Words {
    /// The room's, or the other person's name.
    pub(crate) title: String,
    /// The author's name.
    pub(crate) sender: String,
    /// What they wrote, or its beginning.
    pub(crate) words: String,
}

/// A message, and for whom.
#[derive(Debug, Clone, Copy)]
pub(crate) struct About {
    pub(crate) kind: Kind,
    pub(crate) conversation: ConversationId,
    pub(crate) position: Position,
    pub(crate) id: MessageId,
    pub(crate) sent_at: Timestamp,
    pub(crate) user: UserId,
}

impl Payload {
    pub(crate) fn new(about: About, words: Option<Words>) -> Self {
        let About { kind, conversation, position, id, sent_at, user } = about;
        let words = words.map(|words| Words { words: cut(&words.words, WORDS_MAX_CHARS), ..words });
        Self { v: 1, kind, conversation, position, id, sent_at, user, words }
    }

    /// As it is encrypted.
    pub(crate) fn bytes(mut self) -> Vec<u8> {
        let mut bytes = self.json();
        // Some characters take six bytes in JSON.
        let mut keep = WORDS_MAX_CHARS;
        while bytes.len() > PAYLOAD_MAX_BYTES
            && let Some(words) = &mut self.words
        {
            keep /= 2;
            words.words = cut(&words.words, keep);
            if keep == 0 {
                self.words = None;
            }
            bytes = self.json();
        }
        let filled = bytes.len().next_multiple_of(FILLED_TO_BYTES).min(PAYLOAD_MAX_BYTES);
        bytes.resize(filled.max(bytes.len()), b' ');
        bytes
    }

    fn json(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("texts and numbers always serialise")
    }
}

/// The first characters, with a mark where there were more.
fn cut(text: &str, max: usize) -> String {
    match text.char_indices().nth(max) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}…", text[..end].trim_end()),
    }
}

#[cfg(test)]
mod tests {
    use milena_domain::Epoch;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    fn about() -> About {
        let (user, conversation) = (UserId::new(), ConversationId::direct(UserId::new(), UserId::new()));
        let (position, sent_at) = (Position::new(Epoch::FIRST, 7), Timestamp::from_unix_ms(0));
        About {
            kind: Kind::Direct,
            conversation,
            position,
            id: MessageId::from_uuid(user.as_uuid()),
            sent_at,
            user,
        }
    }

    fn words(text: &str) -> Words {
        Words { title: "Ben".into(), sender: "Ben".into(), words: text.into() }
    }

    #[test]
    fn without_words_there_is_neither_name_nor_text() {
        let value: Value = serde_json::from_slice(&Payload::new(about(), None).bytes()).unwrap();
        let mut keys: Vec<_> = value.as_object().unwrap().keys().map(String::as_str).collect();
        keys.sort_unstable();
        assert_eq!(keys, ["conversation", "id", "kind", "position", "sent_at", "user", "v"]);
        let value: Value = serde_json::from_slice(&Payload::new(about(), Some(words("hi"))).bytes()).unwrap();
        assert_eq!(
            [&value["title"], &value["words"], &value["kind"]],
            [&json!("Ben"), &json!("hi"), &json!("direct")]
        );
    }

    proptest! {
        #[test]
        fn it_fits_whatever_people_write(
            text in "\\PC{0,1200}",
            control in prop::collection::vec(0_u8..32, 0..1200),
        ) {
            let control: String = control.into_iter().map(char::from).collect();
            for text in [text, control, "😀".repeat(600), "\u{1}".repeat(8_000)] {
                let bytes = Payload::new(about(), Some(words(&text))).bytes();
                prop_assert!(bytes.len() <= PAYLOAD_MAX_BYTES && bytes.len().is_multiple_of(FILLED_TO_BYTES));
                let value: Value = serde_json::from_slice(&bytes).unwrap();
                let shown = value["words"].as_str().unwrap();
                prop_assert!(text.starts_with(shown.trim_end_matches('…').trim_end()));
            }
        }
    }
}
