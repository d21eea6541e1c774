//! Reads, and writes or counts.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;
use indicatif::{ProgressBar, ProgressStyle};
use milena_domain::{MessageId, Partitioning};
use milena_settings::Settings;
use milena_storage::Store;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::Tally;
use crate::batch::{Limits, OpenBatch};
use crate::commands::dead;
use crate::dead_letters::DeadLetterTopic;
use crate::health::Health;
use crate::ingest::WriterPort;
use crate::outcome::Outcome;
use crate::record::{Content, Newer, Record};
use crate::run::spawn_writer;
use crate::scan::{Chunk, scan};
use crate::writer::Writer;

fn progress(spans: &BTreeMap<i32, Range<i64>>) -> ProgressBar {
    let total: i64 = spans.values().map(|span| span.end - span.start).sum();
    let style = ProgressStyle::with_template(
        "{bar:30} {human_pos} of {human_len} records, {per_sec}, {eta} left {msg}",
    );
    ProgressBar::new(total.unsigned_abs()).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

/// What is done with records that cannot be stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::commands) enum Purpose {
    /// They go to the dead-letter topic.
    Replay,
    /// They are left alone: whoever reads the log next judges them.
    Leftovers,
}

fn records(
    settings: &Settings,
    spans: BTreeMap<i32, Range<i64>>,
    partitioning: Arc<Partitioning>,
) -> mpsc::Receiver<Chunk<Record>> {
    scan(&settings.kafka, &settings.kafka.topic, spans, move |message| {
        Record::decode(message, &partitioning, 0)
    })
}

/// Reads and writes, one batch in the writer while the next is gathered.
pub(in crate::commands) async fn carry(
    settings: &Settings,
    store: &Store,
    position: &milena_storage::LogPosition,
    spans: BTreeMap<i32, Range<i64>>,
    partitioning: Arc<Partitioning>,
    purpose: Purpose,
    shutdown: &CancellationToken,
) -> anyhow::Result<Tally> {
    let topic = &settings.kafka.topic;
    let dead_letters = DeadLetterTopic::new(Arc::new(settings.kafka.clone()))?
        .knowing(dead::origins(&settings.kafka).await?);
    let writer = Writer::new(store.clone(), dead_letters, topic.clone(), position.epoch, Health::default())
        .in_partitions(partitioning.now())
        .replaying(position.next_offsets.clone());
    let (task, mut port) = spawn_writer(writer);
    let limits = Limits {
        rows: settings.consumer.batch_rows,
        bytes: settings.consumer.batch_bytes,
        // Nobody waits for a single message here.
        age: Duration::from_secs(3_600),
        idle: Duration::from_secs(3_600),
    };
    let mut open = OpenBatch::new(limits, position.epoch);
    let mut next: BTreeMap<i32, i64> =
        spans.iter().map(|(&partition, span)| (partition, span.start)).collect();
    let bar = progress(&spans);
    let mut tally = Tally { complete: true, ..Tally::default() };
    let mut writing = false;
    let mut newer: BTreeMap<i32, Newer> = BTreeMap::new();
    let mut chunks = records(settings, spans, partitioning);
    loop {
        let chunk = tokio::select! {
            () = shutdown.cancelled() => { tally.complete = false; break }
            chunk = chunks.recv() => chunk,
        };
        let Some(chunk) = chunk else { break };
        for record in chunk? {
            let (partition, offset) = (record.partition, record.offset);
            if newer.contains_key(&partition) {
                continue;
            }
            let from = next.get(&partition).copied().unwrap_or(offset);
            if let Err(found) = open.push(record, from, Instant::now()) {
                newer.insert(partition, found);
                continue;
            }
            next.insert(partition, offset + 1);
            tally.read += 1;
            bar.inc(1);
            if open.is_full() {
                hand_over(&mut port, &mut open, purpose, &mut writing, &mut tally).await?;
            }
        }
    }
    drop(chunks);
    if !open.is_empty() {
        hand_over(&mut port, &mut open, purpose, &mut writing, &mut tally).await?;
    }
    if writing {
        add(&mut tally, port.outcomes.recv().await.context("the writer ended")??);
    }
    drop(port);
    task.await?;
    bar.finish_and_clear();
    // What stands before it, and in other partitions, is stored by now.
    newer.into_values().next().map_or(Ok(tally), |newer| Err(newer.into()))
}

/// Waits for the batch before, then gives this one away.
async fn hand_over(
    port: &mut WriterPort,
    open: &mut OpenBatch,
    purpose: Purpose,
    writing: &mut bool,
    tally: &mut Tally,
) -> anyhow::Result<()> {
    if *writing {
        add(tally, port.outcomes.recv().await.context("the writer ended")??);
    }
    let mut batch = open.take();
    if purpose == Purpose::Leftovers {
        batch.parts.values_mut().for_each(|part| part.dead.clear());
    }
    port.batches.send(batch).await.context("the writer ended")?;
    *writing = true;
    Ok(())
}

fn add(tally: &mut Tally, outcome: Outcome) {
    tally.inserted += outcome.inserted;
    tally.already_there += outcome.repeats;
    tally.void += outcome.void;
    tally.dead_letters += outcome.dead;
}

fn is_newer(content: &&Content) -> bool {
    matches!(content, Content::Newer(_))
}

/// Reads only, and asks the store what it has.
pub(super) async fn count(
    settings: &Settings,
    store: &Store,
    spans: BTreeMap<i32, Range<i64>>,
    partitioning: Arc<Partitioning>,
    shutdown: &CancellationToken,
) -> anyhow::Result<Tally> {
    let bar = progress(&spans);
    let mut tally = Tally { complete: true, ..Tally::default() };
    let mut chunks = records(settings, spans, partitioning);
    loop {
        let chunk = tokio::select! {
            () = shutdown.cancelled() => { tally.complete = false; break }
            chunk = chunks.recv() => chunk,
        };
        let Some(chunk) = chunk else { break };
        let records = chunk?;
        if let Some(Content::Newer(newer)) = records.iter().map(|record| &record.content).find(is_newer) {
            return Err(newer.clone().into());
        }
        let ids: Vec<MessageId> = records
            .iter()
            .filter_map(|record| match &record.content {
                Content::Event(event) => Some(event.id),
                Content::Rejected(_) | Content::Newer(_) => None,
            })
            .collect();
        let there = store.existing_messages(&ids).await?;
        let missing = ids.iter().filter(|id| !there.contains(id)).count();
        bar.inc(records.len() as u64);
        tally.read += records.len() as u64;
        tally.inserted += missing as u64;
        tally.already_there += (ids.len() - missing) as u64;
        tally.dead_letters += (records.len() - ids.len()) as u64;
    }
    bar.finish_and_clear();
    Ok(tally)
}
