//! Who has put which reaction to which message.

use sea_orm::entity::prelude::*;

/// A row of `reactions`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "reactions")]
pub struct Model {
    /// The conversation.
    #[sea_orm(primary_key, auto_increment = false)]
    pub conversation_id: Uuid,
    /// The message.
    #[sea_orm(primary_key, auto_increment = false)]
    pub target_position: i64,
    /// Who.
    #[sea_orm(primary_key, auto_increment = false)]
    pub user_id: Uuid,
    /// Which one.
    #[sea_orm(primary_key, auto_increment = false)]
    pub emoji: String,
    /// The event that put it.
    pub position: i64,
}

/// None: what belongs together is joined by the queries.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
