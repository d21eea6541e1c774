//! Sending: checked, recognised when repeated, produced, answered when the log has it.
//!
//! Two steps, so that a connection can keep the order of its sends and yet have several under way:
//! [`Chat::prepare`] may ask the store and is awaited one send after the other; [`Prepared::produce`]
//! enqueues at once.

use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};

use milena_domain::record::{Action, Event, Message, PERSON_BYTES, Place as LogPlace, Target as LogTarget};
use milena_domain::{Body, ClientId, ConversationId, Position, Timestamp, UserId, partition_of};
use milena_timeline::{Judgement, Void};
use tokio::sync::oneshot;

use super::Chat;
use super::directory::other_of;
use super::rooms::{Place, is_stale};
use crate::live::News;
use crate::log::delivery::client_id_reused;
use crate::log::event::direct_message;
use crate::log::pending::{Accepted, Registered, Waiter};
use crate::metrics;
use crate::refusal::{Code, Refusal};
use crate::registry::ConnectionId;

/// A disk does not get room in a moment.
const DISK_RETRY_MS: u64 = 10_000;

/// To whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// A person; the conversation need not exist yet.
    User(UserId),
    /// A conversation that the sender is in.
    Conversation(ConversationId),
}

/// A message that somebody wants to send.
#[derive(Debug, Clone)]
pub struct SendRequest {
    /// Who is signed in.
    pub sender: UserId,
    /// To whom.
    pub target: Target,
    /// The client's name for it.
    pub client_id: ClientId,
    /// The text.
    pub body: Body,
    /// What else belongs to it; mostly nothing.
    pub besides: Option<Box<Besides>>,
    /// The socket that gets `accepted` instead of `message`; `None` for REST.
    pub connection: Option<ConnectionId>,
}

/// What a message may have besides its words.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Besides {
    /// What it answers.
    pub reply_to: Option<LogTarget>,
    /// Who is named.
    pub mentions: Vec<UserId>,
    /// Whether it calls everybody in the room.
    pub everyone: bool,
}

impl Besides {
    /// `None` when that is nothing.
    #[must_use]
    pub fn boxed(self) -> Option<Box<Self>> {
        (self != Self::default()).then(|| Box::new(self))
    }

    /// What it takes of the log, about.
    #[must_use]
    pub fn payload_bytes(&self) -> usize {
        self.mentions.len() * PERSON_BYTES
    }

    fn message(this: Option<Box<Self>>, body: Body) -> Message {
        let Some(besides) = this else { return Message::plain(body) };
        let Self { reply_to, mentions, everyone } = *besides;
        Message { body, reply_to, mentions, everyone }
    }
}

/// A send that passed all checks.
#[must_use = "nothing is sent until `produce`"]
pub struct Prepared {
    chat: Chat,
    connection: Option<ConnectionId>,
    kind: Kind,
}

enum Kind {
    /// It is in the log already.
    Repeat(Accepted),
    New(Arc<Event>),
}

/// How often an event is sent again because too much was written while it was under way to the log.
const STALE_RETRIES: usize = 3;

impl Chat {
    /// Sends and waits for the log.
    ///
    /// # Errors
    /// See [`Chat::prepare`] and [`Prepared::produce`].
    pub async fn send(&self, request: SendRequest) -> Result<Accepted, Refusal> {
        self.prepare(request).await?.produce().await
    }

    /// Checks the recipient and whether this was sent before.
    ///
    /// # Errors
    /// `unknown_recipient`, `unknown_conversation`, `client_id_reused`, or `store_unavailable` when the
    /// database is needed and away.
    pub async fn prepare(&self, request: SendRequest) -> Result<Prepared, Refusal> {
        let SendRequest { sender, target, client_id, body, besides, connection } = request;
        let to = match target {
            Target::User(user) => self.recipient(sender, user).await?,
            Target::Conversation(conversation) => match self.place(sender, conversation).await {
                Ok(Place::Direct(other)) => other,
                Ok(Place::Room) => {
                    let action = Action::Message(Besides::message(besides, body));
                    return self.prepare_in_room(sender, conversation, client_id, action, connection).await;
                }
                Err(refusal) => {
                    let action = Action::Message(Besides::message(besides, body));
                    let event = (sender, conversation, client_id, action);
                    return self.sent_while_there(event, connection, refusal).await;
                }
            },
        };
        self.unreadable.check(ConversationId::direct(sender, to))?;
        if besides.is_some() {
            return self
                .prepare_direct((sender, to), client_id, Besides::message(besides, body), connection)
                .await;
        }
        let event = direct_message(sender, to, client_id, Timestamp::now(), body);
        let kind = self.once_heard(event.conversation, || self.direct_kind(&event, connection)).await?;
        if let Kind::New(event) = &kind {
            self.directory.remember_pair(event.conversation, (sender, to)).await;
        }
        Ok(Prepared { chat: self.clone(), connection, kind })
    }

    /// A message for which version 1 of the log has no words.
    async fn prepare_direct(
        &self,
        (sender, to): (UserId, UserId),
        client_id: ClientId,
        message: Message,
        connection: Option<ConnectionId>,
    ) -> Result<Prepared, Refusal> {
        if message.everyone {
            return Err(Refusal::field("everyone", "is for rooms"));
        }
        let action = Action::Message(message);
        let prepared =
            self.prepare_event(sender, LogPlace::Direct(to), client_id, action, connection).await?;
        if let Kind::New(event) = &prepared.kind {
            self.directory.remember_pair(event.conversation, (sender, to)).await;
        }
        Ok(prepared)
    }

    /// What somebody did in a room while they could is answered as it was, however often it is sent.
    pub(super) async fn sent_while_there(
        &self,
        (sender, room, client_id, action): (UserId, ConversationId, ClientId, Action),
        connection: Option<ConnectionId>,
        refusal: Refusal,
    ) -> Result<Prepared, Refusal> {
        if !refusal.code.is_about_the_log() || !self.rooms().contains(room) {
            return Err(refusal);
        }
        let event = self.room_event(sender, room, client_id, self.read_up_to(room), action);
        match self.sent_before(&event, connection).await? {
            Some(first) => Ok(Prepared { chat: self.clone(), connection, kind: Kind::Repeat(first) }),
            None => Err(refusal),
        }
    }

    /// What is to be done with a direct message, as far as this node has read.
    async fn direct_kind(&self, event: &Event, connection: Option<ConnectionId>) -> Result<Kind, Refusal> {
        match self.sent_before(event, connection).await? {
            Some(first) => Ok(Kind::Repeat(first)),
            None if self.blocks.is_blocked(event.conversation) => Err(Void::Blocked.into()),
            None => Ok(Kind::New(Arc::new(event.clone()))),
        }
    }

    /// The same of an event of a room, which is followed unless this creates it.
    ///
    /// # Errors
    /// The fold's reasons, besides those of [`Chat::prepare`].
    pub(super) async fn prepare_in_room(
        &self,
        actor: UserId,
        room: ConversationId,
        client_id: ClientId,
        action: Action,
        connection: Option<ConnectionId>,
    ) -> Result<Prepared, Refusal> {
        self.prepare_event(actor, LogPlace::Room(room), client_id, action, connection).await
    }

    /// The same of an event of version 2, wherever it happens.
    ///
    /// # Errors
    /// The fold's reasons, besides those of [`Chat::prepare`].
    pub(super) async fn prepare_event(
        &self,
        actor: UserId,
        place: LogPlace,
        client_id: ClientId,
        action: Action,
        connection: Option<ConnectionId>,
    ) -> Result<Prepared, Refusal> {
        let conversation = match place {
            LogPlace::Direct(to) => ConversationId::direct(actor, to),
            LogPlace::Room(room) => room,
        };
        // Before everything that is looked at: what comes after this, the fold looks at itself.
        let seen = self.read_up_to(conversation);
        let event = Event::new(actor, place, client_id, Timestamp::now(), seen, action);
        let kind = self.once_heard(conversation, || self.kind_of(&event, connection)).await?;
        Ok(Prepared { chat: self.clone(), connection, kind })
    }

    /// What is to be done with an event, as far as this node has read.
    async fn kind_of(&self, event: &Event, connection: Option<ConnectionId>) -> Result<Kind, Refusal> {
        if let Some(first) = self.sent_before(event, connection).await? {
            return Ok(Kind::Repeat(first));
        }
        let judgement = if let Some(target) = event.action.target() {
            Some(self.judge_change(event, target).await?)
        } else if event.to.is_some() {
            self.blocks.state(event.conversation).judge(event).ok()
        } else {
            self.check_action(event).await?;
            self.rooms().judge(event)
        };
        match judgement {
            Some(Judgement::Void(void)) => Err(void.into()),
            Some(Judgement::Repeat(first)) => {
                Ok(Kind::Repeat(Accepted { position: first, ..accepted_at(event) }))
            }
            Some(Judgement::Counts) | None => Ok(Kind::New(Arc::new(event.clone()))),
        }
    }

    /// Everything of the conversation's partition before this was delivered here.
    pub(super) fn read_up_to(&self, conversation: ConversationId) -> Position {
        let partition = partition_of(conversation, self.partitions) as usize;
        Position::new(self.epoch, self.progress.borrow().read.get(partition).copied().unwrap_or(0))
    }

    /// An event whose proof was too old, with a new one.
    async fn send_anew(&self, event: &Event, connection: Option<ConnectionId>) -> Result<Accepted, Refusal> {
        let Event { actor, conversation, to, client_id, action, .. } = event.clone();
        let place = to.map_or(LogPlace::Room(conversation), LogPlace::Direct);
        let prepared = self.prepare_event(actor, place, client_id, action, connection).await?;
        match self.begin(prepared.connection, prepared.kind)? {
            Begun::Done(accepted) => Ok(accepted),
            Begun::Waiting(answer, _) => wait(answer, self.send_timeout).await,
        }
    }

    async fn recipient(&self, sender: UserId, user: UserId) -> Result<UserId, Refusal> {
        // Who is live here, or wrote with the sender lately, exists: no need to ask a database that may be
        // away.
        let known = user == sender
            || self.registry.is_connected(user)
            || self.recent().people(ConversationId::direct(sender, user)).is_some();
        if known || self.directory.exists(user).await? {
            return Ok(user);
        }
        Err(Refusal {
            field: Some("to"),
            ..Refusal::new(Code::UnknownRecipient, "to names nobody: there is no person with this id")
        })
    }

    /// The other person of a conversation that `user` is in.
    ///
    /// # Errors
    /// `upgrade_needed` when a newer program wrote in it;
    /// `unknown_conversation` when there is none, or `user` is not in it: the two look the same from outside;
    /// `overloaded` while that cannot be told, because memory had to drop what the store does not have yet.
    pub(super) async fn other_in(
        &self,
        user: UserId,
        conversation: ConversationId,
    ) -> Result<UserId, Refusal> {
        self.unreadable.check(conversation)?;
        let (in_memory, is_complete) = {
            let recent = self.recent();
            (recent.people(conversation), recent.is_complete(partition_of(conversation, self.partitions)))
        };
        let pair = if conversation == ConversationId::direct(user, user) {
            Some((user, user))
        } else {
            match in_memory {
                Some(pair) => Some(pair),
                None => self.directory.pair(conversation).await?,
            }
        };
        if pair.is_none() && !is_complete {
            return Err(Refusal::later(
                Code::Overloaded,
                "the server cannot tell yet whether there is such a conversation",
                1_000,
            ));
        }
        pair.and_then(|pair| other_of(pair, user)).ok_or_else(|| Refusal {
            field: Some("conversation"),
            ..Refusal::new(Code::UnknownConversation, "there is no such conversation, or you are not in it")
        })
    }
}

impl Prepared {
    /// Enqueues the message in the log, at once; the future waits for the confirmation.
    ///
    /// The future may be dropped; the message is sent all the same. On success, a socket named in the request
    /// has its `accepted` frame queued already, in the order of the log.
    ///
    /// # Errors
    /// `overloaded` when too many sends wait, `log_unavailable` when the log does not confirm in time: then
    /// the message may still arrive, and sending it again under the same `client_id` is right.
    pub fn produce(self) -> impl Future<Output = Result<Accepted, Refusal>> + Send + 'static {
        let Self { chat, connection, kind } = self;
        let started = Instant::now();
        let timeout = chat.send_timeout;
        let begun = chat.begin(connection, kind);
        async move {
            let (answer, event) = match begun? {
                Begun::Done(accepted) => return Ok(accepted),
                Begun::Waiting(answer, event) => (answer, event),
            };
            let mut outcome = wait(answer, timeout).await;
            for _ in 0..STALE_RETRIES {
                if !outcome.as_ref().is_err_and(is_stale) {
                    break;
                }
                outcome = chat.send_anew(&event, connection).await;
            }
            let outcome = outcome
                .map_err(|refusal| if is_stale(&refusal) { Refusal::log_unavailable() } else { refusal });
            metrics::send_finished(
                started.elapsed(),
                outcome.as_ref().map(|_| ()).map_err(|refusal| refusal.code),
            );
            outcome
        }
    }
}

enum Begun {
    Done(Accepted),
    /// For the answer to this event.
    Waiting(oneshot::Receiver<Result<Accepted, Refusal>>, Arc<Event>),
}

impl Chat {
    fn begin(&self, connection: Option<ConnectionId>, kind: Kind) -> Result<Begun, Refusal> {
        let event = match kind {
            Kind::Repeat(accepted) => {
                if let Some(connection) = connection {
                    self.registry.deliver_to(connection, News::Accepted(accepted.clone()).into());
                }
                return Ok(Begun::Done(accepted));
            }
            Kind::New(event) => event,
        };
        if self.health.broken().is_some() {
            return Err(Refusal::log_unavailable());
        }
        if self.health.is_disk_low() {
            return Err(Refusal::later(Code::StorageLow, "the server's disk is nearly full", DISK_RETRY_MS));
        }
        let id = event.id;
        let (answer, receiver) = oneshot::channel();
        match self.pending.register(&event, Waiter { connection, answer }) {
            Registered::Joined => {}
            Registered::Reused => return Err(client_id_reused()),
            Registered::Full => {
                return Err(Refusal::later(Code::Overloaded, "too many messages wait for the log", 500));
            }
            Registered::First => {
                if let Err(refusal) = self.producer.send(Arc::clone(&event)) {
                    // Whoever joined meanwhile is refused too: their answer is dropped.
                    drop(self.pending.take(id));
                    return Err(refusal);
                }
            }
        }
        Ok(Begun::Waiting(receiver, event))
    }
}

async fn wait(
    answer: oneshot::Receiver<Result<Accepted, Refusal>>,
    timeout: Duration,
) -> Result<Accepted, Refusal> {
    match tokio::time::timeout(timeout, answer).await {
        Ok(Ok(outcome)) => outcome,
        // The waiter was dropped, or nothing came in time.
        Ok(Err(_)) | Err(_) => Err(Refusal::log_unavailable()),
    }
}

/// An answer about this event, but for its place.
pub(super) fn accepted_at(event: &Event) -> Accepted {
    Accepted {
        client_id: event.client_id.clone(),
        id: event.id,
        conversation: event.conversation,
        position: Position::ZERO,
        sent_at: event.at,
    }
}
