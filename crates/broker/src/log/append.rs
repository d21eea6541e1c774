//! Appending a batch: check, give it its offset, write, and have it synced.

use std::io;
use std::sync::Arc;

use super::batch::{BatchError, BatchHeader};
use super::index::Extent;
use super::partition::{Log, Partition, Progress};
use super::producers::Verdict;
use super::segment::Active;
use super::snapshot;
use crate::config::SyncPolicy;

/// Why a batch was not appended, or is not known to be on disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum AppendError {
    #[error(transparent)]
    Batch(#[from] BatchError),
    #[error("a request carries one batch for each partition")]
    NotOneBatch,
    #[error("the batch is larger than the topic allows")]
    TooLarge,
    #[error("the time of a record is farther ahead than the topic allows")]
    TooFarAhead,
    #[error("this broker has no transactions")]
    Transactional,
    #[error("a batch before this one is missing")]
    OutOfOrder,
    #[error("a newer instance of this producer is at work")]
    OldEpoch,
    #[error("the disk failed")]
    Storage,
    #[error("the topic is gone")]
    Deleted,
}

/// Where a batch stands in the log. It is confirmed only after `Partition::confirmed`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Appended {
    pub(crate) first_offset: i64,
    next_offset: i64,
    incarnation: u64,
}

impl Partition {
    /// Appends one batch, or finds that it is in the log already.
    pub(crate) fn append(
        self: &Arc<Self>,
        batch: &[u8],
        max_batch_bytes: usize,
    ) -> Result<Appended, AppendError> {
        if batch.len() > max_batch_bytes {
            return Err(AppendError::TooLarge);
        }
        let mut header = BatchHeader::verify(batch)?;
        if header.size_bytes != batch.len() {
            return Err(AppendError::NotOneBatch);
        }
        if header.is_transactional_or_control() {
            return Err(AppendError::Transactional);
        }
        let mut log = self.lock();
        let Progress { deleted, .. } = self.progress();
        if deleted {
            return Err(AppendError::Deleted);
        }
        if log.failed.is_some() {
            self.recover(&mut log)?;
        }
        let incarnation = self.progress().incarnation;
        match log.producers.judge(&header) {
            Verdict::Duplicate { first_offset, next_offset } => {
                return Ok(Appended { first_offset, next_offset, incarnation });
            }
            Verdict::OutOfOrder => return Err(AppendError::OutOfOrder),
            Verdict::OldEpoch => return Err(AppendError::OldEpoch),
            Verdict::Append => {}
        }
        if log.active.extent.size_bytes > 0
            && log.active.extent.size_bytes + batch.len() as u64 > self.options.segment_bytes
        {
            self.roll(&mut log).map_err(|_| AppendError::Storage)?;
        }
        header.base_offset = log.active.extent.next_offset;
        self.write(&mut log, batch, &header)?;
        log.producers.note(&header);
        self.appended(&mut log);
        Ok(Appended { first_offset: header.base_offset, next_offset: header.next_offset(), incarnation })
    }

    /// Waits until what was appended is as safe as the broker promises.
    pub(crate) async fn confirmed(&self, appended: Appended) -> Result<(), AppendError> {
        let mut progress = self.watch();
        let settled = |progress: &Progress| {
            progress.deleted
                || progress.incarnation != appended.incarnation
                || progress.high_watermark >= appended.next_offset
        };
        let progress = *progress.wait_for(settled).await.map_err(|_| AppendError::Deleted)?;
        if progress.deleted {
            Err(AppendError::Deleted)
        } else if progress.incarnation != appended.incarnation {
            Err(AppendError::Storage)
        } else {
            Ok(())
        }
    }

    fn write(&self, log: &mut Log, batch: &[u8], header: &BatchHeader) -> Result<(), AppendError> {
        log.active.append(&self.options.disk, batch, header).map_err(|error| match error {
            Ok(error) => self.refuse(&error),
            Err(error) => {
                self.fail(log, &error);
                AppendError::Storage
            }
        })
    }

    fn appended(self: &Arc<Self>, log: &mut Log) {
        if let SyncPolicy::Interval(_) = self.options.sync {
            let extent = log.active.extent;
            self.show(log, extent.size_bytes, extent.next_offset);
        }
        self.schedule_sync(log);
    }

    /// Closes the active segment and begins a new one. Afterwards everything is on disk, or the log has
    /// failed: who waits for a confirmation is told so, because a sync that is under way for them may not
    /// hear of the error.
    pub(super) fn roll(&self, log: &mut Log) -> io::Result<()> {
        let rolled = self.begin_segment(log);
        if let Err(error) = &rolled {
            self.fail(log, error);
        }
        rolled
    }

    fn begin_segment(&self, log: &mut Log) -> io::Result<()> {
        let disk = &self.options.disk;
        log.active.save(disk)?;
        let Extent { size_bytes, next_offset, .. } = log.active.extent;
        snapshot::save_producers(disk, &self.folder, next_offset, &log.producers)?;
        let active = Active::create(disk, &self.folder, next_offset)?;
        let closed = std::mem::replace(&mut log.active, active);
        log.sealed.push(Arc::new(closed.sealed()));
        self.show(log, size_bytes, next_offset);
        log.visible_bytes = 0;
        Ok(())
    }

    fn refuse(&self, error: &io::Error) -> AppendError {
        log::error!(partition = self.label.as_str(), error:%; "a batch could not be written");
        AppendError::Storage
    }
}
