//! What somebody says of themselves, the same in REST answers and frames.

use milena_domain::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::fields::Fields;
use super::notifications::moment;
use crate::refusal::Refusal;

/// What somebody says of themselves for a while.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Status {
    /// Null for none.
    #[schema(required, example = "🌴")]
    emoji: Option<String>,
    /// At most 100 characters; null for none.
    #[schema(required, example = "On holiday")]
    text: Option<String>,
    /// When it ends by itself; null: not before it is changed.
    #[schema(required, value_type = Option<String>, format = DateTime)]
    until: Option<Timestamp>,
}

impl From<&milena_domain::Status> for Status {
    fn from(status: &milena_domain::Status) -> Self {
        Self {
            emoji: status.emoji().map(str::to_owned),
            text: status.text().map(str::to_owned),
            until: status.until(),
        }
    }
}

/// What one says of oneself.
#[derive(Debug, Serialize, ToSchema)]
pub struct OwnStatus {
    /// Null for nothing.
    #[schema(required)]
    status: Option<Status>,
}

impl From<Option<&milena_domain::Status>> for OwnStatus {
    fn from(status: Option<&milena_domain::Status>) -> Self {
        Self { status: status.map(Status::from) }
    }
}

/// What to say of oneself: at least one of `emoji` and `text`.
#[derive(ToSchema)]
pub struct NewStatus {
    /// An emoji.
    #[schema(max_length = 16)]
    emoji: Option<String>,
    /// One line.
    #[schema(min_length = 1, max_length = 100)]
    text: Option<String>,
    /// When it is to end by itself.
    #[schema(value_type = Option<String>, format = DateTime)]
    until: Option<Timestamp>,
}

impl TryFrom<Fields> for NewStatus {
    type Error = Refusal;

    fn try_from(mut fields: Fields) -> Result<Self, Refusal> {
        let until = fields.given("until").map(|given| moment(given, "until")).transpose()?.flatten();
        Ok(Self { emoji: fields.optional_text("emoji")?, text: fields.optional_text("text")?, until })
    }
}

impl NewStatus {
    /// Checks it.
    ///
    /// # Errors
    /// `invalid_field`.
    pub fn checked(&self, now: Timestamp) -> Result<milena_domain::Status, Refusal> {
        Ok(milena_domain::Status::new(self.emoji.as_deref(), self.text.as_deref(), self.until, now)?)
    }
}
