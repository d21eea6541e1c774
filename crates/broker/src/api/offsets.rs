//! Offsets of a log: first, last, by time; and letting its beginning go.

use std::sync::Arc;

use kafka_protocol::ResponseError;
use kafka_protocol::messages::delete_records_response::{
    DeleteRecordsPartitionResult, DeleteRecordsTopicResult,
};
use kafka_protocol::messages::list_offsets_response::{
    ListOffsetsPartitionResponse, ListOffsetsTopicResponse,
};
use kafka_protocol::messages::offset_for_leader_epoch_response::{
    EpochEndOffset, OffsetForLeaderTopicResult,
};
use kafka_protocol::messages::{
    DeleteRecordsRequest, DeleteRecordsResponse, ListOffsetsRequest, ListOffsetsResponse,
    OffsetForLeaderEpochRequest, OffsetForLeaderEpochResponse,
};

use super::{blocking, code};
use crate::broker::Shared;
use crate::log::{OffsetAtTime, Partition, ReadError};

/// The first version of ListOffsets that speaks of leader epochs.
const LEADER_EPOCH_SINCE: i16 = 4;
const LATEST: i64 = -1;
const EARLIEST: i64 = -2;
const GREATEST_TIME: i64 = -3;
const NONE: OffsetAtTime = OffsetAtTime { offset: -1, timestamp_ms: -1 };
/// Stands for the end of the log in DeleteRecords.
const HIGH_WATERMARK: i64 = -1;

pub(super) async fn list_offsets(
    shared: &Arc<Shared>,
    version: i16,
    request: ListOffsetsRequest,
) -> ListOffsetsResponse {
    let shared = Arc::clone(shared);
    blocking(move || {
        let topics = request.topics.into_iter().map(|topic| {
            let partitions = topic.partitions.iter().map(|wanted| {
                let found = partition(&shared, &topic.name, wanted.partition_index)
                    .and_then(|partition| offset_at(&partition, wanted.timestamp));
                let OffsetAtTime { offset, timestamp_ms } = *found.as_ref().unwrap_or(&NONE);
                ListOffsetsPartitionResponse::default()
                    .with_partition_index(wanted.partition_index)
                    .with_error_code(code(&found))
                    .with_offset(offset)
                    .with_timestamp(timestamp_ms)
                    .with_leader_epoch(if offset >= 0 && version >= LEADER_EPOCH_SINCE { 0 } else { -1 })
            });
            ListOffsetsTopicResponse::default().with_partitions(partitions.collect()).with_name(topic.name)
        });
        ListOffsetsResponse::default().with_topics(topics.collect())
    })
    .await
}

fn offset_at(partition: &Partition, timestamp_ms: i64) -> Result<OffsetAtTime, ResponseError> {
    let progress = partition.progress();
    let at = |offset| OffsetAtTime { offset, timestamp_ms: -1 };
    let found = match timestamp_ms {
        LATEST => return Ok(at(progress.high_watermark)),
        EARLIEST => return Ok(at(progress.start_offset)),
        GREATEST_TIME => partition.latest_by_time(),
        0.. => partition.first_at_or_after(timestamp_ms),
        _ => return Err(ResponseError::UnsupportedForMessageFormat),
    };
    found.map(|found| found.unwrap_or(NONE)).map_err(|error| match error {
        ReadError::OutOfRange => ResponseError::OffsetOutOfRange,
        ReadError::Deleted => ResponseError::UnknownTopicOrPartition,
        ReadError::Storage(_) => ResponseError::KafkaStorageError,
    })
}

/// There was only ever one leader, so its epoch ends where the log ends.
pub(super) fn leader_epochs(
    shared: &Shared,
    request: OffsetForLeaderEpochRequest,
) -> OffsetForLeaderEpochResponse {
    let topics = request.topics.into_iter().map(|topic| {
        let partitions = topic.partitions.iter().map(|wanted| {
            let found = partition(shared, &topic.topic, wanted.partition);
            let known = wanted.leader_epoch == 0;
            let end_offset =
                found.as_ref().ok().filter(|_| known).map(|partition| partition.progress().high_watermark);
            EpochEndOffset::default()
                .with_partition(wanted.partition)
                .with_error_code(code(&found))
                .with_leader_epoch(if end_offset.is_some() { 0 } else { -1 })
                .with_end_offset(end_offset.unwrap_or(-1))
        });
        OffsetForLeaderTopicResult::default().with_partitions(partitions.collect()).with_topic(topic.topic)
    });
    OffsetForLeaderEpochResponse::default().with_topics(topics.collect())
}

pub(super) async fn delete_records(
    shared: &Arc<Shared>,
    request: DeleteRecordsRequest,
) -> DeleteRecordsResponse {
    let shared = Arc::clone(shared);
    blocking(move || {
        let topics = request.topics.into_iter().map(|topic| {
            let partitions = topic.partitions.iter().map(|wanted| {
                let deleted = partition(&shared, &topic.name, wanted.partition_index)
                    .and_then(|partition| delete_before(&partition, wanted.offset));
                DeleteRecordsPartitionResult::default()
                    .with_partition_index(wanted.partition_index)
                    .with_error_code(code(&deleted))
                    .with_low_watermark(deleted.unwrap_or(-1))
            });
            DeleteRecordsTopicResult::default().with_partitions(partitions.collect()).with_name(topic.name)
        });
        DeleteRecordsResponse::default().with_topics(topics.collect())
    })
    .await
}

fn delete_before(partition: &Partition, offset: i64) -> Result<i64, ResponseError> {
    let progress = partition.progress();
    let offset = if offset == HIGH_WATERMARK { progress.high_watermark } else { offset };
    if !(0..=progress.high_watermark).contains(&offset) {
        return Err(ResponseError::OffsetOutOfRange);
    }
    partition.delete_before(offset).map_err(|error| {
        log::error!(error:%; "records could not be deleted");
        ResponseError::KafkaStorageError
    })
}

fn partition(shared: &Shared, topic: &str, index: i32) -> Result<Arc<Partition>, ResponseError> {
    let topic = shared.catalogue.topic(topic).ok_or(ResponseError::UnknownTopicOrPartition)?;
    topic.partition(index).cloned().ok_or(ResponseError::UnknownTopicOrPartition)
}
