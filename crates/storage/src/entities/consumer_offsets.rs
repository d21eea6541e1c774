//! How far the log is stored: written in the same transaction as the rows, by compare-and-set.

use sea_orm::entity::prelude::*;

/// A row of `consumer_offsets`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "consumer_offsets")]
pub struct Model {
    /// The topic.
    #[sea_orm(primary_key, auto_increment = false)]
    pub topic: String,
    /// The partition.
    #[sea_orm(primary_key, auto_increment = false)]
    pub partition_id: i32,
    /// The epoch.
    #[sea_orm(primary_key, auto_increment = false)]
    pub epoch: i32,
    /// The first offset that is not stored.
    pub next_offset: i64,
    /// Up to where what is stored stands in the conversation lists too; behind when a program of before
    /// stores.
    pub listed_offset: i64,
    /// Counts up when something was put back behind the offset, which who writes on must learn.
    pub rewritten: i64,
}

/// None: what belongs together is joined by the queries.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
