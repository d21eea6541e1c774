//! How many records a second go in, until the last is confirmed, and come out again.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{bail, ensure};
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::producer::{BaseProducer, BaseRecord, DeliveryResult, Producer, ProducerContext};
use rdkafka::{ClientContext, Offset, TopicPartitionList};

use super::system::{PARTITIONS, System};

const PATIENCE: Duration = Duration::from_secs(120);

/// Counts what was confirmed.
#[derive(Default)]
struct Count {
    confirmed: AtomicU64,
}

impl ClientContext for Count {}

impl ProducerContext for Count {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, (): ()) {
        self.confirmed.fetch_add(u64::from(result.is_ok()), Ordering::Relaxed);
    }
}

/// Records a second, all partitions in turn.
pub(super) fn produce(system: &System, topic: &str, value: &[u8], records: u64) -> anyhow::Result<f64> {
    let mut config = system.client();
    config.set("acks", "all").set("enable.idempotence", "true").set("linger.ms", "5");
    let producer: BaseProducer<Count> = config.create_with_context(Count::default())?;
    let began = Instant::now();
    for number in 0..records {
        let partition = (number % u64::from(PARTITIONS.unsigned_abs())) as i32;
        let mut record = BaseRecord::<[u8], [u8], ()>::to(topic).partition(partition).payload(value);
        loop {
            match producer.send(record) {
                Ok(()) => break,
                Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), same)) => {
                    record = same;
                    producer.poll(Duration::from_millis(5));
                }
                Err((error, _)) => bail!(error),
            }
        }
        if number % 1_000 == 0 {
            producer.poll(Duration::ZERO);
        }
    }
    producer.flush(PATIENCE)?;
    let took = began.elapsed();
    let confirmed = producer.client().context().confirmed.load(Ordering::Relaxed);
    ensure!(confirmed == records, "only {confirmed} of {records} records were confirmed");
    Ok(records as f64 / took.as_secs_f64())
}

/// Records a second, all partitions from their beginning.
pub(super) fn consume(system: &System, topic: &str, records: u64) -> anyhow::Result<f64> {
    let mut config = system.client();
    config.set("group.id", "bench").set("enable.auto.commit", "false").set("check.crcs", "false");
    let consumer: BaseConsumer = config.create()?;
    let mut all = TopicPartitionList::new();
    for partition in 0..PARTITIONS {
        all.add_partition_offset(topic, partition, Offset::Beginning)?;
    }
    consumer.assign(&all)?;
    let mut began = Instant::now();
    let mut read = 0_u64;
    while read < records {
        match consumer.poll(Duration::from_millis(100)) {
            Some(Ok(_)) => {
                // Finding the way to the log is not what is measured.
                if read == 0 {
                    began = Instant::now();
                }
                read += 1;
            }
            Some(Err(error)) => bail!(error),
            None => ensure!(began.elapsed() < PATIENCE, "only {read} of {records} records came"),
        }
    }
    Ok(records as f64 / began.elapsed().as_secs_f64())
}
