//! The store goes away and comes back: nothing is lost, nothing becomes a dead letter, nobody gives up.

use std::time::Duration;

use milena_settings::{Secret, Settings};
use milena_testkit::{Proxy, Weather};
use sea_orm::{ConnectionTrait, Database};

use crate::log::{Log, messages};
use crate::running::Running;
use crate::truth;
use crate::world::{World, until};

async fn outage(world: &World, consumer: Running, away: impl AsyncFn(bool)) {
    let log = Log::of(world);
    log.send(messages(0..300)).await;
    truth::stored(world).await;
    away(true).await;
    log.send(messages(300..4_000)).await;
    tokio::time::sleep(Duration::from_secs(5)).await;
    log.send(messages(4_000..4_300)).await;
    away(false).await;
    truth::stored(world).await;
    let summary = consumer.stop().await;
    assert!(summary.retries > 0, "the outage was noticed");
    assert_eq!((summary.inserted + summary.unanswered, summary.repeats, summary.dead_letters), (4_300, 0, 0));
    assert_eq!(truth::equal(world).await, 4_300);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sqlite_is_locked_by_somebody() {
    let world = World::embedded().await;
    let consumer = Running::start(&world).await;
    let other = Database::connect(world.database.url()).await.unwrap();
    outage(&world, consumer, async |away| {
        let statement = if away { "begin immediate" } else { "rollback" };
        other.execute_unprepared(statement).await.unwrap();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgresql_is_cut_off() {
    let Some(world) = World::servers().await else { return };
    let (proxy, settings) = proxied(&world).await;
    let consumer = Running::with(settings).await;
    outage(&world, consumer, async |away| cut(&proxy, away)).await;
}

/// A proxy in front of the database, and settings that lead through it.
async fn proxied(world: &World) -> (Proxy, Settings) {
    let (head, rest) = world.database.url().rsplit_once('@').unwrap();
    let (server, name) = rest.split_once('/').unwrap();
    let proxy = Proxy::start().await;
    proxy.aim(server);
    let mut settings = world.settings.clone();
    settings.database.url = Secret::new(format!("{head}@{}/{name}", proxy.address()));
    (proxy, settings)
}

fn cut(proxy: &Proxy, is_cut: bool) {
    proxy.set(Weather { is_cut, ..Weather::default() });
}

/// A consumer gets partitions while nobody can tell it where they begin: it holds them, and begins when it is
/// told.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn partitions_move_while_postgresql_is_cut_off() {
    let Some(world) = World::servers().await else { return };
    let (proxy, mut settings) = proxied(&world).await;
    settings.consumer.drain_ms = 1_000;
    let log = Log::of(&world);
    let leaving = Running::with(settings.clone()).await;
    let staying = Running::with(settings).await;
    until("both have partitions", 30, async || leaving.is_ready() && staying.is_ready()).await;
    log.send(messages(0..300)).await;
    truth::stored(&world).await;
    cut(&proxy, true);
    log.send(messages(300..600)).await;
    let left = leaving.stop().await;
    // Longer than a callback waits for the store.
    tokio::time::sleep(Duration::from_secs(6)).await;
    log.send(messages(600..900)).await;
    cut(&proxy, false);
    truth::stored(&world).await;
    let stayed = staying.stop().await;
    assert_eq!(
        (
            left.inserted + left.unanswered + stayed.inserted + stayed.unanswered,
            left.repeats + stayed.repeats
        ),
        (900, 0)
    );
    assert_eq!(truth::equal(&world).await, 900);
}
