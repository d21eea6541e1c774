use std::collections::{BTreeMap, BTreeSet, HashSet};

use milena_domain::record::Placed;
use milena_domain::{ConversationId, Epoch, Position, UserId, partition_of};
use milena_storage::{
    ConversationKind, OffsetAdvance, Page, ReadMark, Store, WriteBatch, WriteError, WriteReport,
};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

use crate::database::TestDatabase;
use crate::letters::{MessageRow, TOPIC, row, user};

const PARTITIONS: usize = 3;
const PEOPLE: u128 = 5;

/// What a consumer does next.
#[derive(Debug, Clone)]
enum Step {
    /// Writes up to so many records of each partition.
    Write(Vec<usize>),
    /// Writes a batch that begins so far before the stored offset: a consumer that lost its partition.
    WriteLate(i32, i64),
    /// Somebody reads.
    Read(u128, u128, i64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => prop::collection::vec(0_usize..40, PARTITIONS).prop_map(Step::Write),
        1 => (0..PARTITIONS as i32, 1_i64..20).prop_map(|(partition, by)| Step::WriteLate(partition, by)),
        2 => (1..=PEOPLE, 1..=PEOPLE, 0_i64..300).prop_map(|(a, b, offset)| Step::Read(a, b, offset)),
    ]
}

/// Who writes to whom under which client id, in the order of the log.
fn letters() -> impl Strategy<Value = Vec<(u128, u128, u16)>> {
    prop::collection::vec((1..=PEOPLE, 1..=PEOPLE, 0_u16..120), 600)
}

/// Every record of a log with many repeats is written in random batches, among late writers and readers; then
/// the store must be what a plain walk through the log gives.
pub(super) async fn a_random_log_is_stored_once_and_in_order(database: &TestDatabase) {
    let store = database.store().await;
    let mut runner = TestRunner::deterministic();
    for case in 0..4 {
        let letters = letters().new_tree(&mut runner).unwrap().current();
        let steps = prop::collection::vec(step(), 25).new_tree(&mut runner).unwrap().current();
        let log = log_of(&letters, case);
        let topic = format!("{TOPIC}_{case}");
        // So that the writer remembers conversations from batch to batch.
        store.note_partitions(&topic, Epoch::FIRST, PARTITIONS).await.unwrap();
        let reads = consume(&store, &topic, &log, &steps, case).await;
        check(&store, &topic, &log, &reads, case).await;
    }
}

/// People of each case are others, so that the cases share a database but no conversation.
fn person(case: u128, number: u128) -> u128 {
    case * 100 + number
}

fn log_of(letters: &[(u128, u128, u16)], case: u128) -> Vec<Vec<MessageRow>> {
    let mut log = vec![Vec::new(); PARTITIONS];
    for &(sender, to, client_id) in letters {
        let (sender, to) = (person(case, sender), person(case, to));
        let conversation = ConversationId::direct(user(sender), user(to));
        let partition = &mut log[partition_of(conversation, PARTITIONS) as usize];
        let offset = partition.len() as i64;
        // The recipient is part of the client id: a repeat goes to the same conversation, as every real one
        // does.
        partition.push(row(sender, to, &format!("{client_id}-{to}"), offset));
    }
    log
}

async fn consume(
    store: &Store,
    topic: &str,
    log: &[Vec<MessageRow>],
    steps: &[Step],
    case: u128,
) -> BTreeMap<(ConversationId, UserId), Position> {
    let mut next = [0_usize; PARTITIONS];
    let mut stored = HashSet::new();
    let mut members = HashSet::new();
    let mut reads = BTreeMap::new();
    let everything = Step::Write(vec![usize::MAX; PARTITIONS]);
    for step in steps.iter().chain([&everything]) {
        match step {
            Step::Write(counts) => {
                let mut rows = Vec::new();
                let mut batch = WriteBatch {
                    topic: topic.to_owned(),
                    epoch: Epoch::FIRST,
                    events: Vec::new(),
                    advances: Vec::new(),
                };
                for (partition, &count) in counts.iter().enumerate() {
                    let from = next[partition];
                    let to = from.saturating_add(count).min(log[partition].len());
                    rows.extend_from_slice(&log[partition][from..to]);
                    batch.advances.push(OffsetAdvance {
                        partition: partition as i32,
                        from: from as i64,
                        to: to as i64,
                    });
                    next[partition] = to;
                }
                let fresh = rows.iter().filter(|row| stored.insert(row.id)).count() as u64;
                members.extend(
                    rows.iter().flat_map(|row| [(row.conversation, row.sender), (row.conversation, row.to)]),
                );
                batch.events = rows.into_iter().map(Into::into).collect();
                let events = batch.events.len() as u64;
                let pieces = if case.is_multiple_of(2) { vec![batch] } else { by_partition(batch) };
                let reports = pieces.iter().map(|piece| written(store, piece));
                let reports = futures::future::join_all(reports).await;
                let inserted = reports.iter().map(|report| report.inserted).sum::<u64>();
                let repeats = reports.iter().map(|report| report.repeats).sum::<u64>();
                assert_eq!((inserted, inserted + repeats), (fresh, events));
            }
            Step::WriteLate(partition, by) => {
                let found = next[*partition as usize] as i64;
                let mut late = crate::letters::batch(*partition, found - by, found, Vec::new());
                late.topic = topic.to_owned();
                // A partition that was never stored takes any beginning: nothing to be late for.
                if store.log_position(topic).await.unwrap().next_offsets.contains_key(partition) {
                    let error = store.write_batch(&late).await.unwrap_err();
                    assert!(
                        matches!(error, WriteError::Fenced { found: there, .. } if there == found),
                        "{error}"
                    );
                }
            }
            Step::Read(reader, other, offset) => {
                let (reader, other) = (user(person(case, *reader)), user(person(case, *other)));
                let conversation = ConversationId::direct(reader, other);
                let position = Position::new(Epoch::FIRST, *offset);
                let mark = ReadMark { user: reader, conversation, position };
                let known = members.contains(&(conversation, reader));
                assert_eq!(store.advance_reads(&[mark]).await.unwrap(), [known]);
                if known {
                    let last_read = reads.entry((conversation, reader)).or_insert(Position::ZERO);
                    *last_read = position.max(*last_read);
                }
            }
        }
    }
    reads
}

/// A batch for each partition, to be written side by side.
fn by_partition(batch: WriteBatch) -> Vec<WriteBatch> {
    let lives_in = |placed: &Placed| partition_of(placed.event.conversation, PARTITIONS);
    let of = |&advance: &OffsetAdvance| WriteBatch {
        events: batch.events.iter().filter(|placed| lives_in(placed) == advance.partition).cloned().collect(),
        advances: vec![advance],
        ..batch.clone()
    };
    batch.advances.iter().map(of).collect()
}

async fn written(store: &Store, batch: &WriteBatch) -> WriteReport {
    loop {
        match store.write_batch(batch).await {
            Ok(report) => return report,
            // Of two that wait for each other a database undoes one.
            Err(WriteError::Transient(error)) => eprintln!("again: {error}"),
            Err(error) => panic!("{error}"),
        }
    }
}

async fn check(
    store: &Store,
    topic: &str,
    log: &[Vec<MessageRow>],
    reads: &BTreeMap<(ConversationId, UserId), Position>,
    case: u128,
) {
    let mut seen = HashSet::new();
    let mut expected: BTreeMap<ConversationId, Vec<&MessageRow>> = BTreeMap::new();
    for row in log.iter().flatten().filter(|row| seen.insert(row.id)) {
        expected.entry(row.conversation).or_default().push(row);
    }
    for (&conversation, rows) in &expected {
        let page = store.history(conversation, Page::Latest, 1_000).await.unwrap();
        assert!(!page.has_before && !page.has_after);
        let stored: Vec<_> = page.messages.iter().map(|m| (m.position, m.id, &m.body)).collect();
        assert_eq!(stored, rows.iter().map(|row| (row.position, row.id, &row.body)).collect::<Vec<_>>());
    }
    for number in 1..=PEOPLE {
        let reader = user(person(case, number));
        let listing = store.conversations_of(topic, reader, None, 100).await.unwrap();
        let mine: BTreeSet<_> = expected
            .iter()
            .filter(|(_, rows)| rows.iter().any(|row| row.sender == reader || row.to == reader))
            .map(|(id, _)| *id)
            .collect();
        assert_eq!(listing.conversations.iter().map(|found| found.id).collect::<BTreeSet<_>>(), mine);
        for found in &listing.conversations {
            let rows = &expected[&found.id];
            let last_read = reads.get(&(found.id, reader)).copied().unwrap_or(Position::ZERO);
            let unread = rows.iter().filter(|row| row.sender != reader && row.position > last_read).count();
            assert_eq!((found.last_read, found.unread as usize), (last_read, unread));
            let ConversationKind::Direct { other, other_last_read } = found.kind else { panic!("a room") };
            let other = Some(other).filter(|other| *other != reader);
            let read_by_other = other.and_then(|other| reads.get(&(found.id, other)));
            assert_eq!(other_last_read, read_by_other.copied().unwrap_or(Position::ZERO));
            assert_eq!(found.last_position, rows.last().unwrap().position);
        }
    }
}
