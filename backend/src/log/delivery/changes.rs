//! Events about messages: judged when what decides about the message is known, and shown to all who may see
//! it.
//!
//! Of a message in memory everything is known at once. Of an older one the sender's node has asked the store
//! before it sent; another node may have to ask now, and the event waits for that ([`super::waiting`]).
//! Its conversation is asked at the event's own place all the same, so the verdict is that of every other
//! reader.

use std::collections::HashMap;
use std::sync::Arc;

use milena_domain::record::{Action, History, Placed};
use milena_domain::{ConversationId, MessageId, Position};
use milena_timeline::{Facts, Leave, Outcome};

use super::{DeliveryTask, accepted};
use crate::live::targets::{Key, Known, Waiting};
use crate::live::{Names, News, Update};
use crate::log::recent::{Delivered, Recent};
use crate::registry::ConnectionId;

impl DeliveryTask {
    /// An event about a message, of a conversation that this node follows.
    pub(super) fn deliver_change(&mut self, recent: &mut Recent, partition: i32, placed: Placed) {
        let event = &placed.event;
        let leave = match event.to {
            Some(_) => self.fold.admit(&placed),
            None => self.rooms().admit(event),
        };
        let Some(target) = event.action.target() else { return };
        // Whole rosters are here, so people are never missing.
        let Some(leave) = leave else { return };
        let key = (event.conversation, target.position);
        let behind = self.targets().waits_behind(Some(key), event.id);
        if let Some(behind) = behind {
            self.wait(recent, behind, partition, placed, leave);
            return;
        }
        let is_unsure = placed.event.to.is_some() && self.fold.is_unsure(partition, &placed);
        let facts = if is_unsure { None } else { self.facts(recent, partition, key, &placed) };
        match facts {
            Some(facts) => self.judge_change(recent, partition, placed, leave, facts),
            None => self.wait(recent, key, partition, placed, leave),
        }
    }

    pub(super) fn facts(&self, recent: &Recent, partition: i32, key: Key, placed: &Placed) -> Option<Facts> {
        let event = &placed.event;
        if let Some(known) = self.targets().known(key) {
            return known.facts(event);
        }
        let known = Known::in_memory(recent, partition, key, placed.position)?;
        let facts = known.facts(event);
        self.targets_mut().remember(key, known);
        facts
    }

    /// Judges an event that is not in memory yet.
    fn judge_change(
        &mut self,
        recent: &mut Recent,
        partition: i32,
        placed: Placed,
        leave: Leave,
        facts: Facts,
    ) {
        match self.verdict(partition, &placed, leave, facts) {
            Some(Outcome::Effective(_)) => {
                let event = recent.insert_unjudged(partition, placed);
                self.counts(recent, &event);
            }
            Some(outcome) => self.answer_judged(recent, &placed, &outcome),
            None => {
                let event = recent.insert_unjudged(partition, placed);
                self.leave_unjudged(&event);
            }
        }
    }

    /// `None` when its room is not followed any more.
    pub(super) fn verdict(
        &mut self,
        partition: i32,
        placed: &Placed,
        leave: Leave,
        mut facts: Facts,
    ) -> Option<Outcome> {
        #[cfg(test)]
        if crate::mutation::Mutation::OthersEdit.is_on()
            && matches!(placed.event.action, Action::Edited { .. })
        {
            facts.item = facts.item.map(|item| milena_timeline::Item { author: placed.event.actor, ..item });
        }
        match placed.event.to {
            Some(_) => Some(self.fold.judge_about(partition, placed, leave, &mut facts)),
            None => self.rooms_mut().fold_about(placed, leave, &mut facts),
        }
    }

    /// Its room was unloaded while it waited: whoever has the room loaded again has it judged.
    pub(super) fn leave_unjudged(&mut self, event: &Delivered) {
        let happened = event.event();
        if let Some(target) = happened.action.target() {
            self.targets_mut().forget((happened.conversation, target.position));
        }
        if self.concerns_somebody_here(happened) {
            self.wanted.want(happened.conversation, event.partition, event.position().offset());
        }
    }

    /// It counts: memory says so, what is known of the message goes on, and people are told.
    pub(super) fn counts(&mut self, recent: &mut Recent, event: &Arc<Delivered>) {
        recent.settle(event, true);
        if let Some(target) = event.event().action.target() {
            let key = (event.event().conversation, target.position);
            if let Action::Edited { mentions, .. } = &event.event().action
                && let Some(before) = self.targets().known(key)
                && let Some(names) = Names::changed(&before.mentions, mentions)
            {
                let _ = event.names.set(Box::new(names));
            }
            self.targets_mut().carry(key, event.placed());
            if matches!(event.event().action, Action::Deleted { .. }) {
                recent.forget_words(key.0, key.1);
            }
        }
        self.show_change(event);
    }

    pub(super) fn show_change(&mut self, event: &Arc<Delivered>) {
        let waiters = self.take_waiters(event);
        let sending: Vec<ConnectionId> = waiters.iter().filter_map(|(connection, _)| *connection).collect();
        if event.event().to.is_some() {
            self.show(event, &sending);
        } else {
            self.show_change_in_room(event, &sending);
        }
        let accepted = accepted(event.placed());
        for waiter in waiters {
            self.accept(waiter, &accepted);
        }
    }

    /// To all who are in the room and may see the message. Where it shows only the time of one's membership,
    /// whoever came after the message may have been there before, which the store knows.
    fn show_change_in_room(&mut self, event: &Delivered, sending: &[ConnectionId]) {
        let placed = event.placed();
        let (room, offset) = (placed.event.conversation, placed.position.offset());
        let Some(target) = placed.event.action.target() else { return };
        if self.registry.listeners(room) == 0 {
            return;
        }
        let update = event.update();
        // A pin stands in the timeline itself, where whoever was there sees it.
        let is_pin = matches!(placed.event.action, Action::Pinned { .. });
        let shows_all = is_pin || !self.shows_membership_only(room);
        #[cfg(test)]
        let shows_all = shows_all || crate::mutation::Mutation::LiveTellsChangesFromBefore.is_on();
        if shows_all {
            self.tell_room(room, offset, &update, sending);
            return;
        }
        let gap = changes_after(room, placed.position);
        for user in self.registry.people_in(room) {
            let since = self.rooms().view(room, user).and_then(|view| view.standing.membership);
            if since.is_some_and(|since| since.from <= target.position) {
                self.tell_one(room, offset, &update, (user, sending));
            } else {
                self.tell_one(room, offset, &gap, (user, &[]));
            }
        }
    }

    fn shows_membership_only(&self, room: ConversationId) -> bool {
        let rooms = self.rooms();
        let room = rooms.get(room).and_then(|loaded| loaded.state().room());
        room.is_none_or(|room| room.history == History::SinceJoin)
    }

    /// Something has changed there: whoever holds messages of it asks what.
    pub(super) fn tell_of_changes(&mut self, placed: &Placed) {
        let conversation = placed.event.conversation;
        let gap = changes_after(conversation, placed.position);
        match placed.event.to {
            Some(to) => {
                self.registry.deliver(placed.event.actor, &gap, &[]);
                if to != placed.event.actor {
                    self.registry.deliver(to, &gap, &[]);
                }
            }
            None => self.tell_room(conversation, placed.position.offset(), &gap, &[]),
        }
    }

    /// What memory has of a room that is followed from now on.
    pub(super) fn follow_change(
        &mut self,
        recent: &mut Recent,
        event: &Arc<Delivered>,
        next_offset: i64,
        stored: &HashMap<MessageId, Position>,
    ) {
        let at = event.position();
        if self.targets().holds(event) && at.offset() >= next_offset {
            return;
        }
        if let Some(counts) = event.counts.get() {
            if *counts && at.offset() >= next_offset {
                self.rooms_mut().counted(event.placed());
            }
            return;
        }
        if at.offset() < next_offset {
            let counts = stored.get(&event.event().id) == Some(&at);
            recent.settle(event, counts);
            if let Some(target) = event.event().action.target()
                && counts
                && matches!(event.event().action, Action::Deleted { .. })
            {
                recent.forget_words(event.event().conversation, target.position);
            }
            return;
        }
        let placed = Arc::clone(event.placed());
        let Some(target) = placed.event.action.target() else { return };
        let Some(leave) = self.rooms().admit(&placed.event) else { return };
        let key = (placed.event.conversation, target.position);
        let partition = event.partition;
        let behind = self.targets().waits_behind(Some(key), placed.event.id);
        let facts = match behind {
            Some(_) => None,
            None => self.facts(recent, partition, key, &placed),
        };
        let Some(facts) = facts else {
            self.targets_mut().wait(behind.unwrap_or(key), Waiting { event: Arc::clone(event), leave });
            self.something_waits = true;
            return;
        };
        match self.verdict(partition, &placed, leave, facts) {
            Some(Outcome::Effective(_)) => self.counts(recent, event),
            Some(outcome) => {
                recent.settle(event, false);
                self.answer_judged(recent, &placed, &outcome);
            }
            None => self.leave_unjudged(event),
        }
    }
}

/// Something changed there, at this place: what, the store and memory tell.
fn changes_after(conversation: ConversationId, at: Position) -> Update {
    let after = at.before();
    News::Gap { conversation, after, before: Some(after), changes_after: Some(after) }.into()
}
