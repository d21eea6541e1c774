//! People who can sign in, or whom an import brought along.

use sea_orm::entity::prelude::*;

/// A row of `users`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "users")]
pub struct Model {
    /// The person.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// As typed at registration.
    pub username: String,
    /// What uniqueness and login compare.
    #[sea_orm(unique)]
    pub username_folded: String,
    /// The name to show.
    pub display_name: String,
    /// In lower case: what programs of before search.
    pub display_name_folded: String,
    /// PHC text of argon2id; none for imported people, who cannot sign in.
    pub password_hash: Option<String>,
    /// Milliseconds since 1970.
    pub created_at_ms: i64,
    /// The display name as it is compared from its beginning on.
    pub name_folded: String,
    /// The display name that was folded.
    pub folded_from: String,
    /// By which version of the folding; 0 for not yet.
    pub fold_version: i32,
}

/// None: what belongs together is joined by the queries.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
