//! Changes of messages where the node, the store and the client are not equally far.

use futures::FutureExt;
use milena_domain::record::{
    Action, Created, Emoji, Event, Handle, History, Message, Place, Posting, Role, Seat, Target, Title,
    Visibility,
};
use milena_domain::{
    Body, ClientId, ConversationId, Epoch, Position, SessionCursor, Timestamp, UserId, limits, partition_of,
};
use milena_storage::Page;
use milena_timeline::Void;
use serde_json::{Value, json};
use tokio::task::yield_now;
use uuid::Uuid;

use super::node::Node;
use super::shared::{Log, MemoryStore, PARTITIONS, user};
use crate::chat::{ChangeRequest, Chat, What};
use crate::live::life::Shown;
use crate::log::event::message;
use crate::refusal::Code;
use crate::registry::Outbox;
use crate::wire::frames::frame_for;

const ANN: u128 = 0;
const BEN: u128 = 1;

fn name(name: &str) -> ClientId {
    ClientId::new(name).unwrap()
}

fn said(words: &str) -> Action {
    Action::Message(Message::plain(Body::new(words).unwrap()))
}

/// A log in which things happen in one conversation, one after the other.
struct Scene {
    log: Log,
    store: MemoryStore,
    place: Place,
    partition: usize,
}

impl Scene {
    /// Ann's room, which shows what happens while one is in it; Ben came after her first message.
    fn room() -> (Self, Target) {
        let room = ConversationId::room(user(ANN), &name("room"));
        let mut scene = Self::of(Place::Room(room));
        let created = Created {
            handle: Handle::new("room").unwrap(),
            title: Title::new("A room").unwrap(),
            topic: None,
            visibility: Visibility::Private,
            history: History::SinceJoin,
            posting: Posting::Members,
            members: vec![Seat { user: user(2), role: Role::Member, from: None }],
        };
        scene.happens(ANN, "room", Action::RoomCreated(created));
        let before = scene.happens(ANN, "before", said("before Ben"));
        scene.happens(ANN, "ben", Action::MembersAdded { users: vec![user(BEN)] });
        (scene, before)
    }

    fn of(place: Place) -> Self {
        let conversation = match place {
            Place::Room(room) => room,
            Place::Direct(other) => ConversationId::direct(user(ANN), other),
        };
        let partition = partition_of(conversation, PARTITIONS) as usize;
        Self { log: Log::default(), store: MemoryStore::default(), place, partition }
    }

    fn happens(&mut self, actor: u128, client_id: &str, action: Action) -> Target {
        let (at, seen) = (Timestamp::from_unix_ms(1), Position::new(Epoch::FIRST, 0));
        let event = Event::new(user(actor), self.place, name(client_id), at, seen, action);
        let id = event.id;
        let (_, offset) = self.log.append(event);
        Target { position: Position::new(Epoch::FIRST, offset), id }
    }

    fn conversation(&self) -> ConversationId {
        self.log.partitions[self.partition][0].conversation
    }

    async fn node(&self) -> Node {
        Node::start(&self.log, self.store.clone(), 1 << 20).await
    }

    async fn read(&self, node: &mut Node) {
        node.read(&self.log, self.partition, usize::MAX).await;
    }

    fn consume(&self) {
        self.store.consume(&self.log, self.partition, usize::MAX);
    }

    /// Who has seen what stands before this.
    fn cursor(&self, next: Position) -> SessionCursor {
        let mut next_offsets = vec![0; PARTITIONS];
        next_offsets[self.partition] = next.offset();
        SessionCursor { epoch: Epoch::FIRST, next_offsets }
    }
}

async fn resume(node: &Node, who: UserId, cursor: SessionCursor) -> Vec<Value> {
    let outbox = Outbox::new(100_000, 64 << 20);
    let attached = node.chat.attach(who, Uuid::nil(), outbox.clone(), Some(cursor)).await.unwrap();
    assert!(attached.resumed);
    node.chat.replay(who, attached.backlog, &outbox).await.unwrap();
    let frames = std::iter::from_fn(|| outbox.pop()).filter_map(|update| frame_for(&update, who));
    frames.map(|frame| serde_json::from_str(frame.as_str()).unwrap()).collect()
}

/// The newest page is nothing but changes of what was before one's time: the messages before it are a gap.
#[tokio::test]
async fn a_resume_hides_no_message_behind_changes_that_are_not_theirs() {
    let (mut scene, before) = Scene::room();
    let missed = scene.happens(ANN, "missed", said("for Ben"));
    for number in 0..limits::REPLAY_PAGE {
        let (emoji, on) = (Emoji::new("\u{1f44d}").unwrap(), number % 2 == 0);
        scene.happens(ANN, &number.to_string(), Action::Reacted { target: before, emoji, on });
    }
    let mut node = scene.node().await;
    scene.read(&mut node).await;
    let frames = resume(&node, user(BEN), scene.cursor(missed.position)).await;
    let covers = |frame: &Value| {
        let after = frame["after"].as_i64().unwrap();
        after < missed.position.as_i64()
            && frame["before"].is_null()
            && frame["changes_after"] == json!(after)
    };
    assert!(frames.iter().any(|frame| frame["type"] == "gap" && covers(frame)), "{frames:?}");
}

async fn settle() {
    for _ in 0..64 {
        yield_now().await;
    }
}

/// The ways to read a room.
#[derive(Debug, Clone, Copy)]
enum Reading {
    Page,
    At(Position),
    Changes,
}

async fn read(chat: Chat, room: ConversationId, how: Reading) -> Result<Vec<String>, Code> {
    let reader = user(BEN);
    let messages = match how {
        Reading::Page => chat.history(reader, room, Page::Latest, 10).await.map(|page| page.messages),
        Reading::At(place) => chat.messages_at(reader, room, &[place]).await.map(|page| page.messages),
        Reading::Changes => chat.changes(reader, room, Position::ZERO, 10).await.map(|page| page.messages),
    };
    let words = |shown: &Shown| message(&shown.placed.event).map(|said| said.body.as_str().to_owned());
    messages.map(|all| all.iter().filter_map(words).collect()).map_err(|refusal| refusal.code)
}

/// Somebody is sent away, and then older words become others: the store has both before the node does.
#[tokio::test]
async fn nobody_reads_words_of_after_their_removal() {
    let edited = |target: Target, words: &str| {
        let body = Body::new(words).unwrap();
        Action::Edited { target, body, mentions: Vec::new() }
    };
    for of in 0..3 {
        let (mut scene, _) = Scene::room();
        let seen = scene.happens(ANN, "seen", said("first"));
        scene.happens(ANN, "second", edited(seen, "second"));
        scene.consume();
        let mut node = scene.node().await;
        let room = scene.conversation();
        let how = [Reading::Page, Reading::At(seen.position), Reading::Changes][of];
        assert!(read(node.chat.clone(), room, how).await.unwrap().contains(&"second".to_owned()), "{how:?}");

        // Who is there still reads them, when the node has seen that they are.
        scene.happens(ANN, "third", edited(seen, "third"));
        scene.consume();
        let reading = tokio::spawn(read(node.chat.clone(), room, how));
        settle().await;
        assert!(!reading.is_finished(), "{how:?}: Ben may have been sent away before");
        scene.read(&mut node).await;
        assert!(reading.await.unwrap().unwrap().contains(&"third".to_owned()), "{how:?}");

        scene.happens(ANN, "away", Action::Removed { user: user(BEN) });
        scene.happens(ANN, "fourth", edited(seen, "not for Ben"));
        scene.consume();
        let reading = tokio::spawn(read(node.chat.clone(), room, how));
        settle().await;
        scene.read(&mut node).await;
        assert_eq!(reading.await.unwrap(), Err(Code::Void(Void::NotMember)), "{how:?}");
    }
}

/// A name is for one thing only, however long ago that was: nobody hears that something was done which was
/// not.
#[tokio::test]
async fn a_name_of_something_else_is_refused_when_only_the_store_knows_it() {
    for place in [Place::Room(ConversationId::room(user(ANN), &name("room"))), Place::Direct(user(BEN))] {
        let mut scene = match place {
            Place::Room(_) => Scene::room().0,
            Place::Direct(_) => Scene::of(place),
        };
        let one = scene.happens(ANN, "one", said("one"));
        let other = scene.happens(ANN, "other", said("other"));
        let third = scene.happens(ANN, "third", said("third"));
        let edit = |words: &str| What::Edit { body: Body::new(words).unwrap(), mentions: Vec::new() };
        let edited = Action::Edited { target: one, body: Body::new("new").unwrap(), mentions: Vec::new() };
        let edited = scene.happens(ANN, "edit", edited);
        let deleted = scene.happens(ANN, "delete", Action::Deleted { target: other, reason: None });
        scene.consume();
        let node = scene.node().await;
        let again = async |client_id: &str, target: Target, what: What| {
            let request = ChangeRequest {
                actor: user(ANN),
                target: crate::chat::Target::Conversation(scene.conversation()),
                client_id: name(client_id),
                position: target.position,
                id: Some(target.id),
                what,
                connection: None,
            };
            match node.chat.prepare_change(request).await {
                Ok(prepared) => Ok(prepared.produce().now_or_never().expect("a repeat").unwrap().position),
                Err(refusal) => Err(refusal.code),
            }
        };
        let delete = || What::Delete { reason: None };
        // The same once more is what it was.
        assert_eq!(again("edit", one, edit("new")).await, Ok(edited.position));
        assert_eq!(again("delete", other, delete()).await, Ok(deleted.position));
        for (client_id, target, what) in [
            ("one", one, delete()),
            ("edit", one, delete()),
            ("edit", one, edit("newer")),
            ("edit", third, edit("new")),
            ("delete", one, delete()),
            ("delete", one, edit("new")),
            ("one", one, What::Pin { on: true }),
        ] {
            let refused = again(client_id, target, what.clone()).await;
            assert_eq!(refused, Err(Code::ClientIdReused), "{client_id} {what:?}");
        }
    }
}
