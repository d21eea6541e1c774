//! A consumer that a test moves by hand: it stores what the log has, when it is told to.

use std::collections::BTreeMap;
use std::time::Duration;

use milena_domain::record::{Event, Placed};
use milena_domain::{Position, Timestamp};
use milena_settings::Settings;
use milena_storage::{OffsetAdvance, Store, WriteBatch};
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::{ClientConfig, Message, Offset, TopicPartitionList};

use crate::node::{Node, PATIENCE};

/// As [`Node`] sets it.
const PARTITIONS: i32 = 3;

impl Node {
    /// Stores all that the log has; the backend hears of it when it asks next.
    pub(crate) async fn store_all(&self) {
        self.store_all_in(self.store().clone()).await;
    }

    /// The same, by a consumer that keeps what edited messages said.
    pub(crate) async fn store_all_keeping_edits(&self) {
        self.store_all_in(self.store().clone().keeping_edits(true)).await;
    }

    async fn store_all_in(&self, store: Store) {
        let topic = Settings::defaults().kafka.topic;
        let log = store.log_position(&topic).await.unwrap();
        let from = |partition| log.next_offsets.get(&partition).copied().unwrap_or(0);
        let (broker, spans) = (self.broker_address(), (0..PARTITIONS).map(from).collect::<Vec<_>>());
        let of = topic.clone();
        let read = tokio::task::spawn_blocking(move || read(&broker, &of, &spans)).await.unwrap();
        let mut advances = Vec::new();
        let mut events = Vec::new();
        for (partition, (to, records)) in read {
            events.extend(
                records
                    .into_iter()
                    .map(|(offset, event)| Placed { position: Position::new(log.epoch, offset), event }),
            );
            advances.push(OffsetAdvance { partition, from: from(partition), to });
        }
        let batch = WriteBatch { topic, epoch: log.epoch, events, advances };
        store.write_batch(&batch).await.unwrap();
    }
}

type Read = BTreeMap<i32, (i64, Vec<(i64, Event)>)>;

fn read(broker: &str, topic: &str, from: &[i64]) -> Read {
    let consumer: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", broker)
        .set("group.id", "by-hand")
        .set("enable.auto.commit", "false")
        .create()
        .unwrap();
    let mut found = Read::new();
    let mut list = TopicPartitionList::new();
    for (partition, from) in (0..).zip(from) {
        let (_, end) = consumer.fetch_watermarks(topic, partition, PATIENCE).unwrap();
        found.insert(partition, (end, Vec::new()));
        if *from < end {
            list.add_partition_offset(topic, partition, Offset::Offset(*from)).unwrap();
        }
    }
    let mut left: i64 = found.iter().map(|(partition, (end, _))| end - from[*partition as usize]).sum();
    consumer.assign(&list).unwrap();
    let began = std::time::Instant::now();
    while left > 0 {
        assert!(began.elapsed() < PATIENCE, "the log is read in time");
        let Some(record) = consumer.poll(Duration::from_millis(100)) else { continue };
        let record = record.unwrap();
        let (end, events) = found.get_mut(&record.partition()).unwrap();
        if record.offset() >= *end {
            continue;
        }
        left -= 1;
        let event =
            Event::read(record.partition(), PARTITIONS as usize, record.key(), record.payload()).unwrap();
        let written = record.timestamp().to_millis().map(Timestamp::from_unix_ms);
        events.push((record.offset(), event.believed(written)));
    }
    found
}
