//! Who does not want others to know what they have read.
//!
//! Only an addition: programs of before show everybody's marks, as they did.

use sea_orm_migration::prelude::*;

use super::columns::{clustered_table, uuid};
use super::steps::create_table;

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let backend = manager.get_database_backend();
        let hidden =
            clustered_table(backend, "hidden_receipts").col(uuid(backend, "user_id").primary_key()).take();
        create_table(manager, hidden).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("hidden_receipts").take()).await
    }
}
