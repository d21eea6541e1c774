//! The commands as people type them.

use milena_storage::Store;

use crate::in_both_worlds;
use crate::log::{Log, message, messages};
use crate::program::{fails, json, program, says};
use crate::running::Running;
use crate::store::Database;
use crate::truth;
use crate::world::World;

in_both_worlds!(
    replay_and_verify,
    dead_letters_are_listed_and_tried_again,
    a_new_epoch,
    mistakes_are_one_sentence
);

/// 1,000 messages, a repeat and two bad records, stored.
async fn story(world: &World) -> Log {
    let log = Log::of(world);
    log.send(messages(0..1_000)).await;
    log.send(messages(0..1)).await;
    log.send_raw(Some(b"k"), Some(b"bad")).await;
    log.send_raw(None, None).await;
    let consumer = Running::start(world).await;
    truth::stored(world).await;
    consumer.stop().await;
    log
}

async fn replay_and_verify(mut world: World) {
    let log = story(&world).await;
    assert!(says(&world, &["verify"]).await.contains("the store equals the log"));
    // A second replay stores nothing.
    let again = json(&world, &["replay", "--json"]).await;
    assert_eq!(
        (&again["read"], &again["inserted"], &again["already_there"]),
        (&1_003.into(), &0.into(), &1_001.into())
    );
    // Into an empty database, in two steps, at another batch size, beside what was stored before.
    let other = match &world.settings.database.url.expose()[..6] {
        "sqlite" => Database::sqlite(&world.folder.path().join("log")),
        _ => Database::on(&std::env::var("MILENA_TEST_POSTGRES_URL").unwrap()).await,
    };
    let url = other.url().to_owned();
    let run = async |arguments: &[&str]| json(&world, &[arguments, &["--database", &url]].concat()).await;
    let dry = run(&["replay", "--json", "--dry-run"]).await;
    assert_eq!(
        (&dry["inserted"], &dry["already_there"], &dry["dead_letters"]),
        (&1_000.into(), &1.into(), &2.into())
    );
    let part = run(&["replay", "--json", "--partitions", "0,1"]).await;
    let rest = run(&["replay", "--json", "--from", "stored"]).await;
    let sum = part["inserted"].as_u64().unwrap() + rest["inserted"].as_u64().unwrap();
    assert_eq!(sum, 1_000);
    assert_eq!(run(&["replay", "--json"]).await["inserted"], 0);
    assert_eq!(run(&["verify", "--json"]).await["difference_count"], 0);
    // What is lost in the store is found by verify, and brought back by replay.
    world.settings.database.url = milena_settings::Secret::new(url.clone());
    world.database = other;
    assert_eq!(truth::equal(&world).await, 1_000);
    delete(&world, 7).await;
    let found = program(&world, &["verify", "--database", &url]).await;
    assert_eq!(found.status.code(), Some(1));
    let told = String::from_utf8(found.stdout).unwrap();
    assert!(told.contains(&format!("message {} is not in the store", message(7).id)), "{told}");
    let healed = json(&world, &["replay", "--json", "--database", &url]).await;
    assert_eq!(healed["inserted"], 1);
    assert_eq!(truth::equal(&world).await, 1_000);
    // A consumer goes on behind the replay.
    log.send(messages(1_000..1_100)).await;
    let consumer = Running::start(&world).await;
    truth::stored(&world).await;
    let summary = consumer.stop().await;
    assert_eq!((summary.inserted, summary.repeats), (100, 0));
}

async fn delete(world: &World, number: u64) {
    use milena_storage::entities::messages;
    use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
    let database = sea_orm::Database::connect(world.database.url()).await.unwrap();
    let id = message(number).id.as_uuid();
    let deleted =
        messages::Entity::delete_many().filter(messages::Column::Id.eq(id)).exec(&database).await.unwrap();
    assert_eq!(deleted.rows_affected, 1);
    database.close().await.unwrap();
}

async fn dead_letters_are_listed_and_tried_again(world: World) {
    let log = story(&world).await;
    let list = says(&world, &["dead", "list"]).await;
    assert!(list.contains("malformed") && list.contains("no_value"), "{list}");
    assert!(list.contains("2 dead letters of 2 different records"), "{list}");
    let shown = says(&world, &["dead", "show", "0"]).await;
    assert!(shown.contains("dead.reason: ") && shown.contains("key: "), "{shown}");
    assert!(fails(&world, &["dead", "show", "99"]).await.contains("there is no dead letter 99"));
    assert!(says(&world, &["dead", "retry", "--all"]).await.contains("0 sent again, 2 left"));
    // A record that an older program could not read: put there by hand, as this program reads them all.
    let lost = message(5_000);
    log.publish_dead_letter(&world, &lost).await;
    assert!(says(&world, &["dead", "retry", "--all"]).await.contains("1 sent again, 2 left"));
    assert!(says(&world, &["dead", "retry", "2"]).await.contains("1 sent again"));
    // One that another partitioner put astray goes where it belongs.
    log.send_astray(&message(6_000)).await;
    let consumer = Running::start(&world).await;
    truth::stored(&world).await;
    let summary = consumer.stop().await;
    assert_eq!((summary.inserted, summary.repeats, summary.dead_letters), (1, 1, 1));
    assert!(says(&world, &["dead", "list"]).await.contains("wrong_partition"));
    assert!(says(&world, &["dead", "retry", "3"]).await.contains("1 sent again"));
    let consumer = Running::start(&world).await;
    truth::stored(&world).await;
    assert_eq!(consumer.stop().await.inserted, 1);
    // Long after, the proof of newness in a record of today proves nothing: it gets a new one, and counts.
    let lost = milena_domain::record::Event {
        seen: Some(milena_domain::Position::new(milena_domain::Epoch::FIRST, 1 << 30)),
        ..message(7_000).into()
    };
    let id = milena_domain::MessageId::of_event(lost.conversation, lost.actor, &lost.client_id);
    let lost = milena_domain::record::Event { id, ..lost };
    log.send_record_astray(lost.conversation, &lost.encode()).await;
    for (told, counts) in [("1 sent again, 0 left", (1, 0, 0)), ("0 sent again, 1 left", (0, 0, 0))] {
        let consumer = Running::start(&world).await;
        truth::stored(&world).await;
        consumer.stop().await;
        let found = says(&world, &["dead", "retry", "4"]).await;
        assert!(found.contains(told), "{found}");
        let consumer = Running::start(&world).await;
        truth::stored(&world).await;
        let summary = consumer.stop().await;
        assert_eq!((summary.inserted, summary.void, summary.repeats), counts);
    }
}

async fn a_new_epoch(world: World) {
    let log = story(&world).await;
    let status = json(&world, &["status", "--json"]).await;
    assert_eq!(
        (&status["epoch"], &status["lag"], &status["mismatch"]),
        (&1.into(), &0.into(), &serde_json::Value::Null)
    );
    let consumer = Running::start(&world).await;
    crate::world::until("the consumer is in the group", 20, async || {
        fails(&world, &["new-epoch"]).await.contains("still run")
    })
    .await;
    consumer.stop().await;
    assert!(fails(&world, &["new-epoch"]).await.contains("say --yes"));
    assert!(says(&world, &["new-epoch", "--yes"]).await.contains("Epoch 2 has begun"));
    log.send(messages(1_000..1_010)).await;
    let status = json(&world, &["status", "--json"]).await;
    assert_eq!((&status["epoch"], &status["lag"]), (&2.into(), &1_013.into()));
    let consumer = Running::start(&world).await;
    truth::stored(&world).await;
    let summary = consumer.stop().await;
    assert_eq!((summary.inserted, summary.repeats), (10, 1_001));
    let store = world.store().await;
    let page = store.history(message(1_000).conversation, milena_storage::Page::Latest, 10).await.unwrap();
    let last = page.messages.last().unwrap();
    assert_eq!((last.id, last.position.epoch_number()), (message(1_000).id, 2));
    assert!(says(&world, &["verify"]).await.contains("the store equals the log"));
}

async fn mistakes_are_one_sentence(world: World) {
    let one_sentence = |text: &str, part: &str| {
        assert!(text.starts_with("kafka-consumer: ") && text.contains(part), "{text}");
        assert_eq!(text.trim_end().lines().count(), 1, "{text}");
    };
    one_sentence(&fails(&world, &["status", "--database", "sqlite:/nowhere/at/all.db"]).await, "database");
    let mut nobody = world.settings.clone();
    nobody.kafka.brokers = "127.0.0.1:1".to_owned();
    nobody.kafka.start_timeout_ms = 0;
    let store = Store::connect(&nobody.database).await.unwrap();
    let error = milena_kafka_consumer::run(nobody, store, Default::default()).await.unwrap_err().to_string();
    assert!(error.contains("no Kafka broker answers at 127.0.0.1:1"), "{error}");
    // The store has seen more than the log has.
    let log = Log::of(&world);
    log.send(messages(0..10)).await;
    let store = world.store().await;
    let ahead = milena_storage::WriteBatch {
        topic: world.settings.kafka.topic.clone(),
        epoch: milena_domain::Epoch::FIRST,
        events: Vec::new(),
        advances: vec![milena_storage::OffsetAdvance { partition: 0, from: 0, to: 1_000 }],
    };
    store.write_batch(&ahead).await.unwrap();
    one_sentence(&fails(&world, &["run"]).await, "kafka-consumer new-epoch");
}
