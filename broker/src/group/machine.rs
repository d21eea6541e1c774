//! The rules of one consumer group. Pure: requests and time go in, answers come out through the handles given.
//!
//! A group is `Empty`, or gathers its members for a new generation (`PreparingRebalance`), or waits for the leader's
//! assignment (`CompletingRebalance`), or works (`Stable`). Answers to join and sync wait in the members; whoever
//! calls gets the list of those that are due. Guarantees: within a generation all members have the same leader and
//! protocol; an assignment goes only to members of the generation it was made for; nobody waits for ever.

use bytes::Bytes;

use super::member::{Identity, Member};
use super::terms::{
    Described, DescribedMember, Due, GroupError, GroupState, JoinAnswer, JoinRequest, LeaveRequest, Limits,
    SyncAnswer, SyncRequest,
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

    /// Nothing would be lost if the group were forgotten.
    pub(crate) fn is_idle(&self) -> bool {
        self.members.is_empty() && self.promised_ids.is_empty()
    }

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

    /// Checks a join and gives the place of the member, which is new or known. Changes nothing when it refuses,
    /// except to promise an id.
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
        if self.members.len() + self.promised_ids.len() >= max_members && !known {
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

    /// The place of a member. A static member that comes without its member id is recognised by its instance id.
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

    /// Begins a rebalance: everybody is to join again.
    fn prepare(&mut self, now_ms: u64, due: &mut Due<Join, Sync>) {
        for at in 0..self.members.len() {
            if let Some(handle) = self.members[at].awaits_sync.take() {
                due.syncs.push((handle, self.sync_refusal(GroupError::RebalanceInProgress)));
                self.members[at].alive(now_ms);
            }
        }
        self.initial = self.state == GroupState::Empty;
        self.state = GroupState::PreparingRebalance;
        let wait_ms =
            if self.initial { self.limits.initial_rebalance_delay_ms } else { self.rebalance_timeout_ms() };
        self.phase_deadline_ms = Some(now_ms + wait_ms);
    }

    fn extend_initial(&mut self, now_ms: u64, newcomer: bool) {
        if self.initial && newcomer {
            // Bounded: the group has at most `max_members`, each of whom extends it once.
            self.phase_deadline_ms = Some(now_ms + self.limits.initial_rebalance_delay_ms);
        }
    }

    fn rebalance_timeout_ms(&self) -> u64 {
        self.members.iter().map(|member| member.rebalance_timeout_ms).max().unwrap_or(0)
    }

    fn complete_join_if_all(&mut self, now_ms: u64, due: &mut Due<Join, Sync>) {
        let all_joined = self.members.iter().all(|member| member.awaits_join.is_some());
        if self.state == GroupState::PreparingRebalance
            && !self.initial
            && all_joined
            && self.promised_ids.is_empty()
        {
            self.complete_join(now_ms, due);
        }
    }

    /// Begins the next generation with those who joined. Static members may be late until their session ends.
    fn complete_join(&mut self, now_ms: u64, due: &mut Due<Join, Sync>) {
        self.members.retain(|member| member.awaits_join.is_some() || member.identity.instance_id.is_some());
        self.initial = false;
        self.generation = self.generation.checked_add(1).unwrap_or(1);
        let Some(leader) = self.choose_leader() else {
            self.become_empty();
            return;
        };
        self.leader = leader;
        self.protocol = self.choose_protocol();
        self.state = GroupState::CompletingRebalance;
        self.phase_deadline_ms = Some(now_ms + self.rebalance_timeout_ms());
        for at in 0..self.members.len() {
            let member = &mut self.members[at];
            member.assignment = Bytes::new();
            if let Some(handle) = member.awaits_join.take() {
                member.alive(now_ms);
                due.joins.push((handle, self.answer(at)));
            }
        }
    }

    /// The old leader if it joined, else the first who did, else (only static members are left) the first.
    fn choose_leader(&self) -> Option<String> {
        let joined = |member: &&Member<Join, Sync>| member.awaits_join.is_some();
        let same = self.members.iter().filter(joined).find(|member| member.identity.member_id == self.leader);
        same.or_else(|| self.members.iter().find(joined))
            .or_else(|| self.members.first())
            .map(|member| member.identity.member_id.clone())
    }

    /// The protocol that most members prefer among those that all support.
    fn choose_protocol(&self) -> String {
        let Some(first) = self.members.first() else { return String::new() };
        let by_all = |name: &str| self.members.iter().all(|member| member.supports(name));
        let candidates: Vec<&str> = first
            .protocols
            .iter()
            .map(|protocol| protocol.name.as_str())
            .filter(|name| by_all(name))
            .collect();
        let votes = |candidate: &str| {
            let vote = |member: &&Member<Join, Sync>| {
                let favourite =
                    member.protocols.iter().find(|protocol| candidates.contains(&protocol.name.as_str()));
                favourite.is_some_and(|favourite| favourite.name == candidate)
            };
            self.members.iter().filter(vote).count()
        };
        // `rev`, because the last of equals would win.
        candidates
            .iter()
            .rev()
            .max_by_key(|candidate| votes(candidate))
            .map(|&name| name.to_owned())
            .unwrap_or_default()
    }

    fn become_empty(&mut self) {
        self.state = GroupState::Empty;
        self.phase_deadline_ms = None;
        self.protocol.clear();
        self.leader.clear();
        self.initial = false;
    }

    fn answer(&self, at: usize) -> JoinAnswer {
        let member_id = self.members[at].identity.member_id.clone();
        let members = if member_id == self.leader {
            self.members
                .iter()
                .map(|member| (member.identity.clone(), member.metadata(&self.protocol)))
                .collect()
        } else {
            Vec::new()
        };
        JoinAnswer {
            result: Ok(()),
            generation: self.generation,
            protocol_type: self.protocol_type.clone(),
            protocol: self.protocol.clone(),
            leader: self.leader.clone(),
            member_id,
            members,
        }
    }

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

    /// Like `find`, for a member that must know its id by now.
    fn find_present(&self, identity: &Identity) -> Result<usize, GroupError> {
        if identity.member_id.is_empty() { Err(GroupError::UnknownMember) } else { self.find(identity) }
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

    fn sync_refusal(&self, error: GroupError) -> SyncAnswer {
        SyncAnswer {
            result: Err(error),
            protocol_type: self.protocol_type.clone(),
            protocol: self.protocol.clone(),
        }
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
