//! What Milena is about, without any I/O: ids, text rules, events, positions and cursors.
//!
//! Every other crate depends on this one and this one on none of them, so that a rule is written once and
//! holds for the browser's frame, the record in the log and the row in the store alike.

mod client_id;
pub mod cure;
mod cursor;
mod event;
mod field;
#[cfg(test)]
mod fuzz;
mod ids;
pub mod limits;
mod log_guard;
mod partition;
mod password_strength;
mod position;
pub mod record;
mod reserved;
mod server_key;
mod signal;
mod status;
pub mod tell;
mod text;
mod time;
mod unicode;

pub use client_id::ClientId;
pub use cursor::{CursorError, SessionCursor};
pub use event::{
    DecodeError, Event, HEADER_ID, HEADER_SENDER, HEADER_TO, HEADER_TYPE, MessageEvent, TYPE_MESSAGE, VERSION,
};
pub use field::{FieldError, FieldResult};
pub use ids::{ConversationId, MessageId, UserId};
pub use log_guard::{LogMismatch, PartitionState, StoredLog, check_log};
pub use partition::{Partitioning, partition_of};
pub use position::{Epoch, MAX_OFFSET, Position};
pub use server_key::{ServerKey, Subkey};
pub use signal::{Availability, PEOPLE_PART_MAX, ReadSignal, RoomReadSignal, RoomSeenSignal, Signal};
pub use status::Status;
pub use text::{Body, DisplayName, Password, Username};
pub use time::Timestamp;
pub use unicode::{
    FOLDED_NAME_MAX_CHARS, WORD_MAX_CHARS, composed_compatible, fold, folded_name, is_visible, lookalike,
    word_starts, words,
};
