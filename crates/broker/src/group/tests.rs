//! A group among clients that come, go silent, crash and come back: what must hold whatever the order.

use std::collections::{BTreeMap, HashMap};

use bytes::Bytes;
use proptest::prelude::*;

use super::machine::Group;
use super::member::{Identity, Protocol};
use super::terms::{Due, GroupError, GroupState, JoinAnswer, JoinRequest, Limits, SyncAnswer, SyncRequest};

const SESSION_MS: u64 = 10_000;
const REBALANCE_MS: u64 = 20_000;

fn group() -> Group<usize, usize> {
    Group::new(Limits {
        initial_rebalance_delay_ms: 50,
        min_session_timeout_ms: 1_000,
        max_session_timeout_ms: 60_000,
        max_members: 10,
    })
}

fn join_request(member_id: &str, instance: Option<&str>, takes_id_first: bool) -> JoinRequest {
    let protocol = |name: &str| Protocol { name: name.to_owned(), metadata: Bytes::from_static(b"topics") };
    JoinRequest {
        identity: Identity { member_id: member_id.to_owned(), instance_id: instance.map(str::to_owned) },
        client_id: "client".to_owned(),
        client_host: "host".to_owned(),
        session_timeout_ms: SESSION_MS,
        rebalance_timeout_ms: REBALANCE_MS,
        protocol_type: "consumer".to_owned(),
        protocols: vec![protocol("range"), protocol("sticky")],
        takes_id_first,
    }
}

/// Where a simulated client stands.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Stage {
    Outside,
    Joining,
    Joined { generation: i32, leads: Vec<String> },
    Syncing { generation: i32 },
    Working { generation: i32 },
    Dead,
}

#[derive(Debug, Clone)]
struct Client {
    instance: Option<String>,
    member_id: String,
    stage: Stage,
}

/// Clients around one group, and what was seen of its answers.
struct World {
    group: Group<usize, usize>,
    now_ms: u64,
    clients: Vec<Client>,
    /// Which client waits for a handle; every handle is answered at most once.
    waiting: HashMap<usize, usize>,
    handles: usize,
    /// Leader and protocol by generation.
    generations: BTreeMap<i32, (String, String)>,
}

impl World {
    fn new(clients: usize, statics: usize) -> Self {
        let client = |at: usize| Client {
            instance: (at < statics).then(|| format!("instance {at}")),
            member_id: String::new(),
            stage: Stage::Outside,
        };
        Self {
            group: group(),
            now_ms: 0,
            clients: (0..clients).map(client).collect(),
            waiting: HashMap::new(),
            handles: 0,
            generations: BTreeMap::new(),
        }
    }

    fn handle(&mut self, client: usize) -> usize {
        self.handles += 1;
        self.waiting.insert(self.handles, client);
        self.handles
    }

    fn join(&mut self, at: usize) {
        let handle = self.handle(at);
        let client = &mut self.clients[at];
        client.stage = Stage::Joining;
        let request = join_request(&client.member_id, client.instance.as_deref(), true);
        let due = self.group.join(self.now_ms, request, format!("member {handle}"), handle);
        self.deliver(due);
    }

    fn sync(&mut self, at: usize) {
        let Stage::Joined { generation, leads } = self.clients[at].stage.clone() else { return };
        let handle = self.handle(at);
        let assigned = |member: String| {
            let assignment = Bytes::from(format!("{generation} {member}"));
            (member, assignment)
        };
        let client = &mut self.clients[at];
        client.stage = Stage::Syncing { generation };
        let request = SyncRequest {
            identity: Identity { member_id: client.member_id.clone(), instance_id: client.instance.clone() },
            generation,
            protocol_type: None,
            protocol: None,
            assignments: leads.into_iter().map(assigned).collect(),
        };
        let due = self.group.sync(self.now_ms, request, handle);
        self.deliver(due);
    }

    fn heartbeat(&mut self, at: usize) {
        let generation = match self.clients[at].stage {
            Stage::Working { generation } | Stage::Joined { generation, .. } => generation,
            _ => return,
        };
        let client = &self.clients[at];
        let identity = Identity { member_id: client.member_id.clone(), instance_id: client.instance.clone() };
        if let Err(error) = self.group.heartbeat(self.now_ms, &identity, generation) {
            self.refused(at, error);
        }
    }

    fn leave(&mut self, at: usize) {
        let client = &mut self.clients[at];
        let identity = Identity { member_id: client.member_id.clone(), instance_id: client.instance.clone() };
        client.member_id.clear();
        client.stage = Stage::Outside;
        self.waiting.retain(|_, waits| *waits != at);
        let (_, due) = self.group.leave(self.now_ms, &identity);
        self.deliver(due);
    }

    /// The process dies; nobody tells the group.
    fn crash(&mut self, at: usize, comes_back: bool) {
        self.waiting.retain(|_, waits| *waits != at);
        self.clients[at].member_id.clear();
        self.clients[at].stage = if comes_back { Stage::Outside } else { Stage::Dead };
    }

    fn pass(&mut self, ms: u64) {
        let until = self.now_ms + ms;
        while let Some(next) = self.group.next_deadline_ms().filter(|next| *next <= until) {
            self.now_ms = self.now_ms.max(next);
            let due = self.group.expire(self.now_ms);
            self.deliver(due);
            let later = self.group.next_deadline_ms().is_none_or(|next| next > self.now_ms);
            assert!(later, "what is due at a time is done at that time");
        }
        self.now_ms = until;
    }

    fn deliver(&mut self, due: Due<usize, usize>) {
        for (handle, answer) in due.joins {
            self.joined(handle, answer);
        }
        for (handle, answer) in due.syncs {
            self.synced(handle, answer);
        }
    }

    fn joined(&mut self, handle: usize, answer: JoinAnswer) {
        let Some(at) = self.waiting.remove(&handle) else { return };
        if let Err(error) = answer.result {
            if error == GroupError::MemberIdRequired {
                self.clients[at].member_id = answer.member_id;
            }
            self.refused(at, error);
            return;
        }
        let agreed = (answer.leader.clone(), answer.protocol.clone());
        let first = self.generations.entry(answer.generation).or_insert_with(|| agreed.clone());
        let renamed = self.clients.iter().all(|client| client.member_id != first.0);
        assert!(*first == agreed || renamed, "one leader and protocol in a generation");
        assert_eq!(
            answer.members.is_empty(),
            answer.leader != answer.member_id,
            "members are for the leader"
        );
        let leads = answer.members.into_iter().map(|(identity, _)| identity.member_id).collect();
        self.clients[at].member_id = answer.member_id;
        self.clients[at].stage = Stage::Joined { generation: answer.generation, leads };
    }

    fn synced(&mut self, handle: usize, answer: SyncAnswer) {
        let Some(at) = self.waiting.remove(&handle) else { return };
        match (answer.result, self.clients[at].stage.clone()) {
            (Ok(assignment), Stage::Syncing { generation }) => {
                if self.clients[at].instance.is_none() {
                    let mine = format!("{generation} {}", self.clients[at].member_id);
                    assert_eq!(assignment, mine, "an assignment is for this member and this generation");
                }
                self.clients[at].stage = Stage::Working { generation };
            }
            (Err(error), _) => self.refused(at, error),
            (Ok(_), stage) => panic!("an assignment for a client that is {stage:?}"),
        }
    }

    fn refused(&mut self, at: usize, error: GroupError) {
        if matches!(error, GroupError::UnknownMember | GroupError::FencedInstance) {
            self.clients[at].member_id.clear();
        }
        self.clients[at].stage = Stage::Outside;
    }

    /// All clients that are alive do what good clients do, until they work.
    fn settle(&mut self) -> bool {
        for _ in 0..300 {
            for at in 0..self.clients.len() {
                match self.clients[at].stage {
                    Stage::Outside => self.join(at),
                    Stage::Joined { .. } => self.sync(at),
                    Stage::Working { .. } => self.heartbeat(at),
                    Stage::Joining | Stage::Syncing { .. } | Stage::Dead => {}
                }
            }
            if self.settled() {
                return true;
            }
            self.pass(500);
        }
        false
    }

    fn settled(&self) -> bool {
        let alive: Vec<_> = self.clients.iter().filter(|client| client.stage != Stage::Dead).collect();
        let together = alive.windows(2).all(|pair| pair[0].stage == pair[1].stage);
        let working = alive.iter().all(|client| matches!(client.stage, Stage::Working { .. }));
        let members = self.group.describe().members.len();
        working && together && members == alive.len()
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: crate::test_cases(400), ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_the_living_end_up_working_together(
        clients in 1..6_usize,
        statics in 0..3_usize,
        events in proptest::collection::vec((0..6_usize, 0..9_u8, 0..4_000_u64), 0..120),
    ) {
        let mut world = World::new(clients, statics);
        for (at, event, ms) in events {
            let at = at % clients;
            if world.clients[at].stage == Stage::Dead {
                continue;
            }
            match event {
                0 | 1 if world.clients[at].stage == Stage::Outside => world.join(at),
                2 | 3 => world.sync(at),
                4 => world.heartbeat(at),
                5 => world.leave(at),
                6 => world.crash(at, true),
                7 if at > 0 => world.crash(at, false),
                _ => world.pass(ms),
            }
        }
        prop_assert!(world.settle(), "{:?} {:?}", world.clients, world.group.describe());
        prop_assert_eq!(world.group.state(), GroupState::Stable);
    }
}

#[test]
fn a_lone_member_works_after_the_initial_delay() {
    let mut world = World::new(1, 0);
    world.join(0);
    assert_eq!(world.clients[0].stage, Stage::Outside, "it is given an id first");
    world.join(0);
    world.pass(49);
    assert_eq!(world.clients[0].stage, Stage::Joining);
    world.pass(1);
    world.sync(0);
    assert_eq!(world.clients[0].stage, Stage::Working { generation: 1 });
}

#[test]
fn a_silent_member_makes_the_others_rebalance() {
    let mut world = World::new(2, 0);
    assert!(world.settle());
    world.crash(1, false);
    let Stage::Working { generation } = world.clients[0].stage else { panic!("works") };
    for _ in 0..30 {
        world.heartbeat(0);
        world.pass(1_000);
        if world.clients[0].stage == Stage::Outside {
            break;
        }
    }
    assert!(world.settle());
    assert_eq!(world.clients[0].stage, Stage::Working { generation: generation + 1 });
}

#[test]
fn a_restarted_static_member_finds_its_assignment_and_fences_its_old_self() {
    let mut world = World::new(2, 2);
    assert!(world.settle());
    let before = world.clients.clone();
    world.crash(1, true);
    world.join(1);
    assert_eq!(world.group.state(), GroupState::Stable, "nobody else is disturbed");
    assert_ne!(world.clients[1].member_id, before[1].member_id);
    let old = Identity { member_id: before[1].member_id.clone(), instance_id: before[1].instance.clone() };
    assert_eq!(world.group.heartbeat(world.now_ms, &old, 1), Err(GroupError::FencedInstance));
    assert!(world.settle());
    assert_eq!(world.clients[1].stage, before[1].stage);
}

#[test]
fn commits_are_taken_from_members_and_from_outside_only_while_empty() {
    let mut world = World::new(1, 0);
    let outsider = Identity::default();
    assert_eq!(world.group.may_commit(0, &outsider, -1), Ok(()));
    assert!(world.settle());
    assert_eq!(world.group.may_commit(0, &outsider, -1), Err(GroupError::UnknownMember));
    let member = Identity { member_id: world.clients[0].member_id.clone(), instance_id: None };
    assert_eq!(world.group.may_commit(world.now_ms, &member, 1), Ok(()));
    assert_eq!(world.group.may_commit(world.now_ms, &member, 2), Err(GroupError::IllegalGeneration));
}

#[test]
fn strangers_and_misfits_are_refused() {
    let mut group = group();
    let refused = |due: Due<usize, usize>| due.joins[0].1.result;
    let unknown = group.join(0, join_request("nobody", None, true), "id".to_owned(), 1);
    assert_eq!(refused(unknown), Err(GroupError::UnknownMember));
    let mut impatient = join_request("", None, false);
    impatient.session_timeout_ms = 1;
    let impatient = group.join(0, impatient, "id".to_owned(), 2);
    assert_eq!(refused(impatient), Err(GroupError::InvalidSessionTimeout));
    assert!(group.join(0, join_request("", None, false), "first".to_owned(), 3).joins.is_empty());
    let mut other = join_request("", None, false);
    other.protocols.iter_mut().for_each(|protocol| protocol.name = "other".to_owned());
    assert_eq!(refused(group.join(0, other, "second".to_owned(), 4)), Err(GroupError::InconsistentProtocol));
    for i in 0..9 {
        group.join(0, join_request("", None, false), format!("more {i}"), 10 + i);
    }
    let full = group.join(0, join_request("", None, false), "one too many".to_owned(), 99);
    assert_eq!(refused(full), Err(GroupError::GroupFull));
}

#[test]
fn a_leader_that_never_assigns_is_left_behind() {
    let mut world = World::new(2, 0);
    world.join(0);
    world.join(0);
    world.join(1);
    world.join(1);
    world.pass(100);
    let leads = |client: &Client| matches!(&client.stage, Stage::Joined { leads, .. } if !leads.is_empty());
    let leader = world.clients.iter().position(leads).expect("one leads");
    let other = 1 - leader;
    world.sync(other);
    // It is alive and says so, but does not assign: its session alone would keep it for ever.
    for _ in 0..30 {
        world.heartbeat(leader);
        world.pass(1_000);
    }
    assert_eq!(world.clients[other].stage, Stage::Outside, "told to join again");
    assert!(world.settle());
}

#[test]
fn an_assignment_never_outlives_its_generation() {
    let mut world = World::new(1, 0);
    assert!(world.settle());
    let identity = Identity { member_id: world.clients[0].member_id.clone(), instance_id: None };
    let rejoin = join_request(&identity.member_id, None, true);
    assert!(world.group.join(world.now_ms, rejoin, String::new(), 900).joins[0].1.result.is_ok());
    // This time the leader forgets itself.
    let request =
        SyncRequest { identity, generation: 2, protocol_type: None, protocol: None, assignments: Vec::new() };
    let due = world.group.sync(world.now_ms, request, 901);
    assert_eq!(due.syncs[0].1.result, Ok(Bytes::new()));
}
