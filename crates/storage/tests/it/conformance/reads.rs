use milena_domain::{ConversationId, Epoch, Position};
use milena_storage::ReadMark;

use crate::database::TestDatabase;
use crate::letters::{TOPIC, row, user, write};

fn mark(reader: u128, other: u128, offset: i64) -> ReadMark {
    ReadMark {
        user: user(reader),
        conversation: ConversationId::direct(user(reader), user(other)),
        position: Position::new(Epoch::FIRST, offset),
    }
}

pub(super) async fn read_positions_only_grow(database: &TestDatabase) {
    let store = database.store().await;
    write(&store, (0..10).map(|offset| row(2, 1, &format!("{offset}"), offset)).collect()).await;
    let last_read = async || {
        let (found, _) = store.conversation_of(TOPIC, user(1), mark(1, 2, 0).conversation).await.unwrap();
        found.unwrap().last_read.offset()
    };
    assert_eq!(store.advance_reads(&[mark(1, 2, 5)]).await.unwrap(), [true]);
    assert_eq!(last_read().await, 5);
    assert_eq!(store.advance_reads(&[mark(1, 2, 3)]).await.unwrap(), [true], "stored, but not beyond");
    assert_eq!(last_read().await, 5);
    let several = [mark(1, 2, 6), mark(1, 2, 8), mark(1, 2, 7)];
    assert_eq!(store.advance_reads(&several).await.unwrap(), [true; 3]);
    assert_eq!(last_read().await, 8);

    let other = database.connect().await;
    let marks: Vec<_> = (0..100).map(|offset| mark(1, 2, offset)).collect();
    let backwards: Vec<_> = marks.iter().rev().copied().collect();
    let (first, second) = tokio::join!(store.advance_reads(&marks), other.advance_reads(&backwards));
    assert_eq!((first.unwrap(), second.unwrap()), (vec![true; 100], vec![true; 100]));
    assert_eq!(last_read().await, 99);
}

pub(super) async fn marks_of_unknown_members_are_answered(database: &TestDatabase) {
    let store = database.store().await;
    write(&store, vec![row(2, 1, "a", 0), row(1, 1, "note", 1)]).await;
    let marks = [mark(1, 9, 5), mark(1, 2, 0), mark(3, 4, 1), mark(2, 1, 7), mark(1, 1, 1)];
    assert_eq!(store.advance_reads(&marks).await.unwrap(), [false, true, false, true, true]);
    assert!(store.advance_reads(&[]).await.unwrap().is_empty());
    let stranger = ReadMark { user: user(3), ..mark(1, 2, 0) };
    assert_eq!(store.advance_reads(&[stranger]).await.unwrap(), [false], "not a member of this one");
}
