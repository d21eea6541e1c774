//! Ordinary life for a long time: people chat, lose their connection, come back, sign in and out. What was accepted is
//! everywhere, and the programs are no larger at the end than half-way.
//!
//! `MILENA_TEST_SOAK_MINUTES` makes it long (`scripts/soak` does), `MILENA_TEST_SOAK_RATE` sets the messages a second.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::time::{MissedTickBehavior, interval};

use crate::client::{PASSWORD, Rest};
use crate::ledger::{Crowd, audit};
use crate::world::{Cluster, Database, Kind, Milena, Services, Vitals, number, tell, turn, until, watch};

const PEOPLE: usize = 60;
/// One of the devices loses its connection.
const HANG_UP_EVERY: Duration = Duration::from_millis(500);
/// Somebody signs in, looks around, and signs out.
const VISIT_EVERY: Duration = Duration::from_secs(2);
/// Memory for recent messages is filled by design; with the smallest limit that happens long before half-time.
const SMALL_MEMORY: (&str, &str) = ("MILENA__DELIVERY__RECENT_BYTES", "1048576");
/// Half of this would make the test too long for every day, and much less could not be judged.
const SHORT: Duration = Duration::from_secs(12);

/// How long and how much.
struct Plan {
    time: Duration,
    per_second: f64,
    is_long: bool,
}

impl Plan {
    fn from_environment() -> Self {
        let minutes = number("MILENA_TEST_SOAK_MINUTES", 0) as u64;
        let is_long = minutes > 0;
        let time = if is_long { Duration::from_secs(60 * minutes) } else { SHORT };
        let per_second = number("MILENA_TEST_SOAK_RATE", if is_long { 50 } else { 300 }) as f64;
        Self { time, per_second, is_long }
    }
}

async fn soak(name: &str, plan: &Plan, nodes: &[SocketAddr], database: &Database, mut watched: Vec<Vitals>) {
    let crowd = Crowd::gather(nodes, PEOPLE).await;
    let end = Instant::now() + plan.time;
    let hanging_up = tokio::spawn(hang_up_again_and_again(Arc::clone(&crowd)));
    let visiting = tokio::spawn(visit_again_and_again(Arc::clone(&crowd), nodes.to_vec()));
    tokio::join!(crowd.chat(plan.per_second, end, 1), watch(&mut watched, end));
    hanging_up.abort();
    visiting.abort();
    // Whoever panicked did not live to be aborted.
    assert!(!visiting.await.is_err_and(|error| error.is_panic()), "{name}: a visit failed");
    crowd.all_accepted(120).await;
    crowd.settle(1).await;
    let count = crowd.sent().len() as i64;
    until("everything is stored", 120, async || database.try_count_messages().await == Some(count)).await;
    for vitals in &watched {
        tell(&format!("{name}, {:.0} s: {vitals}", plan.time.as_secs_f64()));
        if let Some(folder) = std::env::var_os("MILENA_TEST_LOGS") {
            vitals.write_to(folder.as_ref());
        }
    }
    audit(&crowd, &database.messages().await).must_agree(&format!("{name}, soaked"));
    assert!(watched.iter().all(Vitals::is_flat), "{name}: memory or descriptors grow");
}

async fn hang_up_again_and_again(crowd: Arc<Crowd>) {
    let mut ticks = interval(HANG_UP_EVERY);
    for device in crowd.devices().cycle() {
        ticks.tick().await;
        device.hang_up();
    }
}

async fn visit_again_and_again(crowd: Arc<Crowd>, nodes: Vec<SocketAddr>) {
    let mut ticks = interval(VISIT_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    for (member, node) in crowd.members.iter().cycle().zip(nodes.iter().cycle()) {
        ticks.tick().await;
        let rest = Rest::new(*node);
        let rest = rest.of(&rest.login(&member.account.person.username, PASSWORD).await);
        if let Some(conversation) = rest.conversations().await.first() {
            rest.page(conversation.id, "limit=100").await;
        }
        assert_eq!(rest.post("logout", &Value::Null).await.status, 204);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn milena_stays_as_large_as_it_is() {
    let plan = Plan::from_environment();
    let _turn = if plan.is_long { None } else { Some(turn().await) };
    let (name, value) = SMALL_MEMORY;
    let milena = Milena::start_on(tempfile::tempdir().unwrap(), |launch| launch.variable(name, value)).await;
    let watched = vec![Vitals::of("milena", milena.program.id())];
    soak("milena", &plan, &[milena.address], &milena.database(), watched).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn backends_and_consumers_stay_as_large_as_they_are() {
    let Some(services) = Services::shared(Kind::Postgres).await else { return };
    let plan = Plan::from_environment();
    let _turn = if plan.is_long { None } else { Some(turn().await) };
    let cluster = Cluster::start_with(services, 2, 2, &[SMALL_MEMORY]).await;
    let backends =
        (1..).zip(&cluster.backends).map(|(n, one)| Vitals::of(format!("backend-{n}"), one.program.id()));
    let consumers =
        (1..).zip(&cluster.consumers).map(|(n, one)| Vitals::of(format!("consumer-{n}"), one.id()));
    let watched = backends.chain(consumers).collect();
    soak("cluster", &plan, &cluster.addresses(), &cluster.services.database, watched).await;
}
