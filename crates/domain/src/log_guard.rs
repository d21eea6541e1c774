//! Whether log and store belong together.
//!
//! A topic that was recreated, restored or repartitioned gives old positions to new messages. Programs check
//! this before they do anything and refuse to run, naming the command that begins a new epoch, because going
//! on would store messages under the wrong positions for ever.

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
    /// It is being rewritten, or that was cut off.
    #[error(
        "topic {topic} is being rewritten without the words of deleted messages; if that was cut off, run \
         {}, which goes on with it",
        command("new-epoch --without-deleted")
    )]
    Rewritten {
        /// The topic.
        topic: String,
    },
    /// The settings say another number of partitions than the topic has.
    #[error(
        "kafka.partitions is {setting} but topic {topic} has {actual} partitions: set \
         kafka.partitions = {actual}"
    )]
    Setting {
        /// The topic.
        topic: String,
        /// `kafka.partitions`.
        setting: usize,
        /// From the broker.
        actual: usize,
    },
    /// The topic has fewer or more partitions than when the store was filled from it.
    #[error(
        "topic {topic} has {actual} partitions but had {stored} when this epoch began: conversations have \
         moved to other partitions, and new messages would come before old ones; run \
         {}, which first stores what was written before",
        command("new-epoch")
    )]
    PartitionCount {
        /// The topic.
        topic: String,
        /// As noted at the epoch's beginning, or the highest partition that the store has offsets of.
        stored: usize,
        /// From the broker.
        actual: usize,
    },
    /// The store has seen more than the log holds.
    #[error(
        "topic {topic} partition {partition} ends at offset {high} but the store has read up to {stored}: if \
         the topic was recreated or restored, or its end was lost, run {}",
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
        "topic {topic} partition {partition} starts at offset {low} but the store has only read up to \
         {stored}: {} records were removed before they were stored; restore them, or accept the loss with {}",
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

/// What a store says of the log that it was filled from, in the current epoch.
#[derive(Debug, Clone, Copy)]
pub struct StoredLog<'a> {
    /// By partition, the first offset that is not stored.
    pub next_offsets: &'a BTreeMap<i32, i64>,
    /// How many partitions the topic had when the epoch began; `None` while nobody has noted it.
    pub partitions: Option<usize>,
    /// Somebody has begun to rewrite the topic without the words of deleted messages, and has not ended.
    pub is_rewritten: bool,
}

/// Compares the log with the setting `kafka.partitions` and with the store.
///
/// The log's own number of partitions is the truth: where each conversation lives follows from it. A setting
/// or a store that says another one is a mistake, never a reason to judge records by.
///
/// # Errors
/// The first mismatch, by partition.
pub fn check_log(
    topic: &str,
    setting: usize,
    log: &BTreeMap<i32, PartitionState>,
    stored: StoredLog<'_>,
) -> Result<(), LogMismatch> {
    let (topic, actual) = (topic.to_owned(), log.len());
    if stored.is_rewritten {
        return Err(LogMismatch::Rewritten { topic });
    }
    if setting != actual {
        return Err(LogMismatch::Setting { topic, setting, actual });
    }
    let seen = stored.next_offsets.keys().max().map_or(0, |partition| *partition as usize + 1);
    match stored.partitions {
        Some(noted) if noted != actual => {
            return Err(LogMismatch::PartitionCount { topic, stored: noted, actual });
        }
        None if seen > actual => return Err(LogMismatch::PartitionCount { topic, stored: seen, actual }),
        _ => {}
    }
    for (&partition, state) in log {
        let Some(&stored) = stored.next_offsets.get(&partition) else { continue };
        if stored > state.high {
            return Err(LogMismatch::Behind { topic, partition, high: state.high, stored });
        }
        if stored < state.low {
            return Err(LogMismatch::Removed { topic, partition, low: state.low, stored });
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

    fn check(
        setting: usize,
        ranges: &[(i64, i64)],
        stored: &[(i32, i64)],
        partitions: Option<usize>,
    ) -> Result<(), LogMismatch> {
        let next_offsets = stored.iter().copied().collect();
        check_log(
            "t",
            setting,
            &log(ranges),
            StoredLog { next_offsets: &next_offsets, partitions, is_rewritten: false },
        )
    }

    #[test]
    fn a_log_that_is_ahead_is_fine() {
        for noted in [None, Some(2)] {
            assert_eq!(check(2, &[(0, 9), (0, 0)], &[(0, 5)], noted), Ok(()));
        }
    }

    #[test]
    fn a_setting_that_differs_is_refused_by_name_in_either_direction() {
        for setting in [1, 3] {
            let error = check(setting, &[(0, 9), (0, 0)], &[], None).unwrap_err().to_string();
            assert!(error.contains(&format!("kafka.partitions is {setting}")), "{error}");
            assert!(error.contains("set kafka.partitions = 2") && !error.contains("new-epoch"), "{error}");
        }
    }

    #[test]
    fn each_mismatch_of_log_and_store_names_the_way_out() {
        for (ranges, stored, noted) in [
            ([(0, 4), (0, 0)], [(0, 5)], None),
            ([(6, 9), (0, 0)], [(0, 5)], None),
            ([(0, 9), (0, 0)], [(2, 5)], None),
            ([(0, 9), (0, 0)], [(0, 5)], Some(1)),
            ([(0, 9), (0, 0)], [(0, 5)], Some(3)),
        ] {
            let error = check(2, &ranges, &stored, noted).unwrap_err();
            assert!(error.to_string().contains("new-epoch"), "{error}");
        }
    }
}
