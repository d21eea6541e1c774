//! People: registration, import, search, and what they change about themselves.

use std::collections::{HashMap, HashSet};

use milena_domain::{ConversationId, DisplayName, Timestamp, UserId, Username, folded_name};
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, SqlErr};
use uuid::Uuid;

use super::names::{FOLD_VERSION, insert_words, replace_words, words_of};
use super::{moment, outbox, row_limit};
use crate::entities::users;
use crate::{StorageError, Store};

/// Rows or ids of one statement.
const CHUNK: usize = 500;

/// A person to be stored.
#[derive(Debug, Clone)]
pub struct NewUser {
    /// Made by the caller.
    pub id: UserId,
    /// Unique regardless of case.
    pub username: Username,
    /// The name to show.
    pub display_name: DisplayName,
    /// PHC text of argon2id, at most 255 characters; `None` for imported people, who cannot sign in.
    pub password_hash: Option<String>,
    /// When they registered.
    pub created_at: Timestamp,
}

/// A person as everybody may see them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// The person.
    pub id: UserId,
    /// As typed at registration.
    pub username: String,
    /// The name to show.
    pub display_name: String,
    /// When they registered.
    pub created_at: Timestamp,
}

impl Store {
    /// Stores a new person who comes into no room.
    ///
    /// # Errors
    /// As [`Store::register`].
    pub async fn create_user(&self, user: NewUser) -> Result<(), StorageError> {
        self.register(user, &[]).await
    }

    /// Stores a new person, and in the same transaction that they are to come into these rooms.
    ///
    /// # Errors
    /// [`StorageError::UsernameTaken`], or the database's.
    pub async fn register(&self, user: NewUser, rooms: &[ConversationId]) -> Result<(), StorageError> {
        self.answer(async {
            let joinings: Vec<_> = rooms.iter().map(|room| (user.id, *room)).collect();
            let (id, words) =
                (user.id.as_uuid(), words_of(user.username.as_str(), user.display_name.as_str()));
            let transaction = self.write_transaction().await?;
            if let Err(error) = users::Entity::insert(row(user)).exec_without_returning(&transaction).await {
                return match error.sql_err() {
                    Some(SqlErr::UniqueConstraintViolation(_)) => Err(StorageError::UsernameTaken),
                    _ => Err(error.into()),
                };
            }
            insert_words(&transaction, [(id, words)]).await?;
            outbox::expect(self.kind(), &transaction, &joinings).await?;
            Ok(transaction.commit().await?)
        })
        .await
    }

    /// Stores those whose username nobody has yet, and answers everybody's id by folded username. Of two with
    /// the same username, the first counts.
    ///
    /// # Errors
    /// The database's. Some of the people may be stored then; the call can be repeated.
    pub async fn ensure_users(&self, people: Vec<NewUser>) -> Result<HashMap<String, UserId>, StorageError> {
        let mut seen = HashSet::new();
        let mut people: Vec<_> =
            people.into_iter().filter(|user| seen.insert(user.username.folded())).collect();
        // The same order everywhere: two imports at once then never wait for each other in a circle.
        people.sort_by_cached_key(|user| user.username.folded());
        let mut ids = HashMap::with_capacity(people.len());
        for chunk in people.chunks(CHUNK) {
            self.bulk(self.ensure_chunk(chunk, &mut ids)).await?;
        }
        Ok(ids)
    }

    async fn ensure_chunk(
        &self,
        people: &[NewUser],
        ids: &mut HashMap<String, UserId>,
    ) -> Result<(), StorageError> {
        let nothing =
            OnConflict::column(users::Column::UsernameFolded).do_nothing_on([users::Column::Id]).to_owned();
        let transaction = self.write_transaction().await?;
        users::Entity::insert_many(people.iter().cloned().map(row))
            .on_conflict(nothing)
            .exec_without_returning(&transaction)
            .await?;
        let stored = users::Entity::find()
            .select_only()
            .columns([users::Column::UsernameFolded, users::Column::Id])
            .filter(users::Column::UsernameFolded.is_in(people.iter().map(|user| user.username.folded())))
            .into_tuple::<(String, Uuid)>()
            .all(&transaction)
            .await?;
        let new: HashSet<Uuid> = stored.iter().map(|(_, id)| *id).collect();
        let new = people.iter().filter(|user| new.contains(&user.id.as_uuid()));
        let words = |user: &NewUser| words_of(user.username.as_str(), user.display_name.as_str());
        insert_words(&transaction, new.map(|user| (user.id.as_uuid(), words(user)))).await?;
        transaction.commit().await?;
        ids.extend(stored.into_iter().map(|(name, id)| (name, UserId::from_uuid(id))));
        Ok(())
    }

    /// Gives a person another name to show; `false` when there is no such person.
    ///
    /// # Errors
    /// The database's.
    pub async fn rename(&self, user: UserId, name: &DisplayName) -> Result<bool, StorageError> {
        self.answer(async {
            let id = user.as_uuid();
            let transaction = self.write_transaction().await?;
            let updated = users::Entity::update_many()
                .col_expr(users::Column::DisplayName, Expr::value(name.as_str()))
                .col_expr(users::Column::DisplayNameFolded, Expr::value(name.as_str().to_lowercase()))
                .col_expr(users::Column::NameFolded, Expr::value(folded_name(name.as_str())))
                .col_expr(users::Column::FoldedFrom, Expr::value(name.as_str()))
                .col_expr(users::Column::FoldVersion, Expr::value(FOLD_VERSION))
                .filter(users::Column::Id.eq(id))
                .exec(&transaction)
                .await?;
            let Some(person) = users::Entity::find_by_id(id).one(&transaction).await? else {
                return Ok(false);
            };
            if updated.rows_affected > 0 {
                replace_words(&transaction, id, words_of(&person.username, name.as_str())).await?;
            }
            transaction.commit().await?;
            Ok(updated.rows_affected > 0)
        })
        .await
    }

    /// A person by id.
    ///
    /// # Errors
    /// The database's.
    pub async fn person(&self, id: UserId) -> Result<Option<Person>, StorageError> {
        self.answer(async {
            Ok(users::Entity::find_by_id(id.as_uuid()).one(self.reader()).await?.map(Person::from))
        })
        .await
    }

    /// People by id; those who are not stored are absent.
    ///
    /// # Errors
    /// The database's.
    pub async fn persons(&self, ids: &[UserId]) -> Result<HashMap<UserId, Person>, StorageError> {
        self.answer(async {
            let mut persons = HashMap::with_capacity(ids.len());
            for chunk in ids.chunks(CHUNK) {
                let rows = users::Entity::find()
                    .filter(users::Column::Id.is_in(chunk.iter().map(|id| id.as_uuid())))
                    .all(self.reader())
                    .await?;
                persons.extend(rows.into_iter().map(|row| (UserId::from_uuid(row.id), row.into())));
            }
            Ok(persons)
        })
        .await
    }

    /// People whose username or display name begins with `query`, or of whose names each word of it begins a
    /// word, regardless of case, marks and punctuation: the exact username first, then usernames that begin
    /// with it, then display names that do, then the rest. Each step reads as many entries of an index as it
    /// answers, or some more. An empty query finds nobody.
    ///
    /// # Errors
    /// The database's.
    pub async fn search_people(&self, query: &str, limit: usize) -> Result<Vec<Person>, StorageError> {
        let query = query.trim().trim_start_matches('@').to_lowercase();
        if query.is_empty() || query.contains('\0') {
            return Ok(Vec::new());
        }
        let limit = row_limit(limit);
        self.answer(async {
            let mut found = Found { rows: Vec::new(), limit: limit as usize };
            // The last ASCII character ends the range.
            if query.is_ascii() {
                let rows = users::Entity::find()
                    .filter(users::Column::UsernameFolded.gte(query.as_str()))
                    .filter(users::Column::UsernameFolded.lt(format!("{query}\u{7f}")))
                    .order_by_asc(users::Column::UsernameFolded)
                    .limit(limit)
                    .all(self.reader())
                    .await?;
                found.add(rows);
            }
            if !found.is_full() {
                // Some of them may be found already.
                found.add(self.search_names(&query, 2 * limit).await?);
            }
            if !found.is_full() {
                found.add(self.search_words(&query, 2 * limit as usize).await?);
            }
            Ok(found.rows.into_iter().map(Person::from).collect())
        })
        .await
    }
}

/// People found so far, each once.
struct Found {
    rows: Vec<users::Model>,
    limit: usize,
}

impl Found {
    /// Those who are not there yet, by username.
    fn add(&mut self, mut rows: Vec<users::Model>) {
        rows.retain(|row| self.rows.iter().all(|there| there.id != row.id));
        rows.sort_by(|one, other| one.username_folded.cmp(&other.username_folded));
        self.rows.extend(rows);
        self.rows.truncate(self.limit);
    }

    fn is_full(&self) -> bool {
        self.rows.len() >= self.limit
    }
}

fn row(user: NewUser) -> users::ActiveModel {
    users::ActiveModel {
        id: Set(user.id.as_uuid()),
        username: Set(user.username.as_str().to_owned()),
        username_folded: Set(user.username.folded()),
        display_name: Set(user.display_name.as_str().to_owned()),
        display_name_folded: Set(user.display_name.as_str().to_lowercase()),
        password_hash: Set(user.password_hash),
        created_at_ms: Set(user.created_at.unix_ms()),
        name_folded: Set(folded_name(user.display_name.as_str())),
        folded_from: Set(user.display_name.as_str().to_owned()),
        fold_version: Set(FOLD_VERSION),
    }
}

impl From<users::Model> for Person {
    fn from(row: users::Model) -> Self {
        Self {
            id: UserId::from_uuid(row.id),
            username: row.username,
            display_name: row.display_name,
            created_at: moment(row.created_at_ms),
        }
    }
}
