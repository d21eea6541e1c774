//! Into the log as fast as it takes them: an idempotent producer with a full queue, watched for the first
//! failure.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, bail};
use milena_domain::MessageId;
use milena_domain::record::Event;
use milena_kafka::{LogError, Role, client_config, message_headers};
use milena_settings::KafkaSettings;
use rdkafka::error::KafkaError;
use rdkafka::message::DeliveryResult;
use rdkafka::producer::{BaseRecord, Producer as _, ProducerContext, ThreadedProducer};
use rdkafka::types::RDKafkaErrorCode;
use rdkafka::{ClientContext, Message as _};
use tokio_util::sync::CancellationToken;

use super::line::Message;

/// Messages never expire in the queue: one that did, while a newer one went out, would come after it in a
/// second try.
const NO_TIMEOUT: u64 = 0;
/// How long the last messages may take to be confirmed.
const FINISH_TIMEOUT: Duration = Duration::from_secs(120);

/// What the delivery callback writes and the import reads.
#[derive(Debug, Default)]
struct Outcome {
    failed: AtomicU64,
    /// Behind the last message that was confirmed, by partition.
    ends: Mutex<BTreeMap<i32, i64>>,
    /// The offsets of what was confirmed since the database was last seen to have everything: what answers or
    /// changes it names its place. As many as the ledger has, and those who joined.
    offsets: Mutex<HashMap<MessageId, i64>>,
    first_error: Mutex<Option<KafkaError>>,
}

struct Context(Arc<Outcome>);

impl ClientContext for Context {}

impl ProducerContext for Context {
    type DeliveryOpaque = Box<MessageId>;

    fn delivery(&self, result: &DeliveryResult<'_>, id: Box<MessageId>) {
        if let Ok(message) = result {
            let mut offsets = self.0.offsets.lock().unwrap_or_else(PoisonError::into_inner);
            offsets.insert(*id, message.offset());
            drop(offsets);
            let mut ends = self.0.ends.lock().unwrap_or_else(PoisonError::into_inner);
            let end = ends.entry(message.partition()).or_insert(0);
            *end = (*end).max(message.offset() + 1);
        }
        if let Err((error, _)) = result {
            self.0.failed.fetch_add(1, Ordering::Relaxed);
            self.0
                .first_error
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .get_or_insert_with(|| error.clone());
        }
    }
}

/// The producer of one import.
pub(crate) struct ImportProducer {
    client: Arc<ThreadedProducer<Context>>,
    outcome: Arc<Outcome>,
    topic: String,
}

impl ImportProducer {
    /// Connects in the background.
    ///
    /// # Errors
    /// When librdkafka refuses the settings.
    pub(crate) fn new(settings: &KafkaSettings) -> anyhow::Result<Self> {
        let outcome = Arc::new(Outcome::default());
        let mut config = client_config(settings, &Role::Producer { timeout_ms: NO_TIMEOUT });
        config.set("linger.ms", "20").set("batch.num.messages", "10000");
        let client = config.create_with_context(Context(Arc::clone(&outcome))).map_err(LogError::refused)?;
        Ok(Self { client: Arc::new(client), outcome, topic: settings.topic.clone() })
    }

    /// Enqueues a message, waiting while the queue is full. `false` when `stop` came first.
    ///
    /// # Errors
    /// When the producer cannot go on.
    pub(crate) async fn send(&self, message: &Message, stop: &CancellationToken) -> anyhow::Result<bool> {
        match message {
            Message::Plain(event) => {
                let (key, value) = (event.key(), event.encode());
                let record =
                    BaseRecord::with_opaque_to(&self.topic, Box::new(event.id)).key(&key).payload(&value);
                self.enqueue(record.headers(message_headers(event)), stop).await
            }
            Message::Event(event) => self.send_event(event, stop).await,
        }
    }

    /// The same for what happens in a room.
    ///
    /// # Errors
    /// When the producer cannot go on.
    pub(crate) async fn send_event(&self, event: &Event, stop: &CancellationToken) -> anyhow::Result<bool> {
        let (key, value) = (event.key(), event.encode());
        let record = BaseRecord::with_opaque_to(&self.topic, Box::new(event.id)).key(&key).payload(&value);
        self.enqueue(record, stop).await
    }

    /// How far the log is for certain, by partition.
    pub(crate) fn ends(&self) -> BTreeMap<i32, i64> {
        self.outcome.ends.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Where something stands that was sent since [`ImportProducer::forget`], once it is confirmed.
    pub(crate) fn offset_of(&self, id: MessageId) -> Option<i64> {
        self.outcome.offsets.lock().unwrap_or_else(PoisonError::into_inner).get(&id).copied()
    }

    /// The database has everything: it is asked from now on.
    pub(crate) fn forget(&self) {
        self.outcome.offsets.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    async fn enqueue(
        &self,
        mut record: BaseRecord<'_, String, Vec<u8>, Box<MessageId>>,
        stop: &CancellationToken,
    ) -> anyhow::Result<bool> {
        loop {
            match self.client.send(record) {
                Ok(()) => return Ok(true),
                Err((error, returned)) if error.rdkafka_error_code() == Some(RDKafkaErrorCode::QueueFull) => {
                    record = returned;
                    self.check()?;
                    tokio::select! {
                        () = stop.cancelled() => return Ok(false),
                        () = tokio::time::sleep(Duration::from_millis(5)) => {}
                    }
                }
                Err((error, _)) => return Err(error).context("the log refused a message"),
            }
        }
    }

    /// Looks whether a message failed meanwhile.
    ///
    /// # Errors
    /// Says how many and why.
    pub(crate) fn check(&self) -> anyhow::Result<()> {
        let failed = self.outcome.failed.load(Ordering::Relaxed);
        if failed == 0 {
            return Ok(());
        }
        let first = self.outcome.first_error.lock().unwrap_or_else(PoisonError::into_inner).take();
        let reason = first.map_or_else(String::new, |error| format!(": {error}"));
        bail!("{failed} messages were not confirmed by the log{reason}; run the same command again to go on")
    }

    /// Waits until every message is confirmed.
    ///
    /// # Errors
    /// When one was not.
    pub(crate) async fn finish(&self) -> anyhow::Result<()> {
        let client = Arc::clone(&self.client);
        let flushed = tokio::task::spawn_blocking(move || client.flush(FINISH_TIMEOUT)).await?;
        self.check()?;
        flushed.context("the log did not confirm the last messages in time")
    }
}
