//! What groups have committed: a table, and the changes that make it. Pure; the journal makes it last.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// How far a group has come in a partition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct CommittedOffset {
    /// The next offset to read.
    pub(crate) offset: i64,
    pub(crate) leader_epoch: i32,
    /// Whatever the client wants to keep with it.
    pub(crate) metadata: String,
}

/// A change of the table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "change", rename_all = "snake_case")]
pub(crate) enum Change {
    Commit { group: String, topic: String, partition: i32, committed: CommittedOffset },
    Forget { group: String, topic: String, partition: i32 },
    ForgetGroup { group: String },
    ForgetTopic { topic: String },
}

/// The offsets of one group by topic and partition.
pub(crate) type GroupOffsets = BTreeMap<(String, i32), CommittedOffset>;

/// The offsets of all groups.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct OffsetTable {
    groups: BTreeMap<String, GroupOffsets>,
}

impl OffsetTable {
    pub(crate) fn apply(&mut self, change: Change) {
        match change {
            Change::Commit { group, topic, partition, committed } => {
                self.groups.entry(group).or_default().insert((topic, partition), committed);
            }
            Change::Forget { group, topic, partition } => {
                if let Some(offsets) = self.groups.get_mut(&group) {
                    offsets.remove(&(topic, partition));
                }
            }
            Change::ForgetGroup { group } => {
                self.groups.remove(&group);
            }
            Change::ForgetTopic { topic } => {
                for offsets in self.groups.values_mut() {
                    offsets.retain(|(of, _), _| *of != topic);
                }
            }
        }
        self.groups.retain(|_, offsets| !offsets.is_empty());
    }

    /// The offsets of a group, if it has any.
    pub(crate) fn group(&self, group: &str) -> Option<&GroupOffsets> {
        self.groups.get(group)
    }

    /// The names of all groups that have offsets.
    pub(crate) fn names(&self) -> impl Iterator<Item = &String> {
        self.groups.keys()
    }

    /// The topics that any group has offsets of; the same topic may come several times.
    pub(crate) fn topics(&self) -> impl Iterator<Item = &str> {
        self.groups.values().flat_map(|offsets| offsets.keys().map(|(topic, _)| topic.as_str()))
    }

    /// The number of offsets in all groups.
    pub(crate) fn len(&self) -> usize {
        self.groups.values().map(BTreeMap::len).sum()
    }

    /// The changes that make this table from an empty one.
    pub(crate) fn changes(&self) -> impl Iterator<Item = Change> {
        self.groups.iter().flat_map(|(group, offsets)| {
            offsets.iter().map(|((topic, partition), committed)| Change::Commit {
                group: group.clone(),
                topic: topic.clone(),
                partition: *partition,
                committed: committed.clone(),
            })
        })
    }
}
