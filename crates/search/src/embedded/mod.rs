//! The index of one machine: tantivy in a folder.
//!
//! Exactly one process holds the folder, to write and to read. Where the log goes on is part of tantivy's own
//! commit, so index and offsets can never disagree: a process that dies at any moment finds the last commit
//! again, whole, with its offsets.
//!
//! No text is stored, only where which token stands: what is shown comes from the store, newest state.

mod collect;
mod fields;
mod folder;
mod payload;
mod places;
mod question;
mod seek;
mod writing;

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use tantivy::{IndexReader, IndexWriter};

use crate::index::{Ask, Change, Checkpoint, Index, IndexError, Page};
use fields::Fields;
pub use folder::TantivyFolder;
use places::Places;

/// An open index. Dropping it gives up what was not committed.
pub struct TantivyIndex {
    inner: Arc<Inner>,
}

struct Inner {
    fields: Fields,
    reader: IndexReader,
    /// Who writes; `None` after a failure that only opening the index again can mend. Held for as long as a
    /// write or a commit takes; readers do not need it.
    writer: Mutex<Option<IndexWriter>>,
    folder: TantivyFolder,
    /// Which conversations are where; asked by every question, forgotten with their segments.
    places: Arc<Places>,
}

impl TantivyIndex {
    /// Opens the index in a folder, or begins one there.
    ///
    /// # Errors
    /// `InUse` when another process has it; `OtherFormat` and `Damaged` when it must be made again
    /// ([`TantivyFolder::clear`]); `Unavailable` when the disk refuses.
    pub async fn open(folder: &Path, memory_bytes: usize) -> Result<Self, IndexError> {
        let folder = TantivyFolder::new(folder);
        match blocking(move || Inner::open(folder, memory_bytes)).await {
            Ok(inner) => Ok(Self { inner: Arc::new(inner) }),
            // tantivy panics on some files that are not as it wrote them, and nothing else was asked.
            Err(IndexError::Failed) => Err(IndexError::Damaged { what: "it cannot be opened".to_owned() }),
            Err(error) => Err(error),
        }
    }

    async fn with<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Inner) -> Result<T, IndexError> + Send + 'static,
    ) -> Result<T, IndexError> {
        let inner = Arc::clone(&self.inner);
        blocking(move || work(&inner)).await
    }

    /// Reads every file through and compares it with its checksum.
    ///
    /// # Errors
    /// `Damaged` names those that differ.
    pub async fn check(&self) -> Result<(), IndexError> {
        self.with(Inner::check).await
    }

    /// Bytes of its files.
    ///
    /// # Errors
    /// `Unavailable` when the folder cannot be read.
    pub async fn size_bytes(&self) -> Result<u64, IndexError> {
        self.with(|inner| inner.folder.size_bytes()).await
    }

    /// Ends it, and waits for files that are being merged. What was not committed is given up.
    ///
    /// # Errors
    /// When merging failed; the index is as it was before.
    pub async fn close(self) -> Result<(), IndexError> {
        self.with(|inner| {
            let writer = inner.writer.lock().unwrap_or_else(PoisonError::into_inner).take();
            writer.map_or(Ok(()), |writer| writer.wait_merging_threads().map_err(folder::error))
        })
        .await
    }
}

/// Runs what blocks beside the runtime.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, IndexError> + Send + 'static,
) -> Result<T, IndexError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(failed) if failed.is_panic() => Err(IndexError::Failed),
        Err(_) => Err(IndexError::Unavailable { what: "the program is ending".to_owned() }),
    }
}

impl Index for TantivyIndex {
    async fn checkpoint(&self) -> Result<Option<Checkpoint>, IndexError> {
        self.with(Inner::checkpoint).await
    }

    async fn write(&self, changes: Vec<Change>) -> Result<(), IndexError> {
        self.with(|inner| inner.write(changes)).await
    }

    async fn commit(&self, checkpoint: Checkpoint) -> Result<(), IndexError> {
        self.with(move |inner| inner.commit(&checkpoint)).await
    }

    async fn search(&self, ask: Ask) -> Result<Page, IndexError> {
        self.with(move |inner| inner.search(&ask)).await
    }

    async fn count(&self) -> Result<u64, IndexError> {
        self.with(|inner| Ok(inner.reader.searcher().num_docs())).await
    }
}
