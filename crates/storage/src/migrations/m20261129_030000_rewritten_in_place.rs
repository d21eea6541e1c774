//! Conversations of two are rewritten with every batch that has a message of theirs, and none of what the
//! indexes hold changes by that.
//!
//! PostgreSQL then leaves the indexes alone, if the new version of the row finds room on the page of the old
//! one: pages are filled in part. And only rooms have handles, so only they are in that index. What is stored
//! already stays where it is until it is rewritten.

use sea_orm::DbBackend;
use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

const HANDLES: &str = "CREATE INDEX conversations_handle ON conversations (handle, handle_position)";
const HANDLES_ALONE: &str = " WHERE handle IS NOT NULL";
const FILL: &str = "ALTER TABLE conversations SET (fillfactor = 60)";
const FILL_UP: &str = "ALTER TABLE conversations RESET (fillfactor)";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        if manager.get_database_backend() == DbBackend::MySql {
            return Ok(());
        }
        if manager.get_database_backend() == DbBackend::Postgres {
            manager.get_connection().execute_unprepared(FILL).await?;
        }
        index_handles(manager, HANDLES_ALONE).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        if manager.get_database_backend() == DbBackend::MySql {
            return Ok(());
        }
        if manager.get_database_backend() == DbBackend::Postgres {
            manager.get_connection().execute_unprepared(FILL_UP).await?;
        }
        index_handles(manager, "").await
    }
}

async fn index_handles(manager: &SchemaManager<'_>, which: &str) -> Result<(), DbErr> {
    let connection = manager.get_connection();
    connection.execute_unprepared("DROP INDEX IF EXISTS conversations_handle").await?;
    connection.execute_unprepared(&format!("{HANDLES}{which}")).await?;
    Ok(())
}
