//! Ordinary life for a long time: people chat, lose their connection, come back, sign in and out. What was
//! accepted is everywhere, and the programs are no larger at the end than half-way.
//!
//! `MILENA_TEST_SOAK_MINUTES` makes it long (`scripts/soak` does), `MILENA_TEST_SOAK_RATE` sets the messages
//! a second.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::{Value, json};
use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use crate::client::{PASSWORD, Rest};
use crate::ledger::{Crowd, audit};
use crate::world::{
    Cluster, Database, Kind, Launch, Milena, Services, Vitals, number, tell, turn, until, watch,
};

const PEOPLE: usize = 60;
/// One of the devices loses its connection.
const HANG_UP_EVERY: Duration = Duration::from_millis(500);
/// Somebody signs in, looks around, and signs out.
const VISIT_EVERY: Duration = Duration::from_secs(2);
/// Memory for recent messages is filled by design; with the smallest limit that happens long before
/// half-time.
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
    let (end, stop) = (Instant::now() + plan.time, CancellationToken::new());
    let hanging_up = tokio::spawn(hang_up_again_and_again(Arc::clone(&crowd)));
    let visiting = tokio::spawn(visit_again_and_again(Arc::clone(&crowd), nodes.to_vec(), stop.clone()));
    let watching = async {
        watch(&mut watched, end).await;
        stop.cancel();
    };
    tokio::join!(crowd.chat(plan.per_second, 1, stop.clone()), watching);
    hanging_up.abort();
    for vitals in &watched {
        tell(&format!("{name}, {:.0} s: {vitals}", plan.time.as_secs_f64()));
        if let Some(folder) = std::env::var_os("MILENA_TEST_LOGS") {
            vitals.write_to(folder.as_ref());
        }
    }
    let visits = visiting.await;
    let Visits { all, refused, unanswered } =
        visits.unwrap_or_else(|error| panic!("{name}: a visit failed: {error}"));
    tell(&format!(
        "{name}: {all} visits, {refused} of them refused for now, {unanswered} not answered in time"
    ));
    crowd.all_accepted(120).await;
    crowd.settle(1).await;
    let count = crowd.sent().len() as i64;
    until("everything is stored", 120, async || database.try_count_messages().await == Some(count)).await;
    audit(&crowd, &database.messages().await).must_agree(&format!("{name}, soaked"));
    assert!(watched.iter().all(Vitals::is_flat), "{name}: memory or descriptors grow");
    assert!(10 * (refused + unanswered) <= all, "{name}: more than a tenth of the visits failed");
}

async fn hang_up_again_and_again(crowd: Arc<Crowd>) {
    let mut ticks = interval(HANG_UP_EVERY);
    for device in crowd.devices().cycle() {
        ticks.tick().await;
        device.hang_up();
    }
}

/// How many came, and how many were told to come later or got no answer in the client's time: a busy machine
/// may do that, another answer is a mistake.
#[derive(Debug, Default)]
struct Visits {
    all: usize,
    refused: usize,
    unanswered: usize,
}

async fn visit_again_and_again(crowd: Arc<Crowd>, nodes: Vec<SocketAddr>, stop: CancellationToken) -> Visits {
    let mut ticks = interval(VISIT_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut visits = Visits::default();
    for (member, node) in crowd.members.iter().cycle().zip(nodes.iter().cycle()) {
        ticks.tick().await;
        if stop.is_cancelled() {
            break;
        }
        visits.all += 1;
        match visit(&member.account.person.username, *node).await {
            Some(true) => {}
            Some(false) => visits.refused += 1,
            None => visits.unanswered += 1,
        }
    }
    visits
}

/// `Some(false)` when somebody was refused for now, `None` when an answer did not come in time.
async fn visit(username: &str, node: SocketAddr) -> Option<bool> {
    let rest = Rest::new(node);
    let credentials = json!({"username": username, "password": PASSWORD});
    let login = Rest::try_ask(rest.request(Method::POST, "login").json(&credentials)).await?;
    if login.status == 503 {
        return Some(false);
    }
    let rest = rest.of(&login.account());
    let get = |path: String| Rest::try_ask(rest.request(Method::GET, &path));
    let list = get("conversations".to_owned()).await?;
    let page = match list.body["conversations"][0]["id"].as_str() {
        Some(id) => get(format!("conversations/{id}/messages?limit=100")).await?.status,
        None => list.status,
    };
    let logout = Rest::try_ask(rest.request(Method::POST, "logout").json(&Value::Null)).await?;
    let statuses = [list.status, page, logout.status];
    assert!(statuses.iter().all(|status| [200, 204, 503].contains(status)), "{statuses:?}");
    Some(!statuses.contains(&503))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn milena_stays_as_large_as_it_is() {
    let plan = Plan::from_environment();
    let _turn = if plan.is_long { None } else { Some(turn().await) };
    let (name, value) = SMALL_MEMORY;
    // What is not stored yet must find room in the small memory.
    let tune =
        |launch: Launch| launch.variable(name, value).variable("MILENA__CONSUMER__BATCH_AGE_MS", "1000");
    let milena = Milena::start_on(tempfile::tempdir().unwrap(), tune).await;
    let watched = vec![Vitals::of("milena", milena.program.id())];
    soak("milena", &plan, &[milena.address], &milena.database(), watched).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn backends_and_consumers_stay_as_large_as_they_are() {
    let Some(services) = Services::shared(Kind::Postgres).await else { return };
    let plan = Plan::from_environment();
    let _turn = if plan.is_long { None } else { Some(turn().await) };
    let cluster =
        Cluster::start_with(services, 2, 2, |_| vec![(SMALL_MEMORY.0, SMALL_MEMORY.1.to_owned())]).await;
    let backends =
        (1..).zip(&cluster.backends).map(|(n, one)| Vitals::of(format!("backend-{n}"), one.program.id()));
    let consumers =
        (1..).zip(&cluster.consumers).map(|(n, one)| Vitals::of(format!("consumer-{n}"), one.id()));
    let watched = backends.chain(consumers).collect();
    soak("cluster", &plan, &cluster.addresses(), &cluster.services.database, watched).await;
}
