//! One timeline of many kinds of events among many people, and what the fold must find again of them.
//!
//! Only additions: programs of before go on writing messages between two people beside this one. What they
//! leave out is seen by `numbered_position`, which then is not `last_position`
//! ([`crate::queries::numbering`]). Nothing is filled here: the columns are added under a lock that keeps
//! everybody out, and filling takes the time of what is stored ([`super::fill`]).

use milena_domain::limits::{EMOJI_MAX_CHARS, HANDLE_MAX_CHARS, TOPIC_MAX_CHARS};
use sea_orm_migration::prelude::*;

use super::columns::{clustered_table, long_text, number, short_text, small_number, table, uuid};
use super::steps::{add_column, create_index, create_table};

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

/// The longest name of a kind, a role or a choice, with room for more.
const NAME_MAX_CHARS: u32 = 32;

fn nullable_number(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).big_integer().null().take()
}

fn nullable_text(name: &'static str, max: u32) -> ColumnDef {
    ColumnDef::new(name).string_len(max).null().take()
}

fn mark(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).boolean().not_null().default(false).take()
}

fn of_conversations() -> Vec<(&'static str, ColumnDef)> {
    vec![
        ("handle", nullable_text("handle", HANDLE_MAX_CHARS as u32)),
        ("handle_position", nullable_number("handle_position")),
        ("topic", nullable_text("topic", TOPIC_MAX_CHARS as u32)),
        ("visibility", nullable_text("visibility", NAME_MAX_CHARS)),
        ("history", nullable_text("history", NAME_MAX_CHARS)),
        ("posting", nullable_text("posting", NAME_MAX_CHARS)),
        ("archived", mark("archived")),
        ("created_position", nullable_number("created_position")),
        ("changed_position", nullable_number("changed_position")),
        ("member_count", small_number("member_count").default(0).take()),
        ("owner_count", small_number("owner_count").default(0).take()),
        ("awaits_more", mark("awaits_more")),
        ("last_seq", number("last_seq").default(0).take()),
        ("numbered_position", number("numbered_position").default(0).take()),
        ("folded_position", number("folded_position").default(0).take()),
    ]
}

fn of_messages() -> Vec<(&'static str, ColumnDef)> {
    vec![
        ("kind", short_text("kind", NAME_MAX_CHARS).default("message").take()),
        ("payload", ColumnDef::new("payload").text().null().take()),
        ("seq", nullable_number("seq")),
        ("edited_position", nullable_number("edited_position")),
        ("deleted_position", nullable_number("deleted_position")),
        ("pinned_position", nullable_number("pinned_position")),
        ("unpinned_position", nullable_number("unpinned_position")),
        ("changed_position", nullable_number("changed_position")),
    ]
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let backend = manager.get_database_backend();
        for (name, column) in of_conversations() {
            add_column(manager, "conversations", name, column).await?;
        }
        create_index(manager, "conversations", "conversations_handle", ["handle", "handle_position"]).await?;
        for (name, mut column) in of_messages() {
            if name == "payload" && backend == sea_orm::DbBackend::MySql {
                column = ColumnDef::new("payload").custom("mediumtext").null().take();
            }
            add_column(manager, "messages", name, column).await?;
        }
        let rewritten = number("rewritten").default(0).take();
        add_column(manager, "consumer_offsets", "rewritten", rewritten).await?;

        let conversation = || uuid(backend, "conversation_id");
        let memberships = clustered_table(backend, "memberships")
            .col(conversation())
            .col(uuid(backend, "user_id"))
            .col(number("from_position"))
            .col(nullable_number("to_position"))
            .col(short_text("role", NAME_MAX_CHARS))
            .primary_key(Index::create().col("conversation_id").col("user_id").col("from_position"))
            .to_owned();
        create_table(manager, memberships).await?;
        let of_user = ["user_id", "conversation_id"];
        create_index(manager, "memberships", "memberships_of_user", of_user).await?;
        let people = clustered_table(backend, "room_people")
            .col(conversation())
            .col(uuid(backend, "user_id"))
            .col(mark("banned"))
            .col(nullable_number("changed_position"))
            .primary_key(Index::create().col("conversation_id").col("user_id"))
            .to_owned();
        create_table(manager, people).await?;
        let reactions = clustered_table(backend, "reactions")
            .col(conversation())
            .col(number("target_position"))
            .col(uuid(backend, "user_id"))
            .col(short_text("emoji", EMOJI_MAX_CHARS as u32))
            .col(number("position"))
            .primary_key(
                Index::create().col("conversation_id").col("target_position").col("user_id").col("emoji"),
            )
            .to_owned();
        create_table(manager, reactions).await?;
        let mentions = clustered_table(backend, "mentions")
            .col(uuid(backend, "user_id"))
            .col(conversation())
            .col(number("position"))
            .primary_key(Index::create().col("user_id").col("conversation_id").col("position"))
            .to_owned();
        create_table(manager, mentions).await?;
        create_index(manager, "mentions", "mentions_at", ["conversation_id", "position"]).await?;
        let void = clustered_table(backend, "void_records")
            .col(conversation())
            .col(number("position"))
            .col(uuid(backend, "id"))
            .col(short_text("reason", NAME_MAX_CHARS))
            .primary_key(Index::create().col("conversation_id").col("position"))
            .to_owned();
        create_table(manager, void).await?;
        let effective = clustered_table(backend, "effective_events")
            .col(uuid(backend, "id").primary_key())
            .col(conversation())
            .col(number("position"))
            .to_owned();
        create_table(manager, effective).await?;
        let blocks = clustered_table(backend, "blocks")
            .col(conversation())
            .col(uuid(backend, "user_id"))
            .col(number("position"))
            .primary_key(Index::create().col("conversation_id").col("user_id"))
            .to_owned();
        create_table(manager, blocks).await?;
        let outbox = table(backend, "outbox")
            .col(uuid(backend, "id").primary_key())
            .col(short_text("kind", NAME_MAX_CHARS))
            .col(long_text(backend, "payload"))
            .col(number("created_at_ms"))
            .to_owned();
        create_table(manager, outbox).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in [
            "outbox",
            "blocks",
            "effective_events",
            "void_records",
            "mentions",
            "reactions",
            "room_people",
            "memberships",
        ] {
            manager.drop_table(Table::drop().table(table).take()).await?;
        }
        for (table, index) in [("messages", "messages_changed"), ("conversations", "conversations_handle")] {
            if manager.has_index(table, index).await? {
                manager.drop_index(Index::drop().name(index).table(table).to_owned()).await?;
            }
        }
        let columns = [("consumer_offsets", "rewritten")]
            .into_iter()
            .chain(of_messages().into_iter().map(|(name, _)| ("messages", name)))
            .chain(of_conversations().into_iter().map(|(name, _)| ("conversations", name)));
        for (table, column) in columns {
            manager.alter_table(Table::alter().table(table).drop_column(column).take()).await?;
        }
        Ok(())
    }
}
