//! How many partitions a topic had when an epoch began. Written once, by whichever program is first.

use sea_orm::entity::prelude::*;

/// A row of `log_topics`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "log_topics")]
pub struct Model {
    /// The topic.
    #[sea_orm(primary_key, auto_increment = false)]
    pub topic: String,
    /// The epoch.
    #[sea_orm(primary_key, auto_increment = false)]
    pub epoch: i32,
    /// Its partitions then.
    pub partitions: i32,
}

/// None: what belongs together is joined by the queries.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
