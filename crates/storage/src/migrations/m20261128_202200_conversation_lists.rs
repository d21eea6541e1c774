//! Each person's conversations in the order of their list, so that a page of it costs a page, not the whole
//! list.
//!
//! A table of its own: `members` is written by whoever reads messages, this one by the consumer alone, and
//! neither waits for the other. `listed_offset` says how far a partition is listed; programs of before move
//! `next_offset` only, and so leave a trace, by which [`crate::queries::lists`] knows that something is to be
//! mended.

use sea_orm_migration::prelude::*;

use super::columns::{clustered_table, number, uuid};
use super::steps::{add_column, create_index, create_table};

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let backend = manager.get_database_backend();
        let lists = clustered_table(backend, "conversation_lists")
            .col(uuid(backend, "conversation_id"))
            .col(uuid(backend, "user_id"))
            .col(number("last_sent_at_ms"))
            .primary_key(Index::create().col("conversation_id").col("user_id"))
            .to_owned();
        create_table(manager, lists).await?;
        let in_order = ["user_id", "last_sent_at_ms", "conversation_id"];
        create_index(manager, "conversation_lists", "conversation_lists_in_order", in_order).await?;
        let listed = number("listed_offset").default(0).take();
        add_column(manager, "consumer_offsets", "listed_offset", listed).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let offsets = Table::alter().table("consumer_offsets").drop_column("listed_offset").take();
        manager.alter_table(offsets).await?;
        manager.drop_table(Table::drop().table("conversation_lists").take()).await
    }
}
