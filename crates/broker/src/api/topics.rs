//! Creating, growing and deleting topics.

use std::collections::BTreeMap;
use std::sync::Arc;

use kafka_protocol::ResponseError;
use kafka_protocol::messages::create_partitions_request::CreatePartitionsTopic;
use kafka_protocol::messages::create_partitions_response::CreatePartitionsTopicResult;
use kafka_protocol::messages::create_topics_request::CreatableTopic;
use kafka_protocol::messages::create_topics_response::{CreatableTopicConfigs, CreatableTopicResult};
use kafka_protocol::messages::delete_topics_request::DeleteTopicState;
use kafka_protocol::messages::delete_topics_response::DeletableTopicResult;
use kafka_protocol::messages::{
    CreatePartitionsRequest, CreatePartitionsResponse, CreateTopicsRequest, CreateTopicsResponse,
    DeleteTopicsRequest, DeleteTopicsResponse,
};
use uuid::Uuid;

use super::refusal::Refusal;
use super::{blocking, configs, text};
use crate::broker::Shared;
use crate::catalogue::Topic;
use crate::group::Change;

/// Partitions of a topic whose creator leaves the number to the broker.
const DEFAULT_PARTITIONS: usize = 1;

pub(super) async fn create(shared: &Arc<Shared>, request: CreateTopicsRequest) -> CreateTopicsResponse {
    let shared = Arc::clone(shared);
    let validate_only = request.validate_only;
    blocking(move || {
        let topics = request.topics.into_iter().map(|topic| {
            let name = topic.name.clone();
            let result = CreatableTopicResult::default().with_name(name);
            match create_one(&shared, topic, validate_only) {
                Ok((topic, partitions)) => result
                    .with_topic_id(topic.id)
                    .with_num_partitions(partitions as i32)
                    .with_replication_factor(1)
                    .with_configs(Some(configs_of(&topic))),
                Err(Refusal { error, message }) => result
                    .with_error_code(error.code())
                    .with_error_message(Some(text(message)))
                    .with_num_partitions(-1)
                    .with_replication_factor(-1)
                    .with_configs(Some(Vec::new())),
            }
        });
        CreateTopicsResponse::default().with_topics(topics.collect())
    })
    .await
}

fn create_one(
    shared: &Shared,
    topic: CreatableTopic,
    validate_only: bool,
) -> Result<(Arc<Topic>, usize), Refusal> {
    let partitions = if topic.assignments.is_empty() {
        check_replication(topic.replication_factor)?;
        match topic.num_partitions {
            -1 => DEFAULT_PARTITIONS,
            count => usize::try_from(count).unwrap_or(0),
        }
    } else {
        let on_this_node =
            topic.assignments.iter().all(|assignment| assignment.broker_ids == [crate::broker::NODE_ID]);
        if !on_this_node {
            return Err(Refusal::new(ResponseError::InvalidReplicaAssignment, "there is only node 1"));
        }
        topic.assignments.len()
    };
    let mut settings = BTreeMap::new();
    for config in topic.configs {
        let value = config.value.ok_or_else(|| {
            Refusal::new(ResponseError::InvalidConfig, format!("{} has no value", config.name.as_str()))
        })?;
        settings.insert(config.name.to_string(), value.to_string());
    }
    let created = shared.catalogue.create(&topic.name, partitions, settings, validate_only)?;
    Ok((created, partitions))
}

fn check_replication(factor: i16) -> Result<(), Refusal> {
    match factor {
        -1 | 1 => Ok(()),
        _ => Err(Refusal::new(
            ResponseError::InvalidReplicationFactor,
            format!("this broker is a single node, a replication factor of {factor} is impossible"),
        )),
    }
}

fn configs_of(topic: &Topic) -> Vec<CreatableTopicConfigs> {
    let config = |setting: crate::catalogue::Setting| {
        CreatableTopicConfigs::default()
            .with_name(text(setting.name))
            .with_config_source(configs::source(&setting))
            .with_value(Some(text(setting.value)))
    };
    topic.config.settings().into_iter().map(config).collect()
}

pub(super) async fn delete(
    shared: &Arc<Shared>,
    version: i16,
    request: DeleteTopicsRequest,
) -> DeleteTopicsResponse {
    let by_name = |name| DeleteTopicState::default().with_name(Some(name));
    let wanted: Vec<_> =
        if version >= 6 { request.topics } else { request.topic_names.into_iter().map(by_name).collect() };
    let deleting = Arc::clone(shared);
    let results = blocking(move || {
        let delete = |wanted: DeleteTopicState| {
            let deleted = delete_one(&deleting, &wanted);
            (wanted, deleted)
        };
        wanted.into_iter().map(delete).collect::<Vec<_>>()
    })
    .await;
    let mut responses = Vec::with_capacity(results.len());
    for (wanted, deleted) in results {
        let response = DeletableTopicResult::default().with_name(wanted.name).with_topic_id(wanted.topic_id);
        responses.push(match deleted {
            Ok(topic) => {
                // Best effort: an offset of a topic that is gone only takes room.
                shared.groups.store(vec![Change::ForgetTopic { topic: topic.name.clone() }]).await;
                response.with_name(Some(text(&topic.name).into())).with_topic_id(topic.id)
            }
            Err(Refusal { error, message }) => {
                response.with_error_code(error.code()).with_error_message(Some(text(message)))
            }
        });
    }
    DeleteTopicsResponse::default().with_responses(responses)
}

fn delete_one(shared: &Shared, wanted: &DeleteTopicState) -> Result<Arc<Topic>, Refusal> {
    let name = match &wanted.name {
        Some(name) => name.to_string(),
        None if wanted.topic_id != Uuid::nil() => {
            let unknown = || Refusal::new(ResponseError::UnknownTopicId, "there is no topic with this id");
            shared.catalogue.topic_by_id(wanted.topic_id).ok_or_else(unknown)?.name.clone()
        }
        None => return Err(Refusal::new(ResponseError::InvalidRequest, "neither name nor id")),
    };
    Ok(shared.catalogue.delete(&name)?)
}

pub(super) async fn create_partitions(
    shared: &Arc<Shared>,
    request: CreatePartitionsRequest,
) -> CreatePartitionsResponse {
    let shared = Arc::clone(shared);
    let validate_only = request.validate_only;
    blocking(move || {
        let grow = |topic: CreatePartitionsTopic| {
            let count = usize::try_from(topic.count).unwrap_or(0);
            let grown = shared.catalogue.grow(&topic.name, count, validate_only).map_err(Refusal::from);
            let response = CreatePartitionsTopicResult::default().with_name(topic.name);
            match grown {
                Ok(()) => response,
                Err(Refusal { error, message }) => {
                    response.with_error_code(error.code()).with_error_message(Some(text(message)))
                }
            }
        };
        CreatePartitionsResponse::default().with_results(request.topics.into_iter().map(grow).collect())
    })
    .await
}
