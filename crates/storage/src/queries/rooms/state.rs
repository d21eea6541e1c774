//! A room as the writer would load it, and who was in it when.

use std::collections::HashMap;

use futures::TryStreamExt;
use milena_domain::{ConversationId, Position, Timestamp, UserId};
use milena_timeline::{Interval, Room, Standing};
use sea_orm::{ConnectionTrait, DatabaseTransaction, QueryResult, StreamTrait, Value};
use uuid::Uuid;

use super::super::numbering::number_one;
use super::super::offsets::{LogPosition, read_log_position};
use super::super::{moment, position, row_limit};
use crate::room_rows::{BESIDES_COLUMNS, MEMBERSHIP_COLUMNS, ROOM_COLUMNS, add_besides, membership, room};
use crate::sql::{padded, statement};
use crate::{StorageError, Store};

/// People of one statement.
const PEOPLE: usize = 512;

/// A room with everybody whom it knows anything of, as of one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredRoom {
    /// The room, apart from its people.
    pub room: Room,
    /// Members, who is banned, and who went: everybody else is a stranger. In no order.
    pub people: Vec<(UserId, Standing)>,
    /// How many messages it has.
    pub last_seq: u64,
    /// Of its newest message; while it has none, of its creation.
    pub last_position: Position,
    /// When that was.
    pub last_sent_at: Timestamp,
    /// The newest event that counted and is no message: of the timeline or a change.
    pub folded: Position,
}

/// The room's row, and whether all its messages are numbered.
struct Row {
    stored: StoredRoom,
    is_numbered: bool,
}

impl Store {
    /// A room with its whole roster, and how far the log was stored at that moment: what the writer would
    /// judge the next event by. `None` when there is no such room. Reads a row or two a member.
    ///
    /// # Errors
    /// The database's; [`StorageError::Corrupt`] for a row that makes no sense.
    pub async fn room_at(
        &self,
        topic: &str,
        id: ConversationId,
    ) -> Result<(Option<StoredRoom>, LogPosition), StorageError> {
        loop {
            let (found, log) = self
                .bulk(Box::pin(async {
                    let snapshot = self.snapshot().await?;
                    let log = read_log_position(&snapshot, topic).await?;
                    let mut found = self.room_row(&snapshot, id).await?;
                    if let Some(row) = &mut found
                        && row.is_numbered
                    {
                        row.stored.people = self.roster(&snapshot, id).await?;
                    }
                    snapshot.commit().await?;
                    Ok::<_, StorageError>((found, log))
                }))
                .await?;
            match found {
                // A message was put back into it: the writer numbers it before it goes on, and so do we.
                Some(row) if !row.is_numbered => {
                    number_one(self.kind(), self.writer(), id.as_uuid()).await?;
                }
                found => return Ok((found.map(|row| row.stored), log)),
            }
        }
    }

    async fn room_row(
        &self,
        snapshot: &DatabaseTransaction,
        id: ConversationId,
    ) -> Result<Option<Row>, StorageError> {
        let text = format!(
            "SELECT {ROOM_COLUMNS}, last_position, last_sent_at_ms, last_seq, numbered_position, \
             folded_position FROM conversations WHERE id = ? AND kind = 'room'"
        );
        let query = statement(self.kind(), &text, [id.as_uuid().into()]);
        let Some(row) = snapshot.query_one_raw(query).await? else { return Ok(None) };
        let last_position: i64 = row.try_get("", "last_position")?;
        let stored = StoredRoom {
            room: room(&row)?,
            people: Vec::new(),
            last_seq: u64::try_from(row.try_get::<i64>("", "last_seq")?).unwrap_or(0),
            last_position: position(last_position)?,
            last_sent_at: moment(row.try_get("", "last_sent_at_ms")?),
            folded: position(row.try_get("", "folded_position")?)?,
        };
        let is_numbered = row.try_get::<i64>("", "numbered_position")? == last_position;
        Ok(Some(Row { stored, is_numbered }))
    }

    /// Row by row: a room may have a hundred thousand members.
    async fn roster(
        &self,
        snapshot: &DatabaseTransaction,
        id: ConversationId,
    ) -> Result<Vec<(UserId, Standing)>, StorageError> {
        let open = format!(
            "SELECT user_id, {MEMBERSHIP_COLUMNS} FROM memberships \
             WHERE conversation_id = ? AND to_position IS NULL"
        );
        let besides = format!("SELECT user_id, {BESIDES_COLUMNS} FROM room_people WHERE conversation_id = ?");
        let mut people: HashMap<UserId, Standing> = HashMap::new();
        {
            let mut rows = snapshot.stream_raw(statement(self.kind(), &open, [id.as_uuid().into()])).await?;
            while let Some(row) = rows.try_next().await? {
                people.entry(user(&row)?).or_default().membership = Some(membership(&row)?);
            }
        }
        let mut rows = snapshot.stream_raw(statement(self.kind(), &besides, [id.as_uuid().into()])).await?;
        while let Some(row) = rows.try_next().await? {
            add_besides(people.entry(user(&row)?).or_default(), &row)?;
        }
        drop(rows);
        Ok(people.into_iter().collect())
    }

    /// The rooms that somebody is in now, by their ids, at most `limit` (which may not be above 10,000), and
    /// how far the log was stored then.
    ///
    /// # Errors
    /// The database's.
    pub async fn rooms_of(
        &self,
        topic: &str,
        user: UserId,
        limit: usize,
    ) -> Result<(Vec<ConversationId>, LogPosition), StorageError> {
        const OPEN: &str = "SELECT conversation_id FROM memberships \
            WHERE user_id = ? AND to_position IS NULL ORDER BY conversation_id LIMIT ?";
        self.answer(async {
            let snapshot = self.snapshot().await?;
            let log = read_log_position(&snapshot, topic).await?;
            let values: [Value; 2] = [user.as_uuid().into(), (row_limit(limit) as i64).into()];
            let rows = snapshot.query_all_raw(statement(self.kind(), OPEN, values)).await?;
            snapshot.commit().await?;
            let ids: Result<_, StorageError> = rows
                .iter()
                .map(|row| Ok(ConversationId::from_uuid(row.try_get_by_index::<Uuid>(0)?)))
                .collect();
            Ok((ids?, log))
        })
        .await
    }

    /// In how many rooms each of these people is now; who is in none is left out.
    ///
    /// # Errors
    /// The database's.
    pub async fn room_counts(&self, users: &[UserId]) -> Result<HashMap<UserId, usize>, StorageError> {
        self.answer(async {
            let mut counts = HashMap::new();
            for chunk in users.chunks(PEOPLE) {
                let values: Vec<Value> = padded(chunk).map(|user| user.as_uuid().into()).collect();
                let text = format!(
                    "SELECT user_id, COUNT(*) FROM memberships \
                     WHERE user_id IN ({}) AND to_position IS NULL GROUP BY user_id",
                    vec!["?"; values.len()].join(", ")
                );
                for row in self.reader().query_all_raw(statement(self.kind(), &text, values)).await? {
                    let user = UserId::from_uuid(row.try_get_by_index(0)?);
                    let count: i64 = row.try_get_by_index(1)?;
                    counts.insert(user, usize::try_from(count).unwrap_or_default());
                }
            }
            Ok(counts)
        })
        .await
    }

    /// The next rooms after `after`, by their ids, at most `limit` (which may not be above 10,000).
    ///
    /// # Errors
    /// The database's.
    pub async fn rooms_after(
        &self,
        after: Option<ConversationId>,
        limit: usize,
    ) -> Result<Vec<ConversationId>, StorageError> {
        const NEXT: &str = "SELECT id FROM conversations WHERE kind = 'room' AND id > ? ORDER BY id LIMIT ?";
        let after = after.map_or(Uuid::nil(), ConversationId::as_uuid);
        self.bulk(async {
            let values: [Value; 2] = [after.into(), (row_limit(limit) as i64).into()];
            let rows = self.reader().query_all_raw(statement(self.kind(), NEXT, values)).await?;
            rows.iter().map(|row| Ok(ConversationId::from_uuid(row.try_get_by_index::<Uuid>(0)?))).collect()
        })
        .await
    }

    /// When somebody was in a room and as what, oldest first; the last one may last still.
    ///
    /// # Errors
    /// The database's; [`StorageError::Corrupt`] for a row that makes no sense.
    pub async fn intervals_of(
        &self,
        conversation: ConversationId,
        user: UserId,
    ) -> Result<Vec<Interval>, StorageError> {
        const ALL: &str = "SELECT role, from_position, to_position FROM memberships \
            WHERE conversation_id = ? AND user_id = ? ORDER BY from_position";
        self.answer(async {
            let values: [Value; 2] = [conversation.as_uuid().into(), user.as_uuid().into()];
            let rows = self.reader().query_all_raw(statement(self.kind(), ALL, values)).await?;
            rows.iter()
                .map(|row| {
                    let begun = membership(row)?;
                    let to = row.try_get::<Option<i64>>("", "to_position")?.map(position).transpose()?;
                    Ok(Interval { role: begun.role, from: begun.from, to })
                })
                .collect()
        })
        .await
    }
}

fn user(row: &QueryResult) -> Result<UserId, StorageError> {
    Ok(UserId::from_uuid(row.try_get::<Uuid>("", "user_id")?))
}
