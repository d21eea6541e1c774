//! Writing to the log as a backend does, and as somebody who should not.

use std::time::Duration;

use futures::StreamExt;
use futures::stream;
use milena_domain::{Body, ClientId, ConversationId, MessageEvent, Timestamp, UserId, partition_of};
use milena_kafka::{Quiet, Role, client_config, message_headers};
use rdkafka::message::Header;
use rdkafka::producer::{FutureProducer, FutureRecord};
use uuid::Uuid;

use crate::world::{PARTITIONS, World};

pub(crate) struct Log {
    producer: FutureProducer<Quiet>,
    topic: String,
}

impl Log {
    pub(crate) fn of(world: &World) -> Self {
        let producer = client_config(&world.settings.kafka, &Role::Producer { timeout_ms: 30_000 })
            .set("message.max.bytes", "2000000")
            .create_with_context(Quiet::default())
            .unwrap();
        Self { producer, topic: world.settings.kafka.topic.clone() }
    }

    /// Good messages, confirmed when this returns.
    pub(crate) async fn send(&self, events: impl IntoIterator<Item = MessageEvent>) {
        let send = |event: MessageEvent| async move {
            let (key, value) = (event.key(), event.encode());
            let record =
                FutureRecord::to(&self.topic).key(&key).payload(&value).headers(message_headers(&event));
            self.producer.send(record, Duration::from_secs(30)).await.unwrap();
        };
        stream::iter(events).map(send).buffered(500).collect::<()>().await;
    }

    /// Any bytes; answers partition and offset.
    pub(crate) async fn send_raw(&self, key: Option<&[u8]>, value: Option<&[u8]>) -> (i32, i64) {
        let mut record = FutureRecord::<[u8], [u8]>::to(&self.topic);
        record.key = key;
        record.payload = value;
        let delivery = self.producer.send(record, Duration::from_secs(30)).await.unwrap();
        (delivery.partition, delivery.offset)
    }

    /// A good message where it does not belong: in the partition behind its own, as of a producer with
    /// another partitioner. Answers its place.
    pub(crate) async fn send_astray(&self, event: &MessageEvent) -> (i32, i64) {
        self.send_record_astray(event.conversation, &event.encode()).await
    }

    /// The same of any record.
    pub(crate) async fn send_record_astray(&self, conversation: ConversationId, value: &[u8]) -> (i32, i64) {
        let astray = (partition_of(conversation, PARTITIONS) + 1) % PARTITIONS as i32;
        let key = conversation.to_string();
        let record = FutureRecord::to(&self.topic).key(&key).payload(value).partition(astray);
        let delivery = self.producer.send(record, Duration::from_secs(30)).await.unwrap();
        assert_eq!(delivery.partition, astray);
        (delivery.partition, delivery.offset)
    }

    /// A good message in the dead-letter topic.
    pub(crate) async fn publish_dead_letter(&self, world: &World, event: &MessageEvent) {
        let (key, value) = (event.key(), event.encode());
        let headers = [
            ("dead.reason", "unknown_version"),
            ("dead.topic", &self.topic),
            ("dead.partition", "0"),
            ("dead.offset", "999999"),
        ]
        .into_iter()
        .fold(message_headers(event), |headers, (key, value)| {
            headers.insert(Header { key, value: Some(value) })
        });
        let record =
            FutureRecord::to(&world.settings.kafka.dead_topic).key(&key).payload(&value).headers(headers);
        self.producer.send(record, Duration::from_secs(30)).await.unwrap();
    }
}

pub(crate) fn user(number: u128) -> UserId {
    UserId::from_uuid(Uuid::from_u128(number))
}

/// Message `number` of a crowd: 40 conversations, each message another client id.
pub(crate) fn message(number: u64) -> MessageEvent {
    MessageEvent::new(
        user(u128::from(number % 8)),
        user(100 + u128::from(number % 5)),
        ClientId::new(&format!("c-{number}")).unwrap(),
        Timestamp::from_unix_ms(1_700_000_000_000 + number as i64),
        Body::new(format!("message {number} – ✓")).unwrap(),
    )
}

pub(crate) fn messages(range: std::ops::Range<u64>) -> impl Iterator<Item = MessageEvent> {
    range.map(message)
}
