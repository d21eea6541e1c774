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
    /// In lower case, for the search.
    pub display_name_folded: String,
    /// PHC text of argon2id; none for imported people, who cannot sign in.
    pub password_hash: Option<String>,
    /// Milliseconds since 1970.
    pub created_at_ms: i64,
}

/// None: what belongs together is joined by the queries.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
