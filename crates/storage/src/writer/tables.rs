//! What a batch changes besides the timeline's new rows, in statements that all three databases take. None of
//! this is in a batch of plain messages between two people.

use std::collections::{BTreeMap, HashMap};

use milena_domain::{ConversationId, Position, UserId};
use sea_orm::Value;
use serde_json::{Map, json};

use super::connection::Connection;
use super::judge::{Changes, Patch};
use super::loaded::Loaded;
use crate::queries::history::MESSAGE;
use crate::queries::rooms::directory::words_of;
use crate::room_rows::name_of;
use crate::sql::keep_greatest;
use crate::{StoreKind, WriteError};

/// Ends an insert that leaves what is there as it is, or takes over `columns`.
fn on_conflict(kind: StoreKind, key: &str, columns: &[&str]) -> String {
    let first = key.split(',').next().unwrap_or(key);
    match (kind, columns) {
        (StoreKind::MySql, []) => format!("ON DUPLICATE KEY UPDATE {first} = {first}"),
        (StoreKind::MySql, columns) => {
            let sets: Vec<_> = columns.iter().map(|name| format!("{name} = VALUES({name})")).collect();
            format!("ON DUPLICATE KEY UPDATE {}", sets.join(", "))
        }
        (_, []) => "ON CONFLICT DO NOTHING".to_owned(),
        (_, columns) => {
            let sets: Vec<_> = columns.iter().map(|name| format!("{name} = excluded.{name}")).collect();
            format!("ON CONFLICT ({key}) DO UPDATE SET {}", sets.join(", "))
        }
    }
}

pub(super) async fn write(
    connection: &mut Connection<'_>,
    changes: &Changes<'_>,
    loaded: &HashMap<ConversationId, Loaded>,
) -> Result<(), WriteError> {
    let kind = connection.kind();
    let ignored = on_conflict(kind, "conversation_id", &[]);
    rooms(connection, loaded).await?;
    words(connection, changes, loaded).await?;
    authors(connection, changes, loaded).await?;
    mentions(connection, &changes.mentions).await?;
    let events = "INSERT INTO effective_events (id, conversation_id, position, digest, target_position)";
    connection
        .insert(events, "(?, ?, ?, ?, ?)", "", &changes.events, |placed| {
            let event = &placed.event;
            vec![
                event.id.as_uuid().into(),
                event.conversation.as_uuid().into(),
                placed.position.as_i64().into(),
                event.digest().into(),
                event.action.target().map(|target| target.position.as_i64()).into(),
            ]
        })
        .await?;
    let void = "INSERT INTO void_records (conversation_id, position, id, reason)";
    connection
        .insert(void, "(?, ?, ?, ?)", &ignored, &changes.void, |(placed, void)| {
            let event = &placed.event;
            vec![
                event.conversation.as_uuid().into(),
                placed.position.as_i64().into(),
                event.id.as_uuid().into(),
                void.code().into(),
            ]
        })
        .await?;
    memberships(connection, changes).await?;
    people(connection, changes, loaded).await?;
    blocks(connection, changes).await?;
    reactions(connection, changes).await
}

/// What became of messages.
pub(super) async fn patch(connection: &mut Connection<'_>, changes: &Changes<'_>) -> Result<(), WriteError> {
    for (&(conversation, target), patch) in &changes.patches {
        patch_message(connection, conversation, target, patch).await?;
    }
    Ok(())
}

const ROOM: [&str; 20] = [
    "kind",
    "title",
    "last_position",
    "last_sent_at_ms",
    "created_at_ms",
    "handle",
    "handle_position",
    "topic",
    "visibility",
    "history",
    "posting",
    "archived",
    "created_position",
    "changed_position",
    "member_count",
    "owner_count",
    "awaits_more",
    "last_seq",
    "numbered_position",
    "folded_position",
];

async fn rooms(
    connection: &mut Connection<'_>,
    loaded: &HashMap<ConversationId, Loaded>,
) -> Result<(), WriteError> {
    let mut touched: Vec<_> = loaded.iter().filter(|(_, found)| found.touched && found.is_room).collect();
    touched.sort_unstable_by_key(|(id, _)| **id);
    let newer = on_conflict(connection.kind(), "id", &ROOM);
    let head = format!("INSERT INTO conversations (id, {})", ROOM.join(", "));
    let row = format!("({}?)", "?, ".repeat(ROOM.len()));
    connection
        .insert(&head, &row, &newer, &touched, |(id, found)| {
            let mut values: Vec<Value> = vec![id.as_uuid().into(), "room".into()];
            let (seq, numbered) = numbers(found);
            if let Some(room) = found.state.room() {
                let count = |people: u32| Value::from(i32::try_from(people).unwrap_or(i32::MAX));
                values.extend([
                    room.title.as_str().into(),
                    found.last_position.as_i64().into(),
                    found.last_sent_at_ms.into(),
                    found.created_at_ms.into(),
                    room.handle.as_str().into(),
                    found.handle_position.map(Position::as_i64).into(),
                    room.topic.as_str().into(),
                    name_of(room.visibility).into(),
                    name_of(room.history).into(),
                    name_of(room.posting).into(),
                    room.archived.into(),
                    room.created.as_i64().into(),
                    room.changed.as_i64().into(),
                    count(room.members),
                    count(room.owners),
                    room.awaits_more.into(),
                    seq.into(),
                    numbered.into(),
                    found.folded.as_i64().into(),
                ]);
            }
            values
        })
        .await
}

/// By which the changed rooms are found.
async fn words(
    connection: &mut Connection<'_>,
    changes: &Changes<'_>,
    loaded: &HashMap<ConversationId, Loaded>,
) -> Result<(), WriteError> {
    let rooms = changes.rooms.iter().filter_map(|id| Some((*id, loaded.get(id)?.state.room()?)));
    let mut words: Vec<(ConversationId, String)> = Vec::new();
    for (id, room) in rooms {
        let delete = "DELETE FROM room_words WHERE conversation_id = ?";
        connection.execute(delete, vec![id.as_uuid().into()]).await?;
        words.extend(words_of(room).into_iter().map(|word| (id, word)));
    }
    words.sort_unstable();
    let head = "INSERT INTO room_words (conversation_id, word)";
    connection
        .insert(head, "(?, ?)", "", &words, |(id, word)| vec![id.as_uuid().into(), word.as_str().into()])
        .await
}

/// Who has written in rooms, and where last.
async fn authors(
    connection: &mut Connection<'_>,
    changes: &Changes<'_>,
    loaded: &HashMap<ConversationId, Loaded>,
) -> Result<(), WriteError> {
    let mut newest: BTreeMap<(ConversationId, UserId), Position> = BTreeMap::new();
    let in_room = |id| loaded.get(id).is_some_and(|found| found.is_room);
    for row in changes.rows.iter().filter(|row| row.kind == MESSAGE && in_room(&row.conversation)) {
        let position = newest.entry((row.conversation, row.sender)).or_insert(row.position);
        *position = row.position.max(*position);
    }
    let newest: Vec<_> = newest.into_iter().collect();
    let newer = keep_greatest(connection.kind(), "room_authors", "position");
    let head = "INSERT INTO room_authors (conversation_id, user_id, position)";
    connection
        .insert(head, "(?, ?, ?)", &newer, &newest, |((conversation, user), position)| {
            vec![conversation.as_uuid().into(), user.as_uuid().into(), position.as_i64().into()]
        })
        .await
}

/// `last_seq` and up to where it holds: nowhere, when a message was put back.
pub(super) fn numbers(found: &Loaded) -> (i64, i64) {
    if found.restored {
        return (0, 0);
    }
    (i64::try_from(found.state.last_seq()).unwrap_or(i64::MAX), found.last_position.as_i64())
}

async fn mentions(
    connection: &mut Connection<'_>,
    mentions: &[(UserId, ConversationId, Position, i64)],
) -> Result<(), WriteError> {
    let ignored = on_conflict(connection.kind(), "user_id", &[]);
    let head = "INSERT INTO mentions (user_id, conversation_id, position, sent_at_ms)";
    connection
        .insert(head, "(?, ?, ?, ?)", &ignored, mentions, |(user, conversation, position, sent_at_ms)| {
            vec![
                user.as_uuid().into(),
                conversation.as_uuid().into(),
                position.as_i64().into(),
                (*sent_at_ms).into(),
            ]
        })
        .await
}

async fn memberships(connection: &mut Connection<'_>, changes: &Changes<'_>) -> Result<(), WriteError> {
    let opened: Vec<_> =
        changes.intervals.iter().filter_map(|(key, (role, to))| Some((*key, (*role)?, *to))).collect();
    let head = "INSERT INTO memberships (conversation_id, user_id, from_position, to_position, role)";
    connection
        .insert(head, "(?, ?, ?, ?, ?)", "", &opened, |((conversation, user, from), role, to)| {
            vec![
                conversation.as_uuid().into(),
                user.as_uuid().into(),
                from.as_i64().into(),
                to.map(Position::as_i64).into(),
                name_of(role).into(),
            ]
        })
        .await?;
    let close = "UPDATE memberships SET to_position = ? \
        WHERE conversation_id = ? AND user_id = ? AND from_position = ? AND to_position IS NULL";
    for ((conversation, user, from), interval) in &changes.intervals {
        if let (None, Some(to)) = interval {
            let values = vec![
                to.as_i64().into(),
                conversation.as_uuid().into(),
                user.as_uuid().into(),
                from.as_i64().into(),
            ];
            connection.execute(close, values).await?;
        }
    }
    Ok(())
}

async fn people(
    connection: &mut Connection<'_>,
    changes: &Changes<'_>,
    loaded: &HashMap<ConversationId, Loaded>,
) -> Result<(), WriteError> {
    let mut people: Vec<_> = changes.people.iter().copied().collect();
    people.sort_unstable();
    let key = "conversation_id, user_id";
    let newer = on_conflict(connection.kind(), key, &["banned", "changed_position"]);
    let head = "INSERT INTO room_people (conversation_id, user_id, banned, changed_position)";
    connection
        .insert(head, "(?, ?, ?, ?)", &newer, &people, |(conversation, user)| {
            let standing = loaded.get(conversation).and_then(|found| found.state.standing(*user));
            let standing = standing.unwrap_or_default();
            vec![
                conversation.as_uuid().into(),
                user.as_uuid().into(),
                standing.banned.into(),
                standing.changed.map(Position::as_i64).into(),
            ]
        })
        .await
}

async fn blocks(connection: &mut Connection<'_>, changes: &Changes<'_>) -> Result<(), WriteError> {
    let newer = on_conflict(connection.kind(), "conversation_id, user_id", &["position"]);
    for ((conversation, user), since) in &changes.blocks {
        let mut values: Vec<Value> = vec![conversation.as_uuid().into(), user.as_uuid().into()];
        let text = match since {
            Some(since) => {
                values.push(since.as_i64().into());
                format!("INSERT INTO blocks (conversation_id, user_id, position) VALUES (?, ?, ?) {newer}")
            }
            None => "DELETE FROM blocks WHERE conversation_id = ? AND user_id = ?".to_owned(),
        };
        connection.execute(&text, values).await?;
    }
    Ok(())
}

async fn reactions(connection: &mut Connection<'_>, changes: &Changes<'_>) -> Result<(), WriteError> {
    let put: Vec<_> = changes.reactions.iter().filter_map(|(key, at)| Some((key, (*at)?))).collect();
    let key = "conversation_id, target_position, user_id, emoji";
    let newer = on_conflict(connection.kind(), key, &["position"]);
    let head = "INSERT INTO reactions (conversation_id, target_position, user_id, emoji, position)";
    connection
        .insert(head, "(?, ?, ?, ?, ?)", &newer, &put, |((conversation, target, user, emoji), at)| {
            vec![
                conversation.as_uuid().into(),
                target.as_i64().into(),
                user.as_uuid().into(),
                emoji.as_str().into(),
                at.as_i64().into(),
            ]
        })
        .await?;
    let delete = "DELETE FROM reactions \
        WHERE conversation_id = ? AND target_position = ? AND user_id = ? AND emoji = ?";
    for ((conversation, target, user, emoji), at) in &changes.reactions {
        if at.is_none() {
            let values = vec![
                conversation.as_uuid().into(),
                target.as_i64().into(),
                user.as_uuid().into(),
                emoji.as_str().into(),
            ];
            connection.execute(delete, values).await?;
        }
    }
    Ok(())
}

/// What became of one message. A deletion leaves nothing of it but who, when and where.
async fn patch_message(
    connection: &mut Connection<'_>,
    conversation: ConversationId,
    target: Position,
    patch: &Patch<'_>,
) -> Result<(), WriteError> {
    let place = || -> Vec<Value> { vec![conversation.as_uuid().into(), target.as_i64().into()] };
    let changed = patch.changed.unwrap_or(target).as_i64();
    let (mut sets, mut values): (Vec<&str>, Vec<Value>) =
        (vec!["changed_position = ?"], vec![changed.into()]);
    let mut sent_at_ms = 0;
    if let Some((at, body, named)) = patch.edited {
        sets.push("edited_position = ?");
        values.push(at.as_i64().into());
        if patch.deleted.is_none() {
            let (payload, sent_at) = with_mentions(connection, place(), named).await?;
            sent_at_ms = sent_at;
            sets.extend(["body = ?", "payload = ?"]);
            values.extend([body.into(), payload.into()]);
        }
    }
    if let Some((at, by, reason)) = patch.deleted {
        let mut payload = Map::from_iter([("deleted_by".to_owned(), json!(by))]);
        payload.extend(reason.map(|reason| ("reason".to_owned(), json!(reason))));
        sets.extend(["body = ?", "payload = ?", "deleted_position = ?"]);
        values.extend(["".into(), serde_json::Value::Object(payload).to_string().into(), at.as_i64().into()]);
    }
    match patch.pinned {
        Some((at, true)) => {
            sets.extend(["pinned_position = ?", "unpinned_position = NULL"]);
            values.push(at.as_i64().into());
        }
        Some((at, false)) => {
            sets.extend(["unpinned_position = ?", "pinned_position = NULL"]);
            values.push(at.as_i64().into());
        }
        None => {}
    }
    // Nothing older is ever carried over something newer.
    let text = format!(
        "UPDATE messages SET {} WHERE conversation_id = ? AND position = ? \
         AND (changed_position IS NULL OR changed_position < ?)",
        sets.join(", ")
    );
    values.extend(place());
    values.push(changed.into());
    connection.execute(&text, values).await?;
    if patch.edited.is_some() || patch.deleted.is_some() {
        connection
            .execute("DELETE FROM mentions WHERE conversation_id = ? AND position = ?", place())
            .await?;
    }
    if patch.deleted.is_some() {
        // Whether or not they are kept now.
        for table in ["reactions", "message_edits"] {
            let gone = format!("DELETE FROM {table} WHERE conversation_id = ? AND target_position = ?");
            connection.execute(&gone, place()).await?;
        }
        // What is short enough could be guessed from it.
        let digests = "UPDATE effective_events SET digest = NULL \
            WHERE conversation_id = ? AND target_position = ?";
        connection.execute(digests, place()).await?;
    } else if let Some((_, _, named)) = patch.edited {
        let mut named: Vec<_> = named.iter().map(|&user| (user, conversation, target, sent_at_ms)).collect();
        named.sort_unstable();
        named.dedup();
        mentions(connection, &named).await?;
    }
    Ok(())
}

/// The message's payload with other people named in it, while the rest of it stays; and when it was sent.
async fn with_mentions(
    connection: &mut Connection<'_>,
    place: Vec<Value>,
    named: &[UserId],
) -> Result<(Option<String>, i64), WriteError> {
    let text = "SELECT payload, sent_at_ms FROM messages WHERE conversation_id = ? AND position = ?";
    let rows = connection.query(text, place).await?;
    let (stored, sent_at_ms): (Option<String>, i64) = match rows.first() {
        Some(row) => (row.try_get("", "payload")?, row.try_get("", "sent_at_ms")?),
        None => (None, 0),
    };
    let mut fields: Map<String, serde_json::Value> =
        stored.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default();
    fields.remove("mentions");
    if !named.is_empty() {
        fields.insert("mentions".to_owned(), json!(named));
    }
    let payload = (!fields.is_empty()).then(|| serde_json::Value::Object(fields).to_string());
    Ok((payload, sent_at_ms))
}
