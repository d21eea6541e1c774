//! How long a confirmation takes at a constant rate, counted from when the record was meant to be sent.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::ensure;
use rdkafka::ClientContext;
use rdkafka::producer::{BaseProducer, BaseRecord, DeliveryResult, Producer, ProducerContext};

use super::system::System;
use crate::measure::latency::{Latencies, Schedule};

const PATIENCE: Duration = Duration::from_secs(60);

/// Takes the confirmations, on the thread that polls.
#[derive(Default)]
struct Confirmations {
    latencies: Mutex<Latencies>,
    failed: AtomicU64,
}

impl ClientContext for Confirmations {}

impl ProducerContext for Confirmations {
    /// When the record was meant to be sent.
    type DeliveryOpaque = Box<Instant>;

    fn delivery(&self, result: &DeliveryResult<'_>, intended: Box<Instant>) {
        match result {
            Ok(_) => {
                self.latencies.lock().unwrap_or_else(PoisonError::into_inner).record_since(*intended);
            }
            Err(_) => {
                self.failed.fetch_add(1, Ordering::Relaxed);
            }
        }
    }
}

/// Sends `rate` records a second for so many seconds, as the programs do: `acks=all`, idempotent, no long
/// linger.
pub(super) fn measure(
    system: &System,
    topic: &str,
    value: &[u8],
    rate: u64,
    seconds: u64,
    latencies: &mut Latencies,
) -> anyhow::Result<()> {
    let mut config = system.client();
    config.set("acks", "all").set("enable.idempotence", "true").set("linger.ms", "1");
    let producer: BaseProducer<Confirmations> = config.create_with_context(Confirmations::default())?;
    // Connections, metadata and the producer's id are not what is measured.
    for number in 0..u64::from(super::system::PARTITIONS.unsigned_abs()) {
        send(&producer, topic, number, value, Instant::now())?;
    }
    producer.flush(PATIENCE)?;
    *lock(&producer) = Latencies::default();
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                producer.poll(Duration::from_millis(20));
            }
        });
        let schedule = Schedule::new(Instant::now() + Duration::from_millis(10), rate as f64);
        let sent =
            schedule.run(rate * seconds, |number| send(&producer, topic, number, value, schedule.at(number)));
        let flushed = producer.flush(PATIENCE);
        done.store(true, Ordering::Relaxed);
        sent.and(flushed.map_err(Into::into))
    })?;
    let failed = producer.client().context().failed.load(Ordering::Relaxed);
    ensure!(failed == 0, "{failed} records were refused");
    let measured = lock(&producer);
    ensure!(measured.count() == rate * seconds, "only {} confirmations came", measured.count());
    latencies.add(&measured);
    Ok(())
}

fn send(
    producer: &BaseProducer<Confirmations>,
    topic: &str,
    number: u64,
    value: &[u8],
    intended: Instant,
) -> anyhow::Result<()> {
    let partition = (number % u64::from(super::system::PARTITIONS.unsigned_abs())) as i32;
    let record = BaseRecord::with_opaque_to(topic, Box::new(intended)).partition(partition);
    producer.send(record.key("conversation").payload(value)).map_err(|(error, _)| error.into())
}

fn lock(producer: &BaseProducer<Confirmations>) -> std::sync::MutexGuard<'_, Latencies> {
    producer.client().context().latencies.lock().unwrap_or_else(PoisonError::into_inner)
}
