//! The requests that this broker answers, one file a family.

mod configs;
mod discovery;
mod fetch;
mod group_admin;
mod group_offsets;
mod membership;
mod offsets;
mod produce;
mod refusal;
mod topics;

use std::net::SocketAddr;
use std::ops::RangeInclusive;
use std::sync::Arc;

use futures::future::BoxFuture;
use kafka_protocol::ResponseError;
use kafka_protocol::messages::{ApiKey, RequestKind, ResponseKind};
use kafka_protocol::protocol::StrBytes;

use crate::broker::Shared;
use crate::config::BrokerConfig;
use crate::memory::Share;

pub(crate) use discovery::unsupported_version;

/// A request that is answered, and in which versions.
#[derive(Debug)]
pub(crate) struct Api {
    pub(crate) key: ApiKey,
    pub(crate) versions: RangeInclusive<i16>,
    /// The lowest version that clients are told of. Old clients take the mention of Produce 0 for a sign that
    /// compression is understood; Apache Kafka 4 mentions it for the same reason, and answers it neither.
    advertised_from: i16,
}

const fn api(key: ApiKey, from: i16, to: i16) -> Api {
    Api { key, versions: from..=to, advertised_from: from }
}

/// Newer versions of Produce, Fetch and Metadata name topics by id only; nothing here would gain by that yet.
const APIS: &[Api] = &[
    Api { key: ApiKey::Produce, versions: 3..=11, advertised_from: 0 },
    api(ApiKey::Fetch, 4, 12),
    api(ApiKey::ListOffsets, 1, 7),
    api(ApiKey::Metadata, 0, 12),
    api(ApiKey::OffsetCommit, 2, 9),
    api(ApiKey::OffsetFetch, 1, 9),
    api(ApiKey::FindCoordinator, 0, 4),
    api(ApiKey::JoinGroup, 0, 9),
    api(ApiKey::Heartbeat, 0, 4),
    api(ApiKey::LeaveGroup, 0, 5),
    api(ApiKey::SyncGroup, 0, 5),
    api(ApiKey::DescribeGroups, 0, 6),
    api(ApiKey::ListGroups, 0, 5),
    api(ApiKey::ApiVersions, 0, 4),
    api(ApiKey::CreateTopics, 2, 7),
    api(ApiKey::DeleteTopics, 1, 6),
    api(ApiKey::DeleteRecords, 0, 2),
    api(ApiKey::InitProducerId, 0, 4),
    api(ApiKey::OffsetForLeaderEpoch, 2, 4),
    api(ApiKey::DescribeConfigs, 1, 4),
    api(ApiKey::CreatePartitions, 0, 3),
    api(ApiKey::DeleteGroups, 0, 2),
    api(ApiKey::IncrementalAlterConfigs, 0, 1),
    api(ApiKey::OffsetDelete, 0, 0),
    api(ApiKey::DescribeCluster, 0, 1),
    // Answered where connections are served, before anything else is.
    api(ApiKey::SaslHandshake, 0, 1),
    api(ApiKey::SaslAuthenticate, 0, 2),
    // Answered with a refusal: clients that are told nothing of it wait for ever.
    api(ApiKey::ConsumerGroupHeartbeat, 0, 1),
];

/// All requests that are answered.
#[cfg(test)]
pub(crate) fn all() -> &'static [Api] {
    APIS
}

/// What is known of the request with this key.
pub(crate) fn supported(key: i16) -> Option<&'static Api> {
    APIS.iter().find(|api| api.key as i16 == key)
}

/// Where clients are told to connect to.
#[derive(Debug, Clone)]
pub(crate) struct Endpoint {
    pub(crate) host: String,
    pub(crate) port: u16,
}

impl Endpoint {
    /// The address at which this client reached the broker, unless the owner named another host.
    pub(crate) fn of(config: &BrokerConfig, local: SocketAddr) -> Self {
        let host = config.advertised_host.clone().unwrap_or_else(|| local.ip().to_string());
        Self { host, port: local.port() }
    }
}

/// Who asks.
#[derive(Debug)]
pub(crate) struct Client {
    /// The name that it gives itself.
    pub(crate) id: String,
    /// Where it connects from.
    pub(crate) host: String,
    pub(crate) endpoint: Endpoint,
}

/// The answer to a request.
pub(crate) enum Answer {
    /// The client wants none.
    Nothing,
    Now(Box<Reply>),
    /// It takes time, in which further requests may begin. Does nothing until it is polled.
    Later(BoxFuture<'static, Reply>),
}

/// An answer that is ready to be sent.
pub(crate) struct Reply {
    pub(crate) response: ResponseKind,
    /// What it holds of the common memory, if it is large.
    pub(crate) share: Option<Share>,
}

impl<T: Into<ResponseKind>> From<T> for Reply {
    fn from(response: T) -> Self {
        Self { response: response.into(), share: None }
    }
}

impl<T: Into<ResponseKind>> From<T> for Answer {
    fn from(response: T) -> Self {
        Self::Now(Box::new(response.into().into()))
    }
}

/// Begins a request. What must happen in the order of requests has happened when this returns.
pub(crate) async fn dispatch(
    shared: &Arc<Shared>,
    client: &Client,
    version: i16,
    request: RequestKind,
) -> Answer {
    match request {
        RequestKind::ApiVersions(_) => discovery::api_versions().into(),
        RequestKind::Metadata(request) => discovery::metadata(shared, client, version, request).into(),
        RequestKind::DescribeCluster(_) => discovery::describe_cluster(shared, client).into(),
        RequestKind::FindCoordinator(request) => discovery::find_coordinator(client, version, request).into(),
        RequestKind::Produce(request) => produce::produce(shared, request).await,
        RequestKind::InitProducerId(request) => produce::init_producer_id(shared, request).await.into(),
        RequestKind::Fetch(request) => fetch::fetch(shared, request),
        RequestKind::ListOffsets(request) => offsets::list_offsets(shared, version, request).await.into(),
        RequestKind::OffsetForLeaderEpoch(request) => offsets::leader_epochs(shared, request).into(),
        RequestKind::DeleteRecords(request) => offsets::delete_records(shared, request).await.into(),
        RequestKind::CreateTopics(request) => topics::create(shared, request).await.into(),
        RequestKind::DeleteTopics(request) => topics::delete(shared, version, request).await.into(),
        RequestKind::CreatePartitions(request) => topics::create_partitions(shared, request).await.into(),
        RequestKind::DescribeConfigs(request) => configs::describe(shared, request).into(),
        RequestKind::IncrementalAlterConfigs(request) => configs::alter(shared, request).await.into(),
        RequestKind::JoinGroup(request) => membership::join(shared, client, version, request),
        RequestKind::SyncGroup(request) => membership::sync(shared, request),
        RequestKind::Heartbeat(request) => membership::heartbeat(shared, request).into(),
        RequestKind::ConsumerGroupHeartbeat(_) => membership::refuse_new_protocol().into(),
        RequestKind::LeaveGroup(request) => membership::leave(shared, version, request).into(),
        RequestKind::OffsetCommit(request) => group_offsets::commit(shared, request),
        RequestKind::OffsetFetch(request) => group_offsets::fetch(shared, version, request).into(),
        RequestKind::OffsetDelete(request) => group_offsets::delete(shared, request).await.into(),
        RequestKind::ListGroups(request) => group_admin::list(shared, request).into(),
        RequestKind::DescribeGroups(request) => group_admin::describe(shared, version, request).into(),
        RequestKind::DeleteGroups(request) => group_admin::delete(shared, request).await.into(),
        // `supported` lets nothing else through.
        _ => unsupported_version().into(),
    }
}

/// Runs something that may wait for a disk.
async fn blocking<Out: Send + 'static>(run: impl FnOnce() -> Out + Send + 'static) -> Out {
    match tokio::task::spawn_blocking(run).await {
        Ok(out) => out,
        Err(error) => match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            // The runtime is shutting down and drops this task next.
            Err(_) => std::future::pending().await,
        },
    }
}

/// The code of a result: 0 for success.
fn code<T>(result: &Result<T, ResponseError>) -> i16 {
    result.as_ref().err().map_or(0, ResponseError::code)
}

fn text(text: impl Into<String>) -> StrBytes {
    StrBytes::from_string(text.into())
}
