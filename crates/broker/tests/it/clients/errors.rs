//! What is refused, in the words that librdkafka understands, and at once.

use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::producer::{FutureProducer, FutureRecord, Producer};
use rdkafka::types::RDKafkaErrorCode;

use super::Target;
use crate::support::PATIENCE;

on_both_brokers!(
    a_missing_topic_is_said_to_be_missing,
    a_record_that_is_too_large_is_refused_alone,
    transactions_work_or_are_refused_at_once,
    the_newer_group_protocol_works_or_is_refused_at_once,
);

/// Far less than the time-outs of clients that wait for something that never comes.
const AT_ONCE: Duration = Duration::from_secs(10);

async fn a_missing_topic_is_said_to_be_missing(target: &Target) {
    let nowhere = target.name("nowhere");
    let consumer: BaseConsumer = target.client().create().expect("consumer");
    let asked = nowhere.clone();
    let error = tokio::task::spawn_blocking(move || {
        let metadata = consumer.fetch_metadata(Some(&asked), PATIENCE).expect("answered");
        metadata.topics()[0].error()
    });
    let unknown = rdkafka::types::RDKafkaRespErr::RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART;
    assert_eq!(error.await.expect("asked"), Some(unknown));
    let mut config = target.client();
    let producer: FutureProducer =
        config.set("topic.metadata.propagation.max.ms", "100").create().expect("producer");
    let record = FutureRecord::<(), str>::to(&nowhere).payload("lost");
    let (error, _) = producer.send(record, PATIENCE).await.expect_err("refused");
    let expected = [RDKafkaErrorCode::UnknownTopic, RDKafkaErrorCode::UnknownTopicOrPartition];
    assert!(error.rdkafka_error_code().is_some_and(|code| expected.contains(&code)), "{error}");
}

async fn a_record_that_is_too_large_is_refused_alone(target: &Target) {
    let letters = &*target.topic(1).await;
    let mut config = target.client();
    let producer: FutureProducer = config
        .set("message.max.bytes", "9000000")
        .set("enable.idempotence", "true")
        .create()
        .expect("producer");
    let record = |payload| FutureRecord::<(), str>::to(letters).partition(0).payload(payload);
    assert_eq!(producer.send(record("small"), PATIENCE).await.expect("confirmed").offset, 0);
    let large = "x".repeat(3_000_000);
    let (error, _) = producer.send(record(&large), PATIENCE).await.expect_err("refused");
    assert_eq!(error.rdkafka_error_code(), Some(RDKafkaErrorCode::MessageSizeTooLarge), "{error}");
    let other: FutureProducer = target.client().create().expect("producer");
    assert_eq!(other.send(record("small again"), PATIENCE).await.expect("confirmed").offset, 1);
}

async fn transactions_work_or_are_refused_at_once(target: &Target) {
    let mut config = target.client();
    let producer: FutureProducer =
        config.set("transactional.id", target.name("transactions")).create().expect("producer");
    let began = Instant::now();
    let begun =
        tokio::task::spawn_blocking(move || producer.init_transactions(PATIENCE)).await.expect("asked");
    if target.is_apache_kafka() {
        begun.expect("Apache Kafka has transactions");
        return;
    }
    let Err(KafkaError::Transaction(error)) = begun else { panic!("not refused: {begun:?}") };
    assert_eq!(error.code(), RDKafkaErrorCode::TransactionalIdAuthorizationFailed);
    assert!(error.is_fatal() && error.to_string().contains("this broker has no transactions"), "{error}");
    assert!(began.elapsed() < AT_ONCE, "{:?}", began.elapsed());
}

async fn the_newer_group_protocol_works_or_is_refused_at_once(target: &Target) {
    let letters = target.topic(1).await;
    let mut config = target.client();
    config.set("group.id", &letters).set("group.protocol", "consumer");
    let consumer: BaseConsumer = config.create().expect("consumer");
    let began = Instant::now();
    let wait = move || {
        consumer.subscribe(&[&letters]).expect("subscribed");
        loop {
            match consumer.poll(Duration::from_millis(50)) {
                Some(Err(error)) => return Err(error),
                _ if consumer.assignment().expect("assignment").count() == 1 => return Ok(()),
                _ => assert!(began.elapsed() < PATIENCE, "neither an assignment nor an error"),
            }
        }
    };
    let outcome = tokio::task::spawn_blocking(wait).await.expect("waited");
    if target.is_apache_kafka() {
        outcome.expect("Apache Kafka has both protocols");
        return;
    }
    let error = outcome.expect_err("there are classic groups only");
    let unsupported = KafkaError::MessageConsumptionFatal(RDKafkaErrorCode::UnsupportedVersion);
    assert_eq!(error, unsupported);
    assert!(began.elapsed() < AT_ONCE, "{:?}", began.elapsed());
}
