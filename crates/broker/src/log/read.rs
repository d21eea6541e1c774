//! Reading: whole batches from an offset on, and offsets by time. Only what is visible is ever read.

use std::io;
use std::sync::Arc;

use bytes::Bytes;

use super::batch::OffsetAtTime;
use super::disk::SyncedFile;
use super::partition::Partition;
use super::segment::{self, Sealed};

/// Why nothing could be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReadError {
    #[error("the offset is before the first or behind the last record")]
    OutOfRange,
    #[error("the topic is gone")]
    Deleted,
    #[error("the disk failed")]
    Storage(#[from] io::Error),
}

/// A file region to look in, found under the lock and read without it.
enum Place {
    Sealed(Arc<Sealed>),
    Active { file: Arc<SyncedFile>, position: u64, end: u64 },
}

impl Partition {
    /// Batches from the one that holds `offset` on: at most `max_bytes` of them, or one if `at_least_one`.
    /// Nothing when there is nothing behind `offset` yet.
    pub(crate) fn read(&self, offset: i64, max_bytes: usize, at_least_one: bool) -> Result<Bytes, ReadError> {
        let progress = self.progress();
        if progress.deleted {
            return Err(ReadError::Deleted);
        }
        if offset < progress.start_offset || offset > progress.high_watermark {
            return Err(ReadError::OutOfRange);
        }
        if offset == progress.high_watermark {
            return Ok(Bytes::new());
        }
        let read = match self.place_of(offset) {
            Place::Sealed(segment) => segment.read(offset, max_bytes, at_least_one),
            Place::Active { file, position, end } => {
                segment::read_from(file.file(), position, end, offset, max_bytes, at_least_one)
            }
        };
        read.map_err(|error| self.explain(offset, error))
    }

    /// The first record that is not older than `timestamp_ms`, `None` when all are older.
    pub(crate) fn first_at_or_after(&self, timestamp_ms: i64) -> Result<Option<OffsetAtTime>, ReadError> {
        let start_offset = self.progress().start_offset;
        let sealed = self.lock().sealed.clone();
        for segment in sealed.iter().filter(|segment| segment.extent.next_offset > start_offset) {
            if segment.extent.max_timestamp_ms < timestamp_ms {
                continue;
            }
            if let Some(found) = segment.first_at_or_after(timestamp_ms)?
                && found.offset >= start_offset
            {
                return Ok(Some(found));
            }
        }
        let (file, position, end) = {
            let log = self.lock();
            (Arc::clone(&log.active.file), log.active.position_before_time(timestamp_ms), log.visible_bytes)
        };
        let found = segment::first_at_or_after(file.file(), position, end, timestamp_ms)?;
        Ok(found.map(|found| OffsetAtTime { offset: found.offset.max(start_offset), ..found }))
    }

    /// The first of the records with the greatest time, `None` when there are no records.
    pub(crate) fn latest_by_time(&self) -> Result<Option<OffsetAtTime>, ReadError> {
        let greatest = {
            let log = self.lock();
            let sealed = log.sealed.iter().map(|segment| segment.extent.max_timestamp_ms);
            sealed.chain([log.active.extent.max_timestamp_ms]).max()
        };
        greatest.filter(|&greatest| greatest > i64::MIN).map_or(Ok(None), |at| self.first_at_or_after(at))
    }

    fn place_of(&self, offset: i64) -> Place {
        let log = self.lock();
        let at = log.sealed.partition_point(|segment| segment.extent.next_offset <= offset);
        match log.sealed.get(at) {
            Some(segment) => Place::Sealed(Arc::clone(segment)),
            None => Place::Active {
                file: Arc::clone(&log.active.file),
                position: log.active.position_before(offset),
                end: log.visible_bytes,
            },
        }
    }

    /// A segment may be removed between the look-up and the reading: then the offset is out of range by now.
    fn explain(&self, offset: i64, error: io::Error) -> ReadError {
        let progress = self.progress();
        if progress.deleted {
            ReadError::Deleted
        } else if offset < progress.start_offset {
            ReadError::OutOfRange
        } else {
            log::error!(partition = self.label.as_str(), offset, error:%; "the log cannot be read");
            ReadError::Storage(error)
        }
    }
}
