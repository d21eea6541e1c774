//! Which clients a librdkafka property is for.
//!
//! `[kafka.properties]` is one list for all clients, and librdkafka warns of a consumer's property on a
//! producer and the other way round, each time a client starts. So each gets what concerns it. A property
//! that neither list names concerns both, or is a mistake, which librdkafka then refuses by name.

use crate::Role;

/// Those that librdkafka's CONFIGURATION.md marks with C.
const CONSUMER: [&str; 31] = [
    "auto.commit.enable",
    "auto.commit.interval.ms",
    "auto.offset.reset",
    "check.crcs",
    "consume.callback.max.messages",
    "coordinator.query.interval.ms",
    "enable.auto.commit",
    "enable.auto.offset.store",
    "enable.partition.eof",
    "fetch.error.backoff.ms",
    "fetch.max.bytes",
    "fetch.message.max.bytes",
    "fetch.min.bytes",
    "fetch.queue.backoff.ms",
    "fetch.wait.max.ms",
    "group.id",
    "group.instance.id",
    "group.protocol",
    "group.protocol.type",
    "group.remote.assignor",
    "heartbeat.interval.ms",
    "isolation.level",
    "max.partition.fetch.bytes",
    "max.poll.interval.ms",
    "offset.store.method",
    "offset.store.path",
    "offset.store.sync.interval.ms",
    "partition.assignment.strategy",
    "queued.max.messages.kbytes",
    "queued.min.messages",
    "session.timeout.ms",
];

/// Those that it marks with P.
const PRODUCER: [&str; 26] = [
    "acks",
    "batch.num.messages",
    "batch.size",
    "compression.codec",
    "compression.level",
    "compression.type",
    "delivery.report.only.error",
    "delivery.timeout.ms",
    "enable.gapless.guarantee",
    "enable.idempotence",
    "linger.ms",
    "message.send.max.retries",
    "message.timeout.ms",
    "partitioner",
    "produce.offset.report",
    "queue.buffering.backpressure.threshold",
    "queue.buffering.max.kbytes",
    "queue.buffering.max.messages",
    "queue.buffering.max.ms",
    "queuing.strategy",
    "request.required.acks",
    "request.timeout.ms",
    "retries",
    "sticky.partitioning.linger.ms",
    "transaction.timeout.ms",
    "transactional.id",
];

/// Whether a client of this role is to be given the property.
pub(crate) fn concerns(role: &Role, property: &str) -> bool {
    let of = |list: &[&str]| list.contains(&property);
    match role {
        Role::Producer { .. } | Role::SignalSender => !of(&CONSUMER),
        // Backends are given the same settings: one name would be that of several members.
        Role::Notifier { .. } if property == "group.instance.id" => false,
        Role::Tail | Role::SignalReader | Role::Consumer { .. } | Role::Notifier { .. } => !of(&PRODUCER),
        // Clients of both kinds ask for metadata.
        Role::Admin => !of(&CONSUMER) && !of(&PRODUCER),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_gets_what_concerns_it() {
        let producer = Role::Producer { timeout_ms: 1 };
        let consumer = Role::Consumer { group: "g".into() };
        for (property, of_producer, of_consumer, of_admin) in [
            ("session.timeout.ms", false, true, false),
            ("linger.ms", true, false, false),
            ("security.protocol", true, true, true),
            ("no.such.property", true, true, true),
        ] {
            assert_eq!(concerns(&producer, property), of_producer, "{property}");
            assert_eq!(concerns(&consumer, property), of_consumer, "{property}");
            assert_eq!(concerns(&Role::Tail, property), of_consumer, "{property}");
            let notifier = Role::Notifier { group: "g".into() };
            assert_eq!(concerns(&notifier, property), of_consumer, "{property}");
            assert_eq!(concerns(&Role::SignalSender, property), of_producer, "{property}");
            assert_eq!(concerns(&Role::SignalReader, property), of_consumer, "{property}");
            assert_eq!(concerns(&Role::Admin, property), of_admin, "{property}");
        }
    }
}
