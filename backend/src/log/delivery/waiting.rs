//! What waits until a message is looked up: events about it, and whatever has their names. Judged in the
//! order of the log once the store has said what it knows; what the store has judged itself is taken from it.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, PoisonError, RwLockReadGuard, RwLockWriteGuard};

use milena_domain::record::{Action, Placed};
use milena_domain::{MessageId, Position, UserId, partition_of};
use milena_timeline::{Leave, Outcome};
use tokio::sync::oneshot;

use super::DeliveryTask;
use crate::live::fold::Verdict;
use crate::live::targets::{Key, Known, Targets, Waiting, WantedTarget};
use crate::log::recent::{Delivered, Recent};
use crate::refusal::Refusal;

/// Messages that may wait to be looked up; more wait with the delivery task.
pub const WANTED_TARGETS_CHANNEL: usize = 1_024;

/// What was looked up of a message, and of the events that wait for it.
#[derive(Debug)]
pub struct InstallTarget {
    /// Which message.
    pub key: Key,
    /// As of `next_offset`.
    pub known: Known,
    /// Everything of its partition before this is in it.
    pub next_offset: i64,
    /// Of what waits, by name and place: whether the store has counted it there, as far as it stands before
    /// that. What began to wait since then is not among it.
    pub judged: HashMap<(MessageId, Position), bool>,
    /// Of the names of what waits: where the store has counted something of that name.
    pub used: HashMap<MessageId, Position>,
    /// The answer: `false` when it is to be looked up again, because memory does not hold what came since.
    pub reply: oneshot::Sender<bool>,
}

/// What was looked up of the events that wait for a message: see [`InstallTarget`].
struct Stored {
    next_offset: i64,
    judged: HashMap<(MessageId, Position), bool>,
    used: HashMap<MessageId, Position>,
}

impl Stored {
    /// Where the store has counted something of this name before `at`; `None` when it was not asked for this
    /// one, which began to wait since.
    fn place_of(&self, id: MessageId, at: Position) -> Option<Option<Position>> {
        self.judged.contains_key(&(id, at)).then(|| self.used.get(&id).copied().filter(|first| *first < at))
    }
}

impl DeliveryTask {
    /// Whatever it is, something of the same name waits: what becomes of that decides.
    pub(super) fn waits_for_its_name(
        &mut self,
        recent: &mut Recent,
        partition: i32,
        placed: &Placed,
    ) -> bool {
        let behind = self.targets().waits_behind(None, placed.event.id);
        let Some(behind) = behind else { return false };
        if placed.event.to.is_none() && !self.rooms().contains(placed.event.conversation) {
            return false;
        }
        let leave = Leave::Settled(milena_timeline::Judgement::Counts);
        self.wait(recent, behind, partition, placed.clone(), leave);
        true
    }

    pub(super) fn wait(
        &mut self,
        recent: &mut Recent,
        key: Key,
        partition: i32,
        placed: Placed,
        leave: Leave,
    ) {
        let has_room = self.targets().has_room();
        let event = recent.insert_unjudged(partition, placed);
        if has_room {
            self.targets_mut().wait(key, Waiting { event, leave });
            self.something_waits = true;
            return;
        }
        // Nobody knows here whether it counts; the store will. Whoever sent it sends it again.
        self.targets_mut().forget(key);
        let (placed, id) = (Arc::clone(event.placed()), event.event().id);
        self.refuse(id, &Refusal::log_unavailable());
        self.tell_of_changes(&placed);
    }

    /// It only had the name of what waited, and is about no message.
    fn judge_namesake(&mut self, recent: &mut Recent, partition: i32, event: &Arc<Delivered>) {
        let placed = Arc::clone(event.placed());
        if placed.event.to.is_none() {
            let outcome = self.rooms_mut().fold(&placed);
            match outcome {
                Some(Outcome::Effective(changes)) => {
                    recent.settle(event, true);
                    self.show_in_room(event, &changes);
                }
                Some(outcome) => {
                    recent.settle(event, false);
                    self.answer_judged(recent, &placed, &outcome);
                }
                None => self.leave_unjudged(event),
            }
            return;
        }
        let verdict = self.fold.judge(partition, &placed, |id| Some(recent.find(id)?.position()));
        recent.settle(event, verdict == Verdict::Counts);
        match verdict {
            Verdict::Counts => self.show_change(event),
            Verdict::Repeat(first) => self.answer_judged(recent, &placed, &Outcome::Repeat(first)),
            Verdict::Void(void) => self.answer_judged(recent, &placed, &Outcome::Void(void)),
            Verdict::NotJudged => {}
        }
    }

    /// Takes what was looked up of a message, and judges what waited for it.
    pub(super) fn install_target(&mut self, install: InstallTarget) {
        let InstallTarget { key, mut known, next_offset, judged, used, reply } = install;
        let stored = Stored { next_offset, judged, used };
        let partition = partition_of(key.0, self.cursors.len());
        let recent = Arc::clone(&self.recent);
        let mut recent = recent.write().unwrap_or_else(PoisonError::into_inner);
        let read = self.cursors.get(partition as usize).map_or(0, |cursor| cursor.next());
        if read < next_offset || recent.reaches_back_to(partition) > next_offset {
            let _ = reply.send(false);
            return;
        }
        let mut is_decided = true;
        let since: Vec<Arc<Delivered>> = recent
            .changes_of(key.0, key.1)
            .filter(|change| change.position().offset() >= next_offset)
            .map(Arc::clone)
            .collect();
        for change in since {
            match change.counts.get() {
                Some(true) => known.carry(change.placed()),
                Some(false) => {}
                None => {
                    // What waits is judged below; what does not is for the store to say.
                    let targets = self.targets();
                    let mut waiting = targets.waiting_for(key).chain(targets.needing(key));
                    is_decided = waiting.any(|event| event.position() == change.position());
                    break;
                }
            }
        }
        if !is_decided {
            let _ = reply.send(false);
            return;
        }
        let targets = self.targets();
        if let Some(before) = targets.known(key) {
            // Of those who were not asked for, what was known already is so now, unless the store has counted
            // something of theirs that waited here.
            let waiting =
                targets.waiting_for(key).take_while(|event| event.position().offset() < next_offset);
            let changed: HashSet<UserId> = waiting.map(|event| event.event().actor).collect();
            for (user, mine) in before.mine.iter().filter(|(user, _)| !changed.contains(user)) {
                known.mine.entry(*user).or_insert_with(|| mine.clone());
            }
        }
        drop(targets);
        self.targets_mut().remember(key, known);
        let needing = self.targets_mut().take_needing(key);
        for (first, other) in needing {
            self.judge_waiting(&mut recent, (key, Some(first)), &stored);
            if !self.judge_waiting(&mut recent, (other, None), &stored) {
                self.targets_mut().want_again(other);
            }
        }
        let is_whole = self.judge_waiting(&mut recent, (key, None), &stored);
        let is_idle = self.targets().is_idle();
        self.something_waits = !is_idle;
        self.progress.send_replace(self.progress());
        drop(recent);
        self.pass_on_targets();
        self.wanted.pass_on(|room| self.wants.try_send(room).is_ok());
        let _ = reply.send(is_whole);
    }

    /// Judges what waits for a message, as far as `end`, now that everything before `next_offset` was looked
    /// up; `false` when something of that was not asked for, so that it has to be looked up again.
    fn judge_waiting(
        &mut self,
        recent: &mut Recent,
        (key, end): (Key, Option<Position>),
        stored: &Stored,
    ) -> bool {
        loop {
            let first = self.targets().first_waiting(key).cloned();
            let Some(Waiting { event, leave }) = first else { return true };
            let (id, at, partition) = (event.event().id, event.position(), event.partition);
            if end.is_some_and(|end| at >= end) {
                return true;
            }
            if event.counts.get().is_some() {
                // Its room was loaded again meanwhile.
                self.targets_mut().pop_waiting(key);
                continue;
            }
            if at.offset() < stored.next_offset {
                // Judged by whoever stored it, and what is known contains it.
                let Some(counts) = stored.judged.get(&(id, at)).copied() else { return false };
                self.targets_mut().pop_waiting(key);
                if counts {
                    recent.settle(&event, true);
                    // The same once more is a repeat.
                    match event.event().to {
                        Some(_) => self.fold.make_sure(partition, id, Some(at)),
                        None => self.rooms_mut().counted(event.placed()),
                    }
                    if let Action::Deleted { target, .. } = &event.event().action {
                        recent.forget_words(key.0, target.position);
                    }
                    self.show_change(&event);
                } else {
                    recent.settle(&event, false);
                    // Void, a repeat, or so already: admission tells which when it is sent again.
                    self.refuse(id, &Refusal::log_unavailable());
                }
                continue;
            }
            let placed = Arc::clone(event.placed());
            if placed.event.to.is_some() && self.fold.is_unsure(partition, &placed) {
                let Some(first) = stored.place_of(id, at) else {
                    self.targets_mut().want_again(key);
                    return true;
                };
                self.fold.make_sure(partition, id, first);
            }
            // One that only has the name of what waited here is about another message, or about none.
            let own = placed.event.action.target().map(|target| (placed.event.conversation, target.position));
            let Some(own) = own else {
                self.targets_mut().pop_waiting(key);
                self.judge_namesake(recent, partition, &event);
                continue;
            };
            let is_behind = self.targets().waits_before(own, at, key);
            let facts = if is_behind { None } else { self.facts(recent, partition, own, &placed) };
            let Some(facts) = facts else {
                if own == key {
                    self.targets_mut().want_again(key);
                } else {
                    self.targets_mut().need(own, key);
                }
                return true;
            };
            self.targets_mut().pop_waiting(key);
            match self.verdict(partition, &placed, leave, facts) {
                Some(Outcome::Effective(_)) => self.counts(recent, &event),
                Some(outcome) => {
                    recent.settle(&event, false);
                    self.answer_judged(recent, &placed, &outcome);
                }
                None => self.leave_unjudged(&event),
            }
        }
    }

    pub(super) fn pass_on_targets(&mut self) {
        let wants = self.target_wants.clone();
        self.targets_mut().pass_on(|wanted: WantedTarget| wants.try_send(wanted).is_ok());
    }

    pub(super) fn targets(&self) -> RwLockReadGuard<'_, Targets> {
        self.targets.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn targets_mut(&self) -> RwLockWriteGuard<'_, Targets> {
        self.targets.write().unwrap_or_else(PoisonError::into_inner)
    }
}
