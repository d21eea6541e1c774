//! Two backends and two consumers on Apache Kafka and PostgreSQL: accepted = delivered to every device =
//! stored, in one order.

use crate::ledger::{Crowd, audit};
use crate::world::{Cluster, Kind, Services, number, turn};

const PEOPLE: usize = 200;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everybody_on_two_backends_hears_everything_once_and_in_one_order() {
    let Some(services) = Services::shared(Kind::Postgres).await else { return };
    let _turn = turn().await;
    let cluster = Cluster::start(services, 2, 2).await;
    let crowd = Crowd::gather(&cluster.addresses(), PEOPLE).await;
    crowd.talk(number("MILENA_TEST_MESSAGES", 20_000), 1).join_all().await;
    crowd.all_accepted(300).await;
    crowd.settle(1).await;
    cluster.stored(crowd.sent().len(), 120).await;

    let rows = cluster.services.database.messages().await;
    audit(&crowd, &rows).must_agree("two backends, two consumers");
    let (records, dead) = cluster.log_counts().await;
    assert_eq!((records, dead), (rows.len() as i64, 0), "records in the log, dead letters");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn consumers_that_come_and_go_store_everything_once() {
    let Some(services) = Services::shared(Kind::Postgres).await else { return };
    let _turn = turn().await;
    let mut cluster = Cluster::start(services, 2, 3).await;
    let crowd = Crowd::gather(&cluster.addresses(), 60).await;
    let messages = number("MILENA_TEST_MESSAGES", 20_000) / 4;
    let writers = crowd.talk(messages, 1);
    let changes = 9;
    for change in 0..changes {
        crowd.progress.reaches(messages * (change + 1) / (changes + 1), 120).await;
        // Each in turn: one leaves, and comes back when the next one leaves.
        let (leaves, returns) = (change % 3, (change + 2) % 3);
        cluster.consumers[leaves].stop().await;
        if change > 0 {
            cluster.consumers[returns].start_again();
        }
    }
    writers.join_all().await;
    crowd.all_accepted(120).await;
    crowd.settle(1).await;
    cluster.stored(crowd.sent().len(), 120).await;
    let rows = cluster.services.database.messages().await;
    audit(&crowd, &rows).must_agree(&format!("{changes} times a consumer left and another came"));
    assert_eq!(cluster.log_counts().await, (rows.len() as i64, 0), "records in the log, dead letters");
}
