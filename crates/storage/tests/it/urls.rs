//! Places that a URL can name: IPv6 addresses, several servers, and a pooler before the server.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use milena_storage::{StorageError, Store};

use crate::database::{Server, TestDatabase, settings};
use crate::letters::{TOPIC, new_user, row, user, write};
use crate::wire::{State, Wire};

const PATIENCE: Duration = Duration::from_secs(20);

#[tokio::test]
async fn an_ipv6_address_is_a_place_too() {
    for server in [Server::Postgres, Server::MariaDb] {
        let Some(database) = TestDatabase::create(server).await else { continue };
        let Ok((_wire, settings)) = Wire::on("[::1]:0", &database).await else {
            eprintln!("skipped: this machine has no IPv6");
            return;
        };
        assert!(settings.url.expose().contains("@[::1]:"), "the test is one");
        let store = Store::open(&settings).await.unwrap();
        assert_eq!(write(&store, vec![row(1, 2, "a", 0)]).await.inserted, 1);
        store.close().await;
    }
}

/// The first server goes away, at the start and later: the second one serves.
#[tokio::test]
async fn of_several_hosts_one_that_takes_writes_is_used() {
    let Some(database) = TestDatabase::create(Server::Postgres).await else { return };
    let (first, first_settings) = Wire::to(&database).await;
    let (_second, second_settings) = Wire::to(&database).await;
    let (scheme_and_login, first_place) = first_settings.url.expose().rsplit_once('@').unwrap();
    let (first_host, name) = first_place.split_once('/').unwrap();
    let (_, second_place) = second_settings.url.expose().rsplit_once('@').unwrap();
    let (second_host, _) = second_place.split_once('/').unwrap();
    let url = format!("{scheme_and_login}@{first_host},{second_host}/{name}?target_session_attrs=read-write");
    let mut settings = settings(&url);
    settings.acquire_timeout_ms = 1_000;
    let store = Store::open(&settings).await.unwrap();
    store.create_user(new_user(1, "anna", "Anna")).await.unwrap();

    first.set(State::Cut).await;
    let began = Instant::now();
    loop {
        match store.person(user(1)).await {
            Ok(found) => break assert!(found.is_some()),
            Err(error) => assert!(error.is_temporary() && began.elapsed() < PATIENCE, "{error}"),
        }
    }
    println!("the second server answered {:.1?} after the first was gone", began.elapsed());
    assert_eq!(write(&store, vec![row(1, 2, "a", 0)]).await.inserted, 1);
    let started_later = Store::open(&settings).await.unwrap();
    assert_eq!(started_later.log_position(TOPIC).await.unwrap().next_offsets[&0], 1);
    started_later.close().await;
    store.close().await;
}

/// A PgBouncer before the database of a test. Killed when dropped.
struct PgBouncer {
    child: Child,
    url: String,
    _folder: tempfile::TempDir,
}

impl PgBouncer {
    async fn start(database: &TestDatabase, more: &str) -> Option<Self> {
        let (_, rest) = database.url.split_once("://").unwrap();
        let (login, place) = rest.split_once('@').unwrap();
        let (server, name) = place.split_once('/').unwrap();
        let ((user, password), (host, port)) =
            (login.split_once(':').unwrap(), server.split_once(':').unwrap());
        let folder = tempfile::tempdir().unwrap();
        let own = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let file = folder.path().join("pgbouncer.ini");
        let text = format!(
            "[databases]\n{name} = host={host} port={port} dbname={name} user={user} password={password}\n\
             [pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {own}\nunix_socket_dir =\n\
             auth_type = any\n{more}\n"
        );
        std::fs::write(&file, text).unwrap();
        // Root may not run it, and whoever it becomes must be able to read its file.
        use std::os::unix::fs::PermissionsExt;
        std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
        let mut command = Command::new("pgbouncer");
        if std::fs::metadata("/proc/self").is_ok_and(|own| std::os::unix::fs::MetadataExt::uid(&own) == 0) {
            command.args(["-u", "nobody"]);
        }
        let child = command.arg(&file).stdin(Stdio::null()).stderr(Stdio::null()).spawn();
        let Ok(child) = child else {
            assert!(!milena_testkit::required(), "pgbouncer is required but cannot be started");
            eprintln!("skipped: there is no pgbouncer");
            return None;
        };
        let began = Instant::now();
        while std::net::TcpStream::connect(("127.0.0.1", own)).is_err() {
            assert!(began.elapsed() < PATIENCE, "pgbouncer does not listen");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let url = format!("postgres://{user}:{password}@127.0.0.1:{own}/{name}");
        Some(Self { child, url, _folder: folder })
    }

    /// Whether it can carry prepared statements from session to session: from 1.21 on.
    fn carries_statements() -> bool {
        let version = Command::new("pgbouncer").arg("--version").output().unwrap().stdout;
        let version = String::from_utf8(version).unwrap();
        let minor = version.split_whitespace().nth(1).and_then(|number| number.split('.').nth(1));
        minor.unwrap().parse::<u32>().unwrap() >= 21
    }
}

impl Drop for PgBouncer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// With sessions kept apart it works; with each transaction in another session it is refused by name, unless
/// it carries prepared statements along.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pooler_works_or_is_refused_by_name() {
    let Some(database) = TestDatabase::create(Server::Postgres).await else { return };
    let Some(session) = PgBouncer::start(&database, "pool_mode = session").await else { return };
    let store = Store::open(&settings(&session.url)).await.unwrap();
    assert_eq!(write(&store, vec![row(1, 2, "a", 0)]).await.inserted, 1);
    store.close().await;

    let newer = PgBouncer::carries_statements();
    let none = if newer {
        "pool_mode = transaction\nmax_prepared_statements = 0"
    } else {
        "pool_mode = transaction"
    };
    let transaction = PgBouncer::start(&database, none).await.unwrap();
    let mut said = String::new();
    for _ in 0..3 {
        let error = Store::open(&settings(&transaction.url)).await.unwrap_err();
        said = error.to_string();
        assert!(matches!(error, StorageError::Unfit(_)), "{said}");
    }
    // What it says is to be set, each as it stands there.
    let (_, cure) = said.split_once(": set ").expect("the cure");
    let cures: Vec<&str> = ["pool_mode = ", "max_prepared_statements = "]
        .into_iter()
        .map(|name| &cure[cure.find(name).unwrap_or_else(|| panic!("{name}: {said}"))..])
        .map(|text| text.split(',').next().unwrap())
        .collect();
    let session = PgBouncer::start(&database, cures[0]).await.unwrap();
    Store::open(&settings(&session.url)).await.unwrap().close().await;
    if newer {
        let carrying = format!("pool_mode = transaction\n{}\ndefault_pool_size = 3", cures[1]);
        let carrying = PgBouncer::start(&database, &carrying).await.unwrap();
        let store = Store::open(&settings(&carrying.url)).await.unwrap();
        let people = (1..100).map(|number| store.person(user(number)));
        for found in futures::future::join_all(people).await {
            found.unwrap();
        }
        assert_eq!(write(&store, vec![row(1, 2, "b", 1)]).await.inserted, 1);
        store.close().await;
    }
}
