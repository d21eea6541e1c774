//! What the lists of rooms need besides the timeline: how far members have read, which message of their own
//! was the last, and the words by which a room is found.
//!
//! Three tables, because three write: `room_reads` whoever reads, `room_authors` the consumer with each batch
//! of messages, `room_words` the consumer when a room changes; none waits for another. Only additions.

use milena_domain::WORD_MAX_CHARS;
use sea_orm_migration::prelude::*;

use super::columns::{clustered_table, key_text, number, uuid};
use super::steps::{create_index, create_table};

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

/// Public rooms by their size. There are far more conversations of two: where the database can, these cost
/// nothing.
const DIRECTORY: &str =
    "CREATE INDEX conversations_directory ON conversations (visibility, archived, member_count, id)";
const DIRECTORY_ALONE: &str = " WHERE visibility = 'public'";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let backend = manager.get_database_backend();
        let of_person = |name: &'static str, value: &'static str| {
            clustered_table(backend, name)
                .col(uuid(backend, "conversation_id"))
                .col(uuid(backend, "user_id"))
                .col(number(value))
                .primary_key(Index::create().col("conversation_id").col("user_id"))
                .to_owned()
        };
        create_table(manager, of_person("room_reads", "last_read")).await?;
        create_table(manager, of_person("room_authors", "position")).await?;
        let words = clustered_table(backend, "room_words")
            .col(key_text(backend, "word", WORD_MAX_CHARS as u32))
            .col(uuid(backend, "conversation_id"))
            .primary_key(Index::create().col("word").col("conversation_id"))
            .to_owned();
        create_table(manager, words).await?;
        create_index(manager, "room_words", "room_words_of_room", ["conversation_id", "word"]).await?;
        if !manager.has_index("conversations", "conversations_directory").await? {
            let alone = if backend == sea_orm::DbBackend::MySql { "" } else { DIRECTORY_ALONE };
            manager.get_connection().execute_unprepared(&format!("{DIRECTORY}{alone}")).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let directory = Index::drop().name("conversations_directory").table("conversations").to_owned();
        manager.drop_index(directory).await?;
        for table in ["room_words", "room_authors", "room_reads"] {
            manager.drop_table(Table::drop().table(table).take()).await?;
        }
        Ok(())
    }
}
