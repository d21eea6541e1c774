//! kill -9 under load: every confirmed record is there, in order, once.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::support::{
    ChildBroker, PATIENCE, client, create_topic, free_address, idempotent_producer, reader, watermarks,
};
use milena_broker::SyncPolicy;
use rdkafka::consumer::BaseConsumer;
use rdkafka::message::Message;
use rdkafka::producer::FutureRecord;

const PARTITIONS: i32 = 3;

/// How often to kill; a long run sets it by `MILENA_BROKER_KILLS`.
fn kills() -> usize {
    std::env::var("MILENA_BROKER_KILLS").ok().and_then(|kills| kills.parse().ok()).unwrap_or(5)
}

#[tokio::test(flavor = "multi_thread")]
async fn confirmed_records_survive_kill_9() {
    survive(SyncPolicy::Always).await;
}

/// A killed process loses nothing that the operating system has.
#[tokio::test(flavor = "multi_thread")]
async fn confirmed_records_survive_kill_9_with_an_interval() {
    survive(SyncPolicy::Interval(Duration::from_secs(5))).await;
}

async fn survive(sync: SyncPolicy) {
    let folder = tempfile::tempdir().expect("folder");
    let address = free_address();
    let mut broker = ChildBroker::start_with(sync, folder.path(), address);
    create_topic(&client(address), "letters", PARTITIONS).await;
    // One producer lives through all of it and relies on its sequences; it sends each record once.
    let producer = idempotent_producer(client(address).set("reconnect.backoff.max.ms", "200"));
    let mut confirmed: BTreeMap<(i32, i64), String> = BTreeMap::new();
    let mut sent = 0;
    for kill in 0..kills() {
        let mut deliveries = Vec::new();
        let load = async {
            for i in 0..600 {
                let value = sent.to_string();
                let record = FutureRecord::<(), str>::to("letters").partition(i % PARTITIONS).payload(&value);
                deliveries
                    .push((producer.send_result(record).map_err(|(error, _)| error).expect("queued"), value));
                sent += 1;
                if i % 20 == 0 {
                    tokio::time::sleep(Duration::from_millis(3)).await;
                }
            }
        };
        let kill_at = Duration::from_millis(10 + (kill as u64 * 37) % 80);
        let kill = async {
            tokio::time::sleep(kill_at).await;
            broker.kill();
            broker = ChildBroker::start_with(sync, folder.path(), address);
        };
        tokio::join!(load, kill);
        for (delivery, value) in deliveries {
            let delivery =
                delivery.await.expect("sent").map_err(|(error, _)| error).expect("confirmed in the end");
            let earlier = confirmed.insert((delivery.partition, delivery.offset), value);
            assert_eq!(earlier, None, "two records with one offset");
        }
    }
    broker.kill();
    let mut broker = ChildBroker::start_with(sync, folder.path(), address);
    // Everything was confirmed in the end, so the log must be exactly that.
    let mut total = 0;
    for partition in 0..PARTITIONS {
        let (low, high) = watermarks(&client(broker.address), "letters", partition).await;
        assert_eq!(low, 0);
        total += high as usize;
    }
    assert_eq!(total, confirmed.len());
    assert_eq!(total, sent);
    let consumer = reader(&client(address), "letters", PARTITIONS);
    let read = tokio::task::spawn_blocking(move || read_pairs(&consumer, total)).await.expect("read");
    assert!(read == confirmed, "the log differs from what was confirmed");
    for partition in 0..PARTITIONS {
        let numbers: Vec<usize> = read
            .iter()
            .filter(|((of, _), _)| *of == partition)
            .map(|(_, value)| value.parse().expect("number"))
            .collect();
        assert!(numbers.is_sorted(), "out of order in partition {partition}");
    }
    broker.kill();
}

fn read_pairs(consumer: &BaseConsumer, count: usize) -> BTreeMap<(i32, i64), String> {
    let mut read = BTreeMap::new();
    let deadline = std::time::Instant::now() + PATIENCE;
    while read.len() < count && std::time::Instant::now() < deadline {
        if let Some(Ok(message)) = consumer.poll(Duration::from_millis(100)) {
            let value = message.payload_view::<str>().expect("has a value").expect("text").to_owned();
            assert_eq!(read.insert((message.partition(), message.offset()), value), None);
        }
    }
    read
}
