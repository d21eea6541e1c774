//! The dead-letter topic: what cannot be stored, as it was, with the reason and the place it came from.
//!
//! A letter counts as delivered when Kafka acknowledged it (`acks=all`); until then its offset is not passed.
//! A crash between the two delivers it again: who reads the topic tells repeats by topic, partition and
//! offset of the origin.

use std::collections::HashSet;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use futures::StreamExt;
use futures::stream;
use milena_domain::MessageEvent;
use milena_domain::record::{Action, Placed};
use milena_kafka::{Quiet, Role, client_config, partition_count};
use milena_settings::KafkaSettings;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{FutureProducer, FutureRecord};

use crate::backoff::Backoff;
use crate::error::ConsumerError;
use crate::origin;
use crate::record::{DeadLetter, RawRecord};
use crate::sink::DeadLetters;

/// Header: why, by a stable name.
pub(crate) const HEADER_REASON: &str = "dead.reason";
/// Header: why, for people.
pub(crate) const HEADER_DETAIL: &str = "dead.detail";
/// Header: the topic that the record stands in.
pub(crate) const HEADER_TOPIC: &str = "dead.topic";
/// Header: its partition.
pub(crate) const HEADER_PARTITION: &str = "dead.partition";
/// Header: its offset.
pub(crate) const HEADER_OFFSET: &str = "dead.offset";
/// Header: its timestamp in milliseconds since 1970.
pub(crate) const HEADER_TIMESTAMP_MS: &str = "dead.timestamp_ms";
/// Header: present when the value was too large for the dead-letter topic; it still stands at its origin.
pub(crate) const HEADER_VALUE_OMITTED: &str = "dead.value_omitted";

/// All of them.
pub(crate) const OUR_HEADERS: [&str; 7] = [
    HEADER_REASON,
    HEADER_DETAIL,
    HEADER_TOPIC,
    HEADER_PARTITION,
    HEADER_OFFSET,
    HEADER_TIMESTAMP_MS,
    HEADER_VALUE_OMITTED,
];

/// How long the log may take to say how many partitions it has, before it is asked again.
const COUNT_TIMEOUT: Duration = Duration::from_secs(10);
const PRODUCE_TIMEOUT_MS: u64 = 30_000;
/// One letter's failures after which the producer is not trusted any more.
const FAILURES_OF_A_PRODUCER: u32 = 2;
/// Letters on their way at once.
const IN_FLIGHT: usize = 64;
/// The origin headers come on top of a record that may be as large as its topic allows.
const MAX_BYTES: &str = "10485760";

/// Writes to the dead-letter topic and reads originals again.
pub(crate) struct DeadLetterTopic {
    /// Replaced when it fails again and again: it may have forgotten all brokers. Read for each attempt.
    producer: RwLock<Arc<FutureProducer<Quiet>>>,
    settings: Arc<KafkaSettings>,
    /// Records that are in the dead-letter topic already, by partition and offset: they are not sent again.
    known: HashSet<(i32, i64)>,
}

impl DeadLetterTopic {
    /// Connects nothing yet: librdkafka does when the first letter goes out.
    pub(crate) fn new(settings: Arc<KafkaSettings>) -> Result<Self, ConsumerError> {
        let producer = RwLock::new(Arc::new(connect(&settings)?));
        Ok(Self { producer, settings, known: HashSet::new() })
    }

    /// Leaves out what is in the topic already.
    pub(crate) fn knowing(mut self, known: HashSet<(i32, i64)>) -> Self {
        self.known = known;
        self
    }

    async fn deliver(&self, letter: DeadLetter) {
        let original = &letter.original;
        let mut headers = self.headers(&letter);
        let mut value = original.value.as_deref();
        let (mut backoff, mut failures) = (Backoff::default(), 0);
        loop {
            let producer = Arc::clone(&self.producer.read().unwrap_or_else(PoisonError::into_inner));
            let mut record =
                FutureRecord::<[u8], [u8]>::to(&self.settings.dead_topic).headers(headers.clone());
            record.key = original.key.as_deref();
            record.payload = value;
            match producer.send(record, Duration::from_secs(5)).await {
                Ok(_) => return,
                Err((KafkaError::MessageProduction(RDKafkaErrorCode::MessageSizeTooLarge), _))
                    if value.is_some() =>
                {
                    value = None;
                    headers = headers.insert(Header { key: HEADER_VALUE_OMITTED, value: Some("too large") });
                }
                Err((error, _)) => {
                    let topic = self.settings.dead_topic.as_str();
                    log::warn!(topic; "a dead letter is not acknowledged, trying again: {error}");
                    failures += 1;
                    if failures % FAILURES_OF_A_PRODUCER == 0 {
                        self.replace(&producer);
                    }
                    tokio::time::sleep(backoff.next(rand::random())).await;
                }
            }
        }
    }

    /// Puts a new producer in the place of `failed`, unless another letter was faster.
    fn replace(&self, failed: &Arc<FutureProducer<Quiet>>) {
        let mut current = self.producer.write().unwrap_or_else(PoisonError::into_inner);
        if !Arc::ptr_eq(&current, failed) {
            return;
        }
        match connect(&self.settings) {
            Ok(new) => {
                let old = std::mem::replace(&mut *current, Arc::new(new));
                // Closing a client can block for a while.
                std::thread::spawn(move || drop(old));
            }
            Err(error) => log::error!("no new producer of dead letters could be made: {error}"),
        }
    }

    /// The record's own headers, and ours behind them.
    fn headers(&self, letter: &DeadLetter) -> OwnedHeaders {
        let original = &letter.original;
        let headers = original.headers.clone().unwrap_or_default();
        let add =
            |headers: OwnedHeaders, key, value: &str| headers.insert(Header { key, value: Some(value) });
        let headers = add(headers, HEADER_REASON, letter.reason);
        let headers = add(headers, HEADER_DETAIL, &letter.detail);
        let headers = add(headers, HEADER_TOPIC, &self.settings.topic);
        let headers = add(headers, HEADER_PARTITION, &original.partition.to_string());
        let headers = add(headers, HEADER_OFFSET, &original.offset.to_string());
        match original.timestamp_ms {
            Some(ms) => add(headers, HEADER_TIMESTAMP_MS, &ms.to_string()),
            None => headers,
        }
    }
}

fn connect(settings: &KafkaSettings) -> Result<FutureProducer<Quiet>, ConsumerError> {
    Ok(client_config(settings, &Role::Producer { timeout_ms: PRODUCE_TIMEOUT_MS })
        .set("message.max.bytes", MAX_BYTES)
        .create_with_context(Quiet::default())?)
}

impl DeadLetters for DeadLetterTopic {
    async fn publish(&self, letters: Vec<DeadLetter>) {
        let unknown = letters
            .into_iter()
            .filter(|letter| !self.known.contains(&(letter.original.partition, letter.original.offset)));
        stream::iter(unknown).map(|letter| self.deliver(letter)).buffered(IN_FLIGHT).collect::<()>().await;
    }

    async fn partitions(&self) -> usize {
        let mut backoff = Backoff::default();
        loop {
            match partition_count(&self.settings, COUNT_TIMEOUT).await {
                Ok(count) => return count,
                Err(error) => {
                    log::warn!("how many partitions the topic has is not known yet: {error}");
                    tokio::time::sleep(backoff.next(rand::random())).await;
                }
            }
        }
    }

    async fn original(&self, partition: i32, event: &Placed) -> RawRecord {
        let offset = event.position.offset();
        let mut backoff = Backoff::default();
        loop {
            match origin::read(&self.settings, partition, offset).await {
                Ok(Some(record)) => return record,
                Ok(None) => return rebuilt(partition, event),
                Err(error) => {
                    log::warn!(partition, offset; "a refused record cannot be read again yet: {error}");
                    tokio::time::sleep(backoff.next(rand::random())).await;
                }
            }
        }
    }
}

/// The record that the event came from, without headers: all that is left when the log has dropped it.
fn rebuilt(partition: i32, placed: &Placed) -> RawRecord {
    let event = &placed.event;
    let value = match (&event.action, event.to, event.seen) {
        // Only version 1 says nothing of what was seen.
        (Action::Message(message), Some(to), None) => MessageEvent {
            id: event.id,
            conversation: event.conversation,
            sender: event.actor,
            to,
            client_id: event.client_id.clone(),
            sent_at: event.at,
            body: message.body.clone(),
        }
        .encode(),
        _ => event.encode(),
    };
    RawRecord {
        partition,
        offset: placed.position.offset(),
        timestamp_ms: None,
        key: Some(event.key().into_bytes()),
        value: Some(value),
        headers: None,
    }
}
