//! Each person's conversations, in the order of their list.

use sea_orm::entity::prelude::*;

/// A row of `conversation_lists`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "conversation_lists")]
pub struct Model {
    /// The conversation.
    #[sea_orm(primary_key, auto_increment = false)]
    pub conversation_id: Uuid,
    /// Who has it in their list.
    #[sea_orm(primary_key, auto_increment = false)]
    pub user_id: Uuid,
    /// As in `conversations`, to a span; rows of before have the time itself (see `queries::lists`).
    pub last_sent_at_ms: i64,
}

/// None: what belongs together is joined by the queries.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
