//! Who has read what, as far as they let others know.

use std::collections::{HashMap, HashSet};

use milena_domain::{ConversationId, Position, UserId};
use sea_orm::ActiveValue::Set;
use sea_orm::sea_query::OnConflict;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, Value};
use uuid::Uuid;

use super::position;
use crate::entities::hidden_receipts::{self, Column};
use crate::sql::{padded, statement};
use crate::{StorageError, Store};

/// People of one statement.
const PEOPLE: usize = 256;

/// Marks of members, and the newest messages of authors, who have read by writing.
const MARKS: &str = "\
    SELECT user_id, last_read FROM members WHERE conversation_id = ? AND user_id IN ({people}) \
    UNION ALL \
    SELECT user_id, last_read FROM room_reads WHERE conversation_id = ? AND user_id IN ({people}) \
    UNION ALL \
    SELECT user_id, position AS last_read FROM room_authors \
    WHERE conversation_id = ? AND user_id IN ({people})";

impl Store {
    /// Notes whether somebody lets others know what they have read.
    ///
    /// # Errors
    /// The database's.
    pub async fn show_receipts(&self, user: UserId, shows: bool) -> Result<(), StorageError> {
        self.answer(async {
            let id = user.as_uuid();
            if shows {
                hidden_receipts::Entity::delete_by_id(id).exec(self.writer()).await?;
            } else {
                let row = hidden_receipts::ActiveModel { user_id: Set(id) };
                let there = OnConflict::column(Column::UserId).do_nothing_on([Column::UserId]).to_owned();
                let insert = hidden_receipts::Entity::insert(row).on_conflict(there);
                insert.exec_without_returning(self.writer()).await?;
            }
            Ok(())
        })
        .await
    }

    /// Those of `users` who do not let others know what they have read.
    ///
    /// # Errors
    /// The database's.
    pub async fn hidden_receipts(&self, users: &[UserId]) -> Result<HashSet<UserId>, StorageError> {
        self.answer(async {
            let mut found = HashSet::new();
            for chunk in users.chunks(PEOPLE) {
                let among = padded(chunk).map(|user| user.as_uuid());
                let rows = hidden_receipts::Entity::find().filter(Column::UserId.is_in(among));
                let rows = rows.all(self.reader()).await?;
                found.extend(rows.into_iter().map(|row| UserId::from_uuid(row.user_id)));
            }
            Ok(found)
        })
        .await
    }

    /// How far each of `users` has read a conversation; their own newest message in a room counts too.
    ///
    /// # Errors
    /// The database's; [`StorageError::Corrupt`] for a row that makes no sense.
    pub async fn read_marks(
        &self,
        conversation: ConversationId,
        users: &[UserId],
    ) -> Result<HashMap<UserId, Position>, StorageError> {
        self.answer(async {
            let mut found: HashMap<UserId, Position> = HashMap::new();
            for chunk in users.chunks(PEOPLE) {
                let among = vec!["?"; padded(chunk).len()].join(", ");
                let people = || padded(chunk).map(|user| Value::from(user.as_uuid()));
                let of_table = || std::iter::once(Value::from(conversation.as_uuid())).chain(people());
                let values = of_table().chain(of_table()).chain(of_table());
                let text = MARKS.replace("{people}", &among);
                for row in self.reader().query_all_raw(statement(self.kind(), &text, values)).await? {
                    let user = UserId::from_uuid(row.try_get::<Uuid>("", "user_id")?);
                    let mark = position(row.try_get("", "last_read")?)?;
                    let known = found.entry(user).or_insert(mark);
                    *known = mark.max(*known);
                }
            }
            Ok(found)
        })
        .await
    }
}
