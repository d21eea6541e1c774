//! The log of a running `milena` is open to other programs of its owner: a `kafka-consumer` and a `backend`
//! in other processes, and kcat. They read and write while people chat, by what `milena log-access` prints;
//! nobody else does.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::client::{Rest, Socket, send_frame};
use crate::world::{Database, Kind, Launch, Milena, Program, free_address, required, shared, until};

const TOPIC: &str = "chat_messages";

/// A file with what `milena log-access` says.
async fn access(milena: &Milena, folder: &Path, form: &str) -> PathBuf {
    let said = Launch::new("milena", "log-access", folder)
        .argument("--data")
        .argument(milena.data())
        .argument("log-access")
        .argument(form)
        .run(20)
        .await;
    assert!(said.status.success(), "{}", said.stderr);
    let file = folder.join(form);
    std::fs::write(&file, said.stdout).unwrap();
    file
}

/// A `kafka-consumer` on that log, with a database of its own.
fn consumer(folder: &Path, access: &Path) -> Launch {
    Launch::new("kafka-consumer", "kafka-consumer", folder)
        .variable("MILENA_CONFIG", access.to_str().unwrap())
        .variable("MILENA__CONSUMER__GROUP", "another-store")
        .variable("MILENA__DATABASE__URL", format!("sqlite:{}?mode=rwc", folder.join("other.db").display()))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_kafka_consumer_in_another_process_fills_a_second_store() {
    let milena = Milena::start().await;
    let folder = tempfile::tempdir().unwrap();
    let (ann, bob) = (milena.rest().register("ann").await, milena.rest().register("bob").await);
    let (mut socket, _) = Socket::signed_in(milena.address, &ann.token, None).await;
    let mut send = async |from: usize| {
        for number in from..from + 50 {
            let client_id = format!("c-{number}");
            socket.send(&send_frame(bob.person.id, &client_id, "read elsewhere", false)).await.unwrap();
            assert_eq!(socket.answer(&client_id).await["type"], "accepted");
        }
    };
    send(0).await;
    let access = access(&milena, folder.path(), "milena").await;
    let launch = consumer(folder.path(), &access);
    let mut running = Program::start(launch.clone().argument("run"));
    let second = Database::at(&folder.path().join("other.db"));
    let stored = async |count: i64| {
        until("the second store has all", 60, async || second.try_count_messages().await == Some(count))
            .await;
    };
    stored(50).await;
    send(50).await;
    stored(100).await;
    running.stop().await;
    let verified = launch.clone().argument("verify").run(60).await;
    assert!(verified.status.success(), "{}{}", verified.stdout, verified.stderr);
    let address = free_address();
    let mut backend = Program::start(
        Launch::new("backend", "backend", folder.path())
            .variable("MILENA_CONFIG", access.to_str().unwrap())
            .variable("MILENA__HTTP__LISTEN", address.to_string())
            .variable("MILENA__DATABASE__URL", second.url()),
    );
    until("a backend on the same log is ready", 60, async || Rest::new(address).is_ready().await).await;
    backend.stop().await;
    // Nothing of this is seen by milena's own store.
    until("the first store has all", 60, async || milena.database().count("messages").await == 100).await;
}

/// Whoever only knows the address learns nothing.
async fn strangers_are_not_let_in(milena: &Milena) {
    let log = std::fs::read_to_string(milena.data().join("log.address")).unwrap();
    let ask = move || {
        let mut kcat = Command::new("timeout");
        kcat.env_remove("LD_LIBRARY_PATH");
        kcat.args(["60", "kcat", "-b", log.trim(), "-X", "broker.address.family=v4", "-m", "3", "-L"])
            .output()
            .unwrap()
    };
    let answer = tokio::task::spawn_blocking(ask).await.unwrap();
    assert!(!answer.status.success(), "{}", String::from_utf8_lossy(&answer.stdout));
}

/// Runs kcat to its end; what it printed.
async fn kcat(access: &Path, arguments: &[&str], input: &str) -> String {
    let mut command = Command::new("timeout");
    // Under cargo it names our own build of librdkafka, which must not take the place of the program's.
    command.env_remove("LD_LIBRARY_PATH");
    command.args(["60", "kcat", "-F"]).arg(access).args(["-X", "broker.address.family=v4"]).args(arguments);
    run(command, input).await
}

/// Runs a program to its good end; what it printed.
async fn run(mut command: Command, input: &str) -> String {
    let input = input.to_owned();
    let run = move || {
        let piped = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = piped.spawn().unwrap();
        std::io::Write::write_all(&mut child.stdin.take().unwrap(), input.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    };
    tokio::task::spawn_blocking(run).await.unwrap()
}

/// Kafka's own tools, as the manual calls them, with what `milena log-access java` prints.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kafkas_own_tools_read_and_write_by_what_is_printed() {
    // The jars are there when `scripts/kafka` has started a server; nothing is downloaded in passing.
    if shared(Kind::Kafka).await.is_none() {
        return;
    }
    let milena = Milena::start().await;
    let folder = tempfile::tempdir().unwrap();
    let config = access(&milena, folder.path(), "java").await;
    let (ann, bob) = (milena.rest().register("ann").await, milena.rest().register("bob").await);
    milena.rest().of(&ann).send_accepted(bob.person.id, "c-1", "read by Java").await;
    let log = std::fs::read_to_string(milena.data().join("log.address")).unwrap();
    let tool = async |name: &str, arguments: &[&str], input: &str| {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../scripts/kafka");
        let mut command = Command::new("timeout");
        command.arg("120").arg(script).args(["tool", name, "--bootstrap-server", log.trim()]);
        command.arg("--command-config").arg(&config).args(arguments);
        run(command, input).await
    };
    let listed = tool("kafka-topics", &["--list"], "").await;
    assert!(listed.lines().any(|topic| topic == TOPIC), "{listed}");
    let read = ["--topic", TOPIC, "--from-beginning", "--max-messages", "1", "--timeout-ms", "60000"];
    assert!(tool("kafka-console-consumer", &read, "").await.contains("read by Java"));
    tool("kafka-console-producer", &["--topic", TOPIC], "not a message\n").await;
    let dead = milena.command(&["dead", "list"]);
    until("the dead letter is there", 30, async || dead.run(30).await.stdout.contains("1 dead letter")).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kcat_reads_and_writes_while_people_chat() {
    let found = Command::new("kcat").arg("-V").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok();
    if !found {
        assert!(!required(), "kcat is required but not installed");
        eprintln!("not run: kcat is not installed");
        return;
    }
    let milena = Milena::start().await;
    let folder = tempfile::tempdir().unwrap();
    let log = &access(&milena, folder.path(), "kcat").await;
    strangers_are_not_let_in(&milena).await;
    let (ann, bob) = (milena.rest().register("ann").await, milena.rest().register("bob").await);
    let rest = milena.rest().of(&ann);
    for number in 0..5 {
        rest.send_accepted(bob.person.id, &format!("c-{number}"), &format!("letter {number}")).await;
    }
    assert!(kcat(log, &["-L", "-t", TOPIC], "").await.contains("with 12 partitions"));
    let read = kcat(log, &["-C", "-t", TOPIC, "-o", "beginning", "-c", "5", "-q"], "").await;
    let bodies: Vec<String> = read
        .lines()
        .map(|line| {
            serde_json::from_str::<serde_json::Value>(line).unwrap()["body"].as_str().unwrap().to_owned()
        })
        .collect();
    assert_eq!(bodies, ["letter 0", "letter 1", "letter 2", "letter 3", "letter 4"]);
    // What is no message goes to the dead letters; the chat goes on.
    kcat(log, &["-P", "-t", TOPIC], "not a message\n").await;
    rest.send_accepted(bob.person.id, "c-5", "letter 5").await;
    let dead = format!("{TOPIC}.dead");
    let letter = kcat(log, &["-C", "-t", &dead, "-o", "beginning", "-c", "1", "-q"], "").await;
    assert_eq!(letter.trim(), "not a message");
    until("all is stored", 60, async || milena.database().count("messages").await == 6).await;
}
