//! The secret that all backends of this database share.

use sea_orm_migration::prelude::*;

use super::columns::{hash, number, small_number, table};
use super::steps::create_table;

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let keys = table(manager.get_database_backend(), "server_keys")
            .col(small_number("number").primary_key())
            .col(hash(manager.get_database_backend(), "secret"))
            .col(number("created_at_ms"))
            .to_owned();
        create_table(manager, keys).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("server_keys").take()).await
    }
}
