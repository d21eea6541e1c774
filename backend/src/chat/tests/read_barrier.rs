//! What a no costs: once more is looked only if there was anything that the node had not read.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use milena_domain::record::Action;
use milena_domain::{ClientId, ConversationId, UserId, partition_of};
use tokio::sync::Semaphore;
use tokio::task::yield_now;

use super::node::Node;
use super::shared::{Log, MemoryStore, PARTITIONS, event, user};
use crate::chat::{Chat, RoomChange};
use crate::refusal::Code;

/// Asks for something in a room that there is not.
async fn hears_no(chat: Chat, room: ConversationId) {
    let client_id = ClientId::new("x").unwrap();
    let change = RoomChange { actor: user(1), room, client_id, action: Action::Left, connection: None };
    assert_eq!(chat.change_room(change).await.unwrap_err().code, Code::UnknownConversation);
}

#[tokio::test]
async fn a_no_is_looked_up_again_only_when_there_was_something_new() {
    let mut log = Log::default();
    let store = MemoryStore::default().all_behind(&Arc::new(Semaphore::new(Semaphore::MAX_PERMITS)));
    let mut node = Node::start(&log, store.clone(), 1 << 20).await;
    let room = ConversationId::room(UserId::SERVER, &ClientId::new("no room").unwrap());
    store.looks();
    hears_no(node.chat.clone(), room).await;
    let once = store.looks();
    assert!(once > 0);

    // Somebody wrote in the same partition, and this node reads it only while it is asked.
    let partition = partition_of(room, PARTITIONS);
    let others = (10..).map(|other| event(user(2), user(other), "x"));
    let new = others.into_iter().find(|event| partition_of(event.conversation, PARTITIONS) == partition);
    log.append(new.expect("one of them"));
    let asking = tokio::spawn(hears_no(node.chat.clone(), room));
    while store.looks.load(Ordering::Relaxed) < once {
        yield_now().await;
    }
    node.read(&log, partition as usize, 1).await;
    asking.await.unwrap();
    assert_eq!(store.looks(), 2 * once);
}
