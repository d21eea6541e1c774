//! The measure: reads log, store and dead-letter topic whole and compares them.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::time::{Duration, Instant};

use milena_domain::{Epoch, Event, Position};
use milena_kafka::{Quiet, Role, client_config, header, partition_states};
use milena_settings::Settings;
use milena_storage::entities::messages;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::OwnedMessage;
use rdkafka::{Message, Offset, TopicPartitionList};
use sea_orm::{Database, EntityTrait};

use crate::world::{World, until};

/// What a record's place is.
pub(crate) type Place = (i32, i64);

/// Waits until the store has read the log to its end.
pub(crate) async fn stored(world: &World) {
    let store = world.store().await;
    let topic = world.settings.kafka.topic.clone();
    until("the store reaches the end of the log", 120, async || {
        let states = partition_states(&world.settings.kafka, Duration::from_secs(10)).await.unwrap();
        let Ok(position) = store.log_position(&topic).await else { return false };
        states.iter().all(|(partition, state)| {
            state.high == 0 || position.next_offsets.get(partition) == Some(&state.high)
        })
    })
    .await;
    drop(store);
}

/// Asserts that the store equals the log. Answers the number of messages.
pub(crate) async fn equal(world: &World) -> usize {
    let mut expected = BTreeMap::new();
    let mut bad = BTreeMap::new();
    let mut ids = HashSet::new();
    for record in read_all(&world.settings, &world.settings.kafka.topic).await {
        match Event::decode(record.key(), record.payload()) {
            Ok(Event::Message(event)) => {
                // A message that is in the log twice is stored once, under its first position.
                if ids.insert(event.id) {
                    let position = Position::new(Epoch::FIRST, record.offset());
                    let key = (event.conversation.as_uuid(), position.as_i64());
                    assert!(expected.insert(key, event).is_none());
                }
            }
            Err(error) => drop(bad.insert((record.partition(), record.offset()), (error.code(), record))),
        }
    }
    let database = Database::connect(world.database.url()).await.unwrap();
    let rows = messages::Entity::find().all(&database).await.unwrap();
    database.close().await.unwrap();
    assert_eq!(rows.len(), expected.len(), "rows in the store, messages in the log");
    for row in rows {
        let event = &expected[&(row.conversation_id, row.position)];
        assert_eq!(row.id, event.id.as_uuid());
        assert_eq!((row.sender_id, row.recipient_id), (event.sender.as_uuid(), event.to.as_uuid()));
        assert_eq!(
            (row.client_id.as_str(), row.body.as_str()),
            (event.client_id.as_str(), event.body.as_str())
        );
        assert_eq!(row.sent_at_ms, event.sent_at.unix_ms());
    }
    dead_letters_equal(world, &bad).await;
    expected.len()
}

/// Exactly the bad records, each as it was. After a crash a letter may be there twice.
async fn dead_letters_equal(world: &World, bad: &BTreeMap<Place, (&'static str, OwnedMessage)>) {
    let mut found = BTreeSet::new();
    for letter in read_all(&world.settings, &world.settings.kafka.dead_topic).await {
        let headers = letter.headers().expect("a letter has headers");
        let text = |name: &str| {
            String::from_utf8(header(headers, name).unwrap_or_else(|| panic!("{name} is missing")).to_vec())
                .unwrap()
        };
        let place = (text("dead.partition").parse().unwrap(), text("dead.offset").parse().unwrap());
        let (reason, original) = bad.get(&place).unwrap_or_else(|| panic!("{place:?} is not a bad record"));
        assert_eq!(text("dead.reason"), *reason);
        assert_eq!(text("dead.topic"), world.settings.kafka.topic);
        assert_eq!(letter.key(), original.key());
        if header(headers, "dead.value_omitted").is_none() {
            assert_eq!(letter.payload(), original.payload());
        }
        found.insert(place);
    }
    assert_eq!(found, bad.keys().copied().collect(), "dead letters, bad records");
}

/// All records of a topic as of now.
pub(crate) async fn read_all(settings: &Settings, topic: &str) -> Vec<OwnedMessage> {
    let mut kafka = settings.kafka.clone();
    kafka.topic = topic.to_owned();
    let states = partition_states(&kafka, Duration::from_secs(10)).await.unwrap();
    let config = client_config(&kafka, &Role::Tail);
    let topic = topic.to_owned();
    let read = move || {
        let consumer: BaseConsumer<Quiet> = config.create_with_context(Quiet::default()).unwrap();
        let mut list = TopicPartitionList::new();
        for &partition in states.keys() {
            list.add_partition_offset(&topic, partition, Offset::Beginning).unwrap();
        }
        consumer.assign(&list).unwrap();
        let mut left: BTreeMap<i32, i64> = states
            .into_iter()
            .filter(|(_, state)| state.high > state.low)
            .map(|(partition, state)| (partition, state.high))
            .collect();
        let mut records = Vec::new();
        let deadline = Instant::now() + Duration::from_secs(60);
        while !left.is_empty() {
            assert!(Instant::now() < deadline, "reading {topic}: {left:?} is left");
            let Some(Ok(message)) = consumer.poll(Duration::from_millis(200)) else { continue };
            if left.get(&message.partition()).is_some_and(|high| message.offset() + 1 >= *high) {
                left.remove(&message.partition());
            }
            records.push(message.detach());
        }
        records
    };
    tokio::task::spawn_blocking(read).await.unwrap()
}
