//! A client as the protocol document wants it: it resumes by its last cursor, fills gaps, drops by id, orders
//! by position, sends again what was not answered, and loads everything anew when it is told to.

use std::collections::{BTreeMap, HashMap};
use std::future::poll_fn;
use std::task::Poll;

use futures::FutureExt;
use futures::future::BoxFuture;
use milena_domain::{
    Body, ClientId, ConversationId, MessageId, Position, SessionCursor, UserId, partition_of,
};
use milena_storage::Page;
use serde_json::Value;
use uuid::Uuid;

use super::node::Node;
use super::shared::{Log, PARTITIONS};
use crate::chat::{Attached, Chat, SendRequest, Target};
use crate::refusal::{Code, Refusal};
use crate::registry::{Outbox, Registration};
use crate::wire::frames::frame_for;

type Attaching = BoxFuture<'static, Result<Attached, Refusal>>;
type Outcome = BoxFuture<'static, Result<(), Refusal>>;

/// A connection, as its task on the server would hold it.
struct Line {
    outbox: Outbox,
    registration: Registration,
    replay: Option<Outcome>,
    in_flight: Vec<(String, Outcome)>,
}

pub(super) struct Client {
    pub(super) user: UserId,
    /// Begins its `client_id`s: two devices of a person must not use the same ones.
    name: usize,
    /// Said `hello`, and not yet welcomed.
    attaching: Option<(Outbox, Attaching)>,
    line: Option<Line>,
    cursor: Option<SessionCursor>,
    /// From its last connection, for every second message.
    prefix: String,
    shown: BTreeMap<(ConversationId, Position), MessageId>,
    known: HashMap<MessageId, Position>,
    /// Not answered yet: to whom.
    pending: BTreeMap<String, UserId>,
    written: usize,
}

/// What the server said first.
pub(super) struct Welcome {
    pub(super) resumed: bool,
    pub(super) cursor: SessionCursor,
}

impl Client {
    pub(super) fn new(user: UserId, name: usize) -> Self {
        Self {
            user,
            name,
            attaching: None,
            line: None,
            cursor: None,
            prefix: String::new(),
            shown: BTreeMap::new(),
            known: HashMap::new(),
            pending: BTreeMap::new(),
            written: 0,
        }
    }

    pub(super) fn is_connected(&self) -> bool {
        self.line.is_some()
    }

    pub(super) fn is_attaching(&self) -> bool {
        self.attaching.is_some()
    }

    pub(super) fn is_replaying(&self) -> bool {
        self.line.as_ref().is_some_and(|line| line.replay.is_some())
    }

    pub(super) fn set_cursor(&mut self, cursor: SessionCursor) {
        self.cursor = Some(cursor);
    }

    pub(super) fn has_pending(&self) -> bool {
        !self.pending.is_empty()
    }

    /// The line breaks; what the outbox held is gone.
    pub(super) fn hang_up(&mut self) {
        (self.attaching, self.line) = (None, None);
    }

    /// Connects, resumes or loads everything, and sends again what was not answered. `everybody` is whom it
    /// may have talked to.
    pub(super) async fn connect(&mut self, node: &Node, outbox: Outbox, everybody: &[UserId]) {
        let Some(attached) = self.attach(node, outbox).await else { return };
        if !attached.resumed {
            if !self.load(&node.chat, everybody).await {
                // As at first: it knows that it does not know all.
                (self.cursor, self.line) = (None, None);
                return;
            }
            self.cursor = Some(attached.cursor);
        }
        self.send_pending(node).await;
    }

    /// Connects with the last cursor; `None` while the node does not take anybody.
    pub(super) async fn attach(&mut self, node: &Node, outbox: Outbox) -> Option<Welcome> {
        self.begin_attach(node, outbox);
        let (outbox, attaching) = self.attaching.take()?;
        Some(self.attached(node, outbox, attaching.await.ok()?))
    }

    pub(super) fn begin_attach(&mut self, node: &Node, outbox: Outbox) {
        let (chat, user, resume) = (node.chat.clone(), self.user, self.cursor.clone());
        let to = outbox.clone();
        let attaching = async move { chat.attach(user, Uuid::nil(), to, resume).await };
        self.attaching = Some((outbox, attaching.boxed()));
    }

    /// `None` while it is not over.
    pub(super) async fn go_on_attaching(&mut self, node: &Node) -> Option<Welcome> {
        let (outbox, mut attaching) = self.attaching.take()?;
        match poll_fn(|context| Poll::Ready(attaching.as_mut().poll(context))).await {
            Poll::Ready(attached) => Some(self.attached(node, outbox, attached.expect("caught up"))),
            Poll::Pending => {
                self.attaching = Some((outbox, attaching));
                None
            }
        }
    }

    fn attached(&mut self, node: &Node, outbox: Outbox, attached: Attached) -> Welcome {
        let chat = &node.chat;
        let replay = (!attached.backlog.is_empty()).then(|| {
            let (chat, outbox, user, backlog) = (chat.clone(), outbox.clone(), self.user, attached.backlog);
            async move { chat.replay(user, backlog, &outbox).await }.boxed()
        });
        self.prefix = chat.client_id_prefix(self.user);
        self.line = Some(Line { outbox, registration: attached.registration, replay, in_flight: Vec::new() });
        Welcome { resumed: attached.resumed, cursor: attached.cursor }
    }

    /// Writes to somebody; sent at once when there is a connection.
    pub(super) async fn write(&mut self, node: &Node, to: UserId) {
        let prefix = if self.written.is_multiple_of(2) { self.prefix.as_str() } else { "" };
        let client_id = format!("{prefix}{}-{}", self.name, self.written);
        self.written += 1;
        self.pending.insert(client_id.clone(), to);
        self.send(node, client_id).await;
    }

    /// Sends what was not answered and is not under way.
    pub(super) async fn send_pending(&mut self, node: &Node) {
        let Some(line) = &self.line else { return };
        let waiting = |client_id: &&String| line.in_flight.iter().all(|(other, _)| other != *client_id);
        let due: Vec<String> = self.pending.keys().filter(waiting).cloned().collect();
        for client_id in due {
            self.send(node, client_id).await;
        }
    }

    async fn send(&mut self, node: &Node, client_id: String) {
        let (Some(line), Some(to)) = (&mut self.line, self.pending.get(&client_id)) else {
            return;
        };
        let request = SendRequest {
            besides: None,
            sender: self.user,
            target: Target::User(*to),
            client_id: ClientId::new(&client_id).unwrap(),
            body: Body::new("x").unwrap(),
            connection: Some(line.registration.id()),
        };
        // Refused for now: it stays pending.
        if let Ok(prepared) = node.chat.prepare(request).await {
            line.in_flight.push((client_id, prepared.produce().map(|answer| answer.map(drop)).boxed()));
        }
    }

    /// One turn of the connection: the replay goes on, and up to `most` frames are sent. `false` when there
    /// was nothing to do.
    pub(super) async fn turn(&mut self, node: &Node, most: usize) -> bool {
        let replayed = self.go_on_replaying().await;
        self.write_out(node, most).await || replayed
    }

    /// The replay goes as far as it can; when it fails, the connection ends. `false` when there was none.
    pub(super) async fn go_on_replaying(&mut self) -> bool {
        let Some(line) = &mut self.line else { return false };
        if line.replay.is_none() {
            return false;
        }
        match poll_once(&mut line.replay).await {
            Some(Err(_)) => self.hang_up(),
            Some(Ok(())) => line.replay = None,
            None => {}
        }
        true
    }

    /// Up to `most` frames are sent; when these were all, the cursor that was read before them follows.
    /// `false` when there was none.
    pub(super) async fn write_out(&mut self, node: &Node, most: usize) -> bool {
        let Some(line) = &mut self.line else { return false };
        line.in_flight.retain_mut(|(_, outcome)| outcome.now_or_never().is_none());
        let cursor = line.replay.is_none().then(|| node.chat.delivered());
        let waiting = line.outbox.len();
        let outbox = line.outbox.clone();
        for _ in 0..waiting.min(most) {
            let Some(update) = outbox.pop() else { break };
            let frame = frame_for(&update, self.user).unwrap();
            if !self.take(&node.chat, &serde_json::from_str(frame.as_str()).unwrap()).await {
                self.hang_up();
                return true;
            }
        }
        if outbox.is_closed() {
            self.hang_up();
        } else if let Some(cursor) = cursor.filter(|_| waiting <= most) {
            self.cursor = Some(cursor);
        }
        waiting > 0
    }

    async fn take(&mut self, chat: &Chat, frame: &Value) -> bool {
        let id = |name: &str| -> Uuid { serde_json::from_value(frame[name].clone()).unwrap() };
        let position = |name: &str| Position::from_u64(frame[name].as_u64().unwrap()).unwrap();
        match frame["type"].as_str().unwrap() {
            "message" | "accepted" => {
                if let Some(client_id) = frame["client_id"].as_str() {
                    self.pending.remove(client_id);
                }
                let conversation = ConversationId::from_uuid(id("conversation"));
                self.show(conversation, position("position"), MessageId::from_uuid(id("id")));
                true
            }
            "gap" => {
                let before = frame["before"].as_u64().map_or(Position::MAX, |_| position("before"));
                let conversation = ConversationId::from_uuid(id("conversation"));
                self.fetch(chat, conversation, position("after"), before).await
            }
            "prefix" => {
                self.prefix = frame["client_id_prefix"].as_str().unwrap().to_owned();
                true
            }
            other => panic!("{other}"),
        }
    }

    fn show(&mut self, conversation: ConversationId, position: Position, id: MessageId) {
        let known = self.known.entry(id).or_insert(position);
        // A repeat that got into the log is dropped; were it heard first, the first one takes its place.
        if position < *known {
            self.shown.remove(&(conversation, *known));
            *known = position;
        }
        self.shown.insert((conversation, *known), id);
    }

    /// By REST; `false` when the answer cannot be proved to be complete, or does not come.
    async fn fetch(
        &mut self,
        chat: &Chat,
        conversation: ConversationId,
        after: Position,
        before: Position,
    ) -> bool {
        let mut after = after;
        loop {
            let Ok(page) = chat.history(self.user, conversation, Page::After(after), 100).await else {
                return false;
            };
            if !page.complete {
                return false;
            }
            for message in &page.messages {
                after = message.placed.position;
                self.show(conversation, message.placed.position, message.placed.event.id);
            }
            if !page.has_after || after >= before {
                return true;
            }
        }
    }

    async fn load(&mut self, chat: &Chat, everybody: &[UserId]) -> bool {
        for other in everybody {
            let conversation = ConversationId::direct(self.user, *other);
            let loaded = self.fetch(chat, conversation, Position::ZERO, Position::MAX).await;
            if !loaded {
                let known = chat.other_in(self.user, conversation).await;
                let is_unknown = known.is_err_and(|refusal| refusal.code == Code::UnknownConversation);
                if !is_unknown || !chat.health.is_current() {
                    return false;
                }
            }
        }
        true
    }

    /// What the cursor covers was shown.
    pub(super) fn cursor_must_be_true(&self, log: &Log) {
        let Some(cursor) = &self.cursor else { return };
        for (conversation, messages) in log.of(self.user) {
            let covered = cursor.next_offsets[partition_of(conversation, PARTITIONS) as usize];
            let missing = messages
                .iter()
                .filter(|(position, id)| position.offset() < covered && !self.known.contains_key(id))
                .collect::<Vec<_>>();
            assert!(missing.is_empty(), "the cursor {cursor:?} covers {missing:?}, which was not shown");
        }
    }

    /// What is shown is the log.
    pub(super) fn must_show(&self, log: &Log) {
        let mut shown: BTreeMap<ConversationId, Vec<(Position, MessageId)>> = BTreeMap::new();
        for ((conversation, position), id) in &self.shown {
            shown.entry(*conversation).or_default().push((*position, *id));
        }
        assert_eq!(shown, log.of(self.user), "shown, and in the log");
    }
}

async fn poll_once(replay: &mut Option<Outcome>) -> Option<Result<(), Refusal>> {
    poll_fn(|context| {
        Poll::Ready(match replay.as_mut().map(|replay| replay.as_mut().poll(context)) {
            Some(Poll::Ready(outcome)) => Some(outcome),
            Some(Poll::Pending) | None => None,
        })
    })
    .await
}
