//! What a client that resumes was not sent, as far as memory tells.

use std::cmp::Reverse;
use std::collections::VecDeque;
use std::sync::Arc;

use milena_domain::{ConversationId, Position, SessionCursor, UserId, limits};

use super::conversations::ConversationMemory;
use super::{Delivered, Recent};

/// What a resuming client missed.
#[derive(Debug, Default)]
pub struct Missed {
    /// The conversations that were written in last, the newest first.
    pub conversations: Vec<MissedOf>,
    /// Further conversations in which something was missed.
    pub further: Vec<ConversationId>,
    /// Partitions in which memory does not reach back to the cursor: ask the store.
    pub uncovered: Vec<i32>,
    /// Rooms in which something was missed that memory does not reach back to, and their newest events.
    pub rooms: Vec<(ConversationId, Position)>,
}

impl Missed {
    /// Keeps what is replayed to as many conversations as a replay has, whatever their kind: those that were
    /// written in last.
    pub fn cut_to_newest(&mut self) {
        let newest = |of: &MissedOf| of.messages.last().map(|event| (event.at_ms, event.event().at));
        self.conversations.sort_by_key(|of| Reverse(newest(of)));
        let older = self.conversations.split_off(self.conversations.len().min(limits::REPLAY_CONVERSATIONS));
        self.further.extend(older.into_iter().map(|of| of.conversation));
    }
}

/// What a resuming client missed of a conversation.
#[derive(Debug)]
pub struct MissedOf {
    /// Which.
    pub conversation: ConversationId,
    /// The newest of it, in order of position; at least one.
    pub messages: Vec<Arc<Delivered>>,
    /// More was missed before these.
    pub is_cut: bool,
    /// The first of the changes that were left out, because this person may not see their messages, as far as
    /// that is known here.
    pub hidden: Option<Position>,
}

impl MissedOf {
    /// Without what stands before `since`.
    #[must_use]
    pub fn cut_to(mut self, since: Option<Position>) -> Self {
        let Some(since) = since else { return self };
        let before = self.messages.partition_point(|event| event.position() < since);
        if before > 0 {
            self.messages.drain(..before);
            self.is_cut = true;
        }
        // Neither what changed of messages from before. What else they may see of that, history tells.
        let is_hidden = |event: &Arc<Delivered>| {
            #[cfg(test)]
            if crate::mutation::Mutation::ResumeTellsChangesFromBefore.is_on() {
                return false;
            }
            // A pin stands in the timeline itself.
            let action = &event.event().action;
            let is_pin = matches!(action, milena_domain::record::Action::Pinned { .. });
            !is_pin && action.target().is_some_and(|target| target.position < since)
        };
        self.hidden = self.messages.iter().find(|event| is_hidden(event)).map(|event| event.position());
        self.messages.retain(|event| !is_hidden(event));
        self
    }
}

/// The newest events of a conversation from `from` on, as many as a resume replays: what does not count is
/// nobody's to see, and what nobody has judged yet is shown when somebody has.
fn newest_shown(conversation: ConversationId, events: &VecDeque<Arc<Delivered>>, from: i64) -> MissedOf {
    let mut missed = MissedOf { conversation, messages: Vec::new(), is_cut: false, hidden: None };
    let first = events.partition_point(|event| event.offset() < from);
    for event in events.range(first..).rev().filter(|event| event.is_shown()) {
        #[cfg(test)]
        if crate::mutation::Mutation::ResumeForgetsEdits.is_on()
            && matches!(event.event().action, milena_domain::record::Action::Edited { .. })
        {
            continue;
        }
        if missed.messages.len() == limits::REPLAY_PAGE {
            missed.is_cut = true;
            break;
        }
        missed.messages.push(Arc::clone(event));
    }
    missed.messages.reverse();
    missed
}

impl Recent {
    /// What `person` was not sent according to `cursor`, which must be of this epoch and partition count;
    /// `None` when it is more than a resume can tell. The work is that of what it gives, however much there
    /// is in memory.
    #[must_use]
    pub fn missed(&self, person: UserId, cursor: &SessionCursor) -> Option<Missed> {
        let next = |partition: i32| cursor.next_offsets.get(partition as usize).copied().unwrap_or(0);
        let uncovered = (0..)
            .zip(&self.partitions)
            .filter(|(partition, memory)| memory.reaches_back_to() > next(*partition))
            .map(|(partition, _)| partition)
            .collect::<Vec<i32>>();
        let mut missed = Missed { uncovered, ..Missed::default() };
        let oldest = self.arrival_since(|partition| {
            if missed.uncovered.contains(&partition) { i64::MAX } else { next(partition) }
        });
        for conversation in self.conversations.since(person, oldest) {
            let Some(memory) = self.conversations.get(conversation) else { continue };
            let messages = memory.messages();
            let Some(partition) = messages.back().map(|message| message.partition) else { continue };
            if missed.uncovered.contains(&partition) {
                continue;
            }
            let of = newest_shown(conversation, messages, next(partition));
            if of.messages.is_empty() {
                continue;
            }
            if missed.conversations.len() < limits::REPLAY_CONVERSATIONS {
                missed.conversations.push(of);
            } else if missed.further.len() < limits::REPLAY_MAX_CONVERSATIONS {
                missed.further.push(conversation);
            } else {
                return None;
            }
        }
        Some(missed)
    }

    /// The newest events of a room from `from` on that a resume replays; `None` when memory does not reach
    /// back to `from`. The room must be followed.
    #[must_use]
    pub fn missed_in_room(&self, room: ConversationId, partition: i32, from: i64) -> Option<MissedOf> {
        let memory = self.partitions.get(partition as usize)?;
        if memory.reaches_back_to() > from {
            return None;
        }
        let none = VecDeque::new();
        let events = self.conversations.get(room).map_or(&none, ConversationMemory::messages);
        Some(newest_shown(room, events, from))
    }

    /// The conversations of `person` of which the store may not have everything, those that were written in
    /// last first.
    pub fn unflushed_conversations(&self, person: UserId) -> impl Iterator<Item = ConversationId> {
        let oldest = self.arrival_since(|partition| self.stored_next(partition));
        self.conversations.since(person, oldest).filter(|conversation| {
            self.conversations.newest(*conversation).is_some_and(|message| self.is_unflushed(message))
        })
    }

    /// When the oldest of the records at or after `first(partition)` arrived. Whatever was written in since
    /// is among the conversations whose newest message arrived then or later, with few others.
    pub(super) fn arrival_since(&self, first: impl Fn(i32) -> i64) -> Option<u64> {
        (0..)
            .zip(&self.partitions)
            .filter_map(|(partition, memory)| memory.arrival_since(first(partition)))
            .min()
    }
}
