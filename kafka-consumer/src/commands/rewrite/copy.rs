//! Copies a topic into another one, each record to the offset that it has, and compares the two.

use std::collections::{BTreeMap, HashSet};
use std::ops::Range;
use std::time::Duration;

use anyhow::{Context, bail};
use indicatif::ProgressBar;
use milena_domain::{MessageId, PartitionState};
use milena_kafka::{LogError, Quiet, Role, client_config, partition_states};
use milena_settings::KafkaSettings;
use milena_storage::crash_point;
use rdkafka::error::KafkaError;
use rdkafka::message::{Headers, OwnedHeaders};
use rdkafka::producer::Producer;
use rdkafka::producer::future_producer::{DeliveryFuture, FutureProducer, FutureRecord};
use rdkafka::types::RDKafkaErrorCode;
use tokio::sync::mpsc;

use super::wordless::wordless;
use crate::commands::ANSWER_TIMEOUT;
use crate::record::RawRecord;
use crate::scan::{Chunk, scan};

const FLUSH_TIMEOUT: Duration = Duration::from_secs(30);
/// Before a full queue is tried again.
const QUEUE_FULL: Duration = Duration::from_millis(5);

/// Both topics, and what happens on the way from one to the other.
pub(super) struct Copy<'a> {
    pub(super) from: KafkaSettings,
    pub(super) to: KafkaSettings,
    /// The messages whose words are left out; empty: all stays as it is.
    pub(super) without: &'a HashSet<MessageId>,
}

/// How much was copied.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Copied {
    /// Records of the topic.
    pub(super) records: u64,
    /// Those that lost their words.
    pub(super) wordless: u64,
}

impl Copy<'_> {
    /// Goes on from where the copy ends, and stops where the topic ends now.
    pub(super) async fn fill(&self) -> anyhow::Result<()> {
        let (from, to) = self.ends().await?;
        let producer: FutureProducer<Quiet> = client_config(&self.to, &Role::Producer { timeout_ms: 30_000 })
            .create_with_context(Quiet::default())
            .map_err(LogError::refused)?;
        let total: i64 = from.iter().map(|(partition, state)| state.high - high_of(&to, *partition)).sum();
        let bar = ProgressBar::new(total.max(0).unsigned_abs());
        for (&partition, state) in &from {
            if state.low != 0 {
                bail!(
                    "topic {} partition {partition} begins at offset {}: what stood before was removed, so \
                     its records cannot keep their places in a new topic",
                    self.from.topic,
                    state.low
                );
            }
            let mut next = high_of(&to, partition);
            let mut chunks = self.read(&self.from, partition, next..state.high);
            while let Some(chunk) = chunks.recv().await {
                let records = chunk?;
                bar.inc(records.len() as u64);
                next = self.send(&producer, partition, next, records).await?;
                crash_point("rewrite_mid_copy");
            }
            // One that is longer is none of this topic: the comparison says so.
            if next < state.high {
                bail!(
                    "topic {} partition {partition} has no record at offset {next}: it cannot be copied so \
                     that all records keep their places",
                    self.from.topic
                );
            }
        }
        bar.finish_and_clear();
        // Its thread is joined, which takes a moment.
        let flushed = tokio::task::spawn_blocking(move || producer.flush(FLUSH_TIMEOUT)).await?;
        flushed.context("the copy was not confirmed")
    }

    /// In order, each to the offset that it has; answers the next one.
    async fn send(
        &self,
        producer: &FutureProducer<Quiet>,
        partition: i32,
        from: i64,
        records: Vec<RawRecord>,
    ) -> anyhow::Result<i64> {
        let (mut next, mut sent) = (from, Vec::with_capacity(records.len()));
        for record in records {
            if record.offset != next {
                bail!(
                    "topic {} partition {partition} has no record at offset {next}: it cannot be copied so \
                     that all records keep their places",
                    self.from.topic
                );
            }
            next += 1;
            let value = self.value(&record);
            let out: FutureRecord<'_, [u8], [u8]> = FutureRecord {
                topic: &self.to.topic,
                partition: Some(partition),
                payload: value.as_deref(),
                key: record.key.as_deref(),
                timestamp: record.timestamp_ms,
                headers: record.headers,
            };
            sent.push((record.offset, enqueue(producer, out).await?));
        }
        for (offset, confirmation) in sent {
            let delivered = confirmation.await.context("the copy is not confirmed")?;
            let delivery = delivered.map_err(|(error, _)| error).context("the copy is refused")?;
            if delivery.offset != offset {
                bail!(
                    "the record of offset {offset} came to {}: somebody else writes there",
                    delivery.offset
                );
            }
        }
        Ok(next)
    }

    fn value(&self, record: &RawRecord) -> Option<Vec<u8>> {
        let less = wordless(record.key.as_deref(), record.value.as_deref(), self.without);
        less.or_else(|| record.value.clone())
    }

    /// Compares the two, record by record.
    ///
    /// # Errors
    /// The first difference.
    pub(super) async fn compare(&self) -> anyhow::Result<Copied> {
        let (from, to) = self.ends().await?;
        let mut copied = Copied::default();
        for (&partition, state) in &from {
            if high_of(&to, partition) != state.high {
                bail!("{} and {} do not end alike in partition {partition}", self.from.topic, self.to.topic);
            }
            let span = 0..state.high;
            let mut ours = Reader::new(self.read(&self.from, partition, span.clone()));
            let mut theirs = Reader::new(self.read(&self.to, partition, span));
            loop {
                match (ours.next().await?, theirs.next().await?) {
                    (Some(one), Some(other)) => {
                        let value = self.value(&one);
                        copied.records += 1;
                        copied.wordless += u64::from(value != one.value);
                        if !is_copy(&one, value.as_deref(), &other) {
                            bail!(
                                "{} and {} differ in partition {partition} at offset {}",
                                self.from.topic,
                                self.to.topic,
                                one.offset
                            );
                        }
                    }
                    (None, None) => break,
                    _ => bail!("{} and {} do not have as many records", self.from.topic, self.to.topic),
                }
            }
        }
        Ok(copied)
    }

    /// Where both end.
    pub(super) async fn ends(&self) -> anyhow::Result<(Ends, Ends)> {
        let from = partition_states(&self.from, ANSWER_TIMEOUT).await?;
        let to = partition_states(&self.to, ANSWER_TIMEOUT).await?;
        Ok((from, to))
    }

    fn read(
        &self,
        settings: &KafkaSettings,
        partition: i32,
        span: Range<i64>,
    ) -> mpsc::Receiver<Chunk<RawRecord>> {
        scan(settings, &settings.topic, BTreeMap::from([(partition, span)]), |message| {
            RawRecord::copy(message)
        })
    }
}

/// Puts a record into librdkafka's queue, behind those of before; waits while it is full.
async fn enqueue(
    producer: &FutureProducer<Quiet>,
    mut record: FutureRecord<'_, [u8], [u8]>,
) -> Result<DeliveryFuture, KafkaError> {
    loop {
        match producer.send_result(record) {
            Ok(confirmation) => return Ok(confirmation),
            Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), refused)) => record = refused,
            Err((error, _)) => return Err(error),
        }
        tokio::time::sleep(QUEUE_FULL).await;
    }
}

pub(super) type Ends = BTreeMap<i32, PartitionState>;

fn high_of(ends: &Ends, partition: i32) -> i64 {
    ends.get(&partition).map_or(0, |state| state.high)
}

fn is_copy(one: &RawRecord, value: Option<&[u8]>, other: &RawRecord) -> bool {
    (one.offset, one.timestamp_ms, &one.key) == (other.offset, other.timestamp_ms, &other.key)
        && value == other.value.as_deref()
        && headers(one.headers.as_ref()) == headers(other.headers.as_ref())
}

fn headers(headers: Option<&OwnedHeaders>) -> Vec<(String, Option<Vec<u8>>)> {
    let all = headers.into_iter().flat_map(|headers| headers.iter());
    all.map(|header| (header.key.to_owned(), header.value.map(<[u8]>::to_vec))).collect()
}

/// Records one by one.
struct Reader {
    chunks: mpsc::Receiver<Chunk<RawRecord>>,
    records: std::vec::IntoIter<RawRecord>,
}

impl Reader {
    fn new(chunks: mpsc::Receiver<Chunk<RawRecord>>) -> Self {
        Self { chunks, records: Vec::new().into_iter() }
    }

    async fn next(&mut self) -> Result<Option<RawRecord>, LogError> {
        loop {
            if let Some(record) = self.records.next() {
                return Ok(Some(record));
            }
            match self.chunks.recv().await {
                Some(chunk) => self.records = chunk?.into_iter(),
                None => return Ok(None),
            }
        }
    }
}
