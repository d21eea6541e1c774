//! `new-epoch --without-deleted`: the words of deleted messages leave the log, every record keeps its place,
//! and whoever kills it, wherever, only has to call it again.
//!
//! On Apache Kafka two points are in the short form; `MILENA_TEST_REWRITES=1` is the long one.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::time::Duration;

use milena_domain::record::{Action, Event, Message, Place, Target};
use milena_domain::{Body, ClientId, Epoch, Position, Timestamp};
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::{ClientConfig, Offset, TopicPartitionList};

use crate::in_both_worlds;
use crate::log::{Log, messages, user};
use crate::program::{fails, json, says_with};
use crate::running::Running;
use crate::store::Database;
use crate::truth;
use crate::world::{PARTITIONS, World, number, turn, until};

in_both_worlds!(
    deleted_words_leave_the_log_however_often_it_is_killed,
    nothing_is_written_over_a_topic_of_somebody_else
);

/// In the order in which they are reached.
const POINTS: [&str; 8] = [
    "rewrite_begun",
    "rewrite_mid_copy",
    "rewrite_filled",
    "rewrite_copied",
    "rewrite_replacing",
    "rewrite_deleted",
    "rewrite_replaced",
    "rewrite_cleaned",
];
const COMMAND: [&str; 3] = ["new-epoch", "--without-deleted", "--yes"];

/// Nobody runs who would have to be waited for.
fn quick() -> Vec<(&'static str, String)> {
    let names = ["MILENA__DELIVERY__STORED_POLL_MS", "MILENA__DELIVERY__SEND_TIMEOUT_MS"];
    names.map(|name| (name, "100".to_owned())).to_vec()
}

async fn happens(log: &Log, client_id: &str, action: Action) -> Target {
    let (place, at) = (Place::Direct(user(2)), Timestamp::from_unix_ms(1_700_000_000_000));
    let seen = Position::new(Epoch::FIRST, 0);
    let event = Event::new(user(1), place, ClientId::new(client_id).unwrap(), at, seen, action);
    let (_, offset) = log.send_raw(Some(event.key().as_bytes()), Some(&event.encode())).await;
    Target { position: Position::new(Epoch::FIRST, offset), id: event.id }
}

/// Something is said, said otherwise, and taken back; and something else stays.
async fn story(log: &Log, round: usize) {
    let said = |words: &str| Body::new(words).unwrap();
    let words = Message { mentions: vec![user(2)], ..Message::plain(said("SECRET first")) };
    let gone = happens(log, &format!("gone-{round}"), Action::Message(words)).await;
    let edit = Action::Edited { target: gone, body: said("SECRET again"), mentions: vec![user(2)] };
    happens(log, &format!("edit-{round}"), edit).await;
    let kept = Action::Message(Message::plain(said("what stays")));
    let kept = happens(log, &format!("kept-{round}"), kept).await;
    let edit = Action::Edited { target: kept, body: said("what stays, too"), mentions: Vec::new() };
    happens(log, &format!("kept-edit-{round}"), edit).await;
    happens(log, &format!("delete-{round}"), Action::Deleted { target: gone, reason: None }).await;
}

/// All records of a topic: partition, offset, time, value.
async fn records(world: &World) -> Vec<(i32, i64, Option<i64>, String)> {
    let (brokers, topic) = (world.settings.kafka.brokers.clone(), world.settings.kafka.topic.clone());
    let read = move || {
        use rdkafka::Message as _;
        let consumer: BaseConsumer = ClientConfig::new()
            .set("bootstrap.servers", &brokers)
            .set("group.id", "reader")
            .set("enable.auto.commit", "false")
            .create()
            .unwrap();
        let (mut list, mut left) = (TopicPartitionList::new(), 0);
        for partition in 0..PARTITIONS as i32 {
            let (low, high) = consumer.fetch_watermarks(&topic, partition, Duration::from_secs(30)).unwrap();
            left += high - low;
            list.add_partition_offset(&topic, partition, Offset::Beginning).unwrap();
        }
        consumer.assign(&list).unwrap();
        let (mut found, began) = (Vec::new(), std::time::Instant::now());
        while (found.len() as i64) < left {
            assert!(began.elapsed() < Duration::from_secs(60), "{} of {left} are read", found.len());
            let Some(record) = consumer.poll(Duration::from_millis(100)) else { continue };
            let record = record.unwrap();
            let value = String::from_utf8_lossy(record.payload().unwrap_or_default()).into_owned();
            found.push((record.partition(), record.offset(), record.timestamp().to_millis(), value));
        }
        found.sort();
        found
    };
    tokio::task::spawn_blocking(read).await.unwrap()
}

/// Kills the command when it comes to a point.
async fn killed_at(world: &World, point: &str) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kafka-consumer"));
    command.args(COMMAND).arg("--config").arg(world.file(None)).envs(quick());
    command.env("MILENA_CRASH_POINT", format!("{point}:1")).stdin(Stdio::null());
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let reached = format!("crash point {point} is reached");
    let waiting = tokio::task::spawn_blocking(move || {
        let said: Vec<String> = lines.map_while(Result::ok).take_while(|line| *line != reached).collect();
        said
    });
    let said = tokio::time::timeout(Duration::from_secs(120), waiting);
    let said = said.await.expect("it comes there in time").unwrap();
    assert!(child.try_wait().unwrap().is_none(), "{point}: {said:?}");
    child.kill().unwrap();
    child.wait().unwrap();
}

async fn deleted_words_leave_the_log_however_often_it_is_killed(world: World) {
    let _turn = turn().await;
    let log = Log::of(&world);
    log.send(messages(0..700)).await;
    let is_embedded = world.settings.database.url.expose().starts_with("sqlite");
    let is_short = !is_embedded && number("MILENA_TEST_REWRITES", 0) == 0;
    let short = ["rewrite_mid_copy", "rewrite_deleted"];
    let points: Vec<_> = POINTS.into_iter().filter(|point| !is_short || short.contains(point)).collect();
    for (round, point) in points.iter().copied().enumerate() {
        story(&log, round).await;
        let consumer = Running::start(&world).await;
        truth::stored(&world).await;
        consumer.stop().await;
        let before = records(&world).await;
        assert!(before.iter().any(|(.., value)| value.contains("SECRET")));

        killed_at(&world, point).await;
        // Nobody runs on half a log.
        let refused = fails(&world, &["run"]).await;
        assert!(refused.contains("new-epoch --without-deleted"), "{point}: {refused}");
        let done = says_with(&world, &COMMAND, &quick()).await;
        assert!(done.contains("was written anew"), "{point}: {done}");

        let after = records(&world).await;
        assert_eq!(after.len(), before.len(), "{point}");
        for (one, other) in before.iter().zip(&after) {
            assert_eq!((one.0, one.1, one.2), (other.0, other.1, other.2), "{point}: each at its place");
            assert!(!other.3.contains("SECRET"), "{point}: {}", other.3);
            assert!(one.3 == other.3 || one.3.contains("SECRET"), "{point}: {} became {}", one.3, other.3);
        }
        assert_eq!(json(&world, &["verify", "--json"]).await["difference_count"], 0, "{point}");
    }

    // A store made of the log alone is the same.
    let other = match &world.settings.database.url.expose()[..6] {
        "sqlite" => Database::sqlite(&world.folder.path().join("log")),
        _ => Database::on(&std::env::var("MILENA_TEST_POSTGRES_URL").unwrap()).await,
    };
    let url = other.url().to_owned();
    let replayed = json(&world, &["replay", "--json", "--database", &url]).await;
    assert_eq!(replayed["dead_letters"], 0, "{replayed}");
    assert_eq!(json(&world, &["verify", "--json", "--database", &url]).await["difference_count"], 0);

    // Where the log's files are at hand: in none of them, once they are gone.
    let folder = world.folder.path().join("log");
    if folder.exists() {
        until("the words are in no file", 60, async || !holds(&folder, b"SECRET")).await;
    }
}

/// Whether a file in the folder has these bytes.
fn holds(folder: &std::path::Path, words: &[u8]) -> bool {
    std::fs::read_dir(folder).unwrap().flatten().any(|entry| {
        let path = entry.path();
        if path.is_dir() {
            return holds(&path, words);
        }
        let bytes = std::fs::read(&path).unwrap_or_default();
        bytes.windows(words.len()).any(|window| window == words)
    })
}

/// The copy has a name of its own.
async fn nothing_is_written_over_a_topic_of_somebody_else(world: World) {
    let _turn = turn().await;
    let log = Log::of(&world);
    story(&log, 0).await;
    let other = world.settings.kafka.topic.clone() + ".without-deleted";
    let kafka = milena_settings::KafkaSettings { topic: other.clone(), ..world.settings.kafka.clone() };
    milena_kafka::ensure_topics(&kafka, Duration::from_secs(20)).await.unwrap();
    let refused = fails(&world, &COMMAND).await;
    assert!(refused.contains(&format!("there is a topic {other} already")), "{refused}");
    let consumer = Running::start(&world).await;
    truth::stored(&world).await;
    consumer.stop().await;
    assert_eq!(json(&world, &["verify", "--json"]).await["difference_count"], 0);
}
