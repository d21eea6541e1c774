//! What must hold of a device, whatever happened.

use std::collections::BTreeMap;

use milena_domain::record::{Action, Placed};
use milena_domain::{ConversationId, MessageId, Position, partition_of};

use super::super::super::node::Node;
use super::super::super::reader::Reader;
use super::super::super::shared::PARTITIONS;
use super::Device;
use crate::live::News;

impl Device {
    /// Looks at what came into the outbox, the moment it came: nobody hears what is not theirs.
    pub(in super::super) fn nothing_else_came(&mut self, nodes: &[Node; 2], model: &Reader) {
        let Some(line) = &mut self.line else { return };
        let next_offsets = nodes[line.node].chat.progress.borrow().read.clone();
        let waiting = line.outbox.waiting();
        let new = waiting.len().saturating_sub(line.seen - line.taken);
        for update in &waiting[waiting.len() - new..] {
            line.seen += 1;
            let News::Placed(placed) = update.news() else { continue };
            let conversation = placed.event.conversation;
            let counts = model.places.get(&placed.event.id);
            assert_eq!(counts, Some(&placed.position), "it does not count: {placed:?}");
            let next = next_offsets[partition_of(conversation, PARTITIONS) as usize];
            let may_hear = match placed.event.to {
                Some(_) => model.was_there(self.user, placed),
                None => model.may_hear(self.user, conversation, placed.position, next),
            };
            assert!(may_hear, "{} was sent {placed:?} at {next}", self.user);
        }
    }

    /// Whether it has heard of a gap there.
    fn knows_gap(&self, conversation: ConversationId, position: Position) -> bool {
        self.gaps
            .iter()
            .chain(&self.lost)
            .any(|gap| gap.conversation == conversation && gap.after < position && position < gap.before)
    }

    /// Everything that the cursor covers, and for which it was there, it was shown, or it knows the gap.
    pub(in super::super) fn cursor_must_be_true(&mut self, model: &Reader) {
        if !std::mem::take(&mut self.is_changed) {
            return;
        }
        let Some(cursor) = &self.cursor else { return };
        for (conversation, timeline) in &model.timelines {
            let covered = cursor.next_offsets[partition_of(*conversation, PARTITIONS) as usize];
            let excused = self.excused.get(conversation).copied().unwrap_or(0);
            let missing: Vec<_> = timeline
                .values()
                .take_while(|placed| placed.position.offset() < covered)
                .filter(|placed| {
                    is_shown_at_all(placed)
                        && placed.position.offset() >= excused
                        && model.was_there(self.user, placed)
                        && !self.shown.contains_key(&(*conversation, placed.position))
                        && !self.knows_gap(*conversation, placed.position)
                })
                .map(|placed| (placed.position.offset(), placed.event.action.name()))
                .collect();
            assert!(missing.is_empty(), "{:?} covers {missing:?} of {conversation}: not shown", cursor);
        }
    }

    /// Where it is, it shows all that may be seen there; of everything else only what it was there for.
    pub(in super::super) fn must_show(&self, model: &Reader) {
        for (conversation, timeline) in &model.timelines {
            let shown: BTreeMap<Position, MessageId> = self
                .shown
                .iter()
                .filter(|((of, _), _)| of == conversation)
                .map(|((_, position), id)| (*position, *id))
                .collect();
            let placed = timeline.values().filter(|placed| is_shown_at_all(placed));
            let wanted = placed.filter(|placed| model.sees(self.user, placed));
            let wanted: BTreeMap<Position, MessageId> =
                wanted.map(|placed| (placed.position, placed.event.id)).collect();
            for (position, id) in &wanted {
                assert_eq!(shown.get(position), Some(id), "{} shows {conversation} whole", self.user);
            }
            for (position, id) in &shown {
                let counts = timeline.get(position).is_some_and(|placed| placed.event.id == *id);
                let heard = model.may_hear(self.user, *conversation, *position, i64::MAX);
                let is_room = model.room(*conversation).is_some();
                assert!(counts && (!is_room || heard), "{} shows {position:?}", self.user);
            }
        }
        for (room, (role, members)) in &self.rooms {
            let state = &model.states[room];
            let membership = state.standing(self.user).and_then(|standing| standing.membership);
            assert_eq!(*role, membership.map(|membership| membership.role), "what it is in {room}");
            if role.is_some() {
                assert_eq!(*members, u64::from(state.room().unwrap().members), "how many are in {room}");
            }
        }
    }
}

/// Of a block there is nothing to see.
fn is_shown_at_all(placed: &Placed) -> bool {
    !matches!(placed.event.action, Action::Blocked { .. })
}
