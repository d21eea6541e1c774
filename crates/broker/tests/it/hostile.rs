//! What no client should send, and that it hurts nobody else.

use std::net::SocketAddr;
use std::time::Duration;

use kafka_protocol::messages::fetch_request::{FetchPartition, FetchTopic};
use kafka_protocol::messages::{ApiVersionsRequest, FetchRequest};
use milena_broker::{BrokerConfig, BrokerError};

use crate::support::{TestBroker, create_topic, idempotent_producer, read_all, send};
use crate::wire::{Wire, batch, produce, produced, topic_name};

/// Bytes without sense, the same in every run.
fn rubbish(seed: u64, count: usize) -> Vec<u8> {
    let mut state = seed;
    let next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 56) as u8
    };
    std::iter::repeat_with(next).take(count).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn random_bytes_change_nothing() {
    let broker = TestBroker::start().await;
    create_topic(&broker.client(), "letters", 1).await;
    let producer = idempotent_producer(&broker.client());
    let address = broker.address();
    let attack = async {
        let mut sent = 0;
        for connection in 0.. {
            if sent >= 24 << 20 {
                break;
            }
            let mut wire = Wire::connect(address).await;
            let mut bytes = rubbish(connection, 64 << 10);
            // Every other time the bytes look like a frame that is not too large, with a key and version that
            // exist.
            if connection % 2 == 0 {
                bytes[..4].copy_from_slice(&60_000_u32.to_be_bytes());
                bytes[4..8].copy_from_slice(&[
                    0,
                    (connection / 2 % 48) as u8,
                    0,
                    (connection / 96 % 12) as u8,
                ]);
            }
            // The broker may close at any point.
            let _ = wire.send_raw(&bytes).await;
            sent += bytes.len();
        }
    };
    let work = async {
        for i in 0..200 {
            assert_eq!(send(&producer, "letters", 0, &format!("{i}")).await, i);
        }
    };
    tokio::join!(attack, work);
    let read = read_all(&broker.client(), "letters", 1, 200).await;
    assert!(read.iter().enumerate().all(|(i, record)| *record == (0, i as i64, i.to_string())));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_supported_ends_the_connection() {
    let broker = TestBroker::start().await;
    let frames: [&[u8]; 6] = [
        // AddPartitionsToTxn, which is never advertised.
        &[0, 0, 0, 10, 0, 24, 0, 0, 0, 0, 0, 1, 0xff, 0xff],
        // A key that does not exist.
        &[0, 0, 0, 10, 0x7f, 0xff, 0, 0, 0, 0, 0, 1, 0xff, 0xff],
        // Metadata in a version from the future.
        &[0, 0, 0, 10, 0, 3, 0, 99, 0, 0, 0, 1, 0xff, 0xff],
        // Two megabytes of Metadata.
        &[0, 0x20, 0, 0, 0, 3, 0, 1, 0, 0, 0, 1, 0xff, 0xff],
        // A frame of two thousand million bytes.
        &[0x7f, 0xff, 0xff, 0xff, 0, 3],
        // A frame of less than nothing.
        &[0xff, 0xff, 0xff, 0xff],
    ];
    for frame in frames {
        let mut wire = Wire::connect(broker.address()).await;
        wire.send_raw(frame).await.expect("sent");
        assert_eq!(wire.receive_raw().await, None, "{frame:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_stops_in_the_middle_is_let_go() {
    let broker = TestBroker::start_with(|config| config.transfer_timeout = Duration::from_millis(300)).await;
    let mut slow = Wire::connect(broker.address()).await;
    slow.send_raw(&[0, 0, 0, 50, 0, 3]).await.expect("sent");
    let mut other = Wire::connect(broker.address()).await;
    assert_eq!(other.ask(3, &ApiVersionsRequest::default()).await.error_code, 0);
    assert_eq!(slow.receive_raw().await, None);
}

/// A broker on which a few large transfers take all the memory, with a topic and 2.8 MB in it.
async fn narrow_broker() -> TestBroker {
    let broker = TestBroker::start_with(|config| {
        config.max_buffered_bytes = 4 << 20;
        config.memory_patience = Duration::from_millis(200);
    })
    .await;
    create_topic(&broker.client(), "letters", 1).await;
    for _ in 0..4 {
        assert_eq!(produce_large(broker.address()).await, 0);
    }
    broker
}

/// Produces 700 kB; the error code.
async fn produce_large(address: SocketAddr) -> i16 {
    let mut wire = Wire::connect(address).await;
    produced(&wire.ask(9, &produce(-1, batch(40_000, None))).await).0
}

/// Far less than the thirty seconds that a slow client has when nobody else needs the memory.
const UNHINDERED: Duration = Duration::from_secs(10);

#[tokio::test(flavor = "multi_thread")]
async fn large_requests_that_stop_half_way_hold_nobody_up() {
    let broker = narrow_broker().await;
    let mut slow = Vec::new();
    for _ in 0..20 {
        let mut wire = Wire::connect(broker.address()).await;
        let frame = wire.frame(9, &produce(-1, batch(40_000, None)));
        // Together far more than there is: some of it is not even taken from the network.
        slow.push(tokio::spawn(async move {
            let _ = wire.send_raw(&frame[..frame.len() - 1]).await;
            wire
        }));
    }
    for _ in 0..5 {
        let unhindered = tokio::time::timeout(UNHINDERED, produce_large(broker.address())).await;
        assert_eq!(unhindered, Ok(0));
    }
    drop(slow);
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_that_nobody_takes_hold_nobody_up() {
    let broker = narrow_broker().await;
    let mut slow = Vec::new();
    for _ in 0..8 {
        let mut wire = Wire::connect(broker.address()).await;
        // More than the network between the two can hold.
        for _ in 0..20 {
            wire.send(11, &fetch(2 << 20)).await;
        }
        slow.push(wire);
    }
    for _ in 0..5 {
        let mut wire = Wire::connect(broker.address()).await;
        let fetched = tokio::time::timeout(UNHINDERED, wire.ask(11, &fetch(2 << 20))).await.expect("in time");
        let records = fetched.responses[0].partitions[0].records.as_ref().expect("records");
        assert!(records.len() > 1 << 20, "{}", records.len());
    }
    drop(slow);
}

fn fetch(max_bytes: i32) -> FetchRequest {
    let partition = FetchPartition::default().with_partition_max_bytes(max_bytes);
    let topic = FetchTopic::default().with_topic(topic_name()).with_partitions(vec![partition]);
    FetchRequest::default().with_max_bytes(max_bytes).with_session_epoch(-1).with_topics(vec![topic])
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_are_bounded() {
    let broker = TestBroker::start_with(|config| config.max_connections = 3).await;
    let mut first = Vec::new();
    for _ in 0..3 {
        let mut wire = Wire::connect(broker.address()).await;
        assert_eq!(wire.ask(0, &ApiVersionsRequest::default()).await.error_code, 0);
        first.push(wire);
    }
    let mut too_many = Wire::connect(broker.address()).await;
    assert_eq!(too_many.receive_raw().await, None);
    for wire in &mut first {
        assert_eq!(wire.ask(0, &ApiVersionsRequest::default()).await.error_code, 0);
    }
    drop(first);
    // A place is free again as soon as the broker has noticed.
    let deadline = std::time::Instant::now() + crate::support::PATIENCE;
    loop {
        let mut wire = Wire::connect(broker.address()).await;
        wire.send(0, &ApiVersionsRequest::default()).await;
        if wire.receive_raw().await.is_some() {
            break;
        }
        assert!(std::time::Instant::now() < deadline, "no place became free");
    }
}

#[tokio::test]
async fn other_addresses_than_loopback_are_refused() {
    let folder = tempfile::tempdir().expect("folder");
    let mut config = BrokerConfig::new(folder.path());
    config.listen = SocketAddr::from(([0, 0, 0, 0], 0));
    let refused = milena_broker::start(config.clone()).await.expect_err("refused");
    assert!(matches!(refused, BrokerError::NotLoopback(_)), "{refused}");
    config.allow_remote = true;
    milena_broker::start(config).await.expect("started").stop().await;
}

#[tokio::test]
async fn one_folder_has_one_broker() {
    let broker = TestBroker::start().await;
    let refused = milena_broker::start(BrokerConfig::new(broker.folder.path())).await.expect_err("refused");
    let message = refused.to_string();
    assert!(message.contains(&broker.folder.path().display().to_string()), "{message}");
    assert!(message.contains(&std::process::id().to_string()), "{message}");
    let folder = broker.folder;
    broker.broker.stop().await;
    milena_broker::start(BrokerConfig::new(folder.path())).await.expect("free again").stop().await;
}
