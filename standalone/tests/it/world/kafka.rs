//! What lies in the log, asked of it by librdkafka.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use rdkafka::ClientConfig;
use rdkafka::admin::{
    AdminClient, AdminOptions, AlterConfig, NewPartitions, NewTopic, ResourceSpecifier, TopicReplication,
};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::{Message, Offset, TopicPartitionList};

use super::until;

const PATIENCE: Duration = Duration::from_secs(20);

/// The number of records of a topic, over all partitions; 0 when it does not exist.
pub(crate) async fn log_counts(brokers: &str, topic: &str) -> i64 {
    let (brokers, topic) = (brokers.to_owned(), topic.to_owned());
    let count = move || {
        let client: BaseConsumer =
            ClientConfig::new().set("bootstrap.servers", brokers).set("group.id", "e2e").create().unwrap();
        let metadata = client.fetch_metadata(Some(&topic), PATIENCE).unwrap();
        let partitions = metadata.topics().iter().flat_map(|topic| topic.partitions());
        partitions
            .map(|partition| client.fetch_watermarks(&topic, partition.id(), PATIENCE).unwrap())
            .map(|(low, high)| high - low)
            .sum()
    };
    tokio::task::spawn_blocking(count).await.unwrap()
}

/// A record as it stands in the log.
pub(crate) struct LogRecord {
    pub(crate) partition: i32,
    pub(crate) offset: i64,
    pub(crate) key: Option<Vec<u8>>,
    pub(crate) value: Option<Vec<u8>>,
    /// When it was written.
    pub(crate) written_ms: Option<i64>,
}

/// All records of a topic as of now, each partition in its order; and how many partitions there are.
pub(crate) async fn read_log(brokers: &str, topic: &str) -> (usize, Vec<LogRecord>) {
    let (brokers, topic) = (brokers.to_owned(), topic.to_owned());
    let read = move || {
        let client: BaseConsumer = ClientConfig::new()
            .set("bootstrap.servers", brokers)
            .set("group.id", "e2e")
            .set("enable.auto.commit", "false")
            .create()
            .unwrap();
        let metadata = client.fetch_metadata(Some(&topic), PATIENCE).unwrap();
        let partitions: Vec<i32> = metadata.topics()[0].partitions().iter().map(|one| one.id()).collect();
        let mut list = TopicPartitionList::new();
        let mut left = BTreeMap::new();
        for &partition in &partitions {
            list.add_partition_offset(&topic, partition, Offset::Beginning).unwrap();
            let (low, high) = client.fetch_watermarks(&topic, partition, PATIENCE).unwrap();
            if high > low {
                left.insert(partition, high);
            }
        }
        client.assign(&list).unwrap();
        let mut records = Vec::new();
        let mut heard_at = Instant::now();
        while !left.is_empty() {
            assert!(heard_at.elapsed() < PATIENCE, "reading {topic}: {left:?} is left");
            let Some(Ok(message)) = client.poll(Duration::from_millis(200)) else { continue };
            heard_at = Instant::now();
            if left.get(&message.partition()).is_some_and(|high| message.offset() + 1 >= *high) {
                left.remove(&message.partition());
            }
            records.push(LogRecord {
                partition: message.partition(),
                offset: message.offset(),
                key: message.key().map(<[u8]>::to_vec),
                value: message.payload().map(<[u8]>::to_vec),
                written_ms: message.timestamp().to_millis(),
            });
        }
        (partitions.len(), records)
    };
    tokio::task::spawn_blocking(read).await.unwrap()
}

/// Deletes a topic and creates it again, as empty as it was at first: what a restore from nothing looks like.
pub(crate) async fn empty_topic(brokers: &str, topic: &str, partitions: i32) {
    let admin: AdminClient<DefaultClientContext> =
        ClientConfig::new().set("bootstrap.servers", brokers).create().unwrap();
    let options = AdminOptions::new().operation_timeout(Some(PATIENCE));
    admin.delete_topics(&[topic], &options).await.unwrap()[0].as_ref().expect("it is deleted");
    let again = NewTopic::new(topic, partitions, TopicReplication::Fixed(1));
    until("the topic is created again", 30, async || {
        // For a moment the old one is still being deleted.
        admin.create_topics([&again], &options).await.is_ok_and(|created| created[0].is_ok())
    })
    .await;
}

/// Adds partitions to a topic until it has so many, as `kafka-topics --alter` does.
pub(crate) async fn add_partitions(brokers: &str, topic: &str, partitions: usize) {
    let admin: AdminClient<DefaultClientContext> =
        ClientConfig::new().set("bootstrap.servers", brokers).create().unwrap();
    let wanted = NewPartitions::new(topic, partitions);
    let grown = admin.create_partitions([&wanted], &AdminOptions::new()).await.unwrap();
    assert!(grown.iter().all(Result::is_ok), "{grown:?}");
}

/// Changes how many bytes a batch of a topic may have, as `kafka-configs --alter` does.
pub(crate) async fn limit_batches(brokers: &str, topic: &str, bytes: usize) {
    let admin: AdminClient<DefaultClientContext> =
        ClientConfig::new().set("bootstrap.servers", brokers).create().unwrap();
    let bytes = bytes.to_string();
    let change = AlterConfig::new(ResourceSpecifier::Topic(topic)).set("max.message.bytes", &bytes);
    let altered = admin.alter_configs([&change], &AdminOptions::new()).await.unwrap();
    assert!(altered.iter().all(Result::is_ok), "{altered:?}");
}
