//! What somebody signs in with: looked up, and replaced together with the sessions that it opened.

use milena_domain::UserId;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use uuid::Uuid;

use super::people::Person;
use super::sessions::delete_others;
use crate::entities::users;
use crate::{StorageError, Store};

/// What sign-in needs. `Debug` does not show the hash.
#[derive(Clone)]
pub struct Credentials {
    /// The person.
    pub person: Person,
    /// PHC text of argon2id; `None` when the person cannot sign in.
    pub password_hash: Option<String>,
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Credentials").field("person", &self.person).finish_non_exhaustive()
    }
}

impl Store {
    /// The person who signs in under this name, given in lower case.
    ///
    /// # Errors
    /// The database's.
    pub async fn credentials(&self, folded_username: &str) -> Result<Option<Credentials>, StorageError> {
        if folded_username.contains('\0') {
            return Ok(None);
        }
        self.answer(async {
            let found = users::Entity::find()
                .filter(users::Column::UsernameFolded.eq(folded_username))
                .one(self.reader())
                .await?;
            // MySQL compares as if blanks at the end were not there.
            Ok(found.filter(|row| row.username_folded == folded_username).map(|mut row| {
                let password_hash = row.password_hash.take();
                Credentials { person: row.into(), password_hash }
            }))
        })
        .await
    }

    /// Replaces the password hash `old`, and ends all sessions of the person but `kept`, in one transaction; answers
    /// which they were. `None`, and nothing changed, when the hash is not `old` any more: somebody else was faster.
    ///
    /// # Errors
    /// The database's.
    pub async fn replace_password(
        &self,
        user: UserId,
        old: &str,
        new: &str,
        kept: Uuid,
    ) -> Result<Option<Vec<Uuid>>, StorageError> {
        self.answer(async {
            let transaction = self.write_transaction().await?;
            let updated = users::Entity::update_many()
                .col_expr(users::Column::PasswordHash, Expr::value(new))
                .filter(users::Column::Id.eq(user.as_uuid()))
                .filter(users::Column::PasswordHash.eq(old))
                .exec(&transaction)
                .await?;
            if updated.rows_affected == 0 {
                return Ok(None);
            }
            let ended = delete_others(&transaction, user, kept).await?;
            transaction.commit().await?;
            Ok(Some(ended))
        })
        .await
    }
}
