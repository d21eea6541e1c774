//! Taking records in.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use kafka_protocol::ResponseError;
use kafka_protocol::messages::produce_response::{PartitionProduceResponse, TopicProduceResponse};
use kafka_protocol::messages::{
    InitProducerIdRequest, InitProducerIdResponse, ProduceRequest, ProduceResponse, ProducerId, TopicName,
};

use super::{Answer, blocking, text};
use crate::broker::Shared;
use crate::log::{AppendError, Appended, Partition, latest_timestamp_ms};
use crate::unix_ms;

/// The longest that a producer may wait for the disk, whatever it asks for.
const MAX_WAIT: Duration = Duration::from_secs(60);
/// Up to here a request is appended by the task that received it: handing it to another thread and back costs
/// more than the checksum and the copy into the page cache. A disk that hangs can hold that task up, which is
/// why a program that does other things too gives the broker a runtime of its own.
const APPENDED_HERE_BYTES: usize = 64 << 10;

/// Appends in the order of requests, then waits for the disk without holding up the next request.
pub(super) async fn produce(shared: &Arc<Shared>, request: ProduceRequest) -> Answer {
    let acks = request.acks;
    let refused = if request.transactional_id.is_some() {
        Some(AppendRefusal::from(AppendError::Transactional))
    } else if !shared.catalogue.is_settled() {
        Some(AppendRefusal::from(AppendError::Storage))
    } else {
        (!matches!(acks, -1..=1))
            .then_some(AppendRefusal::new(ResponseError::InvalidRequiredAcks, "acks is -1, 0 or 1"))
    };
    let wait = Duration::from_millis(u64::try_from(request.timeout_ms).unwrap_or(0))
        .clamp(Duration::from_secs(1), MAX_WAIT);
    let size_bytes: usize = (request.topic_data.iter().flat_map(|topic| &topic.partition_data))
        .filter_map(|partition| partition.records.as_ref())
        .map(Bytes::len)
        .sum();
    let topics = if size_bytes <= APPENDED_HERE_BYTES {
        append_all(shared, request, refused)
    } else {
        let appending = Arc::clone(shared);
        blocking(move || append_all(&appending, request, refused)).await
    };
    if acks == 0 {
        return Answer::Nothing;
    }
    Answer::Later(Box::pin(async move {
        let mut responses = Vec::with_capacity(topics.len());
        let deadline = tokio::time::Instant::now() + wait;
        for (name, partitions) in topics {
            let mut confirmed = Vec::with_capacity(partitions.len());
            for (index, appended) in partitions {
                confirmed.push(confirm(index, appended, deadline).await);
            }
            responses
                .push(TopicProduceResponse::default().with_name(name).with_partition_responses(confirmed));
        }
        ProduceResponse::default().with_responses(responses).into()
    }))
}

/// Why a batch is refused, as the client is told.
#[derive(Debug, Clone)]
struct AppendRefusal {
    error: ResponseError,
    message: String,
}

impl AppendRefusal {
    fn new(error: ResponseError, message: &str) -> Self {
        Self { error, message: message.to_owned() }
    }
}

impl From<AppendError> for AppendRefusal {
    fn from(error: AppendError) -> Self {
        let code = match error {
            AppendError::Batch(crate::log::BatchError::Magic) => ResponseError::UnsupportedForMessageFormat,
            AppendError::Batch(_) => ResponseError::CorruptMessage,
            AppendError::NotOneBatch => ResponseError::InvalidRecord,
            AppendError::TooLarge => ResponseError::MessageTooLarge,
            AppendError::TooFarAhead => ResponseError::InvalidTimestamp,
            AppendError::Transactional => ResponseError::TransactionalIdAuthorizationFailed,
            AppendError::OutOfOrder => ResponseError::OutOfOrderSequenceNumber,
            AppendError::OldEpoch => ResponseError::InvalidProducerEpoch,
            AppendError::Storage => ResponseError::KafkaStorageError,
            AppendError::Deleted => ResponseError::UnknownTopicOrPartition,
        };
        Self { error: code, message: error.to_string() }
    }
}

type PartitionAppended = Result<(Arc<Partition>, Appended), AppendRefusal>;

fn append_all(
    shared: &Shared,
    request: ProduceRequest,
    refused: Option<AppendRefusal>,
) -> Vec<(TopicName, Vec<(i32, PartitionAppended)>)> {
    let now_ms = unix_ms();
    let topic = |data: kafka_protocol::messages::produce_request::TopicProduceData| {
        let topic = shared.catalogue.topic(&data.name);
        let append = |index: i32, records: Option<Bytes>| {
            if let Some(refused) = &refused {
                return Err(refused.clone());
            }
            let topic = topic.as_ref().ok_or(AppendError::Deleted)?;
            let partition = topic.partition(index).ok_or(AppendError::Deleted)?;
            let records = records.unwrap_or_default();
            let latest_ms = latest_timestamp_ms(&records).map_err(AppendError::from)?;
            if latest_ms > now_ms.saturating_add(topic.config.max_ahead_ms) {
                return Err(AppendError::TooFarAhead.into());
            }
            let appended = partition.append(&records, topic.config.max_batch_bytes)?;
            Ok((Arc::clone(partition), appended))
        };
        let partitions = data
            .partition_data
            .into_iter()
            .map(|data| (data.index, append(data.index, data.records)))
            .collect();
        (data.name, partitions)
    };
    request.topic_data.into_iter().map(topic).collect()
}

async fn confirm(
    index: i32,
    appended: PartitionAppended,
    deadline: tokio::time::Instant,
) -> PartitionProduceResponse {
    let response = PartitionProduceResponse::default().with_index(index);
    let confirmed = match appended {
        Ok((partition, appended)) => {
            match tokio::time::timeout_at(deadline, partition.confirmed(appended)).await {
                Ok(Ok(())) => Ok((appended.first_offset, partition.progress().start_offset)),
                Ok(Err(error)) => Err(AppendRefusal::from(error)),
                Err(_) => Err(AppendRefusal::new(ResponseError::RequestTimedOut, "the disk is too slow")),
            }
        }
        Err(refusal) => Err(refusal),
    };
    match confirmed {
        Ok((first_offset, start_offset)) => response
            .with_base_offset(first_offset)
            .with_log_append_time_ms(-1)
            .with_log_start_offset(start_offset),
        Err(AppendRefusal { error, message }) => response
            .with_error_code(error.code())
            .with_error_message(Some(text(message)))
            .with_base_offset(-1)
            .with_log_append_time_ms(-1)
            .with_log_start_offset(-1),
    }
}

/// Gives an idempotent producer its id. Every request gets a new one: only transactions would keep theirs.
pub(super) async fn init_producer_id(
    shared: &Arc<Shared>,
    request: InitProducerIdRequest,
) -> InitProducerIdResponse {
    let refused = |error: ResponseError| {
        InitProducerIdResponse::default()
            .with_error_code(error.code())
            .with_producer_id(ProducerId(-1))
            .with_producer_epoch(-1)
    };
    if request.transactional_id.is_some() {
        return refused(ResponseError::TransactionalIdAuthorizationFailed);
    }
    let giving = Arc::clone(shared);
    match blocking(move || giving.catalogue.new_producer_id()).await {
        Ok(id) => InitProducerIdResponse::default().with_producer_id(ProducerId(id)).with_producer_epoch(0),
        Err(error) => {
            log::error!(error:%; "producer ids could not be reserved");
            refused(ResponseError::CoordinatorNotAvailable)
        }
    }
}
