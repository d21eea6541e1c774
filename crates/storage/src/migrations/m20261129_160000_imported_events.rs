//! Room events of import files that changed nothing, so that they change nothing in a second import either.
//!
//! Only an addition: a program of before writes nothing into this table.

use sea_orm_migration::prelude::*;

use super::columns::{clustered_table, uuid};
use super::steps::create_table;

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let backend = manager.get_database_backend();
        let imported =
            clustered_table(backend, "imported_events").col(uuid(backend, "id").primary_key()).take();
        create_table(manager, imported).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("imported_events").take()).await
    }
}
