//! Where rooms can be begun to be typed: each word of handle, title and topic, folded.

use sea_orm::entity::prelude::*;

/// A row of `room_words`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "room_words")]
pub struct Model {
    /// Folded; at most [`milena_domain::WORD_MAX_CHARS`] characters.
    #[sea_orm(primary_key, auto_increment = false)]
    pub word: String,
    /// The room that has it.
    #[sea_orm(primary_key, auto_increment = false)]
    pub conversation_id: Uuid,
}

/// None: what belongs together is joined by the queries.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
