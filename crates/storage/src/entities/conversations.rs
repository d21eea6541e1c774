//! Conversations, each derived from its first record in the log.

use sea_orm::entity::prelude::*;

/// A row of `conversations`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "conversations")]
pub struct Model {
    /// The conversation.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// `direct`; rooms will come.
    pub kind: String,
    /// None for direct conversations.
    pub title: Option<String>,
    /// Position of the newest stored message.
    pub last_position: i64,
    /// When that message was sent: the order of conversation lists.
    pub last_sent_at_ms: i64,
    /// When its first stored message was sent.
    pub created_at_ms: i64,
}

/// None: what belongs together is joined by the queries.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
