//! From one generation to the next: gather the members, choose leader and protocol, tell everybody.

use bytes::Bytes;

use super::super::member::Member;
use super::super::terms::{Due, GroupError, GroupState, JoinAnswer};
use super::Group;

impl<Join, Sync> Group<Join, Sync> {
    /// Begins a rebalance: everybody is to join again.
    pub(super) fn prepare(&mut self, now_ms: u64, due: &mut Due<Join, Sync>) {
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

    pub(super) fn extend_initial(&mut self, now_ms: u64, newcomer: bool) {
        if self.initial && newcomer {
            // Bounded: the group has at most `max_members`, each of whom extends it once.
            self.phase_deadline_ms = Some(now_ms + self.limits.initial_rebalance_delay_ms);
        }
    }

    pub(super) fn rebalance_timeout_ms(&self) -> u64 {
        self.members.iter().map(|member| member.rebalance_timeout_ms).max().unwrap_or(0)
    }

    pub(super) fn complete_join_if_all(&mut self, now_ms: u64, due: &mut Due<Join, Sync>) {
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
    pub(super) fn complete_join(&mut self, now_ms: u64, due: &mut Due<Join, Sync>) {
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

    pub(super) fn become_empty(&mut self) {
        self.state = GroupState::Empty;
        self.phase_deadline_ms = None;
        self.protocol.clear();
        self.leader.clear();
        self.initial = false;
    }

    pub(super) fn answer(&self, at: usize) -> JoinAnswer {
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
}
