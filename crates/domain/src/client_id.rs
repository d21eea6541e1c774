//! The name that a client gives each of its messages, by which a repeat is recognised for ever.

use serde::{Deserialize, Serialize};

use crate::field::{FieldError, FieldResult};
use crate::limits::CLIENT_ID_MAX_CHARS;

/// 1–64 printable ASCII characters, unique for its sender.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ClientId(Box<str>);

impl ClientId {
    /// Checks the rule.
    ///
    /// # Errors
    /// Names the field `client_id` and the limit.
    pub fn new(text: &str) -> FieldResult<Self> {
        if text.is_empty() || text.len() > CLIENT_ID_MAX_CHARS {
            return Err(FieldError::new(
                "client_id",
                format!("must be 1 to {CLIENT_ID_MAX_CHARS} characters (got {})", text.chars().count()),
            ));
        }
        if !text.bytes().all(|byte| (0x20..=0x7e).contains(&byte)) {
            return Err(FieldError::new("client_id", "must be printable ASCII"));
        }
        Ok(Self(text.into()))
    }

    /// The text as the client chose it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for ClientId {
    type Error = FieldError;

    fn try_from(text: String) -> FieldResult<Self> {
        Self::new(&text)
    }
}

impl From<ClientId> for String {
    fn from(id: ClientId) -> Self {
        id.0.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_named() {
        assert!(ClientId::new(&"x".repeat(64)).is_ok());
        assert_eq!(
            ClientId::new(&"x".repeat(65)).unwrap_err().to_string(),
            "client_id must be 1 to 64 characters (got 65)"
        );
        assert!(ClientId::new("").is_err());
        assert!(ClientId::new("a\nb").is_err());
        assert!(ClientId::new("é").is_err());
    }
}
