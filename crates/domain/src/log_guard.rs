//! Whether log and store belong together.
//!
//! A topic that was recreated, restored or repartitioned gives old positions to new messages. Programs check this
//! before they do anything and refuse to run, naming the command that begins a new epoch, because going on would
//! store messages under the wrong positions for ever.

use std::collections::BTreeMap;

use crate::cure::command;

/// What the log says of one partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PartitionState {
    /// The first offset that can still be read.
    pub low: i64,
    /// The offset that the next record will get.
    pub high: i64,
}

/// Why log and store do not belong together.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LogMismatch {
    /// The topic has fewer or more partitions than the store knows of.
    #[error(
        "topic {topic} has {actual} partitions but {expected} are expected: if it was repartitioned, run {}; \
         else correct kafka.partitions",
        command("new-epoch")
    )]
    PartitionCount {
        /// The topic.
        topic: String,
        /// From the settings, or the highest partition that the store has offsets of.
        expected: usize,
        /// From the broker.
        actual: usize,
    },
    /// The store has seen more than the log holds.
    #[error(
        "topic {topic} partition {partition} ends at offset {high} but the store has read up to {stored}: if the \
         topic was recreated or restored, or its end was lost, run {}",
        command("new-epoch")
    )]
    Behind {
        /// The topic.
        topic: String,
        /// The partition.
        partition: i32,
        /// The log's end.
        high: i64,
        /// The store's next offset.
        stored: i64,
    },
    /// Records that the store never saw are gone.
    #[error(
        "topic {topic} partition {partition} starts at offset {low} but the store has only read up to {stored}: \
         {} records were removed before they were stored; restore them, or accept the loss with {}",
        low - stored,
        command("new-epoch")
    )]
    Removed {
        /// The topic.
        topic: String,
        /// The partition.
        partition: i32,
        /// The log's first offset.
        low: i64,
        /// The store's next offset.
        stored: i64,
    },
}

/// Compares the log with the store's next offsets of the current epoch.
///
/// # Errors
/// The first mismatch, by partition.
pub fn check_log(
    topic: &str,
    expected_partitions: usize,
    log: &BTreeMap<i32, PartitionState>,
    stored_next_offsets: &BTreeMap<i32, i64>,
) -> Result<(), LogMismatch> {
    let known = stored_next_offsets.keys().max().map_or(0, |partition| *partition as usize + 1);
    let expected = expected_partitions.max(known);
    if log.len() != expected {
        return Err(LogMismatch::PartitionCount { topic: topic.into(), expected, actual: log.len() });
    }
    for (&partition, state) in log {
        let Some(&stored) = stored_next_offsets.get(&partition) else { continue };
        if stored > state.high {
            return Err(LogMismatch::Behind { topic: topic.into(), partition, high: state.high, stored });
        }
        if stored < state.low {
            return Err(LogMismatch::Removed { topic: topic.into(), partition, low: state.low, stored });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log(ranges: &[(i64, i64)]) -> BTreeMap<i32, PartitionState> {
        (0..).zip(ranges).map(|(partition, &(low, high))| (partition, PartitionState { low, high })).collect()
    }

    #[test]
    fn a_log_that_is_ahead_is_fine() {
        let stored = BTreeMap::from([(0, 5)]);
        assert_eq!(check_log("t", 2, &log(&[(0, 9), (0, 0)]), &stored), Ok(()));
    }

    #[test]
    fn each_mismatch_names_the_way_out() {
        let stored = BTreeMap::from([(0, 5)]);
        for (partitions, ranges) in [(2, [(0, 4), (0, 0)]), (3, [(0, 9), (0, 0)]), (2, [(6, 9), (0, 0)])] {
            let error = check_log("t", partitions, &log(&ranges), &stored).unwrap_err();
            assert!(error.to_string().contains("new-epoch"), "{error}");
        }
    }
}
