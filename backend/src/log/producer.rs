//! The way into the log: an idempotent producer with `acks=all`.
//!
//! Sending is a synchronous enqueue, so that the order in which a connection calls it is the order in the log;
//! the outcome comes back through one bounded channel to the delivery task.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use milena_domain::{MessageEvent, MessageId};
use milena_kafka::{LogError, Quiet, Role, client_config, message_headers};
use milena_settings::{DeliverySettings, KafkaSettings};
use rdkafka::client::ClientContext;
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::KafkaError;
use rdkafka::message::{DeliveryResult, Message};
use rdkafka::producer::{BaseRecord, Producer as _, ProducerContext, ThreadedProducer};
use tokio::sync::mpsc;

use crate::refusal::{Code, Refusal};

/// What became of a record that this node produced.
#[derive(Debug)]
pub enum Confirmation {
    /// All in-sync replicas have it.
    Confirmed {
        /// Where it went.
        partition: i32,
        /// Its place there; negative when the broker only said that it has the record already.
        offset: i64,
        /// The message.
        event: Arc<MessageEvent>,
    },
    /// It was not confirmed in time; it may be in the log all the same.
    Failed {
        /// Which message.
        id: MessageId,
        /// librdkafka's words.
        error: KafkaError,
    },
}

/// A handle to the producer; clones share it.
#[derive(Clone)]
pub struct Producer(Arc<Inner>);

struct Inner {
    settings: KafkaSettings,
    timeout_ms: u64,
    /// Replaced after a fatal error of the idempotent producer, which by its nature cannot go on. Read for each send,
    /// written hardly ever.
    client: RwLock<Arc<ThreadedProducer<Context>>>,
    /// Set by the delivery callback; the next send then looks for a fatal error.
    suspect: Arc<AtomicBool>,
    /// From librdkafka's thread to the delivery task. That thread must never wait, so the channel has no bound of its
    /// own: librdkafka's queue (`queue.buffering.max.messages`) bounds what can be in it.
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
        let suspect = Arc::new(AtomicBool::new(false));
        let client = connect(kafka, delivery.send_timeout_ms, &confirmations, &suspect)?;
        Ok(Self(Arc::new(Inner {
            settings: kafka.clone(),
            timeout_ms: delivery.send_timeout_ms,
            client: RwLock::new(Arc::new(client)),
            suspect,
            confirmations,
        })))
    }

    /// Enqueues `event`; the outcome follows as a [`Confirmation`].
    ///
    /// # Errors
    /// `overloaded` when the queue is full, `log_unavailable` when librdkafka refuses.
    pub fn send(&self, event: Arc<MessageEvent>) -> Result<(), Refusal> {
        let client = self.client();
        let (key, value, headers) = (event.key(), event.encode(), message_headers(&event));
        let record = BaseRecord::with_opaque_to(&self.0.settings.topic, event)
            .key(&key)
            .payload(&value)
            .headers(headers);
        client.send(record).map_err(|(error, _)| match error.rdkafka_error_code() {
            Some(rdkafka::types::RDKafkaErrorCode::QueueFull) => {
                Refusal::later(Code::Overloaded, "too many messages wait for the log", 500)
            }
            _ => {
                log::warn!(error:% = error; "the producer refused a message");
                self.0.suspect.store(true, Ordering::Relaxed);
                Refusal::log_unavailable()
            }
        })
    }

    /// Waits until everything enqueued has its outcome, at most `timeout`. Blocks.
    pub fn flush(&self, timeout: Duration) {
        let client = Arc::clone(&self.0.client.read().unwrap_or_else(PoisonError::into_inner));
        if let Err(error) = client.flush(timeout) {
            log::warn!(error:% = error; "some messages were not confirmed before the end");
        }
    }

    fn client(&self) -> Arc<ThreadedProducer<Context>> {
        let inner = &self.0;
        let current = Arc::clone(&inner.client.read().unwrap_or_else(PoisonError::into_inner));
        if !inner.suspect.swap(false, Ordering::Relaxed) {
            return current;
        }
        let Some((code, reason)) = current.client().fatal_error() else { return current };
        log::error!(code:% = code, reason:% = reason; "the producer failed for good; a new one takes over");
        match connect(&inner.settings, inner.timeout_ms, &inner.confirmations, &inner.suspect) {
            Ok(client) => {
                let client = Arc::new(client);
                let mut slot = inner.client.write().unwrap_or_else(PoisonError::into_inner);
                let old = std::mem::replace(&mut *slot, Arc::clone(&client));
                // Dropping a client can block for a moment; not on a thread that serves people.
                std::thread::spawn(move || drop((old, current)));
                client
            }
            Err(error) => {
                log::error!(error:% = error; "no new producer could be made");
                current
            }
        }
    }
}

fn connect(
    settings: &KafkaSettings,
    timeout_ms: u64,
    confirmations: &mpsc::UnboundedSender<Confirmation>,
    suspect: &Arc<AtomicBool>,
) -> Result<ThreadedProducer<Context>, LogError> {
    let context = Context {
        quiet: Quiet::default(),
        confirmations: confirmations.clone(),
        suspect: Arc::clone(suspect),
    };
    client_config(settings, &Role::Producer { timeout_ms })
        .create_with_context(context)
        .map_err(LogError::Properties)
}

struct Context {
    quiet: Quiet,
    confirmations: mpsc::UnboundedSender<Confirmation>,
    suspect: Arc<AtomicBool>,
}

impl ClientContext for Context {
    fn log(&self, level: RDKafkaLogLevel, facility: &str, message: &str) {
        self.quiet.log(level, facility, message);
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.suspect.store(true, Ordering::Relaxed);
        self.quiet.error(error, reason);
    }
}

impl ProducerContext for Context {
    type DeliveryOpaque = Arc<MessageEvent>;

    fn delivery(&self, result: &DeliveryResult<'_>, event: Arc<MessageEvent>) {
        let confirmation = match result {
            Ok(record) => {
                Confirmation::Confirmed { partition: record.partition(), offset: record.offset(), event }
            }
            Err((error, _)) => {
                self.suspect.store(true, Ordering::Relaxed);
                Confirmation::Failed { id: event.id, error: error.clone() }
            }
        };
        // The receiver is gone only when the program ends; then nobody waits for the answer either.
        let _ = self.confirmations.send(confirmation);
    }
}
