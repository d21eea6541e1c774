//! The measure: reads log, store and dead-letter topic whole and compares them.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::time::{Duration, Instant};

use milena_domain::record::{Action, Event};
use milena_domain::{Epoch, Position, Timestamp};
use milena_kafka::{Quiet, Role, client_config, header, partition_states};
use milena_settings::Settings;
use milena_storage::entities::messages;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::message::OwnedMessage;
use rdkafka::{Message, Offset, TopicPartitionList};
use sea_orm::{Database, EntityTrait};

use crate::world::{PARTITIONS, World, until};

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

/// How the store's rows differ from the log's messages.
#[derive(Debug, Default)]
pub(crate) struct Comparison {
    pub(crate) messages: usize,
    /// In the log and not in the store.
    lost: usize,
    /// In the store and not in the log, or in it more than once.
    duplicated: usize,
    /// At another position than the first of its records, and so in another order.
    reordered: usize,
    /// At its position, but with another content.
    altered: usize,
}

impl Comparison {
    pub(crate) fn is_equal(&self) -> bool {
        self.lost + self.duplicated + self.reordered + self.altered == 0
    }
}

impl std::fmt::Display for Comparison {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { messages, lost, duplicated, reordered, altered } = self;
        write!(
            f,
            "{messages} messages, {lost} lost, {duplicated} duplicated, {reordered} reordered, \
             {altered} altered"
        )
    }
}

/// Asserts that the store equals the log. Answers the number of messages.
pub(crate) async fn equal(world: &World) -> usize {
    let found = compare(world).await;
    assert!(found.is_equal(), "{found}");
    found.messages
}

/// Compares the store with the log, and asserts that the dead letters are exactly the bad records.
pub(crate) async fn compare(world: &World) -> Comparison {
    let mut expected = HashMap::new();
    let mut bad = BTreeMap::new();
    for record in read_all(&world.settings, &world.settings.kafka.topic).await {
        let written = record.timestamp().to_millis().map(Timestamp::from_unix_ms);
        match Event::read(record.partition(), PARTITIONS, record.key(), record.payload()) {
            // A message that is in the log twice is stored once, under its first position.
            Ok(event) => drop(
                expected
                    .entry(event.id.as_uuid())
                    .or_insert((Position::new(Epoch::FIRST, record.offset()), event.believed(written))),
            ),
            Err(error) => drop(bad.insert((record.partition(), record.offset()), (error.code(), record))),
        }
    }
    let database = Database::connect(world.database.url()).await.unwrap();
    let rows = messages::Entity::find().all(&database).await.unwrap();
    database.close().await.unwrap();
    let mut found = Comparison { messages: expected.len(), ..Comparison::default() };
    for row in rows {
        let Some((position, event)) = expected.remove(&row.id) else {
            found.duplicated += 1;
            continue;
        };
        let Action::Message(message) = &event.action else { panic!("only messages are compared here") };
        let same = (row.conversation_id, row.sender_id, Some(row.recipient_id))
            == (event.conversation.as_uuid(), event.actor.as_uuid(), event.to.map(|to| to.as_uuid()))
            && (&*row.client_id, &*row.body, row.sent_at_ms)
                == (event.client_id.as_str(), message.body.as_str(), event.at.unix_ms());
        if row.position != position.as_i64() {
            found.reordered += 1;
        } else if !same {
            found.altered += 1;
        }
    }
    found.lost = expected.len();
    dead_letters_equal(world, &bad).await;
    found
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
