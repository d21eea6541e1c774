//! tantivy in a folder.

mod folder;
mod kill;

use milena_search::TantivyIndex;
use tempfile::TempDir;

use crate::conformance::{Engine, conformance};

/// What a writer may use in these tests; tantivy takes no less.
pub(crate) const MEMORY_BYTES: usize = 15_000_000;

struct Folder(TempDir);

impl Engine for Folder {
    type Index = TantivyIndex;

    async fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    async fn open(&self) -> TantivyIndex {
        TantivyIndex::open(self.0.path(), MEMORY_BYTES).await.unwrap()
    }
}

conformance!(Folder);
