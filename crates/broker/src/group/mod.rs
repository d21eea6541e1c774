//! Consumer groups of the classic protocol: who is a member, who reads what, and how far each group has come.
//!
//! `machine` decides, without clock or I/O; `coordinator` gives it time and carries answers; `offsets` keeps
//! what groups have committed, in a `journal` on disk. Membership itself is not kept over a restart: members
//! are told that they are unknown, and join again.

mod coordinator;
mod journal;
mod machine;
mod member;
mod offsets;
mod terms;

pub(crate) use coordinator::{Coordinator, CoordinatorOptions};
pub(crate) use journal::Journal;
pub(crate) use member::{Identity, Protocol};
pub(crate) use offsets::{Change, CommittedOffset};
pub(crate) use terms::{
    Described, DescribedMember, GroupError, JoinAnswer, JoinRequest, SyncAnswer, SyncRequest,
};

#[cfg(test)]
mod tests;
