//! What an upgrade fills in after the schema has changed: in pieces, each a short transaction of its own.
//!
//! A schema change holds a lock that keeps everybody out until it is committed; filling takes as long as the
//! store is large. So nothing is filled there. Each piece says in its rows that it was done: a program that
//! is killed half-way goes on where it was, several may fill at once, and programs of before work meanwhile.

use sea_orm::{ConnectionTrait, DatabaseConnection, DbErr};
use sea_orm_migration::SchemaManager;

use crate::StoreKind;
use crate::queries::{lists, names, numbering};

/// Of messages that something has changed there are few: where the database can, the others cost nothing.
const CHANGED: &str = "CREATE INDEX messages_changed ON messages (conversation_id, changed_position)";
const CHANGED_ALONE: &str = " WHERE changed_position IS NOT NULL";

pub(super) async fn fill(kind: StoreKind, connection: &DatabaseConnection) -> Result<(), DbErr> {
    index_changes(kind, connection).await?;
    names::fold_all(kind, connection).await?;
    lists::list_in_pieces(kind, connection).await?;
    let numbered = numbering::number_all(kind, connection).await?;
    if numbered > 0 {
        log::info!(messages = numbered; "the messages of before are numbered");
    }
    Ok(())
}

/// Reads the whole table once, so it is not part of the schema change either.
async fn index_changes(kind: StoreKind, connection: &DatabaseConnection) -> Result<(), DbErr> {
    let exists = async || SchemaManager::new(connection).has_index("messages", "messages_changed").await;
    if exists().await? {
        return Ok(());
    }
    let alone = if kind == StoreKind::MySql { "" } else { CHANGED_ALONE };
    match connection.execute_unprepared(&format!("{CHANGED}{alone}")).await {
        Ok(_) => Ok(()),
        // Another program was first.
        Err(_) if exists().await? => Ok(()),
        Err(error) => Err(error),
    }
}
