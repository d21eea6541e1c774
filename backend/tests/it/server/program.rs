//! The program `backend`: what it says when it cannot start, and how it ends.

use std::process::{Output, Stdio};
use std::time::Duration;

use milena_broker::BrokerConfig;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::net::TcpListener;
use tokio::process::{Child, Command};
use tokio::time::timeout;

/// A start on nothing takes as long as it waits for a broker, 10 s.
const PATIENCE: Duration = Duration::from_secs(40);

fn program(environment: &[(&str, &str)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_backend"));
    let inherited = std::env::vars().map(|(name, _)| name).filter(|name| name.starts_with("MILENA_"));
    for name in inherited {
        command.env_remove(name);
    }
    command
        .env("RUST_LOG", "info")
        .envs(environment.iter().copied())
        .stdin(Stdio::null())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    command
}

async fn run(mut command: Command) -> (Option<i32>, String) {
    let Output { status, stderr, .. } = timeout(PATIENCE, command.output()).await.expect("it ends").unwrap();
    (status.code(), String::from_utf8(stderr).unwrap())
}

#[tokio::test]
async fn wrong_settings_are_all_named() {
    let (code, said) =
        run(program(&[("MILENA__HTTP__LISTEN", "nowhere"), ("MILENA__KAFKA__TOPIK", "x")])).await;
    assert_eq!(code, Some(2), "{said}");
    assert!(said.contains("kafka.topik") && said.contains("http"), "{said}");
    assert!(!said.contains("nowhere"), "what was given may be a password: {said}");
    // Another program's variable that is no text concerns nobody.
    let mut strange = program(&[("MILENA_HTTP__LISTEN", "127.0.0.1:0")]);
    let no_text: std::ffi::OsString = std::os::unix::ffi::OsStringExt::from_vec(vec![0xff]);
    strange.env("SOMEBODYS", no_text);
    let (code, said) = run(strange).await;
    assert_eq!(code, Some(2), "{said}");
    assert!(
        said.contains("MILENA_HTTP__LISTEN is no setting (did you mean MILENA__HTTP__LISTEN?)"),
        "{said}"
    );
    let mut missing = program(&[]);
    missing.args(["--config", "/does/not/exist.toml"]);
    assert_eq!(run(missing).await.0, Some(2));
    let mut unknown = program(&[]);
    unknown.arg("--colour");
    assert_eq!(run(unknown).await.0, Some(2));
    let mut checked = program(&[]);
    checked.arg("--check-config");
    assert_eq!(run(checked).await.0, Some(0));
}

#[tokio::test]
async fn what_is_missing_is_one_sentence() {
    let folder = tempfile::tempdir().unwrap();
    let sqlite = format!("sqlite:{}?mode=rwc", folder.path().join("store.db").display());
    let taken = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = taken.local_addr().unwrap().to_string();
    // A port that was just free: nobody listens there.
    let nobody = {
        let free = TcpListener::bind("127.0.0.1:0").await.unwrap();
        free.local_addr().unwrap().to_string()
    };
    let postgres = format!("postgres://milena:secret@{nobody}/milena");
    let no_database = run(program(&[
        ("MILENA__DATABASE__URL", &postgres),
        ("MILENA__DATABASE__ACQUIRE_TIMEOUT_MS", "500"),
        ("MILENA__DATABASE__START_TIMEOUT_MS", "0"),
    ]));
    let port_taken = run(program(&[("MILENA__DATABASE__URL", &sqlite), ("MILENA__HTTP__LISTEN", &address)]));
    let other = format!("sqlite:{}?mode=rwc", folder.path().join("other.db").display());
    let no_log = run(program(&[
        ("MILENA__DATABASE__URL", &other),
        ("MILENA__HTTP__LISTEN", "127.0.0.1:0"),
        ("MILENA__KAFKA__BROKERS", &nobody),
        ("MILENA__KAFKA__START_TIMEOUT_MS", "0"),
    ]));
    let (no_database, port_taken, no_log) = tokio::join!(no_database, port_taken, no_log);
    for ((code, said), expected) in [
        (no_database, "backend: the database cannot be opened (database.url)".to_owned()),
        (port_taken, format!("backend: cannot listen on {address} (http.listen)")),
        (no_log, format!("backend: no Kafka broker answers at {nobody}")),
    ] {
        assert_eq!(code, Some(1), "{said}");
        assert!(said.lines().last().unwrap().starts_with(&expected), "{said}");
        assert!(!said.contains("secret"), "{said}");
    }
}

async fn wait_for(program: &mut Child, words: &str) {
    let mut lines = BufReader::new(program.stderr.as_mut().unwrap()).lines();
    let found = async {
        while let Some(line) = lines.next_line().await.unwrap() {
            if line.contains(words) {
                return;
            }
        }
        panic!("it ended without saying {words}");
    };
    timeout(PATIENCE, found).await.expect("it says so in time");
}

#[tokio::test]
async fn a_signal_ends_it_in_order() {
    let folder = tempfile::tempdir().unwrap();
    let broker = milena_broker::start(BrokerConfig::new(folder.path().join("log"))).await.unwrap();
    let sqlite = format!("sqlite:{}?mode=rwc", folder.path().join("store.db").display());
    let mut running = program(&[
        ("MILENA__DATABASE__URL", &sqlite),
        ("MILENA__HTTP__LISTEN", "127.0.0.1:0"),
        ("MILENA__KAFKA__BROKERS", &broker.address().to_string()),
        ("MILENA__KAFKA__PARTITIONS", "2"),
    ])
    .spawn()
    .unwrap();
    wait_for(&mut running, "backend started").await;
    let pid = running.id().unwrap().to_string();
    assert!(Command::new("kill").args(["-TERM", &pid]).status().await.unwrap().success());
    let status = timeout(PATIENCE, running.wait()).await.expect("it ends").unwrap();
    assert_eq!(status.code(), Some(0));
    broker.stop().await;
}
