//! The compare-and-set on the stored offsets, first thing in the batch's transaction.
//!
//! A partition that was never stored is inserted at the batch's beginning, ignoring that somebody else may
//! have done so in the meantime; then every partition is updated where it still stands at the batch's
//! beginning. The update takes the row's lock, or waits for the transaction that has it and then sees what
//! that one stored. So of two writers with the same beginning one finds nothing to update, on every database.
//! Rows are taken in the order of their partitions, so that two writers never wait for each other in a
//! circle.

use std::collections::BTreeMap;

use sea_orm::sea_query::{Expr, OnConflict};
use sea_orm::{ActiveValue::Set, ColumnTrait, DatabaseTransaction, EntityTrait, ExprTrait, QueryFilter};

use super::{OffsetAdvance, WriteBatch};
use crate::WriteError;
use crate::entities::consumer_offsets::{ActiveModel, Column, Entity};
use crate::queries::offsets::{as_column, current_epoch, next_offsets};

/// Answers what was found in `rewritten`, by partition.
pub(super) async fn advance(
    transaction: &DatabaseTransaction,
    batch: &WriteBatch,
) -> Result<BTreeMap<i32, i64>, WriteError> {
    let current = current_epoch(transaction).await?;
    if current != batch.epoch {
        return Err(WriteError::StaleEpoch { given: batch.epoch, current });
    }
    let stored = next_offsets(transaction, &batch.topic, batch.epoch).await?;
    let mut advances = batch.advances.clone();
    advances.sort_by_key(|advance| advance.partition);
    for advance in &advances {
        match stored.get(&advance.partition) {
            Some(&found) if found != advance.from => return Err(fenced(advance, found)),
            Some(_) => {}
            None => insert(transaction, batch, advance).await?,
        }
    }
    for advance in &advances {
        if !compare_and_set(transaction, batch, advance).await? {
            // READ COMMITTED: this sees what the other writer stored.
            let now = next_offsets(transaction, &batch.topic, batch.epoch).await?;
            return Err(fenced(advance, now.get(&advance.partition).copied().unwrap_or_default()));
        }
    }
    // Now that the rows are locked.
    let rows = Entity::find()
        .filter(Column::Topic.eq(batch.topic.as_str()))
        .filter(Column::Epoch.eq(as_column(batch.epoch)))
        .all(transaction)
        .await?;
    Ok(rows.into_iter().map(|row| (row.partition_id, row.rewritten)).collect())
}

fn fenced(advance: &OffsetAdvance, found: i64) -> WriteError {
    WriteError::Fenced { partition: advance.partition, expected: advance.from, found }
}

/// Whether every partition is stored up to exactly where the batch begins.
pub(super) fn check<'a>(
    advances: impl IntoIterator<Item = &'a OffsetAdvance>,
    stored: &BTreeMap<i32, i64>,
) -> Result<(), WriteError> {
    for advance in advances {
        let found = stored.get(&advance.partition).copied().unwrap_or_default();
        if found != advance.from {
            return Err(fenced(advance, found));
        }
    }
    Ok(())
}

async fn insert(
    transaction: &DatabaseTransaction,
    batch: &WriteBatch,
    advance: &OffsetAdvance,
) -> Result<(), WriteError> {
    let row = ActiveModel {
        topic: Set(batch.topic.clone()),
        partition_id: Set(advance.partition),
        epoch: Set(as_column(batch.epoch)),
        next_offset: Set(advance.from),
        listed_offset: Set(advance.from),
        rewritten: Set(0),
    };
    let nothing = OnConflict::columns([Column::Topic, Column::PartitionId, Column::Epoch])
        .do_nothing_on([Column::Topic])
        .to_owned();
    Entity::insert(row).on_conflict(nothing).exec_without_returning(transaction).await?;
    Ok(())
}

async fn compare_and_set(
    transaction: &DatabaseTransaction,
    batch: &WriteBatch,
    advance: &OffsetAdvance,
) -> Result<bool, WriteError> {
    // MySQL counts the rows that match, as the others do, because the driver asks for it (CLIENT_FOUND_ROWS).
    // First the listed offset: MySQL assigns from left to right.
    let listed = Expr::case(Expr::col(Column::ListedOffset).eq(Expr::col(Column::NextOffset)), advance.to)
        .finally(Expr::col(Column::ListedOffset));
    let updated = Entity::update_many()
        .col_expr(Column::ListedOffset, listed.into())
        .col_expr(Column::NextOffset, Expr::value(advance.to))
        .filter(Column::Topic.eq(batch.topic.as_str()))
        .filter(Column::PartitionId.eq(advance.partition))
        .filter(Column::Epoch.eq(as_column(batch.epoch)))
        .filter(Column::NextOffset.eq(advance.from))
        .exec(transaction)
        .await?;
    Ok(updated.rows_affected == 1)
}
