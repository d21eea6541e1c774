//! Killed at any moment: what the log has, the store has, once.

use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::child::Consumer;
use crate::in_both_worlds;
use crate::log::Log;
use crate::traffic::{progress, traffic};
use crate::truth;
use crate::world::{World, until};

in_both_worlds!(killed_under_traffic, stopped_under_traffic);

/// Two consumers, killed in turn, each while it stores: as static members they have their partitions back at
/// once.
async fn killed_under_traffic(world: World) {
    let log = Log::of(&world);
    let stop = CancellationToken::new();
    let names = ["a", "b"];
    let killing = async {
        let mut consumers = names.map(|name| Consumer::start(&world, Some(name)));
        for round in 0..12 {
            let before = progress(&world).await;
            until("the consumers store", 40, async || progress(&world).await > before + 100).await;
            let victim = round % 2;
            consumers[victim].lives_for(Duration::from_millis(rand::random_range(0..400))).await;
            let next = Consumer::start(&world, Some(names[victim]));
            std::mem::replace(&mut consumers[victim], next).kill();
        }
        stop.cancel();
        consumers
    };
    let (sent, consumers) = tokio::join!(traffic(&log, 0, &stop), killing);
    truth::stored(&world).await;
    for consumer in consumers {
        assert!(consumer.stop().await.success());
    }
    assert_eq!(truth::equal(&world).await as u64, sent);
}

/// Orderly ends and starts of the real program while messages flow.
async fn stopped_under_traffic(world: World) {
    let log = Log::of(&world);
    let stop = CancellationToken::new();
    let stopping = async {
        for _ in 0..4 {
            let mut consumer = Consumer::start(&world, None);
            let before = progress(&world).await;
            until("the consumer stores", 40, async || progress(&world).await > before).await;
            consumer.lives_for(Duration::from_millis(rand::random_range(0..600))).await;
            assert!(consumer.stop().await.success());
        }
        stop.cancel();
    };
    let (sent, ()) = tokio::join!(traffic(&log, 0, &stop), stopping);
    let consumer = Consumer::start(&world, None);
    truth::stored(&world).await;
    assert!(consumer.stop().await.success());
    assert_eq!(truth::equal(&world).await as u64, sent);
}
