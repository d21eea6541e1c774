//! Handing records out: at once when there are enough, else as soon as there are, or at the end of the wait.

use std::sync::Arc;
use std::time::Duration;

use futures::future::{self, FutureExt};
use kafka_protocol::ResponseError;
use kafka_protocol::messages::fetch_response::{FetchableTopicResponse, PartitionData};
use kafka_protocol::messages::{BrokerId, FetchRequest, FetchResponse, TopicName};
use tokio::sync::watch;
use tokio::time::Instant;

use super::{Answer, Reply, blocking};
use crate::broker::Shared;
use crate::log::{Partition, Progress, ReadError};
use crate::memory::FREE_BYTES;

/// The longest that a client may be kept waiting, whatever it asks for.
const MAX_WAIT: Duration = Duration::from_secs(300);
/// How long a fetch that lacks bytes leaves off before it counts again.
const NAP: Duration = Duration::from_millis(5);

/// One partition that is to be read.
#[derive(Debug, Clone)]
struct Wanted {
    index: i32,
    offset: i64,
    max_bytes: usize,
    partition: Option<Arc<Partition>>,
}

/// What one look at all partitions gave.
struct Found {
    topics: Vec<FetchableTopicResponse>,
    bytes: usize,
    failed: bool,
}

/// Sessions are not kept: every answer says so with session id 0, and clients then name all partitions every
/// time.
pub(super) fn fetch(shared: &Arc<Shared>, request: FetchRequest) -> Answer {
    if request.session_id != 0 {
        return FetchResponse::default().with_error_code(ResponseError::FetchSessionIdNotFound.code()).into();
    }
    let wait = Duration::from_millis(u64::try_from(request.max_wait_ms).unwrap_or(0)).min(MAX_WAIT);
    let min_bytes = usize::try_from(request.min_bytes).unwrap_or(0);
    let max_bytes = usize::try_from(request.max_bytes).unwrap_or(0).min(shared.config.max_fetch_bytes);
    let wanted: Arc<Vec<(TopicName, Vec<Wanted>)>> = Arc::new(wanted(shared, request));
    let memory = Arc::clone(&shared.memory);
    Answer::Later(Box::pin(async move {
        let deadline = Instant::now() + wait;
        loop {
            let mut waiting = Waiting::new(&wanted);
            let late = Instant::now() >= deadline;
            // Who wants no bytes is answered at once, whatever there is.
            let found = if late || min_bytes == 0 || waiting.is_due(&wanted) {
                let share = memory.share();
                // While no client is waited for, a share is never given up.
                let _ = share.take(max_bytes).await;
                let reading = Arc::clone(&wanted);
                let found = blocking(move || read_all(&reading, max_bytes)).await;
                if found.bytes >= min_bytes || found.failed || late {
                    share.resize(found.bytes);
                    let response = FetchResponse::default().with_responses(found.topics).into();
                    return Reply { response, share: (found.bytes > FREE_BYTES).then_some(share) };
                }
                found.bytes
            } else {
                0
            };
            // Whether it is enough or the end of the time, one more look gives the answer.
            let _ = tokio::time::timeout_at(deadline, waiting.more(min_bytes.saturating_sub(found))).await;
        }
    }))
}

/// The partitions of a fetch, watched from a moment on.
struct Waiting {
    watches: Vec<watch::Receiver<Progress>>,
    /// In the order of the watches, what they said at that moment.
    seen: Vec<Progress>,
}

impl Waiting {
    fn new(wanted: &[(TopicName, Vec<Wanted>)]) -> Self {
        let mut watches: Vec<_> = partitions(wanted).map(|partition| partition.watch()).collect();
        let seen = watches.iter_mut().map(|watch| *watch.borrow_and_update()).collect();
        Self { watches, seen }
    }

    /// Whether a look at the disk can bring anything but "nothing new": most fetches come when there is
    /// nothing.
    fn is_due(&self, wanted: &[(TopicName, Vec<Wanted>)]) -> bool {
        let mut seen = self.seen.iter();
        wanted.iter().flat_map(|(_, partitions)| partitions).any(|wanted| {
            let known = wanted.partition.as_ref().and_then(|_| seen.next());
            known.is_none_or(|progress| progress.deleted || wanted.offset != progress.high_watermark)
        })
    }

    /// Returns when `bytes` more have become readable, or something happened that the client must hear of
    /// now.
    async fn more(&mut self, bytes: usize) {
        loop {
            let changes = self.watches.iter_mut().map(|watch| watch.changed().boxed());
            // A partition that is gone says so in its progress; with none to watch, the end of the time
            // comes.
            let _ = future::select_all(changes.chain([future::pending().boxed()])).await;
            let mut came_bytes = 0;
            for (watch, seen) in self.watches.iter_mut().zip(&self.seen) {
                let progress = *watch.borrow_and_update();
                let Progress { start_offset, incarnation, deleted, .. } = progress;
                if deleted || (start_offset, incarnation) != (seen.start_offset, seen.incarnation) {
                    return;
                }
                came_bytes += progress.shown_bytes - seen.shown_bytes;
            }
            if came_bytes >= bytes as u64 {
                return;
            }
            // Who asks for many bytes is in no hurry: not woken for every record.
            tokio::time::sleep(NAP).await;
        }
    }
}

fn wanted(shared: &Shared, request: FetchRequest) -> Vec<(TopicName, Vec<Wanted>)> {
    let topic = |fetch: kafka_protocol::messages::fetch_request::FetchTopic| {
        let topic = shared.catalogue.topic(&fetch.topic);
        let partition = |fetch: kafka_protocol::messages::fetch_request::FetchPartition| Wanted {
            index: fetch.partition,
            offset: fetch.fetch_offset,
            max_bytes: usize::try_from(fetch.partition_max_bytes).unwrap_or(0),
            partition: topic.as_ref().and_then(|topic| topic.partition(fetch.partition)).cloned(),
        };
        (fetch.topic, fetch.partitions.into_iter().map(partition).collect())
    };
    request.topics.into_iter().map(topic).collect()
}

fn partitions(wanted: &[(TopicName, Vec<Wanted>)]) -> impl Iterator<Item = &Arc<Partition>> {
    wanted.iter().flat_map(|(_, partitions)| partitions).filter_map(|wanted| wanted.partition.as_ref())
}

/// Reads in the order that the client named; the first batch is given however large it is, so that nobody is
/// stuck.
fn read_all(wanted: &[(TopicName, Vec<Wanted>)], max_bytes: usize) -> Found {
    let mut found = Found { topics: Vec::with_capacity(wanted.len()), bytes: 0, failed: false };
    for (name, partitions) in wanted {
        let mut read = Vec::with_capacity(partitions.len());
        for wanted in partitions {
            let left = max_bytes.saturating_sub(found.bytes);
            let data = read_one(wanted, left, found.bytes == 0);
            found.bytes += data.records.as_ref().map_or(0, bytes::Bytes::len);
            found.failed |= data.error_code != 0;
            read.push(data);
        }
        found.topics.push(FetchableTopicResponse::default().with_topic(name.clone()).with_partitions(read));
    }
    found
}

fn read_one(wanted: &Wanted, left: usize, at_least_one: bool) -> PartitionData {
    let data = PartitionData::default()
        .with_partition_index(wanted.index)
        .with_preferred_read_replica(BrokerId(-1))
        .with_aborted_transactions(None);
    let refused = |error: ResponseError| {
        data.clone()
            .with_error_code(error.code())
            .with_high_watermark(-1)
            .with_last_stable_offset(-1)
            .with_log_start_offset(-1)
    };
    let Some(partition) = &wanted.partition else { return refused(ResponseError::UnknownTopicOrPartition) };
    // Nothing more fits: do not even look.
    let read = if left == 0 && !at_least_one {
        Ok(bytes::Bytes::new())
    } else {
        partition.read(wanted.offset, wanted.max_bytes.min(left), at_least_one)
    };
    let Progress { start_offset, high_watermark, .. } = partition.progress();
    match read {
        Ok(records) => data
            .with_records(Some(records))
            .with_high_watermark(high_watermark)
            .with_last_stable_offset(high_watermark)
            .with_log_start_offset(start_offset),
        Err(ReadError::OutOfRange) => refused(ResponseError::OffsetOutOfRange),
        Err(ReadError::Deleted) => refused(ResponseError::UnknownTopicOrPartition),
        Err(ReadError::Storage(_)) => refused(ResponseError::KafkaStorageError),
    }
}
