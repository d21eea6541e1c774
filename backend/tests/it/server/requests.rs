//! The limit of one user's requests over REST.

use reqwest::Method;
use serde_json::json;

use crate::node::Node;

#[tokio::test]
async fn who_asks_too_fast_waits_and_nobody_else_does() {
    let node = Node::start_with(|settings| {
        settings.limits.request_burst = 3;
        settings.limits.request_per_second = 1;
    })
    .await;
    let (anna, ben) = (node.register("anna").await, node.register("ben").await);
    // Whatever is asked, and from whichever session: it is one bucket.
    let elsewhere = node.sign_in("anna", "correct horse").await.ok(200);
    let elsewhere = crate::node::User {
        id: anna.id.clone(),
        name: anna.name.clone(),
        token: elsewhere["token"].as_str().unwrap().to_owned(),
    };
    node.get(&anna, "/api/v1/conversations").await.ok(200);
    node.get(&elsewhere, "/api/v1/users?query=be").await.ok(200);
    node.get(&anna, "/api/v1/users/not-a-uuid").await.problem(400, "invalid_field");
    // Somewhere in the next few: the bucket fills while a slow machine asks.
    let refused = node
        .until(async |node| {
            let answer = node.get(&anna, "/api/v1/conversations/gone/messages").await;
            (answer.status == 429).then_some(answer)
        })
        .await;
    let seconds: u64 = refused.header("retry-after").parse().unwrap();
    let ms = refused.problem(429, "rate_limited")["retry_after_ms"].as_u64().unwrap();
    assert!((1..=1_001).contains(&ms) && seconds == ms.div_ceil(1_000), "{ms} ms, {seconds} s");
    // Others, sends, which have their own limit, and leaving.
    node.get(&ben, "/api/v1/me").await.ok(200);
    for _ in 0..10 {
        let path = format!("/api/v1/users/{}/messages", ben.id);
        node.call(Method::POST, &path, Some(&anna), Some(&json!({"body": "hello"}))).await.ok(202);
    }
    node.call(Method::POST, "/api/v1/logout", Some(&elsewhere), None).await.ok(204);
    // Who waits is answered again.
    node.until(async |node| (node.get(&anna, "/api/v1/me").await.status == 200).then_some(())).await;
    node.stop().await;
}

#[tokio::test]
async fn who_asks_for_much_at_once_waits_for_it_alone() {
    let node = Node::start_with(|settings| {
        settings.limits.requests_at_once = 1;
        settings.limits.requests_waiting = 3;
    })
    .await;
    let (anna, ben) = (node.register("anna").await, node.register("ben").await);
    let flood = futures::future::join_all((0..60).map(|_| node.get(&anna, "/api/v1/conversations")));
    let beside = futures::future::join_all((0..3).map(|_| node.get(&ben, "/api/v1/conversations")));
    let (answers, others) = tokio::join!(flood, beside);
    assert!(others.iter().all(|answer| answer.status == 200), "{others:?}");
    let (done, refused): (Vec<_>, Vec<_>) = answers.into_iter().partition(|answer| answer.status == 200);
    assert!(done.len() >= 4, "those who had a turn, and those who waited");
    for answer in refused {
        assert!(answer.problem(429, "rate_limited")["retry_after_ms"].as_u64().is_some());
    }
    node.get(&anna, "/api/v1/conversations").await.ok(200);
    node.stop().await;
}

#[tokio::test]
async fn answers_are_compressed_where_that_tells_nothing() {
    let node = Node::start().await;
    let (anna, ben) = (node.register("anna").await, node.register("ben").await);
    let path = format!("/api/v1/users/{}/messages", ben.id);
    let body = "Dear Milena, ".repeat(100);
    let sent = node.call(Method::POST, &path, Some(&anna), Some(&json!({ "body": body }))).await.ok(202);
    let history = format!("/api/v1/conversations/{}/messages", sent["conversation"].as_str().unwrap());
    let get = async |path: &str, accept: &str| {
        let request =
            node.http.get(node.url(path)).bearer_auth(&anna.token).header("accept-encoding", accept);
        let response = request.send().await.unwrap();
        assert!(response.status().is_success(), "{path}");
        let encoding = response.headers().get("content-encoding").cloned();
        (encoding, response.bytes().await.unwrap())
    };
    let (encoding, plain) = get(&history, "br").await;
    assert_eq!(encoding, None);
    let (encoding, packed) = get(&history, "gzip, br").await;
    assert_eq!(encoding.unwrap(), "gzip");
    assert!(packed.len() * 4 < plain.len(), "{} of {}", packed.len(), plain.len());
    let mut unpacked = Vec::new();
    std::io::Read::read_to_end(&mut flate2::read::GzDecoder::new(&packed[..]), &mut unpacked).unwrap();
    assert_eq!(unpacked, plain);
    assert_eq!(get("/openapi.json", "gzip").await.0.unwrap(), "gzip");

    // What a stranger wrote stands beside what others wrote, or an answer has a token.
    let (encoding, list) = get("/api/v1/conversations", "gzip").await;
    assert!(encoding.is_none() && list.len() > 1_024);
    let name = "x".repeat(32);
    let register = json!({"username": name, "password": "correct horse", "display_name": "y".repeat(64)});
    let request =
        node.http.post(node.url("/api/v1/register")).header("accept-encoding", "gzip").json(&register);
    assert_eq!(request.send().await.unwrap().headers().get("content-encoding"), None);
    node.stop().await;
}
