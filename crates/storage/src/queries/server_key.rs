//! The secret that all backends of this database share.

use milena_domain::{ServerKey, Timestamp};
use sea_orm::ActiveValue::Set;
use sea_orm::{ConnectionTrait, DbErr, EntityTrait};

use crate::entities::server_keys;
use crate::{StorageError, Store};

/// The one row's key.
const NUMBER: i32 = 1;

impl Store {
    /// The secret that was made when this database was first migrated. It never changes by itself.
    ///
    /// # Errors
    /// [`StorageError::Corrupt`] when there is none, or it is not 32 bytes long; else the database's.
    pub async fn server_key(&self) -> Result<ServerKey, StorageError> {
        self.answer(async {
            let row = server_keys::Entity::find_by_id(NUMBER)
                .one(self.reader())
                .await?
                .ok_or_else(|| StorageError::corrupt("there is no server key; was the database migrated?"))?;
            let secret: [u8; ServerKey::BYTES] = row
                .secret
                .try_into()
                .map_err(|_| StorageError::corrupt("the server key does not have 32 bytes"))?;
            Ok(ServerKey::from_bytes(secret))
        })
        .await
    }
}

/// Makes the key if there is none. Under the lock of the migrations: programs that start at once agree on
/// one.
pub(crate) async fn make_server_key(connection: &impl ConnectionTrait) -> Result<(), DbErr> {
    if server_keys::Entity::find_by_id(NUMBER).one(connection).await?.is_some() {
        return Ok(());
    }
    let secret: [u8; ServerKey::BYTES] = rand::random();
    let row = server_keys::ActiveModel {
        number: Set(NUMBER),
        secret: Set(secret.to_vec()),
        created_at_ms: Set(Timestamp::now().unix_ms()),
    };
    server_keys::Entity::insert(row).exec_without_returning(connection).await?;
    Ok(())
}
