//! What a connection needs of the node that it is connected to: the seam at which tests put a stand-in.

use futures::FutureExt;
use futures::future::BoxFuture;
use milena_domain::{ConversationId, Position, SessionCursor, UserId};
use uuid::Uuid;

use crate::auth::{Identity, Sessions};
use crate::chat::{ChangeRequest, Chat, Prepared, RoomChange, SendRequest};
use crate::presence::Seen;
use crate::refusal::Refusal;
use crate::registry::{ConnectionId, Outbox, Registration};

/// The end of something that was begun.
pub(super) type Outcome = BoxFuture<'static, Result<(), Refusal>>;

/// Puts a checked message into the log's queue, at once; what it gives waits for the confirmation.
pub(super) type Enqueue = Box<dyn FnOnce() -> Outcome + Send>;

/// A connection that is live.
pub(super) struct Live {
    /// Keeps it registered.
    pub(super) registration: Registration,
    /// Everything after this goes to the outbox.
    pub(super) cursor: SessionCursor,
    /// Whether `replay` brings all that was missed.
    pub(super) resumed: bool,
    /// Puts what was missed into the outbox; does nothing until it is polled. `None`: nothing was missed.
    pub(super) replay: Option<Outcome>,
    /// Finds out whether the person wants to be seen, and lets them be.
    pub(super) appear: Option<Outcome>,
    /// Keeps them present.
    pub(super) seen: Option<Seen>,
}

/// The node behind the connections.
pub(super) trait Node: Send + Sync {
    /// Whose token this is; `None` when it is nobody's.
    fn authenticate<'a>(&'a self, token: &'a str) -> BoxFuture<'a, Result<Option<Identity>, Refusal>>;

    /// Makes a connection live.
    fn attach(
        &self,
        user: UserId,
        session: Uuid,
        outbox: Outbox,
        resume: Option<SessionCursor>,
    ) -> BoxFuture<'_, Result<Live, Refusal>>;

    /// Checks a message, which may take a look-up: several are checked at once. What comes out puts it into
    /// the log's queue and is called in the order in which the messages of a conversation came; when the
    /// outcome is there, `accepted` is in the outbox already.
    fn send(&self, request: SendRequest) -> BoxFuture<'static, Result<Enqueue, Refusal>>;

    /// The same of a change of a message.
    fn change(&self, request: ChangeRequest) -> BoxFuture<'static, Result<Enqueue, Refusal>>;

    /// The same of what is done in a room.
    fn act(&self, change: RoomChange) -> BoxFuture<'static, Result<Enqueue, Refusal>>;

    /// Moves a read position.
    fn mark_read(
        &self,
        user: UserId,
        conversation: ConversationId,
        position: Position,
        connection: ConnectionId,
    ) -> Outcome;

    /// What the connection watches from now on; what is to be seen of these people is in the outbox then.
    fn watch(
        &self,
        user: UserId,
        connection: ConnectionId,
        users: Vec<UserId>,
        conversations: Vec<ConversationId>,
    ) -> Outcome;

    /// Whether somebody sits before the connection's client.
    fn idle(&self, user: UserId, connection: ConnectionId, on: bool);

    /// A client of the user has what the other one wrote up to there.
    fn received(&self, user: UserId, conversation: ConversationId, position: Position) -> Outcome;

    /// The user writes somewhere, or not any more.
    fn typing(&self, user: UserId, conversation: ConversationId, on: bool) -> Outcome;

    /// Whether the conversation is a large room, which is announced to who does not show it.
    fn is_large(&self, conversation: ConversationId) -> bool;

    /// Up to where everything is in the outboxes.
    fn delivered(&self) -> SessionCursor;

    /// A cursor as `user` holds it.
    fn seal_cursor(&self, user: UserId, cursor: &SessionCursor) -> String;

    /// What `user` was given, if it is that.
    fn open_cursor(&self, user: UserId, text: &str) -> Option<SessionCursor>;

    /// What `user`'s `client_id`s shall begin with.
    fn client_id_prefix(&self, user: UserId) -> String;
}

/// The real one.
#[derive(Clone)]
pub(super) struct LiveNode {
    pub(super) chat: Chat,
    pub(super) sessions: Sessions,
}

impl Node for LiveNode {
    fn authenticate<'a>(&'a self, token: &'a str) -> BoxFuture<'a, Result<Option<Identity>, Refusal>> {
        self.sessions.authenticate(token).boxed()
    }

    fn attach(
        &self,
        user: UserId,
        session: Uuid,
        outbox: Outbox,
        resume: Option<SessionCursor>,
    ) -> BoxFuture<'_, Result<Live, Refusal>> {
        async move {
            let attached = self.chat.attach(user, session, outbox.clone(), resume).await?;
            let (chat, backlog) = (self.chat.clone(), attached.backlog);
            let replay = (!backlog.is_empty())
                .then(|| async move { chat.replay(user, backlog, &outbox).await }.boxed());
            // Nobody is seen before it is known that they want to be.
            let id = attached.registration.id();
            let seen = self.chat.presence().connected(user, id, true);
            let chat = self.chat.clone();
            Ok(Live {
                registration: attached.registration,
                cursor: attached.cursor,
                resumed: attached.resumed,
                replay,
                appear: Some(async move { chat.appear(user, id).await.map(drop) }.boxed()),
                seen: Some(seen),
            })
        }
        .boxed()
    }

    fn send(&self, request: SendRequest) -> BoxFuture<'static, Result<Enqueue, Refusal>> {
        let chat = self.chat.clone();
        async move { Ok(enqueue(chat.prepare(request).await?)) }.boxed()
    }

    fn change(&self, request: ChangeRequest) -> BoxFuture<'static, Result<Enqueue, Refusal>> {
        let chat = self.chat.clone();
        async move { Ok(enqueue(chat.prepare_change(request).await?)) }.boxed()
    }

    fn act(&self, change: RoomChange) -> BoxFuture<'static, Result<Enqueue, Refusal>> {
        let chat = self.chat.clone();
        async move { Ok(enqueue(chat.prepare_room_change(change).await?)) }.boxed()
    }

    fn mark_read(
        &self,
        user: UserId,
        conversation: ConversationId,
        position: Position,
        connection: ConnectionId,
    ) -> Outcome {
        let chat = self.chat.clone();
        async move { chat.mark_read(user, conversation, position, Some(connection)).await }.boxed()
    }

    fn watch(
        &self,
        user: UserId,
        connection: ConnectionId,
        users: Vec<UserId>,
        conversations: Vec<ConversationId>,
    ) -> Outcome {
        let chat = self.chat.clone();
        async move { chat.watch(user, connection, users, conversations).await }.boxed()
    }

    fn idle(&self, user: UserId, connection: ConnectionId, on: bool) {
        self.chat.presence().idle(user, connection, on);
    }

    fn received(&self, user: UserId, conversation: ConversationId, position: Position) -> Outcome {
        let chat = self.chat.clone();
        async move { chat.received(user, conversation, position).await }.boxed()
    }

    fn typing(&self, user: UserId, conversation: ConversationId, on: bool) -> Outcome {
        let chat = self.chat.clone();
        async move { chat.typing(user, conversation, on).await }.boxed()
    }

    fn is_large(&self, conversation: ConversationId) -> bool {
        self.chat.is_large(conversation)
    }

    fn delivered(&self) -> SessionCursor {
        self.chat.delivered()
    }

    fn seal_cursor(&self, user: UserId, cursor: &SessionCursor) -> String {
        self.chat.seal_cursor(user, cursor)
    }

    fn open_cursor(&self, user: UserId, text: &str) -> Option<SessionCursor> {
        self.chat.open_cursor(user, text)
    }

    fn client_id_prefix(&self, user: UserId) -> String {
        self.chat.client_id_prefix(user)
    }
}

fn enqueue(prepared: Prepared) -> Enqueue {
    Box::new(move || prepared.produce().map(|answer| answer.map(drop)).boxed())
}
