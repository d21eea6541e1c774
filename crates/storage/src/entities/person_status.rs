//! What people say of themselves for a while. Not of the log: it is said, not sent.

use sea_orm::entity::prelude::*;

/// A row of `person_status`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "person_status")]
pub struct Model {
    /// The person.
    #[sea_orm(primary_key, auto_increment = false)]
    pub user_id: Uuid,
    /// A sign.
    pub emoji: Option<String>,
    /// At most 100 characters.
    pub words: Option<String>,
    /// Milliseconds since 1970, from when on it is not shown; none: until it is changed.
    pub until_ms: Option<i64>,
}

/// None: what belongs together is joined by the queries.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
