//! Facts born in the database that others are to be told.

use sea_orm::entity::prelude::*;

/// A row of `outbox`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "outbox")]
pub struct Model {
    /// Of what becomes an event of the log: that event's, so that it is there once.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// What it is.
    pub kind: String,
    /// JSON.
    pub payload: String,
    /// Milliseconds since 1970, by the database's clock.
    pub created_at_ms: i64,
    /// Until then somebody works on it, by the database's clock; 0: nobody does.
    pub leased_until_ms: i64,
}

/// None: what belongs together is joined by the queries.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
