//! Names of import files whose accounts have another username, because the name could not be one.

use sea_orm::entity::prelude::*;

/// A row of `imported_people`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "imported_people")]
pub struct Model {
    /// SHA-256 of the name.
    #[sea_orm(primary_key, auto_increment = false)]
    pub name_hash: Vec<u8>,
    /// As it stands in the file.
    pub name: String,
    /// Whose it is.
    pub user_id: Uuid,
}

/// None: what belongs together is joined by the queries.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
