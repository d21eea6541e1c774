//! Faults of a cluster on Apache Kafka and PostgreSQL: of every link by a proxy, and of every program.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::Mutex;

use super::act::{PEOPLE, Play, Stage};
use super::plan::Plan;
use super::socket_ends::SocketEnds;
use crate::client::{Account, Device, Rest};
use crate::ledger::Crowd;
use crate::world::{
    Backend, Cluster, Database, Kind, OwnServer, Program, Proxy, Services, Weather, free_address, tell, until,
};

/// Where something is bad.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Clients and the first backend.
    Client,
    /// The first backend and the log.
    Log,
    /// The first backend and the database.
    Database,
    /// The consumer and the database.
    Consumer,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Client => "clients, backend 1",
            Self::Log => "backend 1, Kafka",
            Self::Database => "backend 1, PostgreSQL",
            Self::Consumer => "consumer, PostgreSQL",
        })
    }
}

struct OnServers {
    kafka: Mutex<OwnServer>,
    postgres: Mutex<OwnServer>,
    /// The whole database, not by a proxy.
    database: Database,
    cluster: Mutex<Cluster>,
    crowd: Arc<Crowd>,
    /// Of whom the database is asked.
    somebody: Account,
    /// Where clients find the first backend, and where it is.
    front: SocketAddr,
    backend: SocketAddr,
    consumer_health: SocketAddr,
    /// In the order of the places.
    proxies: [Proxy; 4],
    seen: Seen,
    socket_ends: SocketEnds,
}

/// What was seen so far of that which has to be asked.
#[derive(Default)]
struct Seen {
    /// Answers and refusals of history.
    answers: AtomicUsize,
    refusals: AtomicUsize,
    /// The consumer said, or did not say, that it is not ready.
    not_ready: AtomicUsize,
    /// Messages in the database.
    stored: AtomicUsize,
}

impl OnServers {
    async fn set(plan: &Plan) -> Option<Self> {
        let proxies =
            [Proxy::start().await, Proxy::start().await, Proxy::start().await, Proxy::start().await];
        let [client, log, backend_database, consumer_database] = &proxies;
        let kafka = OwnServer::kafka_behind(log.address().port());
        let (kafka, postgres) = tokio::join!(kafka, OwnServer::start(Kind::Postgres));
        let (kafka, postgres) = (kafka?, postgres?);
        let database = Database::create_on(postgres.address()).await;
        log.aim(kafka.proxied());
        backend_database.aim(database.server());
        consumer_database.aim(database.server());
        let (by_log, consumer_health) = (log.address(), free_address());
        let (by_backend, by_consumer) =
            (database.url_by(backend_database.address()), database.url_by(consumer_database.address()));
        let settings = plan.settings();
        let services = Services { kafka: kafka.address().to_owned(), database: database.clone() };
        let cluster = Cluster::start_with(services, 2, 1, move |name| {
            let mut variables = settings.clone();
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
        let Backend { address: backend, .. } = cluster.backends[0];
        client.aim(backend);
        let front = client.address();
        let crowd = Crowd::gather(&[front, cluster.backends[1].address], PEOPLE).await;
        let somebody = crowd.members[0].account.clone();
        let (kafka, postgres, cluster) = (Mutex::new(kafka), Mutex::new(postgres), Mutex::new(cluster));
        let (seen, socket_ends) = (Seen::default(), SocketEnds::of(backend));
        Some(Self {
            kafka,
            postgres,
            database,
            cluster,
            crowd,
            somebody,
            front,
            backend,
            consumer_health,
            proxies,
            seen,
            socket_ends,
        })
    }

    fn proxy(&self, place: Place) -> &Proxy {
        &self.proxies[place as usize]
    }

    fn here(&self) -> impl Iterator<Item = &Device> {
        self.crowd.devices_of(self.front)
    }

    async fn history_answers(&self) -> bool {
        let rest = Rest::new(self.backend).of(&self.somebody);
        let answer = Rest::try_ask(rest.request(reqwest::Method::GET, "conversations?limit=1")).await;
        answer.is_some_and(|answer| answer.status == 200)
    }
}

impl Stage for OnServers {
    type Place = Place;

    fn crowd(&self) -> &Arc<Crowd> {
        &self.crowd
    }

    fn database(&self) -> &Database {
        &self.database
    }

    async fn look(&self, place: Place) {
        let Seen { answers, refusals, not_ready, stored } = &self.seen;
        match place {
            Place::Client => self.socket_ends.look().await,
            Place::Log => {}
            Place::Database => {
                let seen = if self.history_answers().await { answers } else { refusals };
                seen.fetch_add(1, Ordering::Relaxed);
            }
            Place::Consumer => {
                let is_ready = Rest::new(self.consumer_health).is_ready().await;
                not_ready.fetch_add(usize::from(!is_ready), Ordering::Relaxed);
                let count = self.database.try_count_messages().await.unwrap_or(0);
                stored.fetch_max(count as usize, Ordering::Relaxed);
            }
        }
    }

    fn signs(&self, place: Place) -> usize {
        match place {
            Place::Client => {
                self.here().map(|device| device.heard().ends).sum::<usize>() + self.socket_ends.count()
            }
            Place::Log => {
                let refused =
                    |device: &Device| device.heard().refused_for_now.get("log_unavailable").copied();
                self.here().filter_map(refused).sum()
            }
            Place::Database => self.seen.refusals.load(Ordering::Relaxed),
            Place::Consumer => self.seen.not_ready.load(Ordering::Relaxed),
        }
    }

    fn work(&self, place: Place) -> usize {
        match place {
            Place::Client | Place::Log => self.here().map(|device| device.heard().accepted.len()).sum(),
            Place::Database => self.seen.answers.load(Ordering::Relaxed),
            Place::Consumer => self.seen.stored.load(Ordering::Relaxed),
        }
    }

    fn is_before_the_store(&self, place: Place) -> bool {
        matches!(place, Place::Database | Place::Consumer)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_doubled_or_reordered() {
    let plan = Plan::from_environment();
    let Some(stage) = OnServers::set(&plan).await else { return };
    let mut play = Play::new("Apache Kafka, PostgreSQL", &stage, &plan);
    let proxy = |place| stage.proxy(place);
    play.all_of_a_link(Place::Client, proxy(Place::Client), &plan.seconds_of_clients()).await;
    if plan.is_long {
        for place in [Place::Log, Place::Database, Place::Consumer] {
            play.all_of_a_link(place, proxy(place), &plan.seconds).await;
        }
        programs_stop_and_die(&stage, &plan, &mut play).await;
    } else {
        play.reset(Place::Log, proxy(Place::Log)).await;
        play.silent_downwards(Place::Log, proxy(Place::Log), 2.5).await;
        play.reset(Place::Consumer, proxy(Place::Consumer)).await;
        play.silent(Place::Consumer, proxy(Place::Consumer), 1.5).await;
        play.silent(Place::Database, proxy(Place::Database), 1.5).await;
    }
    play.end("a cluster under faults").await;
    complete_only_with_everything(&stage).await;
    assert_eq!(stage.cluster.lock().await.log_counts().await.1, 0, "dead letters");
}

/// SIGSTOP and SIGKILL of everything.
async fn programs_stop_and_die(stage: &OnServers, plan: &Plan, play: &mut Play<'_, OnServers>) {
    let OnServers { kafka, postgres, cluster, .. } = stage;
    for seconds in &plan.seconds {
        for (place, server, name) in [(Place::Log, kafka, "Kafka"), (Place::Database, postgres, "PostgreSQL")]
        {
            let (pause, go_on) = (async || server.lock().await.pause(), async || server.lock().await.go_on());
            play.act(place, format!("{name} stopped"), *seconds, pause, go_on).await;
            let kill = async || server.lock().await.kill().await;
            let start = async || server.lock().await.start_again().await;
            play.act(place, format!("{name} killed"), *seconds, kill, start).await;
        }
        let signal = async |name| cluster.lock().await.backends[0].program.signal(name);
        let (stop, go_on) = (async || signal("STOP").await, async || signal("CONT").await);
        play.act(Place::Client, "backend stopped", *seconds, stop, go_on).await;
        let kill = async || cluster.lock().await.backends[0].program.kill();
        let start = async || {
            let mut cluster = cluster.lock().await;
            cluster.backends[0].program.start_again();
            cluster.ready(0).await;
        };
        play.act(Place::Client, "backend killed", *seconds, kill, start).await;
        let signal = async |name| cluster.lock().await.consumers[0].signal(name);
        let (stop, go_on) = (async || signal("STOP").await, async || signal("CONT").await);
        play.act(Place::Consumer, "consumer stopped", *seconds, stop, go_on).await;
        let kill = async || cluster.lock().await.consumers[0].kill();
        let start = async || started_by_a_manager(&mut cluster.lock().await.consumers[0]).await;
        play.act(Place::Consumer, "consumer killed", *seconds, kill, start).await;
    }
}

/// A consumer that finds no database when it starts says so and ends; whatever keeps services running starts
/// it again.
async fn started_by_a_manager(consumer: &mut Program) {
    let starts = |consumer: &Program| consumer.said().matches("the consumer reads").count();
    let before = starts(consumer);
    until("the consumer has started", 60, async || {
        if !consumer.is_running() {
            consumer.start_again();
        }
        starts(consumer) > before
    })
    .await;
}

/// Node 1 is cut off from the log while node 2 accepts; from the moment at which node 1 says again that its
/// answers are complete, nothing is missing from them.
async fn complete_only_with_everything(stage: &OnServers) {
    const MESSAGES: usize = 200;
    let cluster = stage.cluster.lock().await;
    let (ann, bob) = (cluster.rest(1).register("ann").await, cluster.rest(1).register("bob").await);
    let (anns, bobs) = (cluster.rest(1).of(&ann), cluster.rest(0).of(&bob));
    anns.send_accepted(bob.person.id, "first", "first").await;
    let conversation = anns.conversations().await[0].id;
    let path = format!("conversations/{conversation}/messages");
    let complete = async || bobs.get(&path).await.body["complete"] == true;
    until("node 1 knows of the conversation", 20, complete).await;
    let proxy = stage.proxy(Place::Log);
    proxy.set(Weather { no_way_up: true, no_way_down: true, ..Weather::default() });
    proxy.reset();
    until("node 1 says that it does not know", 30, async || !complete().await).await;
    for number in 0..MESSAGES {
        anns.send_accepted(bob.person.id, &format!("c-{number}"), "x").await;
    }
    // Slow, so that there is a time in which the log answers and not everything has come.
    proxy.set(Weather { delay: Duration::from_millis(100), ..Weather::default() });
    let again = Instant::now();
    let mut incomplete = 0;
    let found = loop {
        assert!(again.elapsed() < Duration::from_secs(60), "node 1 never knows everything again");
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
