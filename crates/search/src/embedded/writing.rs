//! Writing and committing.

use std::sync::{MutexGuard, PoisonError};

use tantivy::IndexWriter;

use super::folder::error;
use super::{Inner, payload};
use crate::index::{Change, Checkpoint, IndexError};

impl Inner {
    pub(super) fn write(&self, changes: Vec<Change>) -> Result<(), IndexError> {
        self.attempt(|writer| {
            for change in changes {
                match change {
                    Change::Put { message, at: _ } => {
                        writer.delete_term(self.fields.key(message.conversation, message.position));
                        writer.add_document(self.fields.document(&message))?;
                    }
                    Change::Remove { conversation, position, at: _ } => {
                        writer.delete_term(self.fields.key(conversation, position));
                    }
                }
            }
            Ok(())
        })
    }

    pub(super) fn commit(&self, checkpoint: &Checkpoint) -> Result<(), IndexError> {
        let payload = payload::write(checkpoint)?;
        self.attempt(|writer| {
            let mut commit = writer.prepare_commit()?;
            commit.set_payload(&payload);
            commit.commit()?;
            Ok(())
        })?;
        self.reader.reload().map_err(error)?;
        self.places.keep(&self.reader.searcher());
        Ok(())
    }

    /// Does it, or goes back to the last commit: a writer that failed once takes nothing any more.
    fn attempt(&self, work: impl FnOnce(&mut IndexWriter) -> tantivy::Result<()>) -> Result<(), IndexError> {
        let mut held = self.writer();
        let Some(writer) = held.as_mut() else {
            let what = "writing failed before; it must be opened again".to_owned();
            return Err(IndexError::Unavailable { what });
        };
        let failed = match work(writer) {
            Ok(()) => return Ok(()),
            Err(failed) => error(failed),
        };
        if let Err(second) = writer.rollback() {
            log::error!(error:% = second; "the search index cannot go back to its last commit");
            *held = None;
        }
        Err(failed)
    }

    fn writer(&self) -> MutexGuard<'_, Option<IndexWriter>> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
