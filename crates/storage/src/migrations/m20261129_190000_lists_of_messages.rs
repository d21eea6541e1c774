//! When the messages were sent in which somebody is named, so that the newest ones of all conversations come
//! first; and reactions to a message in their order, of each kind and of all.
//!
//! Only additions: what a program of before writes has no time, and is given one when its person asks
//! ([`crate::queries::mentions`]). The index of pins is built afterwards ([`super::fill`]), since it reads
//! the whole timeline.

use sea_orm_migration::prelude::*;

use super::steps::{add_column, create_index};

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

const MENTIONS: &str = "mentions";
const IN_ORDER: &str = "mentions_in_order";
const REACTIONS: &str = "reactions";
const OF_KIND: &str = "reactions_of_kind";
const OF_MESSAGE: &str = "reactions_of_message";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let sent_at = ColumnDef::new("sent_at_ms").big_integer().null().take();
        add_column(manager, MENTIONS, "sent_at_ms", sent_at).await?;
        let newest = ["user_id", "sent_at_ms", "conversation_id", "position"];
        create_index(manager, MENTIONS, IN_ORDER, newest).await?;
        let of_kind = ["conversation_id", "target_position", "emoji", "position"];
        create_index(manager, REACTIONS, OF_KIND, of_kind).await?;
        let of_message = ["conversation_id", "target_position", "position"];
        create_index(manager, REACTIONS, OF_MESSAGE, of_message).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let pins = ("messages", "messages_pinned");
        for (table, index) in [(MENTIONS, IN_ORDER), (REACTIONS, OF_KIND), (REACTIONS, OF_MESSAGE), pins] {
            if manager.has_index(table, index).await? {
                manager.drop_index(Index::drop().name(index).table(table).to_owned()).await?;
            }
        }
        manager.alter_table(Table::alter().table(MENTIONS).drop_column("sent_at_ms").take()).await
    }
}
