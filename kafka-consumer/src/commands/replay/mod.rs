//! `replay`: reads the log again, from a beginning to an end, into any database, without touching the
//! consumer group.
//!
//! It may run beside live consumers and may be ended and begun again at any time. Messages that are stored
//! stay; missing ones are stored at their own positions. Where it reads beyond the stored offsets it moves
//! them, exactly as a consumer would, so that consumers go on behind it; it never begins beyond them, because
//! that would leave a gap.

pub(super) mod carry;
mod spans;

use std::sync::Arc;
use std::time::Instant;

use anyhow::Context;
use milena_domain::cure::command;
use milena_domain::{Timestamp, check_log};
use milena_kafka::{ensure_topics, existing_partition_states};
use milena_settings::Settings;
use milena_storage::Store;
use serde::Serialize;
use tokio_util::sync::CancellationToken;

use self::carry::Purpose;
pub(crate) use self::spans::Start;

use super::{KAFKA_TIMEOUT, answer, answer_json};

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
pub(super) struct Tally {
    read: u64,
    pub(super) inserted: u64,
    already_there: u64,
    /// Good records that do not count.
    void: u64,
    dead_letters: u64,
    seconds: f64,
    records_per_s: f64,
    /// False when it was ended before.
    complete: bool,
}

/// Replays, until the end or `shutdown`; answers whether it came to the end.
pub(crate) async fn replay(
    settings: &Settings,
    store: &Store,
    request: &Request,
    shutdown: &CancellationToken,
) -> anyhow::Result<bool> {
    ensure_topics(&settings.kafka, KAFKA_TIMEOUT).await?;
    let topic = &settings.kafka.topic;
    let position = store.log_position(topic).await.context("the database cannot be read")?;
    let log = existing_partition_states(&settings.kafka, KAFKA_TIMEOUT).await?;
    let noted = store.noted_partitions(topic).await.context("the database cannot be read")?;
    check_log(topic, settings.kafka.partitions, &log, noted.with(&position))?;
    let partitioning = Arc::new(noted.partitioning(log.len()));
    if !request.dry_run {
        store
            .note_partitions(topic, position.epoch, log.len())
            .await
            .context("the database cannot be written")?;
    }
    let spans = spans::spans(settings, request, &log, &position.next_offsets).await?;
    let began = Instant::now();
    let mut tally = if request.dry_run {
        carry::count(settings, store, &position, spans, partitioning, shutdown).await?
    } else {
        carry::carry(settings, store, &position, spans, partitioning, Purpose::Replay, shutdown).await?
    };
    tally.seconds = began.elapsed().as_secs_f64();
    tally.records_per_s = (tally.read as f64 / tally.seconds.max(0.001)).round();
    if request.json {
        answer_json(&tally)?;
    } else {
        print(&tally, request.dry_run);
    }
    Ok(tally.complete)
}

fn print(tally: &Tally, dry_run: bool) {
    answer(format!(
        "{} records read in {:.1} s ({} a second): {} events {}, {} already there, {} void, \
         {} dead letters",
        tally.read,
        tally.seconds,
        tally.records_per_s,
        tally.inserted,
        if dry_run { "would be stored" } else { "stored" },
        tally.already_there,
        tally.void,
        tally.dead_letters
    ));
    if !tally.complete {
        answer(format!("ended early: {} goes on where this run ended", command("replay --from stored")));
    }
}
