//! Good records of the log that do not count, and why.

use sea_orm::entity::prelude::*;

/// A row of `void_records`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "void_records")]
pub struct Model {
    /// The conversation.
    #[sea_orm(primary_key, auto_increment = false)]
    pub conversation_id: Uuid,
    /// Their place.
    #[sea_orm(primary_key, auto_increment = false)]
    pub position: i64,
    /// Their id, which they do not use up.
    pub id: Uuid,
    /// The code of the fold.
    pub reason: String,
}

/// None: what belongs together is joined by the queries.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
