//! What only the file-based database has to prove.

use std::time::{Duration, Instant};

use milena_storage::{StorageError, Store, StoreKind};
use sea_orm::{ConnectionTrait, Statement};

use crate::database::{Server, TestDatabase, settings};
use crate::letters::{TOPIC, batch, new_user, row, user};

async fn database() -> TestDatabase {
    TestDatabase::create(Server::Sqlite).await.unwrap()
}

#[tokio::test]
async fn another_programs_lock_is_a_temporary_error() {
    let database = database().await;
    database.store().await;
    let mut impatient = database.settings();
    impatient.acquire_timeout_ms = 300;
    let store = Store::connect(&impatient).await.unwrap();
    assert_eq!(store.kind(), StoreKind::Sqlite);
    let other = database.raw().await;
    other.execute_unprepared("BEGIN IMMEDIATE").await.unwrap();

    let began = Instant::now();
    let error = store.create_user(new_user(1, "anna", "Anna")).await.unwrap_err();
    assert!(error.is_temporary(), "{error}");
    assert!(began.elapsed() < Duration::from_secs(2));
    assert!(store.person(user(1)).await.unwrap().is_none(), "readers do not wait for the writer");
    assert!(store.log_position(TOPIC).await.is_ok());

    other.execute_unprepared("ROLLBACK").await.unwrap();
    let deadline = Instant::now() + Duration::from_secs(5);
    while let Err(error) = store.create_user(new_user(1, "anna", "Anna")).await {
        if matches!(error, StorageError::UsernameTaken) {
            break; // The statement of the first, given up attempt came through after all.
        }
        assert!(error.is_temporary() && Instant::now() < deadline, "{error}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_programs_write_to_one_file() {
    let database = database().await;
    database.store().await;
    let programs = (0..2_i32).map(|program| {
        let database = &database;
        async move {
            let store = database.connect().await;
            for index in 0..60_i64 {
                let number = 10 + i64::from(program) * 1_000 + index;
                let message = row(number as u128, 1, &format!("{index}"), index);
                store.write_batch(&batch(program, index, index + 1, vec![message])).await.unwrap();
                store.create_user(new_user(number as u128, &format!("user{number}"), "U")).await.unwrap();
                assert!(store.person(user(number as u128)).await.unwrap().is_some());
            }
        }
    });
    futures::future::join_all(programs).await;
    let store = database.connect().await;
    assert_eq!(store.conversations_of(TOPIC, user(1), None, 500).await.unwrap().conversations.len(), 120);
}

#[tokio::test]
async fn the_file_is_in_wal_mode_and_survives_closing() {
    let database = database().await;
    let store = database.store().await;
    store.create_user(new_user(1, "anna", "Anna")).await.unwrap();
    let clone = store.clone();
    store.close().await;
    let error = clone.ping().await.unwrap_err();
    assert!(error.is_temporary(), "{error}");

    let raw = database.raw().await;
    let query = Statement::from_string(raw.get_database_backend(), "PRAGMA journal_mode");
    let mode: String = raw.query_one_raw(query).await.unwrap().unwrap().try_get_by_index(0).unwrap();
    assert_eq!(mode, "wal");
    raw.close().await.unwrap();
    assert!(database.connect().await.person(user(1)).await.unwrap().is_some());
}

#[tokio::test]
async fn urls_that_cannot_work_are_refused() {
    for (url, sentence) in [
        ("sqlite::memory:", "in-memory"),
        ("sqlite:file?mode=memory", "in-memory"),
        ("oracle://x", "database.url must start with"),
        ("sqlite:/no/such/folder/file.db?mode=rwc", "unable to open"),
    ] {
        let error = Store::connect(&settings(url)).await.unwrap_err().to_string();
        assert!(error.contains(sentence), "{url}: {error}");
    }
    let unmigrated = database().await.connect().await;
    assert!(unmigrated.log_position(TOPIC).await.is_err());
}
