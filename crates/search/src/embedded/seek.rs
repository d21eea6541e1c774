//! A phrase that may be asked about any document in ascending order, also about those before its next one.
//!
//! tantivy's phrases expect never to be asked about a document before the one where they stand, and its
//! exclusion does ask so (0.27: an assertion fails in debug builds). What is excluded therefore goes through
//! this, which seeks only forwards.

use tantivy::index::SegmentReader;
use tantivy::query::{EnableScoring, Explanation, Query, Scorer, Weight};
use tantivy::{DocId, DocSet, Score};

/// The same documents as the query has.
#[derive(Debug)]
pub(super) struct Forwards(pub(super) Box<dyn Query>);

impl Clone for Forwards {
    fn clone(&self) -> Self {
        Self(self.0.box_clone())
    }
}

impl Query for Forwards {
    fn weight(&self, scoring: EnableScoring<'_>) -> tantivy::Result<Box<dyn Weight>> {
        Ok(Box::new(ForwardsWeight(self.0.weight(scoring)?)))
    }
}

struct ForwardsWeight(Box<dyn Weight>);

impl Weight for ForwardsWeight {
    fn scorer(&self, reader: &SegmentReader, boost: Score) -> tantivy::Result<Box<dyn Scorer>> {
        Ok(Box::new(ForwardsScorer(self.0.scorer(reader, boost)?)))
    }

    fn explain(&self, reader: &SegmentReader, doc: DocId) -> tantivy::Result<Explanation> {
        self.0.explain(reader, doc)
    }
}

/// Everything but `seek_danger`, which by default looks where it stands before it seeks.
struct ForwardsScorer(Box<dyn Scorer>);

impl DocSet for ForwardsScorer {
    fn advance(&mut self) -> DocId {
        self.0.advance()
    }

    fn seek(&mut self, target: DocId) -> DocId {
        self.0.seek(target)
    }

    fn doc(&self) -> DocId {
        self.0.doc()
    }

    fn size_hint(&self) -> u32 {
        self.0.size_hint()
    }

    fn cost(&self) -> u64 {
        self.0.cost()
    }
}

impl Scorer for ForwardsScorer {
    fn score(&mut self) -> Score {
        self.0.score()
    }
}
