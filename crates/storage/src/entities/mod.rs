//! The tables as rows: one file a table. Public for tests and tools; the programs use [`crate::Store`].
#![allow(missing_docs, reason = "the derived items; the fields are documented")]

pub mod blocks;
pub mod consumer_offsets;
pub mod conversation_lists;
pub mod conversation_notifications;
pub mod conversations;
pub mod effective_events;
pub mod hidden_receipts;
pub mod imported_events;
pub mod imported_people;
pub mod log_epochs;
pub mod log_rewrites;
pub mod log_topics;
pub mod members;
pub mod memberships;
pub mod mentions;
pub mod message_edits;
pub mod messages;
pub mod name_words;
pub mod outbox;
pub mod person_notifications;
pub mod person_presence;
pub mod person_status;
pub mod push_positions;
pub mod push_subscriptions;
pub mod reactions;
pub mod room_authors;
pub mod room_people;
pub mod room_reads;
pub mod room_words;
pub mod server_keys;
pub mod sessions;
pub mod users;
pub mod void_records;
