//! The log's own number of partitions is the truth: no record becomes a dead letter because a setting says
//! another one, or because somebody added partitions.

use std::collections::BTreeMap;
use std::time::Duration;

use milena_kafka::{Quiet, Role, client_config, ensure_topics, partition_count};
use milena_kafka_consumer::ConsumerError;
use milena_settings::Settings;
use milena_storage::entities::messages;
use rdkafka::admin::{AdminClient, AdminOptions, NewPartitions};
use sea_orm::EntityTrait;

use crate::in_both_worlds;
use crate::log::{Log, messages};
use crate::program::{fails_with, says_with};
use crate::running::Running;
use crate::truth;
use crate::world::{PARTITIONS, World, until};

in_both_worlds!(a_setting_that_differs_buries_nothing, partitions_that_were_added_bury_nothing);

/// `kafka.partitions` as this, for one program.
fn setting(partitions: usize) -> [(&'static str, String); 1] {
    [("MILENA__KAFKA__PARTITIONS", partitions.to_string())]
}

async fn no_dead_letters(world: &World) {
    let letters = truth::read_all(&world.settings, &world.settings.kafka.dead_topic).await;
    assert!(letters.is_empty(), "{letters:?}");
}

/// The store knows all 24 partitions, and somebody comes with the 12 of the defaults.
async fn a_setting_that_differs_buries_nothing(mut world: World) {
    world.settings.kafka.topic.push_str("-24");
    world.settings.kafka.partitions = 24;
    ensure_topics(&world.settings.kafka, Duration::from_secs(20)).await.unwrap();
    let log = Log::of(&world);
    log.send(messages(0..400)).await;
    let consumer = Running::start(&world).await;
    truth::stored(&world).await;
    assert_eq!(consumer.stop().await.inserted, 400);
    log.send(messages(400..500)).await;
    let topic = ("MILENA__KAFKA__TOPIC", world.settings.kafka.topic.clone());
    let with = |partitions| [setting(partitions).to_vec(), vec![topic.clone()]].concat();
    let commands: [&[&str]; 4] = [&["run"], &["verify"], &["replay"], &["new-epoch", "--yes"]];
    for command in commands {
        for differs in [12, 36] {
            let said = fails_with(&world, command, &with(differs)).await;
            let named = said.contains(&format!("kafka.partitions is {differs}"));
            assert!(named && said.contains("set kafka.partitions = 24"), "{command:?}: {said}");
        }
    }
    no_dead_letters(&world).await;
    let consumer = Running::start(&world).await;
    truth::stored(&world).await;
    assert_eq!(consumer.stop().await.inserted, 100);
    assert!(says_with(&world, &["verify"], &with(24)).await.contains("the store equals the log"));
    no_dead_letters(&world).await;
}

async fn partitions_that_were_added_bury_nothing(world: World) {
    let log = Log::of(&world);
    log.send(messages(0..300)).await;
    let consumer = Running::start(&world).await;
    truth::stored(&world).await;
    consumer.stop().await;
    // What the store lacks when partitions are added, and what comes after.
    log.send(messages(300..500)).await;
    grow(&world.settings, 18).await;
    Log::of(&world).send(messages(500..800)).await;

    let said = fails_with(&world, &["run"], &[]).await;
    assert!(said.contains("kafka.partitions is 12") && said.contains("set kafka.partitions = 18"), "{said}");
    for command in [&["run"] as &[&str], &["verify"], &["replay"]] {
        let said = fails_with(&world, command, &setting(18)).await;
        assert!(said.contains("had 12 when this epoch began") && said.contains("new-epoch"), "{said}");
    }
    let said = says_with(&world, &["new-epoch", "--yes"], &setting(18)).await;
    assert!(said.contains("written before the partitions were added are stored"), "{said}");
    let mut settings = world.settings.clone();
    settings.kafka.partitions = 18;
    let consumer = Running::with(settings.clone()).await;
    truth::stored(&world).await;
    let summary = consumer.stop().await;
    assert_eq!(summary.dead_letters, 0);
    no_dead_letters(&world).await;
    in_order(&world, 800).await;
    let said = says_with(&world, &["verify"], &setting(18)).await;
    assert!(said.contains("the store equals the log"), "{said}");

    // Once more, under a consumer that runs: it stops, and says why.
    let consumer = Running::with(settings.clone()).await;
    until("the consumer has partitions", 30, async || consumer.is_ready()).await;
    grow(&settings, 24).await;
    Log::of(&world).send(messages(800..1_000)).await;
    let ended = consumer.ended(Duration::from_secs(60)).await;
    assert!(matches!(ended, Err(ConsumerError::Repartitioned { known: 18, .. })), "{ended:?}");
    no_dead_letters(&world).await;
    says_with(&world, &["new-epoch", "--yes"], &setting(24)).await;
    settings.kafka.partitions = 24;
    let consumer = Running::with(settings).await;
    truth::stored(&world).await;
    assert_eq!(consumer.stop().await.dead_letters, 0);
    in_order(&world, 1_000).await;
    no_dead_letters(&world).await;
}

/// All messages are stored, each conversation's in the order in which they were sent.
async fn in_order(world: &World, count: usize) {
    let database = sea_orm::Database::connect(world.database.url()).await.unwrap();
    let mut rows = messages::Entity::find().all(&database).await.unwrap();
    database.close().await.unwrap();
    assert_eq!(rows.len(), count);
    rows.sort_unstable_by_key(|row| row.position);
    let mut conversations = BTreeMap::<_, Vec<i64>>::new();
    for row in rows {
        conversations.entry(row.conversation_id).or_default().push(row.sent_at_ms);
    }
    assert!(conversations.values().all(|times| times.is_sorted()), "{conversations:?}");
}

/// Adds partitions, as `kafka-topics --alter` does, and waits until they are there.
async fn grow(settings: &Settings, partitions: usize) {
    assert!(partitions > PARTITIONS);
    let admin: AdminClient<Quiet> =
        client_config(&settings.kafka, &Role::Admin).create_with_context(Quiet::default()).unwrap();
    let wanted = NewPartitions::new(&settings.kafka.topic, partitions);
    let results = admin.create_partitions([&wanted], &AdminOptions::new()).await.unwrap();
    assert!(results.iter().all(Result::is_ok), "{results:?}");
    tokio::task::spawn_blocking(move || drop(admin)).await.unwrap();
    until("the partitions are there", 20, async || {
        partition_count(&settings.kafka, Duration::from_secs(5)).await.is_ok_and(|count| count == partitions)
    })
    .await;
}
