//! librdkafka properties by role.
//!
//! Order: what the role needs, then `[kafka.properties]` on top, so that an operator can change anything,
//! except what the promises rest on (`acks`, idempotence, manual offsets), which is set last.

use milena_settings::KafkaSettings;
use rdkafka::ClientConfig;

use crate::capacity::BATCH_MAX_BYTES;
use crate::scope::concerns;

/// What a client is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Role {
    /// The backend's and the import's producer: idempotent, `acks=all`.
    Producer {
        /// A record that is not confirmed by then fails.
        timeout_ms: u64,
    },
    /// The backend's reader of all partitions: assigns by itself, no group.
    Tail,
    /// The consumer group that stores.
    Consumer {
        /// The group's name.
        group: String,
    },
    /// The group of those backends that push: what is late is worth nothing.
    Notifier {
        /// The group's name.
        group: String,
    },
    /// The backend's producer of signals: what is late is worth nothing, so nothing is kept or repeated for
    /// long.
    SignalSender,
    /// The backend's reader of signals, from the end of their topic: assigns by itself, no group.
    SignalReader,
    /// Metadata, topics, watermarks.
    Admin,
}

/// The client configuration of `role`.
#[must_use]
pub fn client_config(settings: &KafkaSettings, role: &Role) -> ClientConfig {
    let mut config = ClientConfig::new();
    config
        .set("bootstrap.servers", &settings.brokers)
        .set("client.id", "milena")
        // A broker that comes back is found within about a second, not after librdkafka's default of ten.
        .set("reconnect.backoff.ms", "100")
        .set("reconnect.backoff.max.ms", "1000")
        .set("socket.keepalive.enable", "true")
        // A topic that was just created may be missing in the next metadata answer for a moment.
        .set("topic.metadata.refresh.interval.ms", "60000");
    match role {
        Role::Producer { timeout_ms } => {
            config
                .set("message.timeout.ms", timeout_ms.to_string())
                // One message alone leaves at once; under load librdkafka batches what gathers in 1 ms.
                .set("linger.ms", "1")
                .set("queue.buffering.max.messages", "100000")
                .set("queue.buffering.max.kbytes", "262144")
                .set("message.max.bytes", BATCH_MAX_BYTES.to_string())
                // librdkafka may go over its limit by one message, and the broker would refuse the batch.
                .set("batch.size", "900000")
                // Requests that a hanging broker took with it must not keep the idempotent producer from
                // starting over.
                .set("socket.timeout.ms", "10000")
                .set("retry.backoff.ms", "50")
                .set("retry.backoff.max.ms", "500");
        }
        Role::Tail => {
            config
                .set("fetch.wait.max.ms", "500")
                .set("fetch.min.bytes", "1")
                .set("queued.min.messages", "20000")
                .set("queued.max.messages.kbytes", "32768")
                .set("fetch.queue.backoff.ms", "20")
                .set("fetch.error.backoff.ms", "200")
                // A broker that hangs must not look alive for a minute: answers about completeness depend on
                // it.
                .set("socket.timeout.ms", "10000");
        }
        Role::Consumer { .. } => {
            config
                // Nobody waits for the store: fetching every record as it comes would cost more than storing
                // it. An answer comes with this many bytes or after this time, whichever is first.
                .set("fetch.wait.max.ms", "100")
                .set("fetch.min.bytes", "65536")
                .set("queued.min.messages", "20000")
                .set("queued.max.messages.kbytes", "32768")
                .set("fetch.queue.backoff.ms", "20")
                .set("fetch.error.backoff.ms", "200")
                .set("partition.assignment.strategy", "cooperative-sticky")
                // A consumer that crashed keeps its partitions for this long.
                .set("session.timeout.ms", "10000")
                .set("heartbeat.interval.ms", "1000");
        }
        Role::Notifier { .. } => {
            config
                .set("fetch.wait.max.ms", "500")
                .set("fetch.min.bytes", "1")
                .set("queued.min.messages", "1000")
                .set("queued.max.messages.kbytes", "4096")
                .set("fetch.queue.backoff.ms", "20")
                .set("fetch.error.backoff.ms", "200")
                .set("partition.assignment.strategy", "cooperative-sticky")
                .set("session.timeout.ms", "10000")
                .set("heartbeat.interval.ms", "1000");
        }
        Role::SignalSender => {
            config
                .set("message.timeout.ms", "5000")
                .set("linger.ms", "5")
                .set("queue.buffering.max.messages", "10000")
                .set("socket.timeout.ms", "10000");
        }
        Role::SignalReader => {
            config
                .set("queued.min.messages", "1000")
                .set("queued.max.messages.kbytes", "1024")
                .set("fetch.error.backoff.ms", "200")
                .set("socket.timeout.ms", "10000");
        }
        Role::Admin => {}
    }
    for (name, value) in settings.properties.iter().filter(|(name, _)| concerns(role, name)) {
        config.set(name, value);
    }
    match role {
        Role::Producer { .. } => {
            // The partitioner too: readers compute where a conversation lives.
            config.set("acks", "all").set("enable.idempotence", "true").set("partitioner", "murmur2_random");
        }
        Role::Tail | Role::SignalReader => {
            // librdkafka wants a group name even from a client that never joins one.
            config.set("group.id", "milena-tail");
        }
        Role::Consumer { group } => {
            config.set("group.id", group);
        }
        Role::Notifier { group } => {
            // The group's offsets are for lag tools alone. What retention has taken is older than anything
            // that is pushed.
            config
                .set("group.id", group)
                .set("enable.auto.commit", "true")
                .set("enable.auto.offset.store", "true")
                .set("auto.offset.reset", "latest");
        }
        Role::SignalSender => {
            // What was repeated could come twice, or after what is newer.
            config.remove("message.send.max.retries");
            config
                .set("enable.idempotence", "false")
                .set("enable.gapless.guarantee", "false")
                .set("acks", "1")
                .set("retries", "0");
        }
        Role::Admin => {}
    }
    if matches!(role, Role::Tail | Role::Consumer { .. }) {
        // Offsets that are gone must be noticed, not jumped over.
        config
            .set("enable.auto.commit", "false")
            .set("enable.auto.offset.store", "false")
            .set("auto.offset.reset", "error");
    }
    if *role == Role::SignalReader {
        config.set("enable.auto.commit", "false").set("auto.offset.reset", "latest");
    }
    config
}

#[cfg(test)]
mod tests {
    use milena_settings::Settings;
    use rdkafka::consumer::BaseConsumer;
    use rdkafka::producer::{DefaultProducerContext, ThreadedProducer};

    use super::*;

    #[test]
    fn librdkafka_accepts_every_roles_properties() {
        let settings = Settings::defaults().kafka;
        let producer: Result<ThreadedProducer<DefaultProducerContext>, _> =
            client_config(&settings, &Role::Producer { timeout_ms: 4_000 }).create();
        assert!(producer.is_ok());
        let signals: Result<ThreadedProducer<DefaultProducerContext>, _> =
            client_config(&settings, &Role::SignalSender).create();
        assert!(signals.is_ok());
        let (group, notifier) = (Role::Consumer { group: "g".into() }, Role::Notifier { group: "g".into() });
        for role in [Role::Tail, group, notifier, Role::SignalReader, Role::Admin] {
            let consumer: Result<BaseConsumer, _> = client_config(&settings, &role).create();
            assert!(consumer.is_ok(), "{role:?}");
        }
    }

    #[test]
    fn an_operator_cannot_weaken_the_promises() {
        let mut settings = Settings::defaults().kafka;
        settings.properties.insert("acks".into(), "0".into());
        settings.properties.insert("security.protocol".into(), "ssl".into());
        let config = client_config(&settings, &Role::Producer { timeout_ms: 4_000 });
        assert_eq!(config.get("acks"), Some("all"));
        settings.properties.insert("enable.idempotence".into(), "true".into());
        let signals = client_config(&settings, &Role::SignalSender);
        assert_eq!([signals.get("acks"), signals.get("enable.idempotence")], [Some("1"), Some("false")]);
        assert_eq!(config.get("security.protocol"), Some("ssl"));
    }
}
