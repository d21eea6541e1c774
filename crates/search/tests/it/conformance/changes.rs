//! Messages that change, commits, and processes that die.

use milena_search::{Change, Index};

use super::Engine;
use crate::world::{World, at, bodies, checkpoint, conversation, message, put};

pub(crate) async fn a_message_is_found_as_it_is_now<E: Engine>() {
    let engine = E::new().await;
    let index = engine.open().await;
    let mut world = World::default();
    let edited = |body: &str, by| Change::Put { message: message(1, 1, body), at: at(by) };
    let removed = |by| Change::Remove { conversation: conversation(1), position: at(1), at: at(by) };
    let steps = [
        (vec![put(&message(1, 1, "first words")), put(&message(2, 1, "first elsewhere"))], 2, 0),
        (vec![edited("other words", 2)], 1, 1),
        // Twice between two commits.
        (vec![edited("first again", 3), edited("other again", 4)], 1, 1),
        (vec![removed(5)], 1, 0),
        (vec![removed(6)], 1, 0),
        (vec![edited("first back", 7), removed(8), edited("first at last", 9)], 2, 0),
    ];
    for (number, (changes, first, other)) in steps.into_iter().enumerate() {
        world.apply(&changes);
        index.write(changes).await.unwrap();
        index.commit(checkpoint(number as i64)).await.unwrap();
        assert_eq!(bodies(&index, &world, "first").await.len(), first, "step {number}");
        assert_eq!(bodies(&index, &world, "other").await.len(), other, "step {number}");
        assert_eq!(index.count().await.unwrap(), world.messages.len() as u64, "step {number}");
    }
}

pub(crate) async fn offsets_and_messages_are_one<E: Engine>() {
    let engine = E::new().await;
    {
        let index = engine.open().await;
        assert_eq!(index.checkpoint().await.unwrap(), None);
        index.write(vec![put(&message(1, 1, "word"))]).await.unwrap();
        assert_eq!(index.checkpoint().await.unwrap(), None, "nothing is said before it is durable");
        index.commit(checkpoint(2)).await.unwrap();
        assert_eq!(index.checkpoint().await.unwrap(), Some(checkpoint(2)));
    }
    let index = engine.open().await;
    assert_eq!(index.checkpoint().await.unwrap(), Some(checkpoint(2)));
    assert_eq!(index.count().await.unwrap(), 1);
}

pub(crate) async fn what_was_not_committed_is_written_again<E: Engine>() {
    let engine = E::new().await;
    let changes: Vec<Change> = (0..30).map(|n| put(&message(1, n, &format!("word n{n}")))).collect();
    let mut world = World::default();
    world.apply(&changes);
    {
        let index = engine.open().await;
        index.write(changes[..10].to_vec()).await.unwrap();
        index.commit(checkpoint(10)).await.unwrap();
        index.write(changes[10..20].to_vec()).await.unwrap();
        // The process dies here.
    }
    for _ in 0..3 {
        let index = engine.open().await;
        let from = usize::try_from(index.checkpoint().await.unwrap().unwrap().next_offsets[&0]).unwrap();
        assert_eq!(from, 10);
        index.write(changes[from..].to_vec()).await.unwrap();
        // And here again, and again.
    }
    let index = engine.open().await;
    index.write(changes[10..].to_vec()).await.unwrap();
    index.commit(checkpoint(30)).await.unwrap();
    assert_eq!(index.count().await.unwrap(), 30);
    assert_eq!(bodies(&index, &world, "word").await.len(), 30);
}

pub(crate) async fn an_empty_commit_moves_on<E: Engine>() {
    let engine = E::new().await;
    {
        let index = engine.open().await;
        for next in 1..5 {
            index.commit(checkpoint(next)).await.unwrap();
            assert_eq!(index.checkpoint().await.unwrap(), Some(checkpoint(next)));
        }
    }
    let index = engine.open().await;
    assert_eq!(index.checkpoint().await.unwrap(), Some(checkpoint(4)));
    assert_eq!(index.count().await.unwrap(), 0);
}
