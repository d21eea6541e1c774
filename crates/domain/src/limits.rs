//! Every limit that a client can run into, in one place: the protocol document and the `welcome` frame quote these.

/// Characters (Unicode scalar values) of a message body, at least.
pub const BODY_MIN_CHARS: usize = 1;
/// Characters (Unicode scalar values) of a message body, at most.
pub const BODY_MAX_CHARS: usize = 8_000;
/// Characters of a `client_id`, at most. It is printable ASCII, so characters are bytes.
pub const CLIENT_ID_MAX_CHARS: usize = 64;
/// Characters of a username, at least.
pub const USERNAME_MIN_CHARS: usize = 3;
/// Characters of a username, at most.
pub const USERNAME_MAX_CHARS: usize = 32;
/// Characters of a display name, at most.
pub const DISPLAY_NAME_MAX_CHARS: usize = 64;
/// Characters of a password, at least.
pub const PASSWORD_MIN_CHARS: usize = 8;
/// Characters of a password, at most: argon2 takes any length, this bounds the work of one request.
pub const PASSWORD_MAX_CHARS: usize = 256;
/// Messages of a history page when the client names no `limit`.
pub const HISTORY_DEFAULT_LIMIT: usize = 50;
/// Messages of a history page, at most.
pub const HISTORY_MAX_LIMIT: usize = 100;
/// People of one search answer, at most.
pub const PEOPLE_SEARCH_LIMIT: usize = 20;
/// Conversations of one answer when the client names no `limit`.
pub const CONVERSATIONS_DEFAULT_LIMIT: usize = 100;
/// Conversations of one answer, at most.
pub const CONVERSATIONS_MAX_LIMIT: usize = 500;
/// Unread messages are counted up to here; a client shows the maximum as "99+" or so.
pub const UNREAD_MAX_COUNT: u32 = 1_000;
/// Bytes of a WebSocket message from a client, at most. A body of 8,000 four-byte characters, each written as
/// a JSON surrogate pair escape (12 bytes), and its envelope fit.
pub const FRAME_MAX_BYTES: usize = 128 * 1024;
/// Bytes of a REST request body, at most.
pub const REST_BODY_MAX_BYTES: u64 = 128 * 1024;
/// Missed messages of one conversation that a resume replays, at most; more become a `gap`.
pub const REPLAY_PAGE: usize = 100;
