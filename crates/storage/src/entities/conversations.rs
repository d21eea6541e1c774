//! Conversations, each derived from its first record in the log.

use sea_orm::entity::prelude::*;

/// A row of `conversations`.
#[derive(Clone, Debug, PartialEq, Eq, Default, DeriveEntityModel)]
#[sea_orm(table_name = "conversations")]
pub struct Model {
    /// The conversation.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// `direct` or `room`.
    pub kind: String,
    /// None for direct conversations.
    pub title: Option<String>,
    /// Position of the newest stored message.
    pub last_position: i64,
    /// When that message was sent: the order of conversation lists.
    pub last_sent_at_ms: i64,
    /// When its first stored message was sent, or the room was created.
    pub created_at_ms: i64,
    /// A room's name in addresses. Two rooms may have taken the same one: it is the first one's, by
    /// (`handle_position`, `id`).
    pub handle: Option<String>,
    /// The event that gave it.
    pub handle_position: Option<i64>,
    /// What a room is about.
    pub topic: Option<String>,
    /// Who may find and join a room.
    pub visibility: Option<String>,
    /// What a room's members see of the time before them.
    pub history: Option<String>,
    /// Who may write in a room.
    pub posting: Option<String>,
    /// Whether a room is closed.
    pub archived: bool,
    /// Where a room was created.
    pub created_position: Option<i64>,
    /// Where any of a room's facts was last changed.
    pub changed_position: Option<i64>,
    /// People in a room.
    pub member_count: i32,
    /// Owners among them.
    pub owner_count: i32,
    /// A checkpoint of which more parts are to come.
    pub awaits_more: bool,
    /// How many messages it has, up to `numbered_position`.
    pub last_seq: i64,
    /// Up to where its messages have their `seq`: behind `last_position` when a program of before has stored.
    pub numbered_position: i64,
    /// The newest event that counted and is no message; 0 for none.
    pub folded_position: i64,
}

/// None: what belongs together is joined by the queries.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
