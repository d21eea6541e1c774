//! What to do with a batch that the store did not take as a whole.
//!
//! Two questions, both pure: which half to try next when one of its rows is bad ([`split`]), and what is left
//! of it when the store turns out to be elsewhere than the batch begins ([`reconcile`]). Neither loses or
//! repeats an offset: the spans of the answer join to the span of the question.

use std::collections::BTreeMap;

use milena_domain::record::Placed;

use crate::batch::{Batch, Part};
use crate::ledger::{Generation, Span};

/// A batch in two, or what cannot be divided.
#[derive(Debug)]
pub(crate) enum Split {
    /// Both have events; the first must be stored before the second.
    Halves(Batch, Batch),
    /// One event is left: it is the bad one. The batch without it still has to advance.
    Single {
        /// Where the event came from.
        partition: i32,
        event: Box<Placed>,
        rest: Batch,
    },
    /// No event at all: the fault is not in the data.
    Nothing,
}

/// Divides the events of `batch` in the middle.
pub(crate) fn split(mut batch: Batch) -> Split {
    match batch.events() {
        0 => Split::Nothing,
        1 => {
            for (&partition, part) in &mut batch.parts {
                if let Some(event) = part.events.pop() {
                    return Split::Single { partition, event: Box::new(event), rest: batch };
                }
            }
            Split::Nothing
        }
        events => {
            let mut room = events / 2;
            let (mut first, mut second) = (Batch::default(), Batch::default());
            for (partition, part) in batch.parts {
                if part.events.len() <= room {
                    room -= part.events.len();
                    first.parts.insert(partition, part);
                } else if room == 0 {
                    second.parts.insert(partition, part);
                } else {
                    let (head, tail) = cut(part, room);
                    room = 0;
                    first.parts.insert(partition, head);
                    second.parts.insert(partition, tail);
                }
            }
            Split::Halves(first, second)
        }
    }
}

/// Cuts behind the first `events` events (at least one, less than all).
fn cut(mut part: Part, events: usize) -> (Part, Part) {
    let tail_events = part.events.split_off(events);
    let middle = part.events.last().map_or(part.from, |placed| placed.position.offset() + 1);
    let (dead, tail_dead) = part.dead.into_iter().partition(|letter| letter.original.offset < middle);
    let head = Part { generation: part.generation, from: part.from, to: middle, events: part.events, dead };
    let tail =
        Part { generation: part.generation, from: middle, to: part.to, events: tail_events, dead: tail_dead };
    (head, tail)
}

/// A batch compared with what the store has.
#[derive(Debug, Default)]
pub(crate) struct Reconciled {
    /// Still to be written: the store is exactly where these begin.
    pub(crate) left: Batch,
    /// Already in the store, for example because the answer to our own commit was lost.
    pub(crate) done: Vec<Span>,
    /// Events of these.
    pub(crate) done_events: usize,
    /// The store is elsewhere, because another consumer writes the partition: dropped.
    pub(crate) moved: Vec<Moved>,
}

/// A partition whose store offset is not where we thought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Moved {
    pub(crate) partition: i32,
    /// Of the records that were dropped.
    pub(crate) generation: Generation,
    /// The store's next offset, from which to read on.
    pub(crate) next: i64,
}

/// Compares `batch` with the store's next offsets. A partition that the store has no row of begins anywhere.
pub(crate) fn reconcile(batch: Batch, stored: &BTreeMap<i32, i64>) -> Reconciled {
    let mut answer = Reconciled::default();
    for (partition, part) in batch.parts {
        match stored.get(&partition) {
            None => drop(answer.left.parts.insert(partition, part)),
            Some(&next) if next == part.from => drop(answer.left.parts.insert(partition, part)),
            Some(&next) if next == part.to => {
                answer.done_events += part.events.len();
                answer.done.push(Span {
                    partition,
                    generation: part.generation,
                    from: part.from,
                    to: part.to,
                });
            }
            Some(&next) => answer.moved.push(Moved { partition, generation: part.generation, next }),
        }
    }
    answer
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use milena_domain::Epoch;
    use proptest::prelude::*;

    use super::*;
    use crate::batch::tests::record;
    use crate::batch::{Limits, OpenBatch};

    fn batch(records: &[(i32, bool)]) -> Batch {
        let limits = Limits { rows: usize::MAX, bytes: usize::MAX, age: Duration::MAX, idle: Duration::MAX };
        let mut open = OpenBatch::new(limits, Epoch::FIRST);
        let mut next = BTreeMap::<i32, i64>::new();
        for &(partition, good) in records {
            let offset = next.entry(partition).or_default();
            open.push(record(partition, *offset, 1, good), *offset, Instant::now()).unwrap();
            *offset += 1;
        }
        open.take()
    }

    /// Splits until only single rows are left; answers the rows met, in order.
    fn exhaust(batch: Batch, frontier: &mut BTreeMap<i32, i64>) -> Vec<(i32, i64)> {
        match split(batch) {
            Split::Halves(first, second) => {
                assert!(first.events() > 0 && second.events() > 0);
                let mut rows = exhaust(first, frontier);
                rows.extend(exhaust(second, frontier));
                rows
            }
            Split::Single { partition, event, rest } => {
                for span in rest.spans() {
                    let reached = frontier.entry(span.partition).or_default();
                    assert_eq!(span.from, *reached, "no offset is skipped or repeated");
                    *reached = span.to;
                }
                vec![(partition, event.position.offset())]
            }
            Split::Nothing => panic!("a half without rows"),
        }
    }

    proptest! {
        #[test]
        fn bisection_meets_every_row_once_and_covers_every_offset(
            records in prop::collection::vec((0_i32..4, any::<bool>()), 1..100)
        ) {
            let whole = batch(&records);
            prop_assume!(whole.events() > 0);
            let expected: Vec<_> = whole
                .parts
                .iter()
                .flat_map(|(&partition, part)| {
                    part.events.iter().map(move |placed| (partition, placed.position.offset()))
                })
                .collect();
            let ends: BTreeMap<_, _> = whole.spans().map(|span| (span.partition, span.to)).collect();
            let mut frontier = BTreeMap::new();
            prop_assert_eq!(exhaust(whole, &mut frontier), expected);
            prop_assert_eq!(frontier, ends);
        }
    }

    #[test]
    fn reconciling_keeps_only_what_begins_where_the_store_is() {
        let whole = batch(&[(0, true), (1, true), (1, true), (2, true), (3, true)]);
        let answer = reconcile(whole, &BTreeMap::from([(0, 0), (1, 2), (2, 7)]));
        assert_eq!(answer.left.parts.keys().copied().collect::<Vec<_>>(), [0, 3]);
        assert_eq!(answer.done, [Span { partition: 1, generation: 1, from: 0, to: 2 }]);
        assert_eq!(answer.moved, [Moved { partition: 2, generation: 1, next: 7 }]);
    }

    #[test]
    fn nothing_to_blame() {
        assert!(matches!(split(batch(&[(0, false)])), Split::Nothing));
    }
}
