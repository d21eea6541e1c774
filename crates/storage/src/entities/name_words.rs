//! Where people's names can be begun to be typed: each word of them, folded.

use sea_orm::entity::prelude::*;

/// A row of `name_words`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "name_words")]
pub struct Model {
    /// Folded; at most [`milena_domain::WORD_MAX_CHARS`] characters.
    #[sea_orm(primary_key, auto_increment = false)]
    pub word: String,
    /// Who has it in their username or display name.
    #[sea_orm(primary_key, auto_increment = false)]
    pub user_id: Uuid,
}

/// None: what belongs together is joined by the queries.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
