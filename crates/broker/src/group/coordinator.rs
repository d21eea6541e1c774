//! Gives the groups their time and carries their answers: the shell around `machine`.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, oneshot};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::journal::{JournalHandle, SharedTable};
use super::machine::Group;
use super::member::Identity;
use super::offsets::{Change, GroupOffsets, OffsetTable};
use super::terms::{
    Described, Due, GroupError, GroupState, JoinAnswer, JoinRequest, Limits, SyncAnswer, SyncRequest,
};

const MIN_SESSION_TIMEOUT_MS: u64 = 1_000;
const MAX_SESSION_TIMEOUT_MS: u64 = 30 * 60 * 1_000;
const MAX_MEMBERS: usize = 1_000;
/// Members of all groups together; each keeps what it says about itself in memory.
const MAX_ALL_MEMBERS: usize = 5_000;
/// What one member may say about itself.
const MAX_METADATA_BYTES: usize = 256 << 10;
/// Committed offsets of all groups together.
const MAX_OFFSETS: usize = 500_000;

/// Answers travel by one-shot channels from the group to the request that waits; the receiver may be gone.
type Live = Group<oneshot::Sender<JoinAnswer>, oneshot::Sender<SyncAnswer>>;
type LiveDue = Due<oneshot::Sender<JoinAnswer>, oneshot::Sender<SyncAnswer>>;

/// What an owner may choose.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CoordinatorOptions {
    pub(crate) initial_rebalance_delay: Duration,
    pub(crate) max_groups: usize,
}

/// All groups of the broker.
#[derive(Debug)]
pub(crate) struct Coordinator {
    limits: Limits,
    max_groups: usize,
    began: Instant,
    /// Groups with members. Held for the moment of one request, never over an await.
    groups: Mutex<BTreeMap<String, Live>>,
    /// Told whenever a deadline may have come nearer.
    changed: Notify,
    offsets: SharedTable,
    journal: JournalHandle,
}

/// A group in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Listed {
    pub(crate) name: String,
    pub(crate) protocol_type: String,
    pub(crate) state: GroupState,
}

impl Coordinator {
    pub(crate) fn new(options: CoordinatorOptions, offsets: SharedTable, journal: JournalHandle) -> Self {
        let limits = Limits {
            initial_rebalance_delay_ms: options.initial_rebalance_delay.as_millis() as u64,
            min_session_timeout_ms: MIN_SESSION_TIMEOUT_MS,
            max_session_timeout_ms: MAX_SESSION_TIMEOUT_MS,
            max_members: MAX_MEMBERS,
        };
        Self {
            limits,
            max_groups: options.max_groups,
            began: Instant::now(),
            groups: Mutex::default(),
            changed: Notify::new(),
            offsets,
            journal,
        }
    }

    /// Lets time pass for the groups until the broker stops. Sleeps until the next deadline of any group.
    pub(crate) async fn keep_time(self: Arc<Self>, stopping: CancellationToken) {
        loop {
            let next = self.lock().values().filter_map(Live::next_deadline_ms).min();
            let sleep = async {
                match next {
                    Some(at_ms) => tokio::time::sleep_until(self.began + Duration::from_millis(at_ms)).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = stopping.cancelled() => return,
                () = self.changed.notified() => continue,
                () = sleep => {}
            }
            let now_ms = self.now_ms();
            let mut groups = self.lock();
            for group in groups.values_mut() {
                deliver(group.expire(now_ms));
            }
            groups.retain(|_, group| !group.is_idle());
        }
    }

    /// Takes a member in; the answer comes when the group is complete.
    pub(crate) fn join(
        &self,
        group: &str,
        request: JoinRequest,
    ) -> Result<oneshot::Receiver<JoinAnswer>, GroupError> {
        let (sender, receiver) = oneshot::channel();
        let metadata_bytes: usize = request.protocols.iter().map(|protocol| protocol.metadata.len()).sum();
        let mut groups = self.lock();
        let members: usize = groups.values().map(Live::member_count).sum();
        if metadata_bytes > MAX_METADATA_BYTES || members >= MAX_ALL_MEMBERS {
            return Err(GroupError::GroupFull);
        }
        if !groups.contains_key(group) {
            if !request.identity.member_id.is_empty() {
                return Err(GroupError::UnknownMember);
            }
            if groups.len() >= self.max_groups {
                return Err(GroupError::GroupFull);
            }
        }
        let limits = self.limits;
        let live = groups.entry(group.to_owned()).or_insert_with(|| Group::new(limits));
        let new_id = format!("{}-{}", prefix(&request), Uuid::now_v7());
        deliver(live.join(self.now_ms(), request, new_id, sender));
        if live.is_idle() {
            groups.remove(group);
        }
        self.changed.notify_one();
        Ok(receiver)
    }

    /// Gives or takes an assignment; the answer comes when the leader has assigned.
    pub(crate) fn sync(
        &self,
        group: &str,
        request: SyncRequest,
    ) -> Result<oneshot::Receiver<SyncAnswer>, GroupError> {
        let (sender, receiver) = oneshot::channel();
        let mut groups = self.lock();
        let live = groups.get_mut(group).ok_or(GroupError::UnknownMember)?;
        deliver(live.sync(self.now_ms(), request, sender));
        self.changed.notify_one();
        Ok(receiver)
    }

    pub(crate) fn heartbeat(
        &self,
        group: &str,
        identity: &Identity,
        generation: i32,
    ) -> Result<(), GroupError> {
        let mut groups = self.lock();
        let live = groups.get_mut(group).ok_or(GroupError::UnknownMember)?;
        live.heartbeat(self.now_ms(), identity, generation)
    }

    pub(crate) fn leave(&self, group: &str, identity: &Identity) -> Result<(), GroupError> {
        let mut groups = self.lock();
        let live = groups.get_mut(group).ok_or(GroupError::UnknownMember)?;
        let (result, due) = live.leave(self.now_ms(), identity);
        deliver(due);
        if live.is_idle() {
            groups.remove(group);
        }
        self.changed.notify_one();
        result
    }

    /// Whether a commit of this member is to be taken now.
    pub(crate) fn may_commit(
        &self,
        group: &str,
        identity: &Identity,
        generation: i32,
    ) -> Result<(), GroupError> {
        if self.table(OffsetTable::len) > MAX_OFFSETS {
            return Err(GroupError::GroupFull);
        }
        let mut groups = self.lock();
        match groups.get_mut(group) {
            Some(live) => live.may_commit(self.now_ms(), identity, generation),
            None if generation < 0 && identity.member_id.is_empty() => {
                let known = self.table(|table| table.group(group).is_some());
                let room = self.table(|table| table.names().count() < self.max_groups);
                if known || room { Ok(()) } else { Err(GroupError::GroupFull) }
            }
            None if generation < 0 => Err(GroupError::UnknownMember),
            None => Err(GroupError::IllegalGeneration),
        }
    }

    /// Stores offsets; they are on disk, and seen by `offsets`, when this returns `true`.
    pub(crate) async fn store(&self, changes: Vec<Change>) -> bool {
        self.journal.store(changes).await
    }

    /// What a group has committed.
    pub(crate) fn offsets(&self, group: &str) -> GroupOffsets {
        self.table(|table| table.group(group).cloned().unwrap_or_default())
    }

    /// Forgets an empty group.
    pub(crate) async fn delete(&self, group: &str) -> Result<(), GroupError> {
        if self.lock().contains_key(group) {
            return Err(GroupError::NotEmpty);
        }
        if self.table(|table| table.group(group).is_none()) {
            return Err(GroupError::NotFound);
        }
        let stored = self.store(vec![Change::ForgetGroup { group: group.to_owned() }]).await;
        if stored { Ok(()) } else { Err(GroupError::Storage) }
    }

    /// Topics that members of the group may be reading: their offsets cannot be deleted. `None` when it is
    /// unknown.
    pub(crate) fn is_active(&self, group: &str) -> bool {
        self.lock().contains_key(group)
    }

    /// The group for people, `None` when there is no such group.
    pub(crate) fn describe(&self, group: &str) -> Option<Described> {
        if let Some(live) = self.lock().get(group) {
            return Some(live.describe());
        }
        self.table(|table| table.group(group).is_some()).then(|| Described {
            state: GroupState::Empty,
            protocol_type: "consumer".to_owned(),
            protocol: String::new(),
            members: Vec::new(),
        })
    }

    /// All groups, those with members and those that only have offsets.
    pub(crate) fn list(&self) -> Vec<Listed> {
        let groups = self.lock();
        let live = groups.iter().map(|(name, group)| Listed {
            name: name.clone(),
            protocol_type: group.protocol_type().to_owned(),
            state: group.state(),
        });
        let mut listed: Vec<Listed> = live.collect();
        self.table(|table| {
            listed.extend(table.names().filter(|name| !groups.contains_key(*name)).map(|name| Listed {
                name: name.clone(),
                protocol_type: "consumer".to_owned(),
                state: GroupState::Empty,
            }));
        });
        listed
    }

    fn table<Answer>(&self, read: impl FnOnce(&OffsetTable) -> Answer) -> Answer {
        read(&self.offsets.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn now_ms(&self) -> u64 {
        self.began.elapsed().as_millis() as u64
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Live>> {
        // A group that a panic left half changed ends by its timeouts.
        self.groups.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Answers whose receiver is gone are dropped: the client has disconnected.
fn deliver(due: LiveDue) {
    for (handle, answer) in due.joins {
        let _ = handle.send(answer);
    }
    for (handle, answer) in due.syncs {
        let _ = handle.send(answer);
    }
}

/// What member ids begin with, so that people recognise them.
fn prefix(request: &JoinRequest) -> &str {
    request.identity.instance_id.as_deref().unwrap_or(&request.client_id)
}
