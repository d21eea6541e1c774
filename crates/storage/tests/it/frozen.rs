//! A writer stops in the midst of its transaction and keeps what it locked; another one takes its place.

use std::str::FromStr as _;

use milena_storage::WriteError;
use sea_orm::sqlx::postgres::PgConnectOptions;
use sea_orm::sqlx::{ConnectOptions as _, Executor as _};

use crate::database::{Server, TestDatabase};
use crate::letters::{TOPIC, batch, row};

/// Takes as long as a statement may, because that is what the one who waits must find out.
#[tokio::test]
async fn a_copy_that_never_goes_on_is_ended_by_whoever_waits_for_it() {
    let Some(database) = TestDatabase::create(Server::Postgres).await else { return };
    let store = database.store().await;
    store.write_batch(&batch(0, 0, 1, vec![row(1, 2, "a", 0)])).await.unwrap();

    let options = PgConnectOptions::from_str(&database.url).unwrap().application_name("milena");
    let mut stopped = options.connect().await.unwrap();
    // As every session of ours; PostgreSQL does not keep to it while it waits for rows.
    stopped.execute("SET statement_timeout = '5s'").await.unwrap();
    stopped.execute("SET idle_in_transaction_session_timeout = '5s'").await.unwrap();
    stopped.execute("BEGIN").await.unwrap();
    stopped.execute("SELECT * FROM consumer_offsets FOR UPDATE").await.unwrap();
    let columns = "conversation_id, position, id, sender_id, recipient_id, client_id, sent_at_ms, body";
    let statement = format!("COPY messages ({columns}) FROM STDIN WITH (FORMAT binary)");
    let copy = stopped.copy_in_raw(&statement).await.unwrap();

    let next = batch(0, 1, 2, vec![row(1, 2, "b", 1)]);
    let refused = store.write_batch(&next).await.unwrap_err();
    assert!(matches!(refused, WriteError::Transient(_)), "{refused}");
    assert_eq!(store.write_batch(&next).await.unwrap().inserted, 1);
    assert_eq!(store.log_position(TOPIC).await.unwrap().next_offsets[&0], 2);
    copy.finish().await.expect_err("its session was ended");
}
