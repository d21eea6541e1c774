//! Reactions: grouped for a page of messages, and one by one for whoever asks who.
//!
//! A page tells of each kind how many people, the first few and the reader's own. The kinds are counted
//! within their index, and people are read only where they are named: what a message with many reactions
//! costs beyond a small one is going through as many entries of that index.

use std::collections::HashMap;

use milena_domain::{ConversationId, Position, UserId};
use sea_orm::{ConnectionTrait, DatabaseTransaction, QueryResult, Statement, Value};
use uuid::Uuid;

use super::life::{NAMED_OF_REACTION, REACTIONS_TOLD, StoredReactions};
use super::offsets::{LogPosition, read_log_position};
use super::{position, row_limit};
use crate::sql::{joined_in_order, padded, plan, statement};
use crate::{StorageError, Store, StoreKind};

/// Somebody's reaction to a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PutReaction {
    /// Whose.
    pub user: UserId,
    /// Which.
    pub emoji: String,
    /// Where it was put.
    pub position: Position,
}

/// A part of who has reacted to a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReactionPage {
    /// In the order in which they were put.
    pub reactions: Vec<PutReaction>,
    /// There are later ones.
    pub has_more: bool,
    /// How far the log was stored then.
    pub log: LogPosition,
}

/// Kinds that came first, with how many people each has and the first of them.
const GROUPED: &str = "\
    SELECT g.target_position, g.emoji, g.people, g.begun, r.user_id, r.position FROM (\
      SELECT k.target_position, k.emoji, k.people, k.begun, \
      ROW_NUMBER() OVER (PARTITION BY k.target_position ORDER BY k.begun) AS nth FROM (\
        SELECT target_position, emoji, COUNT(*) AS people, MIN(position) AS begun FROM reactions \
        WHERE conversation_id = ? AND target_position IN ({places}) \
        GROUP BY target_position, emoji) k) g \
    {first} WHERE g.nth <= ? ORDER BY g.target_position, g.begun, r.position";

/// A subquery of a join can name the row before it in PostgreSQL alone; elsewhere the fifth one's place
/// bounds them.
const FIRST_LATERAL: &str = "\
    CROSS JOIN LATERAL (\
      SELECT f.user_id, f.position FROM reactions f WHERE f.conversation_id = ? \
      AND f.target_position = g.target_position AND f.emoji = g.emoji ORDER BY f.position LIMIT ?) r";
const FIRST_BOUND: &str = "\
    {then} reactions r ON r.conversation_id = ? AND r.target_position = g.target_position \
    AND r.emoji = g.emoji AND r.position <= COALESCE((\
      SELECT b.position FROM reactions b WHERE b.conversation_id = ? \
      AND b.target_position = g.target_position AND b.emoji = g.emoji \
      ORDER BY b.position LIMIT 1 OFFSET ?), 9007199254740991)";

const OWN: &str = "\
    SELECT target_position, emoji, user_id, position FROM reactions \
    WHERE conversation_id = ? AND target_position IN ({places}) AND user_id IN ({people})";

const ONE_BY_ONE: &str = "\
    SELECT user_id, emoji, position FROM reactions \
    WHERE conversation_id = ? AND target_position = ?{kind} AND position > ? ORDER BY position LIMIT ?";

fn marks(count: usize) -> String {
    vec!["?"; count].join(", ")
}

impl Store {
    /// Who has reacted to a message, in the order in which they did: those after a place, with one kind of
    /// reaction or with any, at most `limit`.
    ///
    /// # Errors
    /// The database's; [`StorageError::Corrupt`] for a row that makes no sense.
    pub async fn reactions_to(
        &self,
        topic: &str,
        (conversation, target): (ConversationId, Position),
        emoji: Option<&str>,
        after: Position,
        limit: usize,
    ) -> Result<ReactionPage, StorageError> {
        let limit = row_limit(limit) as usize;
        let kind = emoji.map_or("", |_| " AND emoji = ?");
        let text = ONE_BY_ONE.replace("{kind}", kind);
        let mut values: Vec<Value> = vec![conversation.as_uuid().into(), target.as_i64().into()];
        values.extend(emoji.map(Value::from));
        values.extend([Value::from(after.as_i64()), Value::from(limit as i64 + 1)]);
        self.answer(async {
            let snapshot = self.snapshot().await?;
            let log = read_log_position(&snapshot, topic).await?;
            let rows = snapshot.query_all_raw(statement(self.kind(), &text, values)).await?;
            snapshot.commit().await?;
            let has_more = rows.len() > limit;
            let put = |row: &QueryResult| -> Result<PutReaction, StorageError> {
                let (user, place) = whose(row)?;
                Ok(PutReaction { user, emoji: row.try_get("", "emoji")?, position: place })
            };
            let reactions = rows.iter().take(limit).map(put).collect::<Result<_, _>>()?;
            Ok(ReactionPage { reactions, has_more, log })
        })
        .await
    }

    /// The reactions to the messages at these places, by place; of those of the people `asked`, all.
    pub(super) async fn grouped(
        &self,
        snapshot: &DatabaseTransaction,
        conversation: ConversationId,
        places: &[i64],
        asked: &[UserId],
    ) -> Result<HashMap<i64, Vec<StoredReactions>>, StorageError> {
        let mut found: HashMap<i64, Vec<StoredReactions>> = HashMap::new();
        if places.is_empty() {
            return Ok(found);
        }
        for row in snapshot.query_all_raw(self.kinds(conversation, places)).await? {
            let groups = found.entry(row.try_get("", "target_position")?).or_default();
            let emoji: String = row.try_get("", "emoji")?;
            if groups.last().is_none_or(|group| group.emoji != emoji) {
                let count: i64 = row.try_get("", "people")?;
                let count = u64::try_from(count).unwrap_or(0);
                groups.push(StoredReactions { emoji, count, first: Vec::new(), asked: Vec::new() });
            }
            if let Some(group) = groups.last_mut() {
                group.first.push(whose(&row)?);
            }
        }
        if asked.is_empty() || found.is_empty() {
            return Ok(found);
        }
        for row in snapshot.query_all_raw(self.own(conversation, places, asked)).await? {
            let emoji: String = row.try_get("", "emoji")?;
            let groups = found.get_mut(&row.try_get("", "target_position")?);
            if let Some(group) = groups.into_iter().flatten().find(|group| group.emoji == emoji) {
                group.asked.push(whose(&row)?);
            }
        }
        Ok(found)
    }

    fn kinds(&self, conversation: ConversationId, places: &[i64]) -> Statement {
        let kind = self.kind();
        let id = || Value::from(conversation.as_uuid());
        let mut values = vec![id()];
        values.extend(padded(places).map(|place| Value::from(*place)));
        let first = match kind {
            StoreKind::Postgres => {
                values.extend([id(), Value::from(NAMED_OF_REACTION as i64)]);
                FIRST_LATERAL.to_owned()
            }
            StoreKind::Sqlite | StoreKind::MySql => {
                values.extend([id(), id(), Value::from(NAMED_OF_REACTION as i64 - 1)]);
                FIRST_BOUND.replace("{then}", joined_in_order(kind))
            }
        };
        values.push(Value::from(REACTIONS_TOLD as i64));
        let text = GROUPED.replace("{places}", &marks(padded(places).len())).replace("{first}", &first);
        statement(kind, &text, values)
    }

    fn own(&self, conversation: ConversationId, places: &[i64], asked: &[UserId]) -> Statement {
        let text = OWN
            .replace("{places}", &marks(padded(places).len()))
            .replace("{people}", &marks(padded(asked).len()));
        let values = std::iter::once(Value::from(conversation.as_uuid()))
            .chain(padded(places).map(|place| Value::from(*place)))
            .chain(padded(asked).map(|user| Value::from(user.as_uuid())));
        statement(self.kind(), &text, values)
    }

    /// How the database would group the reactions to a message, and read one person's: for tests and
    /// operators.
    ///
    /// # Errors
    /// The database's.
    #[doc(hidden)]
    pub async fn plan_of_reactions(
        &self,
        conversation: ConversationId,
        target: Position,
        user: UserId,
    ) -> Result<Vec<String>, StorageError> {
        let places = [target.as_i64()];
        let mut lines = plan(self.kind(), self.reader(), self.kinds(conversation, &places)).await?;
        lines.extend(plan(self.kind(), self.reader(), self.own(conversation, &places, &[user])).await?);
        Ok(lines)
    }
}

fn whose(row: &QueryResult) -> Result<(UserId, Position), StorageError> {
    let user = UserId::from_uuid(row.try_get::<Uuid>("", "user_id")?);
    Ok((user, position(row.try_get("", "position")?)?))
}
