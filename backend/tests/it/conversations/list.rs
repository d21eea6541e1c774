//! The list of conversations, page by page.

use super::send;
use crate::node::Node;

#[tokio::test]
async fn the_list_is_paged_by_its_own_cursor() {
    let node = Node::start().await;
    let anna = node.register("anna").await;
    for name in ["ben", "carl", "dora"] {
        let other = node.register(name).await;
        send(&node, &other, &anna, None, name).await.ok(202);
    }
    let (mut seen, mut path) = (Vec::new(), "/api/v1/conversations?limit=2".to_owned());
    loop {
        let page = node.get(&anna, &path).await.ok(200);
        let entries = page["conversations"].as_array().unwrap();
        assert!(entries.len() <= 2);
        seen.extend(entries.iter().map(|entry| entry["person"]["username"].as_str().unwrap().to_owned()));
        let Some(next) = page["next"].as_str() else { break };
        path = format!("/api/v1/conversations?limit=2&before={next}");
    }
    assert_eq!(seen, ["dora", "carl", "ben"]);
    node.stop().await;
}
