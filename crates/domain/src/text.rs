//! The texts that people choose: usernames, display names, passwords and message bodies, each with its rule.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::field::{FieldError, FieldResult};
use crate::limits;
use crate::reserved::{RESERVED, is_reserved};
use crate::unicode::{composed, has_letter_or_sign, is_visible, trim_blanks, turns_direction};

/// 3–32 ASCII letters, digits, `.`, `_` or `-`. Kept as typed, unique regardless of case.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Username(Box<str>);

impl Username {
    /// Checks the rule.
    ///
    /// # Errors
    /// Names the field `username` and the limit.
    pub fn new(text: &str) -> FieldResult<Self> {
        length("username", text, limits::USERNAME_MIN_CHARS, limits::USERNAME_MAX_CHARS)?;
        if !text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-')) {
            return Err(FieldError::new("username", "may only have letters a-z, digits, '.', '_' and '-'"));
        }
        Ok(Self(text.into()))
    }

    /// As typed at registration.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What uniqueness and login compare: lower case.
    #[must_use]
    pub fn folded(&self) -> String {
        self.0.to_ascii_lowercase()
    }

    /// Refuses a name for a *new* account that would be taken for the system's own. Accounts that have one
    /// keep it.
    ///
    /// # Errors
    /// Names the field `username`.
    pub fn unless_reserved(self) -> FieldResult<Self> {
        if is_reserved(&self.0) {
            return Err(FieldError::new("username", RESERVED));
        }
        Ok(self)
    }
}

/// 1–64 characters to show, at least one of which is seen, composed (NFC), without control characters and
/// without such as turn the direction of what stands beside them; blanks around it are dropped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DisplayName(Box<str>);

impl DisplayName {
    /// Trims and checks the rule.
    ///
    /// # Errors
    /// Names the field `display_name` and the limit.
    pub fn new(text: &str) -> FieldResult<Self> {
        let text = composed(trim_blanks(text));
        length("display_name", &text, 1, limits::DISPLAY_NAME_MAX_CHARS)?;
        if text.chars().any(|c| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}')) {
            return Err(FieldError::new("display_name", "must not have control characters"));
        }
        if turns_direction(&text) {
            let problem = "must not have characters that change the direction of writing";
            return Err(FieldError::new("display_name", problem));
        }
        if !has_letter_or_sign(&text) {
            return Err(FieldError::new("display_name", "must have a character that can be seen"));
        }
        Ok(Self(text.into()))
    }

    /// The nearest good name to what somebody was called elsewhere; `None` when nothing of it can be seen.
    #[must_use]
    pub fn nearest(text: &str) -> Option<Self> {
        let shown = |c: &char| !c.is_control() && !turns_direction(c.encode_utf8(&mut [0; 4]));
        let text: String = text.chars().filter(shown).collect();
        let text: String =
            composed(trim_blanks(&text)).chars().take(limits::DISPLAY_NAME_MAX_CHARS).collect();
        Self::new(&text).ok()
    }

    /// Refuses a name that somebody would newly take and that would be taken for the system's own.
    ///
    /// # Errors
    /// Names the field `display_name`.
    pub fn unless_reserved(self) -> FieldResult<Self> {
        if is_reserved(&self.0) {
            return Err(FieldError::new("display_name", RESERVED));
        }
        Ok(self)
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// 8–256 characters. `Debug` never shows it.
#[derive(Clone, PartialEq, Eq)]
pub struct Password(Box<str>);

impl Password {
    /// Checks the rule for a *new* password.
    ///
    /// # Errors
    /// Names the field `password` and the limit, never the text.
    pub fn new(text: &str) -> FieldResult<Self> {
        length("password", text, limits::PASSWORD_MIN_CHARS, limits::PASSWORD_MAX_CHARS)?;
        Ok(Self(text.into()))
    }

    /// The secret, for the hash only.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(***)")
    }
}

/// The text of a message: 1–8,000 characters without U+0000, which PostgreSQL cannot store.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Body(Box<str>);

impl Body {
    /// Checks the rule. The text is kept as it is, blanks included.
    ///
    /// # Errors
    /// Names the field `body` and the limit.
    pub fn new(text: impl Into<Box<str>>) -> FieldResult<Self> {
        let text = text.into();
        length("body", &text, limits::BODY_MIN_CHARS, limits::BODY_MAX_CHARS)?;
        if text.contains('\0') {
            return Err(FieldError::new("body", "must not contain the character U+0000"));
        }
        Ok(Self(text))
    }

    /// The text of a *new* message: something of it must be seen. What stands in a log already, and what is
    /// imported, may be blank.
    ///
    /// # Errors
    /// Names the field `body`.
    pub fn written(text: impl Into<Box<str>>) -> FieldResult<Self> {
        let body = Self::new(text)?;
        if !is_visible(&body.0) {
            return Err(FieldError::new("body", "must have a character that can be seen"));
        }
        Ok(body)
    }

    /// What a deleted message has in the place of its words: nothing. No record is read as this.
    #[must_use]
    pub fn deleted() -> Self {
        Self("".into())
    }

    /// What stands in a rewritten log in the place of words that were deleted: a record needs some. Its
    /// deletion follows in the same log, so nobody is shown it.
    #[must_use]
    pub fn erased() -> Self {
        Self("∅".into())
    }

    /// Whether the words are gone.
    #[must_use]
    pub fn is_deleted(&self) -> bool {
        self.0.is_empty()
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Body {
    /// What people write stays out of logs, also by accident.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Body({} bytes)", self.0.len())
    }
}

impl TryFrom<String> for Body {
    type Error = FieldError;

    fn try_from(text: String) -> FieldResult<Self> {
        Self::new(text)
    }
}

impl From<Body> for String {
    fn from(body: Body) -> Self {
        body.0.into()
    }
}

fn length(field: &'static str, text: &str, min: usize, max: usize) -> FieldResult<()> {
    let chars = text.chars().count();
    if chars < min || chars > max {
        return Err(FieldError::new(field, format!("must be {min} to {max} characters (got {chars})")));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usernames() {
        assert_eq!(Username::new("Anna.B-1_").unwrap().folded(), "anna.b-1_");
        assert!(Username::new("ab").is_err());
        assert!(Username::new(&"a".repeat(33)).is_err());
        assert!(Username::new("zoë").is_err());
        assert!(Username::new("a b").is_err());
    }

    #[test]
    fn bodies_count_characters_not_bytes() {
        assert!(Body::new("é".repeat(8_000)).is_ok());
        assert_eq!(
            Body::new("é".repeat(8_001)).unwrap_err().to_string(),
            "body must be 1 to 8000 characters (got 8001)"
        );
        assert!(Body::new("").is_err());
        assert!(Body::new("a\0b").is_err());
        assert!(Body::new(" ").is_ok(), "real conversations have blank messages");
    }

    #[test]
    fn new_messages_can_be_seen() {
        for blank in [" ", "\n\n", "\u{200b}", "\u{3164}\u{3164}", "\u{2800}", "\u{202e}\u{202c}"] {
            assert!(Body::new(blank).is_ok(), "{blank:?} may stand in a log");
            let refused = Body::written(blank).unwrap_err().to_string();
            assert_eq!(refused, "body must have a character that can be seen", "{blank:?}");
        }
        assert_eq!(Body::written(" a\u{200b} ").unwrap().as_str(), " a\u{200b} ", "kept as it is");
    }

    #[test]
    fn display_names_are_seen_and_stay_in_their_line() {
        let name = |text: &str| DisplayName::new(text).map(|name| name.as_str().to_owned());
        assert_eq!(name(" Anna\u{3164}\u{a0}").unwrap(), "Anna");
        assert_eq!(name("Jesenska\u{301}").unwrap(), "Jesensk\u{e1}", "NFC");
        assert_eq!(
            name("👩\u{200d}💻 می\u{200c}خواهم").unwrap(),
            "👩\u{200d}💻 می\u{200c}خواهم",
            "joiners stay inside"
        );
        for blank in ["", " ", "\u{200b}", "\u{3164}", "\u{2800}", "\u{ad}\u{2060}", "\u{301}", "\u{e0041}"] {
            assert!(name(blank).is_err(), "{blank:?}");
        }
        for bidi in ["a\u{202e}b", "a\u{2066}b", "a\u{200f}b", "a\u{61c}b", "a\u{2028}b", "a\nb"] {
            assert!(name(bidi).is_err(), "{bidi:?}");
        }
        assert_eq!(name(&"é".repeat(64)).unwrap(), "é".repeat(64));
        assert_eq!(name(&"e\u{301}".repeat(64)).unwrap(), "é".repeat(64), "counted as it is stored");
        assert!(name(&"é".repeat(65)).is_err());
        assert_eq!(DisplayName::nearest("a\u{202e}b\n").unwrap().as_str(), "ab");
        assert!(DisplayName::nearest("\u{202e}\u{3164}").is_none());
    }

    #[test]
    fn reserved_names_are_refused_by_field() {
        let username = Username::new("Adm1n").unwrap().unless_reserved().unwrap_err();
        assert_eq!(username.to_string(), "username is reserved, or looks like a name that is");
        let shown = DisplayName::new("Notes to self").unwrap().unless_reserved().unwrap_err();
        assert_eq!(shown.field, "display_name");
        assert!(Username::new("milena.j").unwrap().unless_reserved().is_ok());
    }

    #[test]
    fn secrets_and_bodies_are_not_printed() {
        assert_eq!(format!("{:?}", Password::new("correct horse").unwrap()), "Password(***)");
        assert_eq!(format!("{:?}", Body::new("love letter").unwrap()), "Body(11 bytes)");
    }
}
