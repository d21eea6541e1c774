//! The compare-and-set on the stored offsets (see [`super::super::fence`]) in statements for all partitions
//! at once.
//!
//! Partitions that were never stored are inserted at the batch's beginning; then all are locked, in their
//! order, so that two writers never wait for each other in a circle. Whoever waited sees what the other one
//! stored.

use std::collections::BTreeMap;

use sea_orm::sqlx::{self, PgConnection};

use super::super::fence::check;
use super::super::{OffsetAdvance, WriteBatch};
use crate::WriteError;
use crate::queries::offsets::{as_column, epoch_of};

const STORED: &str = "SELECT current.epoch, partition_id, next_offset \
    FROM (SELECT MAX(epoch) AS epoch FROM log_epochs) AS current \
    LEFT JOIN consumer_offsets ON topic = $1 AND consumer_offsets.epoch = current.epoch";

const INSERT: &str = "INSERT INTO consumer_offsets (topic, partition_id, epoch, next_offset, listed_offset) \
    SELECT $1, partition_id, $2, next_offset, next_offset \
    FROM UNNEST($3::int[], $4::bigint[]) AS given (partition_id, next_offset) \
    ON CONFLICT DO NOTHING";

const LOCK: &str = "SELECT partition_id, next_offset, rewritten FROM consumer_offsets \
    WHERE topic = $1 AND epoch = $2 AND partition_id = ANY($3) \
    ORDER BY partition_id \
    FOR UPDATE";

const ADVANCE: &str = "UPDATE consumer_offsets \
    SET next_offset = given.next_offset, \
    listed_offset = CASE WHEN listed_offset = consumer_offsets.next_offset \
    THEN given.next_offset ELSE listed_offset END \
    FROM UNNEST($3::int[], $4::bigint[]) AS given (partition_id, next_offset) \
    WHERE topic = $1 AND epoch = $2 AND consumer_offsets.partition_id = given.partition_id";

/// Answers what was found in `rewritten`, by partition.
pub(super) async fn advance(
    connection: &mut PgConnection,
    batch: &WriteBatch,
) -> Result<BTreeMap<i32, i64>, WriteError> {
    let found: Vec<(Option<i32>, Option<i32>, Option<i64>)> =
        sqlx::query_as(STORED).bind(&batch.topic).fetch_all(&mut *connection).await?;
    let current = epoch_of(found.first().and_then(|row| row.0))?;
    if current != batch.epoch {
        return Err(WriteError::StaleEpoch { given: batch.epoch, current });
    }
    let stored: BTreeMap<i32, i64> = found.into_iter().filter_map(|row| row.1.zip(row.2)).collect();
    let mut advances = batch.advances.clone();
    advances.sort_by_key(|advance| advance.partition);
    let fresh: Vec<_> =
        advances.iter().copied().filter(|advance| !stored.contains_key(&advance.partition)).collect();
    // Seen without a lock: offsets only grow, so what does not fit now never will.
    check(advances.iter().filter(|advance| stored.contains_key(&advance.partition)), &stored)?;
    if !fresh.is_empty() {
        set(connection, INSERT, batch, &fresh, |advance| advance.from).await?;
    }
    let mut rewritten = BTreeMap::new();
    if !advances.is_empty() {
        let partitions: Vec<i32> = advances.iter().map(|advance| advance.partition).collect();
        let locked: Vec<(i32, i64, i64)> = sqlx::query_as(LOCK)
            .bind(&batch.topic)
            .bind(as_column(batch.epoch))
            .bind(partitions)
            .fetch_all(&mut *connection)
            .await?;
        rewritten = locked.iter().map(|row| (row.0, row.2)).collect();
        check(&advances, &locked.into_iter().map(|row| (row.0, row.1)).collect())?;
        set(connection, ADVANCE, batch, &advances, |advance| advance.to).await?;
    }
    Ok(rewritten)
}

async fn set(
    connection: &mut PgConnection,
    statement: &'static str,
    batch: &WriteBatch,
    advances: &[OffsetAdvance],
    offset: impl Fn(&OffsetAdvance) -> i64,
) -> Result<(), WriteError> {
    sqlx::query(statement)
        .bind(&batch.topic)
        .bind(as_column(batch.epoch))
        .bind(advances.iter().map(|advance| advance.partition).collect::<Vec<_>>())
        .bind(advances.iter().map(offset).collect::<Vec<_>>())
        .execute(connection)
        .await?;
    Ok(())
}
