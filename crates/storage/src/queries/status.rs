//! What people say of themselves for a while.

use std::collections::HashMap;

use milena_domain::{Status, Timestamp, UserId};
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::OnConflict;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};

use super::moment;
use crate::entities::person_status::{self, Column};
use crate::sql::padded;
use crate::{StorageError, Store};

/// People of one statement.
const CHUNK: usize = 256;

impl Store {
    /// What each of these people says of themselves at this moment; who is not in the answer says nothing.
    ///
    /// # Errors
    /// The database's.
    pub async fn statuses(
        &self,
        users: &[UserId],
        now: Timestamp,
    ) -> Result<HashMap<UserId, Status>, StorageError> {
        let mut found = HashMap::new();
        for chunk in users.chunks(CHUNK) {
            let ids = padded(chunk).map(|user| user.as_uuid());
            let query = person_status::Entity::find().filter(Column::UserId.is_in(ids));
            for row in self.answer(async { Ok::<_, StorageError>(query.all(self.reader()).await?) }).await? {
                let until = row.until_ms.map(moment);
                let status = Status::stored(row.emoji.as_deref(), row.words.as_deref(), until, now);
                found.extend(status.map(|status| (UserId::from_uuid(row.user_id), status)));
            }
        }
        Ok(found)
    }

    /// What somebody says of themselves from now on; `None` is nothing.
    ///
    /// # Errors
    /// The database's.
    pub async fn set_status(&self, user: UserId, status: Option<&Status>) -> Result<(), StorageError> {
        self.answer(async {
            let Some(status) = status else {
                person_status::Entity::delete_by_id(user.as_uuid()).exec(self.writer()).await?;
                return Ok(());
            };
            let row = person_status::ActiveModel {
                user_id: Set(user.as_uuid()),
                emoji: Set(status.emoji().map(str::to_owned)),
                words: Set(status.text().map(str::to_owned)),
                until_ms: Set(status.until().map(Timestamp::unix_ms)),
            };
            let newer = OnConflict::column(Column::UserId)
                .update_columns([Column::Emoji, Column::Words, Column::UntilMs])
                .to_owned();
            person_status::Entity::insert(row)
                .on_conflict(newer)
                .exec_without_returning(self.writer())
                .await?;
            Ok(())
        })
        .await
    }
}
