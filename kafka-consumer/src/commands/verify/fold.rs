//! The log folded once more, in memory, from its beginning.
//!
//! What is kept follows what conversations *are*: rooms with their people, blocks, what has happened to
//! messages since and who is named in them, and a number for every other conversation. How many messages were
//! written does not matter: which message stands at a place is asked of the store, whose rows have been held
//! against the log by then.

use std::collections::HashMap;

use milena_domain::record::{Action, Placed};
use milena_domain::{ConversationId, MessageId, Position, UserId};
use milena_storage::TimelineRow;
use milena_timeline::{Change, ConversationState, Item, Missing, Outcome, Room, Window, fold};

use super::marks::Marks;

/// The rows of the ids that a chunk of the log is about.
pub(super) type Rows = HashMap<MessageId, TimelineRow>;

/// The places of effective events without a row.
pub(super) type Events = HashMap<MessageId, (ConversationId, Position)>;

/// A conversation between two steps.
#[derive(Debug)]
enum Kept {
    /// Direct, nobody blocks anybody: so many messages.
    Plain(u64),
    Whole(Box<ConversationState>),
}

/// One partition of the log, as far as it was read.
#[derive(Debug, Default)]
pub(super) struct PartitionFold {
    window: Window,
    conversations: HashMap<ConversationId, Kept>,
    marks: HashMap<ConversationId, Marks>,
}

impl PartitionFold {
    /// The verdict on the next event. `rows` has those of its id and of its target's.
    pub(super) fn next(&mut self, placed: &Placed, rows: &Rows) -> Outcome {
        let id = placed.event.conversation;
        let mut state = match self.conversations.remove(&id) {
            None => ConversationState::unwritten(),
            Some(Kept::Plain(last_seq)) => ConversationState::stored(None, [], last_seq),
            Some(Kept::Whole(state)) => *state,
        };
        let outcome = loop {
            match fold(&mut self.window, &mut state, placed) {
                Ok(outcome) => break outcome,
                Err(missing) => self.tell(&mut state, placed, &missing, rows),
            }
        };
        if let Outcome::Effective(changes) = &outcome {
            self.mark(placed, changes);
        }
        state.forget_items();
        let is_plain = state.room().is_none() && state.blocks().next().is_none();
        let kept = if is_plain { Kept::Plain(state.last_seq()) } else { Kept::Whole(Box::new(state)) };
        self.conversations.insert(id, kept);
        outcome
    }

    /// The rooms, as the log has made them.
    pub(super) fn rooms(&self) -> impl Iterator<Item = (ConversationId, &Room)> {
        self.whole().filter_map(|(id, state)| Some((id, state.room()?)))
    }

    /// What has happened to messages of a conversation, and who is named in them.
    pub(super) fn marks(&self) -> impl Iterator<Item = (ConversationId, &Marks)> {
        self.marks.iter().map(|(id, marks)| (*id, marks))
    }

    /// The same of one conversation.
    pub(super) fn marks_of(&self, conversation: ConversationId) -> Option<&Marks> {
        self.marks.get(&conversation)
    }

    /// Who blocks whom: where, who, and since when.
    pub(super) fn blocks(&self) -> impl Iterator<Item = (ConversationId, UserId, Position)> {
        self.whole().flat_map(|(id, state)| state.blocks().map(move |(user, since)| (id, user, since)))
    }

    fn whole(&self) -> impl Iterator<Item = (ConversationId, &ConversationState)> {
        self.conversations.iter().filter_map(|(id, kept)| match kept {
            Kept::Plain(_) => None,
            Kept::Whole(state) => Some((*id, &**state)),
        })
    }

    fn tell(&mut self, state: &mut ConversationState, placed: &Placed, missing: &Missing, rows: &Rows) {
        let conversation = placed.event.conversation;
        for id in &missing.ids {
            // In another conversation it came first, wherever that stands: the store has one of an id.
            let before =
                rows.get(id).filter(|row| row.conversation != conversation || row.position < placed.position);
            self.window.answer(*id, before.map(|row| row.position));
        }
        for user in &missing.people {
            state.load_standing(*user, milena_timeline::Standing::default());
        }
        let marks = self.marks.get(&conversation);
        for position in &missing.items {
            let target = placed.event.action.target();
            let row = target.and_then(|target| rows.get(&target.id)).filter(|row| {
                row.kind == "message"
                    && row.position == *position
                    && row.conversation == conversation
                    && *position < placed.position
            });
            let item = row.map(|row| Item {
                id: row.id,
                author: row.actor,
                deleted: marks.and_then(|marks| marks.deleted.get(position).copied()),
                pinned: marks.and_then(|marks| marks.pinned.get(position).copied()),
            });
            state.load_item(*position, item);
        }
        for key in &missing.reactions {
            let mine = marks.and_then(|marks| marks.reactions.get(key).cloned()).unwrap_or_default();
            state.load_reactions(key.0, key.1, mine);
        }
    }

    fn mark(&mut self, placed: &Placed, changes: &[Change]) {
        let names = |action: &Action| match action {
            Action::Message(message) => !message.mentions.is_empty(),
            action => action.target().is_some(),
        };
        if names(&placed.event.action) {
            let marks = self.marks.entry(placed.event.conversation).or_default();
            changes.iter().for_each(|change| marks.apply(placed, change));
        }
    }
}
