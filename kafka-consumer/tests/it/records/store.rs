//! Nothing fails: every message is stored once, in order, soon, and a stop loses and repeats nothing.

use std::time::{Duration, Instant};

use milena_storage::{LogPosition, Page};

use crate::in_both_worlds;
use crate::log::{Log, message, messages};
use crate::running::Running;
use crate::truth;
use crate::world::{World, until};

in_both_worlds!(
    stored_once_in_order,
    repeats_are_stored_once,
    one_message_is_stored_soon,
    a_stop_loses_and_repeats_nothing,
    two_consumers_share,
    two_groups_by_mistake
);

async fn stored_once_in_order(world: World) {
    let log = Log::of(&world);
    log.send(messages(0..3_000)).await;
    let consumer = Running::start(&world).await;
    log.send(messages(3_000..6_000)).await;
    truth::stored(&world).await;
    let summary = consumer.stop().await;
    assert_eq!((summary.inserted, summary.repeats, summary.dead_letters), (6_000, 0, 0));
    assert_eq!(truth::equal(&world).await, 6_000);
    // The order of a conversation is the order in which it was sent.
    let store = world.store().await;
    let page = store.history(message(0).conversation, Page::Latest, 100).await.unwrap();
    assert!(page.messages.is_sorted_by(|a, b| a.position < b.position && a.sent_at < b.sent_at));
}

async fn repeats_are_stored_once(world: World) {
    let log = Log::of(&world);
    for _ in 0..3 {
        log.send(messages(0..200)).await;
    }
    let consumer = Running::start(&world).await;
    truth::stored(&world).await;
    log.send(messages(0..200)).await;
    truth::stored(&world).await;
    let summary = consumer.stop().await;
    assert_eq!((summary.inserted, summary.repeats), (200, 600));
    assert_eq!(truth::equal(&world).await, 200);
}

async fn one_message_is_stored_soon(world: World) {
    let log = Log::of(&world);
    log.send(messages(0..1)).await;
    let consumer = Running::start(&world).await;
    truth::stored(&world).await;
    let store = world.store().await;
    let mut slowest = Duration::ZERO;
    for number in 1..6 {
        log.send([message(number)]).await;
        let sent = Instant::now();
        until("the message is stored", 10, async || {
            !store.existing_messages(&[message(number).id]).await.unwrap().is_empty()
        })
        .await;
        slowest = slowest.max(sent.elapsed());
    }
    // A batch is at most 200 ms old; the rest is room for a busy machine.
    assert!(slowest < Duration::from_millis(1_000), "{slowest:?}");
    consumer.stop().await;
}

async fn a_stop_loses_and_repeats_nothing(world: World) {
    let log = Log::of(&world);
    let mut sent = 0;
    for _ in 0..5 {
        let consumer = Running::start(&world).await;
        let before = sent;
        sent += 400;
        let (sending, ()) = tokio::join!(log.send(messages(before..sent)), async {
            let store = world.store().await;
            let topic = &world.settings.kafka.topic;
            let stored = |position: LogPosition| position.next_offsets.values().sum::<i64>();
            until("something is stored", 30, async || {
                stored(store.log_position(topic).await.unwrap()) > before as i64
            })
            .await;
        });
        let () = sending;
        let summary = consumer.stop().await;
        assert_eq!((summary.repeats, summary.fenced), (0, 0), "nothing is read twice");
    }
    let consumer = Running::start(&world).await;
    truth::stored(&world).await;
    consumer.stop().await;
    assert_eq!(truth::equal(&world).await, 2_000);
}

async fn two_consumers_share(world: World) {
    let log = Log::of(&world);
    let first = Running::start(&world).await;
    let sending = async {
        for step in 0..40 {
            log.send(messages(step * 50..(step + 1) * 50)).await;
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    let joining = async {
        tokio::time::sleep(Duration::from_millis(500)).await;
        let second = Running::start(&world).await;
        tokio::time::sleep(Duration::from_millis(1_500)).await;
        let third = Running::start(&world).await;
        tokio::time::sleep(Duration::from_millis(500)).await;
        (second.stop().await, third.stop().await)
    };
    let ((), (second, third)) = tokio::join!(sending, joining);
    truth::stored(&world).await;
    let first = first.stop().await;
    assert_eq!(truth::equal(&world).await, 2_000);
    let repeats = first.repeats + second.repeats + third.repeats;
    let inserted = first.inserted + second.inserted + third.inserted;
    assert_eq!((inserted, repeats), (2_000, 0));
}

/// Two groups write the same store: each loses the compare-and-set again and again, and nothing is stored
/// twice.
async fn two_groups_by_mistake(mut world: World) {
    let log = Log::of(&world);
    let first = Running::start(&world).await;
    world.settings.consumer.group.push_str("-other");
    let second = Running::start(&world).await;
    until("both have partitions", 30, async || first.is_ready() && second.is_ready()).await;
    for step in 0..60 {
        log.send(messages(step * 50..(step + 1) * 50)).await;
        tokio::time::sleep(Duration::from_millis(30)).await;
    }
    truth::stored(&world).await;
    let (first, second) = (first.stop().await, second.stop().await);
    assert_eq!((first.inserted + second.inserted, first.repeats + second.repeats), (3_000, 0));
    assert!(first.fenced + second.fenced > 0, "they were in each other's way");
    assert_eq!(truth::equal(&world).await, 3_000);
}
