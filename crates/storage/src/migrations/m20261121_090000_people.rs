//! People and their sessions.

use milena_domain::limits::{DISPLAY_NAME_MAX_CHARS, USERNAME_MAX_CHARS};
use sea_orm_migration::prelude::*;

use super::columns::{hash, key_text, number, short_text, table, uuid};
use crate::queries::sessions::USER_AGENT_MAX_CHARS;

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let backend = manager.get_database_backend();
        let users = table(backend, "users")
            .col(uuid(backend, "id").primary_key())
            .col(short_text("username", USERNAME_MAX_CHARS as u32))
            .col(key_text(backend, "username_folded", USERNAME_MAX_CHARS as u32))
            .col(short_text("display_name", DISPLAY_NAME_MAX_CHARS as u32))
            // One character may become three in lower case.
            .col(short_text("display_name_folded", 3 * DISPLAY_NAME_MAX_CHARS as u32))
            .col(ColumnDef::new("password_hash").string_len(255))
            .col(number("created_at_ms"))
            .to_owned();
        manager.create_table(users).await?;
        manager
            .create_index(
                Index::create().name("users_username").table("users").col("username_folded").unique().take(),
            )
            .await?;

        let sessions = table(backend, "sessions")
            .col(uuid(backend, "id").primary_key())
            .col(hash(backend, "token_hash"))
            .col(uuid(backend, "user_id"))
            .col(number("created_at_ms"))
            .col(number("last_seen_at_ms"))
            .col(number("expires_at_ms"))
            .col(short_text("user_agent", USER_AGENT_MAX_CHARS as u32))
            .foreign_key(
                ForeignKey::create()
                    .name("sessions_user")
                    .from("sessions", "user_id")
                    .to("users", "id")
                    .on_delete(ForeignKeyAction::Cascade),
            )
            .to_owned();
        manager.create_table(sessions).await?;
        for index in [
            Index::create().name("sessions_token").table("sessions").col("token_hash").unique().take(),
            Index::create().name("sessions_of_user").table("sessions").col("user_id").take(),
            Index::create().name("sessions_expiry").table("sessions").col("expires_at_ms").take(),
        ] {
            manager.create_index(index).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table("sessions").take()).await?;
        manager.drop_table(Table::drop().table("users").take()).await
    }
}
