//! Group commit: one `fdatasync` covers every batch that was written before it began.
//!
//! At most one sync of a partition is under way. Batches that are written meanwhile wait for the next one,
//! which starts at once; so the busier the partition, the more batches share a sync.

use std::sync::Arc;

use super::partition::{Log, Partition};
use crate::config::SyncPolicy;

impl Partition {
    /// Has the log synced, now or after the interval, unless that is already going to happen.
    pub(super) fn schedule_sync(self: &Arc<Self>, log: &mut Log) {
        if std::mem::replace(&mut log.sync_scheduled, true) {
            return;
        }
        let partition = Arc::clone(self);
        match self.options.sync {
            SyncPolicy::Always => {
                self.options.tasks.spawn_blocking(move || partition.sync());
            }
            SyncPolicy::Interval(interval) => {
                let Self { options, .. } = self.as_ref();
                let (tasks, stopping) = (options.tasks.clone(), options.stopping.clone());
                options.tasks.spawn(async move {
                    let _ = tokio::time::timeout(interval, stopping.cancelled()).await;
                    tasks.spawn_blocking(move || partition.sync());
                });
            }
        }
    }

    fn sync(self: Arc<Self>) {
        let (file, base_offset, target, incarnation) = {
            let mut log = self.lock();
            if log.failed.is_some() {
                // What it was to sync is given up: to show it now would show what was refused.
                log.sync_scheduled = false;
                return;
            }
            let active = &log.active;
            (Arc::clone(&active.file), active.base_offset, active.extent, self.progress().incarnation)
        };
        let synced = self.options.disk.sync(&file);
        let mut log = self.lock();
        log.sync_scheduled = false;
        let progress = self.progress();
        if progress.deleted {
            return;
        }
        // Otherwise the log was recovered meanwhile, and this sync speaks of a state that is gone.
        let current = progress.incarnation == incarnation;
        if let (true, Err(error)) = (current, &synced) {
            // After a failed sync nobody knows what is on disk, and a second sync may lie: cut back to what
            // is known.
            self.fail(&mut log, error);
            return;
        }
        if current && log.active.base_offset == base_offset && log.visible_bytes < target.size_bytes {
            self.show(&mut log, target.size_bytes, target.next_offset);
        }
        let behind = !current || log.active.extent.next_offset > target.next_offset;
        if behind && log.failed.is_none() {
            self.schedule_sync(&mut log);
        }
    }
}
