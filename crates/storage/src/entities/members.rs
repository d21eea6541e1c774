//! Who is in which conversation, and how far they have read.

use sea_orm::entity::prelude::*;

/// A row of `members`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "members")]
pub struct Model {
    /// The conversation.
    #[sea_orm(primary_key, auto_increment = false)]
    pub conversation_id: Uuid,
    /// The person; there may be no row in `users` after a replay into an empty database.
    #[sea_orm(primary_key, auto_increment = false)]
    pub user_id: Uuid,
    /// Milliseconds since 1970.
    pub joined_at_ms: i64,
    /// Position up to which they have read; 0 for nothing. Only grows.
    pub last_read: i64,
}

/// None: what belongs together is joined by the queries.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
