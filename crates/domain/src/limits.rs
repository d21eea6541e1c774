//! Every limit that a client can run into, in one place: the protocol document and the `welcome` frame quote
//! these.

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
/// Conversations whose missed messages a resume replays, at most, of what memory has and again of what only
/// the store has: those that were written in last. Of each further one it says only that there is a `gap`.
pub const REPLAY_CONVERSATIONS: usize = 50;
/// Conversations that a resume tells about, at most, counted in the same way; with more the client starts
/// afresh.
pub const REPLAY_MAX_CONVERSATIONS: usize = 5_000;
/// How much later than its record was written an event may claim to have happened. Both brokers refuse
/// records that are themselves farther ahead of their clocks (KIP-937).
pub const AHEAD_MAX_MS: i64 = 3_600_000;
/// Characters of a room's handle, at most. Part of event version 2, like all that follow.
pub const HANDLE_MAX_CHARS: usize = 32;
/// Characters of a room's title, at most.
pub const TITLE_MAX_CHARS: usize = 80;
/// Characters of a room's topic, at most.
pub const TOPIC_MAX_CHARS: usize = 250;
/// Characters (Unicode scalar values) of a reaction, at most: the longest emoji sequences have 10.
pub const EMOJI_MAX_CHARS: usize = 16;
/// Characters of the reason of a deletion, at most.
pub const REASON_MAX_CHARS: usize = 250;
/// People that one message may name, at most.
pub const MENTIONS_MAX: usize = 50;
/// Members of a room in which is told who has read what, at most.
pub const RECEIPTS_MEMBERS_MAX: u32 = 100;
/// Pinned messages that are told of a conversation, at most: those that were pinned last.
pub const PINS_MAX: usize = 100;
/// People that one event may bring into a room, at most.
pub const MEMBERS_ADDED_MAX: usize = 500;
/// Members of one part of a checkpoint, at most: some 100 bytes each, well below a record's megabyte.
pub const SNAPSHOT_MEMBERS_MAX: usize = 5_000;
/// Members of a room, at most.
pub const ROOM_MEMBERS_MAX: u32 = 100_000;
/// In a room of more members than this, only moderators call everybody.
pub const EVERYONE_FREE_MEMBERS: u32 = 1_000;
/// Different reactions of one person to one message, at most.
pub const REACTIONS_PER_PERSON_MAX: usize = 20;
/// How far, in offsets, an event may stand behind what its backend had seen when it took it. All that reads
/// the log remembers the ids of as many records; a larger distance makes the event void, and its backend
/// sends it again.
pub const REPEAT_WINDOW_OFFSETS: i64 = 32_768;
/// Words of which somebody wants to be told, at most.
pub const KEYWORDS_MAX: usize = 50;
/// Characters (Unicode scalar values) of such a word, at most.
pub const KEYWORD_MAX_CHARS: usize = 64;
/// Windows of the week in which somebody is not to be disturbed, at most: two a day.
pub const DND_WINDOWS_MAX: usize = 14;
/// Conversations of which somebody wants something else than in general, at most.
pub const OWN_NOTIFICATIONS_MAX: usize = 2_500;
/// Characters of what somebody says of themselves (their status), at most.
pub const STATUS_MAX_CHARS: usize = 100;
