//! What memory knows of one partition: its records, how far back they reach, and how far the store is.

use std::collections::VecDeque;
use std::sync::Arc;

use super::Delivered;

#[derive(Debug)]
pub(super) struct PartitionMemory {
    /// With the number of their arrival, in log order.
    records: VecDeque<(u64, Arc<Delivered>)>,
    /// Everything at or after this offset is in `records`.
    reaches_back_to: i64,
    /// The consumer's next offset: the store has everything before.
    stored_next: i64,
    /// What stands before this offset left memory although the store did not have it then.
    lost_before: i64,
    /// The same of what may have changed whose room it is.
    lost_names_before: i64,
}

impl PartitionMemory {
    /// Empty, of a partition that is read from `next`; the store has everything before.
    pub(super) const fn new(next: i64) -> Self {
        Self {
            records: VecDeque::new(),
            reaches_back_to: next,
            stored_next: next,
            lost_before: 0,
            lost_names_before: 0,
        }
    }

    pub(super) fn push(&mut self, arrival: u64, delivered: Arc<Delivered>) {
        self.records.push_back((arrival, delivered));
    }

    /// The oldest record's arrival, and whether the store has it.
    pub(super) fn oldest(&self) -> Option<(u64, bool)> {
        let (arrival, delivered) = self.records.front()?;
        Some((*arrival, !self.is_unflushed(delivered)))
    }

    /// Drops the oldest record.
    pub(super) fn evict(&mut self) -> Option<Arc<Delivered>> {
        let (_, delivered) = self.records.pop_front()?;
        self.reaches_back_to = delivered.offset() + 1;
        if self.is_unflushed(&delivered) {
            self.lost_before = delivered.offset() + 1;
            if delivered.event().to.is_none() && !delivered.named().is_empty() {
                self.lost_names_before = self.lost_before;
            }
        }
        Some(delivered)
    }

    /// When the first record at or after `offset` arrived.
    pub(super) fn arrival_since(&self, offset: i64) -> Option<u64> {
        let place = self.records.partition_point(|(_, delivered)| delivered.offset() < offset);
        self.records.get(place).map(|(arrival, _)| *arrival)
    }

    pub(super) fn set_stored(&mut self, next_offset: i64) {
        self.stored_next = self.stored_next.max(next_offset);
    }

    pub(super) const fn stored_next(&self) -> i64 {
        self.stored_next
    }

    pub(super) const fn reaches_back_to(&self) -> i64 {
        self.reaches_back_to
    }

    /// Whether the store may not have it.
    pub(super) fn is_unflushed(&self, delivered: &Delivered) -> bool {
        delivered.offset() >= self.stored_next
    }

    /// Whether the store has everything that was delivered.
    pub(super) fn is_flushed(&self) -> bool {
        self.is_complete() && self.records.back().is_none_or(|(_, newest)| !self.is_unflushed(newest))
    }

    /// Whether store ∪ memory provably has everything that says who is in which room.
    pub(super) const fn knows_all_rooms(&self) -> bool {
        self.lost_names_before <= self.stored_next
    }

    /// Whether store ∪ memory is provably all that was delivered.
    pub(super) const fn is_complete(&self) -> bool {
        self.lost_before().is_none()
    }

    /// Before this offset, something may be neither in the store nor in memory; at or after it, nothing is.
    pub(super) const fn lost_before(&self) -> Option<i64> {
        if self.lost_before <= self.stored_next { None } else { Some(self.lost_before) }
    }
}
