//! What the server answers of people: who they are, oneself, and one's sessions.

use milena_domain::{Timestamp, UserId};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::Status;
use crate::auth;

/// Somebody, as everybody may see them.
#[derive(Debug, Serialize, ToSchema)]
pub struct Person {
    #[schema(value_type = Uuid)]
    id: UserId,
    /// Unique regardless of case.
    #[schema(example = "milena")]
    username: String,
    #[schema(example = "Milena Jesenská")]
    display_name: String,
    /// What they say of themselves, where that is told: of single people, of members, of those who were
    /// searched for, and of oneself at the start.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    status: Option<Box<Status>>,
}

impl From<&milena_storage::Person> for Person {
    fn from(person: &milena_storage::Person) -> Self {
        Self {
            id: person.id,
            username: person.username.clone(),
            display_name: person.display_name.clone(),
            status: None,
        }
    }
}

impl Person {
    /// The same, who says this of themselves.
    #[must_use]
    pub fn saying(self, status: Option<&milena_domain::Status>) -> Self {
        Self { status: status.map(|status| Box::new(status.into())), ..self }
    }
}

/// Oneself.
#[derive(Debug, Serialize, ToSchema)]
pub struct Account {
    #[serde(flatten)]
    person: Person,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
}

impl From<&milena_storage::Person> for Account {
    fn from(person: &milena_storage::Person) -> Self {
        Self { person: person.into(), created_at: person.created_at }
    }
}

impl Account {
    /// The same, who says this of themselves.
    #[must_use]
    pub fn saying(self, status: Option<&milena_domain::Status>) -> Self {
        Self { person: self.person.saying(status), ..self }
    }
}

/// Oneself, and what one needs for sending.
#[derive(Debug, Serialize, ToSchema)]
pub struct Me {
    #[serde(flatten)]
    pub(crate) account: Account,
    /// 30 characters. An `Idempotency-Key` that begins with them, and goes on with up to 34 that are used
    /// once, needs no look-up. Good for minutes to hours; ask again now and then.
    pub(crate) client_id_prefix: String,
    /// Whether others may know what one has read.
    pub(crate) show_receipts: bool,
}

/// Oneself, and what one lets others know.
#[derive(Debug, Serialize, ToSchema)]
pub struct Profile {
    #[serde(flatten)]
    pub(crate) account: Account,
    /// Whether others may know what one has read.
    pub(crate) show_receipts: bool,
}

/// A new session. Browsers also get the token as the cookie `milena_session`.
#[derive(Debug, Serialize, ToSchema)]
pub struct SignedIn {
    user: Account,
    /// The session's secret, for `Authorization: Bearer`.
    token: String,
    /// When the session ends unless it is used; each use moves it.
    #[schema(value_type = String, format = DateTime)]
    expires_at: Timestamp,
}

impl From<&auth::SignedIn> for SignedIn {
    fn from(signed_in: &auth::SignedIn) -> Self {
        Self {
            user: (&signed_in.person).into(),
            token: signed_in.token.expose().to_owned(),
            expires_at: signed_in.expires_at,
        }
    }
}

/// A session of oneself.
#[derive(Debug, Serialize, ToSchema)]
pub struct Session {
    id: Uuid,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// To the minute.
    #[schema(value_type = String, format = DateTime)]
    last_seen_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    expires_at: Timestamp,
    /// What the client called itself, at most 200 characters.
    user_agent: String,
    /// The session of this request.
    current: bool,
}

impl Session {
    /// As seen from the session `current`.
    #[must_use]
    pub fn new(session: milena_storage::Session, current: Uuid) -> Self {
        Self {
            id: session.id,
            created_at: session.created_at,
            last_seen_at: session.last_seen_at,
            expires_at: session.expires_at,
            user_agent: session.user_agent,
            current: session.id == current,
        }
    }
}

/// One's sessions, the last used first, at most 200.
#[derive(Debug, Serialize, ToSchema)]
pub struct SessionList {
    /// The sessions.
    pub sessions: Vec<Session>,
}

/// People: who was found, or who is kept away.
#[derive(Debug, Serialize, ToSchema)]
pub struct People {
    /// Of a search the best matches first, at most 20; of those who are kept away at most 500.
    pub users: Vec<Person>,
}
