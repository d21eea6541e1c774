//! Records gathered for one transaction.
//!
//! A batch closes on rows, on bytes, when its *first* record is old enough, or when nothing has come after
//! its *last* one for a while: a quiet topic causes no writes, the age bounds the latency exactly, and
//! whoever waits for the end of a load does not wait for the age. Nothing is lost on the way and the order
//! within a partition is kept. Pure: the time is handed in.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use milena_domain::record::Placed;
use milena_domain::{ConversationId, Epoch, Position};
use milena_storage::{OffsetAdvance, WriteBatch};

use crate::ledger::{Generation, Span};
use crate::record::{Content, DeadLetter, Newer, Record};

/// When a batch is full; whatever is met first.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    pub(crate) rows: usize,
    pub(crate) bytes: usize,
    pub(crate) age: Duration,
    /// Without a further record.
    pub(crate) idle: Duration,
}

/// One partition's share of a batch: the span it covers and what was found there.
#[derive(Debug, Clone)]
pub(crate) struct Part {
    pub(crate) generation: Generation,
    pub(crate) from: i64,
    pub(crate) to: i64,
    /// In offset order.
    pub(crate) events: Vec<Placed>,
    /// In offset order.
    pub(crate) dead: Vec<DeadLetter>,
}

/// A closed batch, or a piece of one.
#[derive(Debug, Clone, Default)]
pub(crate) struct Batch {
    pub(crate) parts: BTreeMap<i32, Part>,
}

impl Batch {
    /// Events to store.
    pub(crate) fn events(&self) -> usize {
        self.parts.values().map(|part| part.events.len()).sum()
    }

    /// Records to give away.
    pub(crate) fn dead(&self) -> usize {
        self.parts.values().map(|part| part.dead.len()).sum()
    }

    /// Takes one event out; the spans stay as they are.
    pub(crate) fn remove(
        &mut self,
        conversation: ConversationId,
        position: Position,
    ) -> Option<(i32, Placed)> {
        self.parts.iter_mut().find_map(|(&partition, part)| {
            let is_it =
                |placed: &Placed| placed.event.conversation == conversation && placed.position == position;
            let at = part.events.iter().position(is_it)?;
            Some((partition, part.events.remove(at)))
        })
    }

    /// In `count` pieces of about as many events each, every partition whole in one of them; fewer where
    /// there are fewer partitions.
    pub(crate) fn shares(self, count: usize) -> Vec<Self> {
        let mut parts: Vec<_> = self.parts.into_iter().collect();
        parts.sort_by_key(|(_, part)| std::cmp::Reverse(part.events.len()));
        let mut pieces: Vec<Self> = Vec::new();
        pieces.resize_with(count.min(parts.len()), Self::default);
        for (partition, part) in parts {
            if let Some(lightest) = pieces.iter_mut().min_by_key(|piece| (piece.events(), piece.parts.len()))
            {
                lightest.parts.insert(partition, part);
            }
        }
        pieces
    }

    /// The spans that are finished once this batch is.
    pub(crate) fn spans(&self) -> impl Iterator<Item = Span> + '_ {
        self.parts.iter().map(|(&partition, part)| Span {
            partition,
            generation: part.generation,
            from: part.from,
            to: part.to,
        })
    }

    /// The batch as the store takes it. The events move; [`Batch::put_back`] undoes it. Offsets below those
    /// in `settled` have been passed before, by partition: they are not passed again.
    pub(crate) fn lend(&mut self, topic: &str, epoch: Epoch, settled: &BTreeMap<i32, i64>) -> Lent {
        let mut events = Vec::with_capacity(self.events());
        let mut advances = Vec::with_capacity(self.parts.len());
        let mut counts = Vec::with_capacity(self.parts.len());
        for (&partition, part) in &mut self.parts {
            counts.push(part.events.len());
            events.append(&mut part.events);
            let from = settled.get(&partition).map_or(part.from, |&settled| part.from.max(settled));
            if from < part.to {
                advances.push(OffsetAdvance { partition, from, to: part.to });
            }
        }
        Lent { write: WriteBatch { topic: topic.to_owned(), epoch, events, advances }, counts }
    }

    /// Takes the events back after the store did not want them.
    pub(crate) fn put_back(&mut self, lent: Lent) {
        let mut events = lent.write.events.into_iter();
        for (part, count) in self.parts.values_mut().zip(lent.counts) {
            part.events.extend(events.by_ref().take(count));
        }
    }
}

/// What [`Batch::lend`] gives away: the store's form, and how many events each partition has in it.
#[derive(Debug)]
pub(crate) struct Lent {
    pub(crate) write: WriteBatch,
    counts: Vec<usize>,
}

/// The batch that is being filled.
#[derive(Debug)]
pub(crate) struct OpenBatch {
    limits: Limits,
    epoch: Epoch,
    batch: Batch,
    /// Of each partition in `batch`, so that one that goes takes its share of the limits along.
    shares: BTreeMap<i32, Share>,
    records: usize,
    bytes: usize,
}

/// What one partition has in the open batch.
#[derive(Debug, Clone, Copy)]
struct Share {
    records: usize,
    bytes: usize,
    /// When its first and its last record came.
    first: Instant,
    last: Instant,
}

impl OpenBatch {
    pub(crate) fn new(limits: Limits, epoch: Epoch) -> Self {
        Self { limits, epoch, batch: Batch::default(), shares: BTreeMap::new(), records: 0, bytes: 0 }
    }

    /// Adds a record whose span begins at `from` (the ledger's answer).
    ///
    /// # Errors
    /// What a newer program wrote belongs to no batch; nothing was changed.
    pub(crate) fn push(&mut self, record: Record, from: i64, now: Instant) -> Result<(), Newer> {
        let found = match record.content {
            Content::Event(event) => Ok(event),
            Content::Rejected(dead_letter) => Err(dead_letter),
            Content::Newer(newer) => return Err(newer),
        };
        self.records += 1;
        self.bytes += record.bytes;
        let fresh = Share { records: 0, bytes: 0, first: now, last: now };
        let share = self.shares.entry(record.partition).or_insert(fresh);
        share.records += 1;
        share.bytes += record.bytes;
        share.last = now;
        let part = self.batch.parts.entry(record.partition).or_insert_with(|| Part {
            generation: record.generation,
            from,
            to: from,
            events: Vec::new(),
            dead: Vec::new(),
        });
        part.to = record.offset + 1;
        match found {
            Ok(event) => {
                let position = Position::new(self.epoch, record.offset);
                part.events.push(Placed { position, event });
            }
            Err(dead_letter) => part.dead.push(*dead_letter),
        }
        Ok(())
    }

    /// Forgets what was gathered of `partition`: somebody else stores it, or it will be read again.
    pub(crate) fn drop_partition(&mut self, partition: i32) {
        self.batch.parts.remove(&partition);
        if let Some(share) = self.shares.remove(&partition) {
            self.records -= share.records;
            self.bytes -= share.bytes;
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.batch.parts.is_empty()
    }

    /// Whether it must not grow any more.
    pub(crate) fn is_full(&self) -> bool {
        self.records >= self.limits.rows || self.bytes >= self.limits.bytes
    }

    /// When it is to be written even if it is not full.
    pub(crate) fn due_at(&self) -> Option<Instant> {
        let first = self.shares.values().map(|share| share.first).min()?;
        let last = self.shares.values().map(|share| share.last).max()?;
        Some((first + self.limits.age).min(last + self.limits.idle))
    }

    /// Closes it and begins a new one.
    pub(crate) fn take(&mut self) -> Batch {
        self.records = 0;
        self.bytes = 0;
        self.shares.clear();
        std::mem::take(&mut self.batch)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use milena_domain::{Body, ClientId, MessageEvent, Timestamp, UserId};
    use proptest::prelude::*;

    use super::*;
    use crate::record::RawRecord;

    /// A good or bad record of some bytes.
    pub(crate) fn record(partition: i32, offset: i64, bytes: usize, good: bool) -> Record {
        let content = if good {
            let user = |n: u128| UserId::from_uuid(uuid::Uuid::from_u128(n));
            let client_id = ClientId::new(&format!("{partition}-{offset}")).unwrap();
            let event = MessageEvent::new(
                user(1),
                user(2),
                client_id,
                Timestamp::from_unix_ms(offset),
                Body::new("x").unwrap(),
            );
            Content::Event(event.into())
        } else {
            let original =
                RawRecord { partition, offset, timestamp_ms: None, key: None, value: None, headers: None };
            Content::Rejected(Box::new(DeadLetter { original, reason: "no_value", detail: String::new() }))
        };
        Record { partition, generation: 1, offset, bytes, content }
    }

    const AGE: Duration = Duration::from_millis(50);

    #[test]
    fn a_batch_is_due_when_it_is_old_or_nothing_more_comes() {
        let ms = Duration::from_millis;
        let mut open =
            OpenBatch::new(Limits { rows: 100, bytes: 1_000, age: AGE, idle: ms(20) }, Epoch::FIRST);
        let began = Instant::now();
        for (offset, after_ms, due_ms) in [(0, 0, 20), (1, 15, 35), (2, 29, 49), (3, 31, 50), (4, 49, 50)] {
            open.push(record(0, offset, 1, true), offset, began + ms(after_ms)).unwrap();
            assert_eq!(open.due_at(), Some(began + ms(due_ms)));
        }
        open.take();
        open.push(record(0, 5, 1, true), 5, began + ms(60)).unwrap();
        assert_eq!(open.due_at(), Some(began + ms(80)), "the next one has times of its own");
    }

    fn offsets(part: &Part) -> Vec<i64> {
        let mut offsets: Vec<_> = part.events.iter().map(|row| row.position.offset()).collect();
        assert!(offsets.is_sorted(), "rows in order");
        offsets.extend(part.dead.iter().map(|letter| letter.original.offset));
        offsets.sort_unstable();
        offsets
    }

    proptest! {
        /// Whatever comes, in whatever mixture, and whenever batches close: every record is in exactly one
        /// batch, in order, spans join without a gap, and no batch is larger than its limits allow.
        #[test]
        fn nothing_is_lost_and_order_is_kept(
            arrivals in prop::collection::vec((0_i32..4, 1_usize..50, any::<bool>(), 0_u64..30), 0..200),
            rows in 1_usize..20,
            bytes in 1_usize..300,
        ) {
            let (age, idle) = (Duration::from_millis(50), Duration::from_millis(20));
            let limits = Limits { rows, bytes, age, idle };
            let mut open = OpenBatch::new(limits, Epoch::FIRST);
            let mut now = Instant::now();
            let mut next = BTreeMap::<i32, i64>::new();
            let mut batches = Vec::new();
            for (partition, size, good, wait_ms) in arrivals {
                now += Duration::from_millis(wait_ms);
                if open.due_at().is_some_and(|due| due <= now) {
                    batches.push(open.take());
                }
                let offset = next.entry(partition).or_default();
                open.push(record(partition, *offset, size, good), *offset, now).unwrap();
                *offset += 1;
                let is_armed = open.due_at().is_some_and(|due| now < due && due <= now + idle);
                prop_assert!(is_armed, "armed by each record");
                if open.is_full() {
                    batches.push(open.take());
                }
            }
            batches.push(open.take());
            prop_assert!(open.is_empty() && open.due_at().is_none());
            let mut seen = BTreeMap::<i32, i64>::new();
            for batch in &batches {
                prop_assert!(batch.events() + batch.dead() <= rows);
                for (&partition, part) in &batch.parts {
                    let reached = seen.entry(partition).or_default();
                    prop_assert_eq!(part.from, *reached);
                    prop_assert_eq!(offsets(part), (part.from..part.to).collect::<Vec<_>>());
                    *reached = part.to;
                }
            }
            prop_assert_eq!(seen, next);
        }
    }

    proptest! {
        /// Pieces for several transactions have each partition whole in one of them, and none has much more
        /// than its share.
        #[test]
        fn shares_have_partitions_of_their_own(
            sizes in prop::collection::vec(1_i64..40, 0..13),
            count in 1_usize..6,
        ) {
            let (rows, bytes) = (usize::MAX, usize::MAX);
            let mut open = OpenBatch::new(Limits { rows, bytes, age: AGE, idle: AGE }, Epoch::FIRST);
            for (partition, &size) in (0..).zip(&sizes) {
                for offset in 0..size {
                    open.push(record(partition, offset, 1, true), 0, Instant::now()).unwrap();
                }
            }
            let batch = open.take();
            let (whole, events) = (batch.clone(), batch.events());
            let pieces = batch.shares(count);
            prop_assert_eq!(pieces.len(), count.min(sizes.len()));
            let most = sizes.iter().max().copied().unwrap_or(0) as usize;
            prop_assert!(pieces.iter().all(|piece| piece.events() <= events / count.min(sizes.len()) + most));
            let mut together = BTreeMap::new();
            for (partition, part) in pieces.into_iter().flat_map(|piece| piece.parts) {
                let it = (part.from, part.to, offsets(&part));
                prop_assert_eq!(together.insert(partition, it), None);
            }
            let whole = whole.parts.into_iter();
            let whole = whole.map(|(partition, part)| (partition, (part.from, part.to, offsets(&part))));
            prop_assert_eq!(together, whole.collect::<BTreeMap<_, _>>());
        }
    }

    #[test]
    fn lending_and_taking_back_changes_nothing() {
        let limits = Limits { rows: 100, bytes: 1_000_000, age: AGE, idle: AGE };
        let mut open = OpenBatch::new(limits, Epoch::FIRST);
        for (partition, offset) in [(1, 0), (0, 0), (1, 1), (0, 1), (2, 0)] {
            open.push(record(partition, offset, 1, partition != 2), offset, Instant::now()).unwrap();
        }
        let mut batch = open.take();
        let before = format!("{batch:?}");
        let lent = batch.lend("t", Epoch::FIRST, &BTreeMap::new());
        assert_eq!(lent.write.events.len(), 4);
        assert_eq!(lent.write.advances.len(), 3, "a partition with nothing to store advances too");
        assert_eq!(batch.events(), 0);
        batch.put_back(lent);
        assert_eq!(format!("{batch:?}"), before);
    }

    #[test]
    fn settled_offsets_are_not_passed_again() {
        let limits = Limits { rows: 100, bytes: 1_000_000, age: AGE, idle: AGE };
        let mut open = OpenBatch::new(limits, Epoch::FIRST);
        for (partition, offset) in [(0, 0), (0, 1), (1, 0), (1, 1), (2, 0), (2, 1)] {
            open.push(record(partition, offset, 1, true), offset, Instant::now()).unwrap();
        }
        let lent = open.take().lend("t", Epoch::FIRST, &BTreeMap::from([(0, 2), (1, 1)]));
        assert_eq!(lent.write.events.len(), 6, "events are written all the same");
        let advances: Vec<_> =
            lent.write.advances.iter().map(|advance| (advance.partition, advance.from, advance.to)).collect();
        assert_eq!(advances, [(1, 1, 2), (2, 0, 2)]);
    }

    #[test]
    fn a_dropped_partition_takes_its_bytes_and_its_age_along() {
        let ms = Duration::from_millis;
        let mut open =
            OpenBatch::new(Limits { rows: 100, bytes: 1_000, age: AGE, idle: ms(20) }, Epoch::FIRST);
        let began = Instant::now();
        open.push(record(0, 0, 990, true), 0, began).unwrap();
        open.push(record(1, 0, 10, true), 0, began + ms(10)).unwrap();
        open.push(record(0, 1, 10, false), 1, began + ms(15)).unwrap();
        assert!(open.is_full());
        open.drop_partition(0);
        assert!(!open.is_full(), "10 bytes are left");
        assert_eq!(open.due_at(), Some(began + ms(30)), "as if the other had never come");
        open.push(record(1, 1, 989, true), 1, began + ms(20)).unwrap();
        assert!(!open.is_full());
        open.push(record(1, 2, 1, true), 2, began + ms(21)).unwrap();
        assert!(open.is_full());
    }

    #[test]
    fn a_dropped_partition_leaves_no_trace() {
        let limits = Limits { rows: 2, bytes: 1_000_000, age: AGE, idle: AGE };
        let mut open = OpenBatch::new(limits, Epoch::FIRST);
        open.push(record(0, 0, 1, true), 0, Instant::now()).unwrap();
        open.push(record(1, 0, 1, true), 0, Instant::now()).unwrap();
        assert!(open.is_full());
        open.drop_partition(0);
        assert!(!open.is_full() && !open.is_empty());
        open.drop_partition(1);
        assert!(open.is_empty() && open.due_at().is_none());
    }
}
