//! Changing messages: edits, deletions, reactions, pins. One event each, asked of the fold first, written to
//! the log, and answered with the fold's verdict, as a message is.
//!
//! What decides about the message itself is in memory, or looked up once and handed to the delivery task
//! ([`crate::live::targets`]), so that the verdict needs no look-up when the record comes back.

use std::collections::{HashMap, HashSet};
use std::sync::PoisonError;
use std::time::Duration;

use futures::{StreamExt, stream};
use milena_domain::record::{
    Action, Emoji, Event, PERSON_BYTES, Place as LogPlace, Reason, Target as LogTarget,
};
use milena_domain::{Body, ClientId, ConversationId, MessageId, Position, Timestamp, UserId, partition_of};
use milena_timeline::{Facts, Judgement, Void};
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use super::Chat;
use super::rooms::Place;
use super::send::{Prepared, Target};
use crate::live::targets::{Key, Known, WantedTarget};
use crate::log::delivery::InstallTarget;
use crate::log::pending::Accepted;
use crate::refusal::{Code, Refusal};
use crate::registry::ConnectionId;

/// How often a message is looked up anew because memory had dropped what came since the store's offset.
const ATTEMPTS: usize = 5;
const AGAIN_AFTER: Duration = Duration::from_millis(100);
/// Messages that are looked up at the same time because something waits for them.
const AT_ONCE: usize = 8;
/// Before a look-up is tried again that something waits for.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// What somebody wants to do with a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// New words.
    Edit {
        /// The words.
        body: Body,
        /// Who is named in them.
        mentions: Vec<UserId>,
    },
    /// To take it away.
    Delete {
        /// What one says about it.
        reason: Option<Reason>,
    },
    /// To put a reaction, or take it back.
    React {
        /// Which.
        emoji: Emoji,
        /// Put or taken back.
        on: bool,
    },
    /// To pin it, or take the pin out.
    Pin {
        /// Pinned or not.
        on: bool,
    },
}

/// A change of a message that somebody wants.
#[derive(Debug, Clone)]
pub struct ChangeRequest {
    /// Who is signed in.
    pub actor: UserId,
    /// Where.
    pub target: Target,
    /// The client's name for the change.
    pub client_id: ClientId,
    /// The message's place.
    pub position: Position,
    /// Its id; whoever names only the place takes whatever stands there.
    pub id: Option<MessageId>,
    /// What.
    pub what: What,
    /// The socket that gets `accepted` instead of the change; `None` for REST.
    pub connection: Option<ConnectionId>,
}

impl What {
    /// What its event takes of the log, about, besides what every event does: as
    /// [`Action::payload_bytes`].
    #[must_use]
    pub fn payload_bytes(&self) -> usize {
        match self {
            Self::Edit { body, mentions } => body.as_str().len() + mentions.len() * PERSON_BYTES,
            Self::Delete { reason } => reason.as_ref().map_or(0, |reason| reason.as_str().len()),
            Self::React { emoji, .. } => emoji.as_str().len(),
            Self::Pin { .. } => 0,
        }
    }

    fn action(self, target: LogTarget) -> Action {
        match self {
            Self::Edit { body, mentions } => Action::Edited { target, body, mentions },
            Self::Delete { reason } => Action::Deleted { target, reason },
            Self::React { emoji, on } => Action::Reacted { target, emoji, on },
            Self::Pin { on } => Action::Pinned { target, on },
        }
    }
}

impl Chat {
    /// Changes a message and waits for the log.
    ///
    /// # Errors
    /// See [`Chat::prepare_change`] and [`Prepared::produce`].
    pub async fn change(&self, request: ChangeRequest) -> Result<Accepted, Refusal> {
        self.prepare_change(request).await?.produce().await
    }

    /// Checks whether the change would count, and whether it was sent before.
    ///
    /// # Errors
    /// `unknown_conversation`, the fold's reasons, `client_id_reused`, or `store_unavailable` when the
    /// database is needed and away.
    pub async fn prepare_change(&self, request: ChangeRequest) -> Result<Prepared, Refusal> {
        let ChangeRequest { actor, target, client_id, position, id, what, connection } = request;
        let conversation = match target {
            Target::Conversation(conversation) => conversation,
            Target::User(other) => ConversationId::direct(actor, other),
        };
        let place = self.place_to_change(actor, conversation, position).await;
        let id = match (id, &place) {
            (Some(id), _) => id,
            (None, Err(refusal)) => return Err(refusal.clone()),
            (None, Ok(_)) => {
                self.once_heard(conversation, || self.id_at(actor, (conversation, position))).await?
            }
        };
        let action = what.action(LogTarget { position, id });
        match place {
            Ok(place) => self.prepare_event(actor, place, client_id, action, connection).await,
            Err(refusal) => {
                let event = (actor, conversation, client_id, action);
                self.sent_while_there(event, connection, refusal).await
            }
        }
    }

    /// Where a change of the message at `position` happens, if its author may see that.
    async fn place_to_change(
        &self,
        actor: UserId,
        conversation: ConversationId,
        position: Position,
    ) -> Result<LogPlace, Refusal> {
        match self.place(actor, conversation).await? {
            Place::Direct(other) => Ok(LogPlace::Direct(other)),
            Place::Room if self.may_see(actor, conversation, position).await? => {
                Ok(LogPlace::Room(conversation))
            }
            Place::Room => Err(Void::NotPermitted.into()),
        }
    }

    async fn id_at(&self, actor: UserId, key: Key) -> Result<MessageId, Refusal> {
        let known = self.known(key, actor).await?;
        known.item.map(|item| item.id).ok_or_else(|| Void::NotPermitted.into())
    }

    /// What is to be done with a change, as far as this node has read.
    ///
    /// # Errors
    /// The fold's reasons, and the database's.
    pub(super) async fn judge_change(&self, event: &Event, target: LogTarget) -> Result<Judgement, Refusal> {
        let known = self.known((event.conversation, target.position), event.actor).await?;
        let facts =
            known.facts(event).unwrap_or_else(|| Facts { item: known.item.clone(), ..Facts::default() });
        let leave = match event.to {
            Some(_) => self.blocks.state(event.conversation).admit(event).ok(),
            None => self.rooms().admit(event),
        };
        let Some(leave) = leave else { return Err(not_known()) };
        let judgement = leave.decide(event, &facts);
        if judgement == Judgement::Counts && self.is_too_late(event, known.sent_at) {
            return Err(Refusal::new(
                Code::EditTooLate,
                "the message was sent too long ago for its words to be changed",
            ));
        }
        Ok(judgement)
    }

    /// Whether the settings forbid this edit, by the times of the records; the fold, which may not depend on
    /// settings, lets it count.
    fn is_too_late(&self, event: &Event, sent_at: Option<Timestamp>) -> bool {
        let (Action::Edited { .. }, Some(limit_ms), Some(sent_at)) =
            (&event.action, self.edits.limit_ms, sent_at)
        else {
            return false;
        };
        event.at.unix_ms().saturating_sub(sent_at.unix_ms()) > limit_ms
    }

    /// What is known of a message, with the reactions of one person.
    async fn known(&self, key: Key, user: UserId) -> Result<Known, Refusal> {
        for _ in 0..ATTEMPTS {
            if let Some(known) = self.known_here(key, user) {
                return Ok(known);
            }
            if !self.look_up(key, &[user]).await? {
                tokio::time::sleep(AGAIN_AFTER).await;
            }
        }
        Err(not_known())
    }

    fn known_here(&self, key: Key, user: UserId) -> Option<Known> {
        let recent = self.recent();
        {
            let targets = self.targets.read().unwrap_or_else(PoisonError::into_inner);
            if let Some(known) = targets.known(key) {
                let is_known = known.is_whole || known.mine.contains_key(&user);
                return is_known.then(|| known.of(user));
            }
        }
        let partition = partition_of(key.0, self.partitions);
        Known::in_memory(&recent, partition, key, Position::MAX).map(|known| known.of(user))
    }

    /// Looks a message up and hands it to the delivery task; `false` when that is to be done again.
    async fn look_up(&self, key: Key, people: &[UserId]) -> Result<bool, Refusal> {
        let (conversation, position) = key;
        let (facts, log) = self.lookups.message_facts(&self.topic, conversation, position, people).await?;
        if log.epoch != self.epoch {
            return Ok(false);
        }
        let partition = partition_of(conversation, self.partitions);
        let next_offset = log.next_offsets.get(&partition).copied().unwrap_or(0);
        if !self.has_read([(partition, next_offset)]).await {
            return Err(not_known());
        }
        // Now, and not when it was asked for: all that waits and that the store has contained is here by now,
        // whoever asks.
        let waiting: Vec<(MessageId, Position)> = {
            let targets = self.targets.read().unwrap_or_else(PoisonError::into_inner);
            let all = targets.waiting_for(key).chain(targets.needing(key));
            all.map(|event| (event.event().id, event.position())).collect()
        };
        let used = self.places_of(&waiting).await?;
        let is_counted =
            |(id, at): &(MessageId, Position)| at.offset() < next_offset && used.get(id) == Some(at);
        let judged = waiting.into_iter().map(|event| (event, is_counted(&event))).collect();
        let known = Known::stored(facts.item, facts.sent_at, facts.mine).naming(facts.mentions);
        let (reply, answer) = oneshot::channel();
        let install = InstallTarget { key, known, next_offset, judged, used, reply };
        let gone = || Refusal::later(Code::ShuttingDown, "the server is shutting down", 1_000);
        self.target_installs.send(install).await.map_err(|_| gone())?;
        answer.await.map_err(|_| gone())
    }

    /// Where the store has counted what has these names.
    async fn places_of(
        &self,
        waiting: &[(MessageId, Position)],
    ) -> Result<HashMap<MessageId, Position>, Refusal> {
        if waiting.is_empty() {
            return Ok(HashMap::new());
        }
        let ids: HashSet<MessageId> = waiting.iter().map(|(id, _)| *id).collect();
        let ids: Vec<MessageId> = ids.into_iter().collect();
        let found = self.lookups.events_by_id(&ids).await?;
        Ok(found.into_iter().map(|place| (place.id, place.position)).collect())
    }

    /// Those of what waits that the store has counted, as far as it was.
    pub(super) async fn counted(
        &self,
        waiting: &[(MessageId, Position)],
        next_offset: i64,
    ) -> Result<HashSet<(MessageId, Position)>, Refusal> {
        let passed: HashMap<MessageId, Position> =
            waiting.iter().filter(|(_, at)| at.offset() < next_offset).copied().collect();
        if passed.is_empty() {
            return Ok(HashSet::new());
        }
        let ids: Vec<MessageId> = passed.keys().copied().collect();
        let found = self.lookups.events_by_id(&ids).await?;
        Ok(found.into_iter().map(|place| (place.id, place.position)).collect())
    }
}

fn not_known() -> Refusal {
    Refusal::later(Code::Overloaded, "the server cannot tell yet what became of the message", 1_000)
}

/// Looks up the messages that something waits for, until `stop`. Each is tried until it is there: with what
/// waits, the cursors of whoever is here wait.
pub(super) async fn look_up_wanted(
    chat: Chat,
    wanted: mpsc::Receiver<WantedTarget>,
    stop: CancellationToken,
) {
    let targets = stream::unfold(wanted, |mut wanted| async { Some((wanted.recv().await?, wanted)) });
    let load = targets.for_each_concurrent(AT_ONCE, |WantedTarget { key, people }| {
        let chat = &chat;
        async move {
            loop {
                match chat.look_up(key, &people).await {
                    Ok(true) => return,
                    Ok(false) => tokio::time::sleep(AGAIN_AFTER).await,
                    Err(refusal) => {
                        log::debug!(reason = refusal.message.as_str(); "a change waits for its message");
                        tokio::time::sleep(RETRY_AFTER).await;
                    }
                }
            }
        }
    });
    tokio::select! {
        () = stop.cancelled() => {}
        () = load => {}
    }
}
