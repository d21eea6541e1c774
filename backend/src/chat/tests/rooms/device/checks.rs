//! What must hold of a device, whatever happened.

use std::collections::BTreeMap;

use milena_domain::record::{Action, Placed};
use milena_domain::{ConversationId, Epoch, MessageId, Position, UserId, partition_of};
use milena_storage::MessageNow;
use milena_testkit::compared;
use serde_json::Value;

use super::super::super::node::Node;
use super::super::super::reader::Reader;
use super::super::super::shared::PARTITIONS;
use super::fetch::rest;
use super::{Device, Owed};
use crate::live::News;
use crate::live::life::Shown;
use crate::log::event::message;

impl Device {
    /// Looks at what came into the outbox, the moment it came: nobody hears what is not theirs, or what was
    /// taken back before.
    pub(in super::super) fn nothing_else_came(&mut self, nodes: &[Node; 2], model: &Reader) {
        let Some(line) = &mut self.line else { return };
        let chat = &nodes[line.node].chat;
        let (next_offsets, told) = {
            let progress = chat.progress.borrow();
            (progress.read.clone(), progress.told.to_vec())
        };
        let (before, was_replaying) = std::mem::replace(&mut line.looked_at, (told, !line.replay.is_empty()));
        let before = if was_replaying { &line.start.next_offsets } else { &before };
        let waiting = line.outbox.waiting();
        let new = waiting.len().saturating_sub(line.seen - line.taken);
        for update in &waiting[waiting.len() - new..] {
            line.seen += 1;
            let shown = match update.news() {
                News::Placed(placed) => Shown::from(placed.clone()),
                News::Message(shown) | News::Changed(shown) => Shown::clone(shown),
                News::Room(view) if view.standing.membership.is_none() => {
                    // Changes that waited then for their messages are not told to whoever went.
                    let told = before[partition_of(view.id, PARTITIONS) as usize];
                    let after = Position::new(Epoch::FIRST, told).before();
                    self.denied.push(Owed { conversation: view.id, after });
                    continue;
                }
                _ => continue,
            };
            let placed = &*shown.placed;
            let conversation = placed.event.conversation;
            let partition = partition_of(conversation, PARTITIONS) as usize;
            let counts = model.places.get(&placed.event.id);
            assert_eq!(counts, Some(&placed.position), "it does not count: {placed:?}");
            let next = next_offsets[partition];
            let hears = |at: Position| match placed.event.to {
                Some(_) => model.was_there(self.user, placed),
                None => model.may_hear(self.user, conversation, at, next),
            };
            let target = placed.event.action.target().map(|target| target.position);
            // A pin stands in the timeline itself.
            let is_pin = matches!(placed.event.action, Action::Pinned { .. });
            let may_hear = hears(placed.position) && (is_pin || target.is_none_or(hears));
            assert!(may_hear, "{} was sent {placed:?} at {next}", self.user);
            must_be_so(model, self.user, &shown);
            if has_words(placed) {
                let of = target.unwrap_or(placed.position);
                let deleted = deleted_at(model, conversation, of);
                let is_gone = deleted.is_some_and(|at| at.offset() < before[partition]);
                assert!(!is_gone, "{} was sent words that were gone: {placed:?}", self.user);
            }
        }
    }

    /// What it was answered was so, and as new as it had to be.
    pub(in super::super) fn answers_must_be_new(&mut self, model: &Reader) {
        for (shown, read) in self.told_by_rest.drain(..) {
            let (conversation, place) = (shown.placed.event.conversation, shown.placed.position);
            must_be_so(model, self.user, &shown);
            let changes = model.changes(conversation, place).map(|change| change.position);
            let last = changes.take_while(|at| at.offset() < read).last();
            let is_new = last.is_none_or(|last| shown.changed() >= last);
            assert!(is_new, "{} was answered {shown:?}, without {last:?}", self.user);
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
                        && !self.shows(*conversation, placed.position)
                        && !self.knows_gap(*conversation, placed.position)
                })
                .map(|placed| (placed.position.offset(), placed.event.action.name()))
                .collect();
            assert!(missing.is_empty(), "{:?} covers {missing:?} of {conversation}: not shown", cursor);
            let changes = timeline.values().take_while(|placed| placed.position.offset() < covered);
            for placed in changes.filter(|placed| placed.position.offset() >= excused) {
                let Some(target) = placed.event.action.target() else { continue };
                let (key, at) = ((conversation.as_uuid(), target.position.as_i64()), placed.position);
                let is_theirs = self.held.holds(key) && model.was_there(self.user, placed);
                // It is told as it is then, wherever its last change stands.
                let last =
                    || model.changes(*conversation, target.position).map(|change| change.position).max();
                let knows =
                    || self.held.has(key, at.as_i64()) || self.owes(*conversation, last().unwrap_or(at));
                let is_told = !is_theirs || knows() || self.knows_gap(*conversation, target.position);
                assert!(is_told, "{} has {cursor:?} and holds {key:?} without {placed:?}", self.user);
            }
        }
    }

    /// Whether it knows that changes from there on were not told.
    fn owes(&self, conversation: ConversationId, at: Position) -> bool {
        let mut all = self.owed.iter().chain(&self.denied);
        all.any(|owed| owed.conversation == conversation && owed.after < at)
    }

    fn shows(&self, conversation: ConversationId, position: Position) -> bool {
        let key = (conversation, position);
        self.shown.contains_key(&key) || self.pinned_here.contains(&key)
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
                let is_pin = self.pinned_here.contains(&(*conversation, *position));
                let is_shown = shown.get(position).map_or(is_pin, |shown| shown == id);
                assert!(is_shown, "{} shows {conversation} whole, {position:?}", self.user);
            }
            for placed in timeline.values().filter(|placed| model.sees(self.user, placed)) {
                let Some(wanted) = as_answered(model, self.user, placed) else { continue };
                let key = (conversation.as_uuid(), placed.position.as_i64());
                let held = self.held.now(key, self.user.as_uuid()).expect("it holds what it shows");
                assert_eq!(compared(&held).to_string(), compared(&wanted).to_string(), "{}", self.user);
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

/// Of a block there is nothing to see, and what became of a message is seen there.
fn is_shown_at_all(placed: &Placed) -> bool {
    let action = &placed.event.action;
    let is_pin = matches!(action, Action::Pinned { .. });
    !matches!(action, Action::Blocked { .. }) && (is_pin || action.target().is_none())
}

fn has_words(placed: &Placed) -> bool {
    match &placed.event.action {
        Action::Message(message) => !message.body.is_deleted(),
        Action::Edited { body, .. } => !body.is_deleted(),
        _ => false,
    }
}

fn deleted_at(model: &Reader, conversation: ConversationId, place: Position) -> Option<Position> {
    let mut changes = model.changes(conversation, place);
    changes.find(|change| matches!(change.event.action, Action::Deleted { .. })).map(|change| change.position)
}

/// A message as the server must tell it to somebody in the end; `None` for what is no message.
pub(in super::super) fn as_answered(model: &Reader, user: UserId, placed: &Placed) -> Option<Value> {
    rest(&told_as_of(model, user, placed, Position::MAX), user)
}

fn told_as_of(model: &Reader, user: UserId, placed: &Placed, end: Position) -> Shown {
    let (now, life) = model.as_of(placed, end);
    let life = life.map(|life| model.stored_life(placed.event.conversation, life, &[user]));
    Shown::stored(MessageNow { placed: now, life }, user)
}

/// A message is what the log made of it up to the change that it says; any of its words are its own.
fn must_be_so(model: &Reader, user: UserId, shown: &Shown) {
    let (event, place) = (&shown.placed.event, shown.placed.position);
    let placed = &model.timelines[&event.conversation][&place];
    let end = shown.changed();
    let wanted = rest(&told_as_of(model, user, placed, end), user);
    let found = rest(shown, user);
    // In memory it has lost its words already, and what took them away follows.
    let is_emptied = !has_words(&shown.placed) && deleted_at(model, event.conversation, place) > Some(end);
    assert!(found == wanted || is_emptied, "{user} is told {found:?} instead of {wanted:?}");
    if message(event).is_none() && has_words(&shown.placed) {
        assert_eq!(event.action, placed.event.action, "{user} is told other words");
    }
}
