//! Something is away, for longer than a moment: what still works, what is refused and how fast, and what is
//! made up for.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::client::{Account, Conversations, Person, Rest, Socket, send_frame};
use crate::world::{Cluster, Database, Kind, OwnServer, Services, limit_batches, shared, until};

const REFUSED_WITHIN: Duration = Duration::from_secs(5);

async fn ann_and_bob(rest: &Rest) -> (Account, Account) {
    (rest.register("ann").await, rest.register("bob").await)
}

/// Sends and gives the position.
async fn say(from: &mut Socket, to: &Account, client_id: &str) -> i64 {
    let accepted = ask(from, to, client_id, false).await;
    assert_eq!(accepted["type"], "accepted", "{accepted}");
    accepted["position"].as_i64().expect("a position")
}

/// Sends and gives the answer.
async fn ask(from: &mut Socket, to: &Account, client_id: &str, retry: bool) -> Value {
    // As a client does it: with the prefix of its connection, which needs no database.
    let named = from.client_id(client_id);
    from.send(&send_frame(to.person.id, &named, client_id, retry)).await.unwrap();
    from.answer(&named).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_consumer_history_shows_every_accepted_message_at_once() {
    let Some(services) = Services::shared(Kind::Postgres).await else { return };
    let mut cluster = Cluster::start(services, 1, 1).await;
    let (ann, bob) = ann_and_bob(&cluster.rest(0)).await;
    let (mut socket, _) = Socket::signed_in(cluster.addresses()[0], &ann.token, None).await;
    let bobs = cluster.rest(0).of(&bob);
    for number in 0..30 {
        say(&mut socket, &bob, &format!("stored-{number}")).await;
    }
    cluster.stored(30, 30).await;
    cluster.consumers[0].stop().await;

    let mut expected: Vec<String> = (0..30).map(|number| format!("stored-{number}")).collect();
    for number in 0..170 {
        let body = format!("unstored-{number}");
        let position = say(&mut socket, &bob, &body).await;
        expected.push(body.clone());
        let list = bobs.conversations().await;
        assert_eq!((list.len(), list[0].last_position, list[0].unread), (1, position, 31 + number));
        assert_eq!(list[0].last_message.as_ref().map(|message| &*message.body), Some(&*body));
        let page = bobs.page(list[0].id, "limit=2").await;
        assert!(page.complete, "history cannot prove that it is complete");
        assert_eq!(page.messages.last().map(|message| message.position), Some(position), "{body} is missing");
    }
    assert_eq!(cluster.services.database.count("messages").await, 30, "the consumer is stopped");
    let conversation = bobs.conversations().await[0].id;
    let bodies = async |rest: &Rest| -> [Vec<String>; 2] {
        let text = |messages: Vec<crate::client::Message>| {
            messages.into_iter().map(|message| message.body).collect()
        };
        [text(rest.messages_after(conversation, -1).await), text(rest.messages_backwards(conversation).await)]
    };
    assert_eq!(bodies(&bobs).await, [expected.clone(), expected.clone()]);

    // A backend that knows nothing yet reads the log first.
    cluster.backends[0].program.stop().await;
    cluster.backends[0].program.start_again();
    cluster.ready(0).await;
    assert_eq!(bodies(&bobs).await, [expected.clone(), expected.clone()], "after a restart of the backend");

    cluster.consumers[0].start_again();
    cluster.stored(200, 60).await;
    assert_eq!(bodies(&bobs).await, [expected.clone(), expected], "with everything stored");
    assert_eq!(cluster.services.database.count("messages").await, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_database_live_chat_goes_on() {
    let (Some(kafka), Some(mut postgres)) =
        (shared(Kind::Kafka).await, OwnServer::start(Kind::Postgres).await)
    else {
        return;
    };
    let database = Database::create_on(postgres.address()).await;
    let mut cluster = Cluster::start(Services { kafka, database }, 2, 1).await;
    let (ann, bob) = ann_and_bob(&cluster.rest(0)).await;
    let nodes = cluster.addresses();
    let (mut anns, _) = Socket::signed_in(nodes[0], &ann.token, None).await;
    let (mut bobs, _) = Socket::signed_in(nodes[1], &bob.token, None).await;
    let carl = cluster.rest(0).register("carl").await;
    let (mut carls, _) = Socket::signed_in(nodes[0], &carl.token, None).await;
    say(&mut anns, &bob, "before").await;
    assert_eq!(bobs.expect("message").await["body"], "before");
    say(&mut bobs, &ann, "answer").await;
    assert_eq!(anns.expect("message").await["body"], "answer");
    cluster.stored(2, 30).await;
    let cursor = anns.cursor().await;

    postgres.stop().await;
    for number in 0..40 {
        let (ask, answer) = (format!("ask-{number}"), format!("answer-{number}"));
        say(&mut anns, &bob, &ask).await;
        assert_eq!(bobs.expect("message").await["body"], ask);
        say(&mut bobs, &ann, &answer).await;
        assert_eq!(anns.expect("message").await["body"], answer);
    }
    // Also between people of one node who never wrote to each other.
    say(&mut anns, &carl, "the first word").await;
    assert_eq!(carls.expect("message").await["body"], "the first word");
    // Who was signed in comes back, resumes, and is believed.
    anns.close().await;
    let (mut anns, welcome) = Socket::signed_in(nodes[0], &ann.token, Some(&cursor)).await;
    assert_eq!(welcome["resumed"], true);
    let mut missed = Vec::new();
    for _ in 0..81 {
        missed.push(anns.expect("message").await["body"].as_str().expect("a text").to_owned());
    }
    // Each conversation in its order; the one with Carl may come before or after the other.
    missed.retain(|body| body != "the first word");
    let expected = (0..40).flat_map(|number| [format!("ask-{number}"), format!("answer-{number}")]);
    assert_eq!(missed, expected.collect::<Vec<_>>());
    let login =
        cluster.rest(0).post("login", &json!({"username": "ann", "password": crate::client::PASSWORD})).await;
    assert_eq!((login.status, login.code()), (503, "store_unavailable"));

    postgres.start_again().await;
    cluster.stored(83, 60).await;
    assert_eq!(cluster.services.database.count("messages").await, 83);
    assert!(cluster.consumers[0].is_running(), "the consumer outlives its database");
    let rest = cluster.rest(0).of(&ann);
    let list = rest.conversations().await;
    let is_with_bob = |person: &Person| person.id == bob.person.id;
    let with_bob = list.iter().find(|conversation| conversation.person.as_ref().is_some_and(is_with_bob));
    let with_bob = with_bob.expect("in the list");
    assert_eq!((list.len(), rest.messages_after(with_bob.id, -1).await.len()), (2, 82));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_broker_a_send_is_refused_for_now_and_succeeds_once_when_repeated() {
    let (Some(mut kafka), Some(server)) = (OwnServer::start(Kind::Kafka).await, shared(Kind::Postgres).await)
    else {
        return;
    };
    let database = Database::create_on(&server).await;
    let cluster = Cluster::start(Services { kafka: kafka.address().to_owned(), database }, 1, 1).await;
    let (ann, bob) = ann_and_bob(&cluster.rest(0)).await;
    let address = cluster.addresses()[0];
    let (mut anns, _) = Socket::signed_in(address, &ann.token, None).await;
    let (mut bobs, _) = Socket::signed_in(address, &bob.token, None).await;
    say(&mut anns, &bob, "before").await;
    bobs.expect("message").await;
    cluster.stored(1, 30).await;

    kafka.stop().await;
    let rest = cluster.rest(0).of(&ann);
    for attempt in 0..2 {
        let began = Instant::now();
        let rejected = ask(&mut anns, &bob, "during", attempt > 0).await;
        assert!(began.elapsed() < REFUSED_WITHIN, "refused after {:?}", began.elapsed());
        assert_eq!((&rejected["code"], &rejected["temporary"]), (&json!("log_unavailable"), &json!(true)));
        let began = Instant::now();
        let refused = rest.send(bob.person.id, "during-rest", "during").await;
        assert!(began.elapsed() < REFUSED_WITHIN, "refused after {:?}", began.elapsed());
        assert_eq!((refused.status, refused.code()), (503, "log_unavailable"));
    }
    bobs.is_quiet().await;
    // Login and history go on; that another backend accepted nothing more cannot be proved now, and it is
    // said.
    let again = cluster.rest(0).login("ann", crate::client::PASSWORD).await;
    let rest = cluster.rest(0).of(&again);
    let list: Conversations = rest.get("conversations").await.expect(200);
    let page = rest.page(list.conversations[0].id, "").await;
    let bodies: Vec<&str> = page.messages.iter().map(|message| &*message.body).collect();
    assert_eq!((bodies, list.complete, page.complete), (vec!["before"], false, false));

    kafka.start_again().await;
    let deadline = Instant::now() + Duration::from_secs(30);
    // The refused attempts may still reach the log by themselves; then the answer is the first one's.
    loop {
        let answer = ask(&mut anns, &bob, "during", true).await;
        if answer["type"] == "accepted" {
            break;
        }
        assert!(answer["temporary"] == true && Instant::now() < deadline, "still refused: {answer}");
    }
    rest.send_accepted(bob.person.id, "during-rest", "during").await;
    say(&mut anns, &bob, "after").await;
    // In any order of the first two, each once.
    let mut heard = Vec::new();
    for _ in 0..3 {
        heard.push(bobs.expect("message").await["body"].as_str().expect("a text").to_owned());
    }
    heard.sort();
    assert_eq!(heard, ["after", "during", "during"]);
    bobs.is_quiet().await;
    cluster.stored(4, 60).await;
    assert_eq!(cluster.services.database.count("messages").await, 4);
    let conversation = list.conversations[0].id;
    until("history is complete again", 10, async || rest.page(conversation, "").await.complete).await;
    assert_eq!(rest.messages_after(conversation, -1).await.len(), 4);
}

/// What no waiting cures, such as a table that is gone, is told: to clients as temporary, to the operator in
/// `/readyz` and in the logs. Nothing is lost, and all goes on when it is mended.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_somebody_has_to_mend_is_told_and_waited_for() {
    let Some(services) = Services::shared(Kind::Postgres).await else { return };
    let cluster = Cluster::start(services, 1, 1).await;
    let (rest, database) = (cluster.rest(0), &cluster.services.database);
    let (ann, bob) = ann_and_bob(&rest).await;
    let anns = rest.of(&ann);
    anns.send_accepted(bob.person.id, "c-1", "before").await;
    cluster.stored(1, 30).await;
    let url = format!("http://{}/readyz", cluster.addresses()[0]);
    let told = async |state: &str| {
        until("/readyz says so", 30, async || readyz(&url).await["database"] == state).await;
    };
    told("ok").await;

    database.execute("ALTER TABLE conversations RENAME TO elsewhere").await;
    anns.send_accepted(bob.person.id, "c-2", "meanwhile").await;
    let refused = anns.get("conversations").await;
    assert_eq!((refused.status, refused.code()), (503, "store_unavailable"), "{}", refused.body);
    told("refuses").await;
    until("the consumer says so", 30, async || {
        cluster.consumers[0].said().contains("the store refuses until somebody mends it")
    })
    .await;

    database.execute("ALTER TABLE elsewhere RENAME TO conversations").await;
    cluster.stored(2, 60).await;
    told("ok").await;
    assert_eq!(cluster.log_counts().await, (2, 0), "records in the log, dead letters");
}

/// Somebody has lowered the topic's limit under a backend that runs: what the log refuses each time is told
/// to who sends as refused for good, and to the operator in the log, once and not for each message.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_log_refuses_for_good_is_told_and_logged_once() {
    let Some(services) = Services::shared(Kind::Postgres).await else { return };
    let cluster = Cluster::start(services, 1, 1).await;
    let (ann, bob) = ann_and_bob(&cluster.rest(0)).await;
    let rest = cluster.rest(0).of(&ann);
    // What compression does not make small.
    let long: String = (0..100).map(|_| uuid::Uuid::now_v7().simple().to_string()).collect();
    limit_batches(&cluster.services.kafka, cluster.topic(), 700).await;
    let mut accepted = 0;
    until("the lower limit counts", 30, async || {
        let answer = rest.send(bob.person.id, &format!("before {accepted}"), &long).await;
        accepted += usize::from(answer.status == 202);
        answer.status != 202
    })
    .await;
    for number in 0..5 {
        let refused = rest.send(bob.person.id, &format!("c-{number}"), &long).await;
        assert_eq!((refused.status, refused.code()), (413, "too_large"), "{}", refused.body);
        let said = refused.body.to_string();
        assert!(said.contains("an administrator has to raise its limit"), "{said}");
    }
    let said = cluster.backends[0].program.said();
    assert_eq!(said.matches("the log refuses a message for its size").count(), 1, "{said}");
    // Others go on, and what was refused is accepted when somebody has raised the limit.
    rest.send_accepted(bob.person.id, "short", "short").await;
    limit_batches(&cluster.services.kafka, cluster.topic(), 1_048_588).await;
    until("the limit is raised", 30, async || rest.send(bob.person.id, "c-0", &long).await.status == 202)
        .await;
    cluster.stored(accepted + 2, 60).await;
}

async fn readyz(url: &str) -> Value {
    let text = reqwest::get(url).await.unwrap().text().await.unwrap();
    serde_json::from_str(&text).unwrap()
}
