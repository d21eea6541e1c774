//! The server hangs, or the network swallows packets: calls end soon as temporary errors, and work again
//! afterwards.

use std::time::{Duration, Instant};

use milena_storage::{StorageError, Store, WriteError};

use crate::database::{Server, TestDatabase, settings};
use crate::letters::{TOPIC, batch, new_user, row, user};
use crate::wire::{State, Wire};

async fn store_behind_a_wire(database: &TestDatabase) -> (Store, Wire) {
    let (wire, mut settings) = Wire::to(database).await;
    settings.acquire_timeout_ms = 700;
    settings.max_connections = 3;
    (Store::connect(&settings).await.unwrap(), wire)
}

async fn fails_soon_and_recovers(database: &TestDatabase, broken: State) {
    database.store().await.create_user(new_user(1, "anna", "Anna")).await.unwrap();
    let (store, wire) = store_behind_a_wire(database).await;
    // All connections of the pool have been used.
    futures::future::join_all((0..10).map(|_| store.person(user(1)))).await;

    wire.set(broken).await;
    for round in 0..3 {
        let began = Instant::now();
        let calls = futures::future::join_all((0..10).map(|_| store.person(user(1))));
        for outcome in calls.await {
            let error = outcome.unwrap_err();
            assert!(error.is_temporary(), "{error}");
        }
        assert!(began.elapsed() < Duration::from_millis(1_500), "round {round} took {:?}", began.elapsed());
    }
    let error = store.ping().await.unwrap_err();
    assert!(matches!(error, StorageError::Unavailable(_)), "{error}");
    let error = store.conversations_of(TOPIC, user(1), None, 10).await.unwrap_err();
    assert!(error.is_temporary(), "{error}");

    wire.set(State::Works).await;
    let deadline = Instant::now() + Duration::from_secs(10);
    while let Err(error) = store.ping().await {
        assert!(error.is_temporary() && Instant::now() < deadline, "{error}");
    }
    // No place in the pool was lost.
    for _ in 0..2 {
        for outcome in futures::future::join_all((0..6).map(|_| store.person(user(1)))).await {
            if let Err(error) = outcome {
                assert!(error.is_temporary(), "{error}");
            }
        }
    }
    for outcome in futures::future::join_all((0..6).map(|_| store.person(user(1)))).await {
        assert!(outcome.unwrap().is_some());
    }
    store.write_batch(&batch(0, 0, 1, vec![row(1, 2, "a", 0)])).await.unwrap();
    store.close().await;
}

async fn a_cut_connection_is_a_transient_write_error(database: &TestDatabase) {
    database.store().await;
    let (store, wire) = store_behind_a_wire(database).await;
    wire.set(State::Cut).await;
    let error = store.write_batch(&batch(0, 0, 1, vec![row(1, 2, "a", 0)])).await.unwrap_err();
    assert!(matches!(error, WriteError::Transient(_)), "{error}");
    let error = Store::connect(&settings("postgres://milena@127.0.0.1:1/none")).await;
    assert!(error.is_err());
}

macro_rules! on_every_server {
    ($($database:ident: $server:ident),*) => { $(
        mod $database {
            use super::*;

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn a_server_that_hangs_fails_soon_and_recovers() {
                if let Some(database) = TestDatabase::create(Server::$server).await {
                    fails_soon_and_recovers(&database, State::Swallows).await;
                }
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn a_server_that_is_gone_fails_soon_and_recovers() {
                if let Some(database) = TestDatabase::create(Server::$server).await {
                    fails_soon_and_recovers(&database, State::Cut).await;
                    a_cut_connection_is_a_transient_write_error(&database).await;
                }
            }
        }
    )* };
}

on_every_server!(postgres: Postgres, mariadb: MariaDb);
