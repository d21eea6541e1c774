//! What somebody changes about themselves: the name, the password, where they are signed in.

use reqwest::Method;
use serde_json::{Value, json};

use crate::client::Answer;
use crate::node::{Node, User};
use crate::socket::Socket;

async fn change_password(node: &Node, user: &User, current: &str, new: &str) -> Answer {
    let body = json!({"current_password": current, "new_password": new});
    node.call(Method::PUT, "/api/v1/me/password", Some(user), Some(&body)).await
}

/// The same, which works; the session goes on with another token.
async fn changed(node: &Node, user: &User, current: &str, new: &str) -> User {
    let answer = change_password(node, user, current, new).await;
    let cookie = answer.header("set-cookie").to_owned();
    let body = answer.ok(200);
    let token = body["token"].as_str().unwrap().to_owned();
    assert!(token != user.token && cookie.starts_with(&format!("milena_session={token}; ")), "{cookie}");
    assert_eq!(body["user"]["id"], user.id.as_str());
    User { id: user.id.clone(), name: user.name.clone(), token }
}

/// Another session of the same person.
async fn elsewhere(node: &Node, user: &User) -> User {
    let signed_in = node.sign_in(&user.name, "correct horse").await.ok(200);
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    User { id: user.id.clone(), name: user.name.clone(), token: text(&signed_in["token"]) }
}

#[tokio::test]
async fn a_changed_name_is_what_others_see_next() {
    let node = Node::start().await;
    let (anna, ben) = (node.register("anna").await, node.register("ben").await);
    let to_ben = format!("/api/v1/users/{}/messages", ben.id);
    node.post(&anna, &to_ben, &json!({"body": "hello"}), 202).await;
    // Remembered by the node, under the old name.
    let list = node.get(&ben, "/api/v1/conversations").await.ok(200);
    assert_eq!(list["conversations"][0]["person"]["display_name"], "anna");

    let change = json!({"display_name": "  Änna K. "});
    let me = node.call(Method::PATCH, "/api/v1/me", Some(&anna), Some(&change)).await.ok(200);
    assert_eq!((&me["display_name"], &me["username"]), (&json!("Änna K."), &json!("anna")));
    let mut again = node.get(&anna, "/api/v1/me").await.ok(200);
    again.as_object_mut().unwrap().remove("client_id_prefix").unwrap();
    assert_eq!(again, me);
    let list = node.get(&ben, "/api/v1/conversations").await.ok(200);
    assert_eq!(list["conversations"][0]["person"]["display_name"], "Änna K.");
    let person = node.get(&ben, &format!("/api/v1/users/{}", anna.id)).await.ok(200);
    assert_eq!(person["display_name"], "Änna K.");
    let found = node.get(&ben, "/api/v1/users?query=%C3%A4nna").await.ok(200);
    assert_eq!(found["users"][0]["id"], anna.id.as_str());

    for (name, problem) in [
        (json!(""), "display_name must be 1 to 64 characters (got 0)"),
        (json!("x".repeat(65)), "display_name must be 1 to 64 characters (got 65)"),
        (Value::Null, "display_name is missing"),
    ] {
        let change = json!({ "display_name": name });
        node.call(Method::PATCH, "/api/v1/me", Some(&anna), Some(&change))
            .await
            .field("display_name", problem);
    }
    node.stop().await;
}

#[tokio::test]
async fn a_new_password_holds_at_once_and_ends_the_other_sessions() {
    let node = Node::start().await;
    let (anna, ben) = (node.register("anna").await, node.register("ben").await);
    let phone = elsewhere(&node, &anna).await;
    let mut here = Socket::sign_in(&node, &anna).await;
    let there = Socket::sign_in(&node, &phone).await;

    change_password(&node, &anna, "correct horse", "short")
        .await
        .field("new_password", "new_password must be 8 to 256 characters (got 5)");
    for wrong in ["wrong horse", "", "x"] {
        let refused = change_password(&node, &anna, wrong, "another horse").await;
        assert_eq!(refused.problem(403, "wrong_password")["field"], "current_password");
    }
    node.get(&phone, "/api/v1/me").await.ok(200);

    let before = node.get(&anna, "/api/v1/sessions").await.ok(200);
    let old = anna;
    let anna = changed(&node, &old, "correct horse", "another horse").await;
    assert_eq!(there.ending().await, 4501);
    node.get(&old, "/api/v1/me").await.problem(401, "unauthenticated");
    let after = node.get(&anna, "/api/v1/sessions").await.ok(200);
    let current = |list: &Value| {
        let sessions = list["sessions"].as_array().unwrap().iter();
        let current: Vec<Value> = sessions.filter(|session| session["current"] == true).cloned().collect();
        (current[0]["id"].clone(), current[0]["created_at"].clone())
    };
    assert_eq!(current(&before), current(&after), "it is the same session");
    node.get(&phone, "/api/v1/me").await.problem(401, "unauthenticated");
    node.sign_in("anna", "correct horse").await.problem(401, "bad_credentials");
    node.sign_in("anna", "another horse").await.ok(200);
    // This session goes on with its sockets, and nobody else's password changed.
    node.get(&anna, "/api/v1/me").await.ok(200);
    here.say(&json!({"type": "ping"})).await;
    here.expect("pong").await;
    node.get(&ben, "/api/v1/me").await.ok(200);
    node.sign_in("ben", "correct horse").await.ok(200);
    node.stop().await;
}

#[tokio::test]
async fn of_sign_ins_and_a_new_password_at_once_no_old_session_is_left() {
    let node = Node::start().await;
    let mut anna = node.register("anna").await;
    for round in 0..6 {
        let (old, new) = (format!("password {round}"), format!("password {}", round + 1));
        if round == 0 {
            anna = changed(&node, &anna, "correct horse", &old).await;
        }
        let sign_ins = futures::future::join_all((0..4).map(|_| node.sign_in("anna", &old)));
        let (renewed, answers) = tokio::join!(changed(&node, &anna, &old, &new), sign_ins);
        anna = renewed;
        for answer in answers {
            // Either it was refused, or the change ended what it got.
            if answer.status == 200 {
                let token = answer.json()["token"].as_str().unwrap().to_owned();
                let me = node.http.get(node.url("/api/v1/me")).bearer_auth(token).send().await.unwrap();
                Answer::of(me).await.problem(401, "unauthenticated");
            } else {
                answer.problem(401, "bad_credentials");
            }
        }
        let list = node.get(&anna, "/api/v1/sessions").await.ok(200);
        assert_eq!(list["sessions"].as_array().unwrap().len(), 1, "round {round}: {list}");
    }
    node.stop().await;
}

#[tokio::test]
async fn guessing_the_password_of_an_open_session_is_slowed_down() {
    let node = Node::start_with(|settings| {
        settings.limits.sign_in_account_burst = 3;
        settings.limits.sign_in_account_per_minute = 1;
    })
    .await;
    let anna = node.register("anna").await;
    for _ in 0..3 {
        change_password(&node, &anna, "wrong horse", "another horse").await.problem(403, "wrong_password");
    }
    let refused = change_password(&node, &anna, "correct horse", "another horse").await;
    assert!(refused.problem(429, "rate_limited")["retry_after_ms"].is_u64());
    node.stop().await;
}

#[tokio::test]
async fn all_other_sessions_are_ended_at_once() {
    let node = Node::start().await;
    let (anna, ben) = (node.register("anna").await, node.register("ben").await);
    let (phone, laptop) = (elsewhere(&node, &anna).await, elsewhere(&node, &anna).await);
    let (on_phone, on_laptop) = (Socket::sign_in(&node, &phone).await, Socket::sign_in(&node, &laptop).await);

    node.call(Method::DELETE, "/api/v1/sessions", Some(&anna), None).await.ok(204);
    assert_eq!((on_phone.ending().await, on_laptop.ending().await), (4501, 4501));
    for gone in [&phone, &laptop] {
        node.get(gone, "/api/v1/me").await.problem(401, "unauthenticated");
    }
    let list = node.get(&anna, "/api/v1/sessions").await.ok(200);
    assert_eq!(list["sessions"].as_array().unwrap().len(), 1);
    assert_eq!(list["sessions"][0]["current"], true);
    node.get(&ben, "/api/v1/me").await.ok(200);
    node.call(Method::DELETE, "/api/v1/sessions", Some(&anna), None).await.ok(204);
    node.stop().await;
}
