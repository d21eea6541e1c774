//! Who gets into a group, and what a join sets off.

use bytes::Bytes;

use super::super::member::{Identity, Member};
use super::super::terms::{Due, GroupError, GroupState, JoinRequest, Limits};
use super::{Group, refusal};

impl<Join, Sync> Group<Join, Sync> {
    /// A member wants into the next generation. `new_id` is used when it has no id yet.
    pub(crate) fn join(
        &mut self,
        now_ms: u64,
        request: JoinRequest,
        new_id: String,
        handle: Join,
    ) -> Due<Join, Sync> {
        let mut due = Due::default();
        match self.admit(now_ms, &request, new_id.clone()) {
            Err((error, member_id)) => due.joins.push((handle, refusal(error, member_id))),
            Ok(known) => {
                if let (Some(at), true) = (known, request.identity.member_id.is_empty()) {
                    self.replace_instance(at, new_id, &mut due);
                }
                self.joined(now_ms, known, request, handle, &mut due);
            }
        }
        due
    }

    /// A static member restarted. It gets a new id, so that whatever is left of the old one is fenced off.
    fn replace_instance(&mut self, at: usize, new_id: String, due: &mut Due<Join, Sync>) {
        let member = &mut self.members[at];
        let old_id = std::mem::replace(&mut member.identity.member_id, new_id.clone());
        let (join, sync) = (member.awaits_join.take(), member.awaits_sync.take());
        due.joins.extend(join.map(|handle| (handle, refusal(GroupError::FencedInstance, old_id.clone()))));
        due.syncs.extend(sync.map(|handle| (handle, self.sync_refusal(GroupError::FencedInstance))));
        if self.leader == old_id {
            self.leader = new_id;
        }
    }

    /// Checks a join and gives the place of the member, which is new or known. Changes nothing when it
    /// refuses, except to promise an id.
    fn admit(
        &mut self,
        now_ms: u64,
        request: &JoinRequest,
        new_id: String,
    ) -> Result<Option<usize>, (GroupError, String)> {
        let refuse = |error| Err((error, request.identity.member_id.clone()));
        let Limits { min_session_timeout_ms, max_session_timeout_ms, max_members, .. } = self.limits;
        if !(min_session_timeout_ms..=max_session_timeout_ms).contains(&request.session_timeout_ms) {
            return refuse(GroupError::InvalidSessionTimeout);
        }
        if request.protocols.is_empty() || request.protocol_type.is_empty() || !self.fits(request) {
            return refuse(GroupError::InconsistentProtocol);
        }
        let known = match self.find(&request.identity) {
            Ok(at) => return Ok(Some(at)),
            Err(GroupError::UnknownMember) if request.identity.member_id.is_empty() => false,
            Err(GroupError::UnknownMember) => {
                self.promised_ids.iter().any(|(id, _)| *id == request.identity.member_id)
            }
            Err(error) => return refuse(error),
        };
        if !known && !request.identity.member_id.is_empty() {
            return refuse(GroupError::UnknownMember);
        }
        if self.member_count() >= max_members && !known {
            return refuse(GroupError::GroupFull);
        }
        if !known && request.takes_id_first && request.identity.instance_id.is_none() {
            self.promised_ids.push((new_id.clone(), now_ms + request.session_timeout_ms));
            return Err((GroupError::MemberIdRequired, new_id));
        }
        let member_id = if known { request.identity.member_id.clone() } else { new_id };
        self.promised_ids.retain(|(id, _)| *id != member_id);
        self.members.push(Member {
            identity: Identity { member_id, instance_id: request.identity.instance_id.clone() },
            client_id: request.client_id.clone(),
            client_host: request.client_host.clone(),
            session_timeout_ms: request.session_timeout_ms,
            rebalance_timeout_ms: request.rebalance_timeout_ms,
            protocols: Vec::new(),
            assignment: Bytes::new(),
            session_deadline_ms: now_ms + request.session_timeout_ms,
            awaits_join: None,
            awaits_sync: None,
        });
        Ok(None)
    }

    /// Whether the request shares its protocol type and at least one protocol with all other members.
    fn fits(&self, request: &JoinRequest) -> bool {
        let mut others = self
            .members
            .iter()
            .filter(|member| {
                let same_instance = member.identity.instance_id.is_some()
                    && member.identity.instance_id == request.identity.instance_id;
                member.identity.member_id != request.identity.member_id && !same_instance
            })
            .peekable();
        if others.peek().is_none() {
            return true;
        }
        let others: Vec<_> = others.collect();
        self.protocol_type == request.protocol_type
            && request
                .protocols
                .iter()
                .any(|protocol| others.iter().all(|other| other.supports(&protocol.name)))
    }

    /// A member in good standing asked to join: it waits for the next generation, or is told the present one.
    fn joined(
        &mut self,
        now_ms: u64,
        known: Option<usize>,
        request: JoinRequest,
        handle: Join,
        due: &mut Due<Join, Sync>,
    ) {
        let at = known.unwrap_or(self.members.len() - 1);
        let member = &mut self.members[at];
        let unchanged = known.is_some() && member.protocols == request.protocols;
        let restarted = known.is_some() && request.identity.member_id.is_empty();
        member.protocols = request.protocols;
        member.session_timeout_ms = request.session_timeout_ms;
        member.rebalance_timeout_ms = request.rebalance_timeout_ms;
        member.alive(now_ms);
        if let Some(earlier) = member.awaits_join.take() {
            // The same member asks again: the earlier request lost its connection.
            due.joins.push((earlier, refusal(GroupError::UnknownMember, member.identity.member_id.clone())));
        }
        if let Some(earlier) = member.awaits_sync.take() {
            due.syncs.push((earlier, self.sync_refusal(GroupError::RebalanceInProgress)));
        }
        self.protocol_type = request.protocol_type;
        let is_leader = self.members[at].identity.member_id == self.leader;
        let keeps_generation = match self.state {
            GroupState::Stable => unchanged && (!is_leader || restarted),
            GroupState::CompletingRebalance => unchanged,
            GroupState::Empty | GroupState::PreparingRebalance => false,
        };
        if keeps_generation {
            due.joins.push((handle, self.answer(at)));
            return;
        }
        self.members[at].awaits_join = Some(handle);
        if self.state == GroupState::PreparingRebalance {
            self.extend_initial(now_ms, known.is_none());
        } else {
            self.prepare(now_ms, due);
        }
        self.complete_join_if_all(now_ms, due);
    }
}
