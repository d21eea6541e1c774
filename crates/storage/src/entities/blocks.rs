//! Who blocks the other in a direct conversation.

use sea_orm::entity::prelude::*;

/// A row of `blocks`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "blocks")]
pub struct Model {
    /// The conversation.
    #[sea_orm(primary_key, auto_increment = false)]
    pub conversation_id: Uuid,
    /// Who blocks.
    #[sea_orm(primary_key, auto_increment = false)]
    pub user_id: Uuid,
    /// Since which event.
    pub position: i64,
}

/// None: what belongs together is joined by the queries.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
