//! Changes of messages that are in the store only: each waits until its message was looked up, and what
//! becomes of it is what the store says, whoever looked, and whatever came in between.

use std::sync::Arc;
use std::time::Duration;

use milena_domain::record::{Action, Created, Emoji, Event, Handle, History, Place, Posting, Role, Seat};
use milena_domain::record::{Message, Target as LogTarget, Title, Visibility};
use milena_domain::{Body, ClientId, ConversationId, Epoch, MessageId, Position, SessionCursor, Timestamp};
use milena_domain::{UserId, partition_of};
use milena_timeline::Void;
use serde_json::Value;
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;
use uuid::Uuid;

use super::node::Node;
use super::shared::{Log, MESSAGE_BYTES, MemoryStore, PARTITIONS, user};
use crate::chat::change::{ChangeRequest, What};
use crate::chat::{Accepted, Attached, Target};
use crate::refusal::{Code, Refusal};
use crate::registry::Outbox;
use crate::wire::frames::frame_for;

const OPEN: usize = 1 << 20;

/// Ann is here, Ben elsewhere; their first messages are in the store, and not in this node's memory.
struct Scene {
    log: Log,
    store: MemoryStore,
    /// Two permits a look-up: for reading, and for answering.
    gate: Arc<Semaphore>,
    node: Node,
    ann: UserId,
    ben: UserId,
    conversation: ConversationId,
    is_room: bool,
    partition: usize,
    messages: Vec<LogTarget>,
}

/// Ann's socket.
struct Socket {
    outbox: Outbox,
    _attached: Attached,
}

impl Scene {
    async fn set(is_room: bool) -> Self {
        let (ann, ben) = (user(0), user(1));
        let name = ClientId::new("room").unwrap();
        let conversation =
            if is_room { ConversationId::room(ann, &name) } else { ConversationId::direct(ann, ben) };
        let partition = partition_of(conversation, PARTITIONS) as usize;
        let (mut log, store) = (Log::default(), MemoryStore::default());
        if is_room {
            let created = Action::RoomCreated(Created {
                handle: Handle::new("room").unwrap(),
                title: Title::new("A room").unwrap(),
                topic: None,
                visibility: Visibility::Private,
                history: History::All,
                posting: Posting::Members,
                members: vec![Seat { user: ben, role: Role::Member, from: None }],
            });
            let seen = Position::new(Epoch::FIRST, 0);
            log.append(Event::new(ann, Place::Room(conversation), name, now(), seen, created));
        }
        let gate = Arc::new(Semaphore::new(0));
        let node = Node::start(&log, store.all_behind(&gate), 100 * MESSAGE_BYTES).await;
        let mut scene =
            Self { log, store, gate, node, ann, ben, conversation, is_room, partition, messages: Vec::new() };
        for words in ["one", "two"] {
            let message = Action::Message(Message::plain(Body::new(words).unwrap()));
            let (id, position) = scene.elsewhere(ben, words, message);
            scene.messages.push(LogTarget { position, id });
        }
        scene.store_everything();
        scene.node = Node::start(&scene.log, scene.store.all_behind(&scene.gate), 100 * MESSAGE_BYTES).await;
        scene
    }

    /// Another node has it in the log.
    fn elsewhere(&mut self, actor: UserId, name: &str, action: Action) -> (MessageId, Position) {
        let other = if actor == self.ann { self.ben } else { self.ann };
        let place = if self.is_room { Place::Room(self.conversation) } else { Place::Direct(other) };
        let seen = Position::new(Epoch::FIRST, self.log.ends()[self.partition]).before();
        let event = Event::new(actor, place, ClientId::new(name).unwrap(), now(), seen, action);
        let id = event.id;
        let (_, offset) = self.log.append(event);
        (id, Position::new(Epoch::FIRST, offset))
    }

    fn reacted(&self, message: usize, emoji: &str) -> Action {
        Action::Reacted { target: self.messages[message], emoji: Emoji::new(emoji).unwrap(), on: true }
    }

    fn edited(&self, message: usize, words: &str) -> Action {
        let body = Body::new(words).unwrap();
        Action::Edited { target: self.messages[message], body, mentions: Vec::new() }
    }

    async fn read(&mut self) {
        self.node.read(&self.log, self.partition, usize::MAX).await;
    }

    fn store_everything(&self) {
        self.store.consume(&self.log, self.partition, usize::MAX);
    }

    /// Ann connects.
    async fn attach(&self, resume: Option<SessionCursor>) -> Socket {
        self.gate.add_permits(OPEN);
        let outbox = Outbox::new(100, 1 << 20);
        let attached = self.node.chat.attach(self.ann, Uuid::nil(), outbox.clone(), resume).await.unwrap();
        Socket { outbox, _attached: attached }
    }

    /// From now on the store does not answer.
    fn hold(&self) {
        self.gate.forget_permits(OPEN * 64);
    }

    /// Ann reacts, here.
    fn react(&self, name: &str, message: usize, emoji: &str) -> JoinHandle<Result<Accepted, Refusal>> {
        let request = ChangeRequest {
            actor: self.ann,
            target: Target::Conversation(self.conversation),
            client_id: ClientId::new(name).unwrap(),
            position: self.messages[message].position,
            id: Some(self.messages[message].id),
            what: What::React { emoji: Emoji::new(emoji).unwrap(), on: true },
            connection: None,
        };
        let chat = self.node.chat.clone();
        tokio::spawn(async move { chat.change(request).await })
    }

    /// Everything that was read was told, and nothing waits.
    fn is_told(&self) -> bool {
        self.node.chat.delivered().next_offsets[self.partition] == self.log.ends()[self.partition]
    }
}

impl Socket {
    /// What it is told of changes, each by its kind and place.
    fn told(&self, scene: &Scene) -> Vec<(String, i64)> {
        let mut told = Vec::new();
        while let Some(update) = self.outbox.pop() {
            let frame: Value = serde_json::from_str(frame_for(&update, scene.ann).unwrap().as_str()).unwrap();
            let kind = frame["type"].as_str().unwrap();
            if ["edited", "deleted", "reacted"].contains(&kind) {
                let at = Position::from_u64(frame["position"].as_u64().unwrap()).unwrap();
                told.push((kind.to_owned(), at.offset()));
            }
        }
        told
    }
}

fn now() -> Timestamp {
    Timestamp::from_unix_ms(0)
}

fn told(all: &[(&str, Position)]) -> Vec<(String, i64)> {
    all.iter().map(|(kind, at)| ((*kind).to_owned(), at.offset())).collect()
}

/// The time is the test's: whatever is tried again after a while was tried.
async fn settle() {
    tokio::time::sleep(Duration::from_secs(2)).await;
}

/// The look-up was asked for when the first one came, and the store has both by the time that it answers.
#[tokio::test]
async fn what_comes_while_its_message_is_looked_up_counts_as_in_the_store() {
    let mut scene = Scene::set(false).await;
    tokio::time::pause();
    let socket = scene.attach(None).await;
    scene.hold();
    let (_, first) = scene.elsewhere(scene.ben, "first", scene.reacted(0, "👍"));
    scene.read().await;
    let (_, second) = scene.elsewhere(scene.ben, "second", scene.reacted(0, "🎉"));
    scene.read().await;
    scene.store_everything();
    scene.gate.add_permits(OPEN);
    settle().await;
    assert_eq!(socket.told(&scene), told(&[("reacted", first), ("reacted", second)]));
    assert!(scene.is_told());
}

/// The look-up is that of somebody who wants to change the message, and knows of nothing that waits.
#[tokio::test]
async fn a_deletion_that_waits_is_told_whoever_looks_its_message_up() {
    let mut scene = Scene::set(false).await;
    tokio::time::pause();
    let socket = scene.attach(None).await;
    scene.hold();
    let reaction = scene.react("mine", 0, "👍");
    settle().await;
    let deleted = Action::Deleted { target: scene.messages[0], reason: None };
    let (_, at) = scene.elsewhere(scene.ben, "away", deleted);
    scene.read().await;
    scene.store_everything();
    scene.gate.add_permits(OPEN);
    settle().await;
    assert_eq!(socket.told(&scene), told(&[("deleted", at)]));
    assert_eq!(reaction.await.unwrap().unwrap_err().code, Code::Void(Void::Deleted));
    assert!(scene.is_told());
}

/// It says what was so already: whoever asked is told that it is, and not that they may not.
#[tokio::test]
async fn what_the_store_did_not_count_is_asked_again_and_answered_as_it_is() {
    let mut scene = Scene::set(false).await;
    tokio::time::pause();
    let _socket = scene.attach(None).await;
    let mine = scene.react("here", 0, "👍");
    settle().await;
    scene.hold();
    // Nobody has looked up whether Ben has reacted.
    scene.elsewhere(scene.ben, "his", scene.reacted(0, "👍"));
    let (_, first) = scene.elsewhere(scene.ann, "there", scene.reacted(0, "👍"));
    scene.node.append(&mut scene.log);
    scene.node.confirm().await;
    scene.read().await;
    scene.store_everything();
    scene.gate.add_permits(OPEN);
    settle().await;
    assert_eq!(mine.await.unwrap().unwrap_err().code, Code::LogUnavailable, "for now");
    assert_eq!(scene.react("here", 0, "👍").await.unwrap().unwrap().position, first);
}

/// The room is loaded after the change came, and nothing comes after it.
#[tokio::test]
async fn a_change_that_waits_since_its_room_was_loaded_is_looked_up() {
    let mut scene = Scene::set(true).await;
    tokio::time::pause();
    scene.elsewhere(scene.ben, "late", scene.edited(0, "one, he said"));
    scene.read().await;
    let _socket = scene.attach(None).await;
    settle().await;
    assert!(scene.is_told());
    assert_eq!(scene.node.chat.recent().unflushed(scene.conversation).len(), 1);
}

/// A client has used one name for changes of two messages, of which nobody here knows the second one: it was
/// looked for without end.
#[tokio::test]
async fn changes_of_two_messages_under_one_name_hold_nobody_up() {
    let mut scene = Scene::set(false).await;
    tokio::time::pause();
    let socket = scene.attach(None).await;
    scene.hold();
    let (_, first) = scene.elsewhere(scene.ben, "same", scene.reacted(0, "👍"));
    scene.elsewhere(scene.ben, "same", Action::Deleted { target: scene.messages[1], reason: None });
    let (_, third) = scene.elsewhere(scene.ben, "other", scene.edited(1, "it stands"));
    scene.read().await;
    scene.store.looks();
    scene.gate.add_permits(OPEN);
    settle().await;
    assert!(scene.is_told(), "the store has read none of it");
    assert_eq!(socket.told(&scene), told(&[("reacted", first), ("edited", third)]));
    let looks = scene.store.looks();
    assert!(looks < 9, "{looks}");
}

/// The last who needed the room went while the change waited.
#[tokio::test]
async fn a_change_that_waits_outlasts_its_room() {
    let mut scene = Scene::set(true).await;
    tokio::time::pause();
    let socket = scene.attach(None).await;
    let cursor = scene.node.chat.delivered();
    scene.hold();
    let (_, at) = scene.elsewhere(scene.ben, "late", scene.edited(0, "one, he said"));
    scene.read().await;
    drop(socket);
    scene.node.forget_rooms();
    assert!(scene.node.chat.rooms.read().unwrap().is_empty());
    scene.gate.add_permits(OPEN);
    settle().await;
    assert!(scene.is_told());
    let socket = scene.attach(Some(cursor)).await;
    settle().await;
    let unflushed = scene.node.chat.recent().unflushed(scene.conversation);
    assert_eq!(unflushed.iter().map(|event| event.position()).collect::<Vec<_>>(), [at]);
    let replayed = !socket._attached.backlog.is_empty();
    assert!(replayed || socket.told(&scene) == told(&[("edited", at)]), "and Ann hears of it");
}
