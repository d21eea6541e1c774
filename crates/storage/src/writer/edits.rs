//! What edited messages said, where the settings have it kept: the words before the first edit, and those of
//! each edit. A deletion takes all of it away ([`super::tables`]).

use std::collections::BTreeSet;

use super::connection::Connection;
use super::judge::Edit;
use crate::{StoreKind, WriteError};

/// Of a message that nothing was done to yet but what this batch does.
const FIRST: &str = "INTO message_edits (conversation_id, target_position, position, at_ms, body) \
    SELECT conversation_id, position, position, sent_at_ms, body FROM messages \
    WHERE conversation_id = ? AND position = ? AND edited_position IS NULL AND deleted_position IS NULL";
const EDITS: &str = "INSERT INTO message_edits (conversation_id, target_position, position, at_ms, body)";

/// Before the messages get their new words.
pub(super) async fn keep(connection: &mut Connection<'_>, edits: &[Edit<'_>]) -> Result<(), WriteError> {
    let (insert, ignored) = match connection.kind() {
        StoreKind::MySql => ("INSERT IGNORE", "ON DUPLICATE KEY UPDATE at_ms = at_ms"),
        StoreKind::Sqlite | StoreKind::Postgres => ("INSERT", "ON CONFLICT DO NOTHING"),
    };
    let first = match connection.kind() {
        StoreKind::MySql => format!("{insert} {FIRST}"),
        // SQLite reads `ON` after a plain SELECT as a join's: this one has a WHERE.
        StoreKind::Sqlite | StoreKind::Postgres => format!("{insert} {FIRST} {ignored}"),
    };
    let targets: BTreeSet<_> = edits.iter().map(|edit| (edit.conversation, edit.target)).collect();
    for (conversation, target) in targets {
        let place = vec![conversation.as_uuid().into(), target.as_i64().into()];
        connection.execute(&first, place).await?;
    }
    connection
        .insert(EDITS, "(?, ?, ?, ?, ?)", ignored, edits, |edit| {
            vec![
                edit.conversation.as_uuid().into(),
                edit.target.as_i64().into(),
                edit.position.as_i64().into(),
                edit.at_ms.into(),
                edit.body.into(),
            ]
        })
        .await
}
