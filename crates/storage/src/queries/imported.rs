//! What imports keep for later ones: whose account a name of a file is, and which events changed nothing.

use std::collections::{HashMap, HashSet};

use milena_domain::{ConversationId, MessageId, UserId};
use milena_timeline::Void;
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::OnConflict;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QuerySelect};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::entities::{imported_events, imported_people, users, void_records};
use crate::sql::padded;
use crate::{StorageError, Store};

/// Rows or ids of one statement.
const CHUNK: usize = 500;

impl Store {
    /// The accounts that earlier imports made for names which could not be usernames as they were.
    ///
    /// # Errors
    /// The database's.
    pub async fn imported_people(&self, names: &[&str]) -> Result<HashMap<String, UserId>, StorageError> {
        let mut found = HashMap::new();
        for chunk in names.chunks(CHUNK) {
            let by_hash: HashMap<Vec<u8>, &str> = chunk.iter().map(|name| (hash(name), *name)).collect();
            let query = imported_people::Entity::find()
                .filter(imported_people::Column::NameHash.is_in(by_hash.keys().cloned()));
            let rows = self.bulk(async { Ok::<_, StorageError>(query.all(self.reader()).await?) }).await?;
            found.extend(rows.into_iter().filter_map(|row| {
                let name = by_hash.get(&row.name_hash)?;
                Some(((*name).to_owned(), UserId::from_uuid(row.user_id)))
            }));
        }
        Ok(found)
    }

    /// Those of the events that do not count because too much came between them and their proof: they may be
    /// sent again.
    ///
    /// # Errors
    /// The database's.
    pub async fn stale_among(
        &self,
        events: &[(ConversationId, MessageId)],
    ) -> Result<HashSet<MessageId>, StorageError> {
        use void_records::Column;
        let mut found = HashSet::new();
        for chunk in events.chunks(CHUNK) {
            let conversations = padded(chunk).map(|(conversation, _)| conversation.as_uuid());
            let ids = padded(chunk).map(|(_, id)| id.as_uuid());
            let query = void_records::Entity::find()
                .filter(Column::ConversationId.is_in(conversations))
                .filter(Column::Id.is_in(ids))
                .filter(Column::Reason.eq(Void::StaleProof.code()));
            let rows = self.bulk(async { Ok::<_, StorageError>(query.all(self.reader()).await?) }).await?;
            found.extend(rows.into_iter().map(|row| MessageId::from_uuid(row.id)));
        }
        Ok(found)
    }

    /// Keeps whose account a name is. A name that is kept already stays where it is.
    ///
    /// # Errors
    /// The database's; some of the names may be kept then.
    pub async fn keep_imported(&self, people: &[(String, UserId)]) -> Result<(), StorageError> {
        for chunk in people.chunks(CHUNK) {
            let rows = chunk.iter().map(|(name, user)| imported_people::ActiveModel {
                name_hash: Set(hash(name)),
                name: Set(name.clone()),
                user_id: Set(user.as_uuid()),
            });
            let nothing = OnConflict::column(imported_people::Column::NameHash)
                .do_nothing_on([imported_people::Column::NameHash])
                .to_owned();
            let insert = imported_people::Entity::insert_many(rows).on_conflict(nothing);
            self.bulk(async {
                insert.exec_without_returning(self.writer()).await?;
                Ok::<_, StorageError>(())
            })
            .await?;
        }
        Ok(())
    }

    /// Which of these events changed nothing when they were imported.
    ///
    /// # Errors
    /// The database's.
    pub async fn imported_for_nothing(&self, ids: &[MessageId]) -> Result<HashSet<MessageId>, StorageError> {
        let mut found = HashSet::new();
        for chunk in ids.chunks(CHUNK) {
            let query = imported_events::Entity::find()
                .filter(imported_events::Column::Id.is_in(padded(chunk).map(|id| id.as_uuid())));
            let rows = self.bulk(async { Ok::<_, StorageError>(query.all(self.writer()).await?) }).await?;
            found.extend(rows.into_iter().map(|row| MessageId::from_uuid(row.id)));
        }
        Ok(found)
    }

    /// Keeps that these events changed nothing. What is kept already stays.
    ///
    /// # Errors
    /// The database's; some of them may be kept then.
    pub async fn keep_imported_for_nothing(&self, ids: &[MessageId]) -> Result<(), StorageError> {
        for chunk in ids.chunks(CHUNK) {
            let rows = chunk.iter().map(|id| imported_events::ActiveModel { id: Set(id.as_uuid()) });
            let nothing = OnConflict::column(imported_events::Column::Id)
                .do_nothing_on([imported_events::Column::Id])
                .to_owned();
            let insert = imported_events::Entity::insert_many(rows).on_conflict(nothing);
            self.bulk(async {
                insert.exec_without_returning(self.writer()).await?;
                Ok::<_, StorageError>(())
            })
            .await?;
        }
        Ok(())
    }

    /// Who has these folded usernames: id, and the username as it was typed.
    ///
    /// # Errors
    /// The database's.
    pub async fn accounts_called(
        &self,
        folded: &[String],
    ) -> Result<HashMap<String, (UserId, String)>, StorageError> {
        let mut found = HashMap::new();
        for chunk in folded.chunks(CHUNK) {
            let query = users::Entity::find()
                .select_only()
                .columns([users::Column::UsernameFolded, users::Column::Id, users::Column::Username])
                .filter(users::Column::UsernameFolded.is_in(chunk))
                .into_tuple::<(String, Uuid, String)>();
            let rows = self.bulk(async { Ok::<_, StorageError>(query.all(self.writer()).await?) }).await?;
            let accounts = rows.into_iter();
            found.extend(accounts.map(|(folded, id, name)| (folded, (UserId::from_uuid(id), name))));
        }
        Ok(found)
    }
}

fn hash(name: &str) -> Vec<u8> {
    Sha256::digest(name.as_bytes()).to_vec()
}
