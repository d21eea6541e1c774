//! How long things take, on whatever databases are given. Not a test of anything; run it with
//! `cargo test -p milena-storage --release -- --ignored --nocapture measure`.

use std::time::Instant;

use milena_domain::{ConversationId, Epoch, Position};
use milena_storage::{OffsetAdvance, Page, ReadMark, Store, WriteBatch};
use sea_orm::{ConnectionTrait, QueryResult, Statement};

use crate::database::{Server, TestDatabase};
use crate::letters::{TOPIC, row_with, user};

const BATCHES: i64 = 10;
const ROWS: i64 = 5_000;
const PARTITIONS: i64 = 12;
const PEOPLE: i64 = 400;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "measures"]
async fn measure() {
    for server in [Server::Sqlite, Server::Postgres, Server::MariaDb] {
        let Some(database) = TestDatabase::create(server).await else { continue };
        let store = database.store().await;
        // As every consumer does at its start: what it remembers depends on it.
        store.note_partitions(TOPIC, Epoch::FIRST, PARTITIONS as usize).await.unwrap();
        write_batches(&store, server).await;
        ask(&store, server).await;
        store.close().await;
    }
}

async fn write_batches(store: &Store, server: Server) {
    let batches: Vec<_> = (0..BATCHES).map(make_batch).collect();
    let began = Instant::now();
    for batch in &batches {
        assert_eq!(store.write_batch(batch).await.unwrap().inserted, ROWS as u64);
    }
    let seconds = began.elapsed().as_secs_f64();
    println!("{server:?}: {:.0} rows/s in batches of {ROWS}", (BATCHES * ROWS) as f64 / seconds);
    let mut again = batches;
    for batch in &mut again {
        batch.topic.push('2');
    }
    let began = Instant::now();
    for batch in &again {
        assert_eq!(store.write_batch(batch).await.unwrap().inserted, 0);
    }
    let seconds = began.elapsed().as_secs_f64();
    println!("{server:?}: {:.0} duplicates/s", (BATCHES * ROWS) as f64 / seconds);
}

/// Person 1 is in every tenth message; the others write among themselves. Bodies are as long as text
/// messages.
fn make_batch(index: i64) -> WriteBatch {
    let mut rows = Vec::new();
    for number in index * ROWS..(index + 1) * ROWS {
        let (sender, to) = match number % 20 {
            0 => (1, 2 + number / 10 % PEOPLE),
            10 => (2 + number / 10 % PEOPLE, 1),
            _ => (2 + number * 7_919 % PEOPLE, 2 + number * 104_729 % PEOPLE),
        };
        let position = Position::new(Epoch::FIRST, number);
        let body = "All work and no play. ".repeat(1 + (number % 7) as usize);
        rows.push(row_with(sender as u128, to as u128, &number.to_string(), position, number, &body));
    }
    let (from, to) = (index * ROWS, (index + 1) * ROWS);
    let advances =
        (0..PARTITIONS).map(|partition| OffsetAdvance { partition: partition as i32, from, to }).collect();
    let events = rows.into_iter().map(Into::into).collect();
    WriteBatch { topic: TOPIC.to_owned(), epoch: Epoch::FIRST, events, advances }
}

async fn ask(store: &Store, server: Server) {
    const TIMES: u32 = 50;
    macro_rules! time {
        ($what:expr, $call:expr) => {{
            $call.await.unwrap();
            let began = Instant::now();
            for _ in 0..TIMES {
                $call.await.unwrap();
            }
            println!(
                "{server:?}: {} {:.2} ms",
                $what,
                began.elapsed().as_secs_f64() * 1e3 / f64::from(TIMES)
            );
        }};
    }
    let listing = store.conversations_of(TOPIC, user(1), None, 500).await.unwrap().conversations;
    let unread: u32 = listing.iter().map(|found| found.unread).sum();
    time!(
        format!("list of 100 of {} conversations, {unread} unread:", listing.len()),
        store.conversations_of(TOPIC, user(1), None, 100)
    );
    time!("one conversation:", store.conversation_of(TOPIC, user(1), listing[0].id));
    time!("history:", store.history(listing[0].id, Page::Latest, 50));
    time!("log position:", store.log_position(TOPIC));
    time!("members:", store.members(ConversationId::direct(user(1), user(2))));
    time!("since:", store.conversations_since(user(1), milena_domain::Position::ZERO, 500));
    let marks: Vec<_> = listing
        .iter()
        .map(|found| ReadMark { user: user(1), conversation: found.id, position: found.last_position })
        .collect();
    let began = Instant::now();
    store.advance_reads(&marks).await.unwrap();
    println!("{server:?}: {} read marks {:.1} ms", marks.len(), began.elapsed().as_secs_f64() * 1e3);
}

/// How long the upgrade of a store takes, and that nothing of it is lost. `MILENA_MEASURE_STORE` is the URL
/// of a copy of a store of the first version, which is upgraded in place.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "measures"]
async fn measure_upgrade() {
    const MESSAGES: &str = "SELECT id, position FROM messages ORDER BY id";
    const MARKS: &str = "SELECT conversation_id, last_read FROM members ORDER BY conversation_id, user_id";
    let Ok(url) = std::env::var("MILENA_MEASURE_STORE") else { return };
    let raw = crate::database::raw(&url).await;
    let rows = async |query: &str| -> Vec<(uuid::Uuid, i64)> {
        let query = Statement::from_string(raw.get_database_backend(), query);
        let found = raw.query_all_raw(query).await.unwrap();
        let row = |row: &QueryResult| (row.try_get_by_index(0).unwrap(), row.try_get_by_index(1).unwrap());
        found.iter().map(row).collect()
    };
    let (messages, marks) = (rows(MESSAGES).await, rows(MARKS).await);
    let began = Instant::now();
    let store = Store::open(&crate::database::settings(&url)).await.unwrap();
    println!("{} messages, {} marks upgraded in {:?}", messages.len(), marks.len(), began.elapsed());
    assert!(rows(MESSAGES).await == messages && rows(MARKS).await == marks);
    let began = Instant::now();
    assert_eq!(store.number_messages().await.unwrap(), 0);
    println!("nothing left to number: {:?}", began.elapsed());
}
