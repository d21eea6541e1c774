//! Of what people want to be told in general. Not of the log: it is said, not sent.

use sea_orm::entity::prelude::*;

/// A row of `person_notifications`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "person_notifications")]
pub struct Model {
    /// The person.
    #[sea_orm(primary_key, auto_increment = false)]
    pub user_id: Uuid,
    /// How often they have changed something, here or in `conversation_notifications`.
    pub revision: i64,
    /// Of these, which was the last one here.
    pub changed_revision: i64,
    /// Between two people: `all`, `mentions` or `nothing`.
    pub direct_level: String,
    /// The same in rooms.
    pub rooms_level: String,
    /// A JSON list.
    #[sea_orm(column_type = "Text")]
    pub keywords: String,
    /// Milliseconds since 1970, before which they are not to be disturbed.
    pub dnd_until_ms: Option<i64>,
    /// When in the week they are not to be disturbed, in JSON.
    #[sea_orm(column_type = "Text", nullable)]
    pub dnd_schedule: Option<String>,
    /// Whether push messages may carry words.
    pub push_words: bool,
}

/// None: what belongs together is joined by the queries.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
