//! The watermark of free disk: a log, or an SQLite database, that fills its disk to the last byte stops in
//! the midst of things, and takes other programs with it. So new messages are refused, as temporary, while
//! some room is left; what is there can still be read, sign-in goes on, and the consumer has room to store
//! what was accepted.

use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::log::health::Health;

/// At the fastest that one may write, a second is some hundred megabytes; the default watermark is above
/// that.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// Looks at the disks of `folders` until `stop`, and tells `health` when one has less than `min_free_bytes`.
/// Returns after the first look.
pub async fn watch(
    folders: Vec<PathBuf>,
    min_free_bytes: u64,
    health: Health,
    stop: CancellationToken,
) -> impl Future<Output = ()> {
    look(&folders, min_free_bytes, &health).await;
    async move {
        if folders.is_empty() || min_free_bytes == 0 {
            return;
        }
        while stop.run_until_cancelled(tokio::time::sleep(LOOK_EVERY)).await.is_some() {
            look(&folders, min_free_bytes, &health).await;
        }
    }
}

async fn look(folders: &[PathBuf], min_free_bytes: u64, health: &Health) {
    let asked = folders.to_vec();
    // A disk that hangs hangs its thread, and what was known stays.
    let Ok(free) = tokio::task::spawn_blocking(move || least_free_bytes(&asked)).await else { return };
    health.set_disk_low(free.filter(|&free_bytes| free_bytes < min_free_bytes));
}

/// The bytes that this program may still write to the fullest of the disks; `None` when none can be asked.
fn least_free_bytes(folders: &[PathBuf]) -> Option<u64> {
    folders.iter().filter_map(|folder| free_bytes(folder)).min()
}

fn free_bytes(folder: &Path) -> Option<u64> {
    match rustix::fs::statvfs(folder) {
        // Not `f_bfree`: some of it is for the system's administrator only.
        Ok(disk) => Some(disk.f_bavail.saturating_mul(disk.f_frsize)),
        Err(error) => {
            log::warn!(folder:% = folder.display(), error:%; "the disk cannot be asked how much is free");
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_watermark_is_noticed_in_both_directions() {
        let folder = tempfile::tempdir().unwrap();
        let folders = [folder.path().to_owned()];
        let health = Health::default();
        look(&folders, u64::MAX, &health).await;
        assert!(health.is_disk_low());
        look(&folders, 1, &health).await;
        assert!(!health.is_disk_low());
        look(&[folder.path().join("nowhere")], u64::MAX, &health).await;
        assert!(!health.is_disk_low(), "what cannot be asked refuses nothing");
        assert!(least_free_bytes(&folders).is_some_and(|bytes| bytes > 0));
    }
}
