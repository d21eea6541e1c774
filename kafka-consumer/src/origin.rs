//! Reads one record of the log again, by its place.
//!
//! Rows in flight do not carry the bytes they came from: that would double the memory for a case that all but
//! never occurs. The log is the buffer.

use std::time::{Duration, Instant};

use milena_kafka::{LogError, Quiet, Role, client_config};
use milena_settings::KafkaSettings;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::{Message, Offset, TopicPartitionList};

use crate::record::RawRecord;

/// As long as [`crate::scan`] waits: the connection is a new one.
const TIMEOUT: Duration = Duration::from_secs(30);

/// The record at `offset` of `partition`; `None` when the log does not hold it any more.
///
/// # Errors
/// When the broker does not answer within half a minute.
pub(crate) async fn read(
    settings: &KafkaSettings,
    partition: i32,
    offset: i64,
) -> Result<Option<RawRecord>, LogError> {
    let config = client_config(settings, &Role::Tail);
    let topic = settings.topic.clone();
    let ask = move || {
        let consumer: BaseConsumer<Quiet> =
            config.create_with_context(Quiet::default()).map_err(LogError::refused)?;
        find(&consumer, &topic, partition, offset).map_err(|source| LogError::State { topic, source })
    };
    tokio::task::spawn_blocking(ask).await.map_err(|_| LogError::Ended)?
}

fn find(
    consumer: &BaseConsumer<Quiet>,
    topic: &str,
    partition: i32,
    offset: i64,
) -> Result<Option<RawRecord>, KafkaError> {
    let mut list = TopicPartitionList::new();
    list.add_partition_offset(topic, partition, Offset::Offset(offset))?;
    consumer.assign(&list)?;
    drop(list);
    let deadline = Instant::now() + TIMEOUT;
    while Instant::now() < deadline {
        match consumer.poll(Duration::from_millis(200)) {
            Some(Ok(message)) if message.offset() == offset => return Ok(Some(RawRecord::copy(&message))),
            Some(Ok(message)) if message.offset() > offset => return Ok(None),
            Some(Err(KafkaError::MessageConsumption(RDKafkaErrorCode::AutoOffsetReset))) => return Ok(None),
            _ => {}
        }
    }
    Err(KafkaError::MessageConsumption(RDKafkaErrorCode::OperationTimedOut))
}
