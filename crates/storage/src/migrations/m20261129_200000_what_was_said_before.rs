//! What edited messages said before, where the settings have it kept; and a digest of what each event said
//! that has no row of the timeline, so that something else under its name is known from it for ever.
//!
//! Only additions: what programs of before write has neither.

use sea_orm_migration::prelude::*;

use super::columns::{clustered_table, long_text, number, uuid};
use super::steps::{add_column, create_index, create_table};

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

const EVENTS: &str = "effective_events";
const ABOUT: &str = "effective_events_about";
/// What it said, and about which message: of a deleted one nothing is left of that either.
const COLUMNS: [&str; 2] = ["digest", "target_position"];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let backend = manager.get_database_backend();
        let edits = clustered_table(backend, "message_edits")
            .col(uuid(backend, "conversation_id"))
            .col(number("target_position"))
            .col(number("position"))
            .col(number("at_ms"))
            .col(long_text(backend, "body"))
            .primary_key(Index::create().col("conversation_id").col("target_position").col("position"))
            .to_owned();
        create_table(manager, edits).await?;
        for name in COLUMNS {
            let column = ColumnDef::new(name).big_integer().null().take();
            add_column(manager, EVENTS, name, column).await?;
        }
        create_index(manager, EVENTS, ABOUT, ["conversation_id", "target_position"]).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("message_edits").take()).await?;
        if manager.has_index(EVENTS, ABOUT).await? {
            manager.drop_index(Index::drop().name(ABOUT).table(EVENTS).to_owned()).await?;
        }
        for name in COLUMNS {
            manager.alter_table(Table::alter().table(EVENTS).drop_column(name).take()).await?;
        }
        Ok(())
    }
}
