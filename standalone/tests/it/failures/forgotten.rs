//! Kafka names no broker for a moment. librdkafka's clients may forget all they knew then, and never come
//! back by themselves; ours are replaced, and read on where they were.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::ledger::{Crowd, audit};
use crate::world::{
    Cluster, ForgetfulKafka, Kind, Mind, OwnServer, Program, Services, Variables, tell, turn, until,
};

const PEOPLE: usize = 8;
const PER_SECOND: f64 = 20.0;
const METADATA_EVERY: &str = "\"topic.metadata.refresh.interval.ms\" = \"2000\"";
/// Kafka is forgetful and clear in turns: whether a client is caught by a forgetful answer is up to its
/// threads. On an idle machine all are after a few turns; on a busy one it may be none.
const TURNS: usize = 12;
const EACH: Duration = Duration::from_secs(6);
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// The first backend and the consumer are behind the proxy; people write on the second backend all the time.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clients_that_have_forgotten_all_brokers_are_replaced() {
    let _turn = turn().await;
    let proxy = ForgetfulKafka::start().await;
    let Some(kafka) = OwnServer::kafka_behind(proxy.address().port()).await else { return };
    let Some(services) = Services::shared(Kind::Postgres).await else { return };
    proxy.aim(kafka.proxied());
    let services = Services { kafka: kafka.address().to_owned(), ..services };
    let by_proxy = proxy.address().to_string();
    let cluster = Cluster::start_tuned(services, 2, 1, METADATA_EVERY, move |name| match name {
        "backend-2" => Variables::new(),
        _ => vec![("MILENA__KAFKA__BROKERS", by_proxy.clone())],
    })
    .await;
    let crowd = Crowd::gather(&cluster.addresses(), PEOPLE).await;
    let stop = CancellationToken::new();
    let chatting = tokio::spawn({
        let (crowd, stop) = (crowd.clone(), stop.clone());
        async move { crowd.chat(PER_SECOND, 1, stop).await }
    });

    let says = |program: &Program, words| program.said().contains(words);
    // The producer looks at itself when it next sends.
    let all_have = || {
        says(&cluster.backends[0].program, "a new tail takes over")
            && says(
                &cluster.backends[0].program,
                "a new producer takes over reason=the old one has forgotten",
            )
            && says(&cluster.consumers[0], "has forgotten all brokers")
    };
    for mind in [Mind::Forgetful, Mind::Clear].into_iter().cycle().take(TURNS) {
        proxy.set(mind);
        let turn_ends = Instant::now() + EACH;
        while !all_have() && Instant::now() < turn_ends {
            sleep(LOOK_EVERY).await;
        }
        if all_have() {
            break;
        }
    }
    proxy.set(Mind::Clear);
    let well = Instant::now();
    until("the backend sees the log again", 60, async || sees_the_log(cluster.backends[0].address).await)
        .await;
    let seen = well.elapsed();
    stop.cancel();
    chatting.await.unwrap();
    crowd.all_accepted(60).await;
    crowd.settle(2).await;
    cluster.stored(crowd.sent().len(), 60).await;
    tell(&format!(
        "all brokers forgotten (by {}): backend {seen:.1?}, consumer {:.1?} after the end",
        if all_have() { "all clients" } else { "some clients or none" },
        well.elapsed()
    ));
    audit(&crowd, &cluster.services.database.messages().await).must_agree("all brokers forgotten");
}

async fn sees_the_log(address: SocketAddr) -> bool {
    let answer = reqwest::get(format!("http://{address}/readyz")).await.unwrap();
    answer.json::<Value>().await.unwrap()["log"] == "ok"
}
