//! What the program can do besides `run`, one file a command. Each prints what it found to standard output,
//! as text for people or, with `--json`, for scripts; each failure is one sentence.

pub(crate) mod arguments;
mod checkpoint;
pub(crate) mod dead;
pub(crate) mod new_epoch;
pub(crate) mod replay;
pub(crate) mod rewrite;
pub(crate) mod status;
pub(crate) mod verify;

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::Context;
use milena_domain::PartitionState;
use milena_kafka::partition_states;
use milena_process::answer;
use milena_settings::{KafkaSettings, Settings};
use milena_storage::Store;
use serde::Serialize;

/// Kafka must answer within this time.
const KAFKA_TIMEOUT: Duration = Duration::from_secs(10);
/// It has answered a moment ago: a further connection that takes long is no fault.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);

/// The topic's partitions, of which there must be some: a command that only looks does not create what it
/// looks at.
async fn existing(kafka: &KafkaSettings) -> anyhow::Result<BTreeMap<i32, PartitionState>> {
    let states = partition_states(kafka, KAFKA_TIMEOUT).await?;
    if states.is_empty() {
        anyhow::bail!(
            "topic {} does not exist yet: {} creates it",
            kafka.topic,
            milena_domain::cure::whoever_stores()
        );
    }
    Ok(states)
}

/// The database of the settings, its tables up to date.
pub(crate) async fn open(settings: &Settings) -> anyhow::Result<Store> {
    let store = Store::open(&settings.database).await.context("the database cannot be opened")?;
    Ok(store.keeping_edits(settings.chat.keep_edits))
}

/// Prints a value as one line of JSON.
fn answer_json(value: &impl Serialize) -> anyhow::Result<()> {
    answer(serde_json::to_string(value)?);
    Ok(())
}
