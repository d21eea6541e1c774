//! kill -9, during traffic, of everything that can be killed: what was accepted is there, once, in one order.

use std::sync::Arc;
use std::time::Instant;

use crate::ledger::{Crowd, audit};
use crate::world::{Cluster, Database, Kind, Milena, OwnServer, Services, number, tell, turn, until};

#[derive(Debug, Clone, Copy)]
enum Victim {
    Backend,
    Consumer,
    Kafka,
    Postgres,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn backend_consumer_broker_and_database_die_during_traffic() {
    let Some(mut kafka) = OwnServer::start(Kind::Kafka).await else { return };
    let Some(mut postgres) = OwnServer::start(Kind::Postgres).await else { return };
    let _turn = turn().await;
    let database = Database::create_on(postgres.address()).await;
    let services = Services { kafka: kafka.address().to_owned(), database: database.clone() };
    let mut cluster = Cluster::start(services, 2, 2).await;
    let crowd = Crowd::gather(&cluster.addresses(), 200).await;

    let kills = number("MILENA_TEST_KILLS", 1);
    let share = number("MILENA_TEST_MESSAGES", 20_000) / 4 / kills;
    for round in 0..kills {
        for victim in [Victim::Backend, Victim::Consumer, Victim::Kafka, Victim::Postgres] {
            let seed = 10 * round as u64 + victim as u64;
            let before = crowd.progress.count();
            let writers = crowd.talk(share, seed);
            crowd.progress.reaches(before + share / 4, 120).await;
            match victim {
                Victim::Backend => {
                    cluster.backends[0].program.kill();
                    crowd.progress.reaches(before + share / 2, 120).await;
                    cluster.backends[0].program.start_again();
                    cluster.ready(0).await;
                }
                Victim::Consumer => {
                    cluster.consumers[0].kill();
                    crowd.progress.reaches(before + share / 2, 120).await;
                    cluster.consumers[0].start_again();
                }
                Victim::Kafka => {
                    let refused = refused_for_now(&crowd);
                    kafka.kill().await;
                    until("sends are refused for now", 30, async || refused_for_now(&crowd) > refused).await;
                    kafka.start_again().await;
                }
                Victim::Postgres => {
                    postgres.kill().await;
                    // Live chat goes on.
                    crowd.progress.reaches(before + share / 2, 120).await;
                    postgres.start_again().await;
                }
            }
            let restarted = Instant::now();
            writers.join_all().await;
            crowd.all_accepted(180).await;
            crowd.settle(seed).await;
            cluster.stored(crowd.sent().len(), 120).await;
            let name = format!(
                "{victim:?} killed, all stored {:.1} s after its restart",
                restarted.elapsed().as_secs_f64()
            );
            audit(&crowd, &database.messages().await).must_agree(&name);
        }
    }
    let (records, dead) = cluster.log_counts().await;
    tell(&format!("records in the log: {records}, of {} messages", crowd.sent().len()));
    assert_eq!(dead, 0, "dead letters");
}

pub(crate) fn refused_for_now(crowd: &Arc<Crowd>) -> usize {
    crowd.devices().map(|device| device.heard().refused_for_now.values().sum::<usize>()).sum()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn milena_dies_during_traffic() {
    let _turn = turn().await;
    let mut milena = Milena::start().await;
    let crowd = Crowd::gather(&[milena.address], 60).await;
    let kills = 2 + number("MILENA_TEST_KILLS", 1);
    let messages = number("MILENA_TEST_MESSAGES", 20_000) / 4;
    let writers = crowd.talk(messages, 1);
    for kill in 1..=kills {
        crowd.progress.reaches(messages * kill / (kills + 1), 180).await;
        milena.program.kill();
        milena.start_again().await;
    }
    writers.join_all().await;
    crowd.all_accepted(180).await;
    crowd.settle(1).await;
    let (database, count) = (milena.database(), crowd.sent().len() as i64);
    until("everything is stored", 60, async || database.try_count_messages().await == Some(count)).await;
    audit(&crowd, &database.messages().await).must_agree(&format!("milena killed {kills} times"));
}
