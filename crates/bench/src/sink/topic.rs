//! The log's side: a topic of its own, filled first, and read once without storing anything.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use milena_domain::{Epoch, Position, partition_of};
use milena_kafka::{Role, client_config, ensure_topics, message_headers};
use milena_settings::{KafkaSettings, Settings};
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::RDKafkaErrorCode;
use rdkafka::producer::{BaseRecord, DefaultProducerContext, Producer, ThreadedProducer};
use rdkafka::{Offset, TopicPartitionList};

use super::database::Database;
use super::letters::Letters;
use super::room_letters::RoomLetters;

/// How far an event's proof that it is new is behind it.
const SEEN_BEHIND: i64 = 200;
const ANSWER: Duration = Duration::from_secs(20);
/// Nothing came for this long: something is wrong.
const SILENCE: Duration = Duration::from_secs(30);

/// A new topic with 12 partitions.
pub(super) async fn create(brokers: &str) -> anyhow::Result<KafkaSettings> {
    let mut kafka = Settings::defaults().kafka;
    kafka.brokers = brokers.to_owned();
    kafka.topic = format!("sink-{}", uuid::Uuid::now_v7().simple());
    kafka.dead_topic = format!("{}.dead", kafka.topic);
    ensure_topics(&kafka, ANSWER).await?;
    Ok(kafka)
}

/// Produces `count` messages, and writes their rows to `file` in the form that `database` loads.
pub(super) fn fill(
    kafka: &KafkaSettings,
    count: u64,
    database: &Database,
    file: &Path,
) -> anyhow::Result<()> {
    let producer: ThreadedProducer<DefaultProducerContext> =
        client_config(kafka, &Role::Producer { timeout_ms: 60_000 }).create()?;
    let partitions = kafka.partitions;
    let mut next = vec![0_i64; partitions];
    let mut rows = BufWriter::new(File::create(file)?);
    let mut letters = Letters::new(count);
    for number in 0..count {
        let event = letters.next(None);
        let (key, value, headers) = (event.key(), event.encode(), message_headers(&event));
        send(&producer, BaseRecord::to(&kafka.topic).key(&key).payload(&value).headers(headers))?;
        // The producer is idempotent and the topic its own: offsets count what went before.
        let offset = &mut next[usize::try_from(partition_of(event.conversation, partitions))?];
        database.write_row(&mut rows, number, &event, Position::new(Epoch::FIRST, *offset))?;
        *offset += 1;
    }
    database.write_end(&mut rows, count)?;
    rows.flush()?;
    producer.flush(Duration::from_secs(60)).context("the log did not confirm every message")?;
    Ok(())
}

/// Produces `count` messages in rooms; answers how many records that is with the rooms' creations.
pub(super) fn fill_rooms(kafka: &KafkaSettings, count: u64) -> anyhow::Result<u64> {
    let producer: ThreadedProducer<DefaultProducerContext> =
        client_config(kafka, &Role::Producer { timeout_ms: 60_000 }).create()?;
    let (partitions, mut next, mut records) = (kafka.partitions, vec![0_i64; kafka.partitions], 0);
    let mut letters = RoomLetters::new(count);
    for _ in 0..count {
        let (created, message) = letters.next();
        for mut event in created.into_iter().chain([message]) {
            let offset = &mut next[usize::try_from(partition_of(event.conversation, partitions))?];
            // A backend has read up to a little before what it writes.
            event.seen = Some(Position::new(Epoch::FIRST, (*offset - SEEN_BEHIND).max(0)));
            let (key, value) = (event.key(), event.encode());
            send(&producer, BaseRecord::to(&kafka.topic).key(&key).payload(&value))?;
            *offset += 1;
            records += 1;
        }
    }
    producer.flush(Duration::from_secs(60)).context("the log did not confirm every message")?;
    Ok(records)
}

/// Waits for room in the producer's queue.
fn send(
    producer: &ThreadedProducer<DefaultProducerContext>,
    mut record: BaseRecord<'_, String, Vec<u8>>,
) -> anyhow::Result<()> {
    loop {
        match producer.send(record) {
            Ok(()) => return Ok(()),
            Err((error, back)) if error.rdkafka_error_code() == Some(RDKafkaErrorCode::QueueFull) => {
                record = back;
                std::thread::sleep(Duration::from_millis(1));
            }
            Err((error, _)) => return Err(error.into()),
        }
    }
}

/// Reads `count` records from the beginning with librdkafka alone, with the consumer's own properties.
pub(super) fn read(kafka: &KafkaSettings, count: u64) -> anyhow::Result<Duration> {
    let role = Role::Consumer { group: format!("{}-reader", kafka.topic) };
    let consumer: BaseConsumer = client_config(kafka, &role).create()?;
    let mut list = TopicPartitionList::new();
    for partition in 0..i32::try_from(kafka.partitions)? {
        list.add_partition_offset(&kafka.topic, partition, Offset::Beginning)?;
    }
    let begun = Instant::now();
    consumer.assign(&list)?;
    let mut bytes = 0_usize;
    for read in 0..count {
        let message = consumer.poll(SILENCE).with_context(|| format!("nothing after {read} records"))??;
        bytes += message.payload_len();
    }
    let took = begun.elapsed();
    eprintln!("{count} records with {} MB of values read in {:.2} s", bytes / 1_000_000, took.as_secs_f64());
    Ok(took)
}
