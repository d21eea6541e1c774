//! Direct conversations that the writer remembers from batch to batch, so that most batches need not ask.
//!
//! What is remembered of a conversation holds as long as nobody else has written its partition. The fence
//! proves that: the stored offset is still the end of our last batch of that partition, and nothing was put
//! back behind it (`consumer_offsets.rewritten`). Whatever goes wrong, everything is forgotten.

use std::collections::{BTreeMap, HashMap};

use milena_domain::{ConversationId, Epoch, Position, UserId, partition_of};

use super::WriteBatch;
use super::loaded::Loaded;

/// Conversations that are remembered, at most: about 10 MB. The least recently used half is forgotten then.
const CONVERSATIONS_MAX: usize = 50_000;

/// A direct conversation, as of the end of the last batch that touched it.
#[derive(Debug, Clone)]
pub(super) struct Direct {
    pub(super) last_seq: u64,
    pub(super) last_position: Position,
    pub(super) last_sent_at_ms: i64,
    pub(super) created_at_ms: i64,
    pub(super) folded: Position,
    /// Its people's lists have it at its newest message: a batch that was remembered wrote that.
    pub(super) is_listed: bool,
    pub(super) blocks: Vec<(UserId, Position)>,
}

/// What is remembered, and until where it holds.
#[derive(Debug, Default)]
pub(crate) struct Known {
    log: Option<(String, Epoch)>,
    /// How many partitions the topic has, which says where a conversation lives. `None` while nobody has
    /// noted it: then nothing is remembered.
    pub(super) partitions: Option<usize>,
    parts: BTreeMap<i32, Part>,
    clock: u64,
    count: usize,
    /// Conversations of partitions that the batch did not pass: nothing is remembered of them.
    read_again: Vec<(i32, ConversationId)>,
}

#[derive(Debug, Default)]
struct Part {
    next: i64,
    rewritten: i64,
    conversations: HashMap<ConversationId, (u64, Direct)>,
}

impl Known {
    /// Takes out what concerns the batch's partitions; what concerns others stays.
    pub(crate) fn take_parts(&mut self, batch: &WriteBatch) -> Self {
        let (log, partitions, clock) = (self.log.clone(), self.partitions, self.clock);
        let mut taken = Self { log, partitions, clock, ..Self::default() };
        for advance in &batch.advances {
            if let Some((partition, part)) = self.parts.remove_entry(&advance.partition) {
                taken.count += part.conversations.len();
                taken.parts.insert(partition, part);
            }
        }
        self.count -= taken.count;
        taken
    }

    /// Puts back what [`Known::take_parts`] took out, as it is after the batch was written.
    pub(crate) fn put_parts(&mut self, mut written: Self) {
        let read_again = std::mem::take(&mut written.read_again);
        if self.log != written.log || self.partitions != written.partitions {
            *self = written;
            return;
        }
        self.clock = self.clock.max(written.clock);
        for (partition, part) in written.parts {
            self.count += part.conversations.len();
            if let Some(before) = self.parts.insert(partition, part) {
                self.count -= before.conversations.len();
            }
        }
        for (partition, id) in read_again {
            let part = self.parts.get_mut(&partition);
            self.count -= usize::from(part.is_some_and(|part| part.conversations.remove(&id).is_some()));
        }
        if self.count > CONVERSATIONS_MAX {
            self.forget_half();
        }
    }

    /// Forgets what the fence does not prove: `rewritten` is what it found, by partition.
    pub(super) fn keep_proven(&mut self, batch: &WriteBatch, rewritten: &BTreeMap<i32, i64>) {
        let log = Some((batch.topic.clone(), batch.epoch));
        if self.log != log {
            *self = Self { log, ..Self::default() };
        }
        for advance in &batch.advances {
            let holds = self.parts.get(&advance.partition).is_some_and(|part| {
                part.next == advance.from && rewritten.get(&advance.partition) == Some(&part.rewritten)
            });
            if !holds && let Some(part) = self.parts.remove(&advance.partition) {
                self.count -= part.conversations.len();
            }
        }
        self.clock += 1;
    }

    /// A conversation of a partition that the batch writes.
    pub(super) fn get(&mut self, batch: &WriteBatch, id: ConversationId) -> Option<&Direct> {
        let partition = partition_of(id, self.partitions?);
        if !batch.advances.iter().any(|advance| advance.partition == partition) {
            return None;
        }
        let (used, direct) = self.parts.get_mut(&partition)?.conversations.get_mut(&id)?;
        *used = self.clock;
        Some(direct)
    }

    /// After the batch was committed.
    pub(super) fn remember(
        &mut self,
        batch: &WriteBatch,
        rewritten: &BTreeMap<i32, i64>,
        loaded: &HashMap<ConversationId, Loaded>,
    ) {
        let Some(partitions) = self.partitions else { return };
        for advance in &batch.advances {
            let part = self.parts.entry(advance.partition).or_default();
            part.next = advance.to;
            part.rewritten = rewritten.get(&advance.partition).copied().unwrap_or(0);
        }
        for (&id, loaded) in loaded {
            let partition = partition_of(id, partitions);
            let Some(part) = self.parts.get_mut(&partition) else {
                self.read_again.push((partition, id));
                continue;
            };
            match loaded.to_remember() {
                Some(direct) => {
                    let before = part.conversations.insert(id, (self.clock, direct));
                    self.count += usize::from(before.is_none());
                }
                None => self.count -= usize::from(part.conversations.remove(&id).is_some()),
            }
        }
        if self.count > CONVERSATIONS_MAX {
            self.forget_half();
        }
    }

    fn forget_half(&mut self) {
        let used = |part: &Part| part.conversations.values().map(|(used, _)| *used).collect::<Vec<_>>();
        let mut all: Vec<u64> = self.parts.values().flat_map(used).collect();
        all.sort_unstable();
        let border = all[all.len() / 2];
        for part in self.parts.values_mut() {
            part.conversations.retain(|_, (used, _)| *used > border);
        }
        self.count = self.parts.values().map(|part| part.conversations.len()).sum();
    }
}
