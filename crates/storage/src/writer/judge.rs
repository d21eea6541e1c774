//! A batch's events, judged in their order, and what follows from them for the tables. No I/O: what is not
//! loaded is asked for, and the step is taken again.
//!
//! The verdict is the fold's ([`ConversationState`](milena_timeline::ConversationState)). What is of the
//! store are the repeats, because it has every id:
//!
//! - **What was judged before is not judged again.** An event at or before the newest effective one of its
//!   conversation was read when that was stored (a conversation lives in one partition, and offsets are
//!   passed once). Its id tells whether it counted, `void_records` whether it did not; what has left no trace
//!   changed nothing then. A message without a trace was lost from the store, and is put back. After the
//!   newest effective event nothing has changed, so judging again gives the same verdict.
//! - An id at most a window before the event is a repeat; a proof that reaches back less than a window is
//!   believed, unless the store knows better; version 1 proves nothing, so any place of the id counts.

use std::collections::{BTreeMap, HashMap, HashSet};

use milena_domain::record::{Action, Emoji, Placed, Role};
use milena_domain::{ConversationId, MessageId, Position, UserId};
use milena_timeline::{Change, Judgement, Missing, Void, near};

use super::loaded::Loaded;
use super::row::TimelineRow;
use crate::WriteError;

/// Why judging cannot go on at an event; nothing of it was carried.
#[derive(Debug)]
pub(super) enum Stop {
    /// The ids of the batch must be looked up first.
    Look,
    /// Something of a conversation must be loaded first.
    Load(ConversationId, Missing),
    /// The batch cannot be written with this event.
    Refused(WriteError),
}

/// What was found about the batch's ids and places.
#[derive(Debug, Default)]
pub(super) struct Looked {
    /// Where they were used.
    pub(super) ids: HashMap<MessageId, (ConversationId, Position)>,
    /// Places of the batch that are void.
    pub(super) void: HashSet<(ConversationId, Position)>,
}

/// What becomes of a message that stands already, or stood before in the batch.
#[derive(Debug, Default)]
pub(super) struct Patch<'b> {
    /// The newest words, and who is named in them.
    pub(super) edited: Option<(Position, &'b str, &'b [UserId])>,
    /// Where, by whom and why it was taken away.
    pub(super) deleted: Option<(Position, UserId, Option<&'b str>)>,
    pub(super) pinned: Option<(Position, bool)>,
    /// The last of all changes.
    pub(super) changed: Option<Position>,
}

/// New words of a message.
#[derive(Debug)]
pub(super) struct Edit<'b> {
    pub(super) conversation: ConversationId,
    pub(super) target: Position,
    pub(super) position: Position,
    pub(super) at_ms: i64,
    pub(super) body: &'b str,
}

/// An interval of membership: whose, and where it began.
type IntervalKey = (ConversationId, UserId, Position);

/// What a batch changes.
#[derive(Debug, Default)]
pub(super) struct Changes<'b> {
    pub(super) rows: Vec<TimelineRow<'b>>,
    /// Who is named where, and when that was sent, in milliseconds.
    pub(super) mentions: Vec<(UserId, ConversationId, Position, i64)>,
    /// Effective, and no row of the timeline.
    pub(super) events: Vec<&'b Placed>,
    pub(super) void: Vec<(&'b Placed, Void)>,
    pub(super) patches: BTreeMap<(ConversationId, Position), Patch<'b>>,
    /// All edits of messages that are not deleted, in order.
    pub(super) edits: Vec<Edit<'b>>,
    /// `None`: taken back.
    pub(super) reactions: BTreeMap<(ConversationId, Position, UserId, Emoji), Option<Position>>,
    /// By where they began: the role of those that this batch opens, and where they end.
    pub(super) intervals: BTreeMap<IntervalKey, (Option<Role>, Option<Position>)>,
    /// Rooms of which more has changed than their people.
    pub(super) rooms: HashSet<ConversationId>,
    /// Whose standing besides membership has changed.
    pub(super) people: HashSet<(ConversationId, UserId)>,
    pub(super) blocks: BTreeMap<(ConversationId, UserId), Option<Position>>,
    pub(super) inserted: u64,
    pub(super) repeats: u64,
    /// Void now or before.
    pub(super) void_count: u64,
}

/// Judges a batch, as far as it is loaded.
pub(super) struct Judge<'b> {
    events: &'b [Placed],
    next: usize,
    /// Ids that counted in this batch.
    used: HashMap<MessageId, Position>,
    pub(super) looked: Option<Looked>,
    pub(super) changes: Changes<'b>,
}

impl<'b> Judge<'b> {
    pub(super) fn new(events: &'b [Placed]) -> Self {
        let used = HashMap::with_capacity(events.len());
        Self { events, next: 0, used, looked: None, changes: Changes::default() }
    }

    /// Goes on until the end of the batch.
    pub(super) fn run(&mut self, loaded: &mut HashMap<ConversationId, Loaded>) -> Result<(), Stop> {
        while let Some(placed) = self.events.get(self.next) {
            let conversation = loaded.entry(placed.event.conversation).or_insert_with(Loaded::unwritten);
            self.step(placed, conversation)?;
            self.next += 1;
        }
        Ok(())
    }

    fn step(&mut self, placed: &'b Placed, loaded: &mut Loaded) -> Result<(), Stop> {
        let (at, event) = (placed.position, &placed.event);
        let is_settled = at <= loaded.settled;
        if self.looked.is_none() && (is_settled || needs_a_look(placed, loaded)) {
            return Err(Stop::Look);
        }
        let before = self.used.get(&event.id).map(|&first| (event.conversation, first));
        let first = before.or_else(|| self.looked.as_ref()?.ids.get(&event.id).copied());
        if is_settled {
            self.settled(placed, loaded, first.is_some());
            return Ok(());
        }
        match (first, placed.proof()) {
            (Some((_, first)), _) if near(first, at) => {
                self.changes.repeats += 1;
                return Ok(());
            }
            (Some(_), None) => {
                self.changes.repeats += 1;
                return Ok(());
            }
            (_, Some(seen)) if !near(seen, at) => {
                self.void(placed, Void::StaleProof)?;
                return Ok(());
            }
            _ => {}
        }
        let verdict = loaded.state.judge(event).map_err(|missing| Stop::Load(event.conversation, missing))?;
        match verdict {
            Judgement::Void(void) => self.void(placed, void),
            Judgement::Repeat(_) if self.looked.is_none() => Err(Stop::Look),
            Judgement::Repeat(_) => {
                self.changes.repeats += 1;
                Ok(())
            }
            // Used long ago, though the record claims that somebody has looked.
            Judgement::Counts if first.is_some() => {
                let (conversation, position) = (event.conversation, at);
                Err(Stop::Refused(WriteError::FalseProof { conversation, position }))
            }
            Judgement::Counts => {
                self.carry(placed, loaded);
                Ok(())
            }
        }
    }

    /// It was judged when it was stored first.
    fn settled(&mut self, placed: &'b Placed, loaded: &mut Loaded, is_stored: bool) {
        let event = &placed.event;
        let place = (event.conversation, placed.position);
        let void = self.looked.as_ref().is_some_and(|looked| looked.void.contains(&place));
        match &event.action {
            // First: the same id may have counted later.
            _ if void => self.changes.void_count += 1,
            _ if is_stored => self.changes.repeats += 1,
            Action::Message(_) => {
                self.used.insert(event.id, placed.position);
                self.append(placed, 0);
                loaded.last_position = loaded.last_position.max(placed.position);
                loaded.touched = true;
                loaded.restored = true;
                loaded.has_members = false;
                self.changes.inserted += 1;
            }
            _ => self.changes.repeats += 1,
        }
    }

    fn void(&mut self, placed: &'b Placed, void: Void) -> Result<(), Stop> {
        // An id that was used is a repeat, whatever else it would be.
        if self.looked.is_none() {
            return Err(Stop::Look);
        }
        self.changes.void.push((placed, void));
        self.changes.void_count += 1;
        Ok(())
    }

    fn append(&mut self, placed: &'b Placed, seq: u64) {
        let event = &placed.event;
        self.changes.rows.push(TimelineRow::new(placed, seq));
        if let Action::Message(message) = &event.action {
            let named: HashSet<UserId> = message.mentions.iter().copied().collect();
            let place = |user| (user, event.conversation, placed.position, event.at.unix_ms());
            self.changes.mentions.extend(named.into_iter().map(place));
        }
    }

    fn carry(&mut self, placed: &'b Placed, loaded: &mut Loaded) {
        let (at, event) = (placed.position, &placed.event);
        let handle = loaded.state.room().map(|room| room.handle.clone());
        // Judged just now, with nothing missing.
        let Ok(milena_timeline::Outcome::Effective(changes)) = loaded.state.apply(placed) else { return };
        self.used.insert(event.id, at);
        self.changes.inserted += 1;
        loaded.touched = true;
        let (mut is_row, mut is_message) = (false, false);
        for change in changes {
            match change {
                Change::Message { seq } => {
                    self.append(placed, seq);
                    (is_row, is_message) = (true, true);
                }
                Change::Happened => {
                    self.append(placed, loaded.state.last_seq());
                    is_row = true;
                }
                change => self.change(placed, loaded, change, handle.as_ref()),
            }
        }
        if !is_row {
            self.changes.events.push(placed);
        }
        if !is_message {
            loaded.folded = at;
        }
        let begins = matches!(event.action, Action::RoomCreated(_) | Action::RoomState(_)) && !loaded.is_room;
        if is_message || begins {
            loaded.last_sent_at_ms = event.at.unix_ms();
            if loaded.last_position == Position::ZERO {
                loaded.created_at_ms = event.at.unix_ms();
            }
            loaded.last_position = loaded.last_position.max(at);
        } else if loaded.last_position == Position::ZERO && loaded.created_at_ms == 0 {
            loaded.created_at_ms = event.at.unix_ms();
        }
        loaded.is_room |= begins;
    }

    fn change(
        &mut self,
        placed: &'b Placed,
        loaded: &mut Loaded,
        change: Change,
        handle: Option<&milena_domain::record::Handle>,
    ) {
        let (at, event, id) = (placed.position, &placed.event, placed.event.conversation);
        match change {
            Change::Message { .. } | Change::Happened => {}
            Change::Edited { target } => {
                if let Action::Edited { body, mentions, .. } = &event.action {
                    let patch = self.patch(id, target, at);
                    patch.edited = Some((at, body.as_str(), mentions));
                    self.changes.edits.push(Edit {
                        conversation: id,
                        target,
                        position: at,
                        at_ms: event.at.unix_ms(),
                        body: body.as_str(),
                    });
                }
            }
            Change::Deleted { target } => {
                if let Action::Deleted { reason, .. } = &event.action {
                    let reason = reason.as_ref().map(milena_domain::record::Reason::as_str);
                    self.patch(id, target, at).deleted = Some((at, event.actor, reason));
                    self.changes.reactions.retain(|key, _| (key.0, key.1) != (id, target));
                    self.changes.edits.retain(|edit| (edit.conversation, edit.target) != (id, target));
                }
            }
            Change::Reacted { target, emoji, on } => {
                self.patch(id, target, at);
                self.changes.reactions.insert((id, target, event.actor, emoji), on.then_some(at));
            }
            Change::Pinned { target, on } => self.patch(id, target, at).pinned = Some((at, on)),
            Change::Room => {
                self.changes.rooms.insert(id);
                let now = loaded.state.room();
                if now.map(|room| &room.handle) != handle {
                    let created = now.filter(|_| !loaded.is_room).map(|room| room.created);
                    loaded.handle_position = Some(created.unwrap_or(at));
                }
            }
            Change::Opened { user, role, from } => {
                self.changes.intervals.insert((id, user, from), (Some(role), None));
            }
            Change::Closed { user, from } => {
                let interval = self.changes.intervals.entry((id, user, from)).or_insert((None, None));
                interval.1 = Some(at);
                self.changes.people.insert((id, user));
            }
            Change::Banned { user, .. } => {
                self.changes.people.insert((id, user));
            }
            Change::Blocked { by, on } => {
                self.changes.blocks.insert((id, by), on.then_some(at));
            }
        }
    }

    fn patch(&mut self, id: ConversationId, target: Position, at: Position) -> &mut Patch<'b> {
        let patch = self.changes.patches.entry((id, target)).or_default();
        patch.changed = Some(at);
        patch
    }
}

/// Whether a unique id would not tell a repeat by itself. Messages are unique among messages; of version 1
/// there is nothing else. Of version 2 an id may also be that of a change, where there has been any.
fn needs_a_look(placed: &Placed, loaded: &Loaded) -> bool {
    let event = &placed.event;
    !matches!(event.action, Action::Message(_)) || (event.seen.is_some() && loaded.folded > Position::ZERO)
}
