//! Entities, migrations, queries and the bulk writer of Milena's relational store: SQLite, PostgreSQL,
//! MariaDB/MySQL.
//!
//! The store is a *reading copy of the log* plus what the log does not have (people, sessions, read
//! positions, the server's secret). That decides most of what is done here:
//!
//! - **Messages have one writer path**, [`Store::write_batch`]: rows, the conversations and members that
//!   follow from them and the log offsets they came from are one transaction, opened by a compare-and-set on
//!   the stored offsets. A consumer that lost its partition cannot write; a batch that is written again
//!   changes nothing.
//! - **Answers say how much of the log they contain.** [`Store::conversations_of`] and
//!   [`Store::conversation_of`] read rows and offsets from the same snapshot, so that a caller can add
//!   exactly the newer records it has in memory.
//! - **A database that is away is a temporary error, soon.** Each call ends within about `acquire_timeout_ms`
//!   ([`StorageError::Unavailable`]), also when the server hangs or the network swallows packets, and works
//!   again by itself when the server does. A batch and a migration may take longer, see
//!   [`Store::write_batch`].
//! - **The three databases behave alike**: exact, case-sensitive texts; UUIDs in 16 bytes, in byte order;
//!   times in milliseconds; one conformance suite runs on all of them.
//!
//! # Map
//!
//! | module | what |
//! |---|---|
//! | `address`, `hosts` | what the URL says: IPv6, several hosts, hints for what breaks it |
//! | `fitness` | whether the database can hold what is accepted |
//! | `connect`, `store` | pools, timeouts, transactions: how each database is opened and why so |
//! | `migrations` | the schema, one file a step; a published step is never edited |
//! | `entities` | one file a table |
//! | `room_rows` | how a room and people's standing are read, for writer and queries alike |
//! | `queries` | one file a topic, all as methods of [`Store`] |
//! | `writer` | the bulk writer: fence, rows, derived rows; one strategy for PostgreSQL, one for the others |
//! | `crash_point` | places at which tests end the process; nothing in a release build |
//! | `failure`, `error` | what a database error means: temporary, bad data, or neither |
//!
//! Row types live here only; callers get domain types. A row that does not make a domain type is
//! [`StorageError::Corrupt`].

mod abandoned;
mod address;
mod connect;
mod crash_point;
pub mod entities;
mod error;
mod failure;
mod fitness;
mod hosts;
pub mod migrations;
mod queries;
mod room_rows;
mod sql;
mod store;
mod writer;

pub use crash_point::crash_point;
pub use error::{StorageError, WriteError};
pub use queries::blocks::StoredBlocks;
pub use queries::conversations::{ConversationKind, ConversationSummary, ListCursor, Listing, Touched};
pub use queries::edits::StoredEdit;
pub use queries::history::{HistoryPage, Page, StoredMessage};
pub use queries::life::{
    MessageNow, NAMED_OF_REACTION, REACTIONS_TOLD, StoredFacts, StoredLife, StoredReactions,
};
pub use queries::mentions::MentionCursor;
pub use queries::notifications::{StoredNotifications, StoredOwn};
pub use queries::offsets::LogPosition;
pub use queries::outbox::Joining;
pub use queries::partitions::NotedPartitions;
pub use queries::passwords::{Credentials, Replaced};
pub use queries::people::{NewUser, Person};
pub use queries::places::StoredPlace;
pub use queries::presence::{Audience, StoredPresence};
pub use queries::push::{LABEL_MAX_CHARS, PushSubscription, SUBSCRIPTIONS_MAX, Subscribed};
pub use queries::reactions::{PutReaction, ReactionPage};
pub use queries::reads::ReadMark;
pub use queries::rewrites::RewriteStage;
pub use queries::rooms::directory::DirectoryCursor;
pub use queries::rooms::list::RoomSummary;
pub use queries::rooms::members::{MemberCursor, RoomMember};
pub use queries::rooms::state::StoredRoom;
pub use queries::sessions::{NewSession, Session, TOKENS_MAX, USER_AGENT_MAX_CHARS};
pub use queries::timeline::{PositionRange, TimelinePage};
pub use queries::traces::{StoredInterval, StoredMention, StoredReaction, TimelineRow, TraceCounts};
pub use store::{CALLS, Store, StoreKind};
pub use writer::{OffsetAdvance, WriteBatch, WriteReport, payload_of};
