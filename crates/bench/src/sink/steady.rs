//! The consumer when it has caught up: messages at a constant rate, and the time from the broker's
//! confirmation until each is in the store.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use clap::Args;
use milena_domain::Timestamp;
use milena_kafka::{Role, client_config, message_headers};
use milena_settings::KafkaSettings;
use milena_storage::Store;
use rdkafka::client::ClientContext;
use rdkafka::message::Message;
use rdkafka::producer::{BaseRecord, DeliveryResult, Producer, ProducerContext, ThreadedProducer};
use tempfile::TempDir;

use super::letters::Letters;
use super::{Place, topic};
use crate::measure::latency::{Latencies, Schedule};
use crate::measure::report::Report;

/// How often the store is asked how far it is; latencies are late by this much at most.
const LOOK: Duration = Duration::from_millis(5);
/// Not counted: the group forms, statements are prepared.
const WARM_UP_S: u64 = 3;
/// Everything must be stored this soon after the last was sent.
const PATIENCE: Duration = Duration::from_secs(30);

/// Options of `sink-steady`.
#[derive(Debug, Clone, Args)]
pub(crate) struct Options {
    #[command(flatten)]
    place: Place,
    /// Messages a second.
    #[arg(long, default_value_t = 1_000, value_parser = clap::value_parser!(u64).range(1..))]
    rate: u64,
    /// How long.
    #[arg(long, default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..))]
    seconds: u64,
}

/// Offsets and when the broker confirmed them, in the order of the log.
type Waiting = VecDeque<(i64, Instant)>;

/// What is not stored yet, by partition. Written by librdkafka's thread, taken by the bench; as long as what
/// waits.
#[derive(Clone)]
struct Confirmed(Arc<Mutex<Vec<Waiting>>>);

impl Confirmed {
    fn waiting(&self) -> MutexGuard<'_, Vec<Waiting>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ClientContext for Confirmed {}

impl ProducerContext for Confirmed {
    type DeliveryOpaque = ();

    fn delivery(&self, result: &DeliveryResult<'_>, (): ()) {
        if let Ok(message) = result
            && let Ok(partition) = usize::try_from(message.partition())
        {
            self.waiting()[partition].push_back((message.offset(), Instant::now()));
        }
    }
}

/// `sink-steady`.
pub(crate) async fn run(options: &Options) -> anyhow::Result<Report> {
    let place = &options.place;
    let folder = TempDir::with_prefix("milena-sink.")?;
    let database = place.database(folder.path())?;
    let store = Store::connect(&database.settings()).await?;
    store.migrate().await?;
    database.clear().await?;
    let kafka = topic::create(&place.kafka).await?;
    let mut consumer = place.start(folder.path(), &kafka, &database, &kafka.topic)?;
    let waiting = Confirmed(Arc::new(Mutex::new(vec![VecDeque::new(); kafka.partitions])));
    let count = options.rate * (WARM_UP_S + options.seconds);
    let sender = {
        let (kafka, waiting, rate) = (kafka.clone(), waiting.clone(), options.rate);
        tokio::task::spawn_blocking(move || send(&kafka, waiting, rate, count))
    };
    let begun = Instant::now();
    let (warm, end) = (Duration::from_secs(WARM_UP_S), Duration::from_secs(WARM_UP_S + options.seconds));
    let mut latencies = Latencies::default();
    let (mut stored, mut before) = (0, None);
    while stored < count {
        take_stored(&store, &kafka, &waiting, &mut stored, begun + warm, &mut latencies).await?;
        if before.is_none() && begun.elapsed() >= warm {
            before = Some((
                Instant::now(),
                consumer.metric("milena_consumer_transactions_total")?,
                consumer.usage()?,
            ));
        }
        consumer.check()?;
        if begun.elapsed() > end + PATIENCE {
            bail!("only {stored} of {count} messages were stored {PATIENCE:?} after the last was sent");
        }
        tokio::time::sleep(LOOK).await;
    }
    sender.await.context("the sender ended")??;
    let (since, transactions, usage) =
        before.context("the messages were stored before the measurement began")?;
    let (took, now) = (since.elapsed().as_secs_f64(), consumer.usage()?);
    let transactions = consumer.metric("milena_consumer_transactions_total")? - transactions;
    eprintln!("confirmed → stored: {}", latencies.line());
    store.close().await;
    Ok(Report::new("sink-steady", "kafka")
        .figure("store", place.store.as_str())
        .figure("messages_per_s", options.rate)
        .figure("stored_p50_ms", latencies.percentile_ms(50.0))
        .figure("stored_p99_ms", latencies.percentile_ms(99.0))
        .figure("stored_max_ms", latencies.percentile_ms(100.0))
        .figure("transactions_per_s", transactions / took)
        .figure("rows_per_transaction", latencies.count() as f64 / transactions.max(1.0))
        .figure("cpu_s", now.cpu_s - usage.cpu_s)
        .figure("cpu_of_a_core", (now.cpu_s - usage.cpu_s) / took)
        .figure("peak_rss_mb", now.peak_rss_kib as f64 / 1024.0))
}

/// Counts what is stored by now.
async fn take_stored(
    store: &Store,
    kafka: &KafkaSettings,
    waiting: &Confirmed,
    stored: &mut u64,
    counts_from: Instant,
    latencies: &mut Latencies,
) -> anyhow::Result<()> {
    let position = store.log_position(&kafka.topic).await?;
    let now = Instant::now();
    let mut waiting = waiting.waiting();
    for (&partition, &next) in &position.next_offsets {
        let queue = &mut waiting[usize::try_from(partition)?];
        while queue.front().is_some_and(|(offset, _)| *offset < next) {
            let Some((_, confirmed)) = queue.pop_front() else { break };
            *stored += 1;
            if confirmed >= counts_from {
                latencies.record(now.saturating_duration_since(confirmed));
            }
        }
    }
    Ok(())
}

fn send(kafka: &KafkaSettings, waiting: Confirmed, rate: u64, count: u64) -> anyhow::Result<()> {
    let producer: ThreadedProducer<Confirmed> =
        client_config(kafka, &Role::Producer { timeout_ms: 10_000 }).create_with_context(waiting)?;
    let mut letters = Letters::new(count);
    Schedule::new(Instant::now(), rate as f64).run(count, |_| {
        let event = letters.next(Some(Timestamp::now()));
        let (key, value, headers) = (event.key(), event.encode(), message_headers(&event));
        let record = BaseRecord::to(&kafka.topic).key(&key).payload(&value).headers(headers);
        producer.send(record).map_err(|(error, _)| error)
    })?;
    producer.flush(Duration::from_secs(10)).context("the log did not confirm every message")
}
