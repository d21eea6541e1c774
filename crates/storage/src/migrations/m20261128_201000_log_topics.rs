//! How many partitions a topic had when an epoch began: partitions added since are noticed, and old records
//! are still known for good ones.

use sea_orm_migration::prelude::*;

use super::columns::{TOPIC_MAX_CHARS, clustered_table, short_text, small_number};
use super::steps::create_table;

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let topics = clustered_table(manager.get_database_backend(), "log_topics")
            .col(short_text("topic", TOPIC_MAX_CHARS))
            .col(small_number("epoch"))
            .col(small_number("partitions"))
            .primary_key(Index::create().col("topic").col("epoch"))
            .to_owned();
        create_table(manager, topics).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("log_topics").take()).await
    }
}
