//! A member of a consumer group, as the coordinator knows it.

use bytes::Bytes;

/// Who speaks for a group: the member id, and for static members the instance id that outlives it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Identity {
    /// Given by the coordinator; empty before that.
    pub(crate) member_id: String,
    pub(crate) instance_id: Option<String>,
}

/// A way to assign partitions that a member supports, with what it tells the leader. Opaque to the broker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Protocol {
    pub(crate) name: String,
    pub(crate) metadata: Bytes,
}

/// A member. `Join` and `Sync` are the handles of answers that it waits for.
#[derive(Debug)]
pub(crate) struct Member<Join, Sync> {
    pub(crate) identity: Identity,
    pub(crate) client_id: String,
    pub(crate) client_host: String,
    pub(crate) session_timeout_ms: u64,
    pub(crate) rebalance_timeout_ms: u64,
    /// In the order of its preference.
    pub(crate) protocols: Vec<Protocol>,
    pub(crate) assignment: Bytes,
    /// Without a sign of life until then it is removed; does not count while it waits for an answer.
    pub(crate) session_deadline_ms: u64,
    pub(crate) awaits_join: Option<Join>,
    pub(crate) awaits_sync: Option<Sync>,
}

impl<Join, Sync> Member<Join, Sync> {
    /// Takes note of a sign of life.
    pub(crate) fn alive(&mut self, now_ms: u64) {
        self.session_deadline_ms = now_ms + self.session_timeout_ms;
    }

    /// Whether it waits for the coordinator, and so cannot be expected to speak.
    pub(crate) fn waits(&self) -> bool {
        self.awaits_join.is_some() || self.awaits_sync.is_some()
    }

    pub(crate) fn supports(&self, protocol: &str) -> bool {
        self.protocols.iter().any(|own| own.name == protocol)
    }

    /// What it says about itself under a protocol.
    pub(crate) fn metadata(&self, protocol: &str) -> Bytes {
        self.protocols
            .iter()
            .find(|own| own.name == protocol)
            .map(|own| own.metadata.clone())
            .unwrap_or_default()
    }
}
