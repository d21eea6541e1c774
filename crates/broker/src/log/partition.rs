//! One partition: its log behind a lock, and its progress for everybody to watch.

use std::fs;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::append::AppendError;
use super::disk::Disk;
use super::producers::Producers;
use super::recovery;
use super::segment::{Active, Sealed};
use super::snapshot;
use crate::config::SyncPolicy;

/// How all partitions of a broker behave, and what their sync tasks belong to.
#[derive(Debug, Clone)]
pub(crate) struct PartitionOptions {
    pub(crate) sync: SyncPolicy,
    pub(crate) segment_bytes: u64,
    pub(crate) disk: Disk,
    /// How long a log that failed is left alone before it is opened again: reading it takes time, and a disk
    /// that has failed needs some.
    pub(crate) recovery_pause: Duration,
    /// Owns the tasks that sync; awaited at shutdown.
    pub(crate) tasks: TaskTracker,
    /// Ends the waiting for the next sync interval.
    pub(crate) stopping: CancellationToken,
}

/// What of a partition can be read, and whether promises about it still hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Progress {
    /// The first offset that can be read.
    pub(crate) start_offset: i64,
    /// The first offset that cannot be read yet. Under `SyncPolicy::Always` everything before it is on disk.
    pub(crate) high_watermark: i64,
    /// All bytes that became readable since the partition was opened: tells how much came, without looking at
    /// the disk.
    pub(crate) shown_bytes: u64,
    /// Grows when what was appended but not yet synced had to be given up.
    pub(crate) incarnation: u64,
    /// The topic is gone.
    pub(crate) deleted: bool,
}

/// A partition of a topic.
pub(crate) struct Partition {
    /// For people: topic and number.
    pub(super) label: String,
    pub(super) folder: PathBuf,
    pub(super) options: PartitionOptions,
    /// Held while a batch is written, a segment is closed or a place is looked up; never while syncing or
    /// reading.
    pub(super) log: Mutex<Log>,
    /// Sent by whoever holds the lock of `log`; watched by waiting fetches and produces. Holds the latest
    /// value only.
    pub(super) progress: watch::Sender<Progress>,
}

/// The part of a partition that only one thread at a time may touch.
pub(super) struct Log {
    /// Oldest first, without holes between them unless a disk was damaged.
    pub(super) sealed: Vec<Arc<Sealed>>,
    pub(super) active: Active,
    pub(super) producers: Producers,
    /// Up to where the active segment may be read.
    pub(super) visible_bytes: u64,
    /// When a write or sync failed in a way that leaves unknown what is on the disk: recover before the next
    /// append, and not before this time.
    pub(super) failed: Option<Instant>,
    /// A sync is under way or due; it will see what is appended meanwhile.
    pub(super) sync_scheduled: bool,
}

impl Partition {
    /// Opens the folder, creating or recovering it.
    pub(crate) fn open(folder: PathBuf, label: String, options: PartitionOptions) -> io::Result<Self> {
        let recovered = recovery::recover(&folder, &options.disk, None)?;
        let progress = Progress {
            start_offset: recovered.start_offset,
            high_watermark: recovered.active.extent.next_offset,
            shown_bytes: 0,
            incarnation: 0,
            deleted: false,
        };
        let log = Log {
            visible_bytes: recovered.active.extent.size_bytes,
            sealed: recovered.sealed,
            active: recovered.active,
            producers: recovered.producers,
            failed: None,
            sync_scheduled: false,
        };
        let (progress, _) = watch::channel(progress);
        Ok(Self { label, folder, options, log: Mutex::new(log), progress })
    }

    /// What can be read now.
    pub(crate) fn progress(&self) -> Progress {
        *self.progress.borrow()
    }

    /// To wait for progress.
    pub(crate) fn watch(&self) -> watch::Receiver<Progress> {
        self.progress.subscribe()
    }

    /// Puts everything on disk with the state that makes the next start quick.
    pub(crate) fn save(&self) -> io::Result<()> {
        let mut log = self.lock();
        if log.failed.is_some() || self.progress().deleted {
            return Ok(());
        }
        let disk = &self.options.disk;
        let saved = log.active.save(disk).and_then(|()| {
            snapshot::save_producers(disk, &self.folder, log.active.extent.next_offset, &log.producers)
        });
        if let Err(error) = &saved {
            self.fail(&mut log, error);
        }
        saved
    }

    /// Lets everybody read the active segment up to `size_bytes`, which ends before `next_offset`.
    pub(super) fn show(&self, log: &mut Log, size_bytes: u64, next_offset: i64) {
        let more = size_bytes.saturating_sub(log.visible_bytes);
        log.visible_bytes = size_bytes;
        self.progress.send_modify(|progress| {
            progress.high_watermark = next_offset;
            progress.shown_bytes += more;
        });
    }

    /// Removes the files. Whoever still waits or reads is told that the topic is gone.
    pub(crate) fn delete(&self) -> io::Result<()> {
        let log = self.lock();
        self.progress.send_modify(|progress| progress.deleted = true);
        let removed = fs::remove_dir_all(&self.folder);
        drop(log);
        removed
    }

    /// Gives up what is not on disk and opens the rest again, as after a crash. It stays failed when that
    /// fails, and when something that was shown is not on the disk.
    pub(super) fn recover(&self, log: &mut Log) -> Result<(), AppendError> {
        if log.failed.is_some_and(|not_before| Instant::now() < not_before) {
            return Err(AppendError::Storage);
        }
        let high_watermark = self.progress().high_watermark;
        let recovered =
            recovery::recover(&self.folder, &self.options.disk, Some(high_watermark)).map_err(|error| {
                self.fail(log, &error);
                AppendError::Storage
            })?;
        self.progress.send_modify(|progress| {
            progress.start_offset = progress.start_offset.max(recovered.start_offset);
        });
        log.visible_bytes = recovered.active.extent.size_bytes;
        log.sealed = recovered.sealed;
        log.active = recovered.active;
        log.producers = recovered.producers;
        log.failed = None;
        log::info!(
            partition = self.label.as_str(), next_offset = log.active.extent.next_offset;
            "the log was recovered after a failed write"
        );
        Ok(())
    }

    /// Marks as unknown what is on the disk, and fails all who wait for it.
    pub(super) fn fail(&self, log: &mut Log, error: &io::Error) {
        log::error!(
            partition = self.label.as_str(), error:%;
            "the log failed; it is opened and checked again before anything is written"
        );
        log.failed = Some(Instant::now() + self.options.recovery_pause);
        self.progress.send_modify(|progress| progress.incarnation += 1);
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Log> {
        self.log.lock().expect("a thread that panics while it changes a log leaves nothing to trust")
    }
}

impl std::fmt::Debug for Partition {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Partition").field("label", &self.label).finish_non_exhaustive()
    }
}
