//! What lies in the log, asked of it by librdkafka.

use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};

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
