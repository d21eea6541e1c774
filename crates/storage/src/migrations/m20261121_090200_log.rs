//! How far the log is stored, and its epochs.

use sea_orm_migration::prelude::*;

use super::columns::{TOPIC_MAX_CHARS, clustered_table, number, short_text, small_number, table};

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let backend = manager.get_database_backend();
        let offsets = clustered_table(backend, "consumer_offsets")
            .col(short_text("topic", TOPIC_MAX_CHARS))
            .col(small_number("partition_id"))
            .col(small_number("epoch"))
            .col(number("next_offset"))
            .primary_key(Index::create().col("topic").col("partition_id").col("epoch"))
            .to_owned();
        manager.create_table(offsets).await?;

        let epochs = table(backend, "log_epochs")
            .col(small_number("epoch").primary_key())
            .col(number("began_at_ms"))
            .to_owned();
        manager.create_table(epochs).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("log_epochs").take()).await?;
        manager.drop_table(Table::drop().table("consumer_offsets").take()).await
    }
}
