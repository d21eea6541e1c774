//! The store goes away and comes back: nothing is lost, nothing becomes a dead letter, nobody gives up.

use std::time::Duration;

use sea_orm::{ConnectionTrait, Database};

use crate::log::{Log, messages};
use crate::proxy::Proxy;
use crate::steady::Running;
use crate::truth;
use crate::world::World;

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
    assert_eq!((summary.inserted, summary.duplicates, summary.dead_letters), (4_300, 0, 0));
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
    let Some(mut world) = World::servers().await else { return };
    let (head, rest) = world.database.url().rsplit_once('@').unwrap();
    let (server, name) = rest.split_once('/').unwrap();
    let proxy = Proxy::start(server.to_owned()).await;
    let direct = world.settings.clone();
    let url = format!("{head}@127.0.0.1:{}/{name}", proxy.port());
    world.settings.database.url = milena_settings::Secret::new(url);
    let consumer = Running::start(&world).await;
    world.settings = direct;
    outage(&world, consumer, async |away| proxy.set_open(!away)).await;
}
