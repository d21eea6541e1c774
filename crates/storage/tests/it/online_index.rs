//! PostgreSQL: the indexes of what has changed and of pins are built while others write, and built again
//! where that was cut off.

use std::time::Duration;

use sea_orm::{ConnectionTrait, DatabaseConnection, Statement, TransactionTrait};

use crate::database::{Server, TestDatabase};
use crate::letters::{row, write};

async fn is_valid(raw: &DatabaseConnection, index: &str) -> Option<bool> {
    let ask = format!("SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass('{index}')");
    let row = raw.query_one_raw(Statement::from_string(raw.get_database_backend(), ask)).await.unwrap();
    row.map(|row| row.try_get_by_index(0).unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn others_write_while_it_is_built() {
    let Some(database) = TestDatabase::create(Server::Postgres).await else { return };
    let store = database.store().await;
    write(&store, vec![row(1, 2, "a", 0)]).await;
    let raw = database.raw().await;
    for index in ["messages_changed", "messages_pinned"] {
        assert_eq!(is_valid(&raw, index).await, Some(true));
        // What a program leaves that was killed while it built.
        let cut = format!("UPDATE pg_index SET indisvalid = false WHERE indexrelid = '{index}'::regclass");
        raw.execute_unprepared(&cut).await.unwrap();
        store.migrate().await.unwrap();
        assert_eq!(is_valid(&raw, index).await, Some(true), "{index} was built again");
    }

    // A program of before is in the midst of a batch, and another one begins the next.
    raw.execute_unprepared("DROP INDEX messages_changed").await.unwrap();
    let (one, other) = (database.raw().await, database.raw().await);
    let batch = one.begin().await.unwrap();
    let change = "UPDATE messages SET changed_position = position";
    batch.execute_unprepared(change).await.unwrap();
    let building = tokio::spawn({
        let store = store.clone();
        async move { store.migrate().await }
    });
    let begun = async {
        while is_valid(&raw, "messages_changed").await.is_none() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), begun).await.expect("it is being built");
    let next = other.execute_unprepared("DELETE FROM messages WHERE position < 0");
    tokio::time::timeout(Duration::from_secs(5), next).await.expect("nobody waits for it").unwrap();
    batch.commit().await.unwrap();
    building.await.unwrap().unwrap();
    assert_eq!(is_valid(&raw, "messages_changed").await, Some(true));
}
