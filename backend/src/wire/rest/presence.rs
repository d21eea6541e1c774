//! How somebody wants to be seen, over REST.

use milena_domain::{Availability, Timestamp};
use milena_storage::{Audience, StoredPresence};
use serde::Serialize;
use utoipa::ToSchema;

use super::fields::Fields;
use crate::live::Present;
use crate::refusal::Refusal;

/// How one wants to be seen.
#[derive(Debug, Serialize, ToSchema)]
pub struct PresenceSettings {
    /// Whether one is to be taken for offline, whatever one does.
    hidden: bool,
    /// Who may see whether one is here: `everybody`, `shared` (those with whom one shares a conversation),
    /// `nobody`.
    #[schema(example = "shared")]
    audience: &'static str,
}

impl From<StoredPresence> for PresenceSettings {
    fn from(stored: StoredPresence) -> Self {
        Self { hidden: stored.hidden, audience: stored.audience.as_str() }
    }
}

/// Whether a member is here.
#[derive(Debug, Serialize, ToSchema)]
pub struct MemberPresence {
    /// `online`, `away` or `offline`; the last one also of those who do not let one see it.
    #[schema(example = "online")]
    state: &'static str,
    /// When they were here last, if they are offline and that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime, nullable = false)]
    last_seen: Option<Timestamp>,
}

impl From<Option<&Present>> for MemberPresence {
    fn from(present: Option<&Present>) -> Self {
        let (state, last_seen) = present.map_or((None, None), |present| (present.state, present.last_seen));
        Self { state: state_name(state), last_seen }
    }
}

/// What there is to be seen of somebody, as it is written.
pub(crate) const fn state_name(state: Option<Availability>) -> &'static str {
    match state {
        Some(Availability::Online) => "online",
        Some(Availability::Away) => "away",
        None => "offline",
    }
}

/// What is to change of it.
#[derive(ToSchema)]
pub struct PresenceChange {
    /// Whether one is to be taken for offline.
    pub hidden: Option<bool>,
    /// `everybody`, `shared` or `nobody`.
    #[schema(value_type = Option<String>, example = "shared")]
    pub audience: Option<Audience>,
}

impl TryFrom<Fields> for PresenceChange {
    type Error = Refusal;

    fn try_from(mut fields: Fields) -> Result<Self, Refusal> {
        let audience = fields.optional_text("audience")?.map(|text| {
            Audience::named(&text)
                .ok_or_else(|| Refusal::field("audience", "must be one of everybody, shared, nobody"))
        });
        Ok(Self { hidden: fields.optional_flag("hidden")?, audience: audience.transpose()? })
    }
}
