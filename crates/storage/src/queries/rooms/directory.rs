//! Rooms as somebody finds them who is not in them: by size, by words, by handle.

use milena_domain::{ConversationId, words};
use milena_timeline::Room;
use sea_orm::{ConnectionTrait, Statement, Value};
use uuid::Uuid;

use super::super::names::{CANDIDATES, beginning_with, leading, words_in};
use super::super::row_limit;
use crate::room_rows::{room, room_columns_of_c};
use crate::sql::statement;
use crate::{StorageError, Store};

/// Where a page of the directory ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DirectoryCursor {
    /// The members of the page's last room.
    pub members: u32,
    /// Its id.
    pub id: ConversationId,
}

/// The words by which a room is found.
pub(crate) fn words_of(room: &Room) -> Vec<String> {
    words_in([room.handle.as_str(), room.title.as_str(), room.topic.as_str()])
}

const PUBLIC: &str = "SELECT c.id, {room} FROM conversations c {found} \
    WHERE c.visibility = 'public' AND c.archived = FALSE AND c.kind = 'room' {before} \
    ORDER BY c.member_count DESC, c.id DESC LIMIT ?";

/// The first condition alone is where the index is entered.
const BEFORE: &str = "AND c.member_count <= ? AND (c.member_count < ? OR (c.member_count = ? AND c.id < ?))";

/// Rooms that have a word with this beginning.
const FOUND: &str = "JOIN (SELECT DISTINCT w.conversation_id FROM \
    (SELECT word, conversation_id FROM room_words WHERE word >= ? AND word < ? \
    ORDER BY word, conversation_id LIMIT ?) w) f ON f.conversation_id = c.id";

/// And another one.
const ALSO: &str = "AND EXISTS (SELECT 1 FROM room_words o \
    WHERE o.conversation_id = c.id AND o.word >= ? AND o.word < ?)";

impl Store {
    /// Public rooms that are not archived, those of the most members first, from after `before` on, at most
    /// `limit`; with a query those in whose handle, title or topic each of its words begins a word,
    /// regardless of case, marks and punctuation. A page without a query costs a page; with one, of the
    /// longest word a thousand places are looked at. Membership is for the caller to say.
    ///
    /// # Errors
    /// The database's; [`StorageError::Corrupt`] for a row that makes no sense.
    pub async fn public_rooms(
        &self,
        query: &str,
        before: Option<DirectoryCursor>,
        limit: usize,
    ) -> Result<Vec<(ConversationId, Room)>, StorageError> {
        let words = words(query);
        if words.is_empty() && !query.trim().is_empty() {
            return Ok(Vec::new());
        }
        let query = self.directory(words, before, limit);
        self.answer(async {
            let rows = self.reader().query_all_raw(query).await?;
            let read = |row: &_| Ok((ConversationId::from_uuid(uuid(row)?), room(row)?));
            rows.iter().map(read).collect()
        })
        .await
    }

    fn directory(&self, words: Vec<String>, before: Option<DirectoryCursor>, limit: usize) -> Statement {
        let words = leading(words);
        let mut values: Vec<Value> = Vec::new();
        if let Some(first) = words.first() {
            values.extend(beginning_with(first));
            values.push(CANDIDATES.into());
        }
        let others = words.get(1..).unwrap_or_default();
        values.extend(others.iter().flat_map(|word| beginning_with(word)));
        let mut conditions = vec![ALSO; others.len()];
        if let Some(DirectoryCursor { members, id }) = before {
            conditions.push(BEFORE);
            let members = || Value::from(i64::from(members));
            values.extend([members(), members(), members(), id.as_uuid().into()]);
        }
        values.push((row_limit(limit) as i64).into());
        let text = PUBLIC
            .replace("{room}", &room_columns_of_c())
            .replace("{found}", if words.is_empty() { "" } else { FOUND })
            .replace("{before}", &conditions.join(" "));
        statement(self.kind(), &text, values)
    }

    /// How the database would read a page of the directory: for tests and operators.
    #[doc(hidden)]
    pub async fn plan_of_directory(
        &self,
        before: Option<DirectoryCursor>,
    ) -> Result<Vec<String>, StorageError> {
        crate::sql::plan(self.kind(), self.reader(), self.directory(Vec::new(), before, 20)).await
    }

    /// The room that has a handle. Nothing in the log keeps two rooms from taking the same one: it belongs
    /// to the one that took it first, by (position of the event, id), also while that one is archived, so
    /// that an address goes on leading where it led. The other has it when the first one takes another.
    ///
    /// # Errors
    /// The database's.
    pub async fn room_by_handle(&self, handle: &str) -> Result<Option<ConversationId>, StorageError> {
        const FIRST: &str = "SELECT id FROM conversations WHERE handle = ? AND kind = 'room' \
            ORDER BY handle_position, id LIMIT 1";
        self.answer(async {
            let query = statement(self.kind(), FIRST, [handle.into()]);
            let found = self.reader().query_one_raw(query).await?;
            found.map(|row| Ok(ConversationId::from_uuid(uuid(&row)?))).transpose()
        })
        .await
    }
}

fn uuid(row: &sea_orm::QueryResult) -> Result<Uuid, StorageError> {
    Ok(row.try_get("", "id")?)
}
