//! Two backends and two consumers on Apache Kafka and PostgreSQL: accepted = delivered to every device = stored, in one
//! order.

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
