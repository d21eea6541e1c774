//! Writing a small file so that after any crash it is there whole, old or new; and folders that last.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

use super::disk::Disk;

/// Replaces the file at `path` by `contents`. After an error either of the two may be there.
pub(crate) fn replace(disk: &Disk, path: &Path, contents: &[u8]) -> io::Result<()> {
    let new = path.with_added_extension("new");
    let mut file = File::create(&new)?;
    file.write_all(contents)?;
    disk.sync_new(&file)?;
    fs::rename(&new, path)?;
    disk.sync_parent(path)
}

/// Creates the folder and those above it, so that they last.
pub(crate) fn create_folder(disk: &Disk, path: &Path) -> io::Result<()> {
    if !path.is_dir() {
        if let Some(parent) = path.parent() {
            create_folder(disk, parent)?;
        }
        fs::create_dir(path)?;
    }
    // Also when it was there: whoever created it may have failed before this.
    disk.sync_parent(path)
}
