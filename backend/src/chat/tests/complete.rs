//! When an answer may say that it is complete.

use milena_storage::Page;

use super::node::Node;
use super::shared::{Log, MemoryStore, event, user};

/// The log was away and others wrote meanwhile. That it answers again proves nothing: only who has read up to
/// where it ended then knows it all.
#[tokio::test]
async fn after_an_outage_answers_are_complete_only_when_the_tail_has_caught_up() {
    let (mut log, store, ann, ben) = (Log::default(), MemoryStore::default(), user(0), user(1));
    let (partition, _) = log.append(event(ann, ben, "before"));
    let (partition, conversation) = (partition as usize, log.partitions[partition as usize][0].conversation);
    let mut node = Node::start(&log, store.clone(), 1 << 20).await;
    let messages = async |node: &Node| {
        let page = node.chat.history(ann, conversation, Page::Latest, 100).await.unwrap();
        (page.messages.len(), page.complete)
    };
    assert!(!node.chat.health().is_caught_up(), "at its start it has read nothing yet");
    node.read(&log, partition, 1).await;
    assert_eq!(messages(&node).await, (1, true));

    node.disconnect();
    assert_eq!(messages(&node).await, (1, false));
    for number in 0..3 {
        log.append(event(ben, ann, &number.to_string()));
    }
    node.connect(&log).await;
    for read in 1..3 {
        assert_eq!(messages(&node).await, (read, false), "it answers, but {read} of 4 were read");
        node.read(&log, partition, 1).await;
    }
    assert_eq!(messages(&node).await, (3, false));
    // Lost and found again before it caught up: the old end counts no more.
    node.disconnect();
    log.append(event(ben, ann, "while it was away again"));
    node.connect(&log).await;
    node.read(&log, partition, 1).await;
    assert_eq!(messages(&node).await, (4, false), "that was the end the first time");
    node.read(&log, partition, 1).await;
    assert_eq!(messages(&node).await, (5, true));
}
