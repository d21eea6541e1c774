//! Which passwords are taken, how sessions end and are replaced, and what of it the security log says.

use milena_backend::auth::{Lane, PasswordHashes};
use milena_domain::{DisplayName, Timestamp, UserId, Username};
use milena_storage::NewUser;
use reqwest::{Method, header};
use serde_json::json;
use uuid::Uuid;

use crate::client::Answer;
use crate::logged::{self, Line};
use crate::node::{Node, User};
use crate::socket::Socket;

const COMMON: &str = "is one that anybody would try first; take another, such as a few unrelated words";

#[tokio::test]
async fn what_anybody_would_guess_is_no_new_password() {
    let node = Node::start().await;
    let anna = node.register("anna").await;
    let distinct = "must have at least 4 different characters".to_owned();
    for (weak, problem) in [
        ("password", COMMON.to_owned()),
        ("Password1!", COMMON.to_owned()),
        ("12345678", COMMON.to_owned()),
        ("anna.schmidt", "must not be your name".to_owned()),
        ("        ", distinct.clone()),
        ("aaaaaaaaaaaa", distinct),
    ] {
        let body = json!({"username": "Anna.Schmidt", "password": weak});
        let refused = node.call(Method::POST, "/api/v1/register", None, Some(&body)).await;
        refused.field("password", &format!("password {problem}"));
    }
    for (weak, problem) in [
        ("password", COMMON),
        ("annaanna", "must have at least 4 different characters"),
        ("correct horse", "must be another than the current one"),
    ] {
        let body = json!({"current_password": "correct horse", "new_password": weak});
        let refused = node.call(Method::PUT, "/api/v1/me/password", Some(&anna), Some(&body)).await;
        refused.field("new_password", &format!("new_password {problem}"));
    }
    node.stop().await;
}

#[tokio::test]
async fn who_has_a_weak_password_already_still_signs_in() {
    let node = Node::start().await;
    let hash = PasswordHashes::new().await.unwrap().hash("password".to_owned(), Lane::Known).await.unwrap();
    let user = NewUser {
        id: UserId::from_uuid(Uuid::now_v7()),
        username: Username::new("early").unwrap(),
        display_name: DisplayName::new("Early").unwrap(),
        password_hash: Some(hash),
        created_at: Timestamp::now(),
    };
    node.store().create_user(user).await.unwrap();
    node.sign_in("early", "password").await.ok(200);
    node.stop().await;
}

/// Signs in as a browser that has this cookie.
async fn sign_in_again(node: &Node, name: &str, cookie: &str) -> String {
    let login = json!({"username": name, "password": "correct horse"});
    let request = node.http.post(node.url("/api/v1/login")).header(header::COOKIE, cookie).json(&login);
    let answer = Answer::of(request.send().await.unwrap()).await.ok(200);
    answer["token"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn signing_in_again_replaces_what_the_browser_had() {
    logged::keep();
    let node = Node::start().await;
    let (anna, ben) = (node.register("anna").await, node.register("ben").await);
    let socket = Socket::sign_in(&node, &anna).await;
    let phone = node.sign_in("anna", "correct horse").await.ok(200)["token"].as_str().unwrap().to_owned();

    let cookie = format!("theme=ü; milena_session={}", anna.token);
    let token = sign_in_again(&node, "anna", &cookie).await;
    assert_eq!(socket.ending().await, 4501);
    node.get(&anna, "/api/v1/me").await.problem(401, "unauthenticated");
    let as_user = |token: String| User { id: anna.id.clone(), name: anna.name.clone(), token };
    let (again, phone) = (as_user(token), as_user(phone));
    node.get(&phone, "/api/v1/me").await.ok(200);

    // Whoever signs in as somebody else leaves nothing behind either.
    sign_in_again(&node, "ben", &format!("milena_session={}", again.token)).await;
    node.get(&again, "/api/v1/me").await.problem(401, "unauthenticated");
    node.get(&ben, "/api/v1/me").await.ok(200);
    let replaced = events(&anna, "session_ended");
    assert_eq!(replaced.len(), 2, "{replaced:?}");
    assert!(replaced.iter().all(|line| line.fields["why"] == "replaced" && line.fields.contains_key("by")));
    node.stop().await;
}

#[tokio::test]
async fn a_session_ends_however_much_it_is_used() {
    let node = Node::start_with(|settings| {
        settings.http.session_days = 30;
        settings.http.session_max_days = 7;
    })
    .await;
    let anna = node.register("anna").await;
    let list = node.get(&anna, "/api/v1/sessions").await.ok(200);
    let time = |field: &str| -> i64 {
        let text = list["sessions"][0][field].as_str().unwrap();
        text.parse::<Timestamp>().unwrap().unix_ms()
    };
    assert_eq!(time("expires_at") - time("created_at"), 7 * 24 * 60 * 60 * 1_000);
    node.stop().await;
}

/// The security events about somebody with this name.
fn events(user: &User, event: &str) -> Vec<Line> {
    logged::lines(|line| {
        let is = |key: &str, value: &str| line.fields.get(key).is_some_and(|found| found == value);
        line.target == "milena_security" && is("event", event) && is("user", &user.id)
    })
}

#[tokio::test]
async fn the_log_says_who_came_in_and_who_tried_to() {
    logged::keep();
    let node = Node::start_with(|settings| {
        settings.limits.sign_in_account_burst = 3;
        settings.limits.sign_in_account_per_minute = 1;
    })
    .await;
    let anna = node.register("anna").await;
    let from = async |address: &str, password: &str| {
        let login = json!({"username": "anna", "password": password});
        let request = node.http.post(node.url("/api/v1/login")).header("x-forwarded-for", address);
        Answer::of(request.json(&login).send().await.unwrap()).await
    };
    from("192.0.2.71", "a-secret-guess").await.problem(401, "bad_credentials");
    from("192.0.2.72", "correct horse").await.ok(200);
    from("192.0.2.73", "a-secret-guess").await.problem(401, "bad_credentials");
    from("192.0.2.74", "correct horse").await.problem(429, "rate_limited");
    let body = json!({"current_password": "a-secret-guess", "new_password": "another horse"});
    let wrong = node.call(Method::PUT, "/api/v1/me/password", Some(&anna), Some(&body)).await;
    wrong.problem(403, "wrong_password");
    let body = json!({"current_password": "correct horse", "new_password": "another horse"});
    let changed = node.call(Method::PUT, "/api/v1/me/password", Some(&anna), Some(&body)).await.ok(200);
    let foreign = node.http.post(node.url("/api/v1/login")).header(header::ORIGIN, "https://evil.example");
    let foreign = foreign.header("x-forwarded-for", "192.0.2.75").json(&body).send().await.unwrap();
    Answer::of(foreign).await.problem(403, "forbidden_origin");
    let anna = User { token: changed["token"].as_str().unwrap().to_owned(), ..anna };
    node.call(Method::POST, "/api/v1/logout", Some(&anna), None).await.ok(204);

    let one = |event: &str| -> Line {
        let found = events(&anna, event);
        assert_eq!(found.len(), 1, "{event}: {found:?}");
        found.into_iter().next().unwrap()
    };
    let field = |line: &Line, key: &str| line.fields.get(key).cloned().unwrap_or_default();
    let registered = one("registered");
    assert!(registered.level == log::Level::Info && Uuid::parse_str(&field(&registered, "session")).is_ok());
    assert_eq!(field(&registered, "address"), "127.0.0.1");
    let signed_in = one("signed_in");
    assert_eq!(field(&signed_in, "address"), "192.0.2.72");
    let failed: Vec<String> =
        events(&anna, "sign_in_failed").iter().map(|line| field(line, "address")).collect();
    assert_eq!(failed, ["192.0.2.71", "192.0.2.73"]);
    assert_eq!(field(&one("password_change_failed"), "by"), field(&registered, "session"));
    assert_eq!(field(&one("password_changed"), "session"), field(&registered, "session"));
    let mut ended = events(&anna, "session_ended");
    ended.sort_by_key(|line| field(line, "why"));
    let of: Vec<[String; 3]> =
        ended.iter().map(|line| ["why", "session", "by"].map(|key| field(line, key))).collect();
    let (own, other) = (field(&registered, "session"), field(&signed_in, "session"));
    let expected = [["password_change", &other, &own], ["signed_out", &own, &own]];
    assert_eq!(of, expected.map(|line| line.map(str::to_owned)));
    for (event, address) in [("sign_in_locked", "192.0.2.74"), ("origin_refused", "192.0.2.75")] {
        let found = logged::lines(|line| {
            line.fields.get("event").is_some_and(|found| found == event) && field(line, "address") == address
        });
        assert_eq!(found.len(), 1, "{event}");
    }
    // Neither what was tried nor what signs in.
    let secrets = ["a-secret-guess", "another horse", &anna.token];
    let shown = logged::lines(|line| secrets.iter().any(|secret| format!("{line:?}").contains(secret)));
    assert!(shown.is_empty(), "{shown:?}");
    node.stop().await;
}
