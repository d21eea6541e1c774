//! How far the log is stored, and its epochs.

use std::collections::BTreeMap;

use milena_domain::{Epoch, Timestamp};
use sea_orm::ActiveValue::Set;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};

use crate::entities::{consumer_offsets, log_epochs};
use crate::{StorageError, Store};

/// How far a topic is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogPosition {
    /// The current epoch.
    pub epoch: Epoch,
    /// In this epoch, by partition, the first offset that is not stored. A partition that was never written
    /// is absent.
    pub next_offsets: BTreeMap<i32, i64>,
}

impl Store {
    /// How far the topic is stored now.
    ///
    /// # Errors
    /// [`StorageError::Corrupt`] when the database was never migrated to have an epoch; else the database's.
    pub async fn log_position(&self, topic: &str) -> Result<LogPosition, StorageError> {
        self.answer(read_log_position(self.reader(), topic)).await
    }

    /// Begins a new generation of the log: every partition starts at offset 0 again, and messages that are
    /// stored keep their positions, below all new ones. For the explicit command only.
    ///
    /// # Errors
    /// [`StorageError::Other`] when two programs do this at once; else the database's.
    pub async fn begin_epoch(&self, now: Timestamp) -> Result<Epoch, StorageError> {
        self.answer(async {
            let transaction = self.write_transaction().await?;
            let next = current_epoch(&transaction).await?.get() + 1;
            let next =
                Epoch::new(next).ok_or_else(|| StorageError::corrupt("there is no epoch after the last"))?;
            let row =
                log_epochs::ActiveModel { epoch: Set(as_column(next)), began_at_ms: Set(now.unix_ms()) };
            log_epochs::Entity::insert(row).exec_without_returning(&transaction).await?;
            transaction.commit().await?;
            Ok(next)
        })
        .await
    }
}

/// In the caller's transaction, where it shall belong to the same snapshot as other rows.
pub(crate) async fn read_log_position(
    connection: &impl ConnectionTrait,
    topic: &str,
) -> Result<LogPosition, StorageError> {
    let epoch = current_epoch(connection).await?;
    let next_offsets = next_offsets(connection, topic, epoch).await?;
    Ok(LogPosition { epoch, next_offsets })
}

pub(crate) async fn current_epoch(connection: &impl ConnectionTrait) -> Result<Epoch, StorageError> {
    let newest =
        log_epochs::Entity::find().order_by_desc(log_epochs::Column::Epoch).limit(1).one(connection).await?;
    epoch_of(newest.map(|row| row.epoch))
}

/// The newest epoch's column as an epoch.
pub(crate) fn epoch_of(newest: Option<i32>) -> Result<Epoch, StorageError> {
    let newest =
        newest.ok_or_else(|| StorageError::corrupt("there is no epoch; was the database migrated?"))?;
    u32::try_from(newest)
        .ok()
        .and_then(Epoch::new)
        .ok_or_else(|| StorageError::corrupt(format!("{newest} is not an epoch")))
}

pub(crate) async fn next_offsets(
    connection: &impl ConnectionTrait,
    topic: &str,
    epoch: Epoch,
) -> Result<BTreeMap<i32, i64>, StorageError> {
    let rows = consumer_offsets::Entity::find()
        .filter(consumer_offsets::Column::Topic.eq(topic))
        .filter(consumer_offsets::Column::Epoch.eq(as_column(epoch)))
        .all(connection)
        .await?;
    Ok(rows.into_iter().map(|row| (row.partition_id, row.next_offset)).collect())
}

pub(crate) fn as_column(epoch: Epoch) -> i32 {
    i32::try_from(epoch.get()).expect("an epoch has 13 bits")
}
