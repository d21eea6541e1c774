//! A topic like another one: its form is read, one of the same form is created, and one that is not needed
//! any more goes. For rewriting the message topic.

use std::time::{Duration, Instant};

use milena_settings::KafkaSettings;
use rdkafka::admin::{
    AdminClient, AdminOptions, ConfigSource, NewTopic, ResourceSpecifier, TopicReplication,
};
use rdkafka::types::RDKafkaErrorCode;

use crate::error::passes;
use crate::topic::{partition_counts, remaining, replicas};
use crate::{LogError, Quiet, Role, client_config};

/// Between two looks whether a topic has come or gone.
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// What a topic is like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopicForm {
    /// How many partitions it has.
    pub partitions: usize,
    replication: i32,
    /// What was set for it.
    config: Vec<(String, String)>,
}

/// The form of a topic; `None` when there is none.
///
/// # Errors
/// [`LogError::Unreachable`] when no broker answers within `timeout`.
pub async fn topic_form(
    settings: &KafkaSettings,
    topic: &str,
    timeout: Duration,
) -> Result<Option<TopicForm>, LogError> {
    let deadline = Instant::now() + timeout;
    let (partitions, replication) = replicas(settings, topic, deadline).await?;
    if partitions == 0 {
        return Ok(None);
    }
    let admin = admin(settings)?;
    let options = AdminOptions::new().request_timeout(Some(remaining(deadline)));
    let described = admin.describe_configs([&ResourceSpecifier::Topic(topic)], &options).await;
    drop_aside(admin);
    let unreachable = |source| LogError::Unreachable { brokers: settings.brokers.clone(), source };
    let mut config = Vec::new();
    for resource in described.map_err(unreachable)? {
        let resource = resource.map_err(|code| refused(topic, code))?;
        let of_topic = |source: &ConfigSource| matches!(source, ConfigSource::DynamicTopic);
        let set = resource.entries.into_iter().filter(|entry| of_topic(&entry.source));
        config.extend(set.filter_map(|entry| Some((entry.name, entry.value?))));
    }
    config.sort_unstable();
    Ok(Some(TopicForm { partitions, replication, config }))
}

/// Creates a topic of this form, unless there is one of the name, and waits until it can be used.
///
/// # Errors
/// [`LogError::Create`] when the broker refuses, or it does not appear within `timeout`.
pub async fn create_twin(
    settings: &KafkaSettings,
    topic: &str,
    form: &TopicForm,
    timeout: Duration,
) -> Result<(), LogError> {
    let deadline = Instant::now() + timeout;
    let count = i32::try_from(form.partitions).unwrap_or(i32::MAX);
    let mut new = NewTopic::new(topic, count, TopicReplication::Fixed(form.replication));
    for (name, value) in &form.config {
        new = new.set(name, value);
    }
    loop {
        let admin = admin(settings)?;
        let options = AdminOptions::new().operation_timeout(Some(remaining(deadline)));
        let results = admin.create_topics([&new], &options).await;
        drop_aside(admin);
        let results =
            results.map_err(|source| LogError::Unreachable { brokers: settings.brokers.clone(), source })?;
        match results.into_iter().next() {
            Some(Err((topic, code))) if code != RDKafkaErrorCode::TopicAlreadyExists => {
                return Err(LogError::Create { topic, reason: code.to_string(), passes: passes(code) });
            }
            _ => {}
        }
        if has_partitions(settings, topic, form.partitions, deadline).await? {
            return Ok(());
        }
        // One of the name was going when it was asked for.
        if Instant::now() >= deadline {
            let reason = "it was created but does not appear".to_owned();
            return Err(LogError::Create { topic: topic.to_owned(), reason, passes: true });
        }
    }
}

async fn has_partitions(
    settings: &KafkaSettings,
    topic: &str,
    wanted: usize,
    deadline: Instant,
) -> Result<bool, LogError> {
    let until = deadline.min(Instant::now() + Duration::from_secs(5));
    loop {
        let [count] = partition_counts(settings, [topic.to_owned()], deadline).await?;
        if count >= wanted || Instant::now() >= until {
            return Ok(count >= wanted);
        }
        tokio::time::sleep(LOOK_AGAIN).await;
    }
}

/// Deletes a topic, if there is one, and waits until it is gone.
///
/// # Errors
/// [`LogError::State`] when the broker refuses, or it is still there after `timeout`.
pub async fn delete_topic(settings: &KafkaSettings, topic: &str, timeout: Duration) -> Result<(), LogError> {
    let deadline = Instant::now() + timeout;
    loop {
        let [count] = partition_counts(settings, [topic.to_owned()], deadline).await?;
        if count == 0 {
            return Ok(());
        }
        let admin = admin(settings)?;
        let options = AdminOptions::new().operation_timeout(Some(remaining(deadline)));
        let results = admin.delete_topics(&[topic], &options).await;
        drop_aside(admin);
        let results =
            results.map_err(|source| LogError::Unreachable { brokers: settings.brokers.clone(), source })?;
        if let Some(Err((topic, code))) = results.into_iter().next()
            && code != RDKafkaErrorCode::UnknownTopicOrPartition
            && (!passes(code) || Instant::now() >= deadline)
        {
            return Err(refused(&topic, code));
        }
        tokio::time::sleep(LOOK_AGAIN).await;
        if Instant::now() >= deadline {
            return Err(refused(topic, RDKafkaErrorCode::OperationTimedOut));
        }
    }
}

fn admin(settings: &KafkaSettings) -> Result<AdminClient<Quiet>, LogError> {
    client_config(settings, &Role::Admin).create_with_context(Quiet::default()).map_err(LogError::refused)
}

/// Dropping a client joins its thread.
fn drop_aside(admin: AdminClient<Quiet>) {
    tokio::task::spawn_blocking(move || drop(admin));
}

fn refused(topic: &str, code: RDKafkaErrorCode) -> LogError {
    LogError::State { topic: topic.to_owned(), source: rdkafka::error::KafkaError::AdminOp(code) }
}
