//! The texts that people choose: usernames, display names, passwords and message bodies, each with its rule.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::field::{FieldError, FieldResult};
use crate::limits;

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
}

/// 1–64 characters to show, without control characters; blanks around it are dropped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DisplayName(Box<str>);

impl DisplayName {
    /// Trims and checks the rule.
    ///
    /// # Errors
    /// Names the field `display_name` and the limit.
    pub fn new(text: &str) -> FieldResult<Self> {
        let text = text.trim();
        length("display_name", text, 1, limits::DISPLAY_NAME_MAX_CHARS)?;
        if text.chars().any(char::is_control) {
            return Err(FieldError::new("display_name", "must not have control characters"));
        }
        Ok(Self(text.into()))
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
    fn secrets_and_bodies_are_not_printed() {
        assert_eq!(format!("{:?}", Password::new("correct horse").unwrap()), "Password(***)");
        assert_eq!(format!("{:?}", Body::new("love letter").unwrap()), "Body(11 bytes)");
    }
}
