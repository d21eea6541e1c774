//! Faults of `milena`: between it and its clients, and of the program itself with log and store in it.

use std::fmt;
use std::sync::Arc;

use tokio::sync::Mutex;

use super::act::{PEOPLE, Play, Stage};
use super::plan::Plan;
use super::socket_ends::SocketEnds;
use crate::ledger::Crowd;
use crate::world::{Database, Milena, Proxy};

#[derive(Debug, Clone, Copy)]
enum Place {
    /// Between clients and `milena`.
    Client,
    /// `milena` itself.
    Milena,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Client => "clients, milena",
            Self::Milena => "milena",
        })
    }
}

struct Embedded {
    /// Stopped and started by acts.
    milena: Mutex<Milena>,
    database: Database,
    proxy: Proxy,
    crowd: Arc<Crowd>,
    socket_ends: SocketEnds,
}

impl Embedded {
    async fn set(plan: &Plan) -> Self {
        let settings = plan.settings();
        let milena = Milena::start_on(tempfile::tempdir().unwrap(), |launch| {
            settings.iter().fold(launch, |launch, (name, value)| launch.variable(name, value))
        })
        .await;
        let proxy = Proxy::start().await;
        proxy.aim(milena.address);
        let crowd = Crowd::gather(&[proxy.address()], PEOPLE).await;
        let (database, socket_ends) = (milena.database(), SocketEnds::of(milena.address));
        Self { milena: Mutex::new(milena), database, proxy, crowd, socket_ends }
    }
}

impl Stage for Embedded {
    type Place = Place;

    fn crowd(&self) -> &Arc<Crowd> {
        &self.crowd
    }

    fn database(&self) -> &Database {
        &self.database
    }

    async fn look(&self, _: Place) {
        self.socket_ends.look().await;
    }

    fn signs(&self, _: Place) -> usize {
        self.crowd.devices().map(|device| device.heard().ends).sum::<usize>() + self.socket_ends.count()
    }

    fn work(&self, _: Place) -> usize {
        self.crowd.progress.count()
    }

    fn is_before_the_store(&self, _: Place) -> bool {
        false
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_doubled_or_reordered() {
    let plan = Plan::from_environment();
    let stage = Embedded::set(&plan).await;
    let mut play = Play::new("milena (embedded log, SQLite)", &stage, &plan);
    play.all_of_a_link(Place::Client, &stage.proxy, &plan.seconds_of_clients()).await;
    for seconds in &plan.seconds {
        let stop = async || stage.milena.lock().await.program.signal("STOP");
        let go_on = async || stage.milena.lock().await.program.signal("CONT");
        play.act(Place::Milena, "stopped", *seconds, stop, go_on).await;
        let kill = async || stage.milena.lock().await.program.kill();
        let start = async || stage.milena.lock().await.start_again().await;
        play.act(Place::Milena, "killed", *seconds, kill, start).await;
    }
    play.end("milena under faults").await;
}
