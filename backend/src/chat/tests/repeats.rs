//! The same `client_id` again: the same message is answered as the repeat that it is, another one is refused,
//! wherever the first one stands. Nothing is accepted and shown that the store then drops.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use futures::FutureExt;
use futures::future::{BoxFuture, join_all};
use milena_domain::{Body, ClientId, UserId};
use tokio::sync::Semaphore;
use uuid::Uuid;

use super::node::Node;
use super::shared::{Log, MESSAGE_BYTES, MemoryStore, PARTITIONS, event, user};
use crate::chat::{Accepted, Besides, SendRequest, Target};
use crate::refusal::{Code, Refusal};
use crate::registry::Outbox;

const ROOMY: usize = 1 << 20;

struct Scene {
    log: Log,
    store: MemoryStore,
    node: Node,
}

impl Scene {
    async fn set(recent_bytes: usize) -> Self {
        let (log, store) = (Log::default(), MemoryStore::default());
        let node = Node::start(&log, store.clone(), recent_bytes).await;
        Self { log, store, node }
    }

    async fn begin(
        &self,
        client_id: &str,
        to: UserId,
        body: &str,
    ) -> Result<BoxFuture<'static, Result<Accepted, Refusal>>, Refusal> {
        begin(&self.node, client_id, to, body).await
    }

    /// Sends and waits for the answer; the log confirms at once.
    async fn send(&mut self, client_id: &str, to: UserId, body: &str) -> Result<Accepted, Refusal> {
        let answer = self.begin(client_id, to, body).await?;
        self.node.append(&mut self.log);
        self.node.confirm().await;
        answer.now_or_never().expect("the log has confirmed")
    }

    fn store_everything(&self) {
        for partition in 0..PARTITIONS {
            self.store.consume(&self.log, partition, usize::MAX);
        }
        self.node.learn_stored(&self.store);
    }

    /// Memory is empty, and the tail reads on from what the store has.
    async fn restart(&mut self) {
        self.node = Node::start(&self.log, self.store.clone(), ROOMY).await;
        for partition in 0..PARTITIONS {
            self.node.read(&self.log, partition, usize::MAX).await;
        }
    }

    fn records(&self) -> usize {
        self.log.partitions.iter().map(Vec::len).sum()
    }
}

async fn begin(
    node: &Node,
    client_id: &str,
    to: UserId,
    body: &str,
) -> Result<BoxFuture<'static, Result<Accepted, Refusal>>, Refusal> {
    let request = SendRequest {
        besides: None,
        sender: user(0),
        target: Target::User(to),
        client_id: ClientId::new(client_id).unwrap(),
        body: Body::new(body).unwrap(),
        connection: None,
    };
    Ok(node.chat.prepare(request).await?.produce().boxed())
}

fn refused<T: std::fmt::Debug>(outcome: Result<T, Refusal>) -> Code {
    outcome.unwrap_err().code
}

/// A client that begins at 1 in each session: its second session's first message is not the first session's.
#[tokio::test]
async fn ids_that_begin_at_1_in_each_session_lose_nothing_over_a_restart() {
    let mut scene = Scene::set(ROOMY).await;
    let (ben, cleo) = (user(1), user(2));
    let mut first = Vec::new();
    for number in 1..=3 {
        let words = format!("first session, {number}");
        first.push(scene.send(&number.to_string(), ben, &words).await.unwrap());
    }
    scene.store_everything();
    scene.restart().await;
    for (number, first) in (1..).zip(&first) {
        let id = number.to_string();
        assert_eq!(refused(scene.send(&id, ben, "second session").await), Code::ClientIdReused);
        let words = format!("first session, {number}");
        assert_eq!(refused(scene.send(&id, cleo, &words).await), Code::ClientIdReused);
        assert_eq!(scene.send(&id, ben, &words).await.as_ref(), Ok(first), "the repeat that it is");
    }
    assert_eq!(scene.records(), 3);
    let fourth = scene.send("4", ben, "second session").await.unwrap();
    scene.store_everything();
    let stored = scene.node.chat.in_store(fourth.id).await.unwrap().unwrap();
    assert_eq!((stored.position, stored.body.as_str()), (fourth.position, "second session"));
}

#[tokio::test]
async fn another_message_of_the_same_name_is_refused_in_memory_and_in_flight() {
    let mut scene = Scene::set(ROOMY).await;
    let (ben, cleo) = (user(1), user(2));
    let under_way = scene.begin("a", ben, "x").await.unwrap();
    assert_eq!(refused(scene.begin("a", ben, "y").await.unwrap().await), Code::ClientIdReused);
    assert_eq!(refused(scene.begin("a", cleo, "x").await.unwrap().await), Code::ClientIdReused);
    let again = scene.begin("a", ben, "x").await.unwrap();
    scene.node.append(&mut scene.log);
    scene.node.confirm().await;
    assert_eq!(under_way.await, again.await);
    assert_eq!(refused(scene.send("a", ben, "y").await), Code::ClientIdReused);
    assert_eq!(refused(scene.send("a", cleo, "x").await), Code::ClientIdReused);
    assert_eq!(scene.records(), 1);
}

/// Two nodes, each with another message of the same name under way: the first in the log wins, on both.
#[tokio::test]
async fn who_was_second_on_another_node_is_refused() {
    let mut scene = Scene::set(ROOMY).await;
    let ben = user(1);
    let mut other = Node::start(&scene.log, scene.store.clone(), ROOMY).await;
    let (here, there) =
        (scene.begin("a", ben, "x").await.unwrap(), begin(&other, "a", ben, "y").await.unwrap());
    scene.node.append(&mut scene.log);
    other.append(&mut scene.log);
    scene.node.confirm().await;
    assert_eq!(here.now_or_never().unwrap().unwrap().position.offset(), 0);
    for partition in 0..PARTITIONS {
        other.read(&scene.log, partition, usize::MAX).await;
    }
    assert_eq!(refused(there.now_or_never().unwrap()), Code::ClientIdReused);
    assert_eq!(scene.records(), 2);
}

/// With a prefix the store is not asked as long as memory reaches back to it: a database that is away holds
/// nobody up.
#[tokio::test]
async fn a_prefix_needs_no_look_up_while_memory_reaches_back() {
    let (log, store) = (Log::default(), MemoryStore::default());
    let gate = Arc::new(Semaphore::new(0));
    // Room for two, with their long names.
    let node = Node::start(&log, store.behind(&gate), 2 * (MESSAGE_BYTES + 30)).await;
    let mut scene = Scene { log, store, node };
    let (ann, ben) = (user(0), user(1));
    // Who he is was looked up before.
    gate.add_permits(2);
    assert!(scene.node.chat.directory().exists(ben).await.unwrap());
    assert!(scene.begin("a", ben, "x").now_or_never().is_none(), "without one, the store must say");

    // Memory reaches back to the node's start; the prefix is a moment younger.
    scene.log.time_ms.fetch_add(1, Ordering::Relaxed);
    let prefix = scene.node.chat.client_id_prefix(ann);
    for number in 0..4 {
        let sent = scene.begin(&format!("{prefix}{number}"), ben, "x").now_or_never();
        let late = number == 3;
        assert_eq!(sent.is_none(), late, "message {number}");
        if let Some(answer) = sent {
            scene.node.append(&mut scene.log);
            scene.node.confirm().await;
            answer.unwrap().now_or_never().expect("confirmed").unwrap();
        }
        if number == 1 {
            let again = scene.begin(&format!("{prefix}0"), ben, "x").now_or_never();
            assert!(again.expect("no look-up").is_ok(), "in memory");
        }
    }
    let renewed = scene.node.chat.client_id_prefix(ann);
    assert!(
        scene.begin(&format!("{renewed}5"), ben, "x").now_or_never().is_some(),
        "a new one is good again"
    );
}

/// A whole crowd that sends again at once, without a proof that it is new, costs the store a few queries.
#[tokio::test]
async fn many_ids_that_nothing_proves_new_are_asked_in_one_query() {
    const CROWD: usize = 200;
    let (log, store) = (Log::default(), MemoryStore::default());
    let gate = Arc::new(Semaphore::new(2));
    let node = Node::start(&log, store.all_behind(&gate), ROOMY).await;
    let mut scene = Scene { log, store, node };
    let ben = user(1);
    // Who he is was looked up before.
    assert!(scene.node.chat.directory().exists(ben).await.unwrap());
    scene.store.looks();
    // Every second one as an event of version 2.
    let request = |number: usize| SendRequest {
        besides: Besides { mentions: vec![ben; number % 2], ..Besides::default() }.boxed(),
        sender: user(0),
        target: Target::User(ben),
        client_id: ClientId::new(&number.to_string()).unwrap(),
        body: Body::new("x").unwrap(),
        connection: None,
    };
    let mut asked = Box::pin(join_all((0..CROWD).map(|number| scene.node.chat.prepare(request(number)))));
    assert!(asked.as_mut().now_or_never().is_none(), "the store must say");
    gate.add_permits(Semaphore::MAX_PERMITS / 2);
    let prepared = asked.await;
    // Of each version two that were under way while the others came, and one for all of these.
    assert!(scene.store.looks() <= 2 * 3);
    for prepared in prepared {
        let answer = prepared.unwrap().produce();
        scene.node.append(&mut scene.log);
        scene.node.confirm().await;
        answer.await.unwrap();
    }
    assert_eq!(scene.records(), CROWD);
}

/// Memory had to drop the first before the store had it; the store catches up only after it was asked.
#[tokio::test]
async fn what_memory_had_to_drop_is_not_taken_for_new() {
    let (log, store) = (Log::default(), MemoryStore::default());
    let gate = Arc::new(Semaphore::new(100));
    let node = Node::start(&log, store.behind(&gate), 2 * MESSAGE_BYTES).await;
    let mut scene = Scene { log, store, node };
    let ben = user(1);
    scene.send("0", ben, "x").await.unwrap();
    for number in 0..3 {
        scene.log.append(event(user(2), user(3), &number.to_string()));
    }
    for partition in 0..PARTITIONS {
        scene.node.read(&scene.log, partition, usize::MAX).await;
    }
    gate.forget_permits(usize::MAX);
    let again = scene.node.chat.prepare(SendRequest {
        besides: None,
        sender: user(0),
        target: Target::User(ben),
        client_id: ClientId::new("0").unwrap(),
        body: Body::new("x").unwrap(),
        connection: None,
    });
    let mut again = Box::pin(again);
    gate.add_permits(1);
    assert!(again.as_mut().now_or_never().is_none(), "the store was read, its answer is on the way");
    scene.store_everything();
    gate.add_permits(100);
    assert_eq!(refused(again.await.map(drop)), Code::Overloaded);
    assert_eq!(scene.send("0", ben, "x").await.unwrap().position.offset(), 0);
}

/// Somebody's producer repeats, after this node's start, what the store had before it: memory does not know
/// the first one, the window does.
#[tokio::test]
async fn a_repeat_of_what_was_stored_before_the_start_is_not_shown() {
    let (mut log, store) = (Log::default(), MemoryStore::default());
    let ben = user(1);
    let first = event(user(0), ben, "1");
    let partition = log.append(first.clone()).0 as usize;
    store.consume(&log, partition, usize::MAX);
    log.append(first);
    let mut node = Node::start_warming(&log, store, ROOMY, [0; PARTITIONS]).await;
    assert_eq!(node.chat.progress.borrow().shown[partition], 1, "what the store has was shown");
    let outbox = Outbox::new(10, 100_000);
    let _registration = node.chat.registry.register(ben, Uuid::nil(), outbox.clone());
    node.read(&log, partition, 1).await;
    assert!(!node.chat.health.is_caught_up() && outbox.is_empty(), "that was only to warm the window");
    node.read(&log, partition, 1).await;
    assert!(node.chat.health.is_caught_up() && outbox.is_empty(), "nobody is shown it twice");
}
