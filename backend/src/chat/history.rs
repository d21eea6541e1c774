//! Reading a conversation: membership, then memory, then the store, then one page of both; and what became of
//! the messages on it, in the same way.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use milena_domain::record::{Action, History as RoomHistory, Placed};
use milena_domain::{ConversationId, Position, UserId, partition_of};
use milena_storage::Page;
use milena_timeline::Void;

use super::Chat;
use super::page::{StoredPage, merge};
use super::rooms::{Place, Visible, visible};
use crate::live::life::Shown;
use crate::live::rooms::RoomView;
use crate::log::event::message;
use crate::log::recent::Delivered;
use crate::refusal::{Code, Refusal};

/// What of a conversation is on a page; with one other person it is the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wanted {
    /// All that happened.
    Events,
    /// Messages alone.
    Messages,
}

/// A page, with what became of the messages on it.
pub(super) struct ShownPage {
    /// Oldest first.
    pub(super) messages: Vec<Shown>,
    /// There are older ones.
    pub(super) has_before: bool,
    /// There are newer ones.
    pub(super) has_after: bool,
}

/// Messages that changed.
#[derive(Debug, Clone)]
pub struct ChangePage {
    /// By their last changes.
    pub messages: Vec<Shown>,
    /// Where to go on; `None` at the end.
    pub next: Option<Position>,
    /// No change that was accepted can be missing.
    pub complete: bool,
}

/// A page of history.
#[derive(Debug, Clone)]
pub struct History {
    /// Oldest first: messages, and in rooms everything else that happened.
    pub messages: Vec<Shown>,
    /// There are older ones.
    pub has_before: bool,
    /// There are newer ones.
    pub has_after: bool,
    /// No accepted message can be missing.
    pub complete: bool,
}

impl Chat {
    /// A page of a conversation that `user` is in.
    ///
    /// # Errors
    /// `unknown_conversation`, or `store_unavailable` when the database is away.
    pub async fn history(
        &self,
        user: UserId,
        conversation: ConversationId,
        page: Page,
        limit: usize,
    ) -> Result<History, Refusal> {
        self.page_of(user, Wanted::Events, conversation, page, limit).await
    }

    /// The same, of messages only: what else happened in a room is passed over.
    ///
    /// # Errors
    /// As [`Chat::history`].
    pub async fn messages(
        &self,
        user: UserId,
        conversation: ConversationId,
        page: Page,
        limit: usize,
    ) -> Result<History, Refusal> {
        self.page_of(user, Wanted::Messages, conversation, page, limit).await
    }

    async fn page_of(
        &self,
        user: UserId,
        wanted: Wanted,
        conversation: ConversationId,
        page: Page,
        limit: usize,
    ) -> Result<History, Refusal> {
        let is_room = self.place(user, conversation).await? == Place::Room;
        let (page, in_memory) =
            self.store_and_memory((user, is_room), wanted, conversation, page, limit).await?;
        Ok(History {
            messages: page.messages,
            has_before: page.has_before,
            has_after: page.has_after,
            complete: in_memory && self.health.is_current(),
        })
    }

    /// What memory has of a conversation, to be asked before the store is: what leaves memory between the two
    /// is in the store by then, never in neither.
    pub(super) async fn in_memory(
        &self,
        (user, is_room): (UserId, bool),
        conversation: ConversationId,
    ) -> Result<MemoryOf, Refusal> {
        let read = self.read_up_to(conversation).before();
        let (unflushed, lost_before, is_complete) = {
            let recent = self.recent();
            let lost_before = recent.lost_before(partition_of(conversation, self.partitions));
            let is_complete = lost_before.is_none() && !recent.has_undecided(conversation);
            (recent.unflushed(conversation), lost_before, is_complete)
        };
        let last = unflushed.last().map_or(read, |newest| newest.position().max(read));
        let visible = if is_room {
            self.visible_to(user, conversation, &unflushed).await?.until(last)
        } else {
            Visible::all()
        };
        let changes = Changes::of(&unflushed, lost_before);
        Ok(MemoryOf { unflushed, visible, changes, last, is_complete })
    }

    /// A page, and whether it provably misses nothing that this node delivered before.
    pub(super) async fn store_and_memory(
        &self,
        (user, is_room): (UserId, bool),
        wanted: Wanted,
        conversation: ConversationId,
        page: Page,
        limit: usize,
    ) -> Result<(ShownPage, bool), Refusal> {
        let MemoryOf { unflushed, visible, changes, last, is_complete: in_memory } =
            self.in_memory((user, is_room), conversation).await?;
        let stored = match wanted {
            Wanted::Events => self.lookups.timeline(conversation, page, limit, &visible.0).await?,
            Wanted::Messages => self.lookups.messages_within(conversation, page, limit, &visible.0).await?,
        };
        let changed = stored.changed.clone();
        let is_wanted = |event: &&Arc<Delivered>| match wanted {
            Wanted::Events => is_in_timeline(event),
            Wanted::Messages => message(event.event()).is_some(),
        };
        let of_memory = unflushed.iter().filter(is_wanted).filter(|event| visible.contains(event.position()));
        let of_memory = of_memory.map(|event| Arc::clone(event.placed())).collect();
        let merged = merge(page, limit, StoredPage::from(stored), of_memory);
        let mut messages = self.with_lives((user, conversation), merged.messages, &changed, &changes).await?;
        let newest = messages.iter().map(Shown::changed).max();
        self.is_still_theirs((user, is_room), conversation, last, newest).await?;
        if wanted == Wanted::Messages {
            messages.retain(|shown| !shown.is_deleted());
        }
        let (has_before, has_after) = (merged.has_before, merged.has_after);
        Ok((ShownPage { messages, has_before, has_after }, in_memory))
    }

    /// What became of the messages: those that have `changed` in the store are asked for, in one go, and what
    /// memory has comes on top.
    async fn with_lives(
        &self,
        (user, conversation): (UserId, ConversationId),
        events: Vec<Arc<Placed>>,
        changed: &[Position],
        changes: &Changes,
    ) -> Result<Vec<Shown>, Refusal> {
        let is_there = |place: &Position| events.iter().any(|event| event.position == *place);
        let places: Vec<Position> = changed.iter().copied().filter(is_there).collect();
        let mut stored: HashMap<Position, Shown> = HashMap::new();
        if !places.is_empty() {
            let now = self.lookups.messages_now(conversation, &places, &[user]).await?;
            let shown = now.into_iter().map(|now| (now.placed.position, Shown::stored(now, user)));
            stored.extend(shown);
        }
        let with_life = |placed: Arc<Placed>| {
            let mut shown = stored.remove(&placed.position).unwrap_or_else(|| Shown::from(placed));
            changes.apply(&mut shown, user);
            shown
        };
        Ok(events.into_iter().map(with_life).collect())
    }

    /// Messages at these places that `user` may see, deleted ones too, by place; of a conversation that they
    /// are in.
    ///
    /// # Errors
    /// As [`Chat::history`].
    pub async fn messages_at(
        &self,
        user: UserId,
        conversation: ConversationId,
        places: &[Position],
    ) -> Result<History, Refusal> {
        let is_room = self.place(user, conversation).await? == Place::Room;
        let MemoryOf { unflushed, visible, changes, last, is_complete: in_memory } =
            self.in_memory((user, is_room), conversation).await?;
        let places: Vec<Position> = places.iter().copied().filter(|place| visible.contains(*place)).collect();
        let mut messages = self.at_places(user, conversation, &places, &unflushed, &changes).await?;
        let newest = messages.iter().map(Shown::changed).max();
        self.is_still_theirs((user, is_room), conversation, last, newest).await?;
        messages.sort_unstable_by_key(|shown| shown.placed.position);
        let complete = in_memory && self.health.is_current();
        Ok(History { messages, has_before: false, has_after: false, complete })
    }

    /// Messages of a conversation that `user` is in, and may see, of which something changed after a place,
    /// in the order of their last changes; deleted ones too.
    ///
    /// # Errors
    /// As [`Chat::history`].
    pub async fn changes(
        &self,
        user: UserId,
        conversation: ConversationId,
        after: Position,
        limit: usize,
    ) -> Result<ChangePage, Refusal> {
        let is_room = self.place(user, conversation).await? == Place::Room;
        let (page, in_memory) = self.changes_of_both((user, is_room), conversation, after, limit).await?;
        Ok(ChangePage { complete: in_memory && self.health.is_current(), ..page })
    }

    /// The same, and whether it provably misses nothing that this node delivered before.
    pub(super) async fn changes_of_both(
        &self,
        (user, is_room): (UserId, bool),
        conversation: ConversationId,
        after: Position,
        limit: usize,
    ) -> Result<(ChangePage, bool), Refusal> {
        let MemoryOf { unflushed, visible, changes, last, is_complete: in_memory } =
            self.in_memory((user, is_room), conversation).await?;
        #[cfg(test)]
        let after = if crate::mutation::Mutation::ChangedAfterIsOneOff.is_on() {
            Position::from_u64(after.as_i64() as u64 + 1).unwrap_or(after)
        } else {
            after
        };
        let (stored, has_more) = self.lookups.changed_after(conversation, after, limit, &[user]).await?;
        let mut messages: Vec<Shown> = stored.into_iter().map(|now| Shown::stored(now, user)).collect();
        // Where the store's page ends: what memory has comes after all that the store has.
        let mut next = messages.last().map(Shown::changed).filter(|_| has_more);
        messages.iter_mut().for_each(|shown| changes.apply(shown, user));
        if !has_more {
            let known: HashSet<Position> = messages.iter().map(|shown| shown.placed.position).collect();
            let mut others: Vec<(Position, Position)> = changes
                .last()
                .filter(|(place, last)| *last > after && !known.contains(place))
                .map(|(place, last)| (last, place))
                .collect();
            others.sort_unstable();
            let room = limit.saturating_sub(messages.len()).max(1);
            if others.len() > room {
                others.truncate(room);
                next = others.last().map(|(last, _)| *last);
            }
            let places: Vec<Position> = others.into_iter().map(|(_, place)| place).collect();
            messages.extend(self.at_places(user, conversation, &places, &unflushed, &changes).await?);
        }
        messages.retain(|shown| visible.contains(shown.placed.position));
        let newest = messages.iter().map(Shown::changed).max();
        self.is_still_theirs((user, is_room), conversation, last, newest).await?;
        messages.sort_by_key(Shown::changed);
        Ok((ChangePage { messages, next, complete: in_memory }, in_memory))
    }

    /// Messages at these places, as the store and memory have them.
    pub(super) async fn at_places(
        &self,
        user: UserId,
        conversation: ConversationId,
        places: &[Position],
        unflushed: &[Arc<Delivered>],
        changes: &Changes,
    ) -> Result<Vec<Shown>, Refusal> {
        let now = self.lookups.messages_now(conversation, places, &[user]).await?;
        let mut messages: Vec<Shown> = now.into_iter().map(|now| Shown::stored(now, user)).collect();
        for event in unflushed.iter().filter(|event| places.contains(&event.position())) {
            let is_known = messages.iter().any(|shown| shown.placed.position == event.position());
            if message(event.event()).is_some() && !is_known {
                messages.push(Shown::from(Arc::clone(event.placed())));
            }
        }
        messages.iter_mut().for_each(|shown| changes.apply(shown, user));
        Ok(messages)
    }

    /// Sees to it that whoever was in a room when this node had read up to `last` still was at the `newest`
    /// of what they are told: the store rewrites messages in place, and it may have more changes by now, and
    /// the reader's going before those.
    pub(super) async fn is_still_theirs(
        &self,
        (user, is_room): (UserId, bool),
        conversation: ConversationId,
        last: Position,
        newest: Option<Position>,
    ) -> Result<(), Refusal> {
        let Some(newest) = newest.filter(|newest| is_room && *newest > last) else { return Ok(()) };
        let read = (partition_of(conversation, self.partitions), newest.offset() + 1);
        if !self.has_read([read]).await {
            return Err(not_known());
        }
        self.view_of_member(user, conversation).map(drop)
    }

    /// Whether a member may see what stands at a place of their room.
    pub(super) async fn may_see(
        &self,
        user: UserId,
        room: ConversationId,
        place: Position,
    ) -> Result<bool, Refusal> {
        #[cfg(test)]
        if crate::mutation::Mutation::ChangesWhatMayNotBeSeen.is_on() {
            return Ok(true);
        }
        let view = self.rooms().view(room, user);
        let since = view.as_ref().and_then(|view| view.standing.membership).map(|since| since.from);
        let shows_all = view.is_some_and(|view| view.room.history == RoomHistory::All);
        if shows_all || since.is_some_and(|since| since <= place) {
            return Ok(true);
        }
        let unflushed = self.recent().unflushed(room);
        Ok(self.visible_to(user, room, &unflushed).await?.contains(place))
    }

    /// What `user` may see of a room that is followed, up to what this node had read when it was called: that
    /// far they are seen to be a member. The store may go on while it is asked, and have their going by then,
    /// and what came after it.
    async fn visible_to(
        &self,
        user: UserId,
        room: ConversationId,
        unflushed: &[Arc<Delivered>],
    ) -> Result<Visible, Refusal> {
        let view = self.view_of_member(user, room)?;
        match view.room.history {
            RoomHistory::SinceJoin => {
                let stored = self.lookups.intervals_of(room, user).await?;
                Ok(visible(RoomHistory::SinceJoin, user, &stored, unflushed))
            }
            RoomHistory::All => Ok(Visible::all()),
        }
    }

    /// A room that is followed, as somebody sees it who is in it as far as this node has read.
    fn view_of_member(&self, user: UserId, room: ConversationId) -> Result<RoomView, Refusal> {
        let view = self.rooms().view(room, user).ok_or_else(not_known)?;
        if view.standing.membership.is_none() {
            return Err(Void::NotMember.into());
        }
        Ok(view)
    }
}

fn not_known() -> Refusal {
    Refusal::later(Code::Overloaded, "the room is not known here at the moment", 500)
}

/// Whether it is a place in the timeline: what only changes a message is none, but for pins.
fn is_in_timeline(event: &Delivered) -> bool {
    let action = &event.event().action;
    action.target().is_none() || matches!(action, Action::Pinned { .. })
}

/// What memory has of a conversation for a reader.
pub(super) struct MemoryOf {
    /// What the store may not have, in order.
    pub(super) unflushed: Vec<Arc<Delivered>>,
    /// What the reader may see of the conversation, as far as this node has read.
    pub(super) visible: Visible,
    /// What became of messages.
    pub(super) changes: Changes,
    /// The newest place that this node had read.
    pub(super) last: Position,
    /// Whether nothing is missing here that this node delivered before.
    pub(super) is_complete: bool,
}

/// What the store may not have of what became of messages.
pub(super) struct Changes {
    /// By message, in order.
    by_message: HashMap<Position, Vec<Arc<Placed>>>,
    /// What came before may be neither here nor in the store.
    lost_before: Option<Position>,
}

impl Changes {
    fn of(unflushed: &[Arc<Delivered>], lost_before: Option<Position>) -> Self {
        let mut by_message: HashMap<Position, Vec<Arc<Placed>>> = HashMap::new();
        for event in unflushed {
            if let Some(target) = event.event().action.target() {
                by_message.entry(target.position).or_default().push(Arc::clone(event.placed()));
            }
        }
        Self { by_message, lost_before }
    }

    /// Each message with its last change.
    fn last(&self) -> impl Iterator<Item = (Position, Position)> {
        self.by_message.iter().filter_map(|(place, changes)| Some((*place, changes.last()?.position)))
    }

    /// Carries on what the store has of a message. Where a change may have been lost between that and memory,
    /// nothing is applied but a deletion, which leaves nothing of what came before: whoever is told a message
    /// with its last change takes all before that to be in it.
    pub(super) fn apply(&self, shown: &mut Shown, reader: UserId) {
        #[cfg(test)]
        if crate::mutation::Mutation::AnswersAreTheStores.is_on() {
            return;
        }
        let Some(changes) = self.by_message.get(&shown.placed.position) else { return };
        let has_all = self.lost_before.is_none_or(|lost| shown.changed() >= lost.before());
        let is_safe =
            |change: &&Arc<Placed>| has_all || matches!(change.event.action, Action::Deleted { .. });
        changes.iter().filter(is_safe).for_each(|change| shown.apply(change, reader));
    }
}
