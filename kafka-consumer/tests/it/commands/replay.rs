//! The log as the origin of everything: read again into empty databases of each kind, it makes the same
//! tables.

use std::process::{Command, Stdio};
use std::time::Duration;

use milena_domain::Timestamp;
use milena_storage::entities::{consumer_offsets, conversations, members, messages};
use sea_orm::{Database as Connector, DatabaseConnection, EntityTrait, FromQueryResult};
use serde_json::Value;

use crate::in_both_worlds;
use crate::log::{Log, messages as numbered};
use crate::running::Running;
use crate::store::Database;
use crate::truth;
use crate::world::{World, until};

in_both_worlds!(a_part_of_the_log, an_interrupted_replay_goes_on);

/// Runs `replay` or `verify` against `database`, with rows a batch, and answers its JSON.
async fn run(world: &World, database: &Database, rows: usize, arguments: &[&str]) -> Value {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kafka-consumer"));
    command.args(arguments).arg("--json").arg("--config").arg(world.file(None));
    command.args(["--database", database.url()]).env("MILENA__CONSUMER__BATCH_ROWS", rows.to_string());
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    serde_json::from_str(text.lines().last().unwrap()).unwrap()
}

/// Every row of the four tables that follow from the log, in one order for all databases.
async fn tables(database: &Database) -> Vec<String> {
    async fn rows<E: EntityTrait>(connection: &DatabaseConnection) -> Vec<String>
    where
        E::Model: FromQueryResult + std::fmt::Debug,
    {
        E::find().all(connection).await.unwrap().iter().map(|row| format!("{row:?}")).collect()
    }
    let connection = Connector::connect(database.url()).await.unwrap();
    let mut all = rows::<messages::Entity>(&connection).await;
    all.extend(rows::<conversations::Entity>(&connection).await);
    all.extend(rows::<members::Entity>(&connection).await);
    all.extend(rows::<consumer_offsets::Entity>(&connection).await);
    connection.close().await.unwrap();
    all.sort_unstable();
    all
}

/// The servers that there are, and SQLite.
async fn empty(kind: &str, world: &World) -> Option<Database> {
    if kind == "SQLITE" {
        let folder = world.folder.path().join(uuid::Uuid::now_v7().simple().to_string());
        std::fs::create_dir(&folder).unwrap();
        return Some(Database::sqlite(&folder));
    }
    let url = std::env::var(format!("MILENA_TEST_{kind}_URL")).ok().filter(|url| !url.is_empty())?;
    Some(Database::on(&url).await)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_databases_become_the_same_at_all_batch_sizes() {
    let Some(world) = World::servers().await else { return };
    let log = Log::of(&world);
    for step in 0..10 {
        log.send(numbered(step * 300..(step + 1) * 300)).await;
        log.send(numbered(step * 100..step * 100 + 5)).await;
        log.send_raw(Some(b"k"), Some(b"bad")).await;
    }
    let (records, good, repeats) = (3_060, 3_000, 50);
    let mut first: Option<Vec<String>> = None;
    for kind in ["SQLITE", "POSTGRES", "MARIADB"] {
        for rows in [37, 2_000] {
            let Some(database) = empty(kind, &world).await else { continue };
            let told = run(&world, &database, rows, &["replay"]).await;
            assert_eq!(
                (&told["read"], &told["inserted"], &told["already_there"], &told["dead_letters"]),
                (&records.into(), &good.into(), &repeats.into(), &10.into()),
                "{kind}"
            );
            let verified = run(&world, &database, rows, &["verify"]).await;
            assert_eq!((&verified["equal"], &verified["difference_count"]), (&good.into(), &0.into()));
            let again = run(&world, &database, rows, &["replay"]).await;
            assert_eq!((&again["read"], &again["inserted"]), (&records.into(), &0.into()), "{kind}");
            let found = tables(&database).await;
            let expected = first.get_or_insert_with(|| found.clone());
            assert!(*expected == found, "{kind} at {rows} rows a batch differs");
        }
    }
    // What a live consumer makes of the log is the same again.
    let consumer = Running::start(&world).await;
    truth::stored(&world).await;
    consumer.stop().await;
    assert!(first.unwrap() == tables(&world.database).await, "run differs from replay");
    assert_eq!(truth::equal(&world).await, good);
}

/// From and to an offset or a time, some partitions, without writing; and never a word to the live group.
async fn a_part_of_the_log(world: World) {
    let log = Log::of(&world);
    log.send(numbered(0..400)).await;
    // Kafka's clock has milliseconds: the border is one in which nothing was written.
    tokio::time::sleep(Duration::from_millis(5)).await;
    let border = Timestamp::now().to_string();
    tokio::time::sleep(Duration::from_millis(5)).await;
    log.send(numbered(400..1_000)).await;
    let live = Running::start(&world).await;
    truth::stored(&world).await;
    let group = async || {
        let status = run(&world, &world.database, 500, &["status"]).await;
        let partitions = status["partitions"].as_array().unwrap().clone();
        partitions
            .iter()
            .map(|partition| (partition["stored"].clone(), partition["group"].clone()))
            .collect::<Vec<_>>()
    };
    until("the group knows what is stored", 20, async || {
        group().await.iter().all(|(stored, group)| stored == group)
    })
    .await;
    let before = group().await;

    let database = empty("SQLITE", &world).await.unwrap();
    let read = async |arguments: &[&str]| {
        let told = run(&world, &database, 500, &[&["replay"], arguments].concat()).await;
        (told["read"].as_u64().unwrap(), told["inserted"].as_u64().unwrap())
    };
    assert_eq!(read(&["--dry-run"]).await, (1_000, 1_000));
    assert_eq!(read(&["--until", &border, "--dry-run"]).await, (400, 400));
    assert_eq!(read(&["--until", &border]).await, (400, 400), "a dry run has stored nothing");
    assert_eq!(read(&["--until", &border]).await, (400, 0));
    let (of_two, _) = read(&["--partitions", "3,4", "--dry-run"]).await;
    let (early_of_two, _) = read(&["--partitions", "3,4", "--until", &border, "--dry-run"]).await;
    let late_of_two = of_two - early_of_two;
    assert_eq!(read(&["--partitions", "3,4", "--from", "stored"]).await, (late_of_two, late_of_two));
    let rest = 600 - late_of_two;
    assert_eq!(read(&["--from", "stored"]).await, (rest, rest));
    assert_eq!(read(&["--from", &border]).await, (600, 0), "the store has all of it by now");
    let (behind_ten, _) = read(&["--from", "10", "--partitions", "3"]).await;
    assert_eq!(behind_ten + 10, read(&["--partitions", "3"]).await.0);
    assert_eq!(run(&world, &database, 500, &["verify"]).await["equal"], 1_000);

    assert_eq!(group().await, before, "the live group");
    let summary = live.stop().await;
    assert_eq!((summary.inserted, summary.rebalances), (1_000, 1), "the live consumer was left alone");
}

/// Ctrl-C in the midst of it: what is stored stays, and the rest comes with `--from stored`.
async fn an_interrupted_replay_goes_on(world: World) {
    let log = Log::of(&world);
    log.send(numbered(0..6_000)).await;
    let child = Command::new(env!("CARGO_BIN_EXE_kafka-consumer"))
        .args(["replay", "--config"])
        .arg(world.file(None))
        // Small, so that there is a midst.
        .env("MILENA__CONSUMER__BATCH_ROWS", "2")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let before = crate::traffic::progress(&world).await;
    until("the replay stores", 30, async || crate::traffic::progress(&world).await > before + 20).await;
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    let output = tokio::task::spawn_blocking(move || child.wait_with_output().unwrap()).await.unwrap();
    assert_eq!(output.status.code(), Some(130));
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains(" replay --from stored --config ") && text.contains("` goes on"), "{text}");
    let partly = crate::traffic::progress(&world).await;
    assert!((20..6_000).contains(&partly), "{partly}");
    let rest = run(&world, &world.database, 500, &["replay", "--from", "stored"]).await;
    assert_eq!(rest["inserted"].as_i64().unwrap(), 6_000 - partly);
    assert_eq!(truth::equal(&world).await, 6_000);
}
