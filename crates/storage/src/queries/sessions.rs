//! Sessions. The store knows a token only by its SHA-256, so that a copy of the database signs nobody in.

use std::collections::{HashMap, HashSet};

use milena_domain::{Timestamp, UserId};
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::{Expr, SimpleExpr};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbErr, EntityTrait, ExprTrait, QueryFilter, QueryOrder, QuerySelect,
};
use uuid::Uuid;

use super::moment;
use super::people::Person;
use crate::entities::{sessions, users};
use crate::sql::padded;
use crate::{StorageError, Store};

/// Characters of a user agent that are kept.
pub const USER_AGENT_MAX_CHARS: usize = 200;
/// Tokens of one call of [`Store::sessions_by_token`].
pub const TOKENS_MAX: usize = 256;
/// Sessions of one statement.
const CHUNK: usize = 500;
/// Sessions of one person that are listed, at most: the newest.
const LISTED_MAX: u64 = 200;

/// A session to be stored.
#[derive(Debug, Clone)]
pub struct NewSession {
    /// Made by the caller.
    pub id: Uuid,
    /// SHA-256 of the token.
    pub token_hash: [u8; 32],
    /// Who signed in; must be stored.
    pub user: UserId,
    /// When they did.
    pub created_at: Timestamp,
    /// From then on the session counts as absent, unless use moves it.
    pub expires_at: Timestamp,
    /// Use moves the above no further than here.
    pub ends_at: Timestamp,
    /// What the client calls itself; cut to [`USER_AGENT_MAX_CHARS`], control characters are dropped.
    pub user_agent: String,
}

/// A session that has not expired.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Its name towards its owner; not the token.
    pub id: Uuid,
    /// Who is signed in.
    pub person: Person,
    /// When they signed in.
    pub created_at: Timestamp,
    /// When the session was last used, as far as it was written down.
    pub last_seen_at: Timestamp,
    /// When it ends.
    pub expires_at: Timestamp,
    /// What the client called itself.
    pub user_agent: String,
}

impl Store {
    /// Stores a new session.
    ///
    /// # Errors
    /// The database's; also when the person is not stored.
    pub async fn create_session(&self, session: NewSession) -> Result<(), StorageError> {
        let user_agent =
            session.user_agent.chars().filter(|c| !c.is_control()).take(USER_AGENT_MAX_CHARS).collect();
        let row = sessions::ActiveModel {
            id: Set(session.id),
            token_hash: Set(session.token_hash.to_vec()),
            user_id: Set(session.user.as_uuid()),
            created_at_ms: Set(session.created_at.unix_ms()),
            last_seen_at_ms: Set(session.created_at.unix_ms()),
            expires_at_ms: Set(session.expires_at.min(session.ends_at).unix_ms()),
            ends_at_ms: Set(Some(session.ends_at.unix_ms())),
            user_agent: Set(user_agent),
        };
        self.answer(async {
            sessions::Entity::insert(row).exec_without_returning(self.writer()).await?;
            Ok(())
        })
        .await
    }

    /// The session with this token, unless it has expired.
    ///
    /// # Errors
    /// The database's.
    pub async fn session(
        &self,
        token_hash: &[u8; 32],
        now: Timestamp,
    ) -> Result<Option<Session>, StorageError> {
        Ok(self.sessions_by_token(std::slice::from_ref(token_hash), now).await?.remove(token_hash))
    }

    /// The sessions with these tokens, at most [`TOKENS_MAX`]; those that have expired or never were are
    /// missing from the answer.
    ///
    /// # Errors
    /// The database's.
    pub async fn sessions_by_token(
        &self,
        token_hashes: &[[u8; 32]],
        now: Timestamp,
    ) -> Result<HashMap<[u8; 32], Session>, StorageError> {
        debug_assert!(token_hashes.len() <= TOKENS_MAX);
        if token_hashes.is_empty() {
            return Ok(HashMap::new());
        }
        self.answer(async {
            let found = with_person()
                .filter(sessions::Column::TokenHash.is_in(padded(token_hashes).map(|hash| hash.to_vec())))
                .filter(is_alive(now))
                .all(self.reader())
                .await?;
            let by_token = |(row, user): (sessions::Model, Option<users::Model>)| {
                let hash = <[u8; 32]>::try_from(row.token_hash.as_slice())
                    .map_err(|_| StorageError::corrupt("a token's hash of another length"))?;
                Ok((hash, session_of((row, user))?))
            };
            found.into_iter().map(by_token).collect()
        })
        .await
    }

    /// Writes down that the session was used; it expires then, but no later than it ends. A session that is
    /// gone stays gone.
    ///
    /// # Errors
    /// The database's.
    pub async fn touch_session(
        &self,
        id: Uuid,
        last_seen_at: Timestamp,
        expires_at: Timestamp,
    ) -> Result<(), StorageError> {
        self.answer(async {
            sessions::Entity::update_many()
                .col_expr(sessions::Column::LastSeenAtMs, Expr::value(last_seen_at.unix_ms()))
                .col_expr(sessions::Column::ExpiresAtMs, expiry(expires_at))
                .filter(sessions::Column::Id.eq(id))
                .exec(self.writer())
                .await?;
            Ok(())
        })
        .await
    }

    /// Writes down that these sessions were used, and answers which of them there still are: one that was
    /// ended or has expired is missing from the answer and stays as it is.
    ///
    /// # Errors
    /// The database's. Some of the sessions may be written down then; the call can be repeated.
    pub async fn touch_sessions(
        &self,
        ids: &[Uuid],
        last_seen_at: Timestamp,
        expires_at: Timestamp,
    ) -> Result<HashSet<Uuid>, StorageError> {
        let mut existing = HashSet::with_capacity(ids.len());
        for chunk in ids.chunks(CHUNK) {
            let found = self.bulk(async {
                let alive = sessions::Column::Id.is_in(chunk.iter().copied()).and(is_alive(last_seen_at));
                sessions::Entity::update_many()
                    .col_expr(sessions::Column::LastSeenAtMs, Expr::value(last_seen_at.unix_ms()))
                    .col_expr(sessions::Column::ExpiresAtMs, expiry(expires_at))
                    .filter(alive.clone())
                    .exec(self.writer())
                    .await?;
                let found: Vec<Uuid> = sessions::Entity::find()
                    .select_only()
                    .column(sessions::Column::Id)
                    .filter(alive)
                    .into_tuple()
                    .all(self.writer())
                    .await?;
                Ok::<_, StorageError>(found)
            });
            existing.extend(found.await?);
        }
        Ok(existing)
    }

    /// Ends a session of this person; `false` when they have no such session.
    ///
    /// # Errors
    /// The database's.
    pub async fn delete_session(&self, user: UserId, id: Uuid) -> Result<bool, StorageError> {
        self.answer(async {
            let deleted = sessions::Entity::delete_many()
                .filter(sessions::Column::Id.eq(id))
                .filter(sessions::Column::UserId.eq(user.as_uuid()))
                .exec(self.writer())
                .await?;
            Ok(deleted.rows_affected > 0)
        })
        .await
    }

    /// Ends all sessions of this person but `kept`, and says which they were.
    ///
    /// # Errors
    /// The database's. Some of the sessions may be ended then; the call can be repeated.
    pub async fn delete_other_sessions(&self, user: UserId, kept: Uuid) -> Result<Vec<Uuid>, StorageError> {
        self.answer(async { Ok(delete_others(self.writer(), user, kept).await?) }).await
    }

    /// The person's sessions that have not expired, the last used first; at most 200.
    ///
    /// # Errors
    /// The database's.
    pub async fn sessions_of(&self, user: UserId, now: Timestamp) -> Result<Vec<Session>, StorageError> {
        self.answer(async {
            with_person()
                .filter(sessions::Column::UserId.eq(user.as_uuid()))
                .filter(is_alive(now))
                .order_by_desc(sessions::Column::LastSeenAtMs)
                .order_by_desc(sessions::Column::Id)
                .limit(LISTED_MAX)
                .all(self.reader())
                .await?
                .into_iter()
                .map(session_of)
                .collect()
        })
        .await
    }

    /// Sessions that a program began which knows of no end get one, `max_ms` after their sign-in; and what
    /// such a program moved beyond the end is moved back.
    ///
    /// # Errors
    /// The database's; the call can be repeated.
    pub async fn bound_sessions(&self, max_ms: i64) -> Result<(), StorageError> {
        self.bulk(async {
            sessions::Entity::update_many()
                .col_expr(sessions::Column::EndsAtMs, Expr::col(sessions::Column::CreatedAtMs).add(max_ms))
                .filter(sessions::Column::EndsAtMs.is_null())
                .exec(self.writer())
                .await?;
            sessions::Entity::update_many()
                .col_expr(sessions::Column::ExpiresAtMs, Expr::col(sessions::Column::EndsAtMs))
                .filter(Expr::col(sessions::Column::ExpiresAtMs).gt(Expr::col(sessions::Column::EndsAtMs)))
                .exec(self.writer())
                .await?;
            Ok(())
        })
        .await
    }

    /// Removes the sessions that have expired and says how many.
    ///
    /// # Errors
    /// The database's.
    pub async fn delete_expired_sessions(&self, now: Timestamp) -> Result<u64, StorageError> {
        self.bulk(async {
            let deleted = sessions::Entity::delete_many()
                .filter(sessions::Column::ExpiresAtMs.lte(now.unix_ms()))
                .exec(self.writer())
                .await?;
            Ok(deleted.rows_affected)
        })
        .await
    }
}

/// Deletes all sessions of a person but `kept`, and exactly those that it answers.
pub(super) async fn delete_others(
    connection: &impl ConnectionTrait,
    user: UserId,
    kept: Uuid,
) -> Result<Vec<Uuid>, DbErr> {
    let others: Vec<Uuid> = sessions::Entity::find()
        .select_only()
        .column(sessions::Column::Id)
        .filter(sessions::Column::UserId.eq(user.as_uuid()))
        .filter(sessions::Column::Id.ne(kept))
        .into_tuple()
        .all(connection)
        .await?;
    for chunk in others.chunks(CHUNK) {
        sessions::Entity::delete_many()
            .filter(sessions::Column::Id.is_in(chunk.iter().copied()))
            .exec(connection)
            .await?;
    }
    Ok(others)
}

/// Neither expired nor ended.
fn is_alive(now: Timestamp) -> SimpleExpr {
    let ends_later = sessions::Column::EndsAtMs.gt(now.unix_ms()).or(sessions::Column::EndsAtMs.is_null());
    sessions::Column::ExpiresAtMs.gt(now.unix_ms()).and(ends_later)
}

/// When a session expires that was just used: `wanted`, or its end if that comes first.
fn expiry(wanted: Timestamp) -> SimpleExpr {
    let ends_first = sessions::Column::EndsAtMs.lt(wanted.unix_ms());
    Expr::case(ends_first, Expr::col(sessions::Column::EndsAtMs)).finally(wanted.unix_ms()).into()
}

fn with_person() -> sea_orm::SelectTwo<sessions::Entity, users::Entity> {
    sessions::Entity::find().find_also_related(users::Entity)
}

fn session_of((row, user): (sessions::Model, Option<users::Model>)) -> Result<Session, StorageError> {
    let user = user.ok_or_else(|| StorageError::corrupt("a session without its person"))?;
    Ok(Session {
        id: row.id,
        person: user.into(),
        created_at: moment(row.created_at_ms),
        last_seen_at: moment(row.last_seen_at_ms),
        expires_at: moment(row.expires_at_ms),
        user_agent: row.user_agent,
    })
}
