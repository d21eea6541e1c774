//! The bound in bytes: what the store has goes first, then the oldest of what it does not have.

use super::Recent;
use super::partition::PartitionMemory;

impl Recent {
    pub(super) fn evict(&mut self) {
        while self.bytes > self.limit_bytes {
            let oldest = |stored_only: bool| {
                let oldest_of = |(partition, memory): (usize, &PartitionMemory)| {
                    let (arrival, stored) = memory.oldest()?;
                    (stored || !stored_only).then_some((arrival, partition))
                };
                self.partitions.iter().enumerate().filter_map(oldest_of).min()
            };
            let Some((_, partition)) = oldest(true).or_else(|| oldest(false)) else { return };
            self.evict_first_of(partition);
        }
    }

    fn evict_first_of(&mut self, partition: usize) {
        let Some(delivered) = self.partitions[partition].evict() else { return };
        self.covers_since_ms = self.covers_since_ms.max(delivered.at_ms);
        self.bytes -= delivered.bytes();
        let id = delivered.event().id;
        // What was never judged, or does not count, is not the one of its id.
        if self.by_id.get(&id).is_some_and(|first| std::sync::Arc::ptr_eq(first, &delivered)) {
            self.by_id.remove(&id);
        }
        self.conversations.remove(&delivered);
    }
}
