//! What is said to a consumer group and what it answers, free of the wire.

use bytes::Bytes;

use super::member::{Identity, Protocol};

/// Why the group refuses, in the words of the protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum GroupError {
    UnknownMember,
    FencedInstance,
    IllegalGeneration,
    RebalanceInProgress,
    InconsistentProtocol,
    MemberIdRequired,
    InvalidSessionTimeout,
    GroupFull,
    NotEmpty,
    NotFound,
    /// The offsets could not be stored.
    Storage,
}

#[derive(Debug, Clone)]
pub(crate) struct JoinRequest {
    pub(crate) identity: Identity,
    pub(crate) client_id: String,
    pub(crate) client_host: String,
    pub(crate) session_timeout_ms: u64,
    pub(crate) rebalance_timeout_ms: u64,
    pub(crate) protocol_type: String,
    pub(crate) protocols: Vec<Protocol>,
    /// The client can be sent away to come back with an id, so that a lost answer leaves no ghost.
    pub(crate) takes_id_first: bool,
}

/// The answer to a join.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct JoinAnswer {
    pub(crate) result: Result<(), GroupError>,
    pub(crate) generation: i32,
    pub(crate) protocol_type: String,
    pub(crate) protocol: String,
    pub(crate) leader: String,
    pub(crate) member_id: String,
    /// All members with what they say about themselves, for the leader only.
    pub(crate) members: Vec<(Identity, Bytes)>,
}

#[derive(Debug, Clone)]
pub(crate) struct SyncRequest {
    pub(crate) identity: Identity,
    pub(crate) generation: i32,
    pub(crate) protocol_type: Option<String>,
    pub(crate) protocol: Option<String>,
    /// By member id; from the leader only.
    pub(crate) assignments: Vec<(String, Bytes)>,
}

/// The answer to a sync.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SyncAnswer {
    pub(crate) result: Result<Bytes, GroupError>,
    pub(crate) protocol_type: String,
    pub(crate) protocol: String,
}

/// Who leaves; a static member may be named by its instance id alone.
pub(crate) type LeaveRequest = Identity;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum GroupState {
    Empty,
    PreparingRebalance,
    CompletingRebalance,
    Stable,
}

impl GroupState {
    /// The name that tools show.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Empty => "Empty",
            Self::PreparingRebalance => "PreparingRebalance",
            Self::CompletingRebalance => "CompletingRebalance",
            Self::Stable => "Stable",
        }
    }
}

/// What holds for all groups.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    pub(crate) initial_rebalance_delay_ms: u64,
    pub(crate) min_session_timeout_ms: u64,
    pub(crate) max_session_timeout_ms: u64,
    pub(crate) max_members: usize,
}

/// A group for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Described {
    pub(crate) state: GroupState,
    pub(crate) protocol_type: String,
    pub(crate) protocol: String,
    pub(crate) members: Vec<DescribedMember>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DescribedMember {
    pub(crate) identity: Identity,
    pub(crate) client_id: String,
    pub(crate) client_host: String,
    pub(crate) metadata: Bytes,
    pub(crate) assignment: Bytes,
}

/// Answers that are due, each with its handle.
#[derive(Debug)]
pub(crate) struct Due<Join, Sync> {
    pub(crate) joins: Vec<(Join, JoinAnswer)>,
    pub(crate) syncs: Vec<(Sync, SyncAnswer)>,
}

impl<Join, Sync> Default for Due<Join, Sync> {
    fn default() -> Self {
        Self { joins: Vec::new(), syncs: Vec::new() }
    }
}
