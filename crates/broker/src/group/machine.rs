//! The rules of one consumer group. Pure: requests and time go in, answers come out through the handles
//! given.
//!
//! A group is `Empty`, or gathers its members for a new generation (`PreparingRebalance`), or waits for the
//! leader's assignment (`CompletingRebalance`), or works (`Stable`). Answers to join and sync wait in the
//! members; whoever calls gets the list of those that are due. Guarantees: within a generation all members
//! have the same leader and protocol; an assignment goes only to members of the generation it was made for;
//! nobody waits for ever.

mod assign;
mod join;
mod rebalance;

use bytes::Bytes;

use super::member::{Identity, Member};
use super::terms::{
    Described, DescribedMember, Due, GroupError, GroupState, JoinAnswer, LeaveRequest, Limits,
};

/// One consumer group.
#[derive(Debug)]
pub(crate) struct Group<Join, Sync> {
    limits: Limits,
    state: GroupState,
    generation: i32,
    protocol_type: String,
    protocol: String,
    leader: String,
    /// In the order they came.
    members: Vec<Member<Join, Sync>>,
    /// Ids that were given out and not used yet, with the time until which they are good.
    promised_ids: Vec<(String, u64)>,
    /// When the present state ends if members are missing: the rebalance goes on without them.
    phase_deadline_ms: Option<u64>,
    /// The first rebalance of an empty group waits for its whole delay, in case more members come.
    initial: bool,
}

impl<Join, Sync> Group<Join, Sync> {
    pub(crate) fn new(limits: Limits) -> Self {
        Self {
            limits,
            state: GroupState::Empty,
            generation: 0,
            protocol_type: String::new(),
            protocol: String::new(),
            leader: String::new(),
            members: Vec::new(),
            promised_ids: Vec::new(),
            phase_deadline_ms: None,
            initial: false,
        }
    }

    pub(crate) fn state(&self) -> GroupState {
        self.state
    }

    pub(crate) fn protocol_type(&self) -> &str {
        &self.protocol_type
    }

    /// Members, and those that were promised a place.
    pub(crate) fn member_count(&self) -> usize {
        self.members.len() + self.promised_ids.len()
    }

    /// Nothing would be lost if the group were forgotten.
    pub(crate) fn is_idle(&self) -> bool {
        self.members.is_empty() && self.promised_ids.is_empty()
    }

    /// The place of a member. A static member that comes without its member id is recognised by its instance
    /// id.
    fn find(&self, identity: &Identity) -> Result<usize, GroupError> {
        if let Some(instance_id) = &identity.instance_id {
            let same =
                |member: &Member<Join, Sync>| member.identity.instance_id.as_ref() == Some(instance_id);
            let at = self.members.iter().position(same).ok_or(GroupError::UnknownMember)?;
            let agrees =
                identity.member_id.is_empty() || self.members[at].identity.member_id == identity.member_id;
            return if agrees { Ok(at) } else { Err(GroupError::FencedInstance) };
        }
        self.members
            .iter()
            .position(|member| member.identity.member_id == identity.member_id)
            .ok_or(GroupError::UnknownMember)
    }

    /// Like `find`, for a member that must know its id by now.
    fn find_present(&self, identity: &Identity) -> Result<usize, GroupError> {
        if identity.member_id.is_empty() { Err(GroupError::UnknownMember) } else { self.find(identity) }
    }

    /// A sign of life; the answer tells a member when it has to join again.
    pub(crate) fn heartbeat(
        &mut self,
        now_ms: u64,
        identity: &Identity,
        generation: i32,
    ) -> Result<(), GroupError> {
        let at = self.find_present(identity)?;
        if generation != self.generation {
            return Err(GroupError::IllegalGeneration);
        }
        self.members[at].alive(now_ms);
        match self.state {
            GroupState::PreparingRebalance => Err(GroupError::RebalanceInProgress),
            _ => Ok(()),
        }
    }

    /// A member goes; the others rebalance at once.
    pub(crate) fn leave(
        &mut self,
        now_ms: u64,
        request: &LeaveRequest,
    ) -> (Result<(), GroupError>, Due<Join, Sync>) {
        let mut due = Due::default();
        let promised = self.promised_ids.iter().position(|(id, _)| *id == request.member_id);
        if let (Some(at), None) = (promised, &request.instance_id) {
            self.promised_ids.remove(at);
            self.complete_join_if_all(now_ms, &mut due);
            return (Ok(()), due);
        }
        match self.find(request) {
            Ok(at) => {
                self.remove(now_ms, at, &mut due);
                (Ok(()), due)
            }
            Err(error) => (Err(error), due),
        }
    }

    fn remove(&mut self, now_ms: u64, at: usize, due: &mut Due<Join, Sync>) {
        let member = self.members.remove(at);
        if let Some(handle) = member.awaits_join {
            due.joins.push((handle, refusal(GroupError::UnknownMember, member.identity.member_id)));
        }
        if let Some(handle) = member.awaits_sync {
            due.syncs.push((handle, self.sync_refusal(GroupError::UnknownMember)));
        }
        if self.members.is_empty() && !self.initial {
            self.generation = self.generation.checked_add(1).unwrap_or(1);
            self.become_empty();
            return;
        }
        match self.state {
            GroupState::Stable | GroupState::CompletingRebalance => self.prepare(now_ms, due),
            GroupState::PreparingRebalance => {}
            GroupState::Empty => return,
        }
        self.complete_join_if_all(now_ms, due);
    }

    /// May this member commit offsets now? Also a sign of life.
    pub(crate) fn may_commit(
        &mut self,
        now_ms: u64,
        identity: &Identity,
        generation: i32,
    ) -> Result<(), GroupError> {
        let outsider = generation < 0 && identity.member_id.is_empty() && identity.instance_id.is_none();
        if outsider && self.state == GroupState::Empty {
            return Ok(());
        }
        if self.state == GroupState::Empty && self.members.is_empty() {
            return Err(if generation < 0 {
                GroupError::UnknownMember
            } else {
                GroupError::IllegalGeneration
            });
        }
        let at = self.find_present(identity)?;
        if generation != self.generation {
            return Err(GroupError::IllegalGeneration);
        }
        self.members[at].alive(now_ms);
        match self.state {
            GroupState::CompletingRebalance => Err(GroupError::RebalanceInProgress),
            _ => Ok(()),
        }
    }

    /// When `expire` has something to do next.
    pub(crate) fn next_deadline_ms(&self) -> Option<u64> {
        let sessions =
            self.members.iter().filter(|member| !member.waits()).map(|member| member.session_deadline_ms);
        let promises = self.promised_ids.iter().map(|(_, deadline_ms)| *deadline_ms);
        sessions.chain(promises).chain(self.phase_deadline_ms).min()
    }

    /// Removes who was silent for too long and ends phases that took too long.
    pub(crate) fn expire(&mut self, now_ms: u64) -> Due<Join, Sync> {
        let mut due = Due::default();
        self.promised_ids.retain(|(_, deadline_ms)| *deadline_ms > now_ms);
        while let Some(at) =
            self.members.iter().position(|member| !member.waits() && member.session_deadline_ms <= now_ms)
        {
            self.remove(now_ms, at, &mut due);
        }
        if self.phase_deadline_ms.is_some_and(|deadline_ms| deadline_ms <= now_ms) {
            match self.state {
                GroupState::PreparingRebalance => self.complete_join(now_ms, &mut due),
                GroupState::CompletingRebalance => self.give_up_on_sync(now_ms, &mut due),
                GroupState::Empty | GroupState::Stable => self.phase_deadline_ms = None,
            }
        }
        self.complete_join_if_all(now_ms, &mut due);
        due
    }

    /// Not everybody asked for an assignment, perhaps not even the leader: go on without those who did not.
    fn give_up_on_sync(&mut self, now_ms: u64, due: &mut Due<Join, Sync>) {
        self.members.retain(|member| member.awaits_sync.is_some());
        if self.members.is_empty() {
            self.become_empty();
        } else {
            self.prepare(now_ms, due);
        }
    }

    /// The group for people.
    pub(crate) fn describe(&self) -> Described {
        let settled = self.state == GroupState::Stable;
        let member = |member: &Member<Join, Sync>| DescribedMember {
            identity: member.identity.clone(),
            client_id: member.client_id.clone(),
            client_host: member.client_host.clone(),
            metadata: if settled { member.metadata(&self.protocol) } else { Bytes::new() },
            assignment: if settled { member.assignment.clone() } else { Bytes::new() },
        };
        Described {
            state: self.state,
            protocol_type: self.protocol_type.clone(),
            protocol: if settled { self.protocol.clone() } else { String::new() },
            members: self.members.iter().map(member).collect(),
        }
    }
}

fn refusal(error: GroupError, member_id: String) -> JoinAnswer {
    JoinAnswer {
        result: Err(error),
        generation: -1,
        protocol_type: String::new(),
        protocol: String::new(),
        leader: String::new(),
        member_id,
        members: Vec::new(),
    }
}
