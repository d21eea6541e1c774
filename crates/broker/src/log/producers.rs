//! What a partition remembers of idempotent producers, so that a repeated batch is recognised and a gap
//! refused.
//!
//! Pure: batches go in, verdicts come out. The state is a function of the batches in the log and survives a
//! restart as a snapshot plus the batches behind it. Bounded: the least recently active producers are
//! forgotten, after which such a producer may go on with any sequence, as on Apache Kafka.

use std::collections::{HashMap, VecDeque};

use serde::{Deserialize, Serialize};

use super::batch::BatchHeader;

/// As many batches as a client may have in flight while it relies on idempotence.
const REMEMBERED_BATCHES: usize = 5;
const MAX_PRODUCERS: usize = 10_000;

/// What to do with a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    Append,
    /// It is in the log already, at these offsets.
    Duplicate {
        first_offset: i64,
        next_offset: i64,
    },
    /// A batch before it is missing.
    OutOfOrder,
    /// A newer instance of this producer is at work.
    OldEpoch,
}

/// A batch that was appended.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Appended {
    first_sequence: i32,
    last_sequence: i32,
    first_offset: i64,
    next_offset: i64,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Producer {
    epoch: i16,
    /// The newest last; never empty, at most `REMEMBERED_BATCHES`.
    batches: VecDeque<Appended>,
}

/// The producers of one partition.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Producers(HashMap<i64, Producer>);

impl Producers {
    /// Judges a batch that wants to be appended. Changes nothing.
    pub(crate) fn judge(&self, batch: &BatchHeader) -> Verdict {
        if !batch.is_idempotent() {
            return Verdict::Append;
        }
        if batch.base_sequence < 0 || batch.producer_epoch < 0 {
            return Verdict::OutOfOrder;
        }
        let Some(known) = self.0.get(&batch.producer_id) else { return Verdict::Append };
        if batch.producer_epoch < known.epoch {
            return Verdict::OldEpoch;
        }
        if batch.producer_epoch > known.epoch {
            return if batch.base_sequence == 0 { Verdict::Append } else { Verdict::OutOfOrder };
        }
        let last_sequence = last_sequence(batch);
        let repeated =
            |old: &&Appended| old.first_sequence == batch.base_sequence && old.last_sequence == last_sequence;
        if let Some(old) = known.batches.iter().find(repeated) {
            return Verdict::Duplicate { first_offset: old.first_offset, next_offset: old.next_offset };
        }
        match known.batches.back() {
            Some(newest) if advance(newest.last_sequence, 1) != batch.base_sequence => Verdict::OutOfOrder,
            _ => Verdict::Append,
        }
    }

    /// Takes note of a batch that is in the log, with its real offset.
    pub(crate) fn note(&mut self, batch: &BatchHeader) {
        if !batch.is_idempotent() {
            return;
        }
        if self.0.len() >= MAX_PRODUCERS && !self.0.contains_key(&batch.producer_id) {
            self.forget_oldest();
        }
        let producer = self
            .0
            .entry(batch.producer_id)
            .or_insert_with(|| Producer { epoch: batch.producer_epoch, batches: VecDeque::new() });
        if producer.epoch != batch.producer_epoch {
            producer.epoch = batch.producer_epoch;
            producer.batches.clear();
        }
        if producer.batches.len() == REMEMBERED_BATCHES {
            producer.batches.pop_front();
        }
        producer.batches.push_back(Appended {
            first_sequence: batch.base_sequence,
            last_sequence: last_sequence(batch),
            first_offset: batch.base_offset,
            next_offset: batch.next_offset(),
        });
    }

    /// Forgets a tenth at a time, so that the search for the oldest is rare.
    fn forget_oldest(&mut self) {
        let newest_offset =
            |producer: &Producer| producer.batches.back().map_or(0, |batch| batch.next_offset);
        let mut ages: Vec<_> = self.0.iter().map(|(&id, producer)| (newest_offset(producer), id)).collect();
        ages.sort_unstable();
        for (_, id) in ages.into_iter().take(MAX_PRODUCERS / 10) {
            self.0.remove(&id);
        }
    }
}

fn last_sequence(batch: &BatchHeader) -> i32 {
    advance(batch.base_sequence, batch.last_offset_delta)
}

/// Sequences go from 0 to `i32::MAX` and begin again.
fn advance(sequence: i32, by: i32) -> i32 {
    ((i64::from(sequence) + i64::from(by)) % (i64::from(i32::MAX) + 1)) as i32
}

#[cfg(test)]
mod tests {
    use super::super::batch::sample::Sample;
    use super::*;
    use proptest::prelude::*;

    fn batch(base_sequence: i32, records: i32, epoch: i16, offset: i64) -> BatchHeader {
        let sample =
            Sample { records, producer_id: 7, producer_epoch: epoch, base_sequence, ..Sample::default() };
        let mut header = BatchHeader::verify(&sample.build()).expect("sound");
        header.base_offset = offset;
        header
    }

    #[test]
    fn duplicates_gaps_and_old_epochs() {
        let mut producers = Producers::default();
        producers.note(&batch(0, 3, 0, 100));
        assert_eq!(
            producers.judge(&batch(0, 3, 0, 0)),
            Verdict::Duplicate { first_offset: 100, next_offset: 103 }
        );
        assert_eq!(producers.judge(&batch(3, 1, 0, 0)), Verdict::Append);
        assert_eq!(producers.judge(&batch(4, 1, 0, 0)), Verdict::OutOfOrder);
        assert_eq!(producers.judge(&batch(1, 1, 1, 0)), Verdict::OutOfOrder);
        producers.note(&batch(0, 1, 1, 103));
        assert_eq!(producers.judge(&batch(3, 1, 0, 0)), Verdict::OldEpoch);
    }

    #[test]
    fn the_sequence_wraps() {
        let mut producers = Producers::default();
        producers.note(&batch(i32::MAX - 1, 3, 0, 0));
        assert_eq!(producers.judge(&batch(1, 1, 0, 0)), Verdict::Append);
    }

    #[test]
    fn the_number_of_producers_is_bounded() {
        let mut producers = Producers::default();
        for id in 0..MAX_PRODUCERS as i64 + 50 {
            producers.note(&BatchHeader { producer_id: id, base_offset: id, ..batch(0, 1, 0, 0) });
        }
        assert!(producers.0.len() <= MAX_PRODUCERS);
        assert!(!producers.0.contains_key(&0) && producers.0.contains_key(&(MAX_PRODUCERS as i64 + 49)));
    }

    proptest! {
        /// However a client repeats any of its last five batches, the log holds each batch once and in order.
        #[test]
        fn retries_never_duplicate_or_reorder(
            choices in proptest::collection::vec((1..20_i32, 0..5_usize), 1..60),
        ) {
            let mut producers = Producers::default();
            let mut sent: Vec<(i32, i32, i64)> = Vec::new();
            let (mut sequence, mut offset) = (0, 0);
            for (records, back) in choices {
                let new = batch(sequence, records, 0, offset);
                prop_assert_eq!(producers.judge(&new), Verdict::Append);
                producers.note(&new);
                sent.push((sequence, records, offset));
                sequence = advance(sequence, records);
                offset += i64::from(records);
                let repeated = sent.len().checked_sub(back + 1).and_then(|i| sent.get(i));
                if let Some(&(sequence, records, at)) = repeated {
                    let next_offset = at + i64::from(records);
                    let expected = Verdict::Duplicate { first_offset: at, next_offset };
                    prop_assert_eq!(producers.judge(&batch(sequence, records, 0, 0)), expected);
                }
                prop_assert_eq!(producers.judge(&batch(advance(sequence, 1), 1, 0, 0)), Verdict::OutOfOrder);
            }
        }
    }
}
