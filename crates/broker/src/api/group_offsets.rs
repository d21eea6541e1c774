//! What consumer groups have read: commit, ask, delete.

use std::collections::BTreeMap;
use std::sync::Arc;

use kafka_protocol::ResponseError;
use kafka_protocol::messages::offset_commit_request::OffsetCommitRequestPartition;
use kafka_protocol::messages::offset_commit_response::{
    OffsetCommitResponsePartition, OffsetCommitResponseTopic,
};
use kafka_protocol::messages::offset_delete_response::{
    OffsetDeleteResponsePartition, OffsetDeleteResponseTopic,
};
use kafka_protocol::messages::offset_fetch_response::{
    OffsetFetchResponseGroup, OffsetFetchResponsePartition, OffsetFetchResponsePartitions,
    OffsetFetchResponseTopic, OffsetFetchResponseTopics,
};
use kafka_protocol::messages::{
    OffsetCommitRequest, OffsetCommitResponse, OffsetDeleteRequest, OffsetDeleteResponse, OffsetFetchRequest,
    OffsetFetchResponse, TopicName,
};

use super::membership::{error_of, identity};
use super::{Answer, text};
use crate::broker::Shared;
use crate::group::{Change, CommittedOffset, GroupError};

/// What a client may keep with an offset.
const MAX_METADATA_BYTES: usize = 4096;
/// The first version of OffsetFetch that asks for several groups at once.
const MANY_GROUPS_SINCE: i16 = 8;

/// Which topics and partitions a request names; `None` is all that have an offset.
type Asked = Option<Vec<(TopicName, Vec<i32>)>>;
/// A topic with its partitions and why their offsets are refused.
type Checked = (TopicName, Vec<(i32, Option<ResponseError>)>);
type Committed = BTreeMap<(String, i32), CommittedOffset>;

pub(super) fn commit(shared: &Arc<Shared>, request: OffsetCommitRequest) -> Answer {
    let group = request.group_id.to_string();
    let identity = identity(&request.member_id, request.group_instance_id.as_ref());
    let may = if group.is_empty() {
        Err(ResponseError::InvalidGroupId)
    } else {
        shared.groups.may_commit(&group, &identity, request.generation_id_or_member_epoch).map_err(error_of)
    };
    let mut changes = Vec::new();
    let mut checked: Vec<Checked> = Vec::new();
    for topic in request.topics {
        let mut partitions = Vec::with_capacity(topic.partitions.len());
        for partition in topic.partitions {
            let (index, good) = (partition.partition_index, check(shared, may, &topic.name, &partition));
            if good.is_ok() {
                changes.push(change(&group, &topic.name, partition));
            }
            partitions.push((index, good.err()));
        }
        checked.push((topic.name, partitions));
    }
    let groups = Arc::clone(&shared.groups);
    Answer::Later(Box::pin(async move {
        let stored = changes.is_empty() || groups.store(changes).await;
        let failed = (!stored).then(|| error_of(GroupError::Storage));
        let topic = |(name, partitions): Checked| {
            let partition = |(index, error): (i32, Option<ResponseError>)| {
                OffsetCommitResponsePartition::default()
                    .with_partition_index(index)
                    .with_error_code(error.or(failed).map_or(0, |error| error.code()))
            };
            OffsetCommitResponseTopic::default()
                .with_name(name)
                .with_partitions(partitions.into_iter().map(partition).collect())
        };
        OffsetCommitResponse::default().with_topics(checked.into_iter().map(topic).collect()).into()
    }))
}

fn check(
    shared: &Shared,
    may: Result<(), ResponseError>,
    topic: &str,
    partition: &OffsetCommitRequestPartition,
) -> Result<(), ResponseError> {
    may?;
    let known = shared
        .catalogue
        .topic(topic)
        .is_some_and(|topic| topic.partition(partition.partition_index).is_some());
    if !known {
        return Err(ResponseError::UnknownTopicOrPartition);
    }
    if partition.committed_metadata.as_ref().is_some_and(|metadata| metadata.len() > MAX_METADATA_BYTES) {
        return Err(ResponseError::OffsetMetadataTooLarge);
    }
    Ok(())
}

fn change(group: &str, topic: &str, partition: OffsetCommitRequestPartition) -> Change {
    Change::Commit {
        group: group.to_owned(),
        topic: topic.to_owned(),
        partition: partition.partition_index,
        committed: CommittedOffset {
            offset: partition.committed_offset,
            leader_epoch: partition.committed_leader_epoch,
            metadata: partition.committed_metadata.map(|metadata| metadata.to_string()).unwrap_or_default(),
        },
    }
}

pub(super) fn fetch(shared: &Shared, version: i16, request: OffsetFetchRequest) -> OffsetFetchResponse {
    if version < MANY_GROUPS_SINCE {
        let asked = request
            .topics
            .map(|topics| topics.into_iter().map(|topic| (topic.name, topic.partition_indexes)).collect());
        let topics = look_up(shared, &request.group_id, asked).into_iter().map(|(name, partitions)| {
            let partition = |(index, committed): (i32, CommittedOffset)| {
                OffsetFetchResponsePartition::default()
                    .with_partition_index(index)
                    .with_committed_offset(committed.offset)
                    .with_committed_leader_epoch(committed.leader_epoch)
                    .with_metadata(Some(text(committed.metadata)))
            };
            OffsetFetchResponseTopic::default()
                .with_name(name)
                .with_partitions(partitions.into_iter().map(partition).collect())
        });
        return OffsetFetchResponse::default().with_topics(topics.collect());
    }
    let groups = request.groups.into_iter().map(|group| {
        let asked = group
            .topics
            .map(|topics| topics.into_iter().map(|topic| (topic.name, topic.partition_indexes)).collect());
        let topics = look_up(shared, &group.group_id, asked).into_iter().map(|(name, partitions)| {
            let partition = |(index, committed): (i32, CommittedOffset)| {
                OffsetFetchResponsePartitions::default()
                    .with_partition_index(index)
                    .with_committed_offset(committed.offset)
                    .with_committed_leader_epoch(committed.leader_epoch)
                    .with_metadata(Some(text(committed.metadata)))
            };
            OffsetFetchResponseTopics::default()
                .with_name(name)
                .with_partitions(partitions.into_iter().map(partition).collect())
        });
        OffsetFetchResponseGroup::default().with_topics(topics.collect()).with_group_id(group.group_id)
    });
    OffsetFetchResponse::default().with_groups(groups.collect())
}

fn look_up(shared: &Shared, group: &str, asked: Asked) -> Vec<(TopicName, Vec<(i32, CommittedOffset)>)> {
    let committed = shared.groups.offsets(group);
    match asked {
        None => all(committed),
        Some(asked) => {
            let find = |topic: &TopicName, index: i32| {
                let none = CommittedOffset { offset: -1, leader_epoch: -1, metadata: String::new() };
                (index, committed.get(&(topic.to_string(), index)).cloned().unwrap_or(none))
            };
            asked
                .into_iter()
                .map(|(topic, partitions)| {
                    let partitions = partitions.into_iter().map(|index| find(&topic, index)).collect();
                    (topic, partitions)
                })
                .collect()
        }
    }
}

fn all(committed: Committed) -> Vec<(TopicName, Vec<(i32, CommittedOffset)>)> {
    let mut topics: BTreeMap<String, Vec<(i32, CommittedOffset)>> = BTreeMap::new();
    for ((topic, partition), committed) in committed {
        topics.entry(topic).or_default().push((partition, committed));
    }
    topics.into_iter().map(|(topic, partitions)| (TopicName(text(topic)), partitions)).collect()
}

/// Deletes offsets of a group without members; while it has some, nobody here knows which topics they read.
pub(super) async fn delete(shared: &Arc<Shared>, request: OffsetDeleteRequest) -> OffsetDeleteResponse {
    let group = request.group_id.to_string();
    if shared.groups.describe(&group).is_none() {
        return OffsetDeleteResponse::default().with_error_code(ResponseError::GroupIdNotFound.code());
    }
    if shared.groups.is_active(&group) {
        return OffsetDeleteResponse::default().with_error_code(ResponseError::NonEmptyGroup.code());
    }
    let changes = request.topics.iter().flat_map(|topic| {
        topic.partitions.iter().map(|partition| Change::Forget {
            group: group.clone(),
            topic: topic.name.to_string(),
            partition: partition.partition_index,
        })
    });
    let stored = shared.groups.store(changes.collect()).await;
    let error = if stored { 0 } else { error_of(GroupError::Storage).code() };
    let topics = request.topics.into_iter().map(|topic| {
        let partitions = topic.partitions.iter().map(|partition| {
            OffsetDeleteResponsePartition::default()
                .with_partition_index(partition.partition_index)
                .with_error_code(error)
        });
        OffsetDeleteResponseTopic::default().with_partitions(partitions.collect()).with_name(topic.name)
    });
    OffsetDeleteResponse::default().with_topics(topics.collect())
}
