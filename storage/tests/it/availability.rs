//! The server hangs, or the network swallows packets: calls end soon as temporary errors, and work again afterwards.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use milena_storage::{StorageError, Store, WriteError};
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::database::{Server, TestDatabase, settings};
use crate::letters::{TOPIC, batch, new_user, row, user};

/// What the wire between store and server does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wire {
    Works,
    /// Connections stay open, and nothing passes.
    Swallows,
    /// Connections end, and new ones are ended at once.
    Cut,
}

/// A port that leads to the server, as long as the wire works. Ends with the test's runtime.
async fn wire_to(server: SocketAddr) -> (SocketAddr, watch::Sender<Wire>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (control, state) = watch::channel(Wire::Works);
    tokio::spawn(async move {
        let mut connections = JoinSet::new();
        while let Ok((client, _)) = listener.accept().await {
            let state = state.clone();
            connections.spawn(carry(client, server, state));
        }
    });
    (address, control)
}

async fn carry(mut client: TcpStream, server: SocketAddr, mut state: watch::Receiver<Wire>) {
    let mut server = TcpStream::connect(server).await.unwrap();
    loop {
        let wire = *state.borrow_and_update();
        match wire {
            Wire::Cut => return,
            Wire::Swallows => {}
            Wire::Works => {
                tokio::select! {
                    _ = copy_bidirectional(&mut client, &mut server) => return,
                    _ = state.changed() => continue,
                }
            }
        }
        if state.changed().await.is_err() {
            return;
        }
    }
}

async fn store_behind_a_wire(database: &TestDatabase) -> (Store, watch::Sender<Wire>) {
    let (scheme, rest) = database.url.split_once("://").unwrap();
    let (login, place) = rest.split_once('@').unwrap();
    let (host, path) = place.split_once('/').unwrap();
    let (address, control) =
        wire_to(host.parse().expect("the server's URL has an IP address and a port")).await;
    let mut settings = settings(&format!("{scheme}://{login}@{address}/{path}"));
    settings.acquire_timeout_ms = 700;
    settings.max_connections = 3;
    (Store::connect(&settings).await.unwrap(), control)
}

async fn fails_soon_and_recovers(database: &TestDatabase, broken: Wire) {
    database.store().await.create_user(new_user(1, "anna", "Anna")).await.unwrap();
    let (store, control) = store_behind_a_wire(database).await;
    // All connections of the pool have been used.
    futures::future::join_all((0..10).map(|_| store.person(user(1)))).await;

    control.send_replace(broken);
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

    control.send_replace(Wire::Works);
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
    let (store, control) = store_behind_a_wire(database).await;
    control.send_replace(Wire::Cut);
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
                    fails_soon_and_recovers(&database, Wire::Swallows).await;
                }
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn a_server_that_is_gone_fails_soon_and_recovers() {
                if let Some(database) = TestDatabase::create(Server::$server).await {
                    fails_soon_and_recovers(&database, Wire::Cut).await;
                    a_cut_connection_is_a_transient_write_error(&database).await;
                }
            }
        }
    )* };
}

on_every_server!(postgres: Postgres, mariadb: MariaDb);
