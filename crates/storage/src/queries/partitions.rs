//! How many partitions a topic has had, by epoch: noted once, when the first program of an epoch has seen it.

use std::collections::BTreeMap;

use milena_domain::{Epoch, Partitioning, StoredLog};
use sea_orm::sea_query::OnConflict;
use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter};

use super::offsets::{as_column, epoch_of};
use crate::entities::log_rewrites;
use crate::entities::log_topics::{ActiveModel, Column, Entity};
use crate::{LogPosition, StorageError, Store};

/// The numbers of partitions of a topic in all epochs in which somebody noted it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NotedPartitions {
    of_epochs: BTreeMap<Epoch, usize>,
    /// The topic is being rewritten.
    is_rewritten: bool,
}

impl NotedPartitions {
    /// In this epoch; `None` while nobody has noted it.
    #[must_use]
    pub fn of(&self, epoch: Epoch) -> Option<usize> {
        self.of_epochs.get(&epoch).copied()
    }

    /// What the store says of the log in the epoch of `position`, to be compared with the log.
    #[must_use]
    pub fn with<'a>(&self, position: &'a LogPosition) -> StoredLog<'a> {
        StoredLog {
            next_offsets: &position.next_offsets,
            partitions: self.of(position.epoch),
            is_rewritten: self.is_rewritten,
        }
    }

    /// For reading records of a topic that has `now` partitions, whatever epoch they were written in.
    #[must_use]
    pub fn partitioning(&self, now: usize) -> Partitioning {
        Partitioning::new(now, self.of_epochs.values().copied())
    }
}

impl Store {
    /// What is noted of `topic`.
    ///
    /// # Errors
    /// The database's.
    pub async fn noted_partitions(&self, topic: &str) -> Result<NotedPartitions, StorageError> {
        self.answer(async {
            let rows = Entity::find().filter(Column::Topic.eq(topic)).all(self.reader()).await?;
            let noted = rows.into_iter().map(|row| {
                let partitions = usize::try_from(row.partitions)
                    .map_err(|_| StorageError::corrupt(format!("{} partitions", row.partitions)))?;
                Ok((epoch_of(Some(row.epoch))?, partitions))
            });
            let of_epochs = noted.collect::<Result<_, StorageError>>()?;
            let is_rewritten = log_rewrites::Entity::find_by_id(topic).one(self.reader()).await?.is_some();
            Ok(NotedPartitions { of_epochs, is_rewritten })
        })
        .await
    }

    /// Notes that `topic` has so many partitions in `epoch`, unless that was noted before.
    ///
    /// # Errors
    /// The database's.
    pub async fn note_partitions(
        &self,
        topic: &str,
        epoch: Epoch,
        partitions: usize,
    ) -> Result<(), StorageError> {
        let row = ActiveModel {
            topic: Set(topic.to_owned()),
            epoch: Set(as_column(epoch)),
            partitions: Set(i32::try_from(partitions).unwrap_or(i32::MAX)),
        };
        let nothing =
            OnConflict::columns([Column::Topic, Column::Epoch]).do_nothing_on([Column::Topic]).to_owned();
        self.answer(async {
            Entity::insert(row).on_conflict(nothing).exec_without_returning(self.writer()).await?;
            Ok(())
        })
        .await
    }
}
