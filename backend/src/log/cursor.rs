//! One delivery cursor a partition, fed by two sources.
//!
//! A record reaches this node twice: as the confirmation of its own producer, if it sent the record, and
//! through the tail. Whichever comes first at the *next* offset is delivered; a confirmation further ahead is
//! parked until the records before it were delivered; everything behind the cursor is skipped. So each record
//! is delivered once, in the order of the log, as early as that order allows. Pure: no I/O, property-tested.

use std::collections::BTreeMap;

/// The cursor of one partition. `T` is what a confirmation carries.
#[derive(Debug)]
pub struct PartitionCursor<T> {
    next: i64,
    /// Confirmed by our producer but further ahead. Bounded by the producer's limit of unanswered sends.
    parked: BTreeMap<i64, T>,
}

impl<T> PartitionCursor<T> {
    /// A cursor that expects `next` first.
    #[must_use]
    pub const fn new(next: i64) -> Self {
        Self { next, parked: BTreeMap::new() }
    }

    /// The offset that is delivered next.
    #[must_use]
    pub const fn next(&self) -> i64 {
        self.next
    }

    /// Our producer's record was confirmed at `offset`. It may become the answer of [`Self::take_ready`].
    pub fn confirmed(&mut self, offset: i64, item: T) {
        if offset >= self.next {
            self.parked.insert(offset, item);
        }
    }

    /// The parked record that is due now. Call until `None`.
    pub fn take_ready(&mut self) -> Option<(i64, T)> {
        let item = self.parked.remove(&self.next)?;
        let offset = self.next;
        self.next += 1;
        Some((offset, item))
    }

    /// The tail read `offset`: whether to deliver it now. Offsets that the tail jumps over do not exist.
    #[must_use = "a record behind the cursor was delivered before"]
    pub fn tailed(&mut self, offset: i64) -> bool {
        if offset < self.next {
            return false;
        }
        self.advance_to(offset + 1);
        true
    }

    /// The tail has read everything before `offset` (the end of the partition).
    pub fn advance_to(&mut self, offset: i64) {
        if offset > self.next {
            self.next = offset;
            self.parked = self.parked.split_off(&offset);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Feeds a log of `count` records in which `ours` were sent by this node: the tail brings all in order,
    /// the confirmations come in offset order too, and `schedule` says which source is next.
    fn deliveries(count: i64, ours: &[i64], schedule: &[bool]) -> Vec<i64> {
        let mut cursor = PartitionCursor::new(0);
        let mut delivered = Vec::new();
        let mut confirmations = ours.iter().copied().collect::<std::collections::VecDeque<_>>();
        let mut tail = (0..count).collect::<std::collections::VecDeque<_>>();
        let mut schedule = schedule.iter().copied().chain(std::iter::repeat(false));
        while !tail.is_empty() || !confirmations.is_empty() {
            let confirmation = schedule.next() == Some(true) || tail.is_empty();
            if confirmation {
                if let Some(offset) = confirmations.pop_front() {
                    cursor.confirmed(offset, ());
                }
            } else if let Some(offset) = tail.pop_front()
                && cursor.tailed(offset)
            {
                delivered.push(offset);
            }
            while let Some((offset, ())) = cursor.take_ready() {
                delivered.push(offset);
            }
        }
        delivered
    }

    proptest! {
        #[test]
        fn each_record_once_and_in_order(
            flags in prop::collection::vec(any::<bool>(), 0..60),
            schedule in prop::collection::vec(any::<bool>(), 0..160),
        ) {
            let count = flags.len() as i64;
            let ours: Vec<i64> = (0..count).filter(|offset| flags[*offset as usize]).collect();
            prop_assert_eq!(deliveries(count, &ours, &schedule), (0..count).collect::<Vec<_>>());
        }
    }

    #[test]
    fn a_confirmation_at_the_next_offset_does_not_wait_for_the_tail() {
        let mut cursor = PartitionCursor::new(7);
        cursor.confirmed(8, "second");
        assert_eq!(cursor.take_ready(), None);
        cursor.confirmed(7, "first");
        assert_eq!(cursor.take_ready(), Some((7, "first")));
        assert_eq!(cursor.take_ready(), Some((8, "second")));
        assert!(!cursor.tailed(7) && !cursor.tailed(8) && cursor.tailed(9));
    }

    #[test]
    fn offsets_that_do_not_exist_are_jumped_over() {
        let mut cursor = PartitionCursor::new(0);
        cursor.confirmed(3, "parked");
        assert!(cursor.tailed(5));
        assert_eq!((cursor.next(), cursor.take_ready()), (6, None));
        cursor.confirmed(4, "too late");
        assert!(cursor.parked.is_empty(), "what is behind the cursor is not kept");
    }
}
