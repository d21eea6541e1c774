//! The database is stopped while messages come at a steady rate, and started again: nothing is lost, nothing
//! becomes a dead letter, memory stays bounded, and the consumer catches up much faster than messages come.
//!
//! `MILENA_TEST_OUTAGE_SECONDS=60` is the long form. The rates are told, not asserted: they are the
//! machine's.

use std::time::{Duration, Instant};

use milena_kafka::partition_states;
use milena_storage::Store;
use milena_testkit::{Kind, OwnServer, given};
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use crate::child::Consumer;
use crate::log::{Log, messages};
use crate::store::Database;
use crate::truth;
use crate::world::{World, number, tell, turn, until};

const STEP: Duration = Duration::from_millis(50);
const A_STEP: u64 = 50;
/// Far above what the bounds add up to, far below what a minute of messages would take.
const PEAK_LIMIT_KIB: u64 = 256 * 1024;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stopped_database_is_caught_up_with() {
    if given(Kind::Postgres).is_none() {
        return;
    }
    let Some(mut postgres) = OwnServer::start(Kind::Postgres).await else { return };
    let database = Database::on(postgres.address()).await;
    let Some(world) = World::with_database(database).await else { return };
    let _turn = turn().await;
    let away = Duration::from_secs(number("MILENA_TEST_OUTAGE_SECONDS", 5));
    let log = Log::of(&world);
    let stop = CancellationToken::new();
    let consumer = Consumer::start(&world, None);
    let story = async {
        let store = world.store().await;
        until("the consumer stores", 40, async || stored(&world, &store).await > 2_000).await;
        let peak_before = consumer.peak_kib();
        postgres.stop().await;
        tokio::time::sleep(away).await;
        let backlog_from = Instant::now();
        postgres.start_again().await;
        let began = stored_by_then(&world, &store, |_| true).await;
        let first = stored_by_then(&world, &store, |now| now.records > began.records).await;
        let end = log_end(&world).await;
        let caught_up = stored_by_then(&world, &store, |now| now.records >= end).await;
        stop.cancel();
        let per_s =
            (caught_up.records - began.records) as f64 / (caught_up.at - first.at).as_secs_f64().max(0.05);
        (per_s, end - began.records, caught_up.at - backlog_from, peak_before)
    };
    let (live, (per_s, behind, took, peak_before)) = tokio::join!(paced(&log, &stop), story);
    truth::stored(&world).await;
    let peak = consumer.peak_kib();
    assert!(consumer.stop().await.success());
    let found = truth::compare(&world).await;
    assert!(found.is_equal(), "{found:?}");
    assert_eq!(found.messages as u64, live.sent);
    assert!(truth::read_all(&world.settings, &world.settings.kafka.dead_topic).await.is_empty());
    assert!(peak < PEAK_LIMIT_KIB, "{peak} KiB");
    tell(&format!(
        "database stopped for {} s under {:.0} messages a second: {found}, no dead letter; {behind} behind, \
         caught up {:.1} s after the start of its restart at {per_s:.0} a second, {:.1} times the live rate; \
         peak memory {} MB ({} MB before)",
        away.as_secs(),
        live.per_s,
        took.as_secs_f64(),
        per_s / live.per_s,
        peak / 1024,
        peak_before / 1024,
    ));
}

/// What was sent, and how fast.
struct Live {
    sent: u64,
    per_s: f64,
}

/// 1,000 messages a second; a step that was late is made up for.
async fn paced(log: &Log, stop: &CancellationToken) -> Live {
    let mut steps = tokio::time::interval(STEP);
    steps.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let (began, mut sent) = (Instant::now(), 0);
    while !stop.is_cancelled() {
        steps.tick().await;
        log.send(messages(sent..sent + A_STEP)).await;
        sent += A_STEP;
    }
    Live { sent, per_s: sent as f64 / began.elapsed().as_secs_f64() }
}

/// How many records were stored, seen when.
struct Sight {
    records: i64,
    at: Instant,
}

async fn stored(world: &World, store: &Store) -> i64 {
    let position = store.log_position(&world.settings.kafka.topic).await;
    position.map_or(-1, |position| position.next_offsets.values().sum())
}

/// Looks until the number is as wanted; a database that is away has none.
async fn stored_by_then(world: &World, store: &Store, wanted: impl Fn(&Sight) -> bool) -> Sight {
    let mut seen = None;
    until("the consumer goes on", 180, async || {
        let sight = Sight { records: stored(world, store).await, at: Instant::now() };
        let holds = sight.records >= 0 && wanted(&sight);
        seen = Some(sight);
        holds
    })
    .await;
    seen.unwrap()
}

async fn log_end(world: &World) -> i64 {
    let states = partition_states(&world.settings.kafka, Duration::from_secs(10)).await.unwrap();
    states.values().map(|state| state.high).sum()
}
