//! Who is in a room, as a person looks through it, and who is kept away.

use milena_domain::record::Role;
use milena_domain::{ConversationId, Position, UserId, words};
use sea_orm::{ConnectionTrait, QueryResult, Statement, Value};
use uuid::Uuid;

use super::super::names::{QUERY_WORDS, beginning_with};
use super::super::people::Person;
use super::super::{moment, row_limit};
use crate::room_rows::membership;
use crate::sql::statement;
use crate::{StorageError, Store};

/// A member of a room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoomMember {
    /// Who.
    pub user: UserId,
    /// As everybody may see them; `None` of whom the store knows nothing, after a replay into an empty one.
    pub person: Option<Person>,
    /// As what.
    pub role: Role,
    /// Since which event, in this role.
    pub from: Position,
    /// Their name as it is compared.
    name_folded: String,
}

/// Where a page of members ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemberCursor {
    /// The last one's role.
    pub role: Role,
    /// Their name, folded.
    pub name_folded: String,
    /// Who it was.
    pub user: UserId,
}

impl MemberCursor {
    /// By which members are sorted.
    #[must_use]
    pub fn order(&self) -> (i32, &str, UserId) {
        (rank(self.role), &self.name_folded, self.user)
    }

    /// Whether this one comes after that one.
    #[must_use]
    pub fn sorts_after(&self, other: &Self) -> bool {
        self.order() > other.order()
    }
}

impl RoomMember {
    /// Where the list goes on after them.
    #[must_use]
    pub fn cursor(&self) -> MemberCursor {
        MemberCursor { role: self.role, name_folded: self.name_folded.clone(), user: self.user }
    }
}

/// Owners first.
const fn rank(role: Role) -> i32 {
    match role {
        Role::Owner => 0,
        Role::Moderator => 1,
        Role::Member => 2,
    }
}

const MEMBERS: &str = "\
    SELECT listed.* FROM (\
      SELECT m.user_id, m.role, m.from_position, u.username, u.display_name, u.created_at_ms, \
      CASE m.role WHEN 'owner' THEN 0 WHEN 'moderator' THEN 1 ELSE 2 END AS role_rank, \
      COALESCE(u.name_folded, '') AS name_folded \
      FROM memberships m LEFT JOIN users u ON u.id = m.user_id \
      WHERE m.conversation_id = ? AND m.to_position IS NULL {named}) listed {after} \
    ORDER BY listed.role_rank, listed.name_folded, listed.user_id LIMIT ?";

const NAMED: &str = "AND EXISTS (SELECT 1 FROM name_words w \
    WHERE w.user_id = m.user_id AND w.word >= ? AND w.word < ?)";

const AFTER: &str = "WHERE listed.role_rank > ? OR (listed.role_rank = ? AND (listed.name_folded > ? \
    OR (listed.name_folded = ? AND listed.user_id > ?)))";

const BANNED: &str = "\
    SELECT p.user_id, u.username, u.display_name, u.created_at_ms \
    FROM room_people p LEFT JOIN users u ON u.id = p.user_id \
    WHERE p.conversation_id = ? AND p.banned = TRUE ORDER BY p.user_id LIMIT ?";

impl Store {
    /// Members of a room: owners first, then moderators, then the others, each by name, after `after`, at
    /// most `limit`; with a query those in whose username or display name each of its words begins a word,
    /// regardless of case, marks and punctuation. Reads the whole roster, whatever the page: two look-ups a
    /// member. The room itself says how many there are.
    ///
    /// # Errors
    /// The database's; [`StorageError::Corrupt`] for a row that makes no sense.
    pub async fn room_members(
        &self,
        conversation: ConversationId,
        query: &str,
        after: Option<&MemberCursor>,
        limit: usize,
    ) -> Result<Vec<RoomMember>, StorageError> {
        let words = words(query);
        if words.is_empty() && !query.trim().is_empty() {
            return Ok(Vec::new());
        }
        let query = self.members_query(conversation, words, after, limit);
        self.answer(async {
            let rows = self.reader().query_all_raw(query).await?;
            rows.iter()
                .map(|row| {
                    let membership = membership(row)?;
                    Ok(RoomMember {
                        user: user(row)?,
                        person: person(row)?,
                        role: membership.role,
                        from: membership.from,
                        name_folded: row.try_get("", "name_folded")?,
                    })
                })
                .collect()
        })
        .await
    }

    fn members_query(
        &self,
        conversation: ConversationId,
        mut words: Vec<String>,
        after: Option<&MemberCursor>,
        limit: usize,
    ) -> Statement {
        words.truncate(QUERY_WORDS);
        let mut values: Vec<Value> = vec![conversation.as_uuid().into()];
        for word in &words {
            values.extend(beginning_with(word));
        }
        if let Some(MemberCursor { role, name_folded, user }) = after {
            let (rank, name) = (rank(*role), name_folded.as_str());
            values.extend([rank.into(), rank.into(), name.into(), name.into(), user.as_uuid().into()]);
        }
        values.push((row_limit(limit) as i64).into());
        let text = MEMBERS
            .replace("{named}", &vec![NAMED; words.len()].join(" "))
            .replace("{after}", after.map_or("", |_| AFTER));
        statement(self.kind(), &text, values)
    }

    /// Who is kept away from a room, by id, at most `limit`; of whom the store knows nothing, `None`.
    ///
    /// # Errors
    /// The database's.
    pub async fn banned(
        &self,
        conversation: ConversationId,
        limit: usize,
    ) -> Result<Vec<(UserId, Option<Person>)>, StorageError> {
        self.answer(async {
            let values: [Value; 2] = [conversation.as_uuid().into(), (row_limit(limit) as i64).into()];
            let rows = self.reader().query_all_raw(statement(self.kind(), BANNED, values)).await?;
            rows.iter().map(|row| Ok((user(row)?, person(row)?))).collect()
        })
        .await
    }
}

fn user(row: &QueryResult) -> Result<UserId, StorageError> {
    Ok(UserId::from_uuid(row.try_get::<Uuid>("", "user_id")?))
}

fn person(row: &QueryResult) -> Result<Option<Person>, StorageError> {
    let Some(username) = row.try_get::<Option<String>>("", "username")? else { return Ok(None) };
    Ok(Some(Person {
        id: user(row)?,
        username,
        display_name: row.try_get("", "display_name")?,
        created_at: moment(row.try_get("", "created_at_ms")?),
    }))
}
