//! What people say of themselves for a while.
//!
//! Only an addition: a program of before writes nothing into this table. Who has no row says nothing.

use milena_domain::limits::{EMOJI_MAX_CHARS, STATUS_MAX_CHARS};
use sea_orm_migration::prelude::*;

use super::columns::{clustered_table, uuid};
use super::steps::create_table;

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let backend = manager.get_database_backend();
        let status = clustered_table(backend, "person_status")
            .col(uuid(backend, "user_id").primary_key())
            .col(ColumnDef::new("emoji").string_len(EMOJI_MAX_CHARS as u32).null())
            .col(ColumnDef::new("words").string_len(STATUS_MAX_CHARS as u32).null())
            .col(ColumnDef::new("until_ms").big_integer().null())
            .take();
        create_table(manager, status).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("person_status").take()).await
    }
}
