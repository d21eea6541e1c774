//! Where people are named.

use sea_orm::entity::prelude::*;

/// A row of `mentions`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "mentions")]
pub struct Model {
    /// Who is named.
    #[sea_orm(primary_key, auto_increment = false)]
    pub user_id: Uuid,
    /// The conversation.
    #[sea_orm(primary_key, auto_increment = false)]
    pub conversation_id: Uuid,
    /// The message.
    #[sea_orm(primary_key, auto_increment = false)]
    pub position: i64,
    /// When it was sent, in milliseconds since 1970; none where a program of before has stored, until the
    /// person asks.
    pub sent_at_ms: Option<i64>,
}

/// None: what belongs together is joined by the queries.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
