//! How people want to be seen, when they were here last, and who has to do with whom.

use std::collections::{HashMap, HashSet};

use milena_domain::{ConversationId, Timestamp, UserId};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, Value};
use uuid::Uuid;

use super::moment;
use crate::entities::{conversations, person_presence};
use crate::sql::{joined_in_order, padded, statement};
use crate::{StorageError, Store, StoreKind};

/// Rows of one statement.
const CHUNK: usize = 200;

/// Who may see whether somebody is here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Audience {
    /// Whoever has an account.
    Everybody,
    /// Those with whom they share a conversation.
    #[default]
    Shared,
    /// Only themselves.
    Nobody,
}

impl Audience {
    /// As it is stored and written.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Everybody => "everybody",
            Self::Shared => "shared",
            Self::Nobody => "nobody",
        }
    }

    /// As it is written; `None` for anything else.
    #[must_use]
    pub fn named(text: &str) -> Option<Self> {
        [Self::Everybody, Self::Shared, Self::Nobody].into_iter().find(|audience| audience.as_str() == text)
    }
}

/// What is stored of somebody's presence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct StoredPresence {
    /// Whether they are to be taken for offline.
    pub hidden: bool,
    /// Who may see them.
    pub audience: Audience,
    /// When their last socket went, as far as it was seen.
    pub seen_at: Option<Timestamp>,
}

impl Store {
    /// What is stored of these people, at most as many as a socket may watch; who is not in the answer has
    /// changed nothing and was not seen.
    ///
    /// # Errors
    /// The database's; [`StorageError::Corrupt`] for a row that makes no sense.
    pub async fn presence_of(
        &self,
        users: &[UserId],
    ) -> Result<HashMap<UserId, StoredPresence>, StorageError> {
        let mut found = HashMap::new();
        for chunk in users.chunks(CHUNK) {
            let ids = padded(chunk).map(|user| user.as_uuid());
            let query = person_presence::Entity::find().filter(person_presence::Column::UserId.is_in(ids));
            for row in self.answer(async { Ok::<_, StorageError>(query.all(self.reader()).await?) }).await? {
                let audience = Audience::named(&row.audience)
                    .ok_or_else(|| StorageError::corrupt(format!("{} is no audience", row.audience)))?;
                let presence =
                    StoredPresence { hidden: row.hidden, audience, seen_at: row.seen_at_ms.map(moment) };
                found.insert(UserId::from_uuid(row.user_id), presence);
            }
        }
        Ok(found)
    }

    /// How somebody wants to be seen from now on.
    ///
    /// # Errors
    /// The database's.
    pub async fn set_presence(
        &self,
        user: UserId,
        hidden: bool,
        audience: Audience,
    ) -> Result<(), StorageError> {
        let newer = match self.kind() {
            StoreKind::MySql => {
                "ON DUPLICATE KEY UPDATE hidden = VALUES(hidden), audience = VALUES(audience)"
            }
            StoreKind::Sqlite | StoreKind::Postgres => {
                "ON CONFLICT (user_id) DO UPDATE SET hidden = excluded.hidden, audience = excluded.audience"
            }
        };
        let text =
            format!("INSERT INTO person_presence (user_id, hidden, audience) VALUES (?, ?, ?) {newer}");
        let values: [Value; 3] = [user.as_uuid().into(), hidden.into(), audience.as_str().into()];
        self.answer(async {
            self.writer().execute_raw(statement(self.kind(), &text, values)).await?;
            Ok(())
        })
        .await
    }

    /// These people went at that time; who went later already stays.
    ///
    /// # Errors
    /// The database's. Some may be written then; the call can be repeated.
    pub async fn seen(&self, went: &[(UserId, Timestamp)]) -> Result<(), StorageError> {
        let newer = match self.kind() {
            StoreKind::MySql => {
                "ON DUPLICATE KEY UPDATE \
                 seen_at_ms = GREATEST(COALESCE(seen_at_ms, VALUES(seen_at_ms)), VALUES(seen_at_ms))"
            }
            StoreKind::Sqlite | StoreKind::Postgres => {
                "ON CONFLICT (user_id) DO UPDATE SET seen_at_ms = excluded.seen_at_ms \
                 WHERE person_presence.seen_at_ms IS NULL \
                 OR person_presence.seen_at_ms < excluded.seen_at_ms"
            }
        };
        // One order for all writers, and each once: two nodes wait for each other in no circle.
        let mut went = went.to_vec();
        went.sort_unstable_by_key(|(user, at)| (*user, std::cmp::Reverse(*at)));
        went.dedup_by_key(|(user, _)| *user);
        for chunk in went.chunks(CHUNK) {
            let rows = vec!["(?, ?, ?)"; chunk.len()].join(", ");
            let text =
                format!("INSERT INTO person_presence (user_id, audience, seen_at_ms) VALUES {rows} {newer}");
            let values = chunk.iter().flat_map(|(user, at)| {
                let audience = Audience::default().as_str();
                [Value::from(user.as_uuid()), audience.into(), at.unix_ms().into()]
            });
            self.bulk(async {
                self.writer().execute_raw(statement(self.kind(), &text, values)).await?;
                Ok::<_, StorageError>(())
            })
            .await?;
        }
        Ok(())
    }

    /// The stored members of a room who let nobody see whether they are here.
    ///
    /// # Errors
    /// The database's.
    pub async fn unseen_members(&self, room: ConversationId) -> Result<HashSet<UserId>, StorageError> {
        let text = format!(
            "SELECT seen.user_id FROM memberships {} person_presence seen \
             ON seen.user_id = memberships.user_id \
             WHERE memberships.conversation_id = ? AND memberships.to_position IS NULL AND seen.audience = ?",
            joined_in_order(self.kind())
        );
        let values: [Value; 2] = [room.as_uuid().into(), Audience::Nobody.as_str().into()];
        let query = statement(self.kind(), &text, values);
        self.bulk(async {
            let rows = self.reader().query_all_raw(query).await?;
            rows.iter().map(|row| Ok(UserId::from_uuid(row.try_get_by_index(0)?))).collect()
        })
        .await
    }

    /// With whom of `others` somebody shares a stored conversation: one of two, or a room in which both are
    /// now. Costs a look-up for each pair of a room and a person.
    ///
    /// # Errors
    /// The database's.
    pub async fn acquainted(&self, user: UserId, others: &[UserId]) -> Result<HashSet<UserId>, StorageError> {
        let mut found = HashSet::new();
        for chunk in others.chunks(CHUNK) {
            let pairs: HashMap<Uuid, UserId> =
                chunk.iter().map(|other| (ConversationId::direct(user, *other).as_uuid(), *other)).collect();
            let ids: Vec<Uuid> = pairs.keys().copied().collect();
            let known = conversations::Entity::find()
                .filter(conversations::Column::Id.is_in(padded(&ids).copied()))
                .filter(conversations::Column::Kind.eq("direct"));
            let values: Vec<Value> = padded(chunk).map(|other| other.as_uuid().into()).collect();
            let in_rooms = format!(
                "SELECT DISTINCT theirs.user_id \
                 FROM memberships mine {} memberships theirs \
                 ON theirs.conversation_id = mine.conversation_id \
                 WHERE mine.user_id = ? AND mine.to_position IS NULL \
                 AND theirs.user_id IN ({}) AND theirs.to_position IS NULL",
                joined_in_order(self.kind()),
                vec!["?"; values.len()].join(", ")
            );
            let values = [Value::from(user.as_uuid())].into_iter().chain(values);
            let in_rooms = statement(self.kind(), &in_rooms, values);
            self.answer(async {
                for conversation in known.all(self.reader()).await? {
                    found.extend(pairs.get(&conversation.id));
                }
                for row in self.reader().query_all_raw(in_rooms).await? {
                    found.insert(UserId::from_uuid(row.try_get_by_index(0)?));
                }
                Ok::<_, StorageError>(())
            })
            .await?;
        }
        Ok(found)
    }
}
