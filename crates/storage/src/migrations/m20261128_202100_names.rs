//! Names as they are searched: folded, and each word of them a key of an index.
//!
//! Programs of before know nothing of this: people whom they store have `fold_version` 0, and people whom
//! they rename another `display_name` than `folded_from`. [`crate::queries::names`] finds both.

use milena_domain::limits::DISPLAY_NAME_MAX_CHARS;
use milena_domain::{FOLDED_NAME_MAX_CHARS, WORD_MAX_CHARS};
use sea_orm_migration::prelude::*;

use super::columns::{clustered_table, key_text, short_text, small_number, uuid};
use super::steps::{add_column, create_index, create_table};

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let backend = manager.get_database_backend();
        let columns = [
            (
                "name_folded",
                key_text(backend, "name_folded", FOLDED_NAME_MAX_CHARS as u32).default("").take(),
            ),
            ("folded_from", short_text("folded_from", DISPLAY_NAME_MAX_CHARS as u32).default("").take()),
            ("fold_version", small_number("fold_version").default(0).take()),
        ];
        for (name, column) in columns {
            add_column(manager, "users", name, column).await?;
        }
        let words = clustered_table(backend, "name_words")
            .col(key_text(backend, "word", WORD_MAX_CHARS as u32))
            .col(uuid(backend, "user_id"))
            .primary_key(Index::create().col("word").col("user_id"))
            .to_owned();
        create_index(manager, "users", "users_name", ["name_folded"]).await?;
        create_index(manager, "users", "users_fold_version", ["fold_version", "id"]).await?;
        create_table(manager, words).await?;
        create_index(manager, "name_words", "name_words_of_user", ["user_id", "word"]).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("name_words").take()).await?;
        for index in ["users_name", "users_fold_version"] {
            manager.drop_index(Index::drop().name(index).table("users").to_owned()).await?;
        }
        for column in ["name_folded", "folded_from", "fold_version"] {
            manager.alter_table(Table::alter().table("users").drop_column(column).take()).await?;
        }
        Ok(())
    }
}
