//! The generations of the log. The newest is the current one.

use sea_orm::entity::prelude::*;

/// A row of `log_epochs`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "log_epochs")]
pub struct Model {
    /// 1 at first.
    #[sea_orm(primary_key, auto_increment = false)]
    pub epoch: i32,
    /// Milliseconds since 1970.
    pub began_at_ms: i64,
}

/// None: what belongs together is joined by the queries.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
