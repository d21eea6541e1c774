//! Finding people.

use serde_json::json;

use crate::node::Node;

#[tokio::test]
async fn people_are_found_by_parts_of_their_names() {
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
    assert_eq!(found("ANNA").await, ["anna", "Annabel", "joanna"]);
    assert_eq!(found("be").await, ["ben", "Annabel"]);
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
