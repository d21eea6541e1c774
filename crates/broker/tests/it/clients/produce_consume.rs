//! What goes in comes out: in order, once, with its time, whatever the compression and the acknowledgement.

use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::Message;
use rdkafka::producer::{FutureProducer, FutureRecord};
use rdkafka::{Offset, TopicPartitionList};

use super::Target;
use crate::support::{PATIENCE, idempotent_producer, read, read_all, reader, send, watermarks};

on_both_brokers!(
    records_of_many_partitions_come_back_in_order,
    a_waiting_reader_gets_a_record_at_once,
    every_acknowledgement_and_compression_works,
    records_without_acknowledgement_arrive,
    offsets_are_found_by_time,
    a_record_keeps_key_headers_and_time,
);

async fn records_of_many_partitions_come_back_in_order(target: &Target) {
    let letters = &*target.topic(4).await;
    let producer = idempotent_producer(&target.client());
    let sends = (0..4_000).map(|i| {
        let producer = producer.clone();
        async move { send(&producer, letters, i % 4, &format!("record {i}")).await }
    });
    let offsets = futures::future::join_all(sends).await;
    let read = read_all(&target.client(), letters, 4, 4_000).await;
    for partition in 0..4_i32 {
        let of_partition: Vec<_> = read.iter().filter(|(of, ..)| *of == partition).collect();
        let expected: Vec<_> = (0..1_000_i64)
            .map(|at| (partition, at, format!("record {}", at * 4 + i64::from(partition))))
            .collect();
        assert!(of_partition.into_iter().eq(expected.iter()), "partition {partition}");
    }
    assert!(offsets.iter().enumerate().all(|(i, offset)| *offset == i as i64 / 4));
}

async fn a_waiting_reader_gets_a_record_at_once(target: &Target) {
    let letters = &*target.topic(1).await;
    let producer = idempotent_producer(&target.client());
    send(&producer, letters, 0, "first").await;
    let consumer = reader(target.client().set("fetch.wait.max.ms", "10000"), letters, 1);
    let consumer = tokio::task::spawn_blocking(move || {
        read(&consumer, 1);
        consumer
    })
    .await
    .expect("read");
    // Now the reader waits for up to ten seconds; the next record must end that wait.
    let waiting = tokio::task::spawn_blocking(move || (read(&consumer, 1), Instant::now()));
    tokio::time::sleep(Duration::from_millis(300)).await;
    send(&producer, letters, 0, "second").await;
    let confirmed = Instant::now();
    let (records, read) = waiting.await.expect("read");
    assert_eq!(records, [(0, 1, "second".to_owned())]);
    assert!(read.saturating_duration_since(confirmed) < Duration::from_secs(5));
}

async fn every_acknowledgement_and_compression_works(target: &Target) {
    let letters = &*target.topic(1).await;
    let mut expected = Vec::new();
    for acks in ["1", "all"] {
        for codec in ["none", "gzip", "lz4", "snappy"] {
            let producer: FutureProducer = target
                .client()
                .set("acks", acks)
                .set("compression.codec", codec)
                .set("message.timeout.ms", "20000")
                .create()
                .expect("producer");
            let value = format!("{acks} {codec} {}", "the same again and again ".repeat(40));
            let offset = send(&producer, letters, 0, &value).await;
            expected.push((0, offset, value));
        }
    }
    assert_eq!(read_all(&target.client(), letters, 1, expected.len()).await, expected);
}

async fn records_without_acknowledgement_arrive(target: &Target) {
    let letters = &*target.topic(1).await;
    let producer: FutureProducer = target.client().set("acks", "0").create().expect("producer");
    for i in 0..50 {
        let record = FutureRecord::<(), str>::to(letters).partition(0).payload("unconfirmed");
        let _ = producer.send(record, PATIENCE).await.unwrap_or_else(|error| panic!("{i}: {error:?}"));
    }
    assert_eq!(read_all(&target.client(), letters, 1, 50).await.len(), 50);
}

async fn offsets_are_found_by_time(target: &Target) {
    let letters = &*target.topic(1).await;
    let producer = idempotent_producer(&target.client());
    let sends = (0..1_000_i64).map(|i| {
        let record =
            FutureRecord::<(), str>::to(letters).partition(0).payload("timed").timestamp(10_000 + i * 10);
        producer.send(record, PATIENCE)
    });
    futures::future::try_join_all(sends).await.map_err(|(error, _)| error).expect("confirmed");
    let consumer: BaseConsumer = target.client().create().expect("consumer");
    let asked_topic = letters.to_owned();
    let found = tokio::task::spawn_blocking(move || {
        [0, 10_000, 10_001, 12_340, 19_990, 19_991].map(|time| {
            let mut asked = TopicPartitionList::new();
            asked.add_partition_offset(&asked_topic, 0, Offset::Offset(time)).expect("valid");
            let found = consumer.offsets_for_times(asked, PATIENCE).expect("answered");
            found.elements()[0].offset()
        })
    })
    .await
    .expect("asked");
    let expected = [0, 0, 1, 234, 999].map(Offset::Offset);
    assert_eq!(found[..5], expected);
    assert_eq!(found[5], Offset::End);
    assert_eq!(watermarks(&target.client(), letters, 0).await, (0, 1_000));
}

async fn a_record_keeps_key_headers_and_time(target: &Target) {
    let letters = &*target.topic(1).await;
    let producer = idempotent_producer(&target.client());
    let headers = rdkafka::message::OwnedHeaders::new()
        .insert(rdkafka::message::Header { key: "type", value: Some("message") });
    let record =
        FutureRecord::to(letters).key("conversation").payload("body").timestamp(1_234_567).headers(headers);
    producer.send(record, PATIENCE).await.expect("confirmed");
    let consumer = reader(&target.client(), letters, 1);
    tokio::task::spawn_blocking(move || {
        let message = consumer.poll(PATIENCE).expect("in time").expect("a record");
        use rdkafka::message::Headers;
        assert_eq!(message.key(), Some(b"conversation".as_slice()));
        assert_eq!(message.timestamp().to_millis(), Some(1_234_567));
        let headers = message.headers().expect("headers");
        assert_eq!((headers.get(0).key, headers.get(0).value), ("type", Some(b"message".as_slice())));
    })
    .await
    .expect("read");
}
