//! The questions that the programs ask, one file a topic, all as methods of [`crate::Store`].

mod audit;
pub(crate) mod blocks;
pub(crate) mod conversations;
pub(crate) mod edits;
pub(crate) mod history;
mod imported;
pub(crate) mod life;
pub(crate) mod lists;
pub(crate) mod mentions;
pub(crate) mod names;
pub(crate) mod notifications;
pub(crate) mod numbering;
pub(crate) mod offsets;
pub(crate) mod outbox;
pub(crate) mod partitions;
pub(crate) mod passwords;
pub(crate) mod people;
mod pins;
pub(crate) mod places;
pub(crate) mod presence;
pub(crate) mod push;
pub(crate) mod reactions;
pub(crate) mod reads;
mod receipts;
pub(crate) mod rewrites;
pub(crate) mod rooms;
pub(crate) mod server_key;
pub(crate) mod sessions;
mod snapshot;
pub(crate) mod status;
pub(crate) mod timeline;
pub(crate) mod traces;

use milena_domain::{Position, Timestamp};

use crate::StorageError;

/// Rows of one answer, at most, whatever the caller asks for.
const MAX_ROWS: usize = 10_000;

/// A caller's limit as the database takes it: 1 to [`MAX_ROWS`].
fn row_limit(limit: usize) -> u64 {
    limit.clamp(1, MAX_ROWS) as u64
}

fn position(stored: i64) -> Result<Position, StorageError> {
    u64::try_from(stored)
        .ok()
        .and_then(Position::from_u64)
        .ok_or_else(|| StorageError::corrupt(format!("{stored} is not a position")))
}

fn moment(stored: i64) -> Timestamp {
    Timestamp::from_unix_ms(stored)
}
