//! A cluster on servers of its own, of which every part can be killed during traffic.

use super::{Cluster, Database, Kind, OwnServer, Services, until};
use crate::client::Progress;

/// What dies.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Victim {
    Backend,
    Consumer,
    Kafka,
    Postgres,
}

impl Victim {
    pub(crate) const ALL: [Self; 4] = [Self::Backend, Self::Consumer, Self::Kafka, Self::Postgres];
}

/// Two backends and two consumers on Apache Kafka and PostgreSQL.
pub(crate) struct Mortal {
    pub(crate) cluster: Cluster,
    kafka: OwnServer,
    postgres: OwnServer,
}

impl Mortal {
    /// `None` when the servers cannot be started here.
    pub(crate) async fn start() -> Option<Self> {
        let (kafka, postgres) = tokio::join!(OwnServer::start(Kind::Kafka), OwnServer::start(Kind::Postgres));
        let (kafka, postgres) = (kafka?, postgres?);
        let database = Database::create_on(postgres.address()).await;
        let services = Services { kafka: kafka.address().to_owned(), database };
        let cluster = Cluster::start(services, 2, 2).await;
        Some(Self { cluster, kafka, postgres })
    }

    /// A new database beside the cluster's.
    pub(crate) async fn another_database(&self) -> Database {
        Database::create_on(self.postgres.address()).await
    }

    /// Kills the victim after a quarter of the `share` that follows what was answered `before`, and starts it
    /// again when its end was felt. `round` chooses which backend and consumer; `refused` counts sends that
    /// were refused for now.
    pub(crate) async fn lose(
        &mut self,
        victim: Victim,
        round: usize,
        progress: &Progress,
        (before, share): (usize, usize),
        refused: impl Fn() -> usize,
    ) {
        let Self { cluster, kafka, postgres } = self;
        progress.reaches(before + share / 4, 180).await;
        // Without it things go on.
        let go_on = progress.reaches(before + share / 2, 180);
        match victim {
            Victim::Backend => {
                let number = round % cluster.backends.len();
                cluster.backends[number].program.kill();
                go_on.await;
                cluster.backends[number].program.start_again();
                cluster.ready(number).await;
            }
            Victim::Consumer => {
                let number = round % cluster.consumers.len();
                cluster.consumers[number].kill();
                go_on.await;
                cluster.consumers[number].start_again();
            }
            Victim::Kafka => {
                let earlier = refused();
                kafka.kill().await;
                until("sends are refused for now", 30, async || refused() > earlier).await;
                kafka.start_again().await;
            }
            Victim::Postgres => {
                postgres.kill().await;
                go_on.await;
                postgres.start_again().await;
            }
        }
    }
}
