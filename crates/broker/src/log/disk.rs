//! The two calls on which every promise of the log rests: write and sync.
//!
//! They stand apart so that tests can make them fail, or hold them up, and look at what is promised meanwhile.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

/// How the log writes and syncs.
#[derive(Debug, Clone, Default)]
pub(crate) struct Disk {
    #[cfg(test)]
    pub(crate) faults: std::sync::Arc<faults::Faults>,
}

impl Disk {
    /// Writes all of `bytes` at `position`.
    pub(super) fn write(&self, file: &File, bytes: &[u8], position: u64) -> io::Result<()> {
        #[cfg(test)]
        self.faults.before_write(file, bytes, position)?;
        file.write_all_at(bytes, position)
    }

    /// Returns when everything written to the file would survive a loss of power.
    pub(super) fn sync(&self, file: &File) -> io::Result<()> {
        #[cfg(test)]
        self.faults.before_sync()?;
        file.sync_data()
    }
}

#[cfg(test)]
pub(crate) mod faults {
    //! A disk that does what a test tells it.

    use std::fs::File;
    use std::io;
    use std::os::unix::fs::FileExt;
    use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
    use std::sync::{Condvar, Mutex};

    #[derive(Debug, Default)]
    pub(crate) struct Faults {
        /// The disk is full: a write stores half of its bytes and fails.
        pub(crate) full: AtomicBool,
        pub(crate) sync_fails: AtomicBool,
        /// Syncs that began.
        pub(crate) syncs: AtomicUsize,
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

        pub(super) fn before_write(&self, file: &File, bytes: &[u8], position: u64) -> io::Result<()> {
            if self.full.load(SeqCst) {
                file.write_all_at(&bytes[..bytes.len() / 2], position)?;
                return Err(io::ErrorKind::StorageFull.into());
            }
            Ok(())
        }

        pub(super) fn before_sync(&self) -> io::Result<()> {
            self.syncs.fetch_add(1, SeqCst);
            let held = self.held.lock().expect("lock");
            drop(self.released.wait_while(held, |held| *held).expect("lock"));
            if self.sync_fails.load(SeqCst) { Err(io::Error::other("made to fail")) } else { Ok(()) }
        }
    }
}
