//! Reads, and writes or counts.

use std::collections::{BTreeMap, HashSet};
use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;
use indicatif::{ProgressBar, ProgressStyle};
use milena_domain::record::{Action, Event};
use milena_domain::{MessageId, Partitioning, Position};
use milena_settings::Settings;
use milena_storage::{LogPosition, Store};
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

/// Ids that a dry run remembers to tell repeats by: about 30 MB. Then it begins anew, and may count a repeat
/// twice.
const SEEN_MAX: usize = 1_000_000;

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
    position: &LogPosition,
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

/// Reads only, and asks the store what it has.
///
/// What has left no trace would be stored, unless the store has judged it already, which is where it has read
/// to: then it changed nothing, and only a lost message would be put back.
pub(super) async fn count(
    settings: &Settings,
    store: &Store,
    position: &LogPosition,
    spans: BTreeMap<i32, Range<i64>>,
    partitioning: Arc<Partitioning>,
    shutdown: &CancellationToken,
) -> anyhow::Result<Tally> {
    let bar = progress(&spans);
    let mut tally = Tally { complete: true, ..Tally::default() };
    let mut newer: BTreeMap<i32, Newer> = BTreeMap::new();
    let mut seen = HashSet::new();
    let mut chunks = records(settings, spans, partitioning);
    loop {
        let chunk = tokio::select! {
            () = shutdown.cancelled() => { tally.complete = false; break }
            chunk = chunks.recv() => chunk,
        };
        let Some(chunk) = chunk else { break };
        let mut events = Vec::new();
        for record in chunk? {
            bar.inc(1);
            if newer.contains_key(&record.partition) {
                continue;
            }
            match record.content {
                Content::Event(event) => events.push((record.partition, record.offset, event)),
                Content::Rejected(_) => tally.dead_letters += 1,
                Content::Newer(found) => {
                    newer.insert(record.partition, found);
                    continue;
                }
            }
            tally.read += 1;
        }
        count_events(store, position, &events, &mut seen, &mut tally).await?;
    }
    bar.finish_and_clear();
    newer.into_values().next().map_or(Ok(tally), |newer| Err(newer.into()))
}

/// Events with their partitions and offsets; `seen` are the ids that would be stored.
async fn count_events(
    store: &Store,
    position: &LogPosition,
    events: &[(i32, i64, Event)],
    seen: &mut HashSet<MessageId>,
    tally: &mut Tally,
) -> anyhow::Result<()> {
    let ids: Vec<MessageId> = events.iter().map(|(.., event)| event.id).collect();
    let found = store.events_by_id(&ids).await?;
    let there: HashSet<MessageId> = found.into_iter().map(|place| place.id).collect();
    let place = |offset, event: &Event| (event.conversation, Position::new(position.epoch, offset));
    let without = events.iter().filter(|(.., event)| !there.contains(&event.id));
    let places: Vec<_> = without.map(|(_, offset, event)| place(*offset, event)).collect();
    let found = store.void_at(&places).await?;
    let void: HashSet<_> = found.into_iter().map(|(room, position, ..)| (room, position)).collect();
    for (partition, offset, event) in events {
        let is_judged = position.next_offsets.get(partition).is_some_and(|next| offset < next);
        let is_message = matches!(event.action, Action::Message(_));
        if there.contains(&event.id) {
            tally.already_there += 1;
        } else if void.contains(&place(*offset, event)) {
            tally.void += 1;
        } else if (is_judged && !is_message) || !seen.insert(event.id) {
            tally.already_there += 1;
        } else {
            tally.inserted += 1;
        }
    }
    if seen.len() > SEEN_MAX {
        seen.clear();
    }
    Ok(())
}
