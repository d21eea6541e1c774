//! Members of consumer groups: join, sync, heartbeat, leave. The rules are in `group`.

use std::sync::Arc;

use bytes::Bytes;
use kafka_protocol::ResponseError;
use kafka_protocol::messages::join_group_response::JoinGroupResponseMember;
use kafka_protocol::messages::leave_group_request::MemberIdentity;
use kafka_protocol::messages::leave_group_response::MemberResponse;
use kafka_protocol::messages::{
    ConsumerGroupHeartbeatResponse, HeartbeatRequest, HeartbeatResponse, JoinGroupRequest, JoinGroupResponse,
    LeaveGroupRequest, LeaveGroupResponse, SyncGroupRequest, SyncGroupResponse,
};
use kafka_protocol::protocol::StrBytes;

use super::{Answer, Client, text};
use crate::broker::Shared;
use crate::group::{GroupError, Identity, JoinAnswer, JoinRequest, Protocol, SyncAnswer, SyncRequest};

/// The first version of JoinGroup in which a client can be sent away to come back with its id.
const ID_FIRST_SINCE: i16 = 4;
/// The first version of LeaveGroup in which several members can leave at once.
const LEAVE_MANY_SINCE: i16 = 3;

pub(super) fn error_of(error: GroupError) -> ResponseError {
    match error {
        GroupError::UnknownMember => ResponseError::UnknownMemberId,
        GroupError::FencedInstance => ResponseError::FencedInstanceId,
        GroupError::IllegalGeneration => ResponseError::IllegalGeneration,
        GroupError::RebalanceInProgress => ResponseError::RebalanceInProgress,
        GroupError::InconsistentProtocol => ResponseError::InconsistentGroupProtocol,
        GroupError::MemberIdRequired => ResponseError::MemberIdRequired,
        GroupError::InvalidSessionTimeout => ResponseError::InvalidSessionTimeout,
        GroupError::GroupFull => ResponseError::GroupMaxSizeReached,
        GroupError::NotEmpty => ResponseError::NonEmptyGroup,
        GroupError::NotFound => ResponseError::GroupIdNotFound,
        GroupError::Storage => ResponseError::CoordinatorNotAvailable,
    }
}

pub(super) fn error_code(result: Result<(), GroupError>) -> i16 {
    result.map_or_else(|error| error_of(error).code(), |()| 0)
}

pub(super) fn identity(member_id: &StrBytes, instance_id: Option<&StrBytes>) -> Identity {
    Identity { member_id: member_id.to_string(), instance_id: instance_id.map(|id| id.to_string()) }
}

pub(super) fn join(shared: &Arc<Shared>, client: &Client, version: i16, request: JoinGroupRequest) -> Answer {
    let failed = |error: ResponseError, member_id: &StrBytes| {
        JoinGroupResponse::default()
            .with_error_code(error.code())
            .with_generation_id(-1)
            .with_protocol_name((version < 7).then(StrBytes::default))
            .with_member_id(member_id.clone())
    };
    if request.group_id.is_empty() {
        return failed(ResponseError::InvalidGroupId, &request.member_id).into();
    }
    let millis = |ms: i32| u64::try_from(ms).unwrap_or(0);
    // Version 0 had one timeout for both.
    let rebalance_timeout_ms =
        if version == 0 { request.session_timeout_ms } else { request.rebalance_timeout_ms };
    let protocol = |protocol: kafka_protocol::messages::join_group_request::JoinGroupRequestProtocol| {
        Protocol { name: protocol.name.to_string(), metadata: protocol.metadata }
    };
    let join = JoinRequest {
        identity: identity(&request.member_id, request.group_instance_id.as_ref()),
        client_id: client.id.clone(),
        client_host: client.host.clone(),
        session_timeout_ms: millis(request.session_timeout_ms),
        rebalance_timeout_ms: millis(rebalance_timeout_ms),
        protocol_type: request.protocol_type.to_string(),
        protocols: request.protocols.into_iter().map(protocol).collect(),
        takes_id_first: version >= ID_FIRST_SINCE,
    };
    let member_id = request.member_id;
    match shared.groups.join(&request.group_id, join) {
        Err(error) => failed(error_of(error), &member_id).into(),
        Ok(answer) => Answer::Later(Box::pin(async move {
            match answer.await {
                Ok(answer) => joined(version, answer).into(),
                // The group went away; the client looks for its coordinator again.
                Err(_) => JoinGroupResponse::default()
                    .with_error_code(ResponseError::NotCoordinator.code())
                    .with_protocol_name((version < 7).then(StrBytes::default))
                    .with_member_id(member_id)
                    .into(),
            }
        })),
    }
}

fn joined(version: i16, answer: JoinAnswer) -> JoinGroupResponse {
    let member = |(identity, metadata): (Identity, Bytes)| {
        JoinGroupResponseMember::default()
            .with_member_id(text(identity.member_id))
            .with_group_instance_id(identity.instance_id.map(text))
            .with_metadata(metadata)
    };
    let known = answer.result.is_ok() || version < 7;
    JoinGroupResponse::default()
        .with_error_code(error_code(answer.result))
        .with_generation_id(answer.generation)
        .with_protocol_type(known.then(|| text(answer.protocol_type)))
        .with_protocol_name(known.then(|| text(answer.protocol)))
        .with_leader(text(answer.leader))
        .with_member_id(text(answer.member_id))
        .with_members(answer.members.into_iter().map(member).collect())
}

pub(super) fn sync(shared: &Arc<Shared>, request: SyncGroupRequest) -> Answer {
    let assignment = |assigned: kafka_protocol::messages::sync_group_request::SyncGroupRequestAssignment| {
        (assigned.member_id.to_string(), Bytes::copy_from_slice(&assigned.assignment))
    };
    let sync = SyncRequest {
        identity: identity(&request.member_id, request.group_instance_id.as_ref()),
        generation: request.generation_id,
        protocol_type: request.protocol_type.map(|kind| kind.to_string()),
        protocol: request.protocol_name.map(|name| name.to_string()),
        assignments: request.assignments.into_iter().map(assignment).collect(),
    };
    match shared.groups.sync(&request.group_id, sync) {
        Err(error) => SyncGroupResponse::default().with_error_code(error_of(error).code()).into(),
        Ok(answer) => Answer::Later(Box::pin(async move {
            match answer.await {
                Ok(answer) => synced(answer).into(),
                Err(_) => {
                    SyncGroupResponse::default().with_error_code(ResponseError::NotCoordinator.code()).into()
                }
            }
        })),
    }
}

fn synced(answer: SyncAnswer) -> SyncGroupResponse {
    let response = SyncGroupResponse::default();
    match answer.result {
        Ok(assignment) => response
            .with_protocol_type(Some(text(answer.protocol_type)))
            .with_protocol_name(Some(text(answer.protocol)))
            .with_assignment(assignment),
        Err(error) => response.with_error_code(error_of(error).code()),
    }
}

pub(super) fn heartbeat(shared: &Shared, request: HeartbeatRequest) -> HeartbeatResponse {
    let identity = identity(&request.member_id, request.group_instance_id.as_ref());
    let alive = shared.groups.heartbeat(&request.group_id, &identity, request.generation_id);
    HeartbeatResponse::default().with_error_code(error_code(alive))
}

/// Groups here follow the classic protocol. A client that was set to the newer one
/// (`group.protocol=consumer`) fails at once with this error, and with this sentence in its log.
pub(super) fn refuse_new_protocol() -> ConsumerGroupHeartbeatResponse {
    ConsumerGroupHeartbeatResponse::default()
        .with_error_code(ResponseError::UnsupportedVersion.code())
        .with_error_message(Some(text("this broker has classic groups only: set group.protocol=classic")))
}

pub(super) fn leave(shared: &Shared, version: i16, request: LeaveGroupRequest) -> LeaveGroupResponse {
    if version < LEAVE_MANY_SINCE {
        let left = shared.groups.leave(&request.group_id, &identity(&request.member_id, None));
        return LeaveGroupResponse::default().with_error_code(error_code(left));
    }
    let leave = |member: MemberIdentity| {
        let left = shared
            .groups
            .leave(&request.group_id, &identity(&member.member_id, member.group_instance_id.as_ref()));
        MemberResponse::default()
            .with_member_id(member.member_id)
            .with_group_instance_id(member.group_instance_id)
            .with_error_code(error_code(left))
    };
    LeaveGroupResponse::default().with_members(request.members.into_iter().map(leave).collect())
}
