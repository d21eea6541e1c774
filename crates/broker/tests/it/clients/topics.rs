//! Topics, their settings and their beginnings, through librdkafka's admin client.

use rdkafka::admin::{AdminOptions, NewPartitions, NewTopic, ResourceSpecifier, TopicReplication};
use rdkafka::producer::FutureRecord;
use rdkafka::types::RDKafkaErrorCode;
use rdkafka::{Offset, TopicPartitionList};

use super::Target;
use crate::support::{PATIENCE, admin, idempotent_producer, read_all, send, watermarks};

on_both_brokers!(
    topics_grow_and_go,
    impossible_topics_are_refused_with_a_reason,
    settings_are_shown_and_honoured,
    the_beginning_of_a_log_can_be_deleted,
);

async fn topics_grow_and_go(target: &Target) {
    let letters = &*target.topic(2).await;
    let (client, options) = (admin(&target.client()), AdminOptions::new());
    let grown =
        client.create_partitions(&[NewPartitions::new(letters, 5)], &options).await.expect("answered");
    assert_eq!(grown, [Ok(letters.to_owned())]);
    target.knows(letters, 5).await;
    let shrunk =
        client.create_partitions(&[NewPartitions::new(letters, 3)], &options).await.expect("answered");
    assert_eq!(shrunk, [Err((letters.to_owned(), RDKafkaErrorCode::InvalidPartitions))]);
    assert_eq!(send(&idempotent_producer(&target.client()), letters, 4, "in a new partition").await, 0);
    let deleted = client.delete_topics(&[letters], &options).await.expect("answered");
    assert_eq!(deleted, [Ok(letters.to_owned())]);
    let gone = client.delete_topics(&[letters], &options).await.expect("answered");
    assert_eq!(gone, [Err((letters.to_owned(), RDKafkaErrorCode::UnknownTopicOrPartition))]);
}

async fn impossible_topics_are_refused_with_a_reason(target: &Target) {
    let (replicated, odd) = (target.name("replicated"), target.name("odd"));
    let topics = [
        NewTopic::new(&replicated, 1, TopicReplication::Fixed(3)),
        NewTopic::new("no good name", 1, TopicReplication::Fixed(1)),
        NewTopic::new(&odd, 1, TopicReplication::Fixed(1)).set("no.such.setting", "1"),
    ];
    let answers =
        admin(&target.client()).create_topics(&topics, &AdminOptions::new()).await.expect("answered");
    let errors: Vec<_> = answers.into_iter().map(|answer| answer.expect_err("refused").1).collect();
    let expected = [
        RDKafkaErrorCode::InvalidReplicationFactor,
        RDKafkaErrorCode::InvalidTopic,
        RDKafkaErrorCode::InvalidConfig,
    ];
    assert_eq!(errors, expected);
}

async fn settings_are_shown_and_honoured(target: &Target) {
    let letters = &*target.name("letters");
    let topic = NewTopic::new(letters, 1, TopicReplication::Fixed(1))
        .set("retention.ms", "-1")
        .set("max.message.bytes", "2000");
    let (client, options) = (admin(&target.client()), AdminOptions::new());
    client.create_topics([&topic], &options).await.expect("answered")[0].as_ref().expect("created");
    target.knows(letters, 1).await;
    let described = client.describe_configs(&[ResourceSpecifier::Topic(letters)], &options).await;
    let described = described.expect("answered").remove(0).expect("described");
    let value = |name: &str| described.get(name).and_then(|entry| entry.value.as_deref());
    assert_eq!(value("retention.ms"), Some("-1"));
    assert_eq!(value("max.message.bytes"), Some("2000"));
    assert_eq!(value("cleanup.policy"), Some("delete"));
    let producer = idempotent_producer(&target.client());
    assert_eq!(send(&producer, letters, 0, &"small ".repeat(100)).await, 0);
    let large = "large ".repeat(1_000);
    let record = FutureRecord::<(), str>::to(letters).partition(0).payload(&large);
    let (refused, _) = producer.send(record, PATIENCE).await.expect_err("too large");
    assert_eq!(refused.rdkafka_error_code(), Some(RDKafkaErrorCode::MessageSizeTooLarge));
}

async fn the_beginning_of_a_log_can_be_deleted(target: &Target) {
    let letters = &*target.topic(1).await;
    let producer = idempotent_producer(&target.client());
    for i in 0..10 {
        send(&producer, letters, 0, &format!("{i}")).await;
    }
    let mut until = TopicPartitionList::new();
    until.add_partition_offset(letters, 0, Offset::Offset(6)).expect("valid");
    admin(&target.client()).delete_records(&until, &AdminOptions::new()).await.expect("deleted");
    assert_eq!(watermarks(&target.client(), letters, 0).await, (6, 10));
    let values: Vec<_> =
        read_all(&target.client(), letters, 1, 4).await.into_iter().map(|(.., value)| value).collect();
    assert_eq!(values, ["6", "7", "8", "9"]);
}
