//! A change that stands twice in the log is done once, wherever this node begins to read, and whatever the
//! store has counted meanwhile; and what is done to a message is judged in its order, whatever waits for
//! what.

use futures::FutureExt;
use milena_domain::record::{Action, Event, Message, Place, Target};
use milena_domain::{Body, ClientId, ConversationId, Epoch, Position, Timestamp, partition_of};
use milena_storage::Page;
use tokio::time::{Duration, timeout};

use super::node::Node;
use super::shared::{Log, MemoryStore, PARTITIONS, user};
use crate::chat::{ChangeRequest, What};
use crate::log::event::message;
use crate::refusal::Code;

/// What Ann says to Ben, and what she makes of it.
struct Story {
    log: Log,
    store: MemoryStore,
}

impl Story {
    fn new() -> Self {
        Self { log: Log::default(), store: MemoryStore::default() }
    }

    fn happens(&mut self, client_id: &str, action: Action) -> Target {
        let (at, seen) = (Timestamp::from_unix_ms(1), Position::new(Epoch::FIRST, 0));
        let client_id = ClientId::new(client_id).unwrap();
        let event = Event::new(user(0), Place::Direct(user(1)), client_id, at, seen, action);
        let id = event.id;
        let (_, offset) = self.log.append(event);
        Target { position: Position::new(Epoch::FIRST, offset), id }
    }

    fn says(&mut self, words: &str) -> Target {
        self.happens(words, Action::Message(Message::plain(Body::new(words).unwrap())))
    }

    fn edits(&mut self, client_id: &str, target: Target, words: &str) {
        let body = Body::new(words).unwrap();
        self.happens(client_id, Action::Edited { target, body, mentions: Vec::new() });
    }

    fn partition() -> usize {
        partition_of(conversation(), PARTITIONS) as usize
    }

    fn consume(&self) {
        self.store.consume(&self.log, Self::partition(), usize::MAX);
    }

    async fn read(&self, node: &mut Node) {
        node.read(&self.log, Self::partition(), usize::MAX).await;
    }
}

fn conversation() -> ConversationId {
    ConversationId::direct(user(0), user(1))
}

/// The words of all messages, once nothing is undecided any more.
async fn words(node: &Node) -> Vec<String> {
    let decided = async {
        loop {
            let page = node.chat.history(user(1), conversation(), Page::Latest, 10).await.unwrap();
            if page.complete {
                return page.messages;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let messages = timeout(Duration::from_secs(20), decided).await.expect("everything is judged");
    let body =
        |shown: &crate::live::life::Shown| Some(message(&shown.placed.event)?.body.as_str().to_owned());
    messages.iter().filter_map(body).collect()
}

/// What was stored before this node began is known by its name.
#[tokio::test]
async fn a_change_of_before_the_start_is_not_done_again() {
    let mut story = Story::new();
    let one = story.says("one");
    story.edits("e", one, "first");
    story.edits("f", one, "second");
    story.consume();
    let mut node = Node::start_warming(&story.log, story.store.clone(), 1 << 20, [0; PARTITIONS]).await;
    story.read(&mut node).await;
    story.edits("e", one, "first");
    story.read(&mut node).await;
    assert_eq!(words(&node).await, ["second"]);
    // One that never counted has not used its name up.
    let mut story = Story::new();
    let (one, other) = (story.says("one"), story.says("other"));
    story.happens("gone", Action::Deleted { target: other, reason: None });
    story.edits("late", other, "too late");
    story.consume();
    let mut node = Node::start_warming(&story.log, story.store.clone(), 1 << 20, [0; PARTITIONS]).await;
    story.read(&mut node).await;
    story.edits("late", one, "in time");
    story.read(&mut node).await;
    assert!(words(&node).await.contains(&"in time".to_owned()));
}

/// What waited here, and was counted by the store meanwhile.
#[tokio::test]
async fn a_change_that_the_store_has_settled_is_not_done_again() {
    let mut story = Story::new();
    let one = story.says("one");
    story.consume();
    let mut node = Node::start(&story.log, story.store.clone(), 1 << 20).await;
    story.edits("e", one, "first");
    story.consume();
    story.read(&mut node).await;
    assert_eq!(words(&node).await, ["first"]);
    story.edits("f", one, "second");
    story.edits("e", one, "first");
    story.read(&mut node).await;
    assert_eq!(words(&node).await, ["second"]);
}

/// Three changes of one name, of which the first waits for one message and the others are about another one;
/// and then one of another name about that.
#[tokio::test]
async fn what_waits_for_its_name_comes_before_what_comes_later_about_its_message() {
    let mut story = Story::new();
    let (one, other) = (story.says("one"), story.says("other"));
    story.happens("gone", Action::Deleted { target: one, reason: None });
    story.consume();
    let mut node = Node::start(&story.log, story.store.clone(), 1 << 20).await;
    // Void, since its message is gone: so the next one of the name counts.
    story.edits("n", one, "never");
    story.edits("n", other, "first");
    story.edits("x", other, "second");
    story.edits("n", other, "first again");
    story.edits("y", other, "third");
    story.edits("n", one, "never");
    story.read(&mut node).await;
    assert_eq!(words(&node).await.last().map(String::as_str), Some("third"));
}

/// The store has a digest of what each change said, however many came later.
#[tokio::test]
async fn a_change_under_the_name_of_one_that_later_ones_cover_is_refused() {
    let mut story = Story::new();
    let one = story.says("one");
    story.edits("e", one, "first");
    story.edits("f", one, "second");
    story.consume();
    let node = Node::start(&story.log, story.store.clone(), 1 << 20).await;
    let again = async |words: &str| {
        let request = ChangeRequest {
            actor: user(0),
            target: crate::chat::Target::Conversation(conversation()),
            client_id: ClientId::new("e").unwrap(),
            position: one.position,
            id: Some(one.id),
            what: What::Edit { body: Body::new(words).unwrap(), mentions: Vec::new() },
            connection: None,
        };
        let prepared = node.chat.prepare_change(request).await.map_err(|refusal| refusal.code)?;
        Ok(prepared.produce().now_or_never().expect("a repeat").unwrap().position.offset())
    };
    assert_eq!(again("something else").await, Err(Code::ClientIdReused));
    assert_eq!(again("first").await, Ok(1));
}
