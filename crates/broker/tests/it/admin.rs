//! Topics and settings over restarts, and what of them only this broker refuses.

use rdkafka::admin::{
    AdminOptions, AlterConfig, NewPartitions, NewTopic, OwnedResourceSpecifier, ResourceSpecifier,
    TopicReplication,
};
use rdkafka::types::RDKafkaErrorCode;
use rdkafka::{Offset, TopicPartitionList};

use crate::support::{
    PATIENCE, TestBroker, admin, create_topic, idempotent_producer, read_all, send, watermarks,
};

#[tokio::test(flavor = "multi_thread")]
async fn topics_come_grow_and_go_and_survive_restarts() {
    let broker = TestBroker::start().await;
    create_topic(&broker.client(), "letters", 2).await;
    create_topic(&broker.client(), "postcards", 1).await;
    let options = AdminOptions::new();
    let client = admin(&broker.client());
    let grown =
        client.create_partitions(&[NewPartitions::new("letters", 5)], &options).await.expect("answered");
    assert_eq!(grown, [Ok("letters".to_owned())]);
    let shrunk =
        client.create_partitions(&[NewPartitions::new("letters", 3)], &options).await.expect("answered");
    assert_eq!(shrunk, [Err(("letters".to_owned(), RDKafkaErrorCode::InvalidPartitions))]);
    send(&idempotent_producer(&broker.client()), "postcards", 0, "old").await;
    let deleted = client.delete_topics(&["postcards"], &options).await.expect("answered");
    assert_eq!(deleted, [Ok("postcards".to_owned())]);

    let broker = broker.restart().await;
    let config = broker.client();
    let counts = tokio::task::spawn_blocking(move || {
        let consumer: rdkafka::consumer::BaseConsumer = config.create().expect("consumer");
        let metadata =
            rdkafka::consumer::Consumer::fetch_metadata(&consumer, None, PATIENCE).expect("metadata");
        let count =
            |topic: &rdkafka::metadata::MetadataTopic| (topic.name().to_owned(), topic.partitions().len());
        metadata.topics().iter().map(count).collect::<Vec<_>>()
    });
    assert_eq!(counts.await.expect("asked"), [("letters".to_owned(), 5)]);
    // The same name again is another topic: the old records do not come back.
    create_topic(&broker.client(), "postcards", 1).await;
    assert_eq!(watermarks(&broker.client(), "postcards", 0).await, (0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_this_broker_does_not_offer_is_refused_with_a_reason() {
    let broker = TestBroker::start().await;
    let topics = [
        NewTopic::new("compacted", 1, TopicReplication::Fixed(1)).set("cleanup.policy", "compact"),
        NewTopic::new("too-many", 90_000, TopicReplication::Fixed(1)),
    ];
    let answers =
        admin(&broker.client()).create_topics(&topics, &AdminOptions::new()).await.expect("answered");
    let errors: Vec<_> = answers.into_iter().map(|answer| answer.expect_err("refused").1).collect();
    assert_eq!(errors, [RDKafkaErrorCode::InvalidConfig, RDKafkaErrorCode::InvalidPartitions]);
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_survive_a_restart() {
    let broker = TestBroker::start().await;
    let topic = NewTopic::new("letters", 1, TopicReplication::Fixed(1))
        .set("retention.ms", "-1")
        .set("max.message.bytes", "2000");
    admin(&broker.client()).create_topics(&[topic], &AdminOptions::new()).await.expect("answered")[0]
        .as_ref()
        .expect("created");
    let broker = broker.restart().await;
    let described = admin(&broker.client())
        .describe_configs(&[ResourceSpecifier::Topic("letters")], &AdminOptions::new())
        .await
        .expect("answered");
    let described = described[0].as_ref().expect("described");
    assert_eq!(described.specifier, OwnedResourceSpecifier::Topic("letters".to_owned()));
    let value = |name: &str| described.get(name).and_then(|entry| entry.value.clone());
    assert_eq!(value("retention.ms").as_deref(), Some("-1"));
    assert_eq!(value("max.message.bytes").as_deref(), Some("2000"));
    assert_eq!(value("cleanup.policy").as_deref(), Some("delete"));
}

#[tokio::test(flavor = "multi_thread")]
async fn deleted_records_stay_away_over_a_restart() {
    let broker = TestBroker::start().await;
    create_topic(&broker.client(), "letters", 1).await;
    let producer = idempotent_producer(&broker.client());
    for i in 0..10 {
        send(&producer, "letters", 0, &format!("{i}")).await;
    }
    let mut until = TopicPartitionList::new();
    until.add_partition_offset("letters", 0, Offset::Offset(6)).expect("valid");
    admin(&broker.client()).delete_records(&until, &AdminOptions::new()).await.expect("deleted");
    assert_eq!(watermarks(&broker.client(), "letters", 0).await, (6, 10));
    let broker = broker.restart().await;
    assert_eq!(watermarks(&broker.client(), "letters", 0).await, (6, 10));
    let values: Vec<_> =
        read_all(&broker.client(), "letters", 1, 4).await.into_iter().map(|(.., value)| value).collect();
    assert_eq!(values, ["6", "7", "8", "9"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn groups_are_listed_and_deleted() {
    let broker = TestBroker::start().await;
    create_topic(&broker.client(), "letters", 1).await;
    let client = admin(&broker.client());
    let missing = client.delete_groups(&["nobody"], &AdminOptions::new()).await.expect("answered");
    assert_eq!(missing, [Err(("nobody".to_owned(), RDKafkaErrorCode::GroupIdNotFound))]);
    // The older way to change settings is not offered, and says so instead of hanging.
    let change = AlterConfig::new(ResourceSpecifier::Topic("letters")).set("retention.ms", "5");
    assert!(client.alter_configs([&change], &AdminOptions::new()).await.is_err());
}
