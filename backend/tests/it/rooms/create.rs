//! `POST rooms`, and finding what was created.

use reqwest::Method;
use serde_json::json;

use super::kinds;
use crate::node::Node;

#[tokio::test]
async fn a_room_is_created_once_and_found_by_those_who_may() {
    let node = Node::start().await;
    let [anna, ben, carl] = node.people(["anna", "ben", "carl"]).await;
    let more = json!({"topic": "On letters", "members": [ben.id]});
    let created = node.create_room(&anna, "letters", more.clone()).await.ok(201);
    let room = &created["room"];
    assert_eq!(
        (&room["handle"], &room["title"], &room["topic"], &room["visibility"], &room["history"]),
        (&json!("letters"), &json!("letters"), &json!("On letters"), &json!("public"), &json!("all"))
    );
    assert_eq!(
        (&room["members"], &room["role"], &room["archived"], &room["posting"]),
        (&json!(2), &json!("owner"), &json!(false), &json!("members"))
    );
    let again = node.create_room(&anna, "letters", more).await.ok(201);
    assert_eq!(again, created, "the same client_id is the same room");
    let id = room["id"].as_str().unwrap();

    let as_member = node.get(&ben, &format!("/api/v1/rooms/{id}")).await.ok(200);
    assert_eq!((&as_member["role"], &as_member["members"]), (&json!("member"), &json!(2)));
    let from_outside = node.get(&carl, "/api/v1/rooms/by-handle/letters").await.ok(200);
    assert_eq!((&from_outside["id"], &from_outside["role"]), (&json!(id), &json!(null)));
    node.events(&carl, id).await.problem(403, "not_member");
    assert_eq!(kinds(&node.events(&ben, id).await.ok(200)), ["room_created"]);

    let hidden = node.room(&anna, "hidden", json!({"visibility": "private"})).await;
    for path in [format!("/api/v1/rooms/{hidden}"), "/api/v1/rooms/by-handle/hidden".to_owned()] {
        node.get(&carl, &path).await.problem(404, "unknown_conversation");
        node.get(&anna, &path).await.ok(200);
    }
    node.events(&carl, &hidden).await.problem(404, "unknown_conversation");
    node.join(&carl, &hidden).await.problem(404, "unknown_conversation");
    node.stop().await;
}

#[tokio::test]
async fn what_is_wrong_with_a_creation_is_named() {
    let node = Node::start().await;
    let [anna, ben] = node.people(["anna", "ben"]).await;
    node.create_room(&anna, "taken", json!({})).await.ok(201);
    let taken = node.create_room(&ben, "taken", json!({})).await.problem(409, "handle_taken");
    assert_eq!(taken["field"], "handle");
    let nobody = uuid::Uuid::now_v7();
    let unknown = node.create_room(&anna, "other", json!({"members": [nobody]})).await;
    assert_eq!(unknown.problem(404, "unknown_recipient")["field"], "members");
    for (field, wrong) in [
        ("handle", json!({"handle": "No Spaces"})),
        ("handle", json!({"handle": "x"})),
        ("title", json!({"title": ""})),
        ("title", json!({"title": "x".repeat(81)})),
        ("topic", json!({"topic": "x".repeat(251)})),
        ("client_id", json!({"client_id": ""})),
        ("handle", json!({"handle": "adm1n"})),
        ("handle", json!({"handle": "every-one"})),
        ("title", json!({"title": "Notes to self"})),
        ("title", json!({"title": "Sуstem"})),
    ] {
        let refused = node.create_room(&anna, "fine", wrong.clone()).await.problem(400, "invalid_field");
        assert_eq!(refused["field"], field, "{wrong}");
    }
    let room = node.room(&anna, "mine", json!({"title": "Support"})).await;
    for (field, wrong) in [("handle", json!({"handle": "here"})), ("title", json!({"title": "System"}))] {
        let path = format!("/api/v1/rooms/{room}");
        let answer = node.call(Method::PATCH, &path, Some(&anna), Some(&wrong)).await;
        assert_eq!(answer.problem(400, "invalid_field")["field"], field, "{wrong}");
    }
    for wrong in [json!({"visibility": "secret"}), json!({"history": "none"}), json!({"posting": "nobody"})] {
        node.create_room(&anna, "fine", wrong).await.problem(400, "invalid_field");
    }
    node.call(Method::POST, "/api/v1/rooms", None, Some(&json!({}))).await.problem(401, "unauthenticated");
    node.stop().await;
}
