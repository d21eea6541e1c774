//! What is worse than dead: something stops for a while during traffic and then goes on as if nothing had
//! happened. Requests that were given up are carried out late, and a consumer that lost its partitions still
//! holds a batch.

use crate::failures::kills::refused_for_now;
use crate::ledger::{Crowd, audit};
use crate::world::{Cluster, Database, Kind, OwnServer, Services, number, tell, turn, until};

#[derive(Debug, Clone, Copy)]
enum Paused {
    Kafka,
    Postgres,
    Backend,
    Consumer,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn broker_database_backend_and_consumer_stop_and_go_on() {
    let Some(kafka) = OwnServer::start(Kind::Kafka).await else { return };
    let Some(postgres) = OwnServer::start(Kind::Postgres).await else { return };
    let _turn = turn().await;
    let database = Database::create_on(postgres.address()).await;
    let services = Services { kafka: kafka.address().to_owned(), database: database.clone() };
    let cluster = Cluster::start(services, 2, 2).await;
    let crowd = Crowd::gather(&cluster.addresses(), 60).await;
    let share = number("MILENA_TEST_MESSAGES", 20_000) / 10;
    for paused in [Paused::Kafka, Paused::Postgres, Paused::Backend, Paused::Consumer] {
        let seed = paused as u64;
        let before = crowd.progress.count();
        let writers = crowd.talk(share, seed);
        crowd.progress.reaches(before + share / 4, 120).await;
        match paused {
            Paused::Kafka => {
                let refused = refused_for_now(&crowd);
                kafka.pause();
                until("sends are refused for now", 30, async || refused_for_now(&crowd) > refused).await;
                // The broker now carries out what was given up, and then what is sent again.
                kafka.go_on();
            }
            Paused::Postgres => {
                postgres.pause();
                crowd.progress.reaches(before + share * 3 / 4, 120).await;
                postgres.go_on();
            }
            Paused::Backend => {
                cluster.backends[0].program.signal("STOP");
                crowd.progress.reaches(before + share / 2, 120).await;
                cluster.backends[0].program.signal("CONT");
            }
            Paused::Consumer => {
                cluster.consumers[0].signal("STOP");
                writers.join_all().await;
                crowd.all_accepted(120).await;
                // The other one takes its partitions over; then it wakes up with what it had read.
                cluster.stored(crowd.sent().len(), 120).await;
                cluster.consumers[0].signal("CONT");
                crowd.settle(seed).await;
                cluster.stored(crowd.sent().len(), 120).await;
                audit(&crowd, &database.messages().await).must_agree("Consumer paused");
                continue;
            }
        }
        writers.join_all().await;
        crowd.all_accepted(180).await;
        crowd.settle(seed).await;
        cluster.stored(crowd.sent().len(), 120).await;
        audit(&crowd, &database.messages().await).must_agree(&format!("{paused:?} paused"));
    }
    let (records, dead) = cluster.log_counts().await;
    tell(&format!("records in the log: {records}, of {} messages", crowd.sent().len()));
    assert_eq!(dead, 0, "dead letters");
}
