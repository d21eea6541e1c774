//! A node without log and store: it confirms at once what is not told to wait, and remembers the order of
//! everything.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;
use milena_domain::record::{Event, Placed};
use milena_domain::{ClientId, ConversationId, Epoch, Position, SessionCursor, Timestamp, UserId};
use milena_storage::Person;
use tokio::sync::watch;
use uuid::Uuid;

use crate::auth::Identity;
use crate::chat::{ChangeRequest, RoomChange, SendRequest};
use crate::live::{News, Update};
use crate::log::delivery::accepted;
use crate::log::event::{direct_message, people};
use crate::log::pending::Accepted;
use crate::refusal::{Code, Refusal};
use crate::registry::{ConnectionId, Outbox, Registry};
use crate::socket::node::{Enqueue, Live, Node, Outcome};

#[derive(Clone)]
pub(super) struct StandIn {
    pub(super) registry: Registry,
    state: Arc<Mutex<State>>,
    /// Sends whose body is `wait` are confirmed once this is true.
    pub(super) log_answers: watch::Sender<bool>,
    /// A replay begins once this is true.
    pub(super) replay_begins: watch::Sender<bool>,
    /// A replay puts the first message into the outbox and then finds no store.
    pub(super) replay_fails: bool,
    /// Whether all conversations are large rooms.
    is_large: bool,
}

#[derive(Default)]
struct State {
    log: Vec<Arc<Placed>>,
    enqueued: Vec<String>,
}

impl State {
    fn cursor(&self) -> SessionCursor {
        SessionCursor { epoch: Epoch::FIRST, next_offsets: vec![self.log.len() as i64] }
    }
}

impl Default for StandIn {
    fn default() -> Self {
        Self {
            registry: Registry::default(),
            state: Arc::default(),
            log_answers: watch::Sender::new(false),
            replay_begins: watch::Sender::new(true),
            replay_fails: false,
            is_large: false,
        }
    }
}

/// Cursors stand open here.
pub(super) fn written(cursor: &SessionCursor) -> String {
    cursor.next_offsets[0].to_string()
}

pub(super) fn read(text: &str) -> Option<SessionCursor> {
    Some(SessionCursor { epoch: Epoch::FIRST, next_offsets: vec![text.parse().ok()?] })
}

pub(super) fn person(name: &str) -> Person {
    let id = name.bytes().fold(0_u128, |id, byte| id << 8 | u128::from(byte));
    Person {
        id: UserId::from_uuid(Uuid::from_u128(id)),
        username: name.to_owned(),
        display_name: name.to_uppercase(),
        created_at: Timestamp::from_unix_ms(0),
    }
}

/// Everybody has one session.
pub(super) fn identity(name: &str) -> Identity {
    let person = person(name);
    Identity { session: person.id.as_uuid(), person }
}

impl StandIn {
    /// The same, all of whose conversations are large rooms, or none.
    pub(super) fn large(self, is_large: bool) -> Self {
        Self { is_large, ..self }
    }

    /// As the delivery does it: frames first, then the cursor.
    pub(super) fn deliver(&self, sender: &Person, to: &Person, body: &str) -> Position {
        let client_id = self.state.lock().unwrap().log.len().to_string();
        self.put(sender.id, to.id, ClientId::new(&client_id).unwrap(), body, None).position
    }

    pub(super) fn enqueued(&self) -> Vec<String> {
        self.state.lock().unwrap().enqueued.clone()
    }

    pub(super) fn cursor(&self) -> SessionCursor {
        self.state.lock().unwrap().cursor()
    }

    fn put(
        &self,
        sender: UserId,
        to: UserId,
        client_id: ClientId,
        body: &str,
        connection: Option<ConnectionId>,
    ) -> Accepted {
        let mut state = self.state.lock().unwrap();
        let position = Position::new(Epoch::FIRST, state.log.len() as i64);
        let placed = Placed { position, event: event(sender, to, client_id, body) };
        let accepted = accepted(&placed);
        let placed = Arc::new(placed);
        let update = Update::from(News::Placed(Arc::clone(&placed)));
        for user in people(&placed.event) {
            self.registry.deliver(user, &update, connection.as_slice());
        }
        if let Some(connection) = connection {
            self.registry.deliver_to(connection, News::Accepted(accepted.clone()).into());
        }
        state.log.push(placed);
        accepted
    }
}

pub(super) fn event(sender: UserId, to: UserId, client_id: ClientId, body: &str) -> Event {
    direct_message(sender, to, client_id, Timestamp::from_unix_ms(0), milena_domain::Body::new(body).unwrap())
}

impl Node for StandIn {
    fn authenticate<'a>(&'a self, token: &'a str) -> BoxFuture<'a, Result<Option<Identity>, Refusal>> {
        let answer = match token {
            "nobody" => Ok(None),
            "away" => Err(Refusal::later(Code::StoreUnavailable, "away", 1_000)),
            name => Ok(Some(identity(name))),
        };
        async move { answer }.boxed()
    }

    fn attach(
        &self,
        user: UserId,
        session: Uuid,
        outbox: Outbox,
        resume: Option<SessionCursor>,
    ) -> BoxFuture<'_, Result<Live, Refusal>> {
        // Between two deliveries, as the real one.
        let state = self.state.lock().unwrap();
        let registration = self.registry.register(user, session, outbox.clone());
        let cursor = state.cursor();
        let since = resume.as_ref().map_or(state.log.len(), |resume| resume.next_offsets[0] as usize);
        let missed: Vec<_> = state.log.iter().skip(since).cloned().collect();
        let (mut begins, fails) = (self.replay_begins.subscribe(), self.replay_fails);
        let replay = async move {
            begins.wait_for(|begins| *begins).await.unwrap();
            for placed in missed.iter().filter(|placed| people(&placed.event).any(|one| one == user)) {
                if !outbox.push_when_roomy(News::Placed(Arc::clone(placed)).into()).await {
                    break;
                }
                if fails {
                    return Err(Refusal::later(Code::StoreUnavailable, "away", 1_000));
                }
            }
            Ok(())
        };
        let resumed = resume.is_some();
        async move {
            Ok(Live {
                registration,
                cursor,
                resumed,
                replay: resumed.then(|| replay.boxed()),
                appear: None,
                seen: None,
            })
        }
        .boxed()
    }

    fn watch(&self, _: UserId, _: ConnectionId, _: Vec<UserId>, _: Vec<ConversationId>) -> Outcome {
        async { Ok(()) }.boxed()
    }

    fn idle(&self, _: UserId, _: ConnectionId, _: bool) {}

    fn received(&self, _: UserId, _: ConversationId, _: Position) -> Outcome {
        async { Ok(()) }.boxed()
    }

    fn typing(&self, _: UserId, _: ConversationId, _: bool) -> Outcome {
        async { Ok(()) }.boxed()
    }

    fn change(&self, _: ChangeRequest) -> BoxFuture<'static, Result<Enqueue, Refusal>> {
        async { Err(Refusal::field("target", "names nothing")) }.boxed()
    }

    fn act(&self, _: RoomChange) -> BoxFuture<'static, Result<Enqueue, Refusal>> {
        async { Err(Refusal::field("conversation", "names nothing")) }.boxed()
    }

    fn send(&self, request: SendRequest) -> BoxFuture<'static, Result<Enqueue, Refusal>> {
        let node = self.clone();
        async move {
            match request.body.as_str() {
                "slow look-up" => tokio::time::sleep(Duration::from_secs(1)).await,
                "refuse" => return Err(Refusal::field("to", "names nobody")),
                _ => {}
            }
            let crate::chat::Target::User(to) = request.target else { panic!("unused") };
            let confirmed = move || {
                node.state.lock().unwrap().enqueued.push(request.client_id.as_str().to_owned());
                async move {
                    match request.body.as_str() {
                        "wait" => {
                            let mut answers = node.log_answers.subscribe();
                            answers.wait_for(|answers| *answers).await.unwrap();
                        }
                        "fail" => return Err(Refusal::log_unavailable()),
                        _ => {}
                    }
                    node.put(
                        request.sender,
                        to,
                        request.client_id,
                        request.body.as_str(),
                        request.connection,
                    );
                    Ok(())
                }
                .boxed()
            };
            Ok(Box::new(confirmed) as Enqueue)
        }
        .boxed()
    }

    fn mark_read(
        &self,
        user: UserId,
        conversation: ConversationId,
        _position: Position,
        _connection: ConnectionId,
    ) -> Outcome {
        let own = conversation == ConversationId::direct(user, user);
        async move { if own { Ok(()) } else { Err(Refusal::new(Code::UnknownConversation, "not yours")) } }
            .boxed()
    }

    fn is_large(&self, _conversation: ConversationId) -> bool {
        self.is_large
    }

    fn delivered(&self) -> SessionCursor {
        self.cursor()
    }

    fn seal_cursor(&self, _user: UserId, cursor: &SessionCursor) -> String {
        written(cursor)
    }

    fn open_cursor(&self, _user: UserId, text: &str) -> Option<SessionCursor> {
        read(text)
    }

    fn client_id_prefix(&self, user: UserId) -> String {
        format!("{user}-")
    }
}
