//! Killed at any moment: what the log has, the store has, once.

use std::time::Duration;

use crate::child::Consumer;
use crate::in_both_worlds;
use crate::log::{Log, messages};
use crate::truth;
use crate::world::World;

in_both_worlds!(killed_under_traffic, stopped_under_traffic);

/// Kills two consumers in turn while messages flow.
async fn killed_under_traffic(world: World) {
    let log = Log::of(&world);
    let sending = async {
        for step in 0..60 {
            log.send(messages(step * 50..(step + 1) * 50)).await;
            tokio::time::sleep(Duration::from_millis(120)).await;
        }
        log.send_raw(None, Some(b"bad")).await;
    };
    let killing = async {
        let mut survivor = Consumer::start(&world);
        for _ in 0..6 {
            let pause: u64 = rand::random_range(200..1_500);
            survivor.lives_for(Duration::from_millis(pause)).await;
            let next = Consumer::start(&world);
            std::mem::replace(&mut survivor, next).kill();
        }
        survivor
    };
    let ((), survivor) = tokio::join!(sending, killing);
    truth::stored(&world).await;
    assert!(survivor.stop().await.success());
    assert_eq!(truth::equal(&world).await, 3_000);
}

/// Orderly ends and starts of the real program while messages flow.
async fn stopped_under_traffic(world: World) {
    let log = Log::of(&world);
    let sending = async {
        for step in 0..30 {
            log.send(messages(step * 50..(step + 1) * 50)).await;
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    let stopping = async {
        for _ in 0..3 {
            let mut consumer = Consumer::start(&world);
            consumer.lives_for(Duration::from_millis(rand::random_range(300..1_200))).await;
            assert!(consumer.stop().await.success());
        }
    };
    tokio::join!(sending, stopping);
    let consumer = Consumer::start(&world);
    truth::stored(&world).await;
    assert!(consumer.stop().await.success());
    assert_eq!(truth::equal(&world).await, 1_500);
}
