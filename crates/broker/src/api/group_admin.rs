//! Consumer groups for people and tools: list, describe, delete.

use std::sync::Arc;

use kafka_protocol::ResponseError;
use kafka_protocol::messages::delete_groups_response::DeletableGroupResult;
use kafka_protocol::messages::describe_groups_response::{DescribedGroup, DescribedGroupMember};
use kafka_protocol::messages::list_groups_response::ListedGroup;
use kafka_protocol::messages::{
    DeleteGroupsRequest, DeleteGroupsResponse, DescribeGroupsRequest, DescribeGroupsResponse, GroupId,
    ListGroupsRequest, ListGroupsResponse,
};
use kafka_protocol::protocol::StrBytes;

use super::membership::error_code;
use super::text;
use crate::broker::Shared;
use crate::group::{Described, DescribedMember};

/// There are only groups of this type here.
const TYPE: &str = "classic";
/// The first version of DescribeGroups that has an error for a group that does not exist.
const NOT_FOUND_SINCE: i16 = 6;

pub(super) fn list(shared: &Shared, request: ListGroupsRequest) -> ListGroupsResponse {
    let passes = |filter: &[StrBytes], value: &str| {
        filter.is_empty() || filter.iter().any(|wanted| wanted.eq_ignore_ascii_case(value))
    };
    let groups = shared
        .groups
        .list()
        .into_iter()
        .filter(|group| {
            passes(&request.states_filter, group.state.name()) && passes(&request.types_filter, TYPE)
        })
        .map(|group| {
            ListedGroup::default()
                .with_group_id(GroupId(text(group.name)))
                .with_protocol_type(text(group.protocol_type))
                .with_group_state(text(group.state.name()))
                .with_group_type(text(TYPE))
        });
    ListGroupsResponse::default().with_groups(groups.collect())
}

pub(super) fn describe(
    shared: &Shared,
    version: i16,
    request: DescribeGroupsRequest,
) -> DescribeGroupsResponse {
    let describe = |group_id: GroupId| {
        let group = DescribedGroup::default().with_group_id(group_id.clone());
        match shared.groups.describe(&group_id) {
            Some(described) => fill(group, described),
            None if version >= NOT_FOUND_SINCE => group
                .with_group_state(text("Dead"))
                .with_error_code(ResponseError::GroupIdNotFound.code())
                .with_error_message(Some(text("there is no such group"))),
            None => group.with_group_state(text("Dead")),
        }
    };
    DescribeGroupsResponse::default().with_groups(request.groups.into_iter().map(describe).collect())
}

fn fill(group: DescribedGroup, described: Described) -> DescribedGroup {
    let member = |member: DescribedMember| {
        DescribedGroupMember::default()
            .with_member_id(text(member.identity.member_id))
            .with_group_instance_id(member.identity.instance_id.map(text))
            .with_client_id(text(member.client_id))
            .with_client_host(text(format!("/{}", member.client_host)))
            .with_member_metadata(member.metadata)
            .with_member_assignment(member.assignment)
    };
    group
        .with_group_state(text(described.state.name()))
        .with_protocol_type(text(described.protocol_type))
        .with_protocol_data(text(described.protocol))
        .with_members(described.members.into_iter().map(member).collect())
}

pub(super) async fn delete(shared: &Arc<Shared>, request: DeleteGroupsRequest) -> DeleteGroupsResponse {
    let mut results = Vec::with_capacity(request.groups_names.len());
    for group_id in request.groups_names {
        let deleted = shared.groups.delete(&group_id).await;
        results.push(
            DeletableGroupResult::default().with_group_id(group_id).with_error_code(error_code(deleted)),
        );
    }
    DeleteGroupsResponse::default().with_results(results)
}
