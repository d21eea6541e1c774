//! Topics that are being rewritten without the words of deleted messages.

use sea_orm::entity::prelude::*;

/// A row of `log_rewrites`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "log_rewrites")]
pub struct Model {
    /// The message topic.
    #[sea_orm(primary_key, auto_increment = false)]
    pub topic: String,
    /// How far that is: see [`crate::RewriteStage`].
    pub stage: i32,
    /// Milliseconds since 1970.
    pub began_at_ms: i64,
}

/// None: what belongs together is joined by the queries.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
