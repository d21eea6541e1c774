//! The rooms of a person's conversation list.
//!
//! A room's activity is not written to each of its members (its messages cost the same whatever its size), so
//! a page is chosen among all rooms that the person is in: a look-up or three a room of theirs, in indexes.
//! What is expensive is done for the page's rows only. Unread messages are told by numbers, never counted:
//! the room's last one less that of the newest message at or before the mark. The mark is the furthest of
//! what the member has read, their own newest message (which the writer keeps in `room_authors`: one row
//! more for each author of a batch), and their coming; a role that changed since is no coming.

use milena_domain::limits::UNREAD_MAX_COUNT;
use milena_domain::record::{History, Role};
use milena_domain::{ConversationId, Position, UserId};
use milena_timeline::Room;
use sea_orm::{QueryResult, Statement, Value};
use uuid::Uuid;

use super::super::conversations::{ConversationKind, ConversationSummary, ListCursor, counted, last_message};
use super::super::history::MESSAGE;
use super::super::mentions::{LAST_THAT_COUNTS, unread_mentions};
use super::super::{moment, position};
use crate::room_rows::{membership, room, room_columns_of_c};
use crate::sql::statement;
use crate::{StorageError, Store, StoreKind};

/// What the list says of a room, as one of its members sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoomSummary {
    /// The room, with how many are in it.
    pub room: Room,
    /// This member's role.
    pub role: Role,
    /// Since which event they have it.
    pub from: Position,
    /// Since which event they are in the room, whatever roles they had.
    pub joined: Position,
    /// How many messages the room has.
    pub last_seq: u64,
}

/// The memberships that last; `joined` begins the last interval that does not go on from another.
const MINE: &str = "\
    SELECT m.conversation_id, m.user_id, m.role, m.from_position, (\
      SELECT MAX(i.from_position) FROM memberships i \
      WHERE i.conversation_id = m.conversation_id AND i.user_id = m.user_id AND NOT EXISTS (\
        SELECT 1 FROM memberships p WHERE p.conversation_id = i.conversation_id \
        AND p.user_id = i.user_id AND p.to_position = i.from_position)) AS joined \
    FROM memberships m WHERE m.user_id = ? AND m.to_position IS NULL {which}";

/// A new member finds the room by when they came, while nobody has written since.
const PLACED: &str = "\
    SELECT c.id, {room}, c.last_position, c.last_seq, \
    mine.user_id, mine.role, mine.from_position, mine.joined, \
    {greatest}(c.last_sent_at_ms, COALESCE(j.sent_at_ms, 0)) AS at_ms \
    FROM ({mine}) mine JOIN conversations c ON c.id = mine.conversation_id \
    LEFT JOIN messages j ON j.conversation_id = mine.conversation_id AND j.position = mine.joined";

const BEFORE: &str = "WHERE placed.at_ms < ? OR (placed.at_ms = ? AND placed.id < ?)";

/// Of deleted messages there is nothing to read; they are looked for where few are unread, among what has
/// changed since.
const SUMMARIES: &str = "\
    SELECT numbered.*, last.id AS message_id, last.sender_id, last.recipient_id, last.client_id, \
    last.sent_at_ms, last.body, last.kind AS message_kind, \
    CASE WHEN numbered.last_seq - numbered.read_seq BETWEEN 1 AND ? THEN (\
      SELECT COUNT(*) FROM messages gone WHERE gone.conversation_id = numbered.id \
      AND gone.changed_position > numbered.mark AND gone.position > numbered.mark \
      AND gone.kind = 'message' AND gone.deleted_position IS NOT NULL) ELSE 0 END AS deleted, \
    CASE WHEN numbered.last_seq > numbered.read_seq THEN {mentions} ELSE 0 END AS mentions \
    FROM (\
      SELECT marked.*, COALESCE((SELECT seen.seq FROM messages seen \
        WHERE seen.conversation_id = marked.id AND seen.position <= marked.mark \
        ORDER BY seen.position DESC LIMIT 1), 0) AS read_seq \
      FROM (\
        SELECT page.*, \
        {greatest}(COALESCE(r.last_read, 0), COALESCE(a.position, 0), page.joined) AS mark \
        FROM (SELECT placed.* FROM ({placed}) placed {before} \
          ORDER BY placed.at_ms DESC, placed.id DESC LIMIT ?) page \
        LEFT JOIN room_reads r ON r.conversation_id = page.id AND r.user_id = page.user_id \
        LEFT JOIN room_authors a ON a.conversation_id = page.id AND a.user_id = page.user_id\
      ) marked) numbered \
    LEFT JOIN messages last ON last.conversation_id = numbered.id AND last.position = numbered.last_position \
    ORDER BY numbered.at_ms DESC, numbered.id DESC";

impl Store {
    /// A page of somebody's rooms, or those of `ids` that they are in.
    pub(in crate::queries) fn rooms_listed(
        &self,
        user: UserId,
        ids: Option<&[ConversationId]>,
        before: Option<ListCursor>,
        limit: u64,
    ) -> Statement {
        let kind = self.kind();
        let which = ids.map_or(String::new(), |ids| {
            format!("AND m.conversation_id IN ({})", vec!["?"; ids.len()].join(", "))
        });
        let placed = PLACED
            .replace("{room}", &room_columns_of_c())
            .replace("{mine}", &MINE.replace("{which}", &which));
        let mentions = unread_mentions(kind, "numbered.id", "numbered.user_id", "numbered.mark");
        let text = SUMMARIES
            .replace("{placed}", &placed)
            .replace("{before}", before.map_or("", |_| BEFORE))
            .replace("{greatest}", greatest(kind))
            .replace("{mentions}", &mentions);
        let mut values: Vec<Value> = vec![i64::from(UNREAD_MAX_COUNT).into()];
        values.extend([LAST_THAT_COUNTS.into(), user.as_uuid().into()]);
        values.extend(ids.into_iter().flatten().map(|id| Value::from(id.as_uuid())));
        if let Some(ListCursor { last_sent_at, id }) = before {
            let at = || Value::from(last_sent_at.unix_ms());
            values.extend([at(), at(), id.as_uuid().into()]);
        }
        values.push((limit as i64).into());
        statement(kind, &text, values)
    }
}

/// The function that answers the greatest of several values.
const fn greatest(kind: StoreKind) -> &'static str {
    match kind {
        StoreKind::Sqlite => "MAX",
        _ => "GREATEST",
    }
}

/// A row of [`Store::rooms_listed`].
pub(in crate::queries) fn summary(row: &QueryResult) -> Result<ConversationSummary, StorageError> {
    let id: Uuid = row.try_get("", "id")?;
    let last_position: i64 = row.try_get("", "last_position")?;
    let number = |name: &str| -> Result<i64, StorageError> { Ok(row.try_get("", name)?) };
    let (last_seq, mine) = (number("last_seq")?, membership(row)?);
    let room = room(row)?;
    let unread = last_seq - number("read_seq")? - number("deleted")?;
    let joined = position(number("joined")?)?;
    let is_message = row.try_get::<Option<String>>("", "message_kind")?.as_deref() == Some(MESSAGE);
    // What was written before they came is not theirs to read.
    let is_hidden = room.history == History::SinceJoin && last_position < joined.as_i64();
    let last_message = if is_message && !is_hidden { last_message(id, last_position, row)? } else { None };
    Ok(ConversationSummary {
        id: ConversationId::from_uuid(id),
        last_message,
        last_position: position(last_position)?,
        last_sent_at: moment(number("at_ms")?),
        last_read: position(number("mark")?)?,
        unread: counted(unread),
        mentions: counted(number("mentions")?),
        kind: ConversationKind::Room(Box::new(RoomSummary {
            room,
            role: mine.role,
            from: mine.from,
            joined,
            last_seq: u64::try_from(last_seq).unwrap_or(0),
        })),
    })
}
