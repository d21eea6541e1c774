//! How clients find their way: versions, topics, the one node, the one coordinator.

use std::sync::Arc;

use kafka_protocol::ResponseError;
use kafka_protocol::messages::api_versions_response::ApiVersion;
use kafka_protocol::messages::describe_cluster_response::DescribeClusterBroker;
use kafka_protocol::messages::find_coordinator_response::Coordinator;
use kafka_protocol::messages::metadata_request::MetadataRequestTopic;
use kafka_protocol::messages::metadata_response::{
    MetadataResponseBroker, MetadataResponsePartition, MetadataResponseTopic,
};
use kafka_protocol::messages::{
    ApiVersionsResponse, BrokerId, DescribeClusterResponse, FindCoordinatorRequest, FindCoordinatorResponse,
    MetadataRequest, MetadataResponse, ResponseKind, TopicName,
};

use super::{APIS, Client, text};
use crate::broker::{NODE_ID, Shared};
use crate::catalogue::Topic;

/// The kind of key in FindCoordinator that stands for a consumer group.
const GROUP_KEY: i8 = 0;
const LEADER_EPOCH: i32 = 0;

pub(super) fn api_versions() -> ApiVersionsResponse {
    let version = |api: &super::Api| {
        ApiVersion::default()
            .with_api_key(api.key as i16)
            .with_min_version(api.advertised_from)
            .with_max_version(*api.versions.end())
    };
    ApiVersionsResponse::default().with_api_keys(APIS.iter().map(version).collect())
}

/// The answer to an ApiVersions request of a version from the future; clients then ask again in one they both
/// know.
pub(crate) fn unsupported_version() -> ResponseKind {
    api_versions().with_error_code(ResponseError::UnsupportedVersion.code()).into()
}

pub(super) fn metadata(
    shared: &Shared,
    client: &Client,
    version: i16,
    request: MetadataRequest,
) -> MetadataResponse {
    // In version 0 an empty list stood for all topics.
    let wanted = request.topics.filter(|topics| version > 0 || !topics.is_empty());
    let topics = match wanted {
        None => shared.catalogue.topics().iter().map(describe).collect(),
        Some(topics) => topics.into_iter().map(|topic| find(shared, topic)).collect(),
    };
    let broker = MetadataResponseBroker::default()
        .with_node_id(BrokerId(NODE_ID))
        .with_host(text(&client.endpoint.host))
        .with_port(client.endpoint.port.into());
    MetadataResponse::default()
        .with_brokers(vec![broker])
        .with_cluster_id(Some(text(&shared.cluster_id)))
        .with_controller_id(BrokerId(NODE_ID))
        .with_topics(topics)
}

fn find(shared: &Shared, wanted: MetadataRequestTopic) -> MetadataResponseTopic {
    let missing = match &wanted.name {
        Some(name) => shared.catalogue.topic(name).ok_or(ResponseError::UnknownTopicOrPartition),
        None => shared.catalogue.topic_by_id(wanted.topic_id).ok_or(ResponseError::UnknownTopicId),
    };
    match missing {
        Ok(topic) => describe(&topic),
        Err(error) => MetadataResponseTopic::default()
            .with_error_code(error.code())
            .with_name(wanted.name)
            .with_topic_id(wanted.topic_id),
    }
}

fn describe(topic: &Arc<Topic>) -> MetadataResponseTopic {
    let node = vec![BrokerId(NODE_ID)];
    let partition = |index| {
        MetadataResponsePartition::default()
            .with_partition_index(index)
            .with_leader_id(BrokerId(NODE_ID))
            .with_leader_epoch(LEADER_EPOCH)
            .with_replica_nodes(node.clone())
            .with_isr_nodes(node.clone())
    };
    MetadataResponseTopic::default()
        .with_name(Some(TopicName(text(&topic.name))))
        .with_topic_id(topic.id)
        .with_partitions((0..topic.partitions.len() as i32).map(partition).collect())
}

pub(super) fn describe_cluster(shared: &Shared, client: &Client) -> DescribeClusterResponse {
    let broker = DescribeClusterBroker::default()
        .with_broker_id(BrokerId(NODE_ID))
        .with_host(text(&client.endpoint.host))
        .with_port(client.endpoint.port.into());
    DescribeClusterResponse::default()
        .with_cluster_id(text(&shared.cluster_id))
        .with_controller_id(BrokerId(NODE_ID))
        .with_brokers(vec![broker])
}

pub(super) fn find_coordinator(
    client: &Client,
    version: i16,
    request: FindCoordinatorRequest,
) -> FindCoordinatorResponse {
    // A transactional producer must end with a clear error, and this is the one that ends it.
    let error = (request.key_type != GROUP_KEY).then_some(ResponseError::TransactionalIdAuthorizationFailed);
    let error_code = error.map_or(0, |error| error.code());
    let message = error.map(|_| text("this broker has no transactions"));
    let (node_id, host, port) = match error {
        None => (BrokerId(NODE_ID), client.endpoint.host.as_str(), client.endpoint.port.into()),
        Some(_) => (BrokerId(-1), "", -1),
    };
    if version < 4 {
        return FindCoordinatorResponse::default()
            .with_error_code(error_code)
            .with_error_message(message)
            .with_node_id(node_id)
            .with_host(text(host))
            .with_port(port);
    }
    let coordinator = |key| {
        Coordinator::default()
            .with_key(key)
            .with_error_code(error_code)
            .with_error_message(message.clone())
            .with_node_id(node_id)
            .with_host(text(host))
            .with_port(port)
    };
    let coordinators = request.coordinator_keys.into_iter().map(coordinator).collect();
    FindCoordinatorResponse::default().with_coordinators(coordinators)
}
