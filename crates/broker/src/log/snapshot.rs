//! The small files beside the segments: producer state as of an offset, and where the log begins.
//!
//! Both can be lost without losing a record: producers are then learnt again from the batches that are left,
//! and records that were deleted by request come back. So a file that cannot be read is passed over, with a
//! warning.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::disk::Disk;
use super::durable;
use super::producers::Producers;

const EXTENSION: &str = "producers";
/// The file with the offset at which the log begins.
pub(crate) const START_OFFSET: &str = "start-offset";

/// Keeps the producer state as of `offset` and drops older snapshots but one.
pub(crate) fn save_producers(
    disk: &Disk,
    folder: &Path,
    offset: i64,
    producers: &Producers,
) -> io::Result<()> {
    let bytes = serde_json::to_vec(producers).map_err(io::Error::other)?;
    durable::replace(disk, &folder.join(format!("{offset:020}.{EXTENSION}")), &bytes)?;
    let mut old = snapshots(folder);
    old.truncate(old.len().saturating_sub(2));
    for (_, path) in old {
        fs::remove_file(path)?;
    }
    Ok(())
}

/// The newest snapshot that is not beyond `next_offset`, with its offset; empty state and 0 when there is
/// none.
///
/// Snapshots beyond the end of the log speak of batches that are gone; they are removed.
pub(crate) fn load_producers(folder: &Path, next_offset: i64) -> (Producers, i64) {
    for (offset, path) in snapshots(folder).into_iter().rev() {
        if offset > next_offset {
            let _ = fs::remove_file(path);
            continue;
        }
        let read = fs::read(&path).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok());
        if let Some(producers) = read {
            return (producers, offset);
        }
        log::warn!(path:% = path.display(); "a snapshot of producer state cannot be read");
    }
    (Producers::default(), 0)
}

/// Snapshots by offset, oldest first.
fn snapshots(folder: &Path) -> Vec<(i64, PathBuf)> {
    let offset = |path: &Path| path.file_stem()?.to_str()?.parse().ok();
    let mut found: Vec<_> = fs::read_dir(folder)
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|extension| extension == EXTENSION))
        .filter_map(|path| Some((offset(&path)?, path)))
        .collect();
    found.sort_unstable();
    found
}

/// Keeps the offset that the log begins with.
pub(crate) fn save_start_offset(disk: &Disk, folder: &Path, offset: i64) -> io::Result<()> {
    durable::replace(disk, &folder.join(START_OFFSET), offset.to_string().as_bytes())
}

/// The kept offset, 0 when there is none.
pub(crate) fn load_start_offset(folder: &Path) -> i64 {
    fs::read_to_string(folder.join(START_OFFSET)).ok().and_then(|text| text.trim().parse().ok()).unwrap_or(0)
}
