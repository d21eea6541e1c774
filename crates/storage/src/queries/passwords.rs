//! What somebody signs in with: looked up, and replaced together with the sessions that it opened.

use milena_domain::{Timestamp, UserId};
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
use uuid::Uuid;

use super::moment;
use super::people::Person;
use super::sessions::delete_others;
use crate::entities::{sessions, users};
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

/// What replacing a password did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replaced {
    /// The sessions that ended.
    pub ended: Vec<Uuid>,
    /// When the one that was kept expires.
    pub expires_at: Timestamp,
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

    /// Replaces the password hash `old`, gives the session `kept` another token, and ends all other sessions
    /// of the person, in one transaction. `None`, and nothing changed, when the hash is not `old` any more,
    /// or `kept` has ended: somebody else was faster.
    ///
    /// # Errors
    /// The database's.
    pub async fn replace_password(
        &self,
        user: UserId,
        old: &str,
        new: &str,
        kept: Uuid,
        token_hash: [u8; 32],
    ) -> Result<Option<Replaced>, StorageError> {
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
            let renewed = sessions::Entity::update_many()
                .col_expr(sessions::Column::TokenHash, Expr::value(token_hash.to_vec()))
                .filter(sessions::Column::Id.eq(kept))
                .filter(sessions::Column::UserId.eq(user.as_uuid()))
                .exec(&transaction)
                .await?;
            let kept_row = sessions::Entity::find_by_id(kept).one(&transaction).await?;
            let Some(kept_row) = kept_row.filter(|_| renewed.rows_affected > 0) else { return Ok(None) };
            let ended = delete_others(&transaction, user, kept).await?;
            transaction.commit().await?;
            Ok(Some(Replaced { ended, expires_at: moment(kept_row.expires_at_ms) }))
        })
        .await
    }
}
