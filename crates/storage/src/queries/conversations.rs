//! The conversation list, and who is in a conversation.
//!
//! The list is two lists, of people and of rooms, each read in its order and put together: what two people
//! write is listed for both of them when it is stored, what is written in a room for nobody
//! ([`super::rooms::list`]).

use milena_domain::limits::UNREAD_MAX_COUNT;
use milena_domain::{ConversationId, Position, Timestamp, UserId};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryResult, QuerySelect, Statement, Value,
};
use uuid::Uuid;

use super::history::StoredMessage;
use super::lists::SPAN_MS;
use super::mentions::{LAST_THAT_COUNTS, unread_mentions};
use super::offsets::{LogPosition, read_log_position};
use super::rooms::list::{self as rooms, RoomSummary};
use super::{MAX_ROWS, moment, position, row_limit};
use crate::entities::{members, messages};
use crate::sql::{joined_in_order, statement};
use crate::{StorageError, Store};

/// Where a page of the list ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ListCursor {
    /// `last_sent_at` of the page's last conversation.
    pub last_sent_at: Timestamp,
    /// Its id.
    pub id: ConversationId,
}

/// A conversation as one of its members sees it in the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConversationSummary {
    /// The conversation.
    pub id: ConversationId,
    /// With whom, or in which room.
    pub kind: ConversationKind,
    /// The message at `last_position`; none when it was deleted, in a room without messages, and where this
    /// member may not see it.
    pub last_message: Option<StoredMessage>,
    /// Position of the newest stored message; of a room without any, of its creation.
    pub last_position: Position,
    /// By which the list is sorted: when that message was sent, or the room created; or when this member
    /// came, if that was later.
    pub last_sent_at: Timestamp,
    /// How far this member has read. In a room at least to their coming and their own newest message.
    pub last_read: Position,
    /// Messages of others beyond `last_read`; counted up to [`UNREAD_MAX_COUNT`].
    pub unread: u32,
    /// Those among them that name this member, counted up to as many.
    pub mentions: u32,
}

/// What a conversation is, with what the list says of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConversationKind {
    /// Between two people.
    Direct {
        /// The other person; oneself for notes to self.
        other: UserId,
        /// How far the other one has read; zero for notes to self.
        other_last_read: Position,
    },
    /// Of many.
    Room(Box<RoomSummary>),
}

impl ConversationSummary {
    /// Where the list goes on after it.
    #[must_use]
    pub const fn cursor(&self) -> ListCursor {
        ListCursor { last_sent_at: self.last_sent_at, id: self.id }
    }
}

/// A conversation in which something happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Touched {
    /// Which.
    pub id: ConversationId,
    /// Where the newest of it stands.
    pub last_position: Position,
    /// Of many, or with one other person.
    pub is_room: bool,
}

/// A page of the conversation list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing {
    /// Newest first, by (`last_sent_at`, id).
    pub conversations: Vec<ConversationSummary>,
    /// How far the log was stored at the moment that the list shows.
    pub log: LogPosition,
}

/// Conversations that one statement asks for by their ids.
const AMONG: usize = 200;

/// The page is chosen first; what is expensive is done for its rows only. The unread count is bounded by the
/// position of the last unread message that still counts: a limited subquery in FROM could not refer to the
/// row on MariaDB.
const SUMMARIES: &str = "\
    SELECT page.id, page.last_position, page.last_sent_at_ms, page.last_read, \
    other.user_id AS other_id, other.last_read AS other_last_read, \
    last.id AS message_id, last.sender_id, last.recipient_id, last.client_id, last.sent_at_ms, last.body, \
    CASE WHEN page.last_read >= page.last_position THEN 0 ELSE (\
      SELECT COUNT(*) FROM messages unread \
      WHERE unread.conversation_id = page.id AND unread.position > page.last_read AND unread.sender_id <> ? \
      AND unread.kind = 'message' AND unread.deleted_position IS NULL \
      AND unread.position <= COALESCE((\
        SELECT bound.position FROM messages bound \
        WHERE bound.conversation_id = page.id AND bound.position > page.last_read AND bound.sender_id <> ? \
        ORDER BY bound.position LIMIT 1 OFFSET ?), 9007199254740991)) END AS unread, \
    CASE WHEN page.last_read >= page.last_position THEN 0 ELSE {mentions} END AS mentions \
    FROM ({page}) page \
    LEFT JOIN members other ON other.conversation_id = page.id AND other.user_id <> ? \
    LEFT JOIN messages last ON last.conversation_id = page.id AND last.position = page.last_position \
    ORDER BY page.last_sent_at_ms DESC, page.id DESC";

/// Lists tell times to a span ([`super::lists`]). As many conversations as a page has lie, by their lists, at
/// or after this, and a span behind the cursor, so that none of them is before it.
const REACHES: &str = "\
    SELECT last_sent_at_ms FROM conversation_lists WHERE user_id = ? AND last_sent_at_ms <= ? \
    ORDER BY last_sent_at_ms DESC LIMIT 1 OFFSET ?";

/// A page of a person's list: of the conversations that it can be among, read from the index. The bounds are
/// values, not a query within, so that PostgreSQL can tell how few they are. SQLite cannot and would go
/// through all of the person's conversations once it has counted them: it is told the order.
const LISTED: &str = "\
    SELECT c.id, c.last_position, c.last_sent_at_ms, m.last_read, m.user_id \
    FROM (\
      SELECT conversation_id, user_id FROM conversation_lists \
      WHERE user_id = ? AND last_sent_at_ms > ? AND last_sent_at_ms <= ?) l \
    {then} conversations c ON c.id = l.conversation_id \
    {then} members m ON m.conversation_id = l.conversation_id AND m.user_id = l.user_id \
    WHERE c.last_sent_at_ms < ? OR (c.last_sent_at_ms = ? AND c.id < ?) \
    ORDER BY c.last_sent_at_ms DESC, c.id DESC LIMIT ?";

/// After all times, and before: what no list has.
const NEVER_MS: i64 = (1 << 53) - 1;

/// Conversations by their ids, of which the person is a member.
const NAMED: &str = "\
    SELECT c.id, c.last_position, c.last_sent_at_ms, m.last_read, m.user_id \
    FROM members m JOIN conversations c ON c.id = m.conversation_id \
    WHERE m.user_id = ? AND m.conversation_id {which} LIMIT ?";

/// Which conversations of a person are asked for.
enum Chosen {
    /// So many, after the cursor, in the order of the list.
    Page(Option<ListCursor>, usize),
    Named(Vec<ConversationId>),
}

impl Store {
    /// The person's conversations, newest first, from after `before` on, at most `limit`.
    ///
    /// # Errors
    /// The database's; [`StorageError::Corrupt`] for a row that makes no sense.
    pub async fn conversations_of(
        &self,
        topic: &str,
        user: UserId,
        before: Option<ListCursor>,
        limit: usize,
    ) -> Result<Listing, StorageError> {
        let chosen = vec![Chosen::Page(before, limit)];
        let (mut conversations, log) = self.read_summaries(topic, user, chosen).await?;
        // Each list has its own order; what lies beyond the page is for the next one.
        conversations.sort_by_key(|found| std::cmp::Reverse(found.cursor()));
        conversations.truncate(row_limit(limit) as usize);
        Ok(Listing { conversations, log })
    }

    /// One conversation, if the person is in it and it is stored.
    ///
    /// # Errors
    /// The database's; [`StorageError::Corrupt`] for a row that makes no sense.
    pub async fn conversation_of(
        &self,
        topic: &str,
        user: UserId,
        id: ConversationId,
    ) -> Result<(Option<ConversationSummary>, LogPosition), StorageError> {
        let (mut found, log) = self.read_summaries(topic, user, vec![Chosen::Named(vec![id])]).await?;
        Ok((found.pop(), log))
    }

    /// Those of the conversations that are stored and that the person is in, in no order.
    ///
    /// # Errors
    /// The database's; [`StorageError::Corrupt`] for a row that makes no sense.
    pub async fn conversations_among(
        &self,
        topic: &str,
        user: UserId,
        ids: &[ConversationId],
    ) -> Result<Listing, StorageError> {
        let chosen = ids.chunks(AMONG).map(|chunk| {
            // Filled up with its last id, so that there is one statement for the database to prepare.
            let ids = chunk.iter().chain(std::iter::repeat_n(&chunk[chunk.len() - 1], AMONG - chunk.len()));
            Chosen::Named(ids.copied().collect())
        });
        let (conversations, log) = self.read_summaries(topic, user, chosen.collect()).await?;
        Ok(Listing { conversations, log })
    }

    /// The person's conversations in which something stored happened at `first` or after, with the newest
    /// position, the greatest first, at most `limit` (which may not be above 10,000): whoever must know that
    /// these are all asks for one more. That is the newest message, or what happened or changed there since;
    /// and of a room that they are no longer in, the end of their time.
    ///
    /// # Errors
    /// The database's; [`StorageError::Corrupt`] for a row that makes no sense.
    pub async fn conversations_since(
        &self,
        user: UserId,
        first: Position,
        limit: usize,
    ) -> Result<Vec<Touched>, StorageError> {
        const SINCE: &str = "\
            SELECT c.id, CASE WHEN c.folded_position > c.last_position \
              THEN c.folded_position ELSE c.last_position END AS last_position, 0 AS is_room \
            FROM members m JOIN conversations c ON c.id = m.conversation_id \
            WHERE m.user_id = ? AND (c.last_position >= ? OR c.folded_position >= ?) \
            UNION ALL \
            SELECT r.id, MAX(r.last_position) AS last_position, 1 AS is_room FROM (\
              SELECT c.id, COALESCE(m.to_position, CASE WHEN c.folded_position > c.last_position \
                THEN c.folded_position ELSE c.last_position END) AS last_position \
              FROM memberships m JOIN conversations c ON c.id = m.conversation_id \
              WHERE m.user_id = ?) r \
            WHERE r.last_position >= ? GROUP BY r.id \
            ORDER BY last_position DESC, id DESC LIMIT ?";
        debug_assert!(limit <= MAX_ROWS, "a limit that is cut hides what is missing");
        self.answer(async {
            let (me, first) = (Value::from(user.as_uuid()), Value::from(first.as_i64()));
            let limit = Value::from(row_limit(limit) as i64);
            let values: [Value; 6] = [me.clone(), first.clone(), first.clone(), me, first, limit];
            let rows = self.reader().query_all_raw(statement(self.kind(), SINCE, values)).await?;
            rows.iter()
                .map(|row| {
                    Ok(Touched {
                        id: ConversationId::from_uuid(row.try_get("", "id")?),
                        last_position: position(row.try_get("", "last_position")?)?,
                        is_room: row.try_get::<i32>("", "is_room")? == 1,
                    })
                })
                .collect()
        })
        .await
    }

    /// Who is in a conversation of two: nobody when it is not stored, or a room.
    ///
    /// # Errors
    /// The database's.
    pub async fn members(&self, id: ConversationId) -> Result<Vec<UserId>, StorageError> {
        self.answer(async {
            let found: Vec<Uuid> = members::Entity::find()
                .select_only()
                .column(members::Column::UserId)
                .filter(members::Column::ConversationId.eq(id.as_uuid()))
                .into_tuple()
                .all(self.reader())
                .await?;
            Ok(found.into_iter().map(UserId::from_uuid).collect())
        })
        .await
    }

    /// The statement for a page of the person's list.
    async fn listed(
        &self,
        connection: &impl ConnectionTrait,
        user: UserId,
        before: Option<ListCursor>,
        limit: usize,
    ) -> Result<Statement, DbErr> {
        let limit = row_limit(limit);
        let (at, id) = before.map_or((NEVER_MS, Uuid::nil()), |ListCursor { last_sent_at, id }| {
            (last_sent_at.unix_ms(), id.as_uuid())
        });
        let nth = limit.saturating_sub(1) as i64;
        let reaches = [user.as_uuid().into(), at.saturating_sub(SPAN_MS).into(), nth.into()];
        let last: i64 = match connection.query_one_raw(statement(self.kind(), REACHES, reaches)).await? {
            Some(row) => row.try_get("", "last_sent_at_ms")?,
            None => -NEVER_MS,
        };
        let values = [last.saturating_sub(SPAN_MS), at, at, at].map(Value::from);
        let values = values.into_iter().chain([id.into()]).collect();
        Ok(self.summaries(user, &LISTED.replace("{then}", joined_in_order(self.kind())), values, limit))
    }

    /// How the database would read the rooms of a page of the list: for tests and operators.
    #[doc(hidden)]
    pub async fn plan_of_rooms(
        &self,
        user: UserId,
        before: Option<ListCursor>,
    ) -> Result<Vec<String>, StorageError> {
        crate::sql::plan(self.kind(), self.reader(), self.rooms_listed(user, None, before, 20)).await
    }

    /// How the database would read a page of the list: for tests and operators.
    #[doc(hidden)]
    pub async fn plan_of_list(
        &self,
        user: UserId,
        before: Option<ListCursor>,
    ) -> Result<Vec<String>, StorageError> {
        let page = self.listed(self.reader(), user, before, 20).await?;
        crate::sql::plan(self.kind(), self.reader(), page).await
    }

    /// `page` names the conversations; its values are the person, those given, and the limit.
    fn summaries(&self, user: UserId, page: &str, page_values: Vec<Value>, limit: u64) -> Statement {
        let me = || Value::from(user.as_uuid());
        let mut values = vec![me(), me(), i64::from(UNREAD_MAX_COUNT - 1).into()];
        values.extend([LAST_THAT_COUNTS.into(), me()]);
        values.extend(page_values);
        values.extend([(limit as i64).into(), me()]);
        let mentions = unread_mentions(self.kind(), "page.id", "page.user_id", "page.last_read");
        let text = SUMMARIES.replace("{mentions}", &mentions).replace("{page}", page);
        statement(self.kind(), &text, values)
    }

    fn named(&self, user: UserId, ids: &[ConversationId]) -> Statement {
        let which = format!("IN ({})", vec!["?"; ids.len()].join(", "));
        let values = ids.iter().map(|id| id.as_uuid().into()).collect();
        self.summaries(user, &NAMED.replace("{which}", &which), values, ids.len() as u64)
    }

    /// What is found of the chosen, people and rooms, and how far the log was stored, all at one moment.
    async fn read_summaries(
        &self,
        topic: &str,
        user: UserId,
        chosen: Vec<Chosen>,
    ) -> Result<(Vec<ConversationSummary>, LogPosition), StorageError> {
        self.answer(async {
            let snapshot = self.snapshot().await?;
            let log = read_log_position(&snapshot, topic).await?;
            let mut summaries = Vec::new();
            for chosen in chosen {
                let (of_people, of_rooms) = match chosen {
                    Chosen::Page(before, limit) => (
                        self.listed(&snapshot, user, before, limit).await?,
                        self.rooms_listed(user, None, before, row_limit(limit)),
                    ),
                    Chosen::Named(ids) => {
                        let limit = ids.len() as u64;
                        (self.named(user, &ids), self.rooms_listed(user, Some(&ids), None, limit))
                    }
                };
                for row in snapshot.query_all_raw(of_people).await? {
                    summaries.push(summary(user, &row)?);
                }
                for row in snapshot.query_all_raw(of_rooms).await? {
                    summaries.push(rooms::summary(&row)?);
                }
            }
            snapshot.commit().await?;
            Ok((summaries, log))
        })
        .await
    }
}

fn summary(user: UserId, row: &QueryResult) -> Result<ConversationSummary, StorageError> {
    let id: Uuid = row.try_get("", "id")?;
    let last_position: i64 = row.try_get("", "last_position")?;
    let other: Option<Uuid> = row.try_get("", "other_id")?;
    let unread: i64 = row.try_get("", "unread")?;
    Ok(ConversationSummary {
        id: ConversationId::from_uuid(id),
        last_message: last_message(id, last_position, row)?,
        last_position: position(last_position)?,
        last_sent_at: moment(row.try_get("", "last_sent_at_ms")?),
        last_read: position(row.try_get("", "last_read")?)?,
        unread: counted(unread),
        mentions: counted(row.try_get("", "mentions")?),
        kind: ConversationKind::Direct {
            other: other.map_or(user, UserId::from_uuid),
            other_last_read: position(row.try_get::<Option<i64>>("", "other_last_read")?.unwrap_or(0))?,
        },
    })
}

/// A count as the list tells it.
pub(super) fn counted(count: i64) -> u32 {
    u32::try_from(count.max(0)).unwrap_or(UNREAD_MAX_COUNT).min(UNREAD_MAX_COUNT)
}

pub(super) fn last_message(
    conversation_id: Uuid,
    position: i64,
    row: &QueryResult,
) -> Result<Option<StoredMessage>, StorageError> {
    let Some(id) = row.try_get::<Option<Uuid>>("", "message_id")? else { return Ok(None) };
    let body: String = row.try_get("", "body")?;
    // Deleted: there are no words to show.
    if body.is_empty() {
        return Ok(None);
    }
    let message = messages::Model {
        conversation_id,
        position,
        id,
        sender_id: row.try_get("", "sender_id")?,
        recipient_id: row.try_get("", "recipient_id")?,
        client_id: row.try_get("", "client_id")?,
        sent_at_ms: row.try_get("", "sent_at_ms")?,
        body,
        ..messages::Model::default()
    };
    message.try_into().map(Some)
}
