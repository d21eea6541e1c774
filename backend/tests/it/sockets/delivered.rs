//! Whose device has what was written to them, as far as they let others know.

use reqwest::Method;
use serde_json::{Value, json};

use crate::node::Node;
use crate::socket::Socket;

#[tokio::test]
async fn who_wrote_hears_that_it_came_to_a_device_of_the_other_one() {
    let node = Node::start().await;
    let (anna, ben) = (node.register("anna").await, node.register("ben").await);
    let mut annas = Socket::sign_in(&node, &anna).await;
    let mut bens = Socket::sign_in(&node, &ben).await;
    annas.send("c-1", &ben, "hi").await;
    annas.expect("accepted").await;
    let message = bens.expect("message").await;
    let conversation = &message["conversation"];
    let received =
        |position: &Value| json!({"type": "received", "conversation": conversation, "position": position});
    let delivered = json!({
        "type": "delivered", "conversation": message["conversation"], "position": message["position"],
    });
    bens.say(&received(&message["position"])).await;
    assert_eq!(annas.expect("delivered").await, delivered);
    // More than there is counts as the newest, so that it says nothing of what comes later.
    bens.say(&received(&json!(9_007_199_254_740_991_u64))).await;
    assert_eq!(annas.expect("delivered").await, delivered);
    node.stop().await;
}

#[tokio::test]
async fn nobody_hears_it_of_those_who_do_not_let_them_know() {
    let node = Node::start().await;
    let (anna, ben) = (node.register("anna").await, node.register("ben").await);
    let eve = node.register("eve").await;
    let mut annas = Socket::sign_in(&node, &anna).await;
    let mut bens = Socket::sign_in(&node, &ben).await;
    let mut eves = Socket::sign_in(&node, &eve).await;
    annas.send("c-1", &ben, "hi").await;
    annas.expect("accepted").await;
    let message = bens.expect("message").await;
    let received = json!({
        "type": "received", "conversation": message["conversation"], "position": message["position"],
    });
    let patch = async |user, path: &str, body: Value| {
        node.call(Method::PATCH, path, Some(user), Some(&body)).await.ok(200);
    };
    let ways = [
        (&ben, "/api/v1/me", json!({"show_receipts": false}), json!({"show_receipts": true})),
        (&anna, "/api/v1/me", json!({"show_receipts": false}), json!({"show_receipts": true})),
        (&ben, "/api/v1/me/presence", json!({"audience": "nobody"}), json!({"audience": "shared"})),
        (&ben, "/api/v1/me/presence", json!({"hidden": true}), json!({"hidden": false})),
    ];
    for (user, path, hide, show) in ways {
        patch(user, path, hide.clone()).await;
        bens.say(&received).await;
        ping(&mut bens).await;
        let heard = ping(&mut annas).await;
        assert!(heard.iter().all(|frame| frame["type"] != "delivered"), "{hide}: {heard:?}");
        patch(user, path, show).await;
        bens.say(&received).await;
        annas.hear_until("delivered").await;
    }
    // Nor does anybody say it of others' conversations.
    eves.say(&received).await;
    assert_eq!(eves.expect("error").await["code"], "unknown_conversation");
    let heard = ping(&mut annas).await;
    assert!(heard.iter().all(|frame| frame["type"] != "delivered"), "{heard:?}");
    node.stop().await;
}

/// What came before the answer.
async fn ping(socket: &mut Socket) -> Vec<Value> {
    socket.say(&json!({"type": "ping"})).await;
    socket.hear_until("pong").await
}
