//! What somebody says of themselves for a while: a sign, some words, and until when.

use crate::Timestamp;
use crate::field::{FieldError, FieldResult};
use crate::limits::STATUS_MAX_CHARS;
use crate::record::Emoji;
use crate::unicode::{composed, has_letter_or_sign, trim_blanks, turns_direction};

/// A sign, words, or both.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    emoji: Option<Emoji>,
    text: Option<Box<str>>,
    until: Option<Timestamp>,
}

impl Status {
    /// From somebody who says it now.
    ///
    /// # Errors
    /// Names the field `emoji`, `text` or `until`, and the limit.
    pub fn new(
        emoji: Option<&str>,
        text: Option<&str>,
        until: Option<Timestamp>,
        now: Timestamp,
    ) -> FieldResult<Self> {
        let emoji = emoji.filter(|emoji| !emoji.is_empty()).map(Emoji::admitted).transpose()?;
        let text = text.map(|text| composed(trim_blanks(text))).filter(|text| !text.is_empty());
        if let Some(text) = &text {
            let count = text.chars().count();
            let problem = if count > STATUS_MAX_CHARS {
                Some(format!("must be at most {STATUS_MAX_CHARS} characters (got {count})"))
            } else if text.chars().any(|c| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}')) {
                Some("must be one line without control characters".to_owned())
            } else if turns_direction(text) {
                Some("must not have characters that change the direction of writing".to_owned())
            } else if !has_letter_or_sign(text) {
                Some("must have a character that can be seen".to_owned())
            } else {
                None
            };
            if let Some(problem) = problem {
                return Err(FieldError::new("text", problem));
            }
        }
        if emoji.is_none() && text.is_none() {
            return Err(FieldError::new("text", "is missing; give text, an emoji, or both"));
        }
        if until.is_some_and(|until| until <= now) {
            return Err(FieldError::new("until", "must be in the future"));
        }
        Ok(Self { emoji, text: text.map(Into::into), until })
    }

    /// As it was stored; `None` when there is nothing to show, or not any more.
    #[must_use]
    pub fn stored(
        emoji: Option<&str>,
        text: Option<&str>,
        until: Option<Timestamp>,
        now: Timestamp,
    ) -> Option<Self> {
        Self::new(emoji, text, until, now).ok()
    }

    /// The sign.
    #[must_use]
    pub fn emoji(&self) -> Option<&str> {
        self.emoji.as_ref().map(Emoji::as_str)
    }

    /// The words.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        self.text.as_deref()
    }

    /// Until when it holds; `None`: until it is changed.
    #[must_use]
    pub const fn until(&self) -> Option<Timestamp> {
        self.until
    }

    /// Whether it is still to be shown.
    #[must_use]
    pub fn holds(&self, now: Timestamp) -> bool {
        self.until.is_none_or(|until| now < until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_unix_ms(ms)
    }

    #[test]
    fn what_is_wrong_is_named() {
        let problem = |emoji: Option<&str>, text: Option<&str>, until: Option<i64>| {
            Status::new(emoji, text, until.map(at), at(5)).unwrap_err().to_string()
        };
        let missing = "text is missing; give text, an emoji, or both";
        assert_eq!(problem(None, None, None), missing);
        assert_eq!(problem(Some(""), Some(" \u{200b}"), None), missing);
        let long = "x".repeat(101);
        assert_eq!(problem(None, Some(&long), None), "text must be at most 100 characters (got 101)");
        assert_eq!(problem(None, Some("a\nb"), None), "text must be one line without control characters");
        let turned = "text must not have characters that change the direction of writing";
        assert_eq!(problem(None, Some("a\u{202e}b"), None), turned);
        assert_eq!(problem(Some("away"), None, None), "emoji must be an emoji");
        assert_eq!(problem(None, Some("a"), Some(5)), "until must be in the future");
    }

    #[test]
    fn it_ends_by_itself() {
        let status = Status::new(Some("🌴"), Some(" On holiday "), Some(at(9)), at(5)).unwrap();
        assert_eq!((status.emoji(), status.text()), (Some("🌴"), Some("On holiday")));
        assert!(status.holds(at(8)) && !status.holds(at(9)));
        let stored = |now| Status::stored(status.emoji(), status.text(), status.until(), at(now));
        assert_eq!((stored(8), stored(9)), (Some(status.clone()), None));
    }
}
