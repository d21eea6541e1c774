//! Killed at every named point, under traffic: the store equals the log each time.
//!
//! `MILENA_TEST_CRASHES=20` is the long form: so many kills at each point.
//! `MILENA_TEST_CRASH_POINTS=in_revoke,after_drain` chooses points.

use tokio_util::sync::CancellationToken;

use crate::child::Consumer;
use crate::log::{Log, messages};
use crate::traffic::{progress, traffic};
use crate::world::{World, number, tell, turn, until};
use crate::{in_both_worlds, truth};

in_both_worlds!(nobodys_partitions_are_found);

/// The points, and as the how many-th to come there the consumer is killed at the latest.
const POINTS: [(&str, u64); 8] = [
    ("after_poll", 400),
    ("mid_batch", 400),
    ("after_insert", 5),
    ("before_commit", 5),
    ("after_commit", 5),
    ("before_group_commit", 2),
    ("in_revoke", 1),
    ("after_drain", 1),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_at_every_named_point() {
    let rounds = number("MILENA_TEST_CRASHES", 1);
    let _turn = turn().await;
    let chosen = std::env::var("MILENA_TEST_CRASH_POINTS").ok();
    let is_chosen = |point| chosen.as_ref().is_none_or(|chosen| chosen.split(',').any(|name| name == point));
    for (point, latest) in POINTS.into_iter().filter(|(point, _)| is_chosen(*point)) {
        let Some(world) = World::servers().await else { return };
        let log = Log::of(&world);
        let (mut sent, mut found) = (0, truth::Comparison::default());
        for _ in 0..rounds {
            sent = round(&world, &log, point, rand::random_range(1..=latest), sent).await;
            found = truth::compare(&world).await;
            assert!(found.is_equal(), "{point}: {found:?}");
            assert_eq!(found.messages as u64, sent);
        }
        tell(&format!("killed {rounds} times at {point}: {found}"));
    }
}

/// Traffic, a kill at the point in its midst, and a consumer that finishes the work. Answers how many
/// messages were sent in all.
async fn round(world: &World, log: &Log, point: &str, count: u64, sent: u64) -> u64 {
    let stop = CancellationToken::new();
    let in_rebalance = matches!(point, "in_revoke" | "after_drain");
    // Whoever comes back under the name of a static member has its partitions at once. In a rebalance that is
    // another story: see below.
    let name = (!in_rebalance).then_some("a");
    let killing = async {
        let mut victim = Consumer::start_armed(world, name, point, count);
        let joiner = if in_rebalance { Some(join(world).await) } else { None };
        victim.says(&format!("crash point {point} is reached"), 60).await;
        victim.kill();
        stop.cancel();
        joiner
    };
    let (sent, joiner) = tokio::join!(traffic(log, sent, &stop), killing);
    let next = Consumer::start(world, name);
    truth::stored(world).await;
    if let Some(joiner) = joiner {
        assert!(joiner.stop().await.success());
    }
    assert!(next.stop().await.success());
    sent
}

/// A second consumer, for which the first has to give up partitions; started when the first stores.
async fn join(world: &World) -> Consumer {
    let before = progress(world).await;
    until("the first consumer stores", 40, async || progress(world).await > before).await;
    Consumer::start(world, None)
}

/// A static member is killed while it gives up partitions, and comes back at once: Kafka alone would leave
/// those partitions to nobody.
async fn nobodys_partitions_are_found(mut world: World) {
    let _turn = turn().await;
    world.set("drain_ms", "1000");
    let log = Log::of(&world);
    let stop = CancellationToken::new();
    let killing = async {
        let mut victim = Consumer::start_armed(&world, Some("a"), "in_revoke", 1);
        let joiner = join(&world).await;
        victim.says("crash point in_revoke is reached", 60).await;
        victim.kill();
        stop.cancel();
        (joiner, Consumer::start(&world, Some("a")))
    };
    let (sent, (joiner, next)) = tokio::join!(traffic(&log, 0, &stop), killing);
    log.send(messages(sent..sent + 500)).await;
    truth::stored(&world).await;
    assert!(joiner.stop().await.success());
    assert!(next.stop().await.success());
    assert_eq!(truth::equal(&world).await as u64, sent + 500);
}
