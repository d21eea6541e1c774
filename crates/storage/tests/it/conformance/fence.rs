use milena_domain::{Epoch, Position};
use milena_storage::{OffsetAdvance, WriteBatch, WriteError};

use crate::database::TestDatabase;
use crate::letters::{TOPIC, at, batch, row, row_with};

pub(super) async fn a_batch_must_begin_where_the_store_is(database: &TestDatabase) {
    let store = database.store().await;
    assert!(store.log_position(TOPIC).await.unwrap().next_offsets.is_empty());
    store.write_batch(&batch(3, 500, 501, vec![row(1, 2, "a", 500)])).await.unwrap();
    assert_eq!(
        store.log_position(TOPIC).await.unwrap().next_offsets[&3],
        501,
        "the first may begin anywhere"
    );

    for from in [0, 500, 502] {
        let late = row(1, 2, "late", from);
        let error = store.write_batch(&batch(3, from, from + 9, vec![late.clone()])).await.unwrap_err();
        assert!(
            matches!(error, WriteError::Fenced { partition: 3, expected, found: 501 } if expected == from),
            "{error}"
        );
        assert_eq!(store.message(late.id).await.unwrap(), None);
    }

    // One partition of several is enough; none of the others moves, not even a new one.
    let mut several = batch(3, 501, 502, vec![row(1, 2, "b", 501)]);
    several.advances.push(OffsetAdvance { partition: 1, from: 0, to: 5 });
    store.write_batch(&several).await.unwrap();
    let mut several = batch(3, 502, 503, vec![row(1, 2, "c", 502)]);
    several.advances.push(OffsetAdvance { partition: 7, from: 0, to: 5 });
    several.advances.push(OffsetAdvance { partition: 1, from: 4, to: 9 });
    let error = store.write_batch(&several).await.unwrap_err();
    assert!(matches!(error, WriteError::Fenced { partition: 1, expected: 4, found: 5 }), "{error}");
    let stored: Vec<_> = store.log_position(TOPIC).await.unwrap().next_offsets.into_iter().collect();
    assert_eq!(stored, [(1, 5), (3, 502)]);
    assert_eq!(store.message(row(1, 2, "c", 502).id).await.unwrap(), None);
}

/// The old owner and the new owner of two partitions write at the same time, from the same beginning, over
/// and over; they name the partitions in different orders and have different ideas of where the batch ends.
pub(super) async fn of_two_writers_one_wins(database: &TestDatabase) {
    let first = database.store().await;
    let second = database.connect().await;
    let mut next = 0;
    let mut wins = [0, 0];
    for round in 0..40 {
        let attempt = |writer: i64| {
            let to = next + 1 + writer;
            let rows = (next..to).map(|offset| row(1, 2, &format!("{offset}"), offset));
            let mut advances: Vec<_> =
                [0, 1].map(|partition| OffsetAdvance { partition, from: next, to }).into_iter().collect();
            if writer == 1 {
                advances.reverse();
            }
            let events = rows.map(Into::into).collect();
            WriteBatch { topic: TOPIC.to_owned(), epoch: Epoch::FIRST, events, advances }
        };
        let batches = [attempt(0), attempt(1)];
        // Transient failures, such as a deadlock, are allowed; they are tried again until one has won.
        let outcomes = loop {
            let (a, b) = if round % 2 == 0 {
                tokio::join!(first.write_batch(&batches[0]), second.write_batch(&batches[1]))
            } else {
                let (b, a) = tokio::join!(second.write_batch(&batches[1]), first.write_batch(&batches[0]));
                (a, b)
            };
            if a.is_ok() || b.is_ok() {
                break [a, b];
            }
        };
        let log = first.log_position(TOPIC).await.unwrap().next_offsets;
        let winner = usize::from(outcomes[1].is_ok());
        assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1, "{outcomes:?}");
        let end = next + 1 + winner as i64;
        assert_eq!(log.into_values().collect::<Vec<_>>(), [end, end], "the winner's end, on both partitions");
        match &outcomes[1 - winner] {
            Err(WriteError::Fenced { expected, found, .. }) => assert_eq!((*expected, *found), (next, end)),
            Err(WriteError::Transient(_)) => {}
            other => panic!("{other:?}"),
        }
        let ids: Vec<_> = batches[1].events.iter().map(|placed| placed.event.id).collect();
        assert_eq!(first.existing_messages(&ids).await.unwrap().len(), 1 + winner, "the winner's rows only");
        wins[winner] += 1;
        next = end;
    }
    eprintln!("wins: {wins:?}");
}

pub(super) async fn a_new_epoch_ends_the_old_one(database: &TestDatabase) {
    let store = database.store().await;
    store.write_batch(&batch(0, 0, 100, vec![row(1, 2, "a", 99)])).await.unwrap();
    let second = store.begin_epoch(at(5)).await.unwrap();
    assert_eq!(second.get(), 2);
    let log = store.log_position(TOPIC).await.unwrap();
    assert_eq!(log.epoch, second);
    assert!(log.next_offsets.is_empty(), "the new log begins at its beginning");

    let error = store.write_batch(&batch(0, 100, 101, vec![row(1, 2, "b", 100)])).await.unwrap_err();
    assert!(
        matches!(error, WriteError::StaleEpoch { given: Epoch::FIRST, current } if current == second),
        "{error}"
    );
    let b = row_with(1, 2, "b", Position::new(second, 0), 7, "in the new log");
    let mut batch = batch(0, 0, 1, vec![b.clone()]);
    batch.epoch = second;
    store.write_batch(&batch).await.unwrap();
    let (found, log) = store.conversation_of(TOPIC, b.to, b.conversation).await.unwrap();
    assert_eq!(found.unwrap().last_position, b.position, "later than everything of the first epoch");
    assert_eq!(log.next_offsets[&0], 1);
}
