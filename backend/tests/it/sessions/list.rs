//! Where somebody is signed in, and that nothing is there for who is not.

use reqwest::{Method, header};
use serde_json::{Value, json};

use crate::client::Answer;
use crate::node::Node;

#[tokio::test]
async fn without_a_session_there_is_nothing() {
    let node = Node::start().await;
    let id = uuid::Uuid::now_v7();
    for (method, path) in [
        (Method::GET, "/api/v1/me".to_owned()),
        (Method::POST, "/api/v1/logout".to_owned()),
        (Method::PATCH, "/api/v1/me".to_owned()),
        (Method::PUT, "/api/v1/me/password".to_owned()),
        (Method::GET, "/api/v1/sessions".to_owned()),
        (Method::DELETE, "/api/v1/sessions".to_owned()),
        (Method::DELETE, format!("/api/v1/sessions/{id}")),
        (Method::GET, "/api/v1/users?query=a".to_owned()),
        (Method::GET, format!("/api/v1/users/{id}")),
        (Method::GET, "/api/v1/conversations".to_owned()),
        (Method::GET, format!("/api/v1/conversations/{id}")),
        (Method::GET, format!("/api/v1/conversations/{id}/messages")),
        (Method::POST, format!("/api/v1/conversations/{id}/messages")),
        (Method::POST, format!("/api/v1/users/{id}/messages")),
        (Method::PUT, format!("/api/v1/conversations/{id}/read")),
    ] {
        let answer = node.call(method.clone(), &path, None, None).await;
        assert_eq!(answer.header("www-authenticate"), "Bearer", "{method} {path}");
        answer.problem(401, "unauthenticated");
    }
    for authorization in
        ["Bearer", "Bearer ", "Bearer x", "Basic YTpi", &format!("Bearer {}", "A".repeat(43))]
    {
        let request = node.http.get(node.url("/api/v1/me")).header(header::AUTHORIZATION, authorization);
        Answer::of(request.send().await.unwrap()).await.problem(401, "unauthenticated");
    }
    node.stop().await;
}

#[tokio::test]
async fn sessions_are_listed_and_ended() {
    let node = Node::start().await;
    let (anna, ben) = (node.register("anna").await, node.register("ben").await);
    let login = json!({"username": "anna", "password": "correct horse"});
    let phone =
        node.http.post(node.url("/api/v1/login")).header(header::USER_AGENT, "Phone/1.0").json(&login);
    let phone = Answer::of(phone.send().await.unwrap()).await.ok(200)["token"].as_str().unwrap().to_owned();

    let list = node.get(&anna, "/api/v1/sessions").await.ok(200);
    let sessions = list["sessions"].as_array().unwrap();
    assert_eq!(sessions.len(), 2);
    let (current, other): (Vec<&Value>, Vec<&Value>) =
        sessions.iter().partition(|session| session["current"] == true);
    assert_eq!((current.len(), &other[0]["user_agent"]), (1, &json!("Phone/1.0")));
    for field in ["created_at", "last_seen_at", "expires_at"] {
        assert!(other[0][field].as_str().unwrap().ends_with('Z'));
    }

    let path = format!("/api/v1/sessions/{}", other[0]["id"].as_str().unwrap());
    // Nobody ends the session of somebody else.
    node.call(Method::DELETE, &path, Some(&ben), None).await.problem(404, "not_found");
    node.call(Method::DELETE, "/api/v1/sessions/x", Some(&anna), None).await.field("id", "id must be a UUID");
    node.call(Method::DELETE, &path, Some(&anna), None).await.ok(204);
    node.call(Method::DELETE, &path, Some(&anna), None).await.problem(404, "not_found");
    let gone = node.http.get(node.url("/api/v1/me")).bearer_auth(&phone).send().await.unwrap();
    Answer::of(gone).await.problem(401, "unauthenticated");

    let out = node.call(Method::POST, "/api/v1/logout", Some(&anna), None).await;
    assert!(out.header("set-cookie").starts_with("milena_session=; Path=/; Max-Age=0;"));
    out.ok(204);
    node.get(&anna, "/api/v1/me").await.problem(401, "unauthenticated");
    node.get(&ben, "/api/v1/me").await.ok(200);
    node.stop().await;
}
