//! How people want to be seen, and when they were here last. Not of the log: it is said, not sent.

use sea_orm::entity::prelude::*;

/// A row of `person_presence`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "person_presence")]
pub struct Model {
    /// The person.
    #[sea_orm(primary_key, auto_increment = false)]
    pub user_id: Uuid,
    /// Whether they are to be taken for offline.
    pub hidden: bool,
    /// Who may see them: `everybody`, `shared` (those with whom they share a conversation) or `nobody`.
    pub audience: String,
    /// Milliseconds since 1970; only grows. None as long as they were not seen to go.
    pub seen_at_ms: Option<i64>,
}

/// None: what belongs together is joined by the queries.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
