//! The secret that all backends of this database share; see `milena_domain::ServerKey`.

use sea_orm::entity::prelude::*;

/// A row of `server_keys`. There is one, number 1.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "server_keys")]
pub struct Model {
    /// 1.
    #[sea_orm(primary_key, auto_increment = false)]
    pub number: i32,
    /// 32 random bytes.
    pub secret: Vec<u8>,
    /// Milliseconds since 1970.
    pub created_at_ms: i64,
}

/// None: what belongs together is joined by the queries.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
