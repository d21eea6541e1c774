//! Which account an import made for a name that could not be a username as it was.

use sea_orm_migration::prelude::*;

use super::columns::{clustered_table, hash, short_text, uuid};
use super::steps::create_table;

/// Names of import files have at most as many.
const NAME_MAX_CHARS: u32 = 64;

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let backend = manager.get_database_backend();
        // By the hash of its bytes: MySQL takes texts that differ in blanks at their end for equal.
        let imported = clustered_table(backend, "imported_people")
            .col(hash(backend, "name_hash").primary_key())
            .col(short_text("name", NAME_MAX_CHARS))
            .col(uuid(backend, "user_id"))
            .to_owned();
        create_table(manager, imported).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("imported_people").take()).await
    }
}
