//! The loop between a Kafka and a writer that the test plays itself.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use milena_domain::{Epoch, Partitioning};
use milena_storage::{LogPosition, StorageError, WriteBatch, WriteError, WriteReport};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::*;
use crate::batch::tests::record;
use crate::ledger::Generation;
use crate::record::{Content, Newer};

/// A store that only knows offsets.
#[derive(Debug, Clone, Default)]
struct Offsets(Arc<Mutex<BTreeMap<i32, i64>>>);

impl Sink for Offsets {
    async fn write(&self, _batch: &WriteBatch) -> Result<WriteReport, WriteError> {
        unreachable!("the writer is played by the test")
    }

    fn at_once(&self, _events: usize) -> usize {
        1
    }

    async fn log_position(&self, _topic: &str) -> Result<LogPosition, StorageError> {
        Ok(LogPosition { epoch: Epoch::FIRST, next_offsets: self.0.lock().unwrap().clone() })
    }
}

struct Stage {
    control: mpsc::Sender<Control>,
    records: mpsc::Sender<Vec<Record>>,
    commands: mpsc::Receiver<Command>,
    batches: mpsc::Receiver<Batch>,
    outcomes: mpsc::Sender<Result<Outcome, ConsumerError>>,
    shutdown: CancellationToken,
    health: Health,
    task: JoinHandle<Ended>,
}

/// An age that no test waits for, so that a batch only goes for another reason.
const NEVER: Duration = Duration::from_secs(600);
const SOON: Duration = Duration::from_millis(20);

impl Stage {
    fn new(stored: &[(i32, i64)], age: Duration) -> Self {
        let store = Offsets::default();
        store.0.lock().unwrap().extend(stored.iter().copied());
        let plan = Plan {
            topic: "t".into(),
            epoch: Epoch::FIRST,
            limits: Limits { rows: 10, bytes: 1_000_000, age, idle: NEVER },
            drain: Duration::from_millis(300),
            partitioning: Arc::new(Partitioning::new(12, [])),
            log_ends: BTreeMap::new(),
        };
        let health = Health::default();
        let (control, control_receiver) = mpsc::channel(4);
        let (records, record_receiver) = mpsc::channel(4);
        let (command_sender, commands) = mpsc::channel(16);
        let (batch_sender, batches) = mpsc::channel(1);
        let (outcomes, outcome_receiver) = mpsc::channel(1);
        let inbox = Inbox { control: control_receiver, records: record_receiver };
        let port = WriterPort { batches: batch_sender, outcomes: outcome_receiver };
        let ingest = Ingest::new(plan, store, inbox, command_sender, port, health.clone());
        let shutdown = CancellationToken::new();
        let stop = shutdown.clone();
        let task = tokio::spawn(async move { ingest.run(&stop).await });
        Self { control, records, commands, batches, outcomes, shutdown, health, task }
    }

    async fn assign(&self, partitions: &[i32]) -> BTreeMap<i32, Start> {
        let (reply, answer) = oneshot::channel();
        self.control.send(Control::Assigned { partitions: partitions.to_vec(), reply }).await.unwrap();
        answer.await.unwrap()
    }

    async fn revoke(
        &self,
        partition: i32,
        lost: bool,
        within: Duration,
    ) -> oneshot::Receiver<BTreeMap<i32, i64>> {
        let (reply, answer) = oneshot::channel();
        let deadline = Instant::now() + within;
        self.control
            .send(Control::Revoked { partitions: vec![partition], lost, deadline, reply })
            .await
            .unwrap();
        answer
    }

    async fn read(&self, partition: i32, generation: Generation, offsets: std::ops::Range<i64>) {
        let chunk =
            offsets.map(|offset| Record { generation, ..record(partition, offset, 1, true) }).collect();
        self.records.send(chunk).await.unwrap();
    }

    /// Waits until the loop has taken all chunks.
    async fn taken(&self) {
        let all = async {
            while self.records.capacity() < self.records.max_capacity() {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(5), all).await.expect("the loop takes records");
    }

    async fn batch(&mut self) -> Batch {
        tokio::time::timeout(Duration::from_secs(5), self.batches.recv()).await.expect("a batch").unwrap()
    }

    async fn command(&mut self) -> Command {
        tokio::time::timeout(Duration::from_secs(5), self.commands.recv()).await.expect("a command").unwrap()
    }

    /// The writer has stored all of the batch.
    async fn stored(&self, batch: &Batch) {
        let outcome = Outcome { done: batch.spans().collect(), ..Outcome::default() };
        self.outcomes.send(Ok(outcome)).await.unwrap();
    }

    async fn stop(self) -> BTreeMap<i32, i64> {
        self.shutdown.cancel();
        let ended = self.task.await.unwrap();
        ended.result.unwrap();
        ended.commits
    }
}

fn span_of(batch: &Batch, partition: i32) -> (i64, i64) {
    (batch.parts[&partition].from, batch.parts[&partition].to)
}

#[tokio::test]
async fn partitions_begin_where_the_store_ends_and_the_group_follows() {
    let mut stage = Stage::new(&[(0, 5)], SOON);
    let starts = stage.assign(&[0, 1]).await;
    assert_eq!((starts[&0].offset, starts[&1].offset), (Some(5), None));
    stage.read(0, starts[&0].generation, 5..8).await;
    let batch = stage.batch().await;
    assert_eq!(span_of(&batch, 0), (5, 8));
    stage.stored(&batch).await;
    let Command::Commit(commits) = stage.command().await else { panic!("not a commit") };
    assert_eq!(commits, BTreeMap::from([(0, 8)]));
    assert!(stage.stop().await.is_empty(), "nothing is left to commit");
}

#[tokio::test]
async fn a_full_batch_goes_at_once_and_only_one_is_under_way() {
    let mut stage = Stage::new(&[], NEVER);
    let generation = stage.assign(&[0]).await[&0].generation;
    stage.read(0, generation, 0..25).await;
    let first = stage.batch().await;
    assert_eq!(span_of(&first, 0), (0, 10));
    stage.taken().await;
    assert!(stage.batches.try_recv().is_err(), "the next waits for the outcome");
    stage.stored(&first).await;
    let second = stage.batch().await;
    assert_eq!(span_of(&second, 0), (10, 20));
    stage.stored(&second).await;
    stage.shutdown.cancel();
    let rest = stage.batch().await;
    assert_eq!(span_of(&rest, 0), (20, 25), "a stop stores what was read");
    stage.stored(&rest).await;
    assert_eq!(stage.stop().await, BTreeMap::from([(0, 25)]));
}

#[tokio::test]
async fn a_partition_that_goes_is_stored_first() {
    let mut stage = Stage::new(&[], NEVER);
    let generation = stage.assign(&[0]).await[&0].generation;
    stage.read(0, generation, 0..3).await;
    stage.taken().await;
    let mut released = stage.revoke(0, false, NEVER).await;
    let batch = stage.batch().await;
    assert!(released.try_recv().is_err(), "not before it is stored");
    stage.stored(&batch).await;
    assert_eq!(released.await.unwrap(), BTreeMap::from([(0, 3)]));
    // What was on its way meanwhile is the next owner's.
    stage.read(0, generation, 3..6).await;
    assert!(stage.stop().await.is_empty());
}

#[tokio::test]
async fn a_partition_goes_when_its_time_is_up() {
    let mut stage = Stage::new(&[(0, 2)], NEVER);
    let generation = stage.assign(&[0]).await[&0].generation;
    stage.read(0, generation, 2..4).await;
    stage.taken().await;
    let released = stage.revoke(0, false, Duration::from_millis(100)).await;
    let batch = stage.batch().await;
    assert_eq!(released.await.unwrap(), BTreeMap::from([(0, 2)]), "only what is stored is committed");
    stage.stored(&batch).await;
    assert!(stage.stop().await.is_empty(), "a late outcome says nothing about a partition that is gone");
}

#[tokio::test]
async fn a_lost_partition_is_dropped_at_once() {
    let mut stage = Stage::new(&[], NEVER);
    let generation = stage.assign(&[0]).await[&0].generation;
    stage.read(0, generation, 0..3).await;
    stage.taken().await;
    let released = stage.revoke(0, true, NEVER).await;
    assert!(released.await.unwrap().is_empty());
    assert!(stage.batches.try_recv().is_err());
    stage.stop().await;
}

#[tokio::test]
async fn a_callback_that_gave_up_is_told_by_a_seek() {
    let mut stage = Stage::new(&[(3, 9)], NEVER);
    let (reply, answer) = oneshot::channel();
    drop(answer);
    stage.control.send(Control::Assigned { partitions: vec![3], reply }).await.unwrap();
    let Command::Seek(starts) = stage.command().await else { panic!("not a seek") };
    assert_eq!(starts[&3].offset, Some(9));
    stage.stop().await;
}

#[tokio::test]
async fn a_partition_that_another_wrote_is_read_on_from_there() {
    let mut stage = Stage::new(&[], SOON);
    let old = stage.assign(&[0, 1]).await;
    stage.read(0, old[&0].generation, 0..3).await;
    let batch = stage.batch().await;
    stage.read(0, old[&0].generation, 3..5).await;
    stage.read(1, old[&1].generation, 0..1).await;
    let moved = vec![Moved { partition: 0, generation: old[&0].generation, next: 7 }];
    assert_eq!(batch.parts.len(), 1);
    stage.outcomes.send(Ok(Outcome { moved, ..Outcome::default() })).await.unwrap();
    let Command::Seek(starts) = stage.command().await else { panic!("not a seek") };
    assert_eq!(starts[&0].offset, Some(7));
    // Records of the spell before the seek are dead, those after it count.
    stage.read(0, old[&0].generation, 5..7).await;
    stage.read(0, starts[&0].generation, 7..9).await;
    let mut spans = Vec::new();
    while spans.iter().filter(|(partition, _)| *partition == 0).count() == 0 {
        let batch = stage.batch().await;
        spans.extend(batch.parts.keys().map(|&partition| (partition, span_of(&batch, partition))));
        stage.stored(&batch).await;
    }
    assert!(spans.contains(&(0, (7, 9))) && spans.contains(&(1, (0, 1))), "{spans:?}");
    stage.stop().await;
}

#[tokio::test]
async fn what_a_newer_program_wrote_is_not_passed_and_other_partitions_go_on() {
    let mut stage = Stage::new(&[], SOON);
    let starts = stage.assign(&[0, 1]).await;
    let generation = starts[&0].generation;
    let newer = |generation| {
        let newer = Newer { partition: 0, offset: 3, what: "version 3".to_owned() };
        Record { content: Content::Newer(newer), generation, ..record(0, 3, 1, true) }
    };
    // One of an earlier spell says nothing.
    stage.records.send(vec![newer(generation + 7)]).await.unwrap();
    stage.read(0, generation, 0..3).await;
    stage.taken().await;
    let behind = Record { generation, ..record(0, 4, 1, true) };
    stage.records.send(vec![newer(generation), behind]).await.unwrap();
    let batch = stage.batch().await;
    assert_eq!(span_of(&batch, 0), (0, 3));
    stage.stored(&batch).await;
    for offsets in [0..4, 4..8] {
        stage.read(0, generation, offsets.start + 4..offsets.end + 4).await;
        stage.read(1, starts[&1].generation, offsets.clone()).await;
        let batch = stage.batch().await;
        assert_eq!(span_of(&batch, 1), (offsets.start, offsets.end));
        assert!(!batch.parts.contains_key(&0), "it is not passed");
        stage.stored(&batch).await;
    }
    assert!(stage.health.why_not_ready().is_some_and(|why| why.contains("upgraded")));
    // Somebody else is upgraded and gets it: what was stored is told, and this one is well again.
    let released = stage.revoke(0, false, Duration::from_secs(5)).await.await.unwrap();
    assert_eq!(released, BTreeMap::from([(0, 3)]));
    assert_eq!(stage.health.why_not_ready(), None);
    // Back here, it is read again from the store's offset.
    let generation = stage.assign(&[0]).await[&0].generation;
    stage.records.send(vec![newer(generation)]).await.unwrap();
    stage.taken().await;
    assert!(stage.health.why_not_ready().is_some());
    stage.stop().await;
}

#[tokio::test]
async fn a_new_epoch_ends_it() {
    let stage = Stage::new(&[], NEVER);
    let epoch = Epoch::new(2).unwrap();
    let error = ConsumerError::EpochChanged { ours: Epoch::FIRST, store: epoch };
    let generation = stage.assign(&[0]).await[&0].generation;
    stage.read(0, generation, 0..10).await;
    stage.outcomes.send(Err(error)).await.unwrap();
    assert!(matches!(stage.task.await.unwrap().result, Err(ConsumerError::EpochChanged { .. })));
}
