//! Finding people.

use reqwest::Method;
use serde_json::json;

use crate::node::Node;

#[tokio::test]
async fn people_are_found_by_the_beginnings_of_their_names() {
    let node = Node::start().await;
    let anna = node.register("anna").await;
    for name in ["Annabel", "joanna", "ben"] {
        node.register(name).await;
    }
    let found = async |query: &str| -> Vec<String> {
        let answer = node.get(&anna, &format!("/api/v1/users?query={query}")).await.ok(200);
        let users = answer["users"].as_array().unwrap();
        users.iter().map(|user| user["username"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(found("ANNA").await, ["anna", "Annabel"]);
    assert_eq!(found("be").await, ["ben"]);
    assert!(found("%25").await.is_empty() && found("_nn").await.is_empty() && found("").await.is_empty());
    node.get(&anna, "/api/v1/users").await.field("query", "query is missing");
    node.get(&anna, &format!("/api/v1/users?query={}", "x".repeat(65)))
        .await
        .field("query", "query must be at most 64 characters (got 65)");
    node.stop().await;
}

#[tokio::test]
async fn a_person_shows_name_and_id_only() {
    let node = Node::start().await;
    let (anna, ben) = (node.register("anna").await, node.register("ben").await);
    let person = node.get(&anna, &format!("/api/v1/users/{}", ben.id)).await.ok(200);
    assert_eq!(person, json!({"id": ben.id, "username": "ben", "display_name": "ben"}));
    node.get(&anna, &format!("/api/v1/users/{}", uuid::Uuid::now_v7())).await.problem(404, "not_found");
    node.get(&anna, "/api/v1/users/ben").await.field("id", "id must be a UUID");
    node.stop().await;
}

#[tokio::test]
async fn names_can_be_seen_are_nobody_elses_and_are_found_without_marks() {
    let node = Node::start().await;
    let (anna, ben) = (node.register("anna").await, node.register("ben").await);
    for name in ["admin", "Support", "adm1n", "mi.lena", "everyone", "here"] {
        let body = json!({"username": name, "password": "correct horse"});
        let answer = node.call(Method::POST, "/api/v1/register", None, Some(&body)).await;
        answer.field("username", "username is reserved, or looks like a name that is");
    }
    let rename = async |name: &str| {
        let change = json!({ "display_name": name });
        node.call(Method::PATCH, "/api/v1/me", Some(&anna), Some(&change)).await
    };
    for (name, problem) in [
        ("\u{3164}", "must be 1 to 64 characters (got 0)"),
        ("\u{301}", "must have a character that can be seen"),
        ("a\u{202e}b", "must not have characters that change the direction of writing"),
        ("Notes to self", "is reserved, or looks like a name that is"),
    ] {
        rename(name).await.field("display_name", &format!("display_name {problem}"));
    }
    let me = rename("Milena Jesenska\u{301}").await.ok(200);
    assert_eq!(me["display_name"], "Milena Jesensk\u{e1}", "NFC");
    for query in ["jesenska", "JESENSK%C3%81", "jesenska%CC%81", "mi%20jes", "jes%20mi"] {
        let found = node.get(&ben, &format!("/api/v1/users?query={query}")).await.ok(200);
        assert_eq!(found["users"][0]["id"], anna.id.as_str(), "{query}");
    }
    for blank in [" ", "\u{200b}", "\u{3164}", "\u{2800}\n"] {
        let path = format!("/api/v1/users/{}/messages", ben.id);
        let answer = node.call(Method::POST, &path, Some(&anna), Some(&json!({ "body": blank }))).await;
        answer.field("body", "body must have a character that can be seen");
    }
    node.stop().await;
}
