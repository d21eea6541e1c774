//! How a room and what it knows of people are read from their rows: once, for the writer that judges by it
//! and for the programs that ask.

use milena_domain::Position;
use milena_domain::record::{Handle, Title, Topic};
use milena_timeline::{Membership, Room, Standing};
use sea_orm::{DbErr, QueryResult};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// The columns that [`room`] reads.
pub(crate) const ROOM_COLUMNS: &str = "handle, title, topic, visibility, history, posting, archived, \
    created_position, changed_position, member_count, owner_count, awaits_more";

/// [`ROOM_COLUMNS`] of a table that the statement calls `c`.
pub(crate) fn room_columns_of_c() -> String {
    ROOM_COLUMNS.split(", ").map(|name| format!("c.{name}")).collect::<Vec<_>>().join(", ")
}

/// The columns that [`membership`] reads.
pub(crate) const MEMBERSHIP_COLUMNS: &str = "role, from_position";

/// The columns that [`add_besides`] reads.
pub(crate) const BESIDES_COLUMNS: &str = "banned, changed_position";

/// The room of a row that has [`ROOM_COLUMNS`].
pub(crate) fn room(row: &QueryResult) -> Result<Room, DbErr> {
    let text = |name: &str| -> Result<String, DbErr> {
        Ok(row.try_get::<Option<String>>("", name)?.unwrap_or_default())
    };
    let place = |name: &str| -> Result<Position, DbErr> {
        position(row.try_get::<Option<i64>>("", name)?.unwrap_or(0))
    };
    let count =
        |name: &str| -> Result<u32, DbErr> { Ok(u32::try_from(row.try_get::<i32>("", name)?).unwrap_or(0)) };
    let corrupt = |error: milena_domain::FieldError| DbErr::Type(format!("a stored room: {error}"));
    Ok(Room {
        handle: Handle::new(&text("handle")?).map_err(corrupt)?,
        title: Title::new(&text("title")?).map_err(corrupt)?,
        topic: Topic::new(&text("topic")?).map_err(corrupt)?,
        visibility: choice(text("visibility")?)?,
        history: choice(text("history")?)?,
        posting: choice(text("posting")?)?,
        archived: row.try_get("", "archived")?,
        created: place("created_position")?,
        changed: place("changed_position")?,
        members: count("member_count")?,
        owners: count("owner_count")?,
        awaits_more: row.try_get("", "awaits_more")?,
    })
}

/// A choice by its name in the log.
pub(crate) fn choice<T: DeserializeOwned>(name: String) -> Result<T, DbErr> {
    serde_json::from_value(serde_json::Value::String(name)).map_err(|error| DbErr::Type(error.to_string()))
}

/// The name of a choice in the log.
pub(crate) fn name_of(choice: impl Serialize) -> String {
    match serde_json::to_value(choice) {
        Ok(serde_json::Value::String(name)) => name,
        _ => String::new(),
    }
}

pub(crate) fn position(stored: i64) -> Result<Position, DbErr> {
    u64::try_from(stored)
        .ok()
        .and_then(Position::from_u64)
        .ok_or_else(|| DbErr::Type(format!("{stored} is not a position")))
}

/// An open interval as the fold knows it.
pub(crate) fn membership(row: &QueryResult) -> Result<Membership, DbErr> {
    let from = position(row.try_get("", "from_position")?)?;
    Ok(Membership { role: choice(row.try_get("", "role")?)?, from })
}

/// What the room knows of somebody besides their membership.
pub(crate) fn add_besides(standing: &mut Standing, row: &QueryResult) -> Result<(), DbErr> {
    standing.banned = row.try_get("", "banned")?;
    standing.changed = row.try_get::<Option<i64>>("", "changed_position")?.map(position).transpose()?;
    Ok(())
}
