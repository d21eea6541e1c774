//! What the program can do besides `run`, one file a command. Each prints what it found to standard output, as text for
//! people or, with `--json`, for scripts; each failure is one sentence.

pub(crate) mod dead;
pub(crate) mod new_epoch;
pub(crate) mod replay;
pub(crate) mod status;
pub(crate) mod verify;

use std::collections::BTreeMap;
use std::io::Write;
use std::time::Duration;

use milena_domain::PartitionState;
use milena_kafka::partition_states;
use milena_settings::KafkaSettings;
use serde::Serialize;

/// Kafka must answer within this time.
const KAFKA_TIMEOUT: Duration = Duration::from_secs(10);

/// The topic's partitions, of which there must be some: a command that only looks does not create what it looks at.
async fn existing(kafka: &KafkaSettings) -> anyhow::Result<BTreeMap<i32, PartitionState>> {
    let states = partition_states(kafka, KAFKA_TIMEOUT).await?;
    if states.is_empty() {
        anyhow::bail!(
            "topic {} does not exist yet: `kafka-consumer run` or the backend creates it",
            kafka.topic
        );
    }
    Ok(states)
}

/// Prints a line to standard output. A reader that went away (`| head`) is no error.
fn say(line: impl std::fmt::Display) {
    let _ = writeln!(std::io::stdout().lock(), "{line}");
}

/// Prints a value as one line of JSON.
fn say_json(value: &impl Serialize) -> anyhow::Result<()> {
    say(serde_json::to_string(value)?);
    Ok(())
}
