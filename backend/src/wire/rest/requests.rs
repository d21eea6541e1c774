//! What clients ask: described for `/openapi.json` here, read by [`Fields`], checked by the domain's rules.

use milena_domain::record::Target;
use milena_domain::{Body, DisplayName, FieldError, MessageId, Password, Position, UserId, Username};
use utoipa::ToSchema;

use super::Fields;
use crate::auth;
use crate::refusal::Refusal;
use crate::wire::messages::{MessageRef, read_mentions, read_target};

/// Somebody joins.
#[derive(ToSchema)]
pub struct Registration {
    /// 3 to 32 letters, digits, `.`, `_` or `-`; unique regardless of case.
    #[schema(
        value_type = String, min_length = 3, max_length = 32, pattern = "^[A-Za-z0-9._-]+$",
        example = "milena"
    )]
    username: Username,
    /// 8 to 256 characters.
    #[schema(value_type = String, min_length = 8, max_length = 256, format = Password)]
    password: Password,
    /// 1 to 64 characters without control characters; the username when absent.
    #[schema(value_type = Option<String>, min_length = 1, max_length = 64)]
    display_name: Option<DisplayName>,
}

impl TryFrom<Fields> for Registration {
    type Error = Refusal;

    fn try_from(mut fields: Fields) -> Result<Self, Refusal> {
        Ok(Self {
            username: Username::new(&fields.text("username")?)?.unless_reserved()?,
            password: Password::new(&fields.text("password")?)?,
            display_name: fields
                .optional_text("display_name")?
                .map(|name| DisplayName::new(&name)?.unless_reserved())
                .transpose()?,
        })
    }
}

impl From<Registration> for auth::Registration {
    fn from(registration: Registration) -> Self {
        let Registration { username, password, display_name } = registration;
        Self { username, password, display_name, rooms: Vec::new() }
    }
}

/// Somebody signs in. The texts are only compared: what breaks the rules of registration is simply wrong.
#[derive(ToSchema)]
pub struct Credentials {
    /// In any case.
    #[schema(example = "milena")]
    pub username: String,
    /// The password.
    #[schema(format = Password)]
    pub password: String,
}

impl TryFrom<Fields> for Credentials {
    type Error = Refusal;

    fn try_from(mut fields: Fields) -> Result<Self, Refusal> {
        Ok(Self { username: fields.text("username")?, password: fields.text("password")? })
    }
}

/// What somebody changes about themselves.
#[derive(ToSchema)]
pub struct ProfileChange {
    /// 1 to 64 characters, at least one of which can be seen, without control characters and such as change
    /// the direction of writing; no reserved name.
    #[schema(
        value_type = Option<String>, nullable = false, min_length = 1, max_length = 64,
        example = "Milena Jesenská"
    )]
    pub display_name: Option<DisplayName>,
    /// Whether others may know what one has read; whoever does not let them sees nobody else's marks either.
    #[schema(nullable = false)]
    pub show_receipts: Option<bool>,
}

impl TryFrom<Fields> for ProfileChange {
    type Error = Refusal;

    fn try_from(mut fields: Fields) -> Result<Self, Refusal> {
        let show_receipts = fields.optional_flag("show_receipts")?;
        let display_name = match show_receipts {
            // Something has to change.
            None => Some(fields.text("display_name")?),
            Some(_) => fields.optional_text("display_name")?,
        };
        let display_name = display_name.map(|name| DisplayName::new(&name)).transpose()?;
        Ok(Self { display_name, show_receipts })
    }
}

/// Another password.
#[derive(ToSchema)]
pub struct PasswordChange {
    /// The one that holds until now.
    #[schema(format = Password)]
    pub current_password: String,
    /// 8 to 256 characters.
    #[schema(value_type = String, min_length = 8, max_length = 256, format = Password)]
    pub new_password: Password,
}

impl TryFrom<Fields> for PasswordChange {
    type Error = Refusal;

    fn try_from(mut fields: Fields) -> Result<Self, Refusal> {
        Ok(Self {
            current_password: fields.text("current_password")?,
            new_password: Password::new(&fields.text("new_password")?)
                .map_err(|error| FieldError { field: "new_password", ..error })?,
        })
    }
}

/// A message to send.
#[derive(ToSchema)]
pub struct NewMessage {
    /// 1 to 8000 characters without U+0000, at least one of which can be seen.
    #[schema(value_type = String, min_length = 1, max_length = 8000, example = "Dear Milena")]
    pub body: Body,
    /// What it answers: an earlier message of the same conversation.
    #[schema(value_type = Option<MessageRef>)]
    pub reply_to: Option<Target>,
    /// Who is named in it.
    #[schema(value_type = Option<Vec<uuid::Uuid>>, max_items = 50)]
    pub mentions: Vec<UserId>,
    /// Whether it calls everybody in the room: in a room of more than 1,000 members for moderators only.
    #[schema(value_type = Option<bool>)]
    pub everyone: bool,
}

impl TryFrom<Fields> for NewMessage {
    type Error = Refusal;

    fn try_from(mut fields: Fields) -> Result<Self, Refusal> {
        Ok(Self {
            body: Body::written(fields.text("body")?)?,
            reply_to: fields.take("reply_to").map(|value| read_target("reply_to", value)).transpose()?,
            mentions: mentions(&mut fields)?,
            everyone: fields.optional_flag("everyone")?.unwrap_or_default(),
        })
    }
}

fn mentions(fields: &mut Fields) -> Result<Vec<UserId>, Refusal> {
    let named = fields.take("mentions").map(|value| read_mentions("mentions", value));
    Ok(named.transpose()?.unwrap_or_default())
}

/// New words of a message.
#[derive(ToSchema)]
pub struct Edit {
    /// The message's id: whoever gives it takes no other message that stands there.
    #[schema(value_type = Option<uuid::Uuid>)]
    pub id: Option<MessageId>,
    /// As of a new message.
    #[schema(value_type = String, min_length = 1, max_length = 8000)]
    pub body: Body,
    /// Who is named now.
    #[schema(value_type = Option<Vec<uuid::Uuid>>, max_items = 50)]
    pub mentions: Vec<UserId>,
}

impl TryFrom<Fields> for Edit {
    type Error = Refusal;

    fn try_from(mut fields: Fields) -> Result<Self, Refusal> {
        let id = fields.optional_text("id")?;
        let id = id.map(|text| text.parse().map_err(|_| Refusal::field("id", "must be a UUID")));
        Ok(Self {
            id: id.transpose()?,
            body: Body::written(fields.text("body")?)?,
            mentions: mentions(&mut fields)?,
        })
    }
}

/// Up to where somebody has read.
#[derive(ToSchema)]
pub struct ReadPosition {
    /// A message's position; moving back changes nothing.
    #[schema(value_type = u64, maximum = 9_007_199_254_740_991_u64)]
    pub position: Position,
}

impl TryFrom<Fields> for ReadPosition {
    type Error = Refusal;

    fn try_from(mut fields: Fields) -> Result<Self, Refusal> {
        let position = Position::from_u64(fields.number("position")?)
            .ok_or_else(|| Refusal::field("position", format!("must be at most {}", Position::MAX)))?;
        Ok(Self { position })
    }
}
