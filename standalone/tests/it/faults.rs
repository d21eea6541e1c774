//! What networks do between client and backend, backend and log, program and database, while people chat: delay, silence one
//! way or both, reset. Nothing is lost, doubled or reordered; the times to notice and to recover are printed.
//!
//! `MILENA_TEST_FAULT_SECONDS=1,5,30` makes each silence as long as each of these, with the heartbeat of the defaults, and
//! kills and stops the servers too.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use crate::client::{Account, Device, Rest};
use crate::ledger::{Crowd, audit};
use crate::world::{
    Backend, Cluster, Database, Kind, OwnServer, Proxy, Services, Variables, Weather, free_address, tell,
    turn, until,
};

const PEOPLE: usize = 40;
const PER_SECOND: f64 = 40.0;
const DELAY: Duration = Duration::from_millis(100);
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// Longer than anything takes to be found out or to come back.
const PATIENCE_S: u64 = 60;

/// How long the silences are.
struct Plan {
    seconds: Vec<f64>,
    is_long: bool,
}

impl Plan {
    fn from_environment() -> Self {
        match std::env::var("MILENA_TEST_FAULT_SECONDS") {
            Ok(list) => {
                let seconds = list.split(',').map(|text| text.trim().parse().expect("a number of seconds"));
                Self { seconds: seconds.collect(), is_long: true }
            }
            Err(_) => Self { seconds: vec![2.0], is_long: false },
        }
    }

    /// A silent connection is noticed by the heartbeat; the short run has a short one.
    fn heartbeat(&self) -> Variables {
        if self.is_long {
            return Variables::new();
        }
        let set = |name, value: &str| (name, value.to_owned());
        vec![set("MILENA__SOCKET__HEARTBEAT_MS", "1000"), set("MILENA__SOCKET__PONG_TIMEOUT_MS", "500")]
    }
}

/// Where the network is bad.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Link {
    /// Clients and the first backend.
    Client,
    /// The first backend and the log.
    Log,
    /// The first backend and the database.
    Database,
    /// The consumer and the database.
    Consumer,
}

struct Stage {
    kafka: OwnServer,
    postgres: OwnServer,
    /// The whole database, not by a proxy.
    database: Database,
    cluster: Cluster,
    crowd: Arc<Crowd>,
    /// Of whom the database is asked.
    somebody: Account,
    /// Where clients find the first backend.
    front: SocketAddr,
    consumer_health: SocketAddr,
    proxies: [Proxy; 4],
}

impl Stage {
    async fn set(plan: &Plan) -> Option<Self> {
        let proxies =
            [Proxy::start().await, Proxy::start().await, Proxy::start().await, Proxy::start().await];
        let [client, log, backend_database, consumer_database] = &proxies;
        let kafka = OwnServer::kafka_behind(log.address().port()).await?;
        let postgres = OwnServer::start(Kind::Postgres).await?;
        let database = Database::create_on(postgres.address()).await;
        log.aim(kafka.proxied());
        backend_database.aim(database.server());
        consumer_database.aim(database.server());
        let (by_log, consumer_health) = (log.address(), free_address());
        let (by_backend, by_consumer) =
            (database.url_by(backend_database.address()), database.url_by(consumer_database.address()));
        let heartbeat = plan.heartbeat();
        let services = Services { kafka: kafka.address().to_owned(), database: database.clone() };
        let cluster = Cluster::start_with(services, 2, 1, move |name| {
            let mut variables = heartbeat.clone();
            match name {
                "backend-1" => {
                    variables.push(("MILENA__KAFKA__BROKERS", by_log.to_string()));
                    variables.push(("MILENA__DATABASE__URL", by_backend.clone()));
                }
                "consumer-1" => {
                    variables.push(("MILENA__DATABASE__URL", by_consumer.clone()));
                    variables.push(("MILENA__CONSUMER__LISTEN", consumer_health.to_string()));
                }
                _ => {}
            }
            variables
        })
        .await;
        let Backend { address, .. } = &cluster.backends[0];
        client.aim(address);
        let front = client.address();
        let crowd = Crowd::gather(&[front, cluster.backends[1].address], PEOPLE).await;
        let somebody = crowd.members[0].account.clone();
        Some(Self { kafka, postgres, database, cluster, crowd, somebody, front, consumer_health, proxies })
    }

    fn proxy(&self, link: Link) -> &Proxy {
        &self.proxies[link as usize]
    }

    fn here(&self) -> impl Iterator<Item = &Device> {
        self.crowd.devices_of(self.front)
    }

    /// Something that grows when people or programs notice the fault.
    async fn signs(&self, link: Link) -> usize {
        match link {
            Link::Client => self.here().map(|device| device.heard().ends).sum(),
            Link::Log => {
                self.here().map(|device| device.heard().refused_for_now.values().sum::<usize>()).sum()
            }
            Link::Database => usize::from(!self.history_answers().await),
            Link::Consumer => usize::from(!Rest::new(self.consumer_health).is_ready().await),
        }
    }

    /// Something that grows when it works.
    async fn work(&self, link: Link) -> usize {
        match link {
            Link::Client | Link::Log => self.here().map(|device| device.heard().accepted.len()).sum(),
            Link::Database => usize::from(self.history_answers().await),
            Link::Consumer => self.database.try_count_messages().await.unwrap_or(0) as usize,
        }
    }

    async fn history_answers(&self) -> bool {
        let rest = Rest::new(self.cluster.backends[0].address).of(&self.somebody);
        let answer = Rest::try_ask(rest.request(reqwest::Method::GET, "conversations?limit=1")).await;
        answer.is_some_and(|answer| answer.status == 200)
    }

    /// Makes it bad for `seconds`, tells when it was noticed, makes it good and tells when work went on.
    async fn disturb(&self, name: &str, link: Link, seconds: f64, bad: impl AsyncFn(), good: impl AsyncFn()) {
        if matches!(link, Link::Database | Link::Consumer) {
            until("what was before is over", PATIENCE_S, async || self.signs(link).await == 0).await;
        }
        let signs = self.signs(link).await;
        let began = Instant::now();
        bad().await;
        let noticed = async {
            while self.signs(link).await <= signs {
                sleep(LOOK_EVERY).await;
            }
            began.elapsed()
        };
        let length = Duration::from_secs_f64(seconds);
        let noticed = timeout(length, noticed).await.ok();
        sleep(length.saturating_sub(began.elapsed())).await;
        // Of the database, what answers now answered before the fault or after it, not in it.
        let work = if link == Link::Database { 0 } else { self.work(link).await };
        let good_again = Instant::now();
        good().await;
        until(&format!("{name}: work goes on"), PATIENCE_S, async || self.work(link).await > work).await;
        let noticed = noticed.map_or("not noticed".to_owned(), |after| format!("noticed after {after:.1?}"));
        let recovered = good_again.elapsed();
        tell(&format!(
            "fault: {link:?} {name}, {seconds} s: {noticed}, went on {recovered:.2?} after its end"
        ));
    }

    async fn weather(&self, name: &str, link: Link, seconds: f64, weather: Weather) {
        let proxy = self.proxy(link);
        let bad = async || proxy.set(weather);
        self.disturb(name, link, seconds, bad, async || proxy.set(Weather::default())).await;
    }

    async fn reset(&self, link: Link) {
        let proxy = self.proxy(link);
        self.disturb("reset", link, 0.5, async || proxy.reset(), async || {}).await;
    }

    /// Everything that can happen to one link.
    async fn all_of(&self, link: Link, seconds: f64) {
        let calm = Weather::default();
        self.weather("silent", link, seconds, Weather { no_way_up: true, no_way_down: true, ..calm }).await;
        self.weather("silent upwards", link, seconds, Weather { no_way_up: true, ..calm }).await;
        self.weather("silent downwards", link, seconds, Weather { no_way_down: true, ..calm }).await;
        self.weather("slow by 100 ms", link, seconds.min(5.0), Weather { delay: DELAY, ..calm }).await;
        self.reset(link).await;
    }

    /// Node 1 is cut off from the log while node 2 accepts; from the moment at which node 1 says again that its answers
    /// are complete, nothing is missing from them.
    async fn complete_only_with_everything(&self) {
        const MESSAGES: usize = 200;
        let (ann, bob) =
            (self.cluster.rest(1).register("ann").await, self.cluster.rest(1).register("bob").await);
        let (anns, bobs) = (self.cluster.rest(1).of(&ann), self.cluster.rest(0).of(&bob));
        anns.send_accepted(bob.person.id, "first", "first").await;
        let conversation = anns.conversations().await[0].id;
        let path = format!("conversations/{conversation}/messages");
        let complete = async || bobs.get(&path).await.body["complete"] == true;
        until("node 1 knows of the conversation", 20, complete).await;
        let proxy = self.proxy(Link::Log);
        proxy.set(Weather { no_way_up: true, no_way_down: true, ..Weather::default() });
        proxy.reset();
        until("node 1 says that it does not know", 30, async || !complete().await).await;
        for number in 0..MESSAGES {
            anns.send_accepted(bob.person.id, &format!("c-{number}"), "x").await;
        }
        // Slow, so that there is a time in which the log answers and not everything has come.
        proxy.set(Weather { delay: DELAY, ..Weather::default() });
        let again = Instant::now();
        let mut incomplete = 0;
        let found = loop {
            assert!(again.elapsed() < Duration::from_secs(PATIENCE_S), "node 1 never knows everything again");
            match bobs.try_messages_after(conversation, 0, i64::MAX).await {
                Some(messages) => break messages.len(),
                None => incomplete += 1,
            }
        };
        assert_eq!(found, MESSAGES + 1, "an answer that says it is complete lacks messages");
        proxy.set(Weather::default());
        let elapsed = again.elapsed();
        tell(&format!(
            "fault: complete again {elapsed:.2?} after the log answers, after {incomplete} answers that said no"
        ));
    }

    async fn judge(&self, name: &str) {
        self.crowd.all_accepted(180).await;
        self.crowd.settle(9).await;
        let people: Vec<&str> =
            self.crowd.members.iter().map(|member| &*member.account.person.username).collect();
        let of_crowd = async || {
            let rows = self.database.messages().await;
            rows.into_iter().filter(|row| people.contains(&&*row.sender)).collect::<Vec<_>>()
        };
        let count = self.crowd.sent().len();
        until("everything is stored", 120, async || of_crowd().await.len() >= count).await;
        audit(&self.crowd, &of_crowd().await).must_agree(name);
        assert_eq!(self.cluster.log_counts().await.1, 0, "dead letters");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_bad_networks_nothing_is_lost_doubled_or_reordered() {
    let plan = Plan::from_environment();
    let _turn = turn().await;
    let Some(mut stage) = Stage::set(&plan).await else { return };
    let stop = CancellationToken::new();
    let crowd = Arc::clone(&stage.crowd);
    let chatting = tokio::spawn({
        let stop = stop.clone();
        async move { crowd.chat(PER_SECOND, 1, stop).await }
    });
    for seconds in &plan.seconds {
        stage.all_of(Link::Client, *seconds).await;
        if plan.is_long {
            stage.all_of(Link::Log, *seconds).await;
            stage.all_of(Link::Database, *seconds).await;
            stage.all_of(Link::Consumer, *seconds).await;
        }
    }
    if plan.is_long {
        servers_die_and_stop(&mut stage, &plan).await;
    } else {
        let silent = Weather { no_way_up: true, no_way_down: true, ..Weather::default() };
        stage.reset(Link::Log).await;
        stage.weather("silent downwards", Link::Log, 5.0, Weather { no_way_up: false, ..silent }).await;
        stage.reset(Link::Consumer).await;
        stage.weather("silent", Link::Consumer, 4.0, silent).await;
        stage.weather("silent", Link::Database, 4.0, silent).await;
    }
    stage.complete_only_with_everything().await;
    stop.cancel();
    chatting.await.unwrap();
    stage.judge("bad networks").await;
}

/// SIGSTOP and SIGKILL of broker and database.
async fn servers_die_and_stop(stage: &mut Stage, plan: &Plan) {
    for seconds in &plan.seconds {
        let Stage { kafka, postgres, .. } = &*stage;
        stage.disturb("stopped", Link::Log, *seconds, async || kafka.pause(), async || kafka.go_on()).await;
        stage
            .disturb(
                "stopped",
                Link::Database,
                *seconds,
                async || postgres.pause(),
                async || postgres.go_on(),
            )
            .await;
    }
    let (signs, began) = (stage.signs(Link::Log).await, Instant::now());
    stage.kafka.kill().await;
    until("the dead broker is noticed", PATIENCE_S, async || stage.signs(Link::Log).await > signs).await;
    let (noticed, work) = (began.elapsed(), stage.work(Link::Log).await);
    stage.kafka.start_again().await;
    let again = Instant::now();
    until("the log is back", PATIENCE_S, async || stage.work(Link::Log).await > work).await;
    tell(&format!(
        "fault: Log killed: noticed after {noticed:.1?}, went on {:.2?} after it answers",
        again.elapsed()
    ));
    let began = Instant::now();
    stage.postgres.kill().await;
    until("the dead database is noticed", PATIENCE_S, async || stage.signs(Link::Database).await > 0).await;
    let noticed = began.elapsed();
    stage.postgres.start_again().await;
    let again = Instant::now();
    until("the database is back", PATIENCE_S, async || stage.work(Link::Database).await > 0).await;
    tell(&format!(
        "fault: Database killed: noticed after {noticed:.1?}, went on {:.2?} after it answers",
        again.elapsed()
    ));
}
