//! Kafka names no broker for a moment. librdkafka's clients then forget all they knew and never come back by themselves;
//! ours are replaced, and everything goes on.

use std::net::SocketAddr;
use std::time::Instant;

use serde_json::Value;

use crate::ledger::{Crowd, audit};
use crate::world::{Cluster, ForgetfulKafka, Kind, Mind, OwnServer, Services, tell, turn, until};

const PEOPLE: usize = 8;
const MESSAGES: usize = 200;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clients_that_have_forgotten_all_brokers_are_replaced() {
    let _turn = turn().await;
    let proxy = ForgetfulKafka::start().await;
    let Some(kafka) = OwnServer::kafka_behind(proxy.address().port()).await else { return };
    let Some(services) = Services::shared(Kind::Postgres).await else { return };
    proxy.aim(kafka.proxied());
    let services = Services { kafka: proxy.address().to_string(), ..services };
    let cluster = Cluster::start(services, 2, 1).await;
    let crowd = Crowd::gather(&cluster.addresses(), PEOPLE).await;
    crowd.talk(MESSAGES, 1).join_all().await;
    crowd.all_accepted(60).await;

    // Clients ask for metadata every few seconds.
    proxy.set(Mind::Forgetful);
    until("all clients are replaced", 60, async || {
        let backends = cluster.backends.iter().map(|backend| &backend.program);
        backends.chain(&cluster.consumers).all(|program| program.said().contains("has forgotten all brokers"))
    })
    .await;
    let began = Instant::now();
    proxy.set(Mind::Clear);
    for address in cluster.addresses() {
        until("the backend sees the log again", 60, async || sees_the_log(address).await).await;
    }
    crowd.talk(MESSAGES, 2).join_all().await;
    crowd.all_accepted(60).await;
    crowd.settle(3).await;
    cluster.stored(crowd.sent().len(), 60).await;
    tell(&format!(
        "all brokers forgotten: all is well {:.1} s after they were named again",
        began.elapsed().as_secs_f64()
    ));
    audit(&crowd, &cluster.services.database.messages().await).must_agree("all brokers forgotten");
}

async fn sees_the_log(address: SocketAddr) -> bool {
    let answer = reqwest::get(format!("http://{address}/readyz")).await.unwrap();
    answer.json::<Value>().await.unwrap()["log"] == "ok"
}
