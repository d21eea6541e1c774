//! Reads what other chats export as one stream of neutral [`Item`]s: people, rooms, memberships, messages,
//! edits, reactions.
//!
//! A reader is pure but for reading its files: it knows nothing of servers, accounts and logs. It streams;
//! what it holds in memory does not grow with the export but for the people and rooms in it. It never follows
//! an address, and trusts no archive. Whatever cannot be brought along is counted ([`Loss`]),
//! and an entry that is wrong is told with its file, its number and the field, and passed over.

mod archive;
mod bson_stream;
mod discord;
mod emoji;
mod error;
mod format;
mod html;
mod irc;
mod item;
mod json;
mod lines;
mod markup;
mod matrix;
mod mattermost;
mod moment;
mod options;
mod output;
mod rocketchat;
mod slack;
mod telegram;
mod whatsapp;
mod zulip;

use sha2::{Digest, Sha256};

pub use error::ReadError;
pub use format::{Format, detect, read};
pub use item::{
    Change, Edit, Item, Membership, Message, Person, Piece, Reaction, Renamed, Room, RoomKind, Text, UnixMs,
};
pub use options::{DateOrder, Options, zone};
pub use output::{Found, Loss, Origin, Output, Stopped, Unit};

/// An id for what has none: the same for the same words, in every run.
pub(crate) fn made_id(said: &str) -> String {
    Sha256::digest(said).iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}
