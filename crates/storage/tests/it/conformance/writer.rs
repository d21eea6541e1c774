use std::time::{Duration, Instant};

use milena_domain::{Body, Epoch, Position};
use milena_storage::{OffsetAdvance, Page, StorageError, WriteError, WriteReport};
use sea_orm::{ConnectionTrait, Statement};

use crate::database::{Server, TestDatabase};
use crate::letters::{TOPIC, at, batch, new_user, row, row_with, user};

pub(super) async fn duplicates_are_stored_once(database: &TestDatabase) {
    let store = database.store().await;
    let mut rows = vec![row(1, 2, "a", 0), row(2, 1, "b", 1), row(1, 2, "a", 2), row(1, 3, "a", 3)];
    // The same sender and client id is the same message, even to somebody else; the first counts.
    assert_eq!(rows[0].id, rows[3].id);
    rows[2].body = Body::new("not this one").unwrap();
    let report = store.write_batch(&batch(0, 0, 4, rows)).await.unwrap();
    assert_eq!(report, WriteReport { inserted: 2, repeats: 2, void: 0 }, "within a batch");

    let later = vec![row(2, 1, "b", 4), row(2, 1, "c", 5), row(1, 2, "a", 6)];
    let report = store.write_batch(&batch(0, 4, 7, later)).await.unwrap();
    assert_eq!(report, WriteReport { inserted: 1, repeats: 2, void: 0 }, "across batches");

    // The log from its beginning again, under another topic's offsets: what a second replay does.
    let mut replay = batch(0, 0, 2, vec![row(1, 2, "a", 0), row(2, 1, "b", 1)]);
    replay.topic = "replayed".to_owned();
    let report = store.write_batch(&replay).await.unwrap();
    assert_eq!(
        report,
        WriteReport { inserted: 0, repeats: 2, void: 0 },
        "the same rows at the same positions"
    );

    let stored = store.history(row(1, 2, "a", 0).conversation, Page::Latest, 10).await.unwrap().messages;
    let places: Vec<_> = stored.iter().map(|message| message.position.offset()).collect();
    assert_eq!(places, [0, 1, 5]);
    assert_eq!(stored[0].body.as_str(), "letter 0");

    let empty = store.write_batch(&batch(0, 7, 9, Vec::new())).await.unwrap();
    assert_eq!(empty, WriteReport::default(), "a batch may have only bad records");
    assert_eq!(store.log_position(TOPIC).await.unwrap().next_offsets[&0], 9);
}

pub(super) async fn a_repeat_does_not_move_its_conversation(database: &TestDatabase) {
    let store = database.store().await;
    let first = row_with(1, 2, "a", Position::new(Epoch::FIRST, 0), 1_000, "first");
    let conversation = first.conversation;
    store.write_batch(&batch(0, 0, 1, vec![first.clone()])).await.unwrap();
    let repeat = row_with(1, 2, "a", Position::new(Epoch::FIRST, 7), 9_000, "first");
    let other = row_with(3, 4, "x", Position::new(Epoch::FIRST, 8), 5_000, "other");
    let report = store.write_batch(&batch(0, 1, 9, vec![repeat, other])).await.unwrap();
    assert_eq!(report, WriteReport { inserted: 1, repeats: 1, void: 0 });

    let (found, log) = store.conversation_of(TOPIC, user(1), conversation).await.unwrap();
    let found = found.unwrap();
    assert_eq!((found.last_position, found.last_sent_at), (first.position, at(1_000)));
    assert_eq!(found.last_message.unwrap().id, first.id);
    assert_eq!(log.next_offsets[&0], 9);

    // An old message that is sent late is still the newest of its conversation: the log's order counts.
    let late = row_with(2, 1, "b", Position::new(Epoch::FIRST, 9), 10, "imported");
    store.write_batch(&batch(0, 9, 10, vec![late.clone()])).await.unwrap();
    let (found, _) = store.conversation_of(TOPIC, user(1), conversation).await.unwrap();
    let found = found.unwrap();
    assert_eq!((found.last_position, found.last_sent_at), (late.position, at(10)));
}

pub(super) async fn a_taken_position_is_bad_data(database: &TestDatabase) {
    let store = database.store().await;
    store.write_batch(&batch(0, 0, 1, vec![row(1, 2, "a", 0)])).await.unwrap();
    let good = row(1, 2, "good", 1);
    let taken = row(1, 2, "bad", 0);
    let error = store.write_batch(&batch(0, 1, 3, vec![good.clone(), taken])).await.unwrap_err();
    assert!(matches!(error, WriteError::Permanent(_)), "{error}");
    assert_eq!(store.log_position(TOPIC).await.unwrap().next_offsets[&0], 1, "nothing of it is stored");
    assert_eq!(store.message(good.id).await.unwrap(), None);
    let (found, _) = store.conversation_of(TOPIC, user(1), good.conversation).await.unwrap();
    assert_eq!(found.unwrap().last_position.offset(), 0);
    store.write_batch(&batch(0, 1, 3, vec![good])).await.unwrap();
}

/// Domain types keep U+0000 out; this is what would happen if they did not.
pub(super) async fn bad_text_is_bad_data(database: &TestDatabase) {
    let _store = database.store().await;
    let raw = database.raw().await;
    let insert = |placeholders: &str, id: i64, text: &str| {
        let sql = format!(
            "INSERT INTO consumer_offsets (topic, partition_id, epoch, next_offset) VALUES ({placeholders})"
        );
        let values = [text.into(), id.into(), 1_i64.into(), 0_i64.into()];
        Statement::from_sql_and_values(raw.get_database_backend(), sql, values)
    };
    let placeholders =
        if database.server == Server::Postgres { "$1, $2::int, $3::int, $4" } else { "?, ?, ?, ?" };
    let nul = raw.execute_raw(insert(placeholders, 0, "a\0b")).await;
    match database.server {
        Server::Postgres => {
            let error = nul.unwrap_err();
            assert!(matches!(StorageError::from(error.clone()), StorageError::Other(_)), "{error}");
            assert!(matches!(WriteError::from(error.clone()), WriteError::Permanent(_)), "{error}");
        }
        Server::Sqlite | Server::MariaDb => assert_eq!(nul.unwrap().rows_affected(), 1),
    }
    raw.execute_raw(insert(placeholders, 1, "t")).await.unwrap();
    let twice = raw.execute_raw(insert(placeholders, 1, "t")).await.unwrap_err();
    assert!(matches!(WriteError::from(twice), WriteError::Permanent(_)));
    let missing = raw.execute_unprepared("INSERT INTO no_such_table VALUES (1)").await.unwrap_err();
    assert!(matches!(WriteError::from(missing), WriteError::NeedsRepair(_)), "a person can mend that");
}

pub(super) async fn large_batches_are_written_whole(database: &TestDatabase) {
    let store = database.store().await;
    let write_and_check = async |from: i64, count: i64, partition: i32, body: &str| {
        let rows: Vec<_> = (from..from + count)
            .map(|offset| {
                let place = Position::new(Epoch::FIRST, offset);
                row_with(1 + (offset % 50) as u128, 60, &format!("{offset}"), place, offset, body)
            })
            .collect();
        let ids: Vec<_> = rows.iter().map(|row| row.id).collect();
        let report = store.write_batch(&batch(partition, from, from + count, rows)).await.unwrap();
        assert_eq!(report, WriteReport { inserted: count as u64, repeats: 0, void: 0 });
        assert_eq!(store.existing_messages(&ids).await.unwrap().len(), count as usize);
    };
    write_and_check(0, 5_000, 0, "short").await;
    // 9.6 MB: more than any consumer's default batch, and one statement below a server's packet limit.
    write_and_check(10_000, 300, 1, &"😀".repeat(8_000)).await;
}

/// A consumer that is stopped in the middle of a write: whenever that was, rows and offset agree, and what
/// others then write over the same connections is really committed.
pub(super) async fn an_abandoned_write_leaves_all_or_nothing(database: &TestDatabase) {
    let store = database.store().await;
    let beside = database.connect().await;
    let mut next = 0;
    let mut abandoned = 0;
    // On a busy machine connections whose write was abandoned may be back in the pool only after the time to
    // wait for one.
    let deadline = Instant::now() + Duration::from_secs(180);
    for attempt in 0..80_u64 {
        let rows: Vec<_> = (next..next + 200).map(|offset| row(1, 2, &format!("{offset}"), offset)).collect();
        let ids: Vec<_> = rows.iter().map(|row| row.id).collect();
        let limit = Duration::from_micros(attempt * attempt * 8);
        if tokio::time::timeout(limit, store.write_batch(&batch(0, next, next + 200, rows))).await.is_err() {
            abandoned += 1;
        }
        let person = u128::from(attempt) + 100;
        while let Err(error) = store.create_user(new_user(person, &format!("user{person}"), "U")).await {
            assert!(matches!(error, StorageError::Unavailable(_)) && Instant::now() < deadline, "{error}");
        }
        assert!(beside.person(user(person)).await.unwrap().is_some(), "committed, after attempt {attempt}");
        // An abandoned commit may still be on its way. This batch is written after it.
        let settled = loop {
            match store.write_batch(&batch(1, attempt as i64, attempt as i64 + 1, Vec::new())).await {
                Ok(_) => break store.log_position(TOPIC).await.unwrap(),
                Err(WriteError::Transient(_)) if Instant::now() < deadline => {}
                Err(error) => panic!("{error}"),
            }
        };
        let stored = store.existing_messages(&ids).await.unwrap().len();
        let after = settled.next_offsets.get(&0).copied().unwrap_or(0);
        assert!(
            after == next && stored == 0 || after == next + 200 && stored == 200,
            "{after}: {stored} rows"
        );
        next = after;
    }
    assert!(abandoned > 0, "no write was slow enough to be abandoned");
}

pub(super) async fn consumers_of_different_partitions_do_not_disturb_each_other(database: &TestDatabase) {
    const BATCHES: i64 = 15;
    let store = database.store().await;
    let consumers = (0..4_i32).map(|consumer| async move {
        let store = database.connect().await;
        for index in 0..BATCHES {
            let (from, to) = (index * 50, (index + 1) * 50);
            let mut rows = Vec::new();
            let mut advances = Vec::new();
            for partition in [consumer * 2, consumer * 2 + 1] {
                advances.push(OffsetAdvance { partition, from, to });
                rows.extend((from..to).map(|offset| {
                    // Each partition has its own conversations; one person is in all of them.
                    let other = 10 + partition as u128 * 10 + (offset % 7) as u128;
                    row(other, 1, &format!("{partition}-{offset}"), offset)
                }));
            }
            let mut batch = batch(0, 0, 0, rows);
            batch.advances = advances;
            let report = loop {
                match store.write_batch(&batch).await {
                    Ok(report) => break report,
                    Err(WriteError::Transient(error)) => eprintln!("again: {error}"),
                    Err(error) => panic!("{error}"),
                }
            };
            assert_eq!(report, WriteReport { inserted: 100, repeats: 0, void: 0 });
        }
        store.close().await;
    });
    futures::future::join_all(consumers).await;
    let log = store.log_position(TOPIC).await.unwrap();
    assert_eq!(log.next_offsets.into_values().collect::<Vec<_>>(), [BATCHES * 50; 8]);
    let listing = store.conversations_of(TOPIC, user(1), None, 100).await.unwrap();
    assert_eq!(listing.conversations.len(), 8 * 7);
}
