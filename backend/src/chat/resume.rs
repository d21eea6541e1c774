//! Going live and catching up: attach first, then replay, with an overlap rather than a gap.

use std::cmp::Reverse;
use std::collections::HashSet;
use std::sync::Arc;

use milena_domain::{ConversationId, Position, SessionCursor, UserId, limits, partition_of};
use milena_storage::{Page, Touched};
use milena_timeline::Void;
use tokio::sync::oneshot;
use uuid::Uuid;

use super::Chat;
use super::history::Wanted;
use crate::live::life::Shown;
use crate::live::{News, Update};
use crate::log::delivery::Attach;
use crate::log::recent::{Missed, MissedOf};
use crate::refusal::{Code, Refusal};
use crate::registry::{Outbox, Registration};

/// A socket that is live.
#[derive(Debug)]
pub struct Attached {
    /// Keeps it registered.
    pub registration: Registration,
    /// For `welcome`.
    pub cursor: SessionCursor,
    /// Whether the backlog closes the gap since the client's cursor.
    pub resumed: bool,
    /// For [`Chat::replay`].
    pub backlog: Backlog,
}

/// What a socket missed before it was attached.
#[derive(Debug, Default)]
pub struct Backlog(Option<Parts>);

#[derive(Debug)]
struct Parts {
    since: SessionCursor,
    missed: Missed,
    /// Conversations in which something was missed that memory does not have, those that were written in last
    /// first.
    stored: Vec<Stored>,
    /// Rooms that the user may have been in at the cursor, and is not now.
    left: Vec<ConversationId>,
}

/// A conversation with something that memory does not have.
#[derive(Debug, Clone, Copy)]
struct Stored {
    id: ConversationId,
    is_room: bool,
    /// Where its newest stands, if the store may not have that yet.
    unflushed: Option<Position>,
    /// Where its newest stands.
    last: Position,
}

impl Stored {
    fn new(chat: &Chat, (id, last): (ConversationId, Position), is_room: bool) -> Self {
        Self { id, is_room, unflushed: chat.recent().newest_unflushed(id), last }
    }
}

impl Backlog {
    /// Whether there is nothing to replay.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.as_ref().is_none_or(|Parts { missed, stored, left, .. }| {
            let is_nothing_written = missed.conversations.is_empty() && missed.further.is_empty();
            is_nothing_written && stored.is_empty() && left.is_empty()
        })
    }
}

impl Chat {
    /// Makes a socket live: from now on, what concerns `user` goes to `outbox`.
    ///
    /// # Errors
    /// `log_unavailable` while this node is still catching up at its start, `shutting_down` at its end,
    /// `store_unavailable` when memory does not reach back and the database is away.
    pub async fn attach(
        &self,
        user: UserId,
        session: Uuid,
        outbox: Outbox,
        resume: Option<SessionCursor>,
    ) -> Result<Attached, Refusal> {
        if !self.health.is_caught_up() {
            return Err(Refusal::later(Code::LogUnavailable, "this server is still reading the log", 1_000));
        }
        // One person's sockets take turns, so that they do not keep the others waiting.
        let _turn = self.turns.of(user).await;
        let gone = |_| Refusal::later(Code::ShuttingDown, "the server is shutting down", 1_000);
        let (reply, answer) = oneshot::channel();
        let since = resume.clone();
        // Before their rooms are looked up: whatever changes meanwhile is not missed.
        let expectation = self.registry.expect(user);
        let rooms = self.rooms_of(user).await?;
        self.attaches
            .send(Attach { user, session, outbox, resume, rooms, reply })
            .await
            .map_err(|_| Refusal::later(Code::ShuttingDown, "the server is shutting down", 1_000))?;
        let attachment = answer.await.map_err(gone)?;
        drop(expectation);
        let backlog = match (since, attachment.missed) {
            (Some(since), Some(missed)) => {
                let mut left = self.left_in_memory(user, &since);
                let stored = self.missed_in_store(user, &since, &missed.uncovered, &mut left).await?;
                Backlog(stored.map(|mut stored| {
                    stored.extend(missed.rooms.iter().map(|room| Stored::new(self, *room, true)));
                    // Whatever kind they are. Places of several partitions say nothing of each other's time,
                    // but they are what the store has them by.
                    stored.sort_by_key(|stored| Reverse((stored.unflushed, stored.last)));
                    left.sort_unstable();
                    left.dedup();
                    Parts { since, missed, stored, left }
                }))
            }
            _ => Backlog(None),
        };
        let resumed = backlog.0.is_some();
        Ok(Attached { registration: attachment.registration, cursor: attachment.cursor, resumed, backlog })
    }

    /// Conversations in which something was missed in partitions that memory does not cover, those that were
    /// written in last first. `None` when they are too many, or memory had to drop what the store does not
    /// have: then whatever is replayed would hide a gap. Rooms among them that the user is not in any more go
    /// to `left`; what was missed in the others is known without the store. One call of the store.
    async fn missed_in_store(
        &self,
        user: UserId,
        since: &SessionCursor,
        uncovered: &[i32],
        left: &mut Vec<ConversationId>,
    ) -> Result<Option<Vec<Stored>>, Refusal> {
        let Some(first) = uncovered
            .iter()
            .map(|&partition| since.next_offsets.get(partition as usize).copied().unwrap_or(0))
            .min()
        else {
            return Ok(Some(Vec::new()));
        };
        const MOST: usize = limits::REPLAY_MAX_CONVERSATIONS;
        let is_uncovered = |id: ConversationId| uncovered.contains(&partition_of(id, self.partitions));
        // Memory first, then the store: what is stored between the two reads is in both, never in neither.
        // Whether memory had to drop something is asked at the same moment: later the store may have caught
        // up with that.
        let in_memory: Vec<ConversationId> = {
            let recent = self.recent();
            if !uncovered.iter().all(|partition| recent.is_complete(*partition)) {
                return Ok(None);
            }
            recent.unflushed_conversations(user).filter(|id| is_uncovered(*id)).take(MOST + 1).collect()
        };
        let first = Position::new(since.epoch, first);
        let in_store = self.lookups.conversations_since(user, first, MOST + 1).await?;
        if in_store.len() > MOST {
            return Ok(None);
        }
        let known: HashSet<ConversationId> = in_memory.iter().copied().collect();
        let is_missed = |touched: &Touched| {
            is_uncovered(touched.id) && touched.last_position >= seen(since, touched.id, self.partitions)
        };
        let (of_rooms, direct): (Vec<_>, Vec<_>) = in_store
            .into_iter()
            .filter(is_missed)
            .map(|touched| (touched.is_room, (touched.id, touched.last_position)))
            .partition(|(is_room, _)| *is_room);
        {
            let rooms = self.rooms();
            left.extend(of_rooms.into_iter().map(|(_, (id, _))| id).filter(|id| !rooms.is_member(*id, user)));
        }
        let in_memory = in_memory.into_iter().map(|id| (id, Position::ZERO));
        let direct = direct.into_iter().map(|(_, touched)| touched).filter(|(id, _)| !known.contains(id));
        let all: Vec<Stored> =
            in_memory.chain(direct).map(|touched| Stored::new(self, touched, false)).collect();
        Ok((all.len() <= MOST).then_some(all))
    }

    /// Puts the backlog into the outbox, waiting for room; ends early when the outbox is closed.
    ///
    /// The newest messages of the conversations that were written in last come as `message` frames, what is
    /// older than a page and all of the others as a `gap`. Live frames may come in between: clients order by
    /// position and drop by id. At most [`limits::REPLAY_CONVERSATIONS`] calls of the store.
    ///
    /// # Errors
    /// `store_unavailable` when memory does not reach back and the database is away: the connection must be
    /// closed, because going on would hide a gap.
    pub async fn replay(&self, user: UserId, backlog: Backlog, outbox: &Outbox) -> Result<(), Refusal> {
        let Some(Parts { since, missed, stored, left }) = backlog.0 else { return Ok(()) };
        for room in left {
            if !self.replay_leaving(user, room, outbox).await? {
                return Ok(());
            }
        }
        for of in missed.conversations {
            if !replay_from_memory(&of, &since, self.partitions, outbox).await {
                return Ok(());
            }
        }
        let (stored, further) = stored.split_at(stored.len().min(limits::REPLAY_CONVERSATIONS));
        for conversation in stored {
            if !self.replay_from_store(user, *conversation, &since, outbox).await? {
                return Ok(());
            }
        }
        for conversation in missed.further.into_iter().chain(further.iter().map(|stored| stored.id)) {
            let after = before(seen(&since, conversation, self.partitions));
            let gap = News::Gap { conversation, after, before: None, changes_after: Some(after) };
            if !outbox.push_when_roomy(gap.into()).await {
                return Ok(());
            }
        }
        Ok(())
    }

    /// `false` when the outbox is closed.
    async fn replay_from_store(
        &self,
        user: UserId,
        Stored { id: conversation, is_room, .. }: Stored,
        since: &SessionCursor,
        outbox: &Outbox,
    ) -> Result<bool, Refusal> {
        let seen = seen(since, conversation, self.partitions);
        let found = {
            let _turn = self.turns.of(user).await;
            if is_room && !self.rooms().is_member(conversation, user) {
                // They went meanwhile, and heard that.
                return Ok(true);
            }
            self.store_and_memory(
                (user, is_room),
                Wanted::Events,
                conversation,
                Page::Latest,
                limits::REPLAY_PAGE,
            )
            .await
        };
        let (page, complete) = match found {
            // The same, a moment later.
            Err(Refusal { code: Code::Void(Void::NotMember), .. }) => return Ok(true),
            found => found?,
        };
        if !complete {
            return Err(does_not_fit());
        }
        let first = page.messages.partition_point(|message| message.placed.position < seen);
        // All of the page is news, and there is more before it: the client must fetch that by itself.
        if first == 0
            && page.has_before
            && let Some(oldest) = page.messages.first()
            && !outbox
                .push_when_roomy(gap_between(conversation, before(seen), Some(oldest.placed.position)))
                .await
        {
            return Ok(false);
        }
        let told: HashSet<Position> =
            page.messages[first..].iter().map(|message| message.placed.position).collect();
        for message in &page.messages[first..] {
            if !outbox.push_when_roomy(news_of(message)).await {
                return Ok(false);
            }
        }
        self.replay_changes((user, is_room), conversation, seen, &told, outbox).await
    }

    /// What changed of messages that were there before: each as it is now, once. Of more than a page the
    /// client is told where to go on.
    async fn replay_changes(
        &self,
        reader: (UserId, bool),
        conversation: ConversationId,
        seen: Position,
        told: &HashSet<Position>,
        outbox: &Outbox,
    ) -> Result<bool, Refusal> {
        #[cfg(test)]
        if crate::mutation::Mutation::ResumeForgetsStoredChanges.is_on() {
            return Ok(true);
        }
        let found = {
            let _turn = self.turns.of(reader.0).await;
            self.changes_of_both(reader, conversation, before(seen), limits::REPLAY_PAGE).await
        };
        let (page, complete) = match found {
            // They went meanwhile, and heard that.
            Err(Refusal { code: Code::Void(Void::NotMember), .. }) => return Ok(true),
            found => found?,
        };
        if !complete {
            return Err(does_not_fit());
        }
        for message in page.messages {
            // What is newer than the cursor and not told lies in a gap, which is fetched as it is now.
            let is_held = message.placed.position < seen && !told.contains(&message.placed.position);
            if is_held && !outbox.push_when_roomy(News::Changed(Arc::new(message)).into()).await {
                return Ok(false);
            }
        }
        match page.next {
            Some(next) => Ok(outbox.push_when_roomy(changes_since(conversation, next)).await),
            None => Ok(true),
        }
    }

    /// Tells of a room that the user is not in any more; `false` when the outbox is closed.
    async fn replay_leaving(
        &self,
        user: UserId,
        room: ConversationId,
        outbox: &Outbox,
    ) -> Result<bool, Refusal> {
        match self.follow(room).await {
            Err(refusal) if refusal.code.is_temporary() => return Err(refusal),
            Ok(false) | Err(_) => return Ok(true),
            Ok(true) => {}
        }
        let view = self.rooms().view(room, user);
        let Some(view) = view.filter(|view| view.standing.membership.is_none()) else { return Ok(true) };
        Ok(outbox.push_when_roomy(News::Room(Arc::new(view)).into()).await)
    }

    /// Rooms from which the user went since the cursor, as far as memory tells. All that it names were loaded
    /// for the attach, so what happened in them is judged.
    fn left_in_memory(&self, user: UserId, since: &SessionCursor) -> Vec<ConversationId> {
        let gone = self.recent().gone_from(user, |room| seen(since, room, self.partitions));
        let rooms = self.rooms();
        gone.into_iter().filter(|room| !rooms.is_member(*room, user)).collect()
    }

    /// Up to where everything was put into the sockets' queues.
    ///
    /// Read this first, then empty the queue, then send it: then it is true of that socket.
    #[must_use]
    pub fn delivered(&self) -> SessionCursor {
        SessionCursor { epoch: self.epoch, next_offsets: self.progress.borrow().told.to_vec() }
    }
}

async fn replay_from_memory(
    of: &MissedOf,
    since: &SessionCursor,
    partitions: usize,
    outbox: &Outbox,
) -> bool {
    if of.is_cut {
        let (conversation, after) = (of.conversation, before(seen(since, of.conversation, partitions)));
        // Nothing is replayed when all of the newest are changes that they may not see: then what is missing
        // has no end.
        let before = of.messages.first().map(|oldest| oldest.position());
        let changes_after = Some(after);
        #[cfg(test)]
        let changes_after = changes_after.filter(|_| !crate::mutation::Mutation::GapForgetsChanges.is_on());
        let gap = News::Gap { conversation, after, before, changes_after };
        if !outbox.push_when_roomy(gap.into()).await {
            return false;
        }
    }
    if let Some(hidden) = of.hidden
        && !outbox.push_when_roomy(changes_since(of.conversation, before(hidden))).await
    {
        return false;
    }
    for message in &of.messages {
        if !outbox.push_when_roomy(message.update()).await {
            return false;
        }
    }
    true
}

/// An event of a page.
pub(crate) fn news_of(shown: &Shown) -> Update {
    match shown.life {
        Some(_) => News::Message(Arc::new(shown.clone())).into(),
        None => News::Placed(Arc::clone(&shown.placed)).into(),
    }
}

/// No message is missing, but changes after this place are not told.
fn changes_since(conversation: ConversationId, after: Position) -> Update {
    News::Gap { conversation, after, before: Some(after), changes_after: Some(after) }.into()
}

fn does_not_fit() -> Refusal {
    Refusal::later(Code::Overloaded, "recent messages do not fit into memory", 1_000)
}

/// The first position of `conversation` that a client with this cursor has not seen.
fn seen(since: &SessionCursor, conversation: ConversationId, partitions: usize) -> Position {
    let partition = partition_of(conversation, partitions) as usize;
    Position::new(since.epoch, since.next_offsets.get(partition).copied().unwrap_or(0))
}

/// The last position before `position`: gaps are named by what lies on both sides of them, exclusively.
pub(super) fn before(position: Position) -> Position {
    position.before()
}

fn gap_between(conversation: ConversationId, after: Position, before: Option<Position>) -> Update {
    News::Gap { conversation, after, before, changes_after: None }.into()
}
