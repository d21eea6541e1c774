//! Of what people want to be told, in general and of each conversation.
//!
//! Only an addition: a program of before writes nothing into these tables. Who has no row has changed
//! nothing.

use sea_orm_migration::prelude::*;

use super::columns::{clustered_table, long_text, number, short_text, uuid};
use super::steps::create_table;

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

const GENERAL: &str = "person_notifications";
const OWN: &str = "conversation_notifications";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let backend = manager.get_database_backend();
        let general = clustered_table(backend, GENERAL)
            .col(uuid(backend, "user_id").primary_key())
            .col(number("revision"))
            .col(number("changed_revision"))
            .col(short_text("direct_level", 16))
            .col(short_text("rooms_level", 16))
            .col(long_text(backend, "keywords"))
            .col(ColumnDef::new("dnd_until_ms").big_integer().null())
            .col(ColumnDef::new("dnd_schedule").text().null())
            .col(ColumnDef::new("push_words").boolean().not_null().default(true))
            .take();
        create_table(manager, general).await?;
        let own = clustered_table(backend, OWN)
            .col(uuid(backend, "user_id"))
            .col(uuid(backend, "conversation_id"))
            .col(number("revision"))
            .col(ColumnDef::new("level").string_len(16).null())
            .col(ColumnDef::new("muted").boolean().not_null().default(false))
            .col(ColumnDef::new("muted_until_ms").big_integer().null())
            .col(ColumnDef::new("ignore_everyone").boolean().not_null().default(false))
            .primary_key(Index::create().col("user_id").col("conversation_id"))
            .take();
        create_table(manager, own).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table(OWN).take()).await?;
        manager.drop_table(Table::drop().table(GENERAL).take()).await
    }
}
