//! Which conversations a part of the index has messages of, by their numbers there.
//!
//! A segment never changes, so its list is read once and kept for as long as there is the segment: reading it
//! for every question would take longer than most questions do. It takes 16 bytes a conversation and segment.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use milena_domain::ConversationId;
use tantivy::Searcher;
use tantivy::columnar::BytesColumn;
use tantivy::error::{DataCorruption, TantivyError};
use tantivy::index::SegmentId;
use uuid::Uuid;

use crate::scope::Scope;

/// The conversations of a segment in the order of their ids, which is that of their numbers.
type Known = Arc<[ConversationId]>;

/// The lists that were read.
#[derive(Default)]
pub(super) struct Places {
    /// Held for a look only, never while a list is read.
    known: Mutex<HashMap<SegmentId, Known>>,
}

impl Places {
    /// By its number in the segment, each conversation that may be seen.
    pub(super) fn seen(
        &self,
        segment: SegmentId,
        column: &BytesColumn,
        scope: &Scope,
    ) -> tantivy::Result<Vec<Option<ConversationId>>> {
        let known = self.of(segment, column)?;
        if known.len() <= scope.len() {
            return Ok(known.iter().map(|one| scope.has(*one).then_some(*one)).collect());
        }
        let mut seen = vec![None; known.len()];
        for conversation in scope.conversations() {
            if let Ok(number) = known.binary_search(&conversation) {
                seen[number] = Some(conversation);
            }
        }
        Ok(seen)
    }

    /// Forgets segments that are no more.
    pub(super) fn keep(&self, searcher: &Searcher) {
        self.known().retain(|segment, _| searcher.generation().segments().contains_key(segment));
    }

    fn of(&self, segment: SegmentId, column: &BytesColumn) -> tantivy::Result<Known> {
        if let Some(known) = self.known().get(&segment) {
            return Ok(Arc::clone(known));
        }
        let mut all = column.dictionary().stream()?;
        let mut list = Vec::with_capacity(column.dictionary().num_terms());
        while all.advance() {
            let id = Uuid::from_slice(all.key()).map_err(|_| {
                TantivyError::DataCorruption(DataCorruption::comment_only("a conversation has no id"))
            })?;
            list.push(ConversationId::from_uuid(id));
        }
        let list: Known = list.into();
        self.known().insert(segment, Arc::clone(&list));
        Ok(list)
    }

    fn known(&self) -> std::sync::MutexGuard<'_, HashMap<SegmentId, Known>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
