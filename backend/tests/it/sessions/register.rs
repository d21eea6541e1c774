//! Registering, which signs in.

use serde_json::json;

use super::register;
use crate::client::Answer;
use crate::node::Node;

#[tokio::test]
async fn registering_signs_in() {
    let node = Node::start().await;
    let answer = register(
        &node,
        json!({"username": "Franz.K", "password": "correct horse", "display_name": " Franz Kafka "}),
    )
    .await;
    let cookies: Vec<_> = answer.headers.get_all("set-cookie").iter().collect();
    let [cookie, device] = cookies[..] else { panic!("{cookies:?}") };
    let (cookie, device) = (cookie.to_str().unwrap().to_owned(), device.to_str().unwrap().to_owned());
    assert_eq!(answer.header("cache-control"), "no-store");
    let body = answer.ok(201);
    assert_eq!(
        (&body["user"]["username"], &body["user"]["display_name"]),
        (&json!("Franz.K"), &json!("Franz Kafka"))
    );
    let token = body["token"].as_str().unwrap();
    assert_eq!(token.len(), 43);
    assert_eq!(cookie, format!("milena_session={token}; Path=/; Max-Age=34560000; HttpOnly; SameSite=Lax"));
    assert!(
        device.ends_with("; Path=/; Max-Age=34560000; HttpOnly; SameSite=Lax") && !device.contains("ranz")
    );
    assert!(body["expires_at"].as_str().unwrap().ends_with('Z'), "{body}");

    let me = node.http.get(node.url("/api/v1/me")).bearer_auth(token).send().await.unwrap();
    let mut me = Answer::of(me).await.ok(200);
    let prefix = me.as_object_mut().unwrap().remove("client_id_prefix").unwrap();
    assert_eq!(prefix.as_str().unwrap().len(), 30);
    assert_eq!(me.as_object_mut().unwrap().remove("show_receipts"), Some(json!(true)));
    assert_eq!(me, body["user"]);
    assert!(me["created_at"].is_string());

    let taken = register(&node, json!({"username": "fRANZ.k", "password": "correct horse"})).await;
    assert_eq!(taken.problem(409, "username_taken")["field"], "username");
    node.stop().await;
}

#[tokio::test]
async fn what_is_wrong_with_a_registration_is_named() {
    let node = Node::start().await;
    for (body, field, detail) in [
        (json!({"password": "correct horse"}), "username", "username is missing"),
        (json!({"username": null, "password": "correct horse"}), "username", "username is missing"),
        (
            json!({"username": 5, "password": "correct horse"}),
            "username",
            "username must be a string, not a number",
        ),
        (
            json!({"username": "ab", "password": "correct horse"}),
            "username",
            "username must be 3 to 32 characters (got 2)",
        ),
        (
            json!({"username": "a b c", "password": "correct horse"}),
            "username",
            "username may only have letters a-z, digits, '.', '_' and '-'",
        ),
        (json!({"username": "abc"}), "password", "password is missing"),
        (
            json!({"username": "abc", "password": "short"}),
            "password",
            "password must be 8 to 256 characters (got 5)",
        ),
        (
            json!({"username": "abc", "password": "correct horse", "display_name": "  "}),
            "display_name",
            "display_name must be 1 to 64 characters (got 0)",
        ),
        (
            json!({"username": "abc", "password": "correct horse", "display_name": ["x"]}),
            "display_name",
            "display_name must be a string, not an array",
        ),
    ] {
        register(&node, body).await.field(field, detail);
    }
    // A later version of a client may send more.
    register(&node, json!({"username": "abc", "password": "correct horse", "colour": "blue"})).await.ok(201);
    node.stop().await;
}
