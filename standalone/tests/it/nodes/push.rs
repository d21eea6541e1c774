//! Two backends on Apache Kafka and PostgreSQL share the work of pushing: each message is pushed by one of
//! them, also while one is killed, comes back, and its part of the log changes hands.

use std::collections::BTreeMap;

use serde_json::json;

use crate::world::{Cluster, Device, Kind, PushService, Services, Variables, tell, until};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn is_shared_between_backends_and_nothing_is_pushed_twice() {
    let Some(services) = Services::shared(Kind::Postgres).await else { return };
    let mut cluster = Cluster::start_with(services, 2, 1, |_| Variables::new()).await;
    let service = PushService::start().await;
    let (here, there) = (cluster.rest(0), cluster.rest(1));
    let ann = here.register("ann").await;
    let mut people = Vec::new();
    for number in 0..12 {
        let name = format!("bob-{number}");
        let bob = there.register(&name).await;
        let device = Device::at(&service, &name);
        let answer = there.of(&bob).post("me/push/subscriptions", &device.subscription()).await;
        assert_eq!(answer.status, 201, "{}", answer.body);
        people.push((bob, device));
    }
    // The same key on all nodes.
    let key = here.of(&ann).get("me/push").await.body["public_key"].clone();
    assert_eq!(key, there.of(&ann).get("me/push").await.body["public_key"]);

    let say = async |rest: &crate::client::Rest, round: usize| {
        for (number, (bob, _)) in people.iter().enumerate() {
            let name = format!("c-{round}-{number}");
            rest.of(&ann).send_accepted(bob.person.id, &name, &format!("{round}")).await;
        }
    };
    let heard = |round: usize| {
        let is_of = |device: &Device| {
            service.of(&device.name).iter().any(|push| device.open(push)["words"] == format!("{round}"))
        };
        people.iter().all(|(_, device)| is_of(device))
    };
    for (round, rest) in [&here, &there].into_iter().enumerate() {
        say(rest, round).await;
        until("all are pushed", 60, async || heard(round)).await;
    }
    // One dies with its partitions; the other one has them after the group's session time.
    cluster.backends[0].program.kill();
    say(&there, 2).await;
    until("all are pushed by the other", 60, async || heard(2)).await;
    cluster.backends[0].program.start_again();
    cluster.ready(0).await;
    for (round, rest) in [(3, &there), (4, &here)] {
        say(rest, round).await;
        until("all are pushed", 60, async || heard(round)).await;
    }
    let mut times: BTreeMap<usize, usize> = BTreeMap::new();
    for (_, device) in &people {
        let pushes = service.of(&device.name);
        for push in &pushes {
            service.claims(push, key.as_str().unwrap());
        }
        let mut ids: Vec<_> = pushes.iter().map(|push| device.open(push)["id"].to_string()).collect();
        let all = ids.len();
        ids.sort();
        ids.dedup();
        assert_eq!(ids.len(), all, "nothing twice: {}", device.name);
        *times.entry(all).or_default() += 1;
    }
    assert_eq!(times, BTreeMap::from([(5, 12)]), "five messages each");
    tell(&format!("two backends: {} pushes, none twice", json!(service.count())));
}
