//! Databases that cannot hold what is accepted: refused by name before anything is accepted, or every message
//! is stored; and databases that refuse later what a person has to mend. What they are told to do is done,
//! literally, and then the store opens.

use milena_domain::{Epoch, Position};
use milena_storage::{StorageError, Store};
use milena_testkit::{Kind, OwnServer, given};
use sea_orm::ConnectionTrait;

use crate::database::{Server, TestDatabase, raw, settings};
use crate::letters::{TOPIC, batch, new_user, row_with};

/// The URL of another database, or of another role, on the same server.
fn elsewhere(database: &TestDatabase, login: Option<&str>, name: Option<&str>) -> String {
    let (scheme, rest) = database.url.split_once("://").unwrap();
    let (own_login, place) = rest.split_once('@').unwrap();
    let (host, own_name) = place.split_once('/').unwrap();
    format!("{scheme}://{}@{host}/{}", login.unwrap_or(own_login), name.unwrap_or(own_name))
}

#[tokio::test]
async fn postgresql_in_another_encoding_is_refused() {
    let Some(database) = TestDatabase::create(Server::Postgres).await else { return };
    let admin = database.raw().await;
    for encoding in ["LATIN1", "SQL_ASCII"] {
        let name = format!("unfit_{}_{}", encoding.to_lowercase(), uuid::Uuid::now_v7().simple());
        let create = format!(
            "CREATE DATABASE {name} ENCODING '{encoding}' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0"
        );
        admin.execute_unprepared(&create).await.unwrap();
        let url = elsewhere(&database, None, Some(&name));
        let error = Store::open(&settings(&url)).await.unwrap_err();
        let drop = format!("DROP DATABASE {name} WITH (FORCE)");
        admin.execute_unprepared(&drop).await.unwrap();
        let said = error.to_string();
        assert!(matches!(error, StorageError::Unfit(_)) && said.contains(encoding), "{said}");
        // As it says, to the letter, but for the name.
        let (_, cure) = said.split_once("create it with ").expect("the cure");
        assert!(cure.starts_with("CREATE DATABASE ... ENCODING 'UTF8'"), "{said}");
        admin.execute_unprepared(&cure.replacen("...", &name, 1)).await.unwrap();
        Store::open(&settings(&url)).await.unwrap().close().await;
        admin.execute_unprepared(&drop).await.unwrap();
    }
}

/// At the start a role without rights is refused; one that loses them meanwhile makes trouble until it has
/// them again.
#[tokio::test]
async fn a_role_without_the_rights_is_refused() {
    let Some(database) = TestDatabase::create(Server::Postgres).await else { return };
    database.store().await.close().await;
    let admin = database.raw().await;
    let role = format!("weak_{}", uuid::Uuid::now_v7().simple());
    let run = async |statement: &str| {
        admin.execute_unprepared(statement).await.unwrap();
    };
    run(&format!("CREATE ROLE {role} LOGIN PASSWORD 'weak'")).await;
    run(&format!("GRANT CREATE, USAGE ON SCHEMA public TO {role}")).await;
    run(&format!("GRANT SELECT ON ALL TABLES IN SCHEMA public TO {role}")).await;
    let settings = settings(&elsewhere(&database, Some(&format!("{role}:weak")), None));
    let error = Store::open(&settings).await.unwrap_err();
    assert!(matches!(error, StorageError::NeedsRepair(_)), "{error}");
    assert!(error.to_string().contains("permission denied for table"), "{error}");

    run(&format!("GRANT INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {role}")).await;
    let store = Store::open(&settings).await.unwrap();
    assert!(!store.is_in_trouble());
    run(&format!("REVOKE INSERT ON users, messages FROM {role}")).await;
    let error = store.create_user(new_user(1, "anna", "Anna")).await.unwrap_err();
    assert!(matches!(error, StorageError::NeedsRepair(_)) && store.is_in_trouble(), "{error}");
    let row = row_with(1, 2, "a", Position::new(Epoch::FIRST, 0), 0, "x");
    let error = store.write_batch(&batch(0, 0, 1, vec![row.clone()])).await.unwrap_err();
    assert!(matches!(error, milena_storage::WriteError::NeedsRepair(_)), "{error}");
    assert!(store.probe().await.is_err() && store.is_in_trouble());
    run(&format!("GRANT INSERT ON users, messages TO {role}")).await;
    store.probe().await.unwrap();
    assert!(!store.is_in_trouble(), "it is well again");
    store.write_batch(&batch(0, 0, 1, vec![row])).await.unwrap();
    store.close().await;
    run(&format!("DROP OWNED BY {role}")).await;
    run(&format!("DROP ROLE {role}")).await;
}

#[tokio::test]
async fn a_sqlite_file_that_cannot_be_written_is_refused() {
    let database = TestDatabase::create(Server::Sqlite).await.unwrap();
    database.store().await.close().await;
    let url = database.url.replace("mode=rwc", "mode=ro");
    let error = Store::open(&settings(&url)).await.unwrap_err();
    assert!(error.to_string().contains("readonly database"), "{error}");
    assert!(matches!(error, StorageError::NeedsRepair(_)), "{error}");
}

#[tokio::test]
async fn mariadb_with_small_packets_stores_everything_or_is_refused() {
    if given(Kind::MariaDb).is_none() {
        return;
    }
    // Its settings are nobody else's.
    let Some(server) = OwnServer::start(Kind::MariaDb).await else { return };
    let admin = raw(server.address()).await;
    admin.execute_unprepared("SET GLOBAL max_allowed_packet = 1048576").await.unwrap();
    let store = Store::open(&settings(server.address())).await.unwrap();
    let largest = "\u{1f600}".repeat(8_000);
    let rows: Vec<_> = (0..400)
        .map(|offset| {
            let body = if offset < 300 { largest.as_str() } else { "short" };
            row_with(1, 2, &format!("c-{offset}"), Position::new(Epoch::FIRST, offset), offset, body)
        })
        .collect();
    let report = store.write_batch(&batch(0, 0, 400, rows)).await.unwrap();
    assert_eq!(report.inserted, 400);
    assert_eq!(store.log_position(TOPIC).await.unwrap().next_offsets[&0], 400);
    store.close().await;

    admin.execute_unprepared("SET GLOBAL max_allowed_packet = 65536").await.unwrap();
    let error = Store::open(&settings(server.address())).await.unwrap_err();
    let said = error.to_string();
    assert!(matches!(error, StorageError::Unfit(_)), "{said}");
    let (name, rest) = said.split_once(" of the database server").expect("what is too small");
    let name = name.rsplit(' ').next().unwrap();
    let (_, rest) = rest.split_once("set it to ").expect("the cure");
    let value: u64 = rest.split_whitespace().next().unwrap().parse().unwrap();
    admin.execute_unprepared(&format!("SET GLOBAL {name} = {value}")).await.unwrap();
    Store::open(&settings(server.address())).await.unwrap().close().await;
}
