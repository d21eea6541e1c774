//! Conversations, their members and their messages.
//!
//! No foreign keys: all three are written by one transaction of the consumer, and a replay into an empty
//! database has no people.

use milena_domain::limits::CLIENT_ID_MAX_CHARS;
use sea_orm_migration::prelude::*;

use super::columns::{clustered_table, long_text, number, short_text, table, uuid};

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let backend = manager.get_database_backend();
        let conversations = table(backend, "conversations")
            .col(uuid(backend, "id").primary_key())
            .col(short_text("kind", 16))
            .col(ColumnDef::new("title").string_len(128))
            .col(number("last_position"))
            .col(number("last_sent_at_ms"))
            .col(number("created_at_ms"))
            .to_owned();
        manager.create_table(conversations).await?;

        let members = clustered_table(backend, "members")
            .col(uuid(backend, "conversation_id"))
            .col(uuid(backend, "user_id"))
            .col(number("joined_at_ms"))
            .col(number("last_read"))
            .primary_key(Index::create().col("conversation_id").col("user_id"))
            .to_owned();
        manager.create_table(members).await?;
        // With the conversation in it, the list of a person's conversations is read from the index alone.
        let of_user = Index::create()
            .name("members_of_user")
            .table("members")
            .col("user_id")
            .col("conversation_id")
            .take();
        manager.create_index(of_user).await?;

        let messages = clustered_table(backend, "messages")
            .col(uuid(backend, "conversation_id"))
            .col(number("position"))
            .col(uuid(backend, "id"))
            .col(uuid(backend, "sender_id"))
            .col(uuid(backend, "recipient_id"))
            .col(short_text("client_id", CLIENT_ID_MAX_CHARS as u32))
            .col(number("sent_at_ms"))
            .col(long_text(backend, "body"))
            .primary_key(Index::create().col("conversation_id").col("position"))
            .to_owned();
        manager.create_table(messages).await?;
        let by_id = Index::create().name("messages_id").table("messages").col("id").unique().take();
        manager.create_index(by_id).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in ["messages", "members", "conversations"] {
            manager.drop_table(Table::drop().table(table).take()).await?;
        }
        Ok(())
    }
}
