//! Who reads a message the moment it is shown has read it, however many follow in the same burst.

use milena_domain::Position;
use serde_json::Value;
use tokio::time::{Duration, timeout};
use uuid::Uuid;

use super::node::Node;
use super::shared::{Log, MemoryStore, event, user};
use crate::registry::Outbox;
use crate::wire::frames::frame_for;

const MESSAGES: usize = 3_000;

/// In a conversation with another, and in notes to self, which need no look-up of the other.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_a_message_that_was_just_shown_are_taken_as_they_are() {
    let (ann, ben) = (user(0), user(1));
    for sender in [ben, ann] {
        let mut log = Log::default();
        for number in 0..MESSAGES {
            log.append(event(sender, ann, &number.to_string()));
        }
        let partition = log.partitions.iter().position(|records| !records.is_empty()).unwrap();
        let conversation = log.partitions[partition][0].conversation;
        let mut node = Node::start(&log, MemoryStore::default(), 16 << 20).await;
        let outbox = Outbox::new(2 * MESSAGES, 64 << 20);
        let _registration = node.chat.registry.register(ann, Uuid::nil(), outbox.clone());
        let chat = node.chat.clone();
        let reading = tokio::spawn(async move {
            let (mut shown, mut late) = (0, 0);
            while shown < MESSAGES {
                outbox.wait().await;
                while let Some(update) = outbox.pop() {
                    let frame = frame_for(&update, ann).unwrap();
                    let frame: Value = serde_json::from_str(frame.as_str()).unwrap();
                    if frame["type"] != "message" {
                        continue;
                    }
                    shown += 1;
                    let position: Position = serde_json::from_value(frame["position"].clone()).unwrap();
                    chat.mark_read(ann, conversation, position, None).await.unwrap();
                    late += usize::from(chat.reads.waiting(ann, conversation) < Some(position));
                }
            }
            late
        });
        node.read_in_bursts(&log, partition).await;
        let late = timeout(Duration::from_secs(60), reading).await.expect("all are shown").unwrap();
        assert_eq!(late, 0, "marks that were taken for earlier ones, of {MESSAGES}");
    }
}
