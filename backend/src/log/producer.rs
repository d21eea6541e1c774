//! The way into the log: an idempotent producer with `acks=all`.
//!
//! Sending is a synchronous enqueue, so that the order in which a connection calls it is the order in the
//! log; the outcome comes back through one bounded channel to the delivery task.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant};

use milena_domain::MessageId;
use milena_domain::record::Event;
use milena_kafka::{Forgotten, LogError, Quiet, Role, client_config, message_headers};
use milena_settings::{DeliverySettings, KafkaSettings};
use rdkafka::Statistics;
use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::KafkaError;
use rdkafka::message::{DeliveryResult, Message};
use rdkafka::producer::{BaseRecord, Producer as _, ProducerContext, ThreadedProducer};
use tokio::sync::mpsc;

use super::event::version_1;
use crate::refusal::{Code, Refusal, judges_the_batch};
use crate::seldom::Seldom;

/// What became of a record that this node produced.
#[derive(Debug)]
pub enum Confirmation {
    /// All in-sync replicas have it.
    Confirmed {
        /// Where it went.
        partition: i32,
        /// Its place there; negative when the broker only said that it has the record already.
        offset: i64,
        /// What was said.
        event: Arc<Event>,
    },
    /// It was not confirmed in time; it may be in the log all the same.
    Failed {
        /// Which message.
        id: MessageId,
        /// librdkafka's words.
        error: KafkaError,
        /// Whether the log judged this record by itself, not a batch of several.
        alone: bool,
    },
}

/// A producer that confirmed nothing for so many time-outs of a send, while it failed to, is replaced. After
/// a broker hung for a while, librdkafka's idempotent producer may wait for ever to begin its next epoch; a
/// new client does not. While the log is really away this costs a new client now and then.
const STALLED_TIMEOUTS: u32 = 2;
/// How long a leader may take to say where its partition ends.
const ENDS_TIMEOUT: Duration = Duration::from_secs(2);

/// Since when a client fails: what its callbacks say and the next send reads.
#[derive(Debug, Default)]
struct Progress {
    /// The first failure since the last confirmation; locked for the length of an assignment.
    failing_since: Mutex<Option<Instant>>,
}

impl Progress {
    fn failed(&self) {
        self.failing_since.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert_with(Instant::now);
    }

    fn confirmed(&self) {
        *self.failing_since.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    fn failing_for(&self) -> Option<Duration> {
        self.failing_since.lock().unwrap_or_else(PoisonError::into_inner).map(|since| since.elapsed())
    }
}

/// A handle to the producer; clones share it.
#[derive(Clone)]
pub struct Producer(Arc<Inner>);

struct Inner {
    settings: KafkaSettings,
    timeout_ms: u64,
    /// Replaced after a fatal error of the idempotent producer, which by its nature cannot go on, when it
    /// stalls, and when it has forgotten all brokers. Read for each send, written hardly ever.
    client: RwLock<Arc<ThreadedProducer<Context>>>,
    /// From librdkafka's thread to the delivery task. That thread must never wait, so the channel has no
    /// bound of its own: librdkafka's queue (`queue.buffering.max.messages`) bounds what can be in it.
    confirmations: mpsc::UnboundedSender<Confirmation>,
}

impl Producer {
    /// A producer whose outcomes go to `confirmations`.
    ///
    /// # Errors
    /// [`LogError::Properties`] when librdkafka refuses the settings.
    pub fn new(
        kafka: &KafkaSettings,
        delivery: &DeliverySettings,
        confirmations: mpsc::UnboundedSender<Confirmation>,
    ) -> Result<Self, LogError> {
        let client = connect(kafka, delivery.send_timeout_ms, &confirmations, false)?;
        Ok(Self(Arc::new(Inner {
            settings: kafka.clone(),
            timeout_ms: delivery.send_timeout_ms,
            client: RwLock::new(Arc::new(client)),
            confirmations,
        })))
    }

    /// Enqueues `event`; the outcome follows as a [`Confirmation`].
    ///
    /// # Errors
    /// `overloaded` when the queue is full, `log_unavailable` when librdkafka refuses.
    pub fn send(&self, event: Arc<Event>) -> Result<(), Refusal> {
        let client = self.client();
        let key = event.key();
        let (value, headers) = match version_1(&event) {
            Some(message) => (message.encode(), Some(message_headers(&message))),
            None => (event.encode(), None),
        };
        let mut record = BaseRecord::with_opaque_to(&self.0.settings.topic, event).key(&key).payload(&value);
        record.headers = headers;
        client.send(record).map_err(|(error, _)| match error.rdkafka_error_code() {
            Some(rdkafka::types::RDKafkaErrorCode::QueueFull) => {
                Refusal::later(Code::Overloaded, "too many messages wait for the log", 500)
            }
            _ => {
                static TOLD: Seldom = Seldom::new();
                if let Some(left_out) = TOLD.due() {
                    log::warn!(error:% = error, left_out; "the producer refused a message");
                }
                client.client().context().progress.failed();
                // What librdkafka says at once, it says of this message.
                Refusal::not_confirmed(&error, true)
            }
        })
    }

    /// Where partitions end: everything that anybody was told to be in the log is before that. Asks their
    /// leaders. Blocks.
    ///
    /// # Errors
    /// librdkafka's, when a leader does not answer in time.
    pub fn ends(&self, partitions: &[i32]) -> Result<HashMap<i32, i64>, KafkaError> {
        let client = self.client();
        let end = |partition: &i32| {
            let (_, end) =
                client.client().fetch_watermarks(&self.0.settings.topic, *partition, ENDS_TIMEOUT)?;
            Ok((*partition, end))
        };
        partitions.iter().map(end).collect()
    }

    /// Waits until everything enqueued has its outcome, at most `timeout`. Blocks.
    pub fn flush(&self, timeout: Duration) {
        let client = Arc::clone(&self.0.client.read().unwrap_or_else(PoisonError::into_inner));
        if let Err(error) = client.flush(timeout) {
            log::warn!(error:% = error; "some messages were not confirmed before the end");
        }
    }

    fn client(&self) -> Arc<ThreadedProducer<Context>> {
        let current = Arc::clone(&self.0.client.read().unwrap_or_else(PoisonError::into_inner));
        match self.why_replaced(&current) {
            None => current,
            Some(reason) => self.replaced(current, &reason),
        }
    }

    fn why_replaced(&self, current: &ThreadedProducer<Context>) -> Option<String> {
        if current.client().context().forgotten.is_certain() {
            return Some("the old one has forgotten all brokers".to_owned());
        }
        if current.client().context().batch_refused.load(Ordering::Relaxed) {
            return Some("the log refused a batch, so from now on each message goes by itself".to_owned());
        }
        let failing_for = current.client().context().progress.failing_for()?;
        if let Some((code, reason)) = current.client().fatal_error() {
            return Some(format!("{code}: {reason}"));
        }
        let patience = STALLED_TIMEOUTS * Duration::from_millis(self.0.timeout_ms);
        (failing_for > patience).then(|| "nothing was confirmed for some time".to_owned())
    }

    /// The client that takes the place of `old`, which may have happened already. Others who send wait for
    /// it.
    fn replaced(&self, old: Arc<ThreadedProducer<Context>>, reason: &str) -> Arc<ThreadedProducer<Context>> {
        let inner = &self.0;
        let mut slot = inner.client.write().unwrap_or_else(PoisonError::into_inner);
        if !Arc::ptr_eq(&slot, &old) {
            return Arc::clone(&slot);
        }
        log::warn!(reason; "a new producer takes over");
        let context = old.client().context();
        let alone = context.alone || context.batch_refused.load(Ordering::Relaxed);
        match connect(&inner.settings, inner.timeout_ms, &inner.confirmations, alone) {
            Ok(client) => {
                let client = Arc::new(client);
                drop(std::mem::replace(&mut *slot, Arc::clone(&client)));
                std::thread::spawn(move || drop_last(old));
                client
            }
            Err(error) => {
                log::error!(error:% = error; "no new producer could be made");
                // It is not tried again at once.
                old.client().context().progress.confirmed();
                old
            }
        }
    }
}

/// Ends a client when nobody else holds it, which others do for the length of a send: its end can take half a
/// second, and must not happen on a thread that serves people.
fn drop_last(client: Arc<ThreadedProducer<Context>>) {
    while Arc::strong_count(&client) > 1 {
        std::thread::sleep(Duration::from_millis(1));
    }
}

fn connect(
    settings: &KafkaSettings,
    timeout_ms: u64,
    confirmations: &mpsc::UnboundedSender<Confirmation>,
    alone: bool,
) -> Result<ThreadedProducer<Context>, LogError> {
    let context = Context {
        quiet: Quiet::default(),
        confirmations: confirmations.clone(),
        progress: Progress::default(),
        forgotten: Forgotten::default(),
        alone,
        batch_refused: AtomicBool::new(false),
    };
    let mut config = client_config(settings, &Role::Producer { timeout_ms });
    config.set("statistics.interval.ms", "500");
    if alone {
        config.set("batch.num.messages", "1");
    }
    config.create_with_context(context).map_err(LogError::refused)
}

struct Context {
    quiet: Quiet,
    confirmations: mpsc::UnboundedSender<Confirmation>,
    /// Of this client alone, as the next one: what becomes of its records must not count against its
    /// successor.
    progress: Progress,
    forgotten: Forgotten,
    /// Each message goes by itself: a refusal then says something about that message. Brokers judge whole
    /// batches, and do not say which record was meant.
    alone: bool,
    /// A batch was refused for what one of its records, or all together, were; the next client sends alone.
    batch_refused: AtomicBool,
}

impl ClientContext for Context {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        self.quiet.log(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.progress.failed();
        self.quiet.error(error, reason);
    }

    fn stats(&self, statistics: Statistics) {
        self.forgotten.look(&statistics);
    }
}

impl ProducerContext for Context {
    type DeliveryOpaque = Arc<Event>;

    fn delivery(&self, result: &DeliveryResult<'_>, event: Arc<Event>) {
        let confirmation = match result {
            Ok(record) => {
                self.progress.confirmed();
                Confirmation::Confirmed { partition: record.partition(), offset: record.offset(), event }
            }
            Err((error, _)) => {
                self.progress.failed();
                if !self.alone && error.rdkafka_error_code().is_some_and(judges_the_batch) {
                    self.batch_refused.store(true, Ordering::Relaxed);
                }
                Confirmation::Failed { id: event.id, error: error.clone(), alone: self.alone }
            }
        };
        // The receiver is gone only when the program ends; then nobody waits for the answer either.
        let _ = self.confirmations.send(confirmation);
    }
}

#[cfg(test)]
mod tests;
