//! Sends: their order, their answers, how many may wait; and frames that cannot be taken.

use serde_json::json;

use super::stand_in::person;
use super::{Client, Server};

#[tokio::test(start_paused = true)]
async fn sends_keep_their_order_though_a_look_up_takes_long() {
    let server = Server::start();
    let (anna, ben) = (person("anna"), person("ben"));
    let mut client = server.sign_in(&anna).await;
    let mut other = server.sign_in(&ben).await;
    for (client_id, body) in [("a", "hi"), ("b", "slow look-up"), ("c", "hi"), ("d", "refuse"), ("e", "hi")] {
        client.say(&Client::send_frame(client_id, &ben, body)).await;
    }
    let mut answers = Vec::new();
    for _ in 0..5 {
        let answer = client.hear_news().await;
        answers.push(format!("{} {}", answer["type"], answer["client_id"]).replace('"', ""));
    }
    answers.sort_by_key(|answer| answer.starts_with("rejected"));
    assert_eq!(answers, ["accepted a", "accepted b", "accepted c", "accepted e", "rejected d"]);
    assert_eq!(server.node.enqueued(), ["a", "b", "c", "e"]);
    let mut last = 0;
    for _ in 0..4 {
        let message = other.hear_news().await;
        assert_eq!((&message["type"], message.get("client_id")), (&json!("message"), None));
        assert!(message["position"].as_u64().unwrap() > last);
        last = message["position"].as_u64().unwrap();
    }
}

/// A refusal may take long, because it waits for what other nodes have confirmed.
#[tokio::test(start_paused = true)]
async fn a_slow_send_holds_up_no_other_conversation() {
    let server = Server::start();
    let (anna, ben, cleo) = (person("anna"), person("ben"), person("cleo"));
    let mut client = server.sign_in(&anna).await;
    for (client_id, to, body) in [("a", &ben, "slow look-up"), ("b", &ben, "hi"), ("c", &cleo, "hi")] {
        client.say(&Client::send_frame(client_id, to, body)).await;
    }
    for client_id in ["c", "a", "b"] {
        let accepted = client.hear_news().await;
        assert_eq!((&accepted["type"], &accepted["client_id"]), (&json!("accepted"), &json!(client_id)));
    }
    assert_eq!(server.node.enqueued(), ["c", "a", "b"]);
}

#[tokio::test(start_paused = true)]
async fn look_ups_are_made_side_by_side_and_hold_up_nothing_else() {
    let server = Server::start();
    let (anna, ben) = (person("anna"), person("ben"));
    let mut client = server.sign_in(&anna).await;
    let began = tokio::time::Instant::now();
    for client_id in ["a", "b", "c"] {
        client.say(&Client::send_frame(client_id, &ben, "slow look-up")).await;
    }
    client.say(&json!({"type": "ping"})).await;
    assert_eq!(client.hear_news().await["type"], "pong");
    assert!(began.elapsed().as_millis() < 500, "the ping waited");
    for client_id in ["a", "b", "c"] {
        let accepted = client.hear_news().await;
        assert_eq!((&accepted["type"], &accepted["client_id"]), (&json!("accepted"), &json!(client_id)));
    }
    assert!(began.elapsed().as_millis() < 1_500, "one after the other");
    assert_eq!(server.node.enqueued(), ["a", "b", "c"]);
}

#[tokio::test(start_paused = true)]
async fn reading_pauses_when_many_wait_for_the_log() {
    let server = Server::start();
    let (anna, ben) = (person("anna"), person("ben"));
    let mut client = server.sign_in(&anna).await;
    for number in 0..20 {
        client.say(&Client::send_frame(&number.to_string(), &ben, "wait")).await;
    }
    client.say(&json!({"type": "ping"})).await;
    // All tasks have come to rest when the paused clock moves. Longer than ping and pong together.
    tokio::time::sleep(std::time::Duration::from_secs(60)).await;
    assert_eq!(server.node.enqueued().len(), 8, "max_in_flight");
    // What is live still goes out.
    server.node.deliver(&ben, &anna, "are you there?");
    assert_eq!(client.hear_news().await["body"], "are you there?");
    server.node.log_answers.send_replace(true);
    let mut accepted = 0;
    loop {
        let frame = client.hear_news().await;
        match frame["type"].as_str().unwrap() {
            "accepted" => accepted += 1,
            "pong" => break,
            other => panic!("{other}"),
        }
    }
    while accepted < 20 {
        assert_eq!(client.hear_news().await["type"], "accepted");
        accepted += 1;
    }
    let expected: Vec<String> = (0..20).map(|number| number.to_string()).collect();
    assert_eq!(server.node.enqueued(), expected);
}

#[tokio::test(start_paused = true)]
async fn accepted_to_the_sending_socket_message_to_all_others() {
    let server = Server::start();
    let (anna, ben) = (person("anna"), person("ben"));
    let mut phone = server.sign_in(&anna).await;
    let mut laptop = server.sign_in(&anna).await;
    let mut other = server.sign_in(&ben).await;
    phone.say(&Client::send_frame("c-1", &ben, "hi")).await;
    let accepted = phone.hear_news().await;
    assert_eq!((&accepted["type"], &accepted["client_id"]), (&json!("accepted"), &json!("c-1")));
    let own = laptop.hear_news().await;
    assert_eq!(
        (&own["type"], &own["client_id"], &own["body"]),
        (&json!("message"), &json!("c-1"), &json!("hi"))
    );
    let message = other.hear_news().await;
    assert_eq!((&message["type"], message.get("client_id")), (&json!("message"), None));
    assert_eq!((&accepted["id"], &accepted["position"]), (&message["id"], &message["position"]));
}

#[tokio::test(start_paused = true)]
async fn a_send_that_fails_is_rejected_and_frees_its_place() {
    let server = Server::start();
    let ben = person("ben");
    let mut client = server.sign_in(&person("anna")).await;
    for number in 0..30 {
        client.say(&Client::send_frame(&number.to_string(), &ben, "fail")).await;
        let rejected = client.hear_news().await;
        assert_eq!((&rejected["type"], &rejected["code"]), (&json!("rejected"), &json!("log_unavailable")));
        assert_eq!(
            (&rejected["client_id"], &rejected["temporary"]),
            (&json!(number.to_string()), &json!(true))
        );
    }
}

#[tokio::test(start_paused = true)]
async fn too_many_sends_are_rejected_with_a_time_and_the_line_stays() {
    let server = Server::start();
    let ben = person("ben");
    let mut client = server.sign_in(&person("anna")).await;
    // The limit goes by the real clock, which grants some more when the machine is busy.
    for number in 0..5_000 {
        client.say(&Client::send_frame(&number.to_string(), &ben, "hi")).await;
        let answer = client.hear_news().await;
        if answer["type"] == "rejected" {
            assert_eq!((&answer["code"], &answer["temporary"]), (&json!("rate_limited"), &json!(true)));
            assert!(answer["retry_after_ms"].as_u64().unwrap() > 0);
            assert!(number >= 500);
            client.say(&json!({"type": "ping"})).await;
            assert_eq!(client.hear_news().await["type"], "pong");
            return;
        }
    }
    panic!("never limited");
}

#[tokio::test(start_paused = true)]
async fn frames_that_cannot_be_taken_are_answered_and_the_line_stays() {
    let server = Server::start();
    let mut client = server.sign_in(&person("anna")).await;
    let send = Client::send_frame("c-1", &person("ben"), "");
    client.say(&send).await;
    let error = client.hear().await;
    assert_eq!(
        (&error["type"], &error["code"], &error["field"], &error["client_id"], &error["temporary"]),
        (&json!("error"), &json!("invalid_field"), &json!("body"), &json!("c-1"), &json!(false))
    );
    client.say(&json!({"type": "wave"})).await;
    assert_eq!(client.hear().await["code"], "unknown_type");
    client.say(&json!("ping")).await;
    assert_eq!(client.hear().await["code"], "invalid_json");
    client.say(&json!({"type": "read", "conversation": uuid::Uuid::nil(), "position": 1})).await;
    assert_eq!(client.hear().await["code"], "unknown_conversation");
    client.say(&json!({"type": "ping"})).await;
    assert_eq!(client.hear().await, json!({"type": "pong"}));
    assert!(server.node.enqueued().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_flood_of_frames_does_not_hold_up_what_goes_out() {
    let server = Server::start();
    let (anna, ben) = (person("anna"), person("ben"));
    let mut client = server.sign_in(&anna).await;
    // More than the server can have handled when the message comes, without the client reading.
    for _ in 0..2_000 {
        client.say(&json!({"type": "ping"})).await;
    }
    server.node.deliver(&ben, &anna, "hi");
    let mut pongs = 0;
    while client.hear().await["type"] == "pong" {
        pongs += 1;
    }
    assert!(pongs < 2_000, "the message came after {pongs} pongs");
}
