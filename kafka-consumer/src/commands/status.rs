//! `status`: how far the store is, by partition.

use std::collections::BTreeMap;

use anyhow::Context;
use milena_domain::{PartitionState, Timestamp, check_log};
use milena_kafka::{Role, client_config};
use milena_settings::Settings;
use milena_storage::Store;
use rdkafka::TopicPartitionList;
use rdkafka::consumer::{BaseConsumer, Consumer};
use serde::Serialize;

use super::{ANSWER_TIMEOUT, answer, answer_json, existing};
use crate::origin;
use crate::record::{Newer, RawRecord};

#[derive(Debug, Serialize)]
struct Status {
    topic: String,
    group: String,
    epoch: u32,
    /// Records in the log that are not stored, together.
    lag: i64,
    /// The age of the oldest record that is not stored.
    lag_seconds: f64,
    /// The records at which storing stops until this program is upgraded, each in a sentence.
    newer: Vec<String>,
    /// Whether log and store belong together; else why not.
    mismatch: Option<String>,
    partitions: Vec<Partition>,
}

#[derive(Debug, Serialize)]
struct Partition {
    partition: i32,
    log_start: i64,
    log_end: i64,
    /// Absent when nothing of it was ever stored.
    stored: Option<i64>,
    /// As lag tools see it; follows `stored` within about a second.
    group: Option<i64>,
    lag: i64,
    lag_seconds: f64,
}

/// Prints the state of log, store and group.
pub(crate) async fn status(settings: &Settings, store: &Store, json: bool) -> anyhow::Result<()> {
    let topic = &settings.kafka.topic;
    let position = store.log_position(topic).await.context("the database cannot be read")?;
    let log = existing(&settings.kafka).await?;
    let group = group_offsets(settings, &log).await.context("the group's offsets cannot be read")?;
    let (mut partitions, mut newer) = (Vec::new(), Vec::new());
    for (&partition, state) in &log {
        let stored = position.next_offsets.get(&partition).copied();
        let from = stored.unwrap_or(state.low);
        let lag = (state.high - from).max(0);
        let oldest = if lag == 0 { None } else { read(settings, partition, from.max(state.low)).await };
        let lag_seconds = oldest.as_ref().map_or(0.0, age);
        newer.extend(oldest.as_ref().and_then(Newer::of).map(|newer| newer.to_string()));
        let (log_start, log_end) = (state.low, state.high);
        let group = group.get(&partition).copied();
        partitions.push(Partition { partition, log_start, log_end, stored, group, lag, lag_seconds });
    }
    let noted = store.noted_partitions(topic).await.context("the database cannot be read")?;
    let mismatch = check_log(topic, settings.kafka.partitions, &log, noted.with(&position)).err();
    let status = Status {
        topic: topic.clone(),
        group: settings.consumer.group.clone(),
        epoch: position.epoch.get(),
        lag: partitions.iter().map(|partition| partition.lag).sum(),
        lag_seconds: partitions.iter().map(|partition| partition.lag_seconds).fold(0.0, f64::max),
        newer,
        mismatch: mismatch.map(|mismatch| mismatch.to_string()),
        partitions,
    };
    if json { answer_json(&status) } else { print(&status) }
}

fn print(status: &Status) -> anyhow::Result<()> {
    answer(format!("topic {}   group {}   epoch {}", status.topic, status.group, status.epoch));
    answer(format!(
        "{:>9} {:>12} {:>12} {:>12} {:>12} {:>10} {:>10}",
        "partition", "log start", "log end", "stored", "group", "lag", "lag (s)"
    ));
    let number = |offset: Option<i64>| offset.map_or_else(|| "-".to_owned(), |offset| offset.to_string());
    for line in &status.partitions {
        answer(format!(
            "{:>9} {:>12} {:>12} {:>12} {:>12} {:>10} {:>10.1}",
            line.partition,
            line.log_start,
            line.log_end,
            number(line.stored),
            number(line.group),
            line.lag,
            line.lag_seconds
        ));
    }
    answer(match status.lag {
        0 => "everything is stored".to_owned(),
        lag => format!("{lag} records are not stored yet, the oldest for {:.1} s", status.lag_seconds),
    });
    for newer in &status.newer {
        answer(format!("STOPPED: {newer}"));
    }
    if let Some(mismatch) = &status.mismatch {
        answer(format!("MISMATCH: {mismatch}"));
    }
    Ok(())
}

/// The record at `offset`; `None` when that cannot be told.
async fn read(settings: &Settings, partition: i32, offset: i64) -> Option<RawRecord> {
    origin::read(&settings.kafka, partition, offset).await.ok().flatten()
}

/// How long ago a record came; 0 when that cannot be told.
fn age(record: &RawRecord) -> f64 {
    record.timestamp_ms.map_or(0.0, |ms| ((Timestamp::now().unix_ms() - ms).max(0) as f64) / 1_000.0)
}

async fn group_offsets(
    settings: &Settings,
    log: &BTreeMap<i32, PartitionState>,
) -> anyhow::Result<BTreeMap<i32, i64>> {
    let config = client_config(&settings.kafka, &Role::Consumer { group: settings.consumer.group.clone() });
    let topic = settings.kafka.topic.clone();
    let partitions: Vec<i32> = log.keys().copied().collect();
    let ask = move || -> anyhow::Result<BTreeMap<i32, i64>> {
        let consumer: BaseConsumer = config.create()?;
        let mut list = TopicPartitionList::new();
        for partition in partitions {
            list.add_partition(&topic, partition);
        }
        let list = consumer.committed_offsets(list, ANSWER_TIMEOUT)?;
        let offsets = list.elements();
        Ok(offsets
            .iter()
            .filter_map(|element| Some((element.partition(), element.offset().to_raw()?)))
            .filter(|(_, offset)| *offset >= 0)
            .collect())
    };
    tokio::task::spawn_blocking(ask).await?
}
