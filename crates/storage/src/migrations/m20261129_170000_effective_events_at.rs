//! An index of the events that have no row of the timeline by where they stand: whoever begins to follow a
//! room asks for the newest of them.
//!
//! Only an addition, to a table that programs of before this day do not write.

use sea_orm_migration::prelude::*;

use super::steps::create_index;

const TABLE: &str = "effective_events";
const INDEX: &str = "effective_events_at";

#[derive(DeriveMigrationName)]
pub(super) struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        create_index(manager, TABLE, INDEX, ["conversation_id", "position"]).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        if manager.has_index(TABLE, INDEX).await? {
            manager.drop_index(Index::drop().name(INDEX).table(TABLE).to_owned()).await?;
        }
        Ok(())
    }
}
