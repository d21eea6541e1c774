//! The texts and choices that events carry, each with its rule. A rule here is part of the event version:
//! every node must read the same log alike, so a stricter rule (what an emoji is, which handles are reserved)
//! belongs to admission.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::field::{FieldError, FieldResult};
use crate::limits;
use crate::reserved::{RESERVED, is_reserved, poses_as_system};
use crate::unicode::{composed, has_letter_or_sign, trim_blanks, turns_direction};

macro_rules! text {
    ($(#[$doc:meta])* $name:ident, $field:literal, $check:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(Box<str>);

        impl $name {
            /// Checks the rule. The text is kept as it is.
            ///
            /// # Errors
            #[doc = concat!("Names the field `", $field, "` and the limit.")]
            pub fn new(text: &str) -> FieldResult<Self> {
                let check: fn(&str) -> Result<(), String> = $check;
                check(text).map_err(|problem| FieldError::new($field, problem))?;
                Ok(Self(text.into()))
            }

            /// The text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = FieldError;

            fn try_from(text: String) -> FieldResult<Self> {
                Self::new(&text)
            }
        }

        impl From<$name> for String {
            fn from(text: $name) -> Self {
                text.0.into()
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

text! {
    /// A room's name in addresses and after `#`: 2–32 lower-case ASCII letters, digits, `.`, `_`, `-`, the
    /// first one a letter or digit. Unique on a server as far as the store can say; the log does not depend
    /// on it.
    Handle, "handle", |text| {
        chars(text, 2, limits::HANDLE_MAX_CHARS)?;
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        if !text.bytes().all(|byte| plain(byte) || matches!(byte, b'.' | b'_' | b'-')) {
            return Err("may only have letters a-z, digits, '.', '_' and '-'".to_owned());
        }
        if !text.bytes().next().is_some_and(plain) {
            return Err("must begin with a letter or digit".to_owned());
        }
        Ok(())
    }
}
text! {
    /// A room's title: 1–80 characters, no control characters, not blank at an end.
    Title, "title", |text| line(text, 1, limits::TITLE_MAX_CHARS)
}
text! {
    /// What a room is about: at most 250 characters, no control characters; empty for nothing.
    Topic, "topic", |text| line(text, 0, limits::TOPIC_MAX_CHARS)
}
text! {
    /// A reaction: 1–16 characters without white space and control characters.
    Emoji, "emoji", |text| {
        chars(text, 1, limits::EMOJI_MAX_CHARS)?;
        if text.chars().any(|c| c.is_whitespace() || c.is_control()) {
            return Err("must not have white space or control characters".to_owned());
        }
        Ok(())
    }
}
text! {
    /// Why something was deleted: at most 250 characters, no control characters.
    Reason, "reason", |text| line(text, 0, limits::REASON_MAX_CHARS)
}

/// What people read under each other's names is held to the rules of names, when it is written.
macro_rules! admitted {
    ($name:ident, $field:literal, $is_reserved:expr) => {
        impl $name {
            /// From somebody who writes it now: in NFC and without blanks around it; what is not empty has
            /// something that can be seen, nothing turns the direction of writing, and nothing poses as what
            /// it is not. What the log has is read by [`new`](Self::new).
            ///
            /// # Errors
            #[doc = concat!("Names the field `", $field, "` and the limit.")]
            pub fn admitted(text: &str) -> FieldResult<Self> {
                let text = composed(trim_blanks(text));
                if turns_direction(&text) {
                    return Err(FieldError::new($field, TURNS_DIRECTION));
                }
                if !text.is_empty() && !has_letter_or_sign(&text) {
                    return Err(FieldError::new($field, "must have a character that can be seen"));
                }
                let is_reserved: fn(&str) -> bool = $is_reserved;
                if is_reserved(&text) {
                    return Err(FieldError::new($field, RESERVED));
                }
                Self::new(&text)
            }
        }
    };
}
admitted!(Title, "title", poses_as_system);
admitted!(Topic, "topic", |_| false);
admitted!(Reason, "reason", |_| false);

const TURNS_DIRECTION: &str = "must not have characters that change the direction of writing";

impl Handle {
    /// For a room that gets it now: not a name that would be taken for the system's own, or for everybody's.
    ///
    /// # Errors
    /// Names the field `handle` and the limit.
    pub fn admitted(text: &str) -> FieldResult<Self> {
        let handle = Self::new(text)?;
        if is_reserved(text) { Err(FieldError::new("handle", RESERVED)) } else { Ok(handle) }
    }
}

impl Emoji {
    /// From somebody who reacts now: a sign, not words, and nothing turns the direction of writing.
    ///
    /// # Errors
    /// Names the field `emoji`.
    pub fn admitted(text: &str) -> FieldResult<Self> {
        if turns_direction(text) {
            return Err(FieldError::new("emoji", TURNS_DIRECTION));
        }
        // Some signs are letters to Unicode; two of them make a word.
        if text.chars().filter(|c| c.is_alphabetic()).count() > 1 || !has_letter_or_sign(text) {
            return Err(FieldError::new("emoji", "must be an emoji"));
        }
        Self::new(text)
    }
}

fn chars(text: &str, min: usize, max: usize) -> Result<(), String> {
    let count = text.chars().count();
    if count < min || count > max {
        return Err(format!("must be {min} to {max} characters (got {count})"));
    }
    Ok(())
}

fn line(text: &str, min: usize, max: usize) -> Result<(), String> {
    chars(text, min, max)?;
    if text.chars().any(char::is_control) {
        return Err("must not have control characters".to_owned());
    }
    if text.trim() != text {
        return Err("must not begin or end with white space".to_owned());
    }
    Ok(())
}

/// Who finds a room and may join it by themselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Visibility {
    /// Everybody on the server.
    Public,
    /// Whom a member adds.
    Private,
}

/// What members see of the time before they came. Chosen at the creation and never changed: a later change
/// would show what was written under another promise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum History {
    /// Everything.
    All,
    /// Nothing from outside the time of their own memberships.
    SinceJoin,
}

/// Who may write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Posting {
    /// Every member.
    Members,
    /// Moderators and owners.
    Moderators,
}

/// What a member may do; each role includes the ones before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Reads and writes.
    Member,
    /// Also removes members and deletes what they wrote.
    Moderator,
    /// Also decides on roles and on the room itself.
    Owner,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_text_names_its_field_and_its_limit() {
        assert!(Handle::new("milena-2.0_x").is_ok());
        let refused = |outcome: FieldResult<Handle>| outcome.unwrap_err().to_string();
        assert_eq!(refused(Handle::new("a")), "handle must be 2 to 32 characters (got 1)");
        assert_eq!(
            refused(Handle::new("General")),
            "handle may only have letters a-z, digits, '.', '_' and '-'"
        );
        assert_eq!(refused(Handle::new("-a")), "handle must begin with a letter or digit");
        assert_eq!(Title::new(" a").unwrap_err().to_string(), "title must not begin or end with white space");
        assert_eq!(Title::new("").unwrap_err().to_string(), "title must be 1 to 80 characters (got 0)");
        assert!(Topic::new("").is_ok());
        assert!(Topic::new("a\nb").is_err());
        assert!(Emoji::new("👩‍👩‍👧‍👦").is_ok());
        assert!(Emoji::new("a b").is_err());
        assert!(Reason::new(&"x".repeat(251)).is_err());
    }

    #[test]
    fn what_is_written_now_can_be_seen_and_turns_nothing() {
        assert_eq!(Title::admitted(" Cafe\u{301} \u{3164}").unwrap().as_str(), "Caf\u{e9}");
        for blank in ["\u{200b}", "\u{3164}", "\u{2800}"] {
            assert!(Title::admitted(blank).is_err(), "{blank:?}");
            assert_eq!(Topic::admitted(blank).map(String::from), Ok(String::new()), "none: {blank:?}");
        }
        for bidi in ["a\u{202e}b", "a\u{2066}b"] {
            let refused = format!("title {TURNS_DIRECTION}");
            assert_eq!(Title::admitted(bidi).unwrap_err().to_string(), refused);
            assert!(Topic::admitted(bidi).is_err() && Reason::admitted(bidi).is_err());
            assert!(Title::new(bidi).is_ok(), "the log is read as it is");
        }
        for sign in ["👍", "❤️", "👩‍👩‍👧‍👦", "🇨🇿", "1️⃣", "ℹ️", "Ⓜ️", "🏴󠁧󠁢󠁳󠁣󠁴󠁿"]
        {
            assert_eq!(Emoji::admitted(sign).map(String::from).as_deref(), Ok(sign));
        }
        for words in ["idiot", "\u{202e}👍", "\u{200b}", "你好"] {
            assert_eq!(Emoji::admitted(words).unwrap_err().field, "emoji", "{words:?}");
        }
    }

    #[test]
    fn no_room_is_newly_called_what_nobody_may_be_called() {
        for name in ["admin", "here", "every-one", "5upport", "notes-to-self", "system"] {
            assert_eq!(
                Handle::admitted(name).unwrap_err().to_string(),
                format!("handle {RESERVED}"),
                "{name}"
            );
            assert!(Handle::new(name).is_ok(), "the log is read as it is");
        }
        for title in ["Notes to self", "System", "аdmin", "@everyone", "Milena\u{200b}"] {
            assert_eq!(
                Title::admitted(title).unwrap_err().to_string(),
                format!("title {RESERVED}"),
                "{title}"
            );
        }
        assert!(Handle::admitted("letters-to-milena").is_ok() && Title::admitted("Support").is_ok());
        assert!(Topic::admitted("System").is_ok() && Reason::admitted("all").is_ok());
        assert_eq!(Handle::admitted("a b").unwrap_err().field, "handle");
    }

    #[test]
    fn roles_are_ordered() {
        assert!(Role::Member < Role::Moderator && Role::Moderator < Role::Owner);
    }
}
