//! Kafka refuses requests, hangs and goes away: the consumer goes on when it can, and stores each record
//! once.
//!
//! librdkafka's mock cluster answers the next requests of a kind with the errors that it is given; a real
//! cluster cannot be asked to.

use std::time::Duration;

use rdkafka::mocking::MockCluster;
use rdkafka::types::{RDKafkaApiKey as Api, RDKafkaRespErr as Answer};

use crate::log::{Log, messages};
use crate::running::Running;
use crate::store::Database;
use crate::truth;
use crate::world::{PARTITIONS, World, turn};

/// Requests, and what they are answered with, one time each. All of them pass on a real cluster: leaders and
/// coordinators move, brokers restart, requests get lost.
fn refusals() -> Vec<(Api, Vec<Answer>)> {
    use Answer::*;
    vec![
        (
            Api::Fetch,
            vec![
                RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION,
                RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE,
                RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT,
                RD_KAFKA_RESP_ERR_KAFKA_STORAGE_ERROR,
                RD_KAFKA_RESP_ERR__TRANSPORT,
            ],
        ),
        (
            Api::OffsetCommit,
            vec![
                RD_KAFKA_RESP_ERR_NOT_COORDINATOR,
                RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE,
                RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT,
            ],
        ),
        (Api::FindCoordinator, vec![RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE; 3]),
        (
            Api::Heartbeat,
            vec![
                RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE,
                RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION,
                RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID,
            ],
        ),
        (
            Api::JoinGroup,
            vec![RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS, RD_KAFKA_RESP_ERR_NOT_COORDINATOR],
        ),
        (Api::SyncGroup, vec![RD_KAFKA_RESP_ERR_REBALANCE_IN_PROGRESS]),
        (
            Api::ListOffsets,
            vec![RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION, RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE],
        ),
        // Of dead letters, and of the test's own messages: both producers try again.
        (
            Api::Produce,
            vec![
                RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION,
                RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS,
                RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT,
            ],
        ),
    ]
}

/// A world on a mock cluster of three brokers.
async fn world(cluster: &MockCluster<'_, rdkafka::producer::DefaultProducerContext>) -> World {
    let folder = tempfile::tempdir().unwrap();
    let database = Database::sqlite(folder.path());
    let world = World::lay_out(cluster.bootstrap_servers(), database, folder, None);
    let kafka = &world.settings.kafka;
    cluster.create_topic(&kafka.topic, PARTITIONS as i32, 3).unwrap();
    cluster.create_topic(&kafka.dead_topic, 1, 3).unwrap();
    world.store().await.migrate().await.unwrap();
    world
}

/// Good messages and a bad one.
async fn send(log: &Log, step: u64) {
    log.send(messages(step * 100..(step + 1) * 100)).await;
    log.send_raw(None, Some(b"bad")).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_refusal_passes() {
    let cluster = MockCluster::new(3).unwrap();
    let world = world(&cluster).await;
    let _turn = turn().await;
    let log = Log::of(&world);
    // Before there is a group: the first coordinator is not to be had at once.
    cluster.request_errors(Api::FindCoordinator, &[Answer::RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE; 2]);
    let consumer = Running::start(&world).await;
    send(&log, 0).await;
    truth::stored(&world).await;
    let mut steps = 1;
    for (api, answers) in refusals() {
        cluster.request_errors(api, &answers);
        for _ in 0..3 {
            send(&log, steps).await;
            steps += 1;
        }
        truth::stored(&world).await;
        cluster.clear_request_errors(api);
    }
    let summary = consumer.stop().await;
    assert_eq!(
        (summary.inserted + summary.unanswered, summary.repeats, summary.dead_letters),
        (steps * 100, 0, steps)
    );
    assert_eq!(truth::equal(&world).await as u64, steps * 100);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn brokers_go_and_leaders_move() {
    let cluster = MockCluster::new(3).unwrap();
    let world = world(&cluster).await;
    let _turn = turn().await;
    let log = Log::of(&world);
    let topic = &world.settings.kafka.topic;
    for partition in 0..PARTITIONS as i32 {
        cluster.partition_leader(topic, partition, Some(1 + partition % 3)).unwrap();
    }
    let consumer = Running::start(&world).await;
    send(&log, 0).await;
    truth::stored(&world).await;
    for (step, broker) in (1..).zip([1, 2, 3]) {
        // The leader changes while the old one is unreachable; then everything is slow for a while.
        cluster.broker_down(broker).unwrap();
        for partition in 0..PARTITIONS as i32 {
            cluster.partition_leader(topic, partition, Some(1 + broker % 3)).unwrap();
        }
        cluster.partition_leader(&world.settings.kafka.dead_topic, 0, Some(1 + broker % 3)).unwrap();
        send(&log, step).await;
        cluster.broker_up(broker).unwrap();
        cluster.broker_round_trip_time(1 + broker % 3, Duration::from_millis(300)).unwrap();
        truth::stored(&world).await;
        cluster.broker_round_trip_time(1 + broker % 3, Duration::ZERO).unwrap();
    }
    let summary = consumer.stop().await;
    assert_eq!((summary.inserted + summary.unanswered, summary.repeats, summary.dead_letters), (400, 0, 4));
    assert_eq!(truth::equal(&world).await, 400);
}
