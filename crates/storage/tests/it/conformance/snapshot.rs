use std::sync::atomic::{AtomicBool, Ordering};

use milena_domain::ConversationId;

use crate::database::TestDatabase;
use crate::letters::{TOPIC, batch, row, user};

/// While a consumer writes one message a batch, to two conversations of two partitions in turn, every answer
/// shows exactly the messages below the offsets that it names.
pub(super) async fn a_list_says_exactly_which_records_it_contains(database: &TestDatabase) {
    let store = database.store().await;
    let reader = database.connect().await;
    let done = AtomicBool::new(false);
    let consumer = async {
        for index in 0..300_i64 {
            let (partition, offset) = ((index % 2) as i32, index / 2);
            let other = 2 + partition as u128;
            let row = row(other, 1, &format!("{offset}"), offset);
            store.write_batch(&batch(partition, offset, offset + 1, vec![row])).await.unwrap();
        }
        done.store(true, Ordering::Relaxed);
    };
    let conversations = [2, 3].map(|other| ConversationId::direct(user(1), user(other)));
    let checks = async {
        let mut moments = std::collections::BTreeSet::new();
        while !done.load(Ordering::Relaxed) {
            let listing = reader.conversations_of(TOPIC, user(1), None, 10).await.unwrap();
            for (partition, id) in (0..).zip(conversations) {
                let next = listing.log.next_offsets.get(&partition).copied().unwrap_or(0);
                let shown = listing.conversations.iter().find(|found| found.id == id);
                assert_eq!(shown.map_or(0, |found| found.last_position.offset() + 1), next);
                assert_eq!(shown.map_or(0, |found| i64::from(found.unread)), next.min(1_000));
                let last = shown.map(|found| found.last_message.as_ref().unwrap().position.offset() + 1);
                assert_eq!(last.unwrap_or(0), next);
                moments.insert((partition, next));
            }
            let (found, log) = reader.conversation_of(TOPIC, user(1), conversations[0]).await.unwrap();
            let next = log.next_offsets.get(&0).copied().unwrap_or(0);
            assert_eq!(found.map_or(0, |found| found.last_position.offset() + 1), next);
        }
        moments.len()
    };
    let ((), moments) = tokio::join!(consumer, checks);
    assert!(moments > 4, "only {moments} different moments were seen");
}
