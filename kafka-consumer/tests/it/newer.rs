//! Records that a newer program wrote: storing stops before them, and nothing is lost.

use std::time::Duration;

use milena_domain::{Epoch, partition_of};
use milena_kafka_consumer::ConsumerError;
use milena_storage::{OffsetAdvance, WriteBatch};

use crate::commands::{fails, json, program, says};
use crate::in_both_worlds;
use crate::log::{Log, message, messages};
use crate::steady::Running;
use crate::truth;
use crate::world::{PARTITIONS, World, until};

in_both_worlds!(a_made_up_version_and_a_made_up_type_stop_the_consumer);

/// Messages of one conversation stand before and behind a record of version 3, and others before and behind
/// one of a made-up type.
async fn a_made_up_version_and_a_made_up_type_stop_the_consumer(world: World) {
    let log = Log::of(&world);
    log.send(messages(0..400)).await;
    let newer =
        [(0, r#"{"v":3,"type":"message","body":{"rich":true}}"#), (1, r#"{"v":2,"type":"poll_opened"}"#)];
    let mut places = Vec::new();
    for (number, value) in newer {
        let key = message(number).key();
        let place = log.send_raw(Some(key.as_bytes()), Some(value.as_bytes())).await;
        assert_eq!(place.0, partition_of(message(number).conversation, PARTITIONS));
        places.push(place);
    }
    assert_ne!(places[0].0, places[1].0, "in two partitions");
    log.send(messages(400..800)).await;

    // Whichever is met first ends it, with what stands before it stored, in a sentence that says where.
    let consumer = Running::start(&world).await;
    let error = consumer.ended(Duration::from_secs(60)).await.unwrap_err();
    let ConsumerError::Newer(met) = &error else { panic!("{error}") };
    assert!(places.contains(&(met.partition, met.offset)), "{met:?}");
    let told = error.to_string();
    assert!(told.contains(&format!("offset {} of partition {}", met.offset, met.partition)), "{told}");
    assert!(told.contains("version 3") || told.contains("type \"poll_opened\""), "{told}");
    assert!(told.contains("upgrade this program"), "{told}");

    // So does the program, as often as it is started: exit status 1, one sentence, nothing given away.
    for _ in 0..2 {
        let told = fails(&world, &["run"]).await;
        let last = told.lines().last().unwrap();
        assert!(
            last.starts_with("kafka-consumer: the record at offset ") && last.contains("upgrade"),
            "{told}"
        );
    }
    let store = world.store().await;
    let next = async || store.log_position(&world.settings.kafka.topic).await.unwrap().next_offsets;
    for &(partition, offset) in &places {
        let stored = next().await.get(&partition).copied().unwrap_or_default();
        assert!(stored <= offset, "partition {partition} is passed: {stored}");
    }
    assert!(says(&world, &["dead", "list"]).await.contains("0 dead letters"));
    // A replay says the same, and stores what stands before.
    let told = fails(&world, &["replay"]).await;
    assert!(told.contains("was written by a newer program"), "{told}");
    assert!(fails(&world, &["replay", "--dry-run"]).await.contains("was written by a newer program"));
    assert!(says(&world, &["verify"]).await.contains("the store equals the log"));

    // An upgraded program passes such a record, each in its turn; this one then goes on behind it.
    for _ in 0..2 {
        let met = loop_until_met(&world).await;
        let advance = OffsetAdvance { partition: met.0, from: met.1, to: met.1 + 1 };
        let (topic, epoch) = (world.settings.kafka.topic.clone(), Epoch::FIRST);
        let passed = WriteBatch { topic, epoch, events: Vec::new(), advances: vec![advance] };
        store.write_batch(&passed).await.unwrap();
    }
    let consumer = Running::start(&world).await;
    truth::stored(&world).await;
    consumer.stop().await;
    let found = json(&world, &["status", "--json"]).await;
    assert_eq!((&found["lag"], &found["newer"]), (&0.into(), &serde_json::json!([])));
    let stored: Vec<_> = (0..800).map(|number| message(number).id).collect();
    assert_eq!(store.existing_messages(&stored).await.unwrap().len(), 800, "nothing is lost");
}

/// Lets consumers store until one stands right before a newer record; answers its place, as `status` tells.
async fn loop_until_met(world: &World) -> (i32, i64) {
    let mut met = None;
    until("status names the record at which storing stops", 60, async || {
        assert_eq!(program(world, &["run"]).await.status.code(), Some(1));
        let found = json(world, &["status", "--json"]).await;
        let told = found["newer"].as_array().unwrap().first().cloned();
        met = told.and_then(|told| {
            let told = told.as_str()?.strip_prefix("the record at offset ")?.to_owned();
            let (offset, rest) = told.split_once(" of partition ")?;
            let (partition, _) = rest.split_once(' ')?;
            Some((partition.parse().ok()?, offset.parse().ok()?))
        });
        met.is_some()
    })
    .await;
    assert!(says(world, &["status"]).await.contains("STOPPED: the record at offset "));
    met.unwrap()
}
