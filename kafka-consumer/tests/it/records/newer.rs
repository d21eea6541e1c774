//! Records that a newer program wrote: their partitions stop before them, the others go on, and nothing is
//! lost.

use milena_domain::{Epoch, partition_of};
use milena_settings::{DatabaseSettings, Secret};
use milena_storage::{OffsetAdvance, Store, WriteBatch};

use crate::in_both_worlds;
use crate::log::{Log, message, messages};
use crate::program::{fails, json, says};
use crate::running::Running;
use crate::store::Database;
use crate::truth;
use crate::world::{PARTITIONS, World, until};

in_both_worlds!(a_made_up_version_and_a_made_up_type_stop_their_partitions);

/// Messages of one conversation stand before and behind a record of version 3, and others before and behind
/// one of a made-up type.
async fn a_made_up_version_and_a_made_up_type_stop_their_partitions(world: World) {
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

    // Each holds up its own partition: what stands before it, and all others, are stored while the consumer
    // runs on, and it says so.
    let consumer = Running::start(&world).await;
    let is_held = |number: u64| {
        let partition = partition_of(message(number).conversation, PARTITIONS);
        number >= 400 && places.iter().any(|place| place.0 == partition)
    };
    let (held, free): (Vec<u64>, Vec<u64>) = (0..800).partition(|number| is_held(*number));
    assert!(!held.is_empty() && free.len() > 400);
    let ids = |numbers: &[u64]| numbers.iter().map(|number| message(*number).id).collect::<Vec<_>>();
    let store = world.store().await;
    until("the other partitions are stored", 60, async || {
        store.existing_messages(&ids(&free)).await.unwrap().len() == free.len()
    })
    .await;
    log.send(messages(800..900)).await;
    let later: Vec<u64> = (800..900).filter(|number| !is_held(*number)).collect();
    until("what comes later is stored", 60, async || {
        store.existing_messages(&ids(&later)).await.unwrap().len() == later.len()
    })
    .await;
    assert!(store.existing_messages(&ids(&held)).await.unwrap().is_empty(), "nothing is passed");
    assert!(!consumer.is_ready(), "and it says so");
    let next = store.log_position(&world.settings.kafka.topic).await.unwrap().next_offsets;
    for &(partition, offset) in &places {
        assert_eq!(next[&partition], offset, "it stands right before the record");
    }
    consumer.stop().await;
    assert!(says(&world, &["dead", "list"]).await.contains("0 dead letters"));
    let told = says(&world, &["status"]).await;
    for (partition, offset) in &places {
        let stopped = format!("STOPPED: the record at offset {offset} of partition {partition} ");
        assert!(told.contains(&stopped), "{told}");
    }
    assert!(told.contains("version 3") && told.contains("type \"poll_opened\""), "{told}");
    assert!(told.contains("upgrade this program"), "{told}");

    // A replay elsewhere stores as much, and says why that is not all.
    let elsewhere = tempfile::tempdir().unwrap();
    let database = Database::sqlite(elsewhere.path());
    let told = fails(&world, &["replay", "--database", database.url()]).await;
    assert!(told.contains("was written by a newer program"), "{told}");
    let settings = DatabaseSettings { url: Secret::new(database.url()), ..world.settings.database.clone() };
    let replayed = Store::connect(&settings).await.unwrap();
    assert_eq!(replayed.existing_messages(&ids(&free)).await.unwrap().len(), free.len());
    assert!(fails(&world, &["replay", "--dry-run"]).await.contains("was written by a newer program"));
    assert!(says(&world, &["verify"]).await.contains("the store equals the log"));

    // An upgraded program passes such a record; this one then goes on behind it.
    for &(partition, offset) in &places {
        let advance = OffsetAdvance { partition, from: offset, to: offset + 1 };
        let (topic, epoch) = (world.settings.kafka.topic.clone(), Epoch::FIRST);
        let passed = WriteBatch { topic, epoch, events: Vec::new(), advances: vec![advance] };
        store.write_batch(&passed).await.unwrap();
    }
    let consumer = Running::start(&world).await;
    truth::stored(&world).await;
    assert!(consumer.is_ready());
    consumer.stop().await;
    let found = json(&world, &["status", "--json"]).await;
    assert_eq!((&found["lag"], &found["newer"]), (&0.into(), &serde_json::json!([])));
    let stored: Vec<_> = (0..900).collect();
    assert_eq!(store.existing_messages(&ids(&stored)).await.unwrap().len(), 900, "nothing is lost");
}
