//! Starting and stopping: good ends within seconds, one clear sentence when it cannot be.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::client::{Rest, Socket, send_frame};
use crate::world::{Cluster, Finished, Kind, Launch, Milena, Program, Services, free_address, until};

/// Sockets are told to come back, what was accepted is stored, files are closed.
const STOPS_WITHIN: Duration = Duration::from_secs(10);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ctrl_c_and_sigterm_end_milena_well_and_it_comes_back() {
    let mut milena = Milena::start().await;
    assert!(milena.program.said().contains(&format!("Milena is ready: http://{}", milena.address)));
    let (ann, bob) = (milena.rest().register("ann").await, milena.rest().register("bob").await);
    for (round, signal) in ["INT", "TERM", "INT", "TERM"].into_iter().enumerate() {
        let (mut socket, _) = Socket::signed_in(milena.address, &ann.token, None).await;
        for number in 0..20 {
            let client_id = format!("{round}-{number}");
            socket.send(&send_frame(bob.person.id, &client_id, "x", false)).await.unwrap();
            assert_eq!(socket.answer(&client_id).await["type"], "accepted");
        }
        let began = Instant::now();
        milena.program.signal(signal);
        assert_eq!(socket.closed().await, Some(1012), "sockets are told that the server restarts");
        let status = milena.program.ended(30).await;
        assert!(status.success(), "{status} after SIG{signal}");
        assert!(began.elapsed() < STOPS_WITHIN, "{:?} after SIG{signal}", began.elapsed());
        // What was accepted last is stored, too.
        assert_eq!(milena.database().count("messages").await, 20 * (round as i64 + 1));
        milena.start_again().await;
    }
    let said = milena.program.said();
    assert!(!said.contains("panicked") && !said.contains(" ERROR "), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ctrl_c_and_sigterm_end_backend_and_consumer_well() {
    let Some(services) = Services::shared(Kind::Postgres).await else { return };
    let mut cluster = Cluster::start(services, 1, 1).await;
    for signal in ["INT", "TERM"] {
        let (ann, bob) = (
            cluster.rest(0).register(&format!("ann-{signal}")).await,
            cluster.rest(0).register(&format!("bob-{signal}")).await,
        );
        cluster.rest(0).of(&ann).send_accepted(bob.person.id, "c-1", "x").await;
        let began = Instant::now();
        cluster.backends[0].program.signal(signal);
        cluster.consumers[0].signal(signal);
        let statuses = [cluster.backends[0].program.ended(30).await, cluster.consumers[0].ended(30).await];
        assert!(statuses.iter().all(std::process::ExitStatus::success), "{statuses:?}");
        assert!(began.elapsed() < STOPS_WITHIN, "{:?} after SIG{signal}", began.elapsed());
        cluster.backends[0].program.start_again();
        cluster.consumers[0].start_again();
        cluster.ready(0).await;
    }
    cluster.stored(2, 30).await;
}

/// It failed, soon, with one line that has these words.
fn failed_with(finished: &Finished, words: &[&str]) {
    assert!(!finished.status.success(), "it should have failed: {}", finished.stdout);
    assert!(finished.took < Duration::from_secs(20), "it took {:?}", finished.took);
    for word in words {
        assert!(finished.stderr.contains(word), "{word:?} is missing in: {}", finished.stderr);
    }
    assert!(!finished.stderr.contains("panicked"), "{}", finished.stderr);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_start_says_why_in_one_sentence() {
    let folder = tempfile::tempdir().unwrap();
    let launch = |name: &str| Launch::new(name, name, folder.path());
    let on = |data: &str| {
        let launch = launch("milena").argument("--data").argument(folder.path().join(data));
        launch.argument("--broker").argument("127.0.0.1:0").argument("--listen").argument("127.0.0.1:0")
    };
    for name in ["milena", "backend", "kafka-consumer"] {
        failed_with(&launch(name).argument("--nonsense").run(20).await, &["--nonsense"]);
        let unknown = launch(name).variable("MILENA__HTTP__LISTN", "127.0.0.1:1");
        let unknown = if name == "kafka-consumer" { unknown.argument("run") } else { unknown };
        failed_with(&unknown.run(20).await, &["http.listn"]);
        let help = launch(name).argument("--help").run(20).await;
        assert!(help.status.success() && !help.stdout.is_empty());
    }
    failed_with(&launch("milena").argument("nonsense").run(20).await, &["nonsense"]);
    failed_with(&launch("milena").argument("--listen").argument("nowhere").run(20).await, &["nowhere"]);
    failed_with(&on("data").argument("import").argument("/no/such/file").run(20).await, &["/no/such/file"]);
    failed_with(&on("data").argument("--config").argument("/no/such.toml").run(20).await, &["/no/such.toml"]);

    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let finished = launch("milena")
        .argument("--data")
        .argument(folder.path().join("data"))
        .argument("--broker")
        .argument("127.0.0.1:0")
        .argument("--listen")
        .argument(&address)
        .run(20)
        .await;
    failed_with(&finished, &[&address]);

    let file = folder.path().join("a-file");
    std::fs::write(&file, "not a folder").unwrap();
    failed_with(&on("a-file").run(20).await, &["a-file"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_milena_on_the_same_folder_says_so_and_harms_nothing() {
    let milena = Milena::start().await;
    let second = Launch::new("milena", "second", milena.folder())
        .argument("--data")
        .argument(milena.data())
        .argument("--listen")
        .argument("127.0.0.1:0")
        .argument("--broker")
        .argument("127.0.0.1:0");
    let finished = second.run(20).await;
    failed_with(&finished, &["in use"]);
    assert_eq!(finished.stderr.trim().lines().count(), 1, "{}", finished.stderr);
    let (ann, bob) = (milena.rest().register("ann").await, milena.rest().register("bob").await);
    milena.rest().of(&ann).send_accepted(bob.person.id, "c-1", "still here").await;
}

/// Every file and folder below `path`, with the rights of others.
fn open_to_others(path: &Path) -> Vec<PathBuf> {
    use std::os::unix::fs::PermissionsExt as _;
    let mut found = Vec::new();
    if std::fs::metadata(path).unwrap().permissions().mode() & 0o077 != 0 {
        found.push(path.to_owned());
    }
    if path.is_dir() {
        let entries = std::fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path());
        found.extend(entries.flat_map(|entry| open_to_others(&entry)));
    }
    found
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_data_folder_of_any_name_holds_everything_and_is_its_owners_only() {
    let parent = tempfile::tempdir().unwrap();
    let start = |name: &str, folder: &str, address: std::net::SocketAddr| {
        Launch::new("milena", name, parent.path())
            .argument("--data")
            .argument(parent.path().join(folder))
            .argument("--listen")
            .argument(address.to_string())
            .argument("--broker")
            .argument("127.0.0.1:0")
    };
    let odd = "fresh%20dir?#:memory:&mode=memory d\u{fc}rr";
    let address = free_address();
    let mut first = Program::start(start("first", odd, address));
    let rest = Rest::new(address);
    until("milena is ready", 60, async || rest.is_ready().await).await;
    let (ann, bob) = (rest.register("ann").await, rest.register("bob").await);
    rest.of(&ann).send_accepted(bob.person.id, "c-1", "in here").await;
    let folders = std::fs::read_dir(parent.path()).unwrap().map(|entry| entry.unwrap().path());
    let folders: Vec<_> = folders.filter(|path| path.is_dir()).collect();
    assert_eq!(folders, [parent.path().join(odd)], "everything is inside");
    assert!(folders[0].join("milena.db").is_file());
    assert_eq!(open_to_others(&folders[0]), Vec::<PathBuf>::new());

    let second = parent.path().join("second");
    std::fs::create_dir(&second).unwrap();
    std::os::unix::fs::symlink(folders[0].join("milena.db"), second.join("milena.db")).unwrap();
    let finished = start("second", "second", "127.0.0.1:0".parse().unwrap()).run(20).await;
    failed_with(&finished, &["in use", odd, &first.id().to_string()]);
    first.stop().await;
}
