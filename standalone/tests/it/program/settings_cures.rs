//! Every sentence that names a setting as its cure is followed literally: the real programs are given a wrong
//! one, what they say is to be set is written into their settings, and then they start. Sentences that name a
//! command are followed in `cures`; those about the database server in the storage crate's own tests, since
//! all programs open a database by the same call.

use crate::program::cures::{follow, named, worked};
use crate::world::{Cluster, Finished, Kind, Milena, Services, add_partitions, until};

/// The setting that a sentence asks for, and its value: `set NAME = VALUE`.
fn asked(said: &str) -> (&str, &str) {
    let (_, rest) = said.rsplit_once("set ").unwrap_or_else(|| panic!("nothing is to be set: {said}"));
    let (name, rest) = rest.split_once(" = ").unwrap_or_else(|| panic!("to what is not said: {said}"));
    (name, rest.split_whitespace().next().expect("a value"))
}

/// A refusal because of `kafka.partitions`.
fn refused(finished: &Finished, setting: usize) -> &str {
    let Finished { status, stderr, .. } = finished;
    let says = format!("kafka.partitions is {setting} but topic");
    assert!(!status.success() && stderr.contains(&says), "{status}: {stderr}");
    stderr
}

/// A file with one message to import.
fn one_message(folder: &std::path::Path) -> std::path::PathBuf {
    let file = folder.join("messages.jsonl");
    let line =
        r#"{"id":"1","sent_at":"2026-01-01T00:00:00Z","from":"ann","to":"bob","text":"from elsewhere"}"#;
    std::fs::write(&file, line).unwrap();
    file
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn milena_and_its_import_name_the_number_of_partitions_and_take_it() {
    let folder = Milena::start().await.stop_and_keep().await;
    let settings = folder.path().join("settings.toml");
    let config = ["--config", settings.to_str().unwrap()];
    let file = one_message(folder.path());
    let import: &[&str] = &["import", file.to_str().unwrap()];
    let run: &[&str] = &["--listen", "127.0.0.1:0"];
    for (arguments, differs) in [(import, 24), (run, 5), (&["status"] as &[&str], 13)] {
        std::fs::write(&settings, format!("kafka.partitions = {differs}\n")).unwrap();
        let launch = Milena::command_on(folder.path(), &[&config[..], arguments].concat());
        let finished = launch.run(60).await;
        // What only looks shows what it can all the same, and says that they differ.
        let said = if arguments == ["status"] {
            worked(&finished, "MISMATCH: kafka.partitions is 13 but topic");
            &finished.stdout
        } else {
            refused(&finished, differs)
        };
        let (name, value) = asked(said);
        std::fs::write(&settings, format!("{name} = {value}\n")).unwrap();
        if arguments == import {
            worked(&launch.run(60).await, "1 messages imported");
        }
    }
    let milena =
        Milena::start_on(folder, |launch| launch.argument("--config").argument(settings.clone())).await;
    // Beside a `milena` that runs an import asks the same.
    std::fs::write(&settings, "kafka.partitions = 24\n").unwrap();
    let beside = milena.command(&[&config[..], import].concat()).run(60).await;
    refused(&beside, 24);
    until("what was imported is stored", 30, async || milena.database().count("messages").await == 1).await;
}

/// Partitions are added under programs that run: they stop and say what to do, whoever is started with the
/// old number says which one is right, and doing all that loses nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn programs_of_a_cluster_name_the_number_of_partitions_and_the_way_on() {
    const GROWN: usize = 18;
    let Some(services) = Services::shared(Kind::Postgres).await else { return };
    let refresh = "\"topic.metadata.refresh.interval.ms\" = \"500\"";
    let mut cluster = Cluster::start_tuned(services, 1, 1, refresh, |_| Vec::new()).await;
    let (ann, bob) = (cluster.rest(0).register("ann").await, cluster.rest(0).register("bob").await);
    cluster.rest(0).of(&ann).send_accepted(bob.person.id, "c-1", "before").await;
    cluster.stored(1, 30).await;
    let file = one_message(cluster.folder());

    add_partitions(&cluster.services.kafka, cluster.topic(), GROWN).await;
    assert!(!cluster.backends[0].program.ended(60).await.success());
    assert!(!cluster.consumers[0].ended(60).await.success());
    let (backend, consumer) = (cluster.backends[0].program.said(), cluster.consumers[0].said());
    for said in [&backend, &consumer] {
        assert!(said.contains("top all consumers and backends, set kafka.partitions to the new"), "{said}");
    }
    // Which number that is, each of them says.
    let import: &[&str] = &["import", "--external", file.to_str().unwrap()];
    for (program, arguments) in
        [("backend", &[] as &[&str]), ("kafka-consumer", &["run"]), ("milena", import)]
    {
        let launch = cluster.launch(program, "refused").variable("MILENA__HTTP__LISTEN", "127.0.0.1:0");
        let launch = arguments.iter().fold(launch, |launch, argument| launch.argument(*argument));
        let finished = launch.run(60).await;
        assert_eq!(asked(refused(&finished, 12)), ("kafka.partitions", "18"), "{program}");
    }
    cluster.set("kafka.partitions", "18");
    assert_eq!(named(&backend), named(&consumer));
    worked(&follow(&named(&backend), cluster.folder()).await, "Epoch 2 has begun");
    cluster.backends[0].program.start_again();
    cluster.consumers[0].start_again();
    cluster.ready(0).await;
    cluster.rest(0).of(&ann).send_accepted(bob.person.id, "c-2", "after").await;
    worked(&cluster.import(&file, "a long enough password").await, "1 messages imported");
    cluster.stored(3, 60).await;

    // Somebody begins an epoch under a backend that runs: it says that it must be started again.
    cluster.consumers[0].stop().await;
    worked(&cluster.command(&["new-epoch", "--yes"]).await, "Epoch 3 has begun");
    assert!(!cluster.backends[0].program.ended(60).await.success());
    let said = cluster.backends[0].program.said();
    assert!(said.contains("epoch 3 of the log began; start this program again"), "{said}");
    cluster.backends[0].program.start_again();
    cluster.ready(0).await;
}
