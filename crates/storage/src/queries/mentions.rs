//! Where somebody is named: the newest such messages of all conversations, and which of one are unread.
//!
//! What names somebody is not yet theirs to see: whoever asks looks whether they are in the conversation, and
//! may see that part of it. What a program of before has stored has no time yet; it is given one when its
//! person asks.

use std::collections::HashMap;

use milena_domain::limits::UNREAD_MAX_COUNT;
use milena_domain::{ConversationId, Position, Timestamp, UserId};
use sea_orm::{ConnectionTrait, QueryResult, Statement, Value};
use uuid::Uuid;

use super::offsets::{LogPosition, read_log_position};
use super::{MAX_ROWS, moment, position, row_limit};
use crate::sql::{joined_in_order, plan, statement};
use crate::{StorageError, Store, StoreKind};

/// A message that names somebody; also where a page of them ended. Ordered as the list is, from its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct MentionCursor {
    /// When it was sent.
    pub sent_at: Timestamp,
    /// Where.
    pub conversation: ConversationId,
    /// The message.
    pub position: Position,
}

/// Rows without a time.
const OF_BEFORE: &str = "SELECT conversation_id, position FROM mentions \
    WHERE user_id = ? AND sent_at_ms IS NULL LIMIT ?";
const DATED: &str = "UPDATE mentions SET sent_at_ms = COALESCE((\
      SELECT m.sent_at_ms FROM messages m WHERE m.conversation_id = mentions.conversation_id \
      AND m.position = mentions.position), 0) \
    WHERE user_id = ? AND conversation_id = ? AND position = ? AND sent_at_ms IS NULL";
/// Rows that are given their time in one transaction.
const PIECE: usize = 500;

/// The first bound alone is what an index can begin at.
const NEWEST: &str = "\
    SELECT conversation_id, position, sent_at_ms FROM mentions \
    WHERE user_id = ? AND sent_at_ms <= ? AND (sent_at_ms < ? OR conversation_id < ? \
      OR (conversation_id = ? AND position < ?)) \
    ORDER BY sent_at_ms DESC, conversation_id DESC, position DESC LIMIT ?";
const NEVER_MS: i64 = (1 << 53) - 1;

/// Conversations of one statement.
const AMONG: usize = 100;

/// Messages that name a person, written by others, after a mark; see [`unread_mentions`].
const UNREAD: &str = "\
    SELECT n.conversation_id, n.position FROM mentions n \
    {then} messages w ON w.conversation_id = n.conversation_id AND w.position = n.position \
    WHERE n.user_id = ? AND w.sender_id <> ? AND ({which}) LIMIT ?";

/// A column of a list: how many unread messages name its person, counted up to a bound, of which the place is
/// asked for, since a limited subquery could not name the row on MariaDB. Needs the names of the row's
/// conversation, person and mark; its one value is the offset of the last that counts.
pub(super) fn unread_mentions(kind: StoreKind, id: &str, user: &str, mark: &str) -> String {
    let of = |name: &str| {
        format!("{name}.user_id = {user} AND {name}.conversation_id = {id} AND {name}.position > {mark}")
    };
    format!(
        "(SELECT COUNT(*) FROM mentions named {} messages words \
           ON words.conversation_id = named.conversation_id AND words.position = named.position \
         WHERE {} AND words.sender_id <> {user} AND named.position <= COALESCE((\
           SELECT last_named.position FROM mentions last_named WHERE {} \
           ORDER BY last_named.position LIMIT 1 OFFSET ?), 9007199254740991))",
        joined_in_order(kind),
        of("named"),
        of("last_named"),
    )
}

/// The value of [`unread_mentions`].
pub(super) const LAST_THAT_COUNTS: i64 = UNREAD_MAX_COUNT as i64 - 1;

impl Store {
    /// The messages that name somebody, newest first, from after `before` on, at most `limit`; whether there
    /// are more; and how far the log was stored then.
    ///
    /// # Errors
    /// The database's; [`StorageError::Corrupt`] for a row that makes no sense.
    pub async fn mentions_of(
        &self,
        topic: &str,
        user: UserId,
        before: Option<MentionCursor>,
        limit: usize,
    ) -> Result<(Vec<MentionCursor>, bool, LogPosition), StorageError> {
        let limit = row_limit(limit) as usize;
        self.date_mentions(user).await?;
        self.answer(async {
            let snapshot = self.snapshot().await?;
            let log = read_log_position(&snapshot, topic).await?;
            let rows = snapshot.query_all_raw(self.newest_mentions(user, before, limit + 1)).await?;
            snapshot.commit().await?;
            let named = rows.iter().take(limit).map(|row| {
                let (conversation, position) = place(row)?;
                Ok(MentionCursor { sent_at: moment(row.try_get("", "sent_at_ms")?), conversation, position })
            });
            Ok((named.collect::<Result<_, StorageError>>()?, rows.len() > limit, log))
        })
        .await
    }

    fn newest_mentions(&self, user: UserId, before: Option<MentionCursor>, limit: usize) -> Statement {
        let (at, id, position) = before.map_or((NEVER_MS, Uuid::max(), i64::MAX), |before| {
            (before.sent_at.unix_ms(), before.conversation.as_uuid(), before.position.as_i64())
        });
        let values: [Value; 7] = [
            user.as_uuid().into(),
            at.into(),
            at.into(),
            id.into(),
            id.into(),
            position.into(),
            (limit as i64).into(),
        ];
        statement(self.kind(), NEWEST, values)
    }

    /// The messages of others after these marks that name somebody, by conversation, and how far the log was
    /// stored then. Together at most as many as a list counts to for each.
    ///
    /// # Errors
    /// The database's; [`StorageError::Corrupt`] for a row that makes no sense.
    pub async fn mentions_after(
        &self,
        topic: &str,
        user: UserId,
        marks: &[(ConversationId, Position)],
    ) -> Result<(HashMap<ConversationId, Vec<Position>>, LogPosition), StorageError> {
        self.answer(async {
            let snapshot = self.snapshot().await?;
            let log = read_log_position(&snapshot, topic).await?;
            let mut found: HashMap<ConversationId, Vec<Position>> = HashMap::new();
            for marks in marks.chunks(AMONG) {
                let which = vec!["(n.conversation_id = ? AND n.position > ?)"; marks.len()].join(" OR ");
                let text = UNREAD.replace("{which}", &which).replace("{then}", joined_in_order(self.kind()));
                let mut values: Vec<Value> = vec![user.as_uuid().into(), user.as_uuid().into()];
                for (id, mark) in marks {
                    values.extend([Value::from(id.as_uuid()), Value::from(mark.as_i64())]);
                }
                values.push(Value::from(MAX_ROWS as i64));
                for row in snapshot.query_all_raw(statement(self.kind(), &text, values)).await? {
                    let (conversation, position) = place(&row)?;
                    found.entry(conversation).or_default().push(position);
                }
            }
            snapshot.commit().await?;
            Ok((found, log))
        })
        .await
    }

    /// Gives what a program of before has stored its time, a piece at a time.
    async fn date_mentions(&self, user: UserId) -> Result<(), StorageError> {
        loop {
            let values: [Value; 2] = [user.as_uuid().into(), (PIECE as i64).into()];
            let rows = self
                .answer(async {
                    let ask = statement(self.kind(), OF_BEFORE, values);
                    Ok::<_, StorageError>(self.reader().query_all_raw(ask).await?)
                })
                .await?;
            if rows.is_empty() {
                return Ok(());
            }
            self.bulk(async {
                let transaction = self.write_transaction().await?;
                for row in &rows {
                    let (conversation, position) = place(row)?;
                    let values: [Value; 3] =
                        [user.as_uuid().into(), conversation.as_uuid().into(), position.as_i64().into()];
                    transaction.execute_raw(statement(self.kind(), DATED, values)).await?;
                }
                transaction.commit().await?;
                Ok::<_, StorageError>(())
            })
            .await?;
        }
    }

    /// How the database would find the newest messages that name somebody: for tests and operators.
    ///
    /// # Errors
    /// The database's.
    #[doc(hidden)]
    pub async fn plan_of_mentions(
        &self,
        user: UserId,
        before: Option<MentionCursor>,
    ) -> Result<Vec<String>, StorageError> {
        plan(self.kind(), self.reader(), self.newest_mentions(user, before, 20)).await
    }
}

fn place(row: &QueryResult) -> Result<(ConversationId, Position), StorageError> {
    let id = ConversationId::from_uuid(row.try_get::<Uuid>("", "conversation_id")?);
    Ok((id, position(row.try_get("", "position")?)?))
}
