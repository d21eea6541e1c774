//! What a consumer would do, at the moment at which a test wants it: all of the log into the store.

use milena_domain::record::{Event, Placed};
use milena_domain::{Epoch, Position};
use milena_settings::Settings;
use milena_storage::{OffsetAdvance, WriteBatch};
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::{ClientConfig, Message, Offset, TopicPartitionList};

use crate::node::{Node, PATIENCE};

impl Node {
    /// Stores all that was written so far; once in a test.
    pub(crate) async fn store_log(&self) {
        let (brokers, topic) = (self.broker_address(), Settings::defaults().kafka.topic);
        let of_log = topic.clone();
        let read = tokio::task::spawn_blocking(move || read_log(&brokers, &of_log));
        let (events, advances) = read.await.unwrap();
        let batch = WriteBatch { topic, epoch: Epoch::FIRST, events, advances };
        self.store().write_batch(&batch).await.unwrap();
    }
}

fn read_log(brokers: &str, topic: &str) -> (Vec<Placed>, Vec<OffsetAdvance>) {
    let client: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", brokers)
        .set("group.id", "test")
        .set("enable.auto.commit", "false")
        .create()
        .unwrap();
    let metadata = client.fetch_metadata(Some(topic), PATIENCE).unwrap();
    let partitions = metadata.topics()[0].partitions().len();
    let (mut events, mut advances) = (Vec::new(), Vec::new());
    for partition in 0..partitions as i32 {
        let (_, end) = client.fetch_watermarks(topic, partition, PATIENCE).unwrap();
        let mut from = TopicPartitionList::new();
        from.add_partition_offset(topic, partition, Offset::Beginning).unwrap();
        client.assign(&from).unwrap();
        let mut next = 0;
        while next < end {
            let record = client.poll(PATIENCE).expect("a record comes in time").unwrap();
            let event = Event::read(partition, partitions, record.key(), record.payload()).unwrap();
            events.push(Placed { position: Position::new(Epoch::FIRST, record.offset()), event });
            next = record.offset() + 1;
        }
        advances.push(OffsetAdvance { partition, from: 0, to: end });
    }
    (events, advances)
}
