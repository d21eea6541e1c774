//! What edited messages said, where that is kept.

use sea_orm::entity::prelude::*;

/// A row of `message_edits`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "message_edits")]
pub struct Model {
    /// The conversation.
    #[sea_orm(primary_key, auto_increment = false)]
    pub conversation_id: Uuid,
    /// The message.
    #[sea_orm(primary_key, auto_increment = false)]
    pub target_position: i64,
    /// Where these words were said: the message's own place, or the edit's.
    #[sea_orm(primary_key, auto_increment = false)]
    pub position: i64,
    /// When, in milliseconds since 1970.
    pub at_ms: i64,
    /// The words.
    #[sea_orm(column_type = "Text")]
    pub body: String,
}

/// None: what belongs together is joined by the queries.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
