//! A fetch that wants many bytes: answered when they are there, at the end of its time, or when there is
//! nothing to wait for.

use std::time::{Duration, Instant};

use kafka_protocol::ResponseError;
use kafka_protocol::messages::fetch_request::{FetchPartition, FetchTopic};
use kafka_protocol::messages::*;

use rdkafka::admin::AdminOptions;

use crate::support::{TestBroker, admin, create_topic};
use crate::wire::{Wire, batch, produce, produced, topic_name};

/// Longer than any test may take.
const FOR_EVER_MS: i32 = 120_000;

fn fetch(offset: i64, min_bytes: usize, wait_ms: i32) -> FetchRequest {
    let partition = FetchPartition::default().with_fetch_offset(offset).with_partition_max_bytes(1 << 20);
    let topic = FetchTopic::default().with_topic(topic_name()).with_partitions(vec![partition]);
    FetchRequest::default()
        .with_max_wait_ms(wait_ms)
        .with_min_bytes(min_bytes as i32)
        .with_max_bytes(1 << 20)
        .with_topics(vec![topic])
}

/// The error, and how many bytes of records came.
fn fetched(response: &FetchResponse) -> (i16, usize) {
    let partition = &response.responses[0].partitions[0];
    (partition.error_code, partition.records.as_ref().map_or(0, bytes::Bytes::len))
}

async fn reader_and_writer() -> (TestBroker, Wire, Wire) {
    let broker = TestBroker::start().await;
    create_topic(&broker.client(), "letters", 1).await;
    let reader = Wire::connect(broker.address()).await;
    let writer = Wire::connect(broker.address()).await;
    (broker, reader, writer)
}

#[tokio::test(flavor = "multi_thread")]
async fn enough_bytes_are_handed_out_together() {
    let (_broker, mut reader, mut writer) = reader_and_writer().await;
    let one = batch(3, None);
    // One of them is there before the fetch begins: it counts.
    assert_eq!(produced(&writer.ask(9, &produce(-1, one.clone())).await).0, 0);
    reader.send(12, &fetch(0, 4 * one.len(), FOR_EVER_MS)).await;
    for _ in 0..3 {
        assert_eq!(produced(&writer.ask(9, &produce(-1, one.clone())).await).0, 0);
    }
    assert_eq!(fetched(&reader.receive::<FetchRequest>(12).await), (0, 4 * one.len()));
}

#[tokio::test(flavor = "multi_thread")]
async fn at_the_end_of_its_time_a_fetch_gets_what_there_is() {
    let (_broker, mut reader, mut writer) = reader_and_writer().await;
    let one = batch(3, None);
    let began = Instant::now();
    reader.send(12, &fetch(0, 100 * one.len(), 1_500)).await;
    for _ in 0..2 {
        assert_eq!(produced(&writer.ask(9, &produce(-1, one.clone())).await).0, 0);
    }
    let answer = reader.receive::<FetchRequest>(12).await;
    assert!(began.elapsed() >= Duration::from_millis(1_500));
    assert_eq!(fetched(&answer), (0, 2 * one.len()));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_wants_no_bytes_does_not_wait() {
    let (_broker, mut reader, _writer) = reader_and_writer().await;
    assert_eq!(fetched(&reader.ask(12, &fetch(0, 0, FOR_EVER_MS)).await), (0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_come_is_not_waited_for() {
    let (broker, mut reader, mut writer) = reader_and_writer().await;
    let beyond = reader.ask(12, &fetch(1, 1, FOR_EVER_MS)).await;
    assert_eq!(fetched(&beyond).0, ResponseError::OffsetOutOfRange.code());

    assert_eq!(produced(&writer.ask(9, &produce(-1, batch(1, None))).await).0, 0);
    reader.send(12, &fetch(0, 1 << 20, FOR_EVER_MS)).await;
    let deleted = admin(&broker.client()).delete_topics(&["letters"], &AdminOptions::new()).await;
    assert!(deleted.expect("answered")[0].is_ok());
    let gone = reader.receive::<FetchRequest>(12).await;
    assert_eq!(fetched(&gone).0, ResponseError::UnknownTopicOrPartition.code());
}
