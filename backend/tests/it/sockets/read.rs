//! Reading on one socket, and what others hear of it.

use serde_json::json;

use crate::node::Node;
use crate::socket::Socket;

#[tokio::test]
async fn reading_on_one_socket_is_told_to_the_others_and_to_the_sender() {
    let node = Node::start().await;
    let (anna, ben) = (node.register("anna").await, node.register("ben").await);
    let mut phone = Socket::sign_in(&node, &anna).await;
    let mut laptop = Socket::sign_in(&node, &anna).await;
    let mut other = Socket::sign_in(&node, &ben).await;
    other.send("c-1", &anna, "hi").await;
    let message = phone.expect("message").await;
    laptop.expect("message").await;
    let (conversation, position) = (&message["conversation"], &message["position"]);
    phone.say(&json!({"type": "read", "conversation": conversation, "position": position})).await;
    let read = laptop.expect("read").await;
    assert_eq!((&read["conversation"], &read["position"]), (&message["conversation"], &message["position"]));
    other.expect("accepted").await;
    let seen = other.expect("seen").await;
    assert_eq!((&seen["conversation"], &seen["position"]), (&message["conversation"], &message["position"]));
    phone.say(&json!({"type": "ping"})).await;
    phone.expect("pong").await;
    node.stop().await;
}
