//! Signed-in browsers and programs.

use sea_orm::entity::prelude::*;

/// A row of `sessions`.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "sessions")]
pub struct Model {
    /// The session's name towards its owner; not the token.
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: Uuid,
    /// SHA-256 of the token: 32 bytes.
    #[sea_orm(unique, column_type = "Binary(32)")]
    pub token_hash: Vec<u8>,
    /// Who is signed in.
    pub user_id: Uuid,
    /// Milliseconds since 1970.
    pub created_at_ms: i64,
    /// Milliseconds since 1970.
    pub last_seen_at_ms: i64,
    /// Milliseconds since 1970; from then on the session counts as absent.
    pub expires_at_ms: i64,
    /// Milliseconds since 1970; use moves `expires_at_ms` no further. `None` as long as only a program wrote
    /// the row that does not know of it.
    pub ends_at_ms: Option<i64>,
    /// What the client called itself.
    pub user_agent: String,
}

/// A session belongs to its person and goes with them.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    /// Who is signed in.
    #[sea_orm(belongs_to = "super::users::Entity", from = "Column::UserId", to = "super::users::Column::Id")]
    User,
}

impl Related<super::users::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::User.def()
    }
}

impl ActiveModelBehavior for ActiveModel {}
