//! Every sentence that names a command as its cure is followed literally: the real programs are driven into
//! each state, what stands between the backquotes is given to a shell, and it has to work there. A sentence
//! that names a command which no test here follows fails, too.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::producer::{FutureProducer, FutureRecord};

use crate::world::{Cluster, Finished, Kind, Milena, Program, Services, until};

/// What the programs name, each followed below; rewriting the log in the consumer's own tests, after a kill
/// at each of its stages, and `status`, which only shows, by `settings_cures`.
const FOLLOWED: [&str; 6] =
    ["new-epoch", "new-epoch --without-deleted", "dead list", "replay --from stored", "run", "status"];

/// The last command that a text names, between backquotes.
pub(crate) fn named(said: &str) -> String {
    let mut quoted: Vec<_> = said.split('`').skip(1).step_by(2).collect();
    quoted.pop().unwrap_or_else(|| panic!("no command is named in: {said}")).to_owned()
}

/// Gives the command to a shell, in the folder where the program ran. Nobody is at the terminal, so a
/// question is answered in advance, as the command then asks for.
pub(crate) async fn follow(command: &str, folder: &Path) -> Finished {
    let finished = shell(command, folder).await;
    if finished.stderr.contains("say --yes") {
        shell(&format!("{command} --yes"), folder).await
    } else {
        finished
    }
}

async fn shell(command: &str, folder: &Path) -> Finished {
    let mut shell = Command::new("sh");
    shell.arg("-c").arg(command).current_dir(folder).env_remove("RUST_LOG").stdin(Stdio::null());
    // The usual ports may be taken on the machine of a test.
    shell.envs(["HTTP", "BROKER"].map(|section| (format!("MILENA__{section}__LISTEN"), "127.0.0.1:0")));
    let began = std::time::Instant::now();
    let output = tokio::task::spawn_blocking(move || shell.output()).await.unwrap().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    let (stdout, stderr) = (text(output.stdout), text(output.stderr));
    Finished { status: output.status, stdout, stderr, took: began.elapsed() }
}

pub(crate) fn worked(finished: &Finished, words: &str) {
    let Finished { status, stdout, stderr, .. } = finished;
    assert!(status.success() && stdout.contains(words), "{words:?} is missing: {stdout}{stderr}");
}

/// What the last start of a program said.
async fn refusal(program: &mut Program) -> String {
    let before = program.said().len();
    program.start_again();
    assert!(!program.ended(60).await.success(), "it should refuse to run");
    program.said()[before..].to_owned()
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

/// As after a power cut on a disk that lied: the last record of each partition is not whole.
fn tear(log: &Path) {
    let segments = files(log).into_iter().filter(|file| file.extension().is_some_and(|kind| kind == "log"));
    let mut torn = 0;
    for segment in segments {
        let length = segment.metadata().unwrap().len();
        if length > 0 {
            std::fs::OpenOptions::new().write(true).open(&segment).unwrap().set_len(length - 7).unwrap();
            torn += 1;
        }
    }
    assert!(torn > 0, "the log has records");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn milena_has_a_way_out_when_the_log_is_behind_the_store() {
    let mut milena = Milena::start().await;
    let (ann, bob) = (milena.rest().register("ann").await, milena.rest().register("bob").await);
    let anns = milena.rest().of(&ann);
    let mut conversation = None;
    let mut expected = Vec::new();
    for (round, ruin) in ["torn", "lost", "lost, and asked first"].into_iter().enumerate() {
        for number in 0..5 {
            let (id, text) = (format!("{round}-{number}"), format!("m-{round}-{number}"));
            conversation = Some(anns.send_accepted(bob.person.id, &id, &text).await.conversation);
            expected.push(text);
        }
        // Otherwise nothing would tell that the log had more than the store: a consumer that has just begun
        // may have nothing yet when it is stopped.
        let database = milena.database();
        until("everything is stored", 60, async || database.messages().await.len() == expected.len()).await;
        milena.program.stop().await;
        let log = milena.data().join("log");
        if ruin == "torn" {
            tear(&log);
        } else {
            std::fs::remove_dir_all(&log).unwrap();
        }

        if ruin.ends_with("asked first") {
            // Nothing is there that could be looked at; what would create it refuses to run, and names the
            // way out.
            let program = milena.command(&["status"]).run(60).await;
            let creates = named(&program.stderr);
            assert!(program.stderr.contains("does not exist yet"), "{}", program.stderr);
            let started = shell(&creates, milena.folder()).await;
            assert!(!started.status.success() && started.stderr.contains("new-epoch"), "{}", started.stderr);
        }
        let said = refusal(&mut milena.program).await;
        assert!(said.contains("milena new-epoch"), "{ruin}: {said}");
        let status = milena.command(&["status"]).run(60).await;
        worked(&status, "MISMATCH");
        worked(&follow(&named(&said), milena.folder()).await, "has begun. Start milena.");
        milena.start_again().await;
        // What was stored stays, and new messages come behind it.
        let messages = milena.rest().of(&ann).messages_after(conversation.unwrap(), -1).await;
        let bodies: Vec<_> = messages.into_iter().map(|message| message.body).collect();
        assert_eq!(bodies, expected, "{ruin}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn milena_has_the_consumers_commands_running_or_not() {
    let mut milena = Milena::start().await;
    let (ann, bob) = (milena.rest().register("ann").await, milena.rest().register("bob").await);
    let anns = milena.rest().of(&ann);
    for number in 0..20 {
        anns.send_accepted(bob.person.id, &format!("c-{number}"), "x").await;
    }
    until("all is stored", 30, async || milena.database().try_count_messages().await == Some(20)).await;
    for running in [true, false] {
        if !running {
            milena.program.stop().await;
        }
        let says = async |arguments: &[&str], words: &str| {
            worked(&milena.command(arguments).run(60).await, words);
        };
        says(&["status"], "everything is stored").await;
        says(&["status", "--json"], "\"lag\":0").await;
        says(&["verify"], "20 equal").await;
        says(&["replay", "--dry-run"], "20 already there").await;
        says(&["replay"], "0 events stored, 20 already there").await;
        says(&["dead", "list"], "0 dead letters").await;
        says(&["dead", "retry", "--all"], "0 sent again").await;
        let elsewhere = milena.folder().join(format!("copy-{running}.db"));
        let url = format!("sqlite:{}?mode=rwc", elsewhere.display());
        says(&["replay", "--database", &url], "20 events stored").await;
        says(&["verify", "--database", &url], "20 equal").await;

        let missing = milena.command(&["dead", "show", "7"]).run(60).await;
        assert_eq!(missing.status.code(), Some(1));
        worked(&follow(&named(&missing.stderr), milena.folder()).await, "0 dead letters");
        let begun = milena.command(&["new-epoch", "--yes"]).run(60).await;
        if running {
            assert!(begun.stderr.contains("stop milena first"), "{}", begun.stderr);
        } else {
            worked(&begun, "Epoch 2 has begun");
        }
    }
    let nowhere = milena.folder().join("nowhere");
    let mistyped = milena.command(&["status", "--data", nowhere.to_str().unwrap()]).run(60).await;
    assert!(mistyped.stderr.contains("is no data folder of milena"), "{}", mistyped.stderr);
    assert!(!nowhere.exists(), "what only looks creates nothing");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replay_that_was_interrupted_names_how_to_go_on() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("messages.jsonl");
    let lines = (0..20_000).map(|number| {
        format!(
            "{{\"id\":\"{number}\",\"sent_at\":\"2026-01-01T00:00:00Z\",\"from\":\"ann\",\"to\":\"bob\",\
             \"text\":\"{number}\"}}\n"
        )
    });
    std::fs::write(&file, lines.collect::<String>()).unwrap();
    worked(&Milena::import(folder.path(), &file, None).await, "20000 messages imported");
    let (mut said, mut delay) = (String::new(), Duration::from_millis(100));
    while !said.contains("ended early") {
        assert!(delay < Duration::from_secs(5), "it was never interrupted in its midst: {said}");
        let elsewhere = format!("sqlite:{}?mode=rwc", folder.path().join(format!("{delay:?}.db")).display());
        let replay = Milena::command_on(folder.path(), &["replay", "--database", &elsewhere]);
        let mut replay = Program::start(replay);
        tokio::time::sleep(delay).await;
        if replay.is_running() {
            replay.signal("INT");
        }
        replay.ended(60).await;
        said = replay.said();
        delay += Duration::from_millis(100);
    }
    let rest = follow(&named(&said), folder.path()).await;
    worked(&rest, "events stored");
    assert!(!rest.stdout.contains("ended early"), "{}", rest.stdout);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_consumer_that_stops_before_bad_records_names_where_to_look() {
    let Some(services) = Services::shared(Kind::Postgres).await else { return };
    let folder = tempfile::tempdir().unwrap();
    let mut cluster = Cluster::start(services, 0, 1).await;
    let until_created = async || cluster.consumers[0].said().contains("the consumer reads");
    until("the topic is there", 60, until_created).await;
    let producer: FutureProducer =
        ClientConfig::new().set("bootstrap.servers", &cluster.services.kafka).create().unwrap();
    let sent = (0..1_500).map(|number| {
        let record =
            FutureRecord::to(cluster.topic()).key("nobody").payload(if number % 2 == 0 { "?" } else { "!" });
        producer.send_result(record).map_err(|(error, _)| error).unwrap()
    });
    for sent in sent.collect::<Vec<_>>() {
        sent.await.unwrap().unwrap();
    }
    assert!(!cluster.consumers[0].ended(60).await.success());
    let said = cluster.consumers[0].said();
    assert!(said.contains("most of the last records"), "{said}");
    worked(&follow(&named(&said), folder.path()).await, "dead letters of");
    // A letter that is not there: the same.
    let missing = cluster.command(&["dead", "show", "9999999"]).await;
    worked(&follow(&named(&missing.stderr), folder.path()).await, "dead letters of");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cluster_without_its_topic_names_who_creates_it() {
    let Some(services) = Services::shared(Kind::Postgres).await else { return };
    let folder = tempfile::tempdir().unwrap();
    let cluster = Cluster::start(services, 0, 0).await;
    let missing = cluster.command(&["status"]).await;
    assert!(missing.stderr.contains("does not exist yet"), "{}", missing.stderr);
    let mut creates = Command::new("sh");
    creates.arg("-c").arg(format!("exec {}", named(&missing.stderr))).current_dir(folder.path());
    let mut creates = creates.stdin(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    until("it creates the topic", 60, async || cluster.command(&["status"]).await.status.success()).await;
    let asked = Command::new("kill").arg(creates.id().to_string()).status().unwrap();
    assert!(asked.success() && creates.wait().unwrap().success());
}

/// The other way round: all commands that are named anywhere are followed above or in `epoch`.
#[test]
fn no_sentence_names_another_command() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut named = BTreeSet::new();
    for part in ["backend/src", "kafka-consumer/src", "standalone/src", "crates"] {
        for file in files(&root.join(part)) {
            let ours =
                file.extension().is_some_and(|kind| kind == "rs") && !file.ends_with("domain/src/cure.rs");
            if !ours || file.components().any(|part| part.as_os_str() == "tests") {
                continue;
            }
            let source = std::fs::read_to_string(&file).unwrap();
            for line in source.lines().filter(|line| !line.trim_start().starts_with("//")) {
                for program in ["`kafka-consumer ", "`milena ", "`backend "] {
                    assert!(
                        !line.contains(program),
                        "{}: say it with `cure::command`: {line}",
                        file.display()
                    );
                }
                let words = line.split("command(\"").skip(1).filter_map(|rest| rest.split('"').next());
                named.extend(words.map(str::to_owned));
            }
        }
    }
    let followed: BTreeSet<_> = FOLLOWED.iter().map(|&words| words.to_owned()).collect();
    // `run` is named by `cure::whoever_stores`.
    named.insert("run".to_owned());
    assert_eq!(named, followed, "a cure that no test follows, or one that nobody names any more");
}
