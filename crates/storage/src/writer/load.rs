//! What judging a batch needs of the store, in one query a kind of thing; of people in one a room where a
//! database takes no arrays.

use std::collections::{BTreeMap, HashMap, HashSet};

use milena_domain::record::{Emoji, Placed};
use milena_domain::{ConversationId, MessageId, Position, UserId};
use milena_timeline::{Item, Missing, Standing};
use sea_orm::{DbErr, QueryResult};
use uuid::Uuid;

use super::connection::Connection;
use super::judge::Looked;
use super::known::Known;
use super::loaded::{COLUMNS, Loaded};
use super::{Failure, WriteBatch};
use crate::WriteError;
use crate::room_rows::{
    BESIDES_COLUMNS, MEMBERSHIP_COLUMNS, ROOM_COLUMNS, add_besides, membership, position,
};

/// The conversations of the batch, and what its events need to know of them.
pub(super) async fn conversations(
    connection: &mut Connection<'_>,
    batch: &WriteBatch,
    known: &mut Known,
) -> Result<HashMap<ConversationId, Loaded>, Failure> {
    let (mut loaded, mut asked) = (HashMap::new(), HashSet::new());
    for placed in &batch.events {
        let id = placed.event.conversation;
        if loaded.contains_key(&id) || asked.contains(&id) {
            continue;
        }
        match known.get(batch, id) {
            Some(direct) => drop(loaded.insert(id, Loaded::remembered(direct))),
            None => drop(asked.insert(id)),
        }
    }
    // In their order: neighbours share pages.
    let mut ids: Vec<Uuid> = asked.into_iter().map(ConversationId::as_uuid).collect();
    ids.sort_unstable();
    let rows = connection
        .query_in(&format!("SELECT {COLUMNS}, {ROOM_COLUMNS} FROM conversations WHERE id {{in}}"), &ids)
        .await?;
    let blocks = blocks(connection, &rows).await?;
    let mut unnumbered = Vec::new();
    for row in &rows {
        let (id, conversation, is_numbered) = Loaded::read(row, &blocks)?;
        if !is_numbered {
            unnumbered.push(id.as_uuid());
        }
        loaded.insert(id, conversation);
    }
    if !unnumbered.is_empty() {
        return Err(Failure::Unnumbered(unnumbered));
    }
    let mut missing = Vec::new();
    for placed in &batch.events {
        let id = placed.event.conversation;
        if let Some(found) = loaded.get(&id) {
            let needs = found.state.missing(&placed.event);
            if !needs.is_empty() {
                missing.push((id, needs));
            }
        }
    }
    load(connection, &mut loaded, missing).await?;
    Ok(loaded)
}

async fn blocks(
    connection: &mut Connection<'_>,
    rows: &[QueryResult],
) -> Result<Vec<(ConversationId, UserId, Position)>, Failure> {
    let mut ids: Vec<Uuid> = Vec::new();
    for row in rows {
        if row.try_get::<i64>("", "folded_position")? > 0 && row.try_get::<String>("", "kind")? == "direct" {
            ids.push(row.try_get("", "id")?);
        }
    }
    let text = "SELECT conversation_id, user_id, position FROM blocks WHERE conversation_id {in}";
    let mut found = Vec::new();
    for row in connection.query_in(text, &ids).await? {
        found.push((conversation(&row)?, user(&row)?, position(row.try_get("", "position")?)?));
    }
    Ok(found)
}

/// Loads what states miss, each thing once.
pub(super) async fn load(
    connection: &mut Connection<'_>,
    loaded: &mut HashMap<ConversationId, Loaded>,
    missing: Vec<(ConversationId, Missing)>,
) -> Result<(), WriteError> {
    let (mut people, mut items, mut reactions) = (HashSet::new(), HashSet::new(), HashSet::new());
    for (id, missing) in missing {
        people.extend(missing.people.into_iter().map(|user| (id, user)));
        items.extend(missing.items.into_iter().map(|position| (id, position)));
        reactions.extend(missing.reactions.into_iter().map(|(target, user)| (id, target, user)));
    }
    let found = standings(connection, &people.iter().copied().collect::<Vec<_>>()).await?;
    for (id, user) in people {
        if let Some(conversation) = loaded.get_mut(&id) {
            let standing = found.get(&(id, user)).copied().unwrap_or_default();
            conversation.state.load_standing(user, standing);
        }
    }
    let mut found = messages(connection, &items.iter().copied().collect::<Vec<_>>()).await?;
    for (id, position) in items {
        if let Some(conversation) = loaded.get_mut(&id) {
            conversation.state.load_item(position, found.remove(&(id, position)));
        }
    }
    let mut found = reacted(connection, &reactions.iter().copied().collect::<Vec<_>>()).await?;
    for (id, target, user) in reactions {
        if let Some(conversation) = loaded.get_mut(&id) {
            let mine = found.remove(&(id, target, user)).unwrap_or_default();
            conversation.state.load_reactions(target, user, mine);
        }
    }
    Ok(())
}

async fn standings(
    connection: &mut Connection<'_>,
    people: &[(ConversationId, UserId)],
) -> Result<HashMap<(ConversationId, UserId), Standing>, WriteError> {
    let mut found: HashMap<_, Standing> = HashMap::new();
    let mut by_room: BTreeMap<Uuid, Vec<Uuid>> = BTreeMap::new();
    for (id, user) in people {
        by_room.entry(id.as_uuid()).or_default().push(user.as_uuid());
    }
    if by_room.is_empty() {
        return Ok(found);
    }
    let open = connection.query_people(MEMBERSHIP_COLUMNS, "memberships", "to_position IS NULL", &by_room);
    let open = open.await?;
    let besides = connection.query_people(BESIDES_COLUMNS, "room_people", "1 = 1", &by_room).await?;
    for row in open {
        found.entry((conversation(&row)?, user(&row)?)).or_default().membership = Some(membership(&row)?);
    }
    for row in besides {
        add_besides(found.entry((conversation(&row)?, user(&row)?)).or_default(), &row)?;
    }
    Ok(found)
}

async fn messages(
    connection: &mut Connection<'_>,
    places: &[(ConversationId, Position)],
) -> Result<HashMap<(ConversationId, Position), Item>, WriteError> {
    let rows = connection.query_any(
        "SELECT conversation_id, position, id, sender_id, deleted_position, pinned_position, \
         unpinned_position FROM messages WHERE",
        "(conversation_id = ? AND position = ? AND kind = 'message')",
        places,
        |(id, position)| vec![id.as_uuid().into(), position.as_i64().into()],
    );
    let mut found = HashMap::new();
    for row in rows.await? {
        let pinned = place(&row, "pinned_position")?.map(|at| (at, true));
        let unpinned = place(&row, "unpinned_position")?.map(|at| (at, false));
        let item = Item {
            id: MessageId::from_uuid(row.try_get("", "id")?),
            author: UserId::from_uuid(row.try_get("", "sender_id")?),
            deleted: place(&row, "deleted_position")?,
            pinned: pinned.or(unpinned),
        };
        found.insert((conversation(&row)?, position(row.try_get("", "position")?)?), item);
    }
    Ok(found)
}

type Reacted = HashMap<(ConversationId, Position, UserId), Vec<(Emoji, Position)>>;

async fn reacted(
    connection: &mut Connection<'_>,
    keys: &[(ConversationId, Position, UserId)],
) -> Result<Reacted, WriteError> {
    let rows = connection.query_any(
        "SELECT conversation_id, target_position, user_id, emoji, position FROM reactions WHERE",
        "(conversation_id = ? AND target_position = ? AND user_id = ?)",
        keys,
        |(id, target, user)| vec![id.as_uuid().into(), target.as_i64().into(), user.as_uuid().into()],
    );
    let mut found = Reacted::new();
    for row in rows.await? {
        let target = position(row.try_get("", "target_position")?)?;
        let emoji = Emoji::new(&row.try_get::<String>("", "emoji")?)
            .map_err(|error| DbErr::Type(format!("a stored reaction: {error}")))?;
        let put = position(row.try_get("", "position")?)?;
        found.entry((conversation(&row)?, target, user(&row)?)).or_default().push((emoji, put));
    }
    Ok(found)
}

/// What is stored of the batch's ids, and of its places that were passed before.
pub(super) async fn look(
    connection: &mut Connection<'_>,
    events: &[Placed],
    loaded: &HashMap<ConversationId, Loaded>,
) -> Result<Looked, WriteError> {
    let mut looked = Looked::default();
    let mut ids: Vec<Uuid> = events.iter().map(|placed| placed.event.id.as_uuid()).collect();
    ids.sort_unstable();
    ids.dedup();
    for table in ["messages", "effective_events"] {
        let text = format!("SELECT id, conversation_id, position FROM {table} WHERE id {{in}}");
        for row in connection.query_in(&text, &ids).await? {
            let place = (conversation(&row)?, position(row.try_get("", "position")?)?);
            looked.ids.insert(MessageId::from_uuid(row.try_get("", "id")?), place);
        }
    }
    // Of what stands where it stood nothing further is asked: that is nearly all of a replay.
    let passed: Vec<_> = events
        .iter()
        .filter(|placed| {
            loaded.get(&placed.event.conversation).is_some_and(|found| placed.position <= found.settled)
        })
        .map(|placed| (placed.event.id, (placed.event.conversation, placed.position)))
        .filter(|(id, place)| looked.ids.get(id) != Some(place))
        .map(|(_, place)| place)
        .collect();
    let rows = connection.query_any(
        "SELECT conversation_id, position FROM void_records WHERE",
        "(conversation_id = ? AND position = ?)",
        &passed,
        |(id, position)| vec![id.as_uuid().into(), position.as_i64().into()],
    );
    for row in rows.await? {
        looked.void.insert((conversation(&row)?, position(row.try_get("", "position")?)?));
    }
    Ok(looked)
}

fn conversation(row: &QueryResult) -> Result<ConversationId, DbErr> {
    Ok(ConversationId::from_uuid(row.try_get("", "conversation_id")?))
}

fn user(row: &QueryResult) -> Result<UserId, DbErr> {
    Ok(UserId::from_uuid(row.try_get("", "user_id")?))
}

fn place(row: &QueryResult, column: &str) -> Result<Option<Position>, DbErr> {
    row.try_get::<Option<i64>>("", column)?.map(position).transpose()
}
