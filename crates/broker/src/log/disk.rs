//! The calls on which every promise of the log rests: write, sync, cut, and what makes a file's name last.
//!
//! They stand apart so that tests can make them fail, or hold them up, and look at what is promised
//! meanwhile.
//!
//! A system reports a failed sync once for each open file, and may throw away what it could not write: a
//! second sync of the same file then succeeds and means nothing. So a [`SyncedFile`] remembers. No sync of it
//! succeeds after one that failed, whoever was told of the first; what is really on the disk is known only to
//! who opens it anew and reads it with [`Disk::reread`].

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use rustix::fs::{Advice, fadvise};

/// A file whose contents count only once they are synced.
#[derive(Debug)]
pub(crate) struct SyncedFile {
    file: File,
    /// A sync of it failed. Held while one is under way, so that no other can be told that all is well
    /// meanwhile.
    failed: Mutex<bool>,
}

impl SyncedFile {
    /// Takes a file that was opened just now.
    pub(crate) fn new(file: File) -> Self {
        Self { file, failed: Mutex::new(false) }
    }

    /// To read it, write it and ask for its size; not to sync it.
    pub(crate) fn file(&self) -> &File {
        &self.file
    }
}

/// How the broker writes and syncs.
#[derive(Debug, Clone, Default)]
pub(crate) struct Disk {
    #[cfg(test)]
    pub(crate) faults: std::sync::Arc<faults::Faults>,
}

impl Disk {
    /// Writes all of `bytes` at `position`.
    pub(crate) fn write(&self, file: &SyncedFile, bytes: &[u8], position: u64) -> io::Result<()> {
        #[cfg(test)]
        self.faults.before_write(&file.file, bytes, position)?;
        file.file.write_all_at(bytes, position)
    }

    /// Returns when everything written to the file would survive a loss of power. Fails for ever once it has
    /// failed.
    pub(crate) fn sync(&self, file: &SyncedFile) -> io::Result<()> {
        let mut failed = file.failed.lock().unwrap_or_else(PoisonError::into_inner);
        if *failed {
            return Err(io::Error::other("an earlier sync of this file failed"));
        }
        let synced = self.sync_data(&file.file);
        *failed = synced.is_err();
        synced
    }

    fn sync_data(&self, file: &File) -> io::Result<()> {
        #[cfg(test)]
        self.faults.before(faults::Call::Sync, file)?;
        file.sync_data()
    }

    /// Syncs a file that was just made and that nobody reads before this succeeds.
    pub(super) fn sync_new(&self, file: &File) -> io::Result<()> {
        #[cfg(test)]
        self.faults.before(faults::Call::SyncNew, file)?;
        file.sync_all()
    }

    /// Makes the creation, renaming or removal of `path` itself last.
    pub(crate) fn sync_parent(&self, path: &Path) -> io::Result<()> {
        path.parent().map_or(Ok(()), |parent| self.sync_folder(parent))
    }

    /// Makes what was created, renamed or removed in the folder last.
    pub(crate) fn sync_folder(&self, folder: &Path) -> io::Result<()> {
        let folder = File::open(folder)?;
        #[cfg(test)]
        self.faults.before(faults::Call::SyncFolder, &folder)?;
        folder.sync_all()
    }

    /// Cuts the file off.
    pub(crate) fn truncate(&self, file: &SyncedFile, size_bytes: u64) -> io::Result<()> {
        #[cfg(test)]
        self.faults.before(faults::Call::Truncate, &file.file)?;
        file.file.set_len(size_bytes)
    }

    /// Makes what is read next come from the disk and not from what the system remembers: after a failed sync
    /// the two differ, and so they may after an earlier process met one.
    pub(super) fn reread(&self, file: &SyncedFile) -> io::Result<()> {
        // What was not written yet cannot be forgotten; what fails now is known to be lost.
        self.sync(file)?;
        #[cfg(test)]
        self.faults.lose(&file.file)?;
        if let Err(error) = fadvise(&file.file, 0, None, Advice::DontNeed) {
            log::debug!(error:%; "this file system cannot forget what it has read");
        }
        Ok(())
    }
}

#[cfg(test)]
pub(crate) mod faults {
    //! A disk that does what a test tells it.

    use std::collections::HashMap;
    use std::fs::File;
    use std::io;
    use std::os::unix::fs::FileExt;
    use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
    use std::sync::{Condvar, Mutex};

    /// What can be made to fail.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
    pub(crate) enum Call {
        /// The contents of a segment or of the journal.
        Sync,
        /// A small file before it takes its place: an index, a snapshot, the catalogue.
        SyncNew,
        SyncFolder,
        Truncate,
    }

    #[derive(Debug, Default)]
    pub(crate) struct Faults {
        /// The disk is full: a write stores half of its bytes and fails.
        pub(crate) full: AtomicBool,
        /// Every sync of contents fails.
        pub(crate) sync_fails: AtomicBool,
        /// Syncs of contents that began.
        pub(crate) syncs: AtomicUsize,
        /// How many of the next calls fail. A system reports an error once, so one is the usual number.
        failing: Mutex<HashMap<Call, usize>>,
        /// From this byte on the disk holds zeros, whatever the system remembers.
        lost_from: Mutex<Option<u64>>,
        held: Mutex<bool>,
        released: Condvar,
    }

    impl Faults {
        /// From now on syncs wait.
        pub(crate) fn hold_syncs(&self) {
            *self.held.lock().expect("lock") = true;
        }

        /// Syncs go on.
        pub(crate) fn release_syncs(&self) {
            *self.held.lock().expect("lock") = false;
            self.released.notify_all();
        }

        /// The next so many calls of this kind fail.
        pub(crate) fn fail(&self, call: Call, times: usize) {
            self.failing.lock().expect("lock").insert(call, times);
        }

        /// What stands from `position` on never reached the disk, as whoever reads it anew will see.
        pub(crate) fn lose_from(&self, position: u64) {
            *self.lost_from.lock().expect("lock") = Some(position);
        }

        pub(super) fn before_write(&self, file: &File, bytes: &[u8], position: u64) -> io::Result<()> {
            if self.full.load(SeqCst) {
                file.write_all_at(&bytes[..bytes.len() / 2], position)?;
                return Err(io::ErrorKind::StorageFull.into());
            }
            Ok(())
        }

        pub(super) fn before(&self, call: Call, _: &File) -> io::Result<()> {
            if call == Call::Sync {
                self.syncs.fetch_add(1, SeqCst);
                let held = self.held.lock().expect("lock");
                drop(self.released.wait_while(held, |held| *held).expect("lock"));
                if self.sync_fails.load(SeqCst) {
                    return Err(io::Error::other("made to fail"));
                }
            }
            match self.failing.lock().expect("lock").get_mut(&call) {
                Some(times) if *times > 0 => {
                    *times -= 1;
                    Err(io::Error::other("made to fail"))
                }
                _ => Ok(()),
            }
        }

        pub(super) fn lose(&self, file: &File) -> io::Result<()> {
            let Some(position) = self.lost_from.lock().expect("lock").take() else { return Ok(()) };
            let lost = file.metadata()?.len().saturating_sub(position) as usize;
            file.write_all_at(&vec![0; lost], position)
        }
    }
}
