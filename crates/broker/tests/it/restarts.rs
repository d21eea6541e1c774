//! What a restart in good order leaves as it was: sequences of producers, offsets of groups.

use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer};
use rdkafka::producer::Producer;

use crate::support::{PATIENCE, TestBroker, create_topic, idempotent_producer, read_all, send};
use milena_broker::BrokerConfig;

#[tokio::test(flavor = "multi_thread")]
async fn a_producer_goes_on_over_restarts() {
    let mut broker = TestBroker::start().await;
    create_topic(&broker.client(), "letters", 1).await;
    let address = broker.address();
    let producer = idempotent_producer(&broker.client());
    let mut expected = Vec::new();
    for round in 0..4 {
        for i in 0..20 {
            let value = format!("round {round} record {i}");
            expected.push((0, send(&producer, "letters", 0, &value).await, value));
        }
        broker.broker.stop().await;
        let mut config = BrokerConfig::new(broker.folder.path());
        config.listen = address;
        broker.broker = milena_broker::start(config).await.expect("restarted");
    }
    assert!(producer.client().fatal_error().is_none());
    assert_eq!(read_all(&broker.client(), "letters", 1, expected.len()).await, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn offsets_survive_a_restart() {
    let broker = TestBroker::start().await;
    create_topic(&broker.client(), "letters", 1).await;
    let commit = |config: ClientConfig, offset: Option<i64>| async move {
        tokio::task::spawn_blocking(move || {
            let consumer: BaseConsumer = config.clone().set("group.id", "keeper").create().expect("consumer");
            let mut list = rdkafka::TopicPartitionList::new();
            list.add_partition("letters", 0);
            if let Some(offset) = offset {
                list.set_partition_offset("letters", 0, rdkafka::Offset::Offset(offset)).expect("valid");
                consumer.commit(&list, CommitMode::Sync).expect("committed");
            }
            let committed = consumer.committed_offsets(list, PATIENCE).expect("answered");
            committed.elements()[0].offset()
        })
        .await
        .expect("asked")
    };
    assert_eq!(commit(broker.client(), Some(41)).await, rdkafka::Offset::Offset(41));
    let broker = broker.restart().await;
    assert_eq!(commit(broker.client(), None).await, rdkafka::Offset::Offset(41));
}
