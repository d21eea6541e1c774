//! Where people's devices are told what came while nobody looked, and up to where that was taken up.
//!
//! Only additions. A subscription goes with its session, whoever ends it, also a program of before.

use sea_orm_migration::prelude::*;

use super::columns::{
    TOPIC_MAX_CHARS, clustered_table, hash, long_text, number, short_text, small_number, table, uuid,
};
use super::steps::{create_index, create_table};
use crate::queries::push::LABEL_MAX_CHARS;

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

/// Base64 of a point of P-256, and of 16 bytes.
const KEY_MAX_CHARS: u32 = 100;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let backend = manager.get_database_backend();
        let subscriptions = table(backend, "push_subscriptions")
            .col(uuid(backend, "id").primary_key())
            .col(uuid(backend, "user_id"))
            .col(uuid(backend, "session_id"))
            .col(hash(backend, "endpoint_hash").unique_key())
            .col(long_text(backend, "endpoint"))
            .col(short_text("p256dh", KEY_MAX_CHARS))
            .col(short_text("auth", KEY_MAX_CHARS))
            .col(short_text("label", LABEL_MAX_CHARS as u32))
            .col(ColumnDef::new("words").boolean().not_null())
            .col(number("created_at_ms"))
            .foreign_key(
                ForeignKey::create()
                    .name("push_subscriptions_session")
                    .from("push_subscriptions", "session_id")
                    .to("sessions", "id")
                    .on_delete(ForeignKeyAction::Cascade),
            )
            .to_owned();
        create_table(manager, subscriptions).await?;
        let of = "push_subscriptions";
        create_index(manager, of, "push_subscriptions_of_user", ["user_id", "id"]).await?;
        create_index(manager, of, "push_subscriptions_of_session", ["session_id"]).await?;
        let offsets = clustered_table(backend, "push_positions")
            .col(short_text("topic", TOPIC_MAX_CHARS))
            .col(small_number("partition_id"))
            .col(number("next_position"))
            .primary_key(Index::create().col("topic").col("partition_id"))
            .to_owned();
        create_table(manager, offsets).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in ["push_positions", "push_subscriptions"] {
            manager.drop_table(Table::drop().table(table).take()).await?;
        }
        Ok(())
    }
}
