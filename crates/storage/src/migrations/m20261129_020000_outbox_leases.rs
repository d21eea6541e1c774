//! Rows of the outbox are worked off by one program at a time, the oldest first.
//!
//! Only additions: a program of before writes nothing into this table.

use sea_orm_migration::prelude::*;

use super::columns::number;
use super::steps::{add_column, create_index};

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let leased_until = number("leased_until_ms").default(0).take();
        add_column(manager, "outbox", "leased_until_ms", leased_until).await?;
        create_index(manager, "outbox", "outbox_order", ["kind", "created_at_ms", "id"]).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_index(Index::drop().name("outbox_order").table("outbox").to_owned()).await?;
        manager.alter_table(Table::alter().table("outbox").drop_column("leased_until_ms").take()).await
    }
}
