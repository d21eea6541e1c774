//! `GET rooms`: public rooms by their words, the largest first.

use reqwest::Method;
use serde_json::{Value, json};

use crate::node::Node;

fn handles(list: &Value) -> Vec<&str> {
    list["rooms"].as_array().unwrap().iter().map(|room| room["handle"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn public_rooms_are_found_by_their_words_stored_or_not() {
    let node = Node::start_with(|settings| settings.delivery.stored_poll_ms = 20).await;
    let [anna, ben, carl] = node.people(["anna", "ben", "carl"]).await;
    for (handle, more) in [
        ("kaese", json!({"topic": "Über Käse und Brot", "members": [ben.id]})),
        ("bread-makers", json!({"members": [ben.id, carl.id]})),
        ("breadcrumbs", json!({})),
        ("secret-bread", json!({"visibility": "private", "members": [ben.id]})),
    ] {
        node.room(&anna, handle, more).await;
    }
    let closed = node.room(&anna, "closed-bread", json!({})).await;
    let path = format!("/api/v1/rooms/{closed}");
    node.call(Method::PATCH, &path, Some(&anna), Some(&json!({"archived": true}))).await.ok(200);
    let find = async |query: &str| node.get(&carl, &format!("/api/v1/rooms?{query}")).await.ok(200);
    let anybodys = [
        ("", &["bread-makers", "kaese", "breadcrumbs"][..]),
        ("q=BREAD", &["bread-makers", "breadcrumbs"]),
        ("q=mak%20bread", &["bread-makers"]),
        ("q=uber%20kas", &["kaese"]),
        ("q=crumbs", &[]),
        ("q=secret", &[]),
        ("q=closed", &[]),
    ];
    for (query, found) in anybodys {
        let list = find(query).await;
        let said = (handles(&list), &list["next"], &list["complete"]);
        assert_eq!(said, (found.to_vec(), &json!(null), &json!(false)), "{query}, before it is stored");
    }
    // A page at a time, and rooms that come between what the store has.
    let pages = async |queried: &str| {
        let (mut all, mut before) = (Vec::new(), String::new());
        loop {
            let page = find(&format!("{queried}limit=1{before}")).await;
            all.extend(handles(&page).into_iter().map(str::to_owned));
            let Some(next) = page["next"].as_str() else { return all };
            before = format!("&before={next}");
        }
    };
    assert_eq!(pages("").await, ["bread-makers", "kaese", "breadcrumbs"]);

    node.store_all().await;
    node.until(async |_| (find("q=bread").await["complete"] == true).then_some(())).await;
    for (query, found) in anybodys {
        let list = find(query).await;
        assert_eq!((handles(&list), &list["next"]), (found.to_vec(), &json!(null)), "{query}");
    }
    node.room(&anna, "later", json!({"members": [ben.id]})).await;
    let mut middle = pages("").await;
    assert_eq!((middle.remove(0).as_str(), middle.pop().as_deref()), ("bread-makers", Some("breadcrumbs")));
    middle.sort_unstable();
    assert_eq!(middle, ["kaese", "later"], "of as many members as the other");
    // Each as one sees it oneself, a page at a time.
    let first = find("q=bread&limit=1").await;
    let room = &first["rooms"][0];
    assert_eq!(
        (&room["handle"], &room["members"], &room["role"]),
        (&json!("bread-makers"), &json!(3), &json!("member"))
    );
    let last = find(&format!("q=bread&limit=1&before={}", first["next"].as_str().unwrap())).await;
    assert_eq!((handles(&last), &last["rooms"][0]["role"]), (vec!["breadcrumbs"], &json!(null)));
    assert_eq!(last["next"], json!(null));

    for (query, field) in [
        (format!("q={}", "x".repeat(65)), "q"),
        ("before=nonsense".to_owned(), "before"),
        ("limit=0".to_owned(), "limit"),
        ("limit=101".to_owned(), "limit"),
    ] {
        let refused = node.get(&carl, &format!("/api/v1/rooms?{query}")).await;
        assert_eq!(refused.problem(400, "invalid_field")["field"], field, "{query}");
    }
    node.call(Method::GET, "/api/v1/rooms", None, None).await.problem(401, "unauthenticated");
    node.stop().await;
}
