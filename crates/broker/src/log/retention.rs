//! Letting go of old records: by age, by size, or because somebody asked.

use std::fs;
use std::io;

use super::index;
use super::partition::{Log, Partition};
use super::snapshot;

/// How much of a partition is kept; `None` is without limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RetentionLimits {
    pub(crate) max_age_ms: Option<i64>,
    pub(crate) max_bytes: Option<u64>,
}

impl Partition {
    /// Removes the segments that are too old, or too many for the size limit. Returns how many.
    pub(crate) fn retain(&self, limits: RetentionLimits, now_ms: i64) -> io::Result<usize> {
        let mut log = self.lock();
        if log.failed.is_some() || self.progress().deleted {
            return Ok(0);
        }
        let oldest_ms = limits.max_age_ms.map(|max_age_ms| now_ms.saturating_sub(max_age_ms));
        let expired = |max_timestamp_ms: i64| oldest_ms.is_some_and(|oldest_ms| max_timestamp_ms < oldest_ms);
        if log.active.extent.size_bytes > 0 && expired(log.active.extent.max_timestamp_ms) {
            self.roll(&mut log)?;
        }
        let mut size_bytes = log.sealed.iter().map(|segment| segment.extent.size_bytes).sum::<u64>()
            + log.active.extent.size_bytes;
        let mut remove = 0;
        for segment in &log.sealed {
            // A segment goes only when what stays still fills the limit, as on Apache Kafka.
            let too_much = limits
                .max_bytes
                .is_some_and(|max_bytes| size_bytes.saturating_sub(segment.extent.size_bytes) >= max_bytes);
            if !too_much && !expired(segment.extent.max_timestamp_ms) {
                break;
            }
            size_bytes -= segment.extent.size_bytes;
            remove += 1;
        }
        self.remove_first(&mut log, remove)?;
        Ok(remove)
    }

    /// Forgets the records before `offset`; returns where the log begins now.
    ///
    /// Their segments are removed when nothing else is in them.
    pub(crate) fn delete_before(&self, offset: i64) -> io::Result<i64> {
        let mut log = self.lock();
        let offset = offset.max(self.progress().start_offset);
        if let Err(error) = snapshot::save_start_offset(&self.options.disk, &self.folder, offset) {
            // Which of the two offsets the next start will find is not known.
            self.fail(&mut log, &error);
            return Err(error);
        }
        self.progress.send_modify(|progress| progress.start_offset = offset);
        let remove = log.sealed.partition_point(|segment| segment.extent.next_offset <= offset);
        self.remove_first(&mut log, remove)?;
        Ok(offset)
    }

    fn remove_first(&self, log: &mut Log, count: usize) -> io::Result<()> {
        if count == 0 {
            return Ok(());
        }
        let first_base = log.sealed.get(count).map_or(log.active.base_offset, |segment| segment.base_offset);
        self.progress.send_modify(|progress| progress.start_offset = progress.start_offset.max(first_base));
        let removed = self.remove_files(log, count);
        if let Err(error) = &removed {
            self.fail(log, error);
        }
        removed?;
        log::info!(
            partition = self.label.as_str(), segments = count, start_offset = first_base;
            "old segments were removed"
        );
        Ok(())
    }

    /// Oldest first, and forgotten one by one, so that neither a crash nor an error leaves a hole.
    fn remove_files(&self, log: &mut Log, count: usize) -> io::Result<()> {
        for _ in 0..count {
            let path = &log.sealed[0].path;
            fs::remove_file(path)?;
            index::remove(path)?;
            log.sealed.remove(0);
        }
        self.options.disk.sync_folder(&self.folder)
    }
}
