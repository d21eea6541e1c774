//! The topics: created when missing, and looked at before anything is read or written.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use milena_domain::PartitionState;
use milena_settings::KafkaSettings;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::types::RDKafkaErrorCode;
use tokio::sync::oneshot;

use crate::error::passes;
use crate::{LogError, Quiet, Role, capacity, check_properties, client_config};

/// Between two questions for the same.
const LEADER_PATIENCE: Duration = Duration::from_millis(100);
/// One question blocks its thread so long at most, and with it the end of a program that is told to stop.
/// Then it is asked again through the same client, which goes on connecting meanwhile, however slow that is.
const QUESTION: Duration = Duration::from_secs(5);

/// A topic that must be there.
struct Wanted<'a> {
    topic: &'a str,
    partitions: usize,
    /// `-1` for ever.
    retention_ms: &'static str,
    /// When a new segment is begun, if not when Kafka says so. It deletes whole segments only.
    segment_ms: Option<&'static str>,
    max_message_bytes: &'static str,
}

/// Creates the message topic and the dead-letter topic when they are missing, and waits until they can be
/// used.
///
/// Records are kept for ever (`retention.ms=-1`): the log is what the store can be rebuilt from. A topic that
/// exists is left as it is.
///
/// # Errors
/// [`LogError::Unreachable`] when no broker answers within `timeout`, [`LogError::Create`] when the broker
/// refuses, [`LogError::TooSmall`] when not every accepted message would fit.
pub async fn ensure_topics(settings: &KafkaSettings, timeout: Duration) -> Result<(), LogError> {
    let wanted = [
        Wanted {
            topic: &settings.topic,
            partitions: settings.partitions,
            retention_ms: "-1",
            segment_ms: None,
            max_message_bytes: "1048588",
        },
        // A dead letter is its record and some headers: what fits the first topic must fit the second.
        Wanted {
            topic: &settings.dead_topic,
            partitions: 1,
            retention_ms: "-1",
            segment_ms: None,
            max_message_bytes: "2097152",
        },
    ];
    let deadline = Instant::now() + timeout;
    ensure(settings, wanted, timeout).await?;
    capacity::check(settings, remaining(deadline)).await
}

/// Creates the topic of signals when it is missing, and waits until it can be used: its number of partitions.
/// A signal is worth nothing after a moment; they are kept for an hour or two, so that somebody who looks for
/// a fault can see them.
///
/// # Errors
/// Those of [`ensure_topics`].
pub async fn ensure_signals_topic(settings: &KafkaSettings, timeout: Duration) -> Result<usize, LogError> {
    let wanted = Wanted {
        topic: &settings.signals_topic,
        partitions: 1,
        retention_ms: "3600000",
        segment_ms: Some("3600000"),
        max_message_bytes: "1048588",
    };
    ensure(settings, [wanted], timeout).await.map(|[count]| count)
}

/// How many partitions each has.
async fn ensure<const N: usize>(
    settings: &KafkaSettings,
    wanted: [Wanted<'_>; N],
    timeout: Duration,
) -> Result<[usize; N], LogError> {
    let deadline = Instant::now() + timeout;
    let names = wanted.each_ref().map(|wanted| wanted.topic.to_owned());
    let mut counts = partition_counts(settings, names, deadline).await?;
    for (wanted, count) in wanted.into_iter().zip(&mut counts) {
        if *count > 0 {
            continue;
        }
        create(settings, &wanted, deadline).await?;
        loop {
            [*count] = partition_counts(settings, [wanted.topic.to_owned()], deadline).await?;
            if *count >= wanted.partitions {
                break;
            }
            if Instant::now() >= deadline {
                return Err(LogError::Create {
                    topic: wanted.topic.to_owned(),
                    reason: "it was created but does not appear".to_owned(),
                    passes: true,
                });
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
    Ok(counts)
}

async fn create(settings: &KafkaSettings, wanted: &Wanted<'_>, deadline: Instant) -> Result<(), LogError> {
    let admin: AdminClient<Quiet> = client_config(settings, &Role::Admin)
        .create_with_context(Quiet::default())
        .map_err(LogError::refused)?;
    let count = i32::try_from(wanted.partitions).unwrap_or(i32::MAX);
    let mut new_topic =
        NewTopic::new(wanted.topic, count, TopicReplication::Fixed(settings.replication_factor))
            .set("retention.ms", wanted.retention_ms)
            .set("retention.bytes", "-1")
            .set("cleanup.policy", "delete")
            .set("max.message.bytes", wanted.max_message_bytes);
    if let Some(segment_ms) = wanted.segment_ms {
        new_topic = new_topic.set("segment.ms", segment_ms);
    }
    let options = AdminOptions::new().operation_timeout(Some(remaining(deadline)));
    let results = admin.create_topics([&new_topic], &options).await;
    // Dropping a client joins its thread.
    tokio::task::spawn_blocking(move || drop(admin));
    let results =
        results.map_err(|source| LogError::Unreachable { brokers: settings.brokers.clone(), source })?;
    for result in results {
        match result {
            // Several programs may start at once; whoever comes second finds it made.
            Ok(_) | Err((_, RDKafkaErrorCode::TopicAlreadyExists)) => {}
            Err((topic, code)) => {
                return Err(LogError::Create { topic, reason: code.to_string(), passes: passes(code) });
            }
        }
    }
    Ok(())
}

/// How many partitions each topic has; 0 when it is missing.
pub(crate) async fn partition_counts<const N: usize>(
    settings: &KafkaSettings,
    topics: [String; N],
    deadline: Instant,
) -> Result<[usize; N], LogError> {
    blocking(settings, deadline, move |questions| {
        let mut counts = [0; N];
        for (count, topic) in counts.iter_mut().zip(&topics) {
            *count = questions.count_of(topic)?;
        }
        Ok(counts)
    })
    .await
}

/// How many partitions a topic has, and how many copies of each; 0 when it is missing.
pub(crate) async fn replicas(
    settings: &KafkaSettings,
    topic: &str,
    deadline: Instant,
) -> Result<(usize, i32), LogError> {
    let topic = topic.to_owned();
    blocking(settings, deadline, move |questions| {
        let metadata = questions
            .ask(|limit| questions.consumer.fetch_metadata(Some(&topic), limit), |_| true)
            .map_err(|source| LogError::Unreachable { brokers: questions.brokers.to_owned(), source })?;
        let found = metadata.topics().first().filter(|topic| topic.error().is_none());
        let partitions = found.map_or(&[][..], |topic| topic.partitions());
        let copies = partitions.first().map_or(1, |partition| partition.replicas().len());
        Ok((partitions.len(), i32::try_from(copies).unwrap_or(1)))
    })
    .await
}

/// How many partitions the message topic has; 0 when it is missing.
///
/// # Errors
/// [`LogError::Unreachable`] when no broker answers within `timeout`.
pub async fn partition_count(settings: &KafkaSettings, timeout: Duration) -> Result<usize, LogError> {
    let topics = [settings.topic.clone()];
    partition_counts(settings, topics, Instant::now() + timeout).await.map(|[count]| count)
}

/// What is asked of one client, until the deadline or until nobody waits for the answer any more.
struct Questions<'a> {
    consumer: BaseConsumer<Quiet>,
    brokers: &'a str,
    deadline: Instant,
    is_awaited: &'a dyn Fn() -> bool,
}

impl Questions<'_> {
    fn count_of(&self, topic: &str) -> Result<usize, LogError> {
        let metadata = self
            .ask(|limit| self.consumer.fetch_metadata(Some(topic), limit), |_| true)
            .map_err(|source| LogError::Unreachable { brokers: self.brokers.to_owned(), source })?;
        let found = metadata.topics().first().filter(|topic| topic.error().is_none());
        Ok(found.map_or(0, |topic| topic.partitions().len()))
    }

    /// Asks again while a partition has no leader, librdkafka thinks of another one, or its broker has not
    /// heard of it yet.
    fn watermarks(&self, topic: &str, partition: i32) -> Result<(i64, i64), KafkaError> {
        let ask = |limit| self.consumer.fetch_watermarks(topic, partition, limit);
        self.ask(ask, |error| error.rdkafka_error_code().is_some_and(passes))
    }

    fn ask<T>(
        &self,
        question: impl Fn(Duration) -> Result<T, KafkaError>,
        passes: impl Fn(&KafkaError) -> bool,
    ) -> Result<T, KafkaError> {
        loop {
            let error = match question(remaining(self.deadline).min(QUESTION)) {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            if !passes(&error) || Instant::now() >= self.deadline || !(self.is_awaited)() {
                return Err(error);
            }
            std::thread::sleep(LEADER_PATIENCE);
        }
    }
}

/// [`partition_states`] of a topic that is there, as [`ensure_topics`] has seen it: a broker that has not
/// heard of it yet is no answer.
///
/// # Errors
/// [`LogError::Missing`], which passes; else those of [`partition_states`].
pub async fn existing_partition_states(
    settings: &KafkaSettings,
    timeout: Duration,
) -> Result<BTreeMap<i32, PartitionState>, LogError> {
    let states = partition_states(settings, timeout).await?;
    if states.is_empty() { Err(LogError::Missing { topic: settings.topic.clone() }) } else { Ok(states) }
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
    blocking(settings, deadline, move |questions| {
        let count = questions.count_of(&topic)?;
        let mut states = BTreeMap::new();
        for partition in 0..i32::try_from(count).unwrap_or(i32::MAX) {
            let (low, high) = questions
                .watermarks(&topic, partition)
                .map_err(|source| LogError::State { topic: topic.clone(), source })?;
            states.insert(partition, PartitionState { low, high });
        }
        Ok(states)
    })
    .await
}

/// librdkafka's metadata calls block, and dropping a client takes a moment: both stay off the async threads,
/// and nobody waits for the second.
async fn blocking<T: Send + 'static>(
    settings: &KafkaSettings,
    deadline: Instant,
    ask: impl FnOnce(&Questions<'_>) -> Result<T, LogError> + Send + 'static,
) -> Result<T, LogError> {
    check_properties(settings)?;
    let config = client_config(settings, &Role::Tail);
    let brokers = settings.brokers.clone();
    let (answer, answered) = oneshot::channel();
    tokio::task::spawn_blocking(move || {
        let asked = config.create_with_context(Quiet::default()).map_err(LogError::refused);
        let (outcome, consumer) = match asked {
            Ok(consumer) => {
                let is_awaited = || !answer.is_closed();
                let questions = Questions { consumer, brokers: &brokers, deadline, is_awaited: &is_awaited };
                (ask(&questions), Some(questions.consumer))
            }
            Err(error) => (Err(error), None),
        };
        // Whoever asked may be gone when the program stops meanwhile.
        let _ = answer.send(outcome);
        drop(consumer);
    });
    answered.await.map_err(|_| LogError::Ended)?
}

pub(crate) fn remaining(deadline: Instant) -> Duration {
    deadline.saturating_duration_since(Instant::now()).max(Duration::from_millis(1))
}
