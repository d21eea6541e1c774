//! Somebody floods an account with attempts: its owner comes in all the same.

use reqwest::{Method, header};
use serde_json::json;

use crate::client::Answer;
use crate::node::Node;

/// The cookie by which a browser is known again, as it sends it.
fn device_of(answer: &Answer) -> String {
    let mut cookies = answer.headers.get_all(header::SET_COOKIE).iter().map(|value| value.to_str().unwrap());
    let device = cookies.find(|cookie| cookie.starts_with("milena_device=")).unwrap();
    device.split(';').next().unwrap().to_owned()
}

#[tokio::test]
async fn the_owner_comes_in_from_a_known_device_while_strangers_flood_the_account() {
    let node = Node::start_with(|settings| {
        settings.limits.sign_in_burst = 3;
        settings.limits.sign_in_per_minute = 1;
        settings.limits.sign_in_account_burst = 5;
        settings.limits.sign_in_account_per_minute = 1;
    })
    .await;
    let login = async |address: &str, password: &str, cookie: &str| {
        let body = json!({"username": "Anna", "password": password});
        let request = node.http.post(node.url("/api/v1/login")).header("x-forwarded-for", address);
        let request = if cookie.is_empty() { request } else { request.header(header::COOKIE, cookie) };
        Answer::of(request.json(&body).send().await.unwrap()).await
    };
    let anna = node.register("anna").await;
    let device = device_of(&login("192.0.2.1", "correct horse", "").await);
    node.call(Method::POST, "/api/v1/logout", Some(&anna), None).await.ok(204);

    let made_up = format!("milena_device={}", "A".repeat(43));
    let mut locked = 0;
    for from in 0..60 {
        let address = format!("2001:db8:{from:x}::1");
        // A device of somebody else, and one that was made up, are a stranger's.
        let claimed = ["", "milena_device=AAAA", &made_up][from % 3];
        locked += usize::from(login(&address, "wrong horse", claimed).await.status == 429);
    }
    assert!(locked >= 50, "{locked}");
    login("192.0.2.9", "correct horse", "").await.problem(429, "rate_limited");

    // Also from an address that is locked itself: it may be the attacker's network.
    for _ in 0..4 {
        login("192.0.2.1", "wrong horse", "").await;
    }
    let signed_in = login("192.0.2.1", "correct horse", &device).await;
    assert_eq!(device_of(&signed_in).len(), device.len());
    let token = signed_in.ok(200)["token"].as_str().unwrap().to_owned();
    let change = json!({"current_password": "correct horse", "new_password": "another horse"});
    let request = node.http.put(node.url("/api/v1/me/password")).bearer_auth(token).json(&change);
    Answer::of(request.header("x-forwarded-for", "192.0.2.1").send().await.unwrap()).await.ok(200);

    // The device's own lane is as narrow as others: a stolen one is no way to guess.
    let mut tried = 0;
    while login("192.0.2.1", "wrong horse", &device).await.status == 401 {
        tried += 1;
    }
    assert!((1..=5).contains(&tried), "{tried}");
    node.stop().await;
}

#[tokio::test]
async fn a_known_device_is_known_for_its_own_account_only() {
    let node = Node::start_with(|settings| {
        settings.limits.sign_in_account_burst = 2;
        settings.limits.sign_in_account_per_minute = 1;
    })
    .await;
    let (_anna, _eve) = (node.register("anna").await, node.register("eve").await);
    let eves = device_of(&node.sign_in("eve", "correct horse").await);
    let guess = async || {
        let body = json!({"username": "anna", "password": "wrong horse"});
        let request = node.http.post(node.url("/api/v1/login")).header(header::COOKIE, &eves);
        Answer::of(request.json(&body).send().await.unwrap()).await
    };
    for _ in 0..2 {
        guess().await.problem(401, "bad_credentials");
    }
    guess().await.problem(429, "rate_limited");
    node.stop().await;
}
