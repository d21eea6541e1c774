//! Whether every accepted message fits into the log and stays there, looked at before one is accepted.
//!
//! A broker judges whole batches by `max.message.bytes`. The largest message alone is far below every usual
//! limit, but a batch is as large as the producer makes it.

use std::time::Duration;

use milena_settings::KafkaSettings;
use rdkafka::admin::{AdminClient, AdminOptions, ResourceSpecifier};

use crate::{LogError, Quiet, Role, client_config};

/// What our producers may send at once (`message.max.bytes`), and so what the topic must take.
pub(crate) const BATCH_MAX_BYTES: u64 = 1_000_000;
const PRODUCER_PROPERTY: &str = "message.max.bytes";
const TOPIC_PROPERTY: &str = "max.message.bytes";

/// Refuses limits that are too small. Where nobody may read the topic's configuration nothing is known, and
/// the log says so.
pub(crate) async fn check(settings: &KafkaSettings, timeout: Duration) -> Result<(), LogError> {
    let own = settings.properties.get(PRODUCER_PROPERTY).and_then(|value| value.parse().ok());
    let needed = own.unwrap_or(BATCH_MAX_BYTES);
    enough(|| format!("\"{PRODUCER_PROPERTY}\" of kafka.properties"), needed, BATCH_MAX_BYTES)?;
    let admin: AdminClient<Quiet> = client_config(settings, &Role::Admin)
        .create_with_context(Quiet::default())
        .map_err(LogError::refused)?;
    let topic = settings.topic.as_str();
    let options = AdminOptions::new().request_timeout(Some(timeout));
    let described = admin.describe_configs([&ResourceSpecifier::Topic(topic)], &options).await;
    // Dropping a client joins its thread.
    tokio::task::spawn_blocking(move || drop(admin));
    // The brokers answered a moment ago. Who cannot tell this (a service that speaks Kafka without this
    // request, say) is not waited for: nothing is known then.
    let mut described = match described {
        Ok(described) => described,
        Err(error) => {
            log::warn!(topic; "whether {TOPIC_PROPERTY} is large enough is not known: {error}");
            return Ok(());
        }
    };
    match described.pop() {
        Some(Ok(config)) => {
            judge(topic, |name| config.get(name).and_then(|entry| entry.value.as_deref()), needed)
        }
        Some(Err(code)) if crate::error::passes(code) => Err(LogError::Missing { topic: topic.to_owned() }),
        Some(Err(code)) => {
            log::warn!(topic; "whether {TOPIC_PROPERTY} is large enough is not known: {code}");
            Ok(())
        }
        None => Ok(()),
    }
}

/// Judges a topic by its configuration.
fn judge<'a>(topic: &str, value: impl Fn(&str) -> Option<&'a str>, needed: u64) -> Result<(), LogError> {
    if value("cleanup.policy").is_some_and(|policy| policy.contains("compact")) {
        return Err(LogError::Compacted { topic: topic.to_owned() });
    }
    match value(TOPIC_PROPERTY).and_then(|value| value.parse().ok()) {
        Some(actual) => enough(|| format!("{TOPIC_PROPERTY} of topic {topic}"), actual, needed),
        None => Ok(()),
    }
}

fn enough(setting: impl FnOnce() -> String, actual: u64, needed: u64) -> Result<(), LogError> {
    if actual >= needed {
        return Ok(());
    }
    Err(LogError::TooSmall { setting: setting(), actual, needed })
}

#[cfg(test)]
mod tests {
    use milena_settings::Settings;

    use super::*;

    #[test]
    fn a_topic_that_would_lose_messages_is_refused_by_name() {
        let with = |policy: &'static str, bytes: &'static str| {
            let value = move |name: &str| Some(if name == TOPIC_PROPERTY { bytes } else { policy });
            judge("t", value, BATCH_MAX_BYTES).map_err(|error| error.to_string())
        };
        assert_eq!(with("delete", "1048588"), Ok(()));
        assert!(with("compact,delete", "1048588").unwrap_err().contains("cleanup.policy = compact"));
        assert!(with("delete", "20000").unwrap_err().contains("max.message.bytes of topic t is 20000"));
        assert!(judge("t", |_| None, BATCH_MAX_BYTES).is_ok(), "nothing is known");
    }

    #[tokio::test]
    async fn a_producers_own_limit_is_refused_by_name() {
        let mut settings = Settings::defaults().kafka;
        settings.properties.insert(PRODUCER_PROPERTY.to_owned(), "20000".to_owned());
        let error = check(&settings, Duration::from_millis(1)).await.unwrap_err();
        assert!(!error.is_temporary());
        let said = error.to_string();
        assert!(said.contains("\"message.max.bytes\" of kafka.properties is 20000 bytes"), "{said}");
    }
}
