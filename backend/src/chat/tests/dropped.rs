//! What memory had to drop before the store had it: whoever asks in that moment hears that something may be
//! missing, and never gets an answer that looks whole. And who comes with a cursor of another log starts
//! afresh.

use std::sync::Arc;

use milena_domain::{ConversationId, Epoch, SessionCursor, UserId, partition_of};
use milena_storage::Page;
use tokio::sync::Semaphore;
use tokio::task::yield_now;
use uuid::Uuid;

use super::node::Node;
use super::shared::{Log, MESSAGE_BYTES, MemoryStore, PARTITIONS, event, strangers, user};
use crate::chat::resume::Attached;
use crate::refusal::Code;
use crate::registry::Outbox;

/// Memory holds two messages. Ben's to Ann is in it and not in the store; others of the same partition came
/// before.
struct Scene {
    log: Log,
    store: MemoryStore,
    /// Two permits a look-up: for reading, and for answering.
    gate: Arc<Semaphore>,
    node: Node,
    partition: usize,
    ann: UserId,
    conversation: ConversationId,
    others: (UserId, UserId),
}

impl Scene {
    /// `known`: an older message of the conversation is in the store.
    async fn set(known: bool) -> Self {
        let (ann, ben) = (user(0), user(1));
        let conversation = ConversationId::direct(ann, ben);
        let partition = partition_of(conversation, PARTITIONS);
        let others = strangers(partition);
        let partition = partition as usize;
        let (mut log, store) = (Log::default(), MemoryStore::default());
        let (from, to) = if known { (ben, ann) } else { others };
        log.append(event(from, to, "old"));
        store.consume(&log, partition, 1);
        let gate = Arc::new(Semaphore::new(0));
        let mut node = Node::start(&log, store.behind(&gate), 2 * MESSAGE_BYTES).await;
        log.append(event(ben, ann, "new"));
        node.read(&log, partition, 1).await;
        Self { log, store, gate, node, partition, ann, conversation, others }
    }

    /// With one look into the store.
    async fn attach(&self, cursor: SessionCursor) -> (Attached, Outbox) {
        self.gate.add_permits(2);
        let outbox = Outbox::new(100, 1 << 20);
        let attached = self.node.chat.attach(self.ann, Uuid::nil(), outbox.clone(), Some(cursor)).await;
        self.gate.forget_permits(2);
        (attached.unwrap(), outbox)
    }

    /// Others chat until Ben's message has left memory.
    async fn drop_from_memory(&mut self) {
        for number in 0..3 {
            self.log.append(event(self.others.0, self.others.1, &number.to_string()));
        }
        self.node.read(&self.log, self.partition, 3).await;
        assert!(!self.node.chat.recent().is_complete(self.partition as i32));
    }

    /// What asks gets so many looks into the store; then the store has everything, and the node hears of it.
    async fn store_catches_up_after(&self, looks: usize) {
        settle().await;
        self.gate.add_permits(2 * looks + 1);
        settle().await;
        self.store.consume(&self.log, self.partition, 100);
        self.node.learn_stored(&self.store);
        assert!(self.node.chat.recent().is_complete(self.partition as i32));
        self.gate.add_permits(100);
    }
}

async fn settle() {
    for _ in 0..64 {
        yield_now().await;
    }
}

fn from_the_start() -> SessionCursor {
    SessionCursor { epoch: Epoch::FIRST, next_offsets: vec![0; PARTITIONS] }
}

/// Neither memory nor the store knows of the conversation then: only that something was dropped tells.
#[tokio::test]
async fn a_replay_is_refused_when_a_whole_conversation_left_memory_since_the_attach() {
    let mut scene = Scene::set(false).await;
    let (attached, outbox) = scene.attach(from_the_start()).await;
    assert!(attached.resumed && !attached.backlog.is_empty());
    scene.drop_from_memory().await;
    scene.gate.add_permits(100);
    let refused = scene.node.chat.replay(scene.ann, attached.backlog, &outbox).await.unwrap_err();
    assert_eq!(refused.code, Code::Overloaded);
}

/// The store was read too early, and by the time it answers nothing seems to be missing any more.
#[tokio::test]
async fn a_replay_is_refused_when_the_store_catches_up_after_it_was_read() {
    let mut scene = Scene::set(false).await;
    let (attached, outbox) = scene.attach(from_the_start()).await;
    scene.drop_from_memory().await;
    let (replayed, ()) = tokio::join!(
        scene.node.chat.replay(scene.ann, attached.backlog, &outbox),
        scene.store_catches_up_after(0),
    );
    assert_eq!(replayed.unwrap_err().code, Code::Overloaded);
}

#[tokio::test]
async fn a_page_is_not_called_complete_when_the_store_catches_up_after_it_was_read() {
    let mut scene = Scene::set(true).await;
    scene.drop_from_memory().await;
    let page = || scene.node.chat.history(scene.ann, scene.conversation, Page::Latest, 10);
    // The first look is for the members.
    let (history, ()) = tokio::join!(page(), scene.store_catches_up_after(1));
    let history = history.unwrap();
    assert_eq!((history.messages.len(), history.complete), (1, false));
    let history = page().await.unwrap();
    assert_eq!((history.messages.len(), history.complete), (2, true));
}

#[tokio::test]
async fn a_cursor_of_another_log_resumes_nothing() {
    let scene = Scene::set(false).await;
    let current = scene.attach(from_the_start()).await.0.cursor;
    let next_offsets = current.next_offsets.clone();
    for (cursor, resumed) in [
        (current.clone(), true),
        (SessionCursor { epoch: Epoch::new(2).unwrap(), next_offsets: next_offsets.clone() }, false),
        (SessionCursor { next_offsets: [&next_offsets[..], &[0]].concat(), ..current.clone() }, false),
        (SessionCursor { next_offsets: next_offsets[1..].to_vec(), ..current.clone() }, false),
    ] {
        let (attached, _) = scene.attach(cursor.clone()).await;
        assert_eq!(attached.resumed, resumed, "{cursor:?}");
        assert_eq!(attached.cursor, current);
    }
}
