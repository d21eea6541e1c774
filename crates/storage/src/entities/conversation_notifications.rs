//! Of what people want to be told of one conversation. Not of the log: it is said, not sent.

use sea_orm::entity::prelude::*;

/// A row of `conversation_notifications`. It stays when everything is as in general again: its `revision`
/// tells what was changed.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "conversation_notifications")]
pub struct Model {
    /// The person.
    #[sea_orm(primary_key, auto_increment = false)]
    pub user_id: Uuid,
    /// The conversation.
    #[sea_orm(primary_key, auto_increment = false)]
    pub conversation_id: Uuid,
    /// Which of the person's changes was the last one here.
    pub revision: i64,
    /// `all`, `mentions`, `nothing`, or none: as in general.
    pub level: Option<String>,
    /// Whether it is muted.
    pub muted: bool,
    /// Milliseconds since 1970, from when on it is not; none: for good.
    pub muted_until_ms: Option<i64>,
    /// Whether calls for everybody are messages like any other.
    pub ignore_everyone: bool,
}

/// None: what belongs together is joined by the queries.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
