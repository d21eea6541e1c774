//! What is known of each partition: how far it was read, how far it is stored, how far the group offset went.
//!
//! Guarantees, whatever the order in which batches finish: `stored` only grows within a generation, never
//! passes an unfinished span, and a record counts once. Pure: no Kafka, no database, no clock.

use std::collections::BTreeMap;

/// A number for one spell of reading a partition from one start. Records and results that carry an older one
/// are dead: they belong to an assignment that ended or to a read before a seek.
pub(crate) type Generation = u64;

/// Offsets from `from` up to, not including, `to`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) partition: i32,
    pub(crate) generation: Generation,
    pub(crate) from: i64,
    pub(crate) to: i64,
}

#[derive(Debug)]
struct Partition {
    generation: Generation,
    /// False once the partition is being given back: what was read is still stored, nothing more is read.
    accepting: bool,
    /// The next offset to read.
    read: i64,
    /// Everything below is in the store.
    stored: i64,
    /// The group offset as last handed to Kafka.
    committed: i64,
    /// Finished spans beyond `stored`, start to end: they wait for an earlier one.
    finished: BTreeMap<i64, i64>,
}

/// All partitions that this consumer holds.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    partitions: BTreeMap<i32, Partition>,
    generations: Generation,
}

impl Ledger {
    /// Begins to read `partition` at `start`, the store's next offset. Anything known of it before is
    /// forgotten.
    pub(crate) fn open(&mut self, partition: i32, start: i64) -> Generation {
        self.generations += 1;
        let generation = self.generations;
        let entry = Partition {
            generation,
            accepting: true,
            read: start,
            stored: start,
            committed: -1,
            finished: BTreeMap::new(),
        };
        self.partitions.insert(partition, entry);
        generation
    }

    /// The offset at which the span of a record begins, or `None` when the record is not wanted: of another
    /// generation, already read, or of a partition that is being given back.
    pub(crate) fn wants(&self, partition: i32, generation: Generation, offset: i64) -> Option<i64> {
        let entry = self.partitions.get(&partition)?;
        let wanted = entry.generation == generation && entry.accepting && offset >= entry.read;
        wanted.then_some(entry.read)
    }

    /// Takes note of a record; answers as [`Ledger::wants`].
    pub(crate) fn accept(&mut self, partition: i32, generation: Generation, offset: i64) -> Option<i64> {
        let from = self.wants(partition, generation, offset)?;
        self.current(partition, generation)?.read = offset + 1;
        Some(from)
    }

    /// Takes note that a span is in the store (or dead-lettered), in any order.
    pub(crate) fn finish(&mut self, span: Span) {
        let Some(entry) = self.current(span.partition, span.generation) else { return };
        entry.finished.insert(span.from, span.to);
        while let Some(end) = entry.finished.remove(&entry.stored) {
            entry.stored = end;
        }
    }

    /// Reads no more of `partition`; what was read may still finish.
    pub(crate) fn stop_reading(&mut self, partition: i32) {
        if let Some(entry) = self.partitions.get_mut(&partition) {
            entry.accepting = false;
        }
    }

    /// Forgets `partition`; answers its stored offset when there is one to commit.
    pub(crate) fn close(&mut self, partition: i32) -> Option<i64> {
        let entry = self.partitions.remove(&partition)?;
        (entry.stored > 0).then_some(entry.stored)
    }

    /// Whether all that was read of `partition` is stored.
    pub(crate) fn is_drained(&self, partition: i32) -> bool {
        self.partitions.get(&partition).is_none_or(|entry| entry.stored == entry.read)
    }

    /// Whether `generation` is the one that `partition` is in.
    pub(crate) fn is_current(&self, partition: i32, generation: Generation) -> bool {
        self.partitions.get(&partition).is_some_and(|entry| entry.generation == generation)
    }

    /// The stored offsets that the group does not have yet; they count as committed from now on.
    pub(crate) fn take_commits(&mut self) -> BTreeMap<i32, i64> {
        self.partitions
            .iter_mut()
            .filter(|(_, entry)| entry.stored > entry.committed && entry.stored > 0)
            .map(|(&partition, entry)| {
                entry.committed = entry.stored;
                (partition, entry.stored)
            })
            .collect()
    }

    /// The stored offset of each partition.
    pub(crate) fn stored(&self) -> BTreeMap<i32, i64> {
        self.partitions.iter().map(|(&partition, entry)| (partition, entry.stored)).collect()
    }

    fn current(&mut self, partition: i32, generation: Generation) -> Option<&mut Partition> {
        self.partitions.get_mut(&partition).filter(|entry| entry.generation == generation)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Spans finish in any order: the frontier is always the start of the first unfinished one.
        #[test]
        fn the_frontier_is_the_first_unfinished_offset(
            lengths in prop::collection::vec(1_i64..5, 1..30),
            order in prop::collection::vec(any::<prop::sample::Index>(), 30),
            start in 0_i64..100,
        ) {
            let mut ledger = Ledger::default();
            let generation = ledger.open(0, start);
            let mut open = Vec::new();
            let mut from = start;
            for length in lengths {
                for offset in from..from + length {
                    prop_assert_eq!(ledger.accept(0, generation, offset), Some(offset));
                }
                open.push(Span { partition: 0, generation, from, to: from + length });
                from += length;
            }
            let mut last = start;
            for index in order {
                if open.is_empty() {
                    break;
                }
                ledger.finish(open.remove(index.index(open.len())));
                let stored = ledger.stored()[&0];
                let first_unfinished = open.iter().map(|span| span.from).min().unwrap_or(from);
                prop_assert_eq!(stored, first_unfinished);
                prop_assert!(stored >= last);
                prop_assert_eq!(ledger.is_drained(0), open.is_empty());
                last = stored;
            }
        }

        /// Each offset is accepted at most once, in order, whatever comes again.
        #[test]
        fn a_record_counts_once(offsets in prop::collection::vec(0_i64..20, 0..60)) {
            let mut ledger = Ledger::default();
            let generation = ledger.open(3, 0);
            let mut accepted = Vec::new();
            for offset in offsets {
                if let Some(from) = ledger.accept(3, generation, offset) {
                    prop_assert_eq!(from, accepted.last().map_or(0, |last| last + 1));
                    accepted.push(offset);
                }
            }
            prop_assert!(accepted.is_sorted_by(|a, b| a < b));
        }
    }

    #[test]
    fn older_generations_are_dead() {
        let mut ledger = Ledger::default();
        let old = ledger.open(0, 0);
        ledger.accept(0, old, 0);
        let new = ledger.open(0, 10);
        assert_eq!(ledger.accept(0, old, 11), None);
        ledger.finish(Span { partition: 0, generation: old, from: 0, to: 1 });
        assert_eq!(ledger.stored()[&0], 10);
        assert!(ledger.is_current(0, new) && !ledger.is_current(0, old));
    }

    #[test]
    fn a_partition_given_back_finishes_but_reads_no_more() {
        let mut ledger = Ledger::default();
        let generation = ledger.open(0, 5);
        assert_eq!(ledger.accept(0, generation, 7), Some(5), "a gap in the log belongs to the span");
        ledger.stop_reading(0);
        assert_eq!(ledger.accept(0, generation, 8), None);
        assert!(!ledger.is_drained(0));
        ledger.finish(Span { partition: 0, generation, from: 5, to: 8 });
        assert!(ledger.is_drained(0));
        assert_eq!(ledger.close(0), Some(8));
        assert!(ledger.stored().is_empty());
    }

    #[test]
    fn commits_are_handed_out_once() {
        let mut ledger = Ledger::default();
        let generation = ledger.open(0, 5);
        assert_eq!(ledger.take_commits(), BTreeMap::from([(0, 5)]), "lag tools see the start at once");
        assert!(ledger.take_commits().is_empty());
        ledger.accept(0, generation, 5);
        ledger.finish(Span { partition: 0, generation, from: 5, to: 6 });
        assert_eq!(ledger.take_commits(), BTreeMap::from([(0, 6)]));
    }
}
