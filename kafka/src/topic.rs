//! The topics: created when missing, and looked at before anything is read or written.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use milena_domain::PartitionState;
use milena_settings::KafkaSettings;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::types::RDKafkaErrorCode;

use crate::{LogError, Quiet, Role, client_config};

/// Creates the message topic and the dead-letter topic when they are missing, and waits until they can be used.
///
/// Records are kept for ever (`retention.ms=-1`): the log is what the store can be rebuilt from. A topic that exists
/// is left as it is.
///
/// # Errors
/// [`LogError::Unreachable`] when no broker answers within `timeout`, [`LogError::Create`] when the broker refuses.
pub async fn ensure_topics(settings: &KafkaSettings, timeout: Duration) -> Result<(), LogError> {
    let deadline = Instant::now() + timeout;
    for (topic, partitions) in [(&settings.topic, settings.partitions), (&settings.dead_topic, 1)] {
        if partition_count(settings, topic, deadline).await? > 0 {
            continue;
        }
        create(settings, topic, partitions, deadline).await?;
        while partition_count(settings, topic, deadline).await? < partitions {
            if Instant::now() >= deadline {
                return Err(LogError::Create {
                    topic: topic.clone(),
                    reason: "it was created but does not appear".to_owned(),
                });
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
    Ok(())
}

async fn create(
    settings: &KafkaSettings,
    topic: &str,
    partitions: usize,
    deadline: Instant,
) -> Result<(), LogError> {
    let admin: AdminClient<Quiet> = client_config(settings, &Role::Admin)
        .create_with_context(Quiet::default())
        .map_err(LogError::Properties)?;
    let count = i32::try_from(partitions).unwrap_or(i32::MAX);
    let new_topic = NewTopic::new(topic, count, TopicReplication::Fixed(settings.replication_factor))
        .set("retention.ms", "-1")
        .set("retention.bytes", "-1")
        .set("cleanup.policy", "delete");
    let options = AdminOptions::new().operation_timeout(Some(remaining(deadline)));
    let results = admin
        .create_topics([&new_topic], &options)
        .await
        .map_err(|source| LogError::Unreachable { brokers: settings.brokers.clone(), source })?;
    for result in results {
        match result {
            // Several programs may start at once; whoever comes second finds it made.
            Ok(_) | Err((_, RDKafkaErrorCode::TopicAlreadyExists)) => {}
            Err((topic, code)) => return Err(LogError::Create { topic, reason: code.to_string() }),
        }
    }
    Ok(())
}

async fn partition_count(
    settings: &KafkaSettings,
    topic: &str,
    deadline: Instant,
) -> Result<usize, LogError> {
    let topic = topic.to_owned();
    blocking(settings, move |consumer, brokers| {
        let metadata = consumer
            .fetch_metadata(Some(&topic), remaining(deadline))
            .map_err(|source| LogError::Unreachable { brokers, source })?;
        Ok(metadata
            .topics()
            .first()
            .filter(|topic| topic.error().is_none())
            .map_or(0, |t| t.partitions().len()))
    })
    .await
}

/// The first and the next offset of each partition of the message topic.
///
/// # Errors
/// [`LogError::Unreachable`] or [`LogError::State`] when the broker does not answer within `timeout`.
pub async fn partition_states(
    settings: &KafkaSettings,
    timeout: Duration,
) -> Result<BTreeMap<i32, PartitionState>, LogError> {
    let deadline = Instant::now() + timeout;
    let topic = settings.topic.clone();
    let count = partition_count(settings, &topic, deadline).await?;
    blocking(settings, move |consumer, _| {
        let mut states = BTreeMap::new();
        for partition in 0..i32::try_from(count).unwrap_or(i32::MAX) {
            let (low, high) = consumer
                .fetch_watermarks(&topic, partition, remaining(deadline))
                .map_err(|source| LogError::State { topic: topic.clone(), source })?;
            states.insert(partition, PartitionState { low, high });
        }
        Ok(states)
    })
    .await
}

/// librdkafka's metadata calls block, and dropping a client can take a moment: both stay off the async threads.
async fn blocking<T: Send + 'static>(
    settings: &KafkaSettings,
    ask: impl FnOnce(&BaseConsumer<Quiet>, String) -> Result<T, LogError> + Send + 'static,
) -> Result<T, LogError> {
    let config = client_config(settings, &Role::Tail);
    let brokers = settings.brokers.clone();
    tokio::task::spawn_blocking(move || {
        let consumer: BaseConsumer<Quiet> =
            config.create_with_context(Quiet::default()).map_err(LogError::Properties)?;
        ask(&consumer, brokers)
    })
    .await
    .map_err(|_| LogError::Ended)?
}

fn remaining(deadline: Instant) -> Duration {
    deadline.saturating_duration_since(Instant::now()).max(Duration::from_millis(1))
}
