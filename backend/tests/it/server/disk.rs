//! Room on the disk: what one person may take of it, and what happens when there is little left.

use reqwest::Method;
use serde_json::json;

use crate::node::{Node, User};

async fn send(node: &Node, from: &User, to: &User, text: &str) -> crate::client::Answer {
    let path = format!("/api/v1/users/{}/messages", to.id);
    node.call(Method::POST, &path, Some(from), Some(&json!({"body": text}))).await
}

#[tokio::test]
async fn nobody_fills_the_disk_alone() {
    let node = Node::start_with(|settings| {
        settings.limits.send_bytes_burst = 65_536;
        settings.limits.send_bytes_per_second = 1_000;
    })
    .await;
    let (anna, ben) = (node.register("anna").await, node.register("ben").await);
    let letter = "x".repeat(8_000);
    for _ in 0..7 {
        send(&node, &anna, &ben, &letter).await.ok(202);
    }
    let mut refused = send(&node, &anna, &ben, &letter).await;
    if refused.status == 202 {
        // This machine is slow enough for another one to fit.
        refused = send(&node, &anna, &ben, &letter).await;
    }
    let refused = refused.problem(429, "rate_limited");
    assert!((1..=8_501).contains(&refused["retry_after_ms"].as_u64().unwrap()), "{refused}");
    send(&node, &ben, &anna, &letter).await.ok(202);
    node.stop().await;
}

/// How, where and by whom something is asked, with what at each step, and what it takes of the log.
type Asked<'a> = (Method, &'a str, &'a User, &'a dyn Fn(usize) -> serde_json::Value, usize);

/// Whatever somebody puts into the log counts, by what it takes there.
#[tokio::test]
async fn rooms_edits_and_reactions_count_as_messages_do() {
    const BURST: u32 = 30_000;
    let node = Node::start_with(|settings| {
        settings.limits.send_bytes_burst = BURST;
        settings.limits.send_bytes_per_second = 100;
    })
    .await;
    let (anna, ben, carl) =
        (node.register("anna").await, node.register("ben").await, node.register("carl").await);
    let (dora, emil) = (node.register("dora").await, node.register("emil").await);
    let answer = send(&node, &ben, &carl, "hi").await.ok(202);
    let of = |text: &str| answer[text].to_string().trim_matches('"').to_owned();
    let message = format!("/api/v1/conversations/{}/messages/{}", of("conversation"), of("position"));
    let reactions = format!("{message}/reactions/%F0%9F%91%8D");
    let create = json!({"client_id": "r", "handle": "letters", "title": "Letters"});
    let created = node.call(Method::POST, "/api/v1/rooms", Some(&anna), Some(&create)).await.ok(201);
    let room = format!("/api/v1/rooms/{}", created["room"]["id"].as_str().unwrap());
    let strangers: Vec<String> = (1..=500).map(|number| uuid::Uuid::from_u128(number).to_string()).collect();

    // What is done, by whom, how often that fits at least and at most; who is refused waits a while.
    let topic = |step: usize| json!({"topic": format!("{step:03}{}", "\u{1f600}".repeat(247))});
    let words = |step: usize| json!({"id": answer["id"], "body": format!("{step:04}{}", "x".repeat(7_996))});
    let nothing = |_: usize| json!({});
    let crowd = |step: usize| {
        json!({"client_id": step.to_string(), "handle": format!("crowd-{step}"),
                                     "title": "Crowd", "members": strangers})
    };
    let cases: [Asked<'_>; 5] = [
        (Method::PATCH, &room, &anna, &topic, 1_500),
        (Method::PATCH, &message, &ben, &words, 8_500),
        (Method::PUT, &reactions, &carl, &nothing, 500),
        (Method::POST, &format!("{room}/join"), &emil, &nothing, 500),
        // Nobody has these ids; what was asked for counts all the same.
        (Method::POST, "/api/v1/rooms", &dora, &crowd, 20_000),
    ];
    for (method, path, user, body, bytes) in cases {
        let mut fit = 0;
        loop {
            let answer = node.call(method.clone(), path, Some(user), Some(&body(fit))).await;
            if answer.status == 429 {
                answer.problem(429, "rate_limited");
                break;
            }
            fit += 1;
            assert!(fit * bytes <= 2 * BURST as usize, "{method} {path}: {fit} fit, nobody counts them");
        }
        assert!((fit + 2) * bytes >= BURST as usize * 9 / 10, "{method} {path}: only {fit} fit");
    }
    node.stop().await;
}

#[tokio::test]
async fn a_disk_with_little_room_takes_no_messages_and_all_else_goes_on() {
    let node = Node::start_with(|settings| settings.limits.min_free_disk_bytes = u64::MAX).await;
    let (anna, ben) = (node.register("anna").await, node.register("ben").await);
    let refused = send(&node, &anna, &ben, "hi").await.problem(503, "storage_low");
    assert!(refused["retry_after_ms"].as_u64().unwrap() >= 1_000, "{refused}");
    let state = node.get(&anna, "/readyz").await.ok(200);
    assert_eq!((&state["disk"], &state["ready"]), (&json!("low"), &json!(true)));
    node.sign_in("anna", "correct horse").await.ok(200);
    node.get(&anna, "/api/v1/conversations").await.ok(200);
    node.stop().await;
}
