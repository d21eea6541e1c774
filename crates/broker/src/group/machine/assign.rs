//! The assignment of a generation: from its leader to its members.

use bytes::Bytes;

use super::super::terms::{Due, GroupError, GroupState, SyncAnswer, SyncRequest};
use super::Group;

impl<Join, Sync> Group<Join, Sync> {
    /// A member asks for its assignment; the leader brings all of them.
    pub(crate) fn sync(&mut self, now_ms: u64, request: SyncRequest, handle: Sync) -> Due<Join, Sync> {
        let mut due = Due::default();
        match self.may_sync(&request) {
            Err(error) => due.syncs.push((handle, self.sync_refusal(error))),
            Ok(at) => {
                self.members[at].alive(now_ms);
                if self.state == GroupState::Stable {
                    due.syncs.push((handle, self.sync_answer(at)));
                    return due;
                }
                if let Some(earlier) = self.members[at].awaits_sync.replace(handle) {
                    due.syncs.push((earlier, self.sync_refusal(GroupError::RebalanceInProgress)));
                }
                if self.members[at].identity.member_id == self.leader {
                    self.assign(now_ms, request.assignments, &mut due);
                }
            }
        }
        due
    }

    fn may_sync(&self, request: &SyncRequest) -> Result<usize, GroupError> {
        let at = self.find_present(&request.identity)?;
        if request.generation != self.generation {
            return Err(GroupError::IllegalGeneration);
        }
        let differs = |asked: &Option<String>, own: &str| asked.as_ref().is_some_and(|asked| asked != own);
        if differs(&request.protocol_type, &self.protocol_type) || differs(&request.protocol, &self.protocol)
        {
            return Err(GroupError::InconsistentProtocol);
        }
        match self.state {
            GroupState::Empty => Err(GroupError::UnknownMember),
            GroupState::PreparingRebalance => Err(GroupError::RebalanceInProgress),
            GroupState::CompletingRebalance | GroupState::Stable => Ok(at),
        }
    }

    fn assign(&mut self, now_ms: u64, assignments: Vec<(String, Bytes)>, due: &mut Due<Join, Sync>) {
        for (member_id, assignment) in assignments {
            let member = self.members.iter_mut().find(|member| member.identity.member_id == member_id);
            if let Some(member) = member {
                member.assignment = assignment;
            }
        }
        self.state = GroupState::Stable;
        self.phase_deadline_ms = None;
        for at in 0..self.members.len() {
            if let Some(handle) = self.members[at].awaits_sync.take() {
                self.members[at].alive(now_ms);
                due.syncs.push((handle, self.sync_answer(at)));
            }
        }
    }

    fn sync_answer(&self, at: usize) -> SyncAnswer {
        SyncAnswer {
            result: Ok(self.members[at].assignment.clone()),
            protocol_type: self.protocol_type.clone(),
            protocol: self.protocol.clone(),
        }
    }

    pub(super) fn sync_refusal(&self, error: GroupError) -> SyncAnswer {
        SyncAnswer {
            result: Err(error),
            protocol_type: self.protocol_type.clone(),
            protocol: self.protocol.clone(),
        }
    }
}
