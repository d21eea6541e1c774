//! How people want to be seen, and when they were here last.
//!
//! Only an addition: a program of before writes nothing into this table. Who has no row has changed nothing
//! and was not seen since.

use sea_orm_migration::prelude::*;

use super::columns::{clustered_table, short_text, uuid};
use super::steps::create_table;

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let backend = manager.get_database_backend();
        let presence = clustered_table(backend, "person_presence")
            .col(uuid(backend, "user_id").primary_key())
            .col(ColumnDef::new("hidden").boolean().not_null().default(false))
            .col(short_text("audience", 16).default("shared"))
            .col(ColumnDef::new("seen_at_ms").big_integer().null())
            .take();
        create_table(manager, presence).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("person_presence").take()).await
    }
}
