//! What lies in the log, asked of it by librdkafka.

use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer};

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
