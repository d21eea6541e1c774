//! librdkafka alone on the same log: what a message costs when nothing but the log handles it.
//!
//! A topic of its own with as many partitions, records with the same key, value and headers, and the
//! properties that the backend uses. Nobody else reads the topic.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use milena_domain::{Body, ClientId, MessageEvent, Timestamp, UserId};
use milena_kafka::{Role, client_config, ensure_topics, message_headers};
use milena_settings::KafkaSettings;
use rdkafka::client::ClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::RDKafkaErrorCode;
use rdkafka::message::Message;
use rdkafka::producer::{BaseRecord, DeliveryResult, Producer, ProducerContext, ThreadedProducer};
use rdkafka::{Offset, TopicPartitionList};

use crate::client::body_of;
use crate::measure::latency::{Latencies, Schedule};

/// As long as the backend waits.
const TIMEOUT_MS: u64 = 4_000;
const POLL: Duration = Duration::from_millis(100);

/// A producer, and a consumer of all partitions, on a new topic.
pub struct Bare {
    producer: ThreadedProducer<Context>,
    topic: String,
    people: Vec<UserId>,
    seen: Arc<Seen>,
    stop: Arc<AtomicBool>,
    consumer: Option<JoinHandle<()>>,
}

struct Seen {
    epoch: Instant,
    /// Written by librdkafka's thread and the consumer's.
    latencies: Mutex<Confirmed>,
    confirmed: AtomicU64,
    failed: AtomicU64,
}

/// What was seen since the last [`Bare::take`].
#[derive(Debug, Clone, Default)]
pub struct Confirmed {
    /// From the intended moment to the broker's confirmation.
    pub confirm: Latencies,
    /// From the intended moment to the consumer.
    pub consume: Latencies,
}

impl Seen {
    fn latencies(&self) -> MutexGuard<'_, Confirmed> {
        self.latencies.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn since(&self, stamp_us: u64) -> Duration {
        (self.epoch + Duration::from_micros(stamp_us)).elapsed()
    }
}

struct Context(Arc<Seen>);

impl ClientContext for Context {}

impl ProducerContext for Context {
    type DeliveryOpaque = usize;

    fn delivery(&self, result: &DeliveryResult<'_>, stamp_us: usize) {
        if result.is_err() {
            self.0.failed.fetch_add(1, Ordering::Relaxed);
            return;
        }
        self.0.latencies().confirm.record(self.0.since(stamp_us as u64));
        self.0.confirmed.fetch_add(1, Ordering::Relaxed);
    }
}

impl Bare {
    /// Makes the topic. `people` write to each other, as they do in the measured run. With `consume`, a
    /// consumer reads all partitions.
    ///
    /// # Errors
    /// When the log refuses.
    pub async fn start(kafka: &KafkaSettings, people: Vec<UserId>, consume: bool) -> anyhow::Result<Self> {
        let mut settings = kafka.clone();
        settings.topic = format!("bare-{}", uuid::Uuid::now_v7().simple());
        settings.dead_topic = format!("{}.dead", settings.topic);
        ensure_topics(&settings, Duration::from_secs(20)).await?;
        let mut bare = Self::onto(&settings, people)?;
        if consume {
            bare.consumer = Some(follow(&settings, &bare.seen, &bare.stop)?);
        }
        Ok(bare)
    }

    /// A producer alone, onto a topic that exists: what it writes are real messages of `people`.
    ///
    /// # Errors
    /// When librdkafka refuses the settings.
    pub fn onto(settings: &KafkaSettings, people: Vec<UserId>) -> anyhow::Result<Self> {
        let seen = Arc::new(Seen {
            epoch: Instant::now(),
            latencies: Mutex::default(),
            confirmed: AtomicU64::new(0),
            failed: AtomicU64::new(0),
        });
        let producer = client_config(settings, &Role::Producer { timeout_ms: TIMEOUT_MS })
            .create_with_context(Context(Arc::clone(&seen)))?;
        let stop = Arc::new(AtomicBool::new(false));
        Ok(Self { producer, topic: settings.topic.clone(), people, seen, stop, consumer: None })
    }

    /// Produces `count` records at a constant rate, from whom to whom as `pair` says. Blocks until all are
    /// confirmed.
    ///
    /// # Errors
    /// When one was not.
    pub fn produce_paced(
        &self,
        per_second: f64,
        count: u64,
        body_bytes: usize,
        pair: impl Fn(u64) -> (usize, usize),
    ) -> anyhow::Result<()> {
        let schedule = Schedule::new(Instant::now(), per_second);
        schedule.run(count, |number| self.produce(schedule.at(number), number, body_bytes, pair(number)))?;
        self.finish()
    }

    /// Produces as fast as the log takes it, for `span`; how many a second it confirmed in that time.
    ///
    /// # Errors
    /// When one was not.
    pub fn produce_flat_out(
        &self,
        span: Duration,
        body_bytes: usize,
        pair: impl Fn(u64) -> (usize, usize),
    ) -> anyhow::Result<f64> {
        let (begun, before) = (Instant::now(), self.seen.confirmed.load(Ordering::Relaxed));
        let mut number = 0;
        while begun.elapsed() < span {
            self.produce(Instant::now(), number, body_bytes, pair(number))?;
            number += 1;
        }
        let confirmed = self.seen.confirmed.load(Ordering::Relaxed) - before;
        let took = begun.elapsed();
        self.finish()?;
        Ok(confirmed as f64 / took.as_secs_f64())
    }

    fn produce(
        &self,
        intended: Instant,
        number: u64,
        body_bytes: usize,
        (from, to): (usize, usize),
    ) -> anyhow::Result<()> {
        let stamp_us = intended.saturating_duration_since(self.seen.epoch).as_micros() as usize;
        let client_id = ClientId::new(&format!("{number}.{stamp_us}"))?;
        let body = Body::new(body_of(&stamp_us.to_string(), body_bytes))?;
        let event = MessageEvent::new(self.people[from], self.people[to], client_id, Timestamp::now(), body);
        let (key, value, headers) = (event.key(), event.encode(), message_headers(&event));
        let mut record =
            BaseRecord::with_opaque_to(&self.topic, stamp_us).key(&key).payload(&value).headers(headers);
        loop {
            match self.producer.send(record) {
                Ok(()) => return Ok(()),
                Err((error, back)) if error.rdkafka_error_code() == Some(RDKafkaErrorCode::QueueFull) => {
                    record = back;
                    std::thread::sleep(Duration::from_millis(1));
                }
                Err((error, _)) => return Err(error.into()),
            }
        }
    }

    fn finish(&self) -> anyhow::Result<()> {
        self.producer.flush(Duration::from_secs(10)).context("the log did not confirm everything")?;
        match self.seen.failed.load(Ordering::Relaxed) {
            0 => Ok(()),
            failed => bail!("the log did not confirm {failed} records"),
        }
    }

    /// Waits until the consumer has seen what was confirmed, and takes the latencies so far.
    ///
    /// # Errors
    /// When it does not see everything in time.
    pub fn take(&self) -> anyhow::Result<Confirmed> {
        let deadline = Instant::now() + Duration::from_secs(10);
        loop {
            let mut latencies = self.seen.latencies();
            let all = self.consumer.is_none() || latencies.consume.count() >= latencies.confirm.count();
            if all {
                return Ok(std::mem::take(&mut latencies));
            }
            drop(latencies);
            if Instant::now() > deadline {
                bail!("the bare consumer did not see all records");
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Bare {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(consumer) = self.consumer.take() {
            let _ = consumer.join();
        }
    }
}

/// Reads all partitions as the backend's tail does.
fn follow(
    settings: &KafkaSettings,
    seen: &Arc<Seen>,
    stop: &Arc<AtomicBool>,
) -> anyhow::Result<JoinHandle<()>> {
    let consumer: BaseConsumer = client_config(settings, &Role::Tail).create()?;
    let mut assignment = TopicPartitionList::new();
    for partition in 0..i32::try_from(settings.partitions)? {
        assignment.add_partition_offset(&settings.topic, partition, Offset::Beginning)?;
    }
    consumer.assign(&assignment)?;
    let (seen, stop) = (Arc::clone(seen), Arc::clone(stop));
    let run = move || {
        while !stop.load(Ordering::Relaxed) {
            let Some(Ok(record)) = consumer.poll(POLL) else { continue };
            if let Some(stamp_us) = record.payload().and_then(stamp_of) {
                let took = seen.since(stamp_us);
                seen.latencies().consume.record(took);
            }
        }
    };
    Ok(std::thread::Builder::new().name("bare-consumer".to_owned()).spawn(run)?)
}

/// The stamp at the start of the body.
fn stamp_of(value: &[u8]) -> Option<u64> {
    const MARK: &[u8] = b"\"body\":\"";
    let start = value.windows(MARK.len()).position(|window| window == MARK)? + MARK.len();
    let digits = value[start..].split(|byte| *byte == b' ').next()?;
    std::str::from_utf8(digits).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stamp_is_read_from_a_real_record() {
        let body = Body::new(body_of("123456", 60)).unwrap();
        let event = MessageEvent::new(
            UserId::new(),
            UserId::new(),
            ClientId::new("1.123456").unwrap(),
            Timestamp::now(),
            body,
        );
        assert_eq!(stamp_of(&event.encode()), Some(123_456));
    }
}
