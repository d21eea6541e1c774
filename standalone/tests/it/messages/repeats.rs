//! The same `client_id` is the same message: one row, shown once, every answer the same, however often it is
//! sent.

use std::net::SocketAddr;

use futures::future::join_all;
use serde_json::Value;

use crate::client::{Account, Device, Progress, Rest, Socket, send_frame};
use crate::world::{Cluster, Kind, Milena, Services, tell, until};

const CLIENT_ID: &str = "the same";

/// What an answer says: id, position.
type Said = (String, i64);

fn said(answer: &Value) -> Said {
    assert_eq!(answer["client_id"], CLIENT_ID, "{answer}");
    (answer["id"].as_str().expect("an id").to_owned(), answer["position"].as_i64().expect("a position"))
}

async fn by_rest(address: SocketAddr, ann: Account, bob: Account) -> Vec<Said> {
    let answer = Rest::new(address).of(&ann).send(bob.person.id, CLIENT_ID, "once").await;
    vec![said(&answer.expect(202))]
}

/// Five times on one connection, without waiting for answers.
async fn by_socket(address: SocketAddr, ann: Account, bob: Account) -> Vec<Said> {
    let (mut socket, _) = Socket::signed_in(address, &ann.token, None).await;
    for _ in 0..5 {
        socket.send(&send_frame(bob.person.id, CLIENT_ID, "once", true)).await.unwrap();
    }
    let mut answers = Vec::new();
    for _ in 0..5 {
        let answer = socket.answer(CLIENT_ID).await;
        assert_eq!(answer["type"], "accepted", "{answer}");
        answers.push(said(&answer));
    }
    answers
}

/// `times` sends, all at once: by REST and by sockets, over all nodes in turn.
async fn send_all_at_once(nodes: &[SocketAddr], times: usize, ann: &Account, bob: &Account) -> Vec<Said> {
    let by_sockets =
        (0..times / 10).map(|number| by_socket(nodes[number % nodes.len()], ann.clone(), bob.clone()));
    let by_rest = (0..times / 2).map(|number| by_rest(nodes[number % nodes.len()], ann.clone(), bob.clone()));
    let (sockets, rest) = futures::join!(join_all(by_sockets), join_all(by_rest));
    sockets.into_iter().chain(rest).flatten().collect()
}

fn all_equal(answers: &[Said]) {
    assert_eq!(answers.len(), 100);
    assert!(answers.iter().all(|answer| *answer == answers[0]), "answers differ: {answers:?}");
}

/// All devices have been connected so often.
async fn live(devices: &[Device], connections: usize) {
    until("Bob's devices are live", 20, async || {
        devices.iter().all(|device| device.heard().connections >= connections)
    })
    .await;
}

/// After a last message, so that whatever the log held before it was handed out: Bob's devices saw each once.
async fn shown_once(devices: &[Device], rest: &Rest, bob: &Account) {
    rest.send_accepted(bob.person.id, "last", "the last one").await;
    until("Bob's devices have the last message", 30, async || {
        devices.iter().all(|device| device.heard().ids().len() == 2)
    })
    .await;
    for device in devices {
        let heard = device.heard();
        assert_eq!((heard.ids().len(), heard.duplicated, heard.reordered), (2, 0, 0), "{heard:?}");
    }
}

/// What a client says about whether it sends again (`retry`, of earlier versions) changes nothing, whether
/// the first one is in memory or only in the store: a message of before is the repeat that it is though it is
/// said to be new, a new one is new though it is said to be a repeat, and another one of the same name is
/// refused.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_client_says_about_sending_again_is_not_believed() {
    let mut milena = Milena::start().await;
    let (ann, bob) = (milena.rest().register("ann").await, milena.rest().register("bob").await);
    let mut first = None;
    for (round, place) in ["in memory", "only in the store"].into_iter().enumerate() {
        if round > 0 {
            let database = milena.database();
            until("it is stored", 30, async || database.try_count_messages().await == Some(2)).await;
            milena.program.stop().await;
            milena.start_again().await;
        }
        let (mut socket, _) = Socket::signed_in(milena.address, &ann.token, None).await;
        let mut say = async |client_id: &str, body: &str, retry: bool| {
            socket.send(&send_frame(bob.person.id, client_id, body, retry)).await.unwrap();
            socket.answer(client_id).await
        };
        let answer = say(CLIENT_ID, "once", false).await;
        assert_eq!(answer["type"], "accepted", "{place}: {answer}");
        let first = first.get_or_insert_with(|| said(&answer)).clone();
        for retry in [false, true] {
            assert_eq!(said(&say(CLIENT_ID, "once", retry).await), first, "{place}: {retry}");
            let other = say(CLIENT_ID, "other words", retry).await;
            assert_eq!(other["code"], "client_id_reused", "{place}: {retry}");
        }
        let new = say(&format!("new {round}"), "never sent before", true).await;
        assert_eq!(new["type"], "accepted", "{place}: {new}");
        assert!(new["position"].as_i64() > Some(first.1), "{place}: {new}");
    }
    let database = milena.database();
    until("all is stored", 30, async || database.try_count_messages().await == Some(3)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_times_over_two_backends_and_their_restarts() {
    let Some(services) = Services::shared(Kind::Postgres).await else { return };
    let mut cluster = Cluster::start(services, 2, 1).await;
    let nodes = cluster.addresses();
    let (ann, bob) = (cluster.rest(0).register("ann").await, cluster.rest(1).register("bob").await);
    let on = |home: usize| {
        let mut nodes = nodes.clone();
        nodes.rotate_left(home);
        Device::open(&bob, nodes, false, Progress::new())
    };
    let devices = [on(0), on(1)];
    live(&devices, 1).await;

    let mut answers = send_all_at_once(&nodes, 60, &ann, &bob).await;
    cluster.backends[0].program.stop().await;
    cluster.backends[0].program.start_again();
    cluster.ready(0).await;
    answers.extend(send_all_at_once(&nodes, 20, &ann, &bob).await);
    cluster.backends[1].program.kill();
    cluster.backends[1].program.start_again();
    cluster.ready(1).await;
    answers.extend(send_all_at_once(&nodes, 20, &ann, &bob).await);
    all_equal(&answers);

    until("Bob is live again", 20, async || devices.iter().all(|device| device.heard().connections == 2))
        .await;
    shown_once(&devices, &cluster.rest(0).of(&ann), &bob).await;
    cluster.stored(2, 30).await;
    let rows = cluster.services.database.messages().await;
    assert_eq!(rows.len(), 2);
    assert_eq!((rows[0].id.to_string(), rows[0].position), answers[0]);
    let (records, dead) = cluster.log_counts().await;
    tell(&format!("100 sends of one client_id over two backends: 1 row; {} records in the log", records - 1));
    assert_eq!(dead, 0, "dead letters");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_times_to_milena_and_over_its_restarts() {
    let mut milena = Milena::start().await;
    let nodes = [milena.address];
    let (ann, bob) = (milena.rest().register("ann").await, milena.rest().register("bob").await);
    let devices = [Device::open(&bob, nodes.to_vec(), false, Progress::new())];
    live(&devices, 1).await;

    let mut answers = send_all_at_once(&nodes, 60, &ann, &bob).await;
    milena.program.stop().await;
    milena.start_again().await;
    live(&devices, 2).await;
    answers.extend(send_all_at_once(&nodes, 20, &ann, &bob).await);
    milena.program.kill();
    milena.start_again().await;
    answers.extend(send_all_at_once(&nodes, 20, &ann, &bob).await);
    all_equal(&answers);

    live(&devices, 3).await;
    let rest = milena.rest().of(&ann);
    shown_once(&devices, &rest, &bob).await;
    until("both are stored", 20, async || milena.database().try_count_messages().await == Some(2)).await;

    // The same name for another message is refused, in memory and from the store alike.
    let eve = milena.rest().register("eve").await;
    let reused = rest.send(eve.person.id, CLIENT_ID, "twice").await;
    assert_eq!((reused.status, reused.code()), (409, "client_id_reused"));
    milena.program.stop().await;
    milena.start_again().await;
    let reused = milena.rest().of(&ann).send(eve.person.id, CLIENT_ID, "twice").await;
    assert_eq!((reused.status, reused.code()), (409, "client_id_reused"));
    assert_eq!(milena.database().count("messages").await, 2);
}

/// Neither backend can know what the other is just sending: the log gets some messages twice, and nobody else
/// does.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_at_the_same_moment_on_two_backends() {
    const MESSAGES: usize = 300;
    let Some(services) = Services::shared(Kind::Postgres).await else { return };
    let cluster = Cluster::start(services, 2, 1).await;
    let nodes = cluster.addresses();
    let (ann, bob) = (cluster.rest(0).register("ann").await, cluster.rest(1).register("bob").await);
    let devices = [0, 1].map(|node| Device::open(&bob, vec![nodes[node]], false, Progress::new()));
    live(&devices, 1).await;
    let (mut one, _) = Socket::signed_in(nodes[0], &ann.token, None).await;
    let (mut two, _) = Socket::signed_in(nodes[1], &ann.token, None).await;
    for number in 0..MESSAGES {
        let client_id = format!("c-{number}");
        let frame = send_frame(bob.person.id, &client_id, "once", false);
        let (first, second) = futures::join!(one.send(&frame), two.send(&frame));
        first.and(second).unwrap();
        let (first, second) = futures::join!(one.answer(&client_id), two.answer(&client_id));
        assert_eq!(first, second, "two answers to one message");
        assert_eq!(first["type"], "accepted", "{first}");
    }
    until("Bob's devices have everything", 30, async || {
        devices.iter().all(|device| device.heard().ids().len() == MESSAGES)
    })
    .await;
    cluster.stored(MESSAGES, 30).await;
    // A last one, so that whatever the log held before it was handed out and stored.
    let last = cluster.rest(0).of(&ann).send_accepted(bob.person.id, "last", "the last one").await;
    cluster.stored(MESSAGES + 1, 30).await;
    until("the last one is everywhere", 30, async || {
        devices.iter().all(|device| device.heard().ids().contains(&last.id))
    })
    .await;
    let rows = cluster.services.database.messages().await;
    assert_eq!(rows.len(), MESSAGES + 1);
    let order: Vec<_> = rows.iter().map(|row| (row.position, row.id)).collect();
    for device in &devices {
        let heard = device.heard();
        assert_eq!((heard.duplicated, heard.reordered), (0, 0));
        assert_eq!(heard.shown()[&rows[0].conversation], order);
    }
    let (records, dead) = cluster.log_counts().await;
    tell(&format!(
        "{MESSAGES} messages sent on two backends at once: {records} records in the log, {} rows",
        rows.len()
    ));
    assert_eq!(dead, 0, "dead letters");
}
