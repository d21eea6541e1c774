//! Up to where the log was taken up for pushing.

use sea_orm::entity::prelude::*;

/// A row of `push_positions`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "push_positions")]
pub struct Model {
    /// The topic.
    #[sea_orm(primary_key, auto_increment = false)]
    pub topic: String,
    /// The partition.
    #[sea_orm(primary_key, auto_increment = false)]
    pub partition_id: i32,
    /// `epoch << 40 | offset`: everything before was pushed by whoever moved it here, or never will be.
    pub next_position: i64,
}

/// None: what belongs together is joined by the queries.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
