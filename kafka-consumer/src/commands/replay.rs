//! `replay`: reads the log again, from a beginning to an end, into any database, without touching the consumer group.
//!
//! It may run beside live consumers and may be ended and begun again at any time. Messages that are stored stay; missing
//! ones are stored at their own positions. Where it reads beyond the stored offsets it moves them, exactly as a consumer
//! would, so that consumers go on behind it; it never begins beyond them, because that would leave a gap.

use std::collections::BTreeMap;
use std::ops::Range;
use std::str::FromStr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;
use indicatif::{ProgressBar, ProgressStyle};
use milena_domain::{MessageId, Timestamp, check_log};
use milena_kafka::{Role, client_config, ensure_topics, partition_states};
use milena_settings::Settings;
use milena_storage::Store;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::{Offset, TopicPartitionList};
use serde::Serialize;
use tokio_util::sync::CancellationToken;

use super::{KAFKA_TIMEOUT, dead, say, say_json};
use crate::batch::{Limits, OpenBatch};
use crate::dead_letters::DeadLetters;
use crate::health::Health;
use crate::ingest::WriterPort;
use crate::record::{Content, Record};
use crate::run::spawn_writer;
use crate::scan::scan;
use crate::writer::{Outcome, Writer};

/// Where to begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Start {
    /// The log's first record.
    Beginning,
    /// Where the store ends: what is missing.
    Stored,
    /// This offset, in each partition.
    Offset(i64),
    /// The first record of this time or later.
    Time(Timestamp),
}

impl FromStr for Start {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "beginning" => Ok(Self::Beginning),
            "stored" => Ok(Self::Stored),
            number if number.bytes().all(|byte| byte.is_ascii_digit()) && !number.is_empty() => {
                number.parse().map(Self::Offset).map_err(|_| "the offset is too large".to_owned())
            }
            time => time.parse().map(Self::Time).map_err(|_| {
                "must be beginning, stored, an offset, or a time such as 2026-01-31T12:00:00Z".to_owned()
            }),
        }
    }
}

/// What to read.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) from: Start,
    /// Up to the first record of this time or later; `None` is the log's end as of now.
    pub(crate) until: Option<Timestamp>,
    /// `None` is all.
    pub(crate) partitions: Option<Vec<i32>>,
    pub(crate) dry_run: bool,
    pub(crate) json: bool,
}

#[derive(Debug, Default, Serialize)]
struct Tally {
    read: u64,
    inserted: u64,
    already_there: u64,
    dead_letters: u64,
    seconds: f64,
    records_per_s: f64,
    /// False when it was ended before.
    complete: bool,
}

/// Replays, until the end or `shutdown`.
pub(crate) async fn replay(
    settings: &Settings,
    store: &Store,
    request: &Request,
    shutdown: &CancellationToken,
) -> anyhow::Result<()> {
    ensure_topics(&settings.kafka, KAFKA_TIMEOUT).await?;
    let topic = &settings.kafka.topic;
    let position = store.log_position(topic).await.context("the database cannot be read")?;
    let log = partition_states(&settings.kafka, KAFKA_TIMEOUT).await?;
    check_log(topic, settings.kafka.partitions, &log, &position.next_offsets)?;
    let begin = beginnings(settings, request, &log.keys().copied().collect::<Vec<_>>()).await?;
    let end = match request.until {
        Some(time) => offsets_at(settings, &begin.keys().copied().collect::<Vec<_>>(), time).await?,
        None => BTreeMap::new(),
    };
    let mut spans = BTreeMap::new();
    for (&partition, &wanted) in &begin {
        let state =
            log.get(&partition).with_context(|| format!("topic {topic} has no partition {partition}"))?;
        let stored = position.next_offsets.get(&partition).copied().unwrap_or(state.low);
        let start = wanted.unwrap_or(stored).clamp(state.low, stored);
        if wanted.is_some_and(|wanted| wanted > stored) && stored < state.high {
            say(format!(
                "partition {partition}: begins at {start}, where the store ends, so that nothing is left out"
            ));
        }
        let end = end.get(&partition).copied().unwrap_or(state.high).min(state.high);
        spans.insert(partition, start..end.max(start));
    }
    let began = Instant::now();
    let mut tally = if request.dry_run {
        count(settings, store, spans, shutdown).await?
    } else {
        carry(settings, store, &position, spans, shutdown).await?
    };
    tally.seconds = began.elapsed().as_secs_f64();
    tally.records_per_s = (tally.read as f64 / tally.seconds.max(0.001)).round();
    if request.json { say_json(&tally) } else { print(&tally, request.dry_run) }
}

fn print(tally: &Tally, dry_run: bool) -> anyhow::Result<()> {
    say(format!(
        "{} records read in {:.1} s ({} a second): {} messages {}, {} already there, {} dead letters",
        tally.read,
        tally.seconds,
        tally.records_per_s,
        tally.inserted,
        if dry_run { "would be stored" } else { "stored" },
        tally.already_there,
        tally.dead_letters
    ));
    if !tally.complete {
        say("ended early: `kafka-consumer replay --from stored` goes on where this run ended");
    }
    Ok(())
}

/// Where each partition begins; `None` where the store ends.
async fn beginnings(
    settings: &Settings,
    request: &Request,
    all: &[i32],
) -> anyhow::Result<BTreeMap<i32, Option<i64>>> {
    let partitions = request.partitions.as_deref().unwrap_or(all);
    let everywhere = |offset| partitions.iter().map(|&partition| (partition, offset)).collect();
    Ok(match request.from {
        Start::Beginning => everywhere(Some(0)),
        Start::Stored => everywhere(None),
        Start::Offset(offset) => everywhere(Some(offset)),
        Start::Time(time) => {
            let found = offsets_at(settings, partitions, time).await?;
            partitions.iter().map(|&partition| (partition, found.get(&partition).copied())).collect()
        }
    })
}

/// The first offset of `time` or later, by partition; absent where there is none.
async fn offsets_at(
    settings: &Settings,
    partitions: &[i32],
    time: Timestamp,
) -> anyhow::Result<BTreeMap<i32, i64>> {
    let config = client_config(&settings.kafka, &Role::Tail);
    let (topic, partitions) = (settings.kafka.topic.clone(), partitions.to_vec());
    let ask = move || -> anyhow::Result<BTreeMap<i32, i64>> {
        let consumer: BaseConsumer = config.create()?;
        let mut list = TopicPartitionList::new();
        for partition in partitions {
            list.add_partition_offset(&topic, partition, Offset::Offset(time.unix_ms()))?;
        }
        let found = consumer.offsets_for_times(list, KAFKA_TIMEOUT)?;
        let elements = found.elements();
        Ok(elements
            .iter()
            .filter_map(|element| match element.offset() {
                Offset::Offset(offset) => Some((element.partition(), offset)),
                _ => None,
            })
            .collect())
    };
    tokio::task::spawn_blocking(ask).await?.context("the log cannot be asked for a time")
}

fn progress(spans: &BTreeMap<i32, Range<i64>>) -> ProgressBar {
    let total: i64 = spans.values().map(|span| span.end - span.start).sum();
    let style = ProgressStyle::with_template(
        "{bar:30} {human_pos} of {human_len} records, {per_sec}, {eta} left {msg}",
    );
    ProgressBar::new(total.unsigned_abs()).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

/// Reads and writes, one batch in the writer while the next is gathered.
async fn carry(
    settings: &Settings,
    store: &Store,
    position: &milena_storage::LogPosition,
    spans: BTreeMap<i32, Range<i64>>,
    shutdown: &CancellationToken,
) -> anyhow::Result<Tally> {
    let topic = &settings.kafka.topic;
    let graveyard =
        DeadLetters::new(Arc::new(settings.kafka.clone()))?.knowing(dead::origins(&settings.kafka).await?);
    let writer = Writer::new(store.clone(), graveyard, topic.clone(), position.epoch, Health::default())
        .replaying(position.next_offsets.clone());
    let (task, mut port) = spawn_writer(writer);
    let limits = Limits {
        rows: settings.consumer.batch_rows,
        bytes: settings.consumer.batch_bytes,
        // Nobody waits for a single message here.
        age: Duration::from_secs(3_600),
    };
    let mut open = OpenBatch::new(limits, position.epoch);
    let mut next: BTreeMap<i32, i64> =
        spans.iter().map(|(&partition, span)| (partition, span.start)).collect();
    let bar = progress(&spans);
    let mut tally = Tally { complete: true, ..Tally::default() };
    let mut writing = false;
    let mut chunks = scan(&settings.kafka, topic, spans, |message| Record::decode(message, 0));
    loop {
        let chunk = tokio::select! {
            () = shutdown.cancelled() => { tally.complete = false; break }
            chunk = chunks.recv() => chunk,
        };
        let Some(chunk) = chunk else { break };
        for record in chunk? {
            tally.read += 1;
            bar.inc(1);
            let after = record.offset + 1;
            let from = next.insert(record.partition, after).unwrap_or(record.offset);
            open.push(record, from, Instant::now());
            if open.is_full() {
                hand_over(&mut port, &mut open, &mut writing, &mut tally).await?;
            }
        }
    }
    drop(chunks);
    if !open.is_empty() {
        hand_over(&mut port, &mut open, &mut writing, &mut tally).await?;
    }
    if writing {
        add(&mut tally, port.outcomes.recv().await.context("the writer ended")??);
    }
    drop(port);
    task.await?;
    bar.finish_and_clear();
    Ok(tally)
}

/// Waits for the batch before, then gives this one away.
async fn hand_over(
    port: &mut WriterPort,
    open: &mut OpenBatch,
    writing: &mut bool,
    tally: &mut Tally,
) -> anyhow::Result<()> {
    if *writing {
        add(tally, port.outcomes.recv().await.context("the writer ended")??);
    }
    port.batches.send(open.take()).await.context("the writer ended")?;
    *writing = true;
    Ok(())
}

fn add(tally: &mut Tally, outcome: Outcome) {
    tally.inserted += outcome.inserted;
    tally.already_there += outcome.duplicates;
    tally.dead_letters += outcome.dead;
}

/// Reads only, and asks the store what it has.
async fn count(
    settings: &Settings,
    store: &Store,
    spans: BTreeMap<i32, Range<i64>>,
    shutdown: &CancellationToken,
) -> anyhow::Result<Tally> {
    let bar = progress(&spans);
    let mut tally = Tally { complete: true, ..Tally::default() };
    let mut chunks =
        scan(&settings.kafka, &settings.kafka.topic, spans, |message| Record::decode(message, 0));
    loop {
        let chunk = tokio::select! {
            () = shutdown.cancelled() => { tally.complete = false; break }
            chunk = chunks.recv() => chunk,
        };
        let Some(chunk) = chunk else { break };
        let records = chunk?;
        let ids: Vec<MessageId> = records
            .iter()
            .filter_map(|record| match &record.content {
                Content::Message(event) => Some(event.id),
                Content::Rejected(_) => None,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn beginnings_are_told_apart() {
        assert_eq!("beginning".parse(), Ok(Start::Beginning));
        assert_eq!("stored".parse(), Ok(Start::Stored));
        assert_eq!("42".parse(), Ok(Start::Offset(42)));
        let time = Timestamp::from_unix_ms(1_769_860_800_000);
        assert_eq!("2026-01-31T12:00:00Z".parse(), Ok(Start::Time(time)));
        assert!("yesterday".parse::<Start>().is_err());
        assert!("".parse::<Start>().is_err());
    }
}
