//! Which topics are being rewritten without the words of deleted messages, and how far that is.
//!
//! Only an addition: programs of before do not look, and have to be stopped like all others.

use sea_orm_migration::prelude::*;

use super::columns::{TOPIC_MAX_CHARS, number, short_text, small_number, table};
use super::steps::create_table;

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let rewrites = table(manager.get_database_backend(), "log_rewrites")
            .col(short_text("topic", TOPIC_MAX_CHARS).primary_key())
            .col(small_number("stage"))
            .col(number("began_at_ms"))
            .to_owned();
        create_table(manager, rewrites).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("log_rewrites").take()).await
    }
}
