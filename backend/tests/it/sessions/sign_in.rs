//! Signing in: what does not tell who there is, and who has to wait.

use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::json;

use crate::client::Answer;
use crate::node::Node;
use crate::socket::Socket;

#[tokio::test]
async fn unknown_users_and_wrong_passwords_look_the_same() {
    let node = Node::start().await;
    node.register("anna").await;
    let right = node.sign_in("ANNA", "correct horse").await;
    assert!(right.header("set-cookie").starts_with("milena_session="));
    assert_eq!(right.ok(200)["user"]["username"], "anna");

    let (wrong, unknown) =
        (node.sign_in("anna", "wrong horse").await, node.sign_in("nobody", "wrong horse").await);
    assert!(wrong.header("set-cookie").is_empty());
    assert_eq!(wrong.text, unknown.text);
    wrong.problem(401, "bad_credentials");
    for (username, password) in
        [("anna", ""), ("anna", "short"), ("", "correct horse"), ("a\0b", "correct horse")]
    {
        node.sign_in(username, password).await.problem(401, "bad_credentials");
    }
    let long = "x".repeat(100_000);
    node.sign_in("anna", &long).await.problem(401, "bad_credentials");

    // The time too: the median of some attempts, with generous room for a busy machine.
    let mut times = [Vec::new(), Vec::new()];
    for _ in 0..9 {
        for (times, username) in times.iter_mut().zip(["anna", "nobody"]) {
            let started = Instant::now();
            node.sign_in(username, "wrong horse").await.problem(401, "bad_credentials");
            times.push(started.elapsed());
        }
    }
    let [known, unknown] = times.map(|mut times| {
        times.sort_unstable();
        times[times.len() / 2]
    });
    let (low, high) = (known.min(unknown), known.max(unknown));
    assert!(low * 3 > high && low > Duration::from_millis(2), "known {known:?}, unknown {unknown:?}");
    node.stop().await;
}

#[tokio::test]
async fn too_many_attempts_have_to_wait() {
    let node = Node::start_with(|settings| {
        settings.limits.sign_in_burst = 3;
        settings.limits.sign_in_per_minute = 1;
    })
    .await;
    let anna = node.register("anna").await;
    for _ in 0..2 {
        node.sign_in("anna", "wrong horse").await.problem(401, "bad_credentials");
    }
    let refused = node.sign_in("anna", "correct horse").await;
    let seconds: u64 = refused.header("retry-after").parse().unwrap();
    let body = refused.problem(429, "rate_limited");
    let ms = body["retry_after_ms"].as_u64().unwrap();
    assert!((1..=60_001).contains(&ms) && seconds == ms.div_ceil(1_000), "{ms} ms, {seconds} s");
    // Who is signed in notices nothing, and another address neither: the proxy on this machine names it.
    node.get(&anna, "/api/v1/me").await.ok(200);
    let login = json!({"username": "anna", "password": "correct horse"});
    let other = node.http.post(node.url("/api/v1/login")).header("x-forwarded-for", "192.0.2.7").json(&login);
    Answer::of(other.send().await.unwrap()).await.ok(200);
    node.stop().await;
}

#[tokio::test]
async fn an_account_has_its_own_limit_whoever_tries_from_wherever() {
    let node = Node::start_with(|settings| {
        settings.limits.sign_in_account_burst = 3;
        settings.limits.sign_in_account_per_minute = 1;
    })
    .await;
    let (anna, _) = (node.register("anna").await, node.register("ben").await);
    let attempt = async |username: &str, from: usize| {
        let login = json!({"username": username, "password": "wrong horse"});
        let address = format!("192.0.2.{from}");
        let request =
            node.http.post(node.url("/api/v1/login")).header("x-forwarded-for", address).json(&login);
        Answer::of(request.send().await.unwrap()).await
    };
    // Nobody's account is limited like somebody's: the limit does not tell which exist.
    for username in ["anna", "nobody"] {
        for from in 0..3 {
            attempt(username, from).await.problem(401, "bad_credentials");
        }
        attempt(username, 4).await.problem(429, "rate_limited");
    }
    attempt("ben", 4).await.problem(401, "bad_credentials");
    node.get(&anna, "/api/v1/me").await.ok(200);
    node.stop().await;
}

#[tokio::test]
async fn without_the_database_who_was_here_lately_stays_signed_in() {
    let node = Node::start().await;
    let (anna, ben) = (node.register("anna").await, node.register("ben").await);
    let login = node.sign_in("anna", "correct horse").await.ok(200);
    for user in [&anna, &ben] {
        node.get(user, "/api/v1/me").await.ok(200);
    }
    node.call(Method::POST, "/api/v1/logout", Some(&ben), None).await.ok(204);
    node.stop_database().await;

    node.get(&anna, "/api/v1/me").await.ok(200);
    Socket::sign_in(&node, &anna).await;
    for refused in [
        // Ended while it could still be asked.
        node.get(&ben, "/api/v1/me").await,
        // Never seen.
        Answer::of(
            node.http
                .get(node.url("/api/v1/me"))
                .bearer_auth(login["token"].as_str().unwrap())
                .send()
                .await
                .unwrap(),
        )
        .await,
        node.sign_in("anna", "correct horse").await,
        node.call(Method::POST, "/api/v1/logout", Some(&anna), None).await,
        node.get(&anna, "/api/v1/users?query=a").await,
    ] {
        assert_eq!(refused.header("retry-after"), "1");
        refused.problem(503, "store_unavailable");
    }
    // The answer may be a second old.
    let state = node.until(async |node| {
        let state = node.get(&anna, "/readyz").await.ok(200);
        (state["database"] == "unavailable").then_some(state)
    });
    assert_eq!(
        state.await,
        json!({"ready": true, "database": "unavailable", "log": "ok", "disk": "ok", "events": "ok"})
    );
    node.stop().await;
}
