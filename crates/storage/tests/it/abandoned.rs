//! Callers go away in the midst of their calls, as people do who close a page: whoever comes next over the
//! same connections gets the answer to what they asked, and no connection is lost.

use std::time::{Duration, Instant};

use milena_storage::{Page, Store};

use crate::database::{Server, TestDatabase};
use crate::letters::{TOPIC, new_user, row, user, write};
use crate::wire::{State, Wire};

const PEOPLE: u128 = 10;
/// Each with new connections, on which every statement must be prepared first.
const STORES: u64 = 12;
const CALLS: u64 = 40;

/// Calls of different kinds, each of which knows the right answer.
async fn ask(store: &Store, number: u64) {
    let asked = 1 + u128::from(number) % PEOPLE;
    match number % 4 {
        0 | 1 => assert_eq!(store.person(user(asked)).await.unwrap().unwrap().id, user(asked)),
        2 => {
            let message = row(asked, asked + 1, "a", asked as i64);
            let page = store.history(message.conversation, Page::Latest, 10).await.unwrap();
            assert_eq!(page.messages.iter().map(|message| message.id).collect::<Vec<_>>(), [message.id]);
        }
        _ => {
            let listing = store.conversations_of(TOPIC, user(asked), None, 10).await.unwrap();
            assert!(!listing.conversations.is_empty());
        }
    }
}

async fn abandoned_calls_disturb_nobody(database: &TestDatabase) {
    let direct = database.store().await;
    for number in 1..=PEOPLE + 1 {
        direct.create_user(new_user(number, &format!("user{number}"), "U")).await.unwrap();
    }
    write(&direct, (1..=PEOPLE).map(|number| row(number, number + 1, "a", number as i64)).collect()).await;

    let (wire, mut settings) = Wire::to(database).await;
    settings.max_connections = 3;
    let mut abandoned = 0;
    for attempt in 0..STORES {
        wire.set(State::Works).await;
        let store = Store::connect(&settings).await.unwrap();
        wire.set(State::Drips).await;
        for call in 0..CALLS {
            let limit = Duration::from_millis((attempt + call * 7) % 60);
            if tokio::time::timeout(limit, ask(&store, call)).await.is_err() {
                abandoned += 1;
            }
        }
        wire.set(State::Works).await;
        let began = Instant::now();
        futures::future::join_all((0..20).map(|call| ask(&store, call))).await;
        println!("attempt {attempt}: answered after {:?}", began.elapsed());
        store.close().await;
    }
    assert!(abandoned > CALLS, "only {abandoned} calls were slow enough to be abandoned");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_postgres() {
    if let Some(database) = TestDatabase::create(Server::Postgres).await {
        abandoned_calls_disturb_nobody(&database).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_mariadb() {
    if let Some(database) = TestDatabase::create(Server::MariaDb).await {
        abandoned_calls_disturb_nobody(&database).await;
    }
}
