//! Reads a stretch of a topic from beginning to end, without a group: for replay, verification and dead
//! letters.

use std::collections::BTreeMap;
use std::ops::Range;
use std::time::{Duration, Instant};

use milena_kafka::{LogError, Quiet, Role, client_config};
use milena_settings::KafkaSettings;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::BorrowedMessage;
use rdkafka::{Message, Offset, TopicPartitionList};
use tokio::sync::mpsc;

/// A chunk of what was read, in the order of the partitions.
pub(crate) type Chunk<T> = Result<Vec<T>, LogError>;

const CHUNK_RECORDS: usize = 512;
const CHUNK_BYTES: usize = 1 << 20;
/// A log that gives nothing for so long is away.
const PATIENCE: Duration = Duration::from_secs(30);

/// Reads the offsets given, by partition. The channel has the reading thread at its other end; bound 4
/// chunks, when full the thread waits; it closes at the end, and closing it ends the thread.
pub(crate) fn scan<T: Send + 'static>(
    settings: &KafkaSettings,
    topic: &str,
    spans: BTreeMap<i32, Range<i64>>,
    read: impl Fn(&BorrowedMessage<'_>) -> T + Send + 'static,
) -> mpsc::Receiver<Chunk<T>> {
    let (sender, receiver) = mpsc::channel(4);
    let mut config = client_config(settings, &Role::Tail);
    config.set("enable.partition.eof", "true");
    let topic = topic.to_owned();
    // A blocking task and not a thread: the runtime waits for it at its end, and it ends soon after the
    // receiver.
    tokio::task::spawn_blocking(move || {
        let result = config
            .create_with_context(Quiet::default())
            .map_err(LogError::refused)
            .and_then(|consumer| walk(&consumer, &topic, spans, read, &sender));
        if let Err(error) = result {
            let _ = sender.blocking_send(Err(error));
        }
    });
    receiver
}

fn walk<T>(
    consumer: &BaseConsumer<Quiet>,
    topic: &str,
    spans: BTreeMap<i32, Range<i64>>,
    read: impl Fn(&BorrowedMessage<'_>) -> T,
    sender: &mpsc::Sender<Chunk<T>>,
) -> Result<(), LogError> {
    let failed = |source| LogError::State { topic: topic.to_owned(), source };
    let mut left: BTreeMap<i32, i64> = spans
        .iter()
        .filter(|(_, span)| !span.is_empty())
        .map(|(&partition, span)| (partition, span.end))
        .collect();
    let mut list = TopicPartitionList::new();
    for partition in left.keys() {
        list.add_partition_offset(topic, *partition, Offset::Offset(spans[partition].start))
            .map_err(failed)?;
    }
    consumer.assign(&list).map_err(failed)?;
    drop(list);
    let mut chunk = Vec::with_capacity(CHUNK_RECORDS);
    let mut bytes = 0;
    let mut last = Instant::now();
    while !left.is_empty() {
        let patience = if chunk.is_empty() { Duration::from_millis(200) } else { Duration::ZERO };
        match consumer.poll(patience) {
            Some(Ok(message)) => {
                last = Instant::now();
                let Some(&end) = left.get(&message.partition()) else { continue };
                if message.offset() < end {
                    bytes += message.key_len() + message.payload_len();
                    chunk.push(read(&message));
                }
                if message.offset() + 1 >= end {
                    left.remove(&message.partition());
                }
            }
            // The last offsets may be no records (the marks of a transaction): then the end comes like this.
            Some(Err(KafkaError::PartitionEOF(partition))) => drop(left.remove(&partition)),
            Some(Err(
                error @ (KafkaError::MessageConsumptionFatal(_)
                | KafkaError::MessageConsumption(RDKafkaErrorCode::AutoOffsetReset)),
            )) => return Err(failed(error)),
            Some(Err(_)) | None if chunk.is_empty() => {
                if last.elapsed() > PATIENCE {
                    return Err(failed(KafkaError::MessageConsumption(RDKafkaErrorCode::OperationTimedOut)));
                }
                if sender.is_closed() {
                    return Ok(());
                }
            }
            Some(Err(_)) | None => {
                bytes = CHUNK_BYTES;
            }
        }
        if chunk.len() >= CHUNK_RECORDS || bytes >= CHUNK_BYTES || left.is_empty() {
            if sender.blocking_send(Ok(std::mem::take(&mut chunk))).is_err() {
                return Ok(());
            }
            last = Instant::now();
            bytes = 0;
        }
    }
    Ok(())
}
