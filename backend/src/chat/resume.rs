//! Going live and catching up: attach first, then replay, with an overlap rather than a gap.

use std::sync::Arc;

use milena_domain::{ConversationId, Position, SessionCursor, UserId, limits, partition_of};
use milena_storage::Page;
use tokio::sync::oneshot;
use uuid::Uuid;

use super::Chat;
use super::page::ChatMessage;
use crate::log::delivery::Attach;
use crate::log::recent::{LogMessage, Missed};
use crate::refusal::{Code, Refusal};
use crate::registry::{Outbox, Registration};
use crate::wire::frames;

/// Conversations that a resume looks through, at most: 40 MB of ids for a moment. Nobody has more, because nobody has
/// more conversations than there are people; a smaller limit would hide a gap from somebody who has.
const MAX_CONVERSATIONS: usize = 1_000_000;

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
}

impl Backlog {
    /// Whether there is nothing to replay.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0
            .as_ref()
            .is_none_or(|parts| parts.missed.conversations.is_empty() && parts.missed.uncovered.is_empty())
    }
}

impl Chat {
    /// Makes a socket live: from now on, what concerns `user` goes to `outbox`.
    ///
    /// # Errors
    /// `log_unavailable` while this node is still catching up at its start, `shutting_down` at its end.
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
        let gone = |_| Refusal::later(Code::ShuttingDown, "the server is shutting down", 1_000);
        let (reply, answer) = oneshot::channel();
        let since = resume.clone();
        self.attaches
            .send(Attach { user, session, outbox, resume, reply })
            .await
            .map_err(|_| Refusal::later(Code::ShuttingDown, "the server is shutting down", 1_000))?;
        let attachment = answer.await.map_err(gone)?;
        let backlog = match (since, attachment.missed) {
            (Some(since), Some(missed)) => Backlog(Some(Parts { since, missed })),
            _ => Backlog(None),
        };
        let resumed = backlog.0.is_some();
        Ok(Attached { registration: attachment.registration, cursor: attachment.cursor, resumed, backlog })
    }

    /// Puts the backlog into the outbox, waiting for room; ends early when the outbox is closed.
    ///
    /// Each conversation's newest messages come as `message` frames, what is older than a page as a `gap`. Live frames
    /// may come in between: clients order by position and drop by id.
    ///
    /// # Errors
    /// `store_unavailable` when memory does not reach back and the database is away: the connection must be
    /// closed, because going on would hide a gap.
    pub async fn replay(&self, user: UserId, backlog: Backlog, outbox: &Outbox) -> Result<(), Refusal> {
        let Some(Parts { since, missed }) = backlog.0 else { return Ok(()) };
        for (conversation, messages) in missed.conversations {
            if !replay_from_memory(user, conversation, &since, &messages, self.partitions, outbox).await {
                return Ok(());
            }
        }
        if missed.uncovered.is_empty() {
            return Ok(());
        }
        self.replay_from_store(user, &since, &missed.uncovered, outbox).await
    }

    async fn replay_from_store(
        &self,
        user: UserId,
        since: &SessionCursor,
        uncovered: &[i32],
        outbox: &Outbox,
    ) -> Result<(), Refusal> {
        // Memory first, then the store: what is stored between the two reads is in both, never in neither.
        // Whether memory had to drop something is asked at the same moment: later the store may have caught up with that.
        let (in_memory, complete) = {
            let recent = self.recent();
            (recent.unflushed_of(user), uncovered.iter().all(|partition| recent.is_complete(*partition)))
        };
        if !complete {
            return Err(does_not_fit());
        }
        let mut conversations: Vec<ConversationId> = self
            .lookups
            .conversation_positions(user, MAX_CONVERSATIONS)
            .await?
            .into_iter()
            .filter(|(id, _, last)| {
                uncovered.contains(&partition_of(*id, self.partitions))
                    && *last >= seen(since, *id, self.partitions)
            })
            .map(|(id, _, _)| id)
            .collect();
        for (id, _) in in_memory {
            if uncovered.contains(&partition_of(id, self.partitions)) && !conversations.contains(&id) {
                conversations.push(id);
            }
        }
        for conversation in conversations {
            let seen = seen(since, conversation, self.partitions);
            let (page, complete) =
                self.store_and_memory(conversation, Page::Latest, limits::REPLAY_PAGE).await?;
            if !complete {
                return Err(does_not_fit());
            }
            let first = page.messages.partition_point(|message| message.position < seen);
            // All of the page is news, and there is more before it: the client must fetch that by itself.
            if first == 0
                && page.has_before
                && let Some(oldest) = page.messages.first()
                && !outbox
                    .push_when_roomy(frames::gap_frame(conversation, before(seen), Some(oldest.position)))
                    .await
            {
                return Ok(());
            }
            for message in &page.messages[first..] {
                if !outbox.push_when_roomy(frame_of(message, user)).await {
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    /// Up to where everything was put into the sockets' queues.
    ///
    /// Read this first, then empty the queue, then send it: then it is true of that socket.
    #[must_use]
    pub fn delivered(&self) -> SessionCursor {
        SessionCursor { epoch: self.epoch, next_offsets: self.delivered.borrow().to_vec() }
    }
}

async fn replay_from_memory(
    user: UserId,
    conversation: ConversationId,
    since: &SessionCursor,
    messages: &[Arc<LogMessage>],
    partitions: usize,
    outbox: &Outbox,
) -> bool {
    let skipped = messages.len().saturating_sub(limits::REPLAY_PAGE);
    if skipped > 0 {
        let after = before(seen(since, conversation, partitions));
        let gap = frames::gap_frame(conversation, after, Some(messages[skipped].position));
        if !outbox.push_when_roomy(gap).await {
            return false;
        }
    }
    for message in &messages[skipped..] {
        let own = message.event.sender == user;
        if !outbox.push_when_roomy(frames::message_frame(&message.event, message.position, own)).await {
            return false;
        }
    }
    true
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
fn before(position: Position) -> Position {
    Position::from_u64(position.get().saturating_sub(1)).unwrap_or(Position::ZERO)
}

fn frame_of(message: &ChatMessage, user: UserId) -> crate::wire::Frame {
    let event = milena_domain::MessageEvent {
        id: message.id,
        conversation: message.conversation,
        sender: message.sender,
        to: message.to,
        client_id: message.client_id.clone(),
        sent_at: message.sent_at,
        body: message.body.clone(),
    };
    frames::message_frame(&event, message.position, message.sender == user)
}
