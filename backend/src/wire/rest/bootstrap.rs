//! What a client needs at its start.

use milena_domain::limits;
use milena_settings::{ChatSettings, SocketSettings};
use serde::Serialize;
use utoipa::ToSchema;

use super::notifications::Notifications;
use super::{ConversationPage, Me};

/// Everything that a client needs at its start.
#[derive(Debug, Serialize, ToSchema)]
pub struct Bootstrap {
    pub(crate) me: Me,
    /// The first part of one's conversations.
    pub(crate) conversations: ConversationPage,
    pub(crate) limits: Limits,
    /// Of what one wants to be told.
    pub(crate) notifications: Notifications,
}

/// What bounds what a client sends.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
pub struct Limits {
    /// Characters of a message.
    body_max_chars: usize,
    /// Characters of a `client_id`.
    client_id_max_chars: usize,
    /// Bytes of a frame from a client.
    frame_max_bytes: usize,
    /// Sends that one connection may have under way.
    max_in_flight: usize,
    /// People that are brought into a room with one call.
    members_added_max: usize,
    /// People that one message names.
    mentions_max: usize,
    /// Different reactions of one person to one message.
    reactions_per_person_max: usize,
    /// In a room of more members only moderators call everybody.
    everyone_free_members: u32,
    /// Characters of a reaction.
    emoji_max_chars: usize,
    /// Pinned messages of a conversation that are told.
    pins_max: usize,
    /// Members of a room in which is told who has read what.
    receipts_members_max: u32,
    /// Members of a room beyond which it tells how many are here instead of who, and nobody who writes.
    presence_members_max: u32,
    /// How long after a message was sent its words may be changed; null when always.
    #[schema(required)]
    edit_limit_ms: Option<u64>,
}

impl Limits {
    /// As this server is set.
    #[must_use]
    pub fn new(settings: &SocketSettings, chat: &ChatSettings) -> Self {
        let edit_limit_ms = u64::from(chat.edit_limit_seconds) * 1_000;
        Self {
            body_max_chars: limits::BODY_MAX_CHARS,
            client_id_max_chars: limits::CLIENT_ID_MAX_CHARS,
            frame_max_bytes: limits::FRAME_MAX_BYTES,
            max_in_flight: settings.max_in_flight,
            members_added_max: limits::MEMBERS_ADDED_MAX,
            mentions_max: limits::MENTIONS_MAX,
            reactions_per_person_max: limits::REACTIONS_PER_PERSON_MAX,
            everyone_free_members: limits::EVERYONE_FREE_MEMBERS,
            emoji_max_chars: limits::EMOJI_MAX_CHARS,
            pins_max: limits::PINS_MAX,
            receipts_members_max: limits::RECEIPTS_MEMBERS_MAX,
            presence_members_max: chat.presence_members_max,
            edit_limit_ms: (edit_limit_ms > 0).then_some(edit_limit_ms),
        }
    }
}
