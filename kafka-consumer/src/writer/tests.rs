//! The writer against a store and a log that fail on command.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex};

use milena_domain::record::Placed;
use milena_storage::{StorageError, WriteBatch};
use proptest::prelude::*;
use sea_orm::DbErr;

use super::*;
use crate::batch::tests::record;
use crate::batch::{Limits, OpenBatch};
use crate::record::RawRecord;

/// Partition `p` has the offsets from `p * STRIDE`, so that a row tells its partition.
const STRIDE: i64 = 10_000;

#[derive(Debug, Clone)]
enum Fault {
    /// Refused for the time being.
    Transient,
    /// Committed, but the answer is lost.
    LostAnswer,
    /// Another consumer has written the partition some way on.
    Stolen { partition: i32, records: i64 },
}

/// A store with the rules of the real one, which fails on command.
#[derive(Debug, Default)]
struct Inner {
    next: BTreeMap<i32, i64>,
    rows: BTreeSet<i64>,
    poison: BTreeSet<i64>,
    /// What the store has had for longer than its record claims.
    said_long_ago: BTreeSet<i64>,
    faults: VecDeque<Fault>,
    published: Vec<i64>,
    /// What the topic has now.
    partitions: usize,
    /// Transactions at once, when there is anything.
    at_once: usize,
    /// What another consumer wrote.
    elsewhere: BTreeSet<i64>,
}

#[derive(Debug, Clone, Default)]
struct Fake(Arc<Mutex<Inner>>);

fn down() -> DbErr {
    DbErr::Custom("down".into())
}

impl Sink for Fake {
    async fn write(&self, batch: &WriteBatch) -> Result<WriteReport, WriteError> {
        let mut inner = self.0.lock().unwrap();
        let fault = inner.faults.pop_front();
        match fault {
            Some(Fault::Transient) => return Err(WriteError::Transient(down())),
            Some(Fault::Stolen { partition, records }) => {
                let next = inner.next.entry(partition).or_insert(i64::from(partition) * STRIDE);
                let stolen = *next..*next + records;
                *next += records;
                inner.elsewhere.extend(stolen);
            }
            Some(Fault::LostAnswer) | None => {}
        }
        for advance in &batch.advances {
            let found = inner.next.get(&advance.partition).copied().unwrap_or(advance.from);
            if found != advance.from {
                let (partition, expected) = (advance.partition, advance.from);
                return Err(WriteError::Fenced { partition, expected, found });
            }
        }
        let offsets: Vec<i64> = batch.events.iter().map(|row| row.position.offset()).collect();
        if offsets.iter().any(|offset| inner.poison.contains(offset)) {
            return Err(WriteError::Permanent(down()));
        }
        let is_false = |placed: &&Placed| inner.said_long_ago.contains(&placed.position.offset());
        if let Some(Placed { position, event }) = batch.events.iter().find(is_false) {
            let (conversation, position) = (event.conversation, *position);
            return Err(WriteError::FalseProof { conversation, position });
        }
        for advance in &batch.advances {
            inner.next.insert(advance.partition, advance.to);
        }
        for offset in &offsets {
            let partition = offset / STRIDE * STRIDE;
            let later = inner.rows.range(offset + 1..partition + STRIDE).next();
            assert_eq!(later, None, "offset {offset} is judged after it");
            assert!(inner.rows.insert(*offset), "offset {offset} is written twice");
        }
        if matches!(fault, Some(Fault::LostAnswer)) {
            return Err(WriteError::Transient(down()));
        }
        Ok(WriteReport { inserted: offsets.len() as u64, repeats: 0, void: 0 })
    }

    fn at_once(&self, _events: usize) -> usize {
        self.0.lock().unwrap().at_once
    }

    async fn log_position(&self, _topic: &str) -> Result<LogPosition, StorageError> {
        let next_offsets = self.0.lock().unwrap().next.clone();
        Ok(LogPosition { epoch: Epoch::FIRST, next_offsets })
    }
}

impl DeadLetters for Fake {
    async fn publish(&self, letters: Vec<DeadLetter>) {
        let offsets = letters.iter().map(|letter| letter.original.offset);
        self.0.lock().unwrap().published.extend(offsets);
    }

    async fn partitions(&self) -> usize {
        self.0.lock().unwrap().partitions
    }

    async fn original(&self, partition: i32, event: &Placed) -> RawRecord {
        let offset = event.position.offset();
        RawRecord { partition, offset, timestamp_ms: None, key: None, value: None, headers: None }
    }
}

fn batch_of(records: &[(i32, bool)]) -> Batch {
    let limits = Limits { rows: usize::MAX, bytes: usize::MAX, age: Duration::MAX, idle: Duration::MAX };
    let mut open = OpenBatch::new(limits, Epoch::FIRST);
    let mut next = BTreeMap::<i32, i64>::new();
    for &(partition, good) in records {
        let offset = next.entry(partition).or_insert(i64::from(partition) * STRIDE);
        open.push(record(partition, *offset, 1, good), *offset, Instant::now()).unwrap();
        *offset += 1;
    }
    open.take()
}

fn write(fake: &Fake, batch: Batch) -> Result<Outcome, ConsumerError> {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    let mut writer = Writer::new(fake.clone(), fake.clone(), "t".into(), Epoch::FIRST, Health::default());
    runtime.block_on(writer.write(batch))
}

fn faults() -> impl Strategy<Value = Vec<Fault>> {
    let fault = prop_oneof![
        3 => Just(Fault::Transient),
        2 => Just(Fault::LostAnswer),
        1 => (0_i32..3, 1_i64..30).prop_map(|(partition, records)| Fault::Stolen { partition, records }),
    ];
    prop::collection::vec(fault, 0..8)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// Whatever fails and whoever interferes: each record is stored or dead once, by us or by the other; no
    /// partition's offset stands before or behind what is stored of it.
    #[test]
    fn every_record_ends_in_exactly_one_place(
        records in prop::collection::vec((0_i32..3, prop::bool::weighted(0.9)), 1..80),
        poison in prop::collection::btree_set((0_i32..3, 0_i64..30), 0..4),
        said_long_ago in prop::collection::btree_set((0_i32..3, 0_i64..30), 0..4),
        faults in faults(),
        at_once in 0_usize..4,
    ) {
        let fake = Fake::default();
        let batch = batch_of(&records);
        let ends: BTreeMap<i32, (i64, i64)> =
            batch.spans().map(|span| (span.partition, (span.from, span.to))).collect();
        let unreadable: BTreeSet<i64> = batch
            .parts
            .values()
            .flat_map(|part| part.dead.iter().map(|letter| letter.original.offset))
            .collect();
        {
            let mut inner = fake.0.lock().unwrap();
            let offsets = |places: &BTreeSet<(i32, i64)>| -> BTreeSet<i64> {
                places.iter().map(|(p, n)| i64::from(*p) * STRIDE + n).collect()
            };
            (inner.poison, inner.said_long_ago) = (offsets(&poison), offsets(&said_long_ago));
            inner.faults = faults.iter().cloned().collect();
            inner.at_once = at_once;
            inner.next = ends.iter().map(|(&partition, &(from, _))| (partition, from)).collect();
        }
        let is_alone = !faults.iter().any(|fault| matches!(fault, Fault::Stolen { .. }));
        let outcome = write(&fake, batch).unwrap();
        let inner = fake.0.lock().unwrap();
        if is_alone {
            let counted = outcome.inserted + outcome.unanswered;
            prop_assert_eq!(counted, inner.rows.len() as u64, "each is counted, answered or not");
        }
        let moved: BTreeSet<i32> = outcome.moved.iter().map(|moved| moved.partition).collect();
        for (&partition, &(from, to)) in &ends {
            let next = inner.next[&partition];
            // The other consumer may have gone on where our part was finished already.
            prop_assert!(moved.contains(&partition) || next >= to);
            for offset in from..next.min(to) {
                let stored = inner.rows.contains(&offset);
                let published = inner.published.contains(&offset);
                let elsewhere = inner.elsewhere.contains(&offset);
                prop_assert!(stored || published || elsewhere, "offset {} is lost", offset);
                prop_assert!(!(stored && elsewhere), "offset {} is stored twice", offset);
                prop_assert!(!(stored && unreadable.contains(&offset)));
                let refused = inner.poison.contains(&offset) || inner.said_long_ago.contains(&offset);
                prop_assert!(!stored || !refused);
            }
        }
        let mut published = inner.published.clone();
        published.sort_unstable();
        published.dedup();
        prop_assert_eq!(published.len(), inner.published.len(), "no letter goes out twice");
        for offset in &inner.published {
            let refused = inner.poison.contains(offset) || inner.said_long_ago.contains(offset);
            let bad = unreadable.contains(offset) || refused;
            prop_assert!(bad, "a good one was given away");
        }
    }
}

#[test]
fn one_bad_row_among_many_is_found() {
    let fake = Fake::default();
    fake.0.lock().unwrap().poison = BTreeSet::from([STRIDE + 333]);
    let outcome = write(&fake, batch_of(&vec![(1, true); 1_000])).unwrap();
    assert_eq!((outcome.inserted, outcome.dead), (999, 1));
    assert_eq!(fake.0.lock().unwrap().published, [STRIDE + 333]);
    assert!(outcome.transactions <= 12, "{} transactions", outcome.transactions);
}

#[test]
fn a_false_proof_is_given_away_at_once_and_the_rest_is_stored_in_order() {
    let fake = Fake::default();
    fake.0.lock().unwrap().said_long_ago = BTreeSet::from([STRIDE + 3, STRIDE + 700]);
    let outcome = write(&fake, batch_of(&vec![(1, true); 1_000])).unwrap();
    assert_eq!((outcome.inserted, outcome.dead, outcome.transactions), (998, 2, 1));
    assert_eq!(fake.0.lock().unwrap().published, [STRIDE + 3, STRIDE + 700]);
}

#[test]
fn a_topic_of_garbage_is_not_drained() {
    let fake = Fake::default();
    let error = write(&fake, batch_of(&vec![(0, false); 1_000])).unwrap_err();
    assert!(matches!(error, ConsumerError::TooManyDead { .. }));
    assert!(fake.0.lock().unwrap().published.is_empty());
}

#[test]
fn an_answer_that_was_lost_is_found_in_the_store() {
    let fake = Fake::default();
    fake.0.lock().unwrap().faults = VecDeque::from([Fault::LostAnswer]);
    let outcome = write(&fake, batch_of(&[(0, true), (1, true)])).unwrap();
    assert_eq!(outcome.done.len(), 2);
    assert!(outcome.moved.is_empty());
    assert_eq!((outcome.inserted, outcome.unanswered, outcome.retries), (0, 2, 1));
}

#[test]
fn what_another_consumer_wrote_is_not_counted_as_ours() {
    let fake = Fake::default();
    {
        let mut inner = fake.0.lock().unwrap();
        inner.faults = VecDeque::from([Fault::Stolen { partition: 0, records: 1 }]);
        inner.next = BTreeMap::from([(0, 0), (1, STRIDE)]);
    }
    let outcome = write(&fake, batch_of(&[(0, true), (1, true)])).unwrap();
    assert_eq!((outcome.inserted, outcome.unanswered, outcome.fenced), (1, 0, 1));
}
