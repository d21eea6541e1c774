//! Who is here, as others see it; and who writes.

use reqwest::Method;
use serde_json::{Value, json};

use crate::node::{Node, User};
use crate::socket::Socket;

async fn watch(socket: &mut Socket, users: &[&User], conversations: &[&Value]) -> Value {
    let users: Vec<_> = users.iter().map(|user| &user.id).collect();
    socket.say(&json!({"type": "watch", "users": users, "conversations": conversations})).await;
    socket.expect("presence").await
}

/// The state of one person in a `presence` frame.
fn state(presence: &Value, user: &User) -> String {
    let users = presence["users"].as_array().unwrap();
    let it = users.iter().find(|it| it["user"] == json!(user.id)).unwrap();
    it["state"].as_str().unwrap().to_owned()
}

/// Watches until the state is the expected one: whether somebody wants to be seen is looked up after they are
/// connected, and told as a change.
async fn until(socket: &mut Socket, user: &User, expected: &str) {
    let mut presence = watch(socket, &[user], &[]).await;
    while state(&presence, user) != expected {
        presence = socket.expect("presence").await;
    }
}

#[tokio::test]
async fn who_shares_a_conversation_sees_who_is_here() {
    let node = Node::start().await;
    let (anna, ben, eve) =
        (node.register("anna").await, node.register("ben").await, node.register("eve").await);
    let mut annas = Socket::sign_in(&node, &anna).await;
    let mut eves = Socket::sign_in(&node, &eve).await;
    let mut bens = Socket::sign_in(&node, &ben).await;
    bens.send("c-1", &anna, "hi").await;
    bens.expect("accepted").await;
    annas.expect("message").await;
    // Themselves everybody sees; of others only those with whom they have to do.
    until(&mut bens, &ben, "online").await;
    until(&mut annas, &ben, "online").await;
    let seen = watch(&mut eves, &[&ben, &eve], &[]).await;
    assert_eq!(state(&seen, &ben), "offline");
    let others: Vec<_> =
        seen["users"].as_array().unwrap().iter().filter(|it| it["user"] == json!(ben.id)).collect();
    assert_eq!(
        others,
        [&json!({"user": ben.id, "state": "offline", "status": null})],
        "as if he had never been here"
    );

    // Nobody sits before it.
    bens.say(&json!({"type": "idle"})).await;
    let away = annas.expect("presence").await;
    assert_eq!(away["users"], json!([{"user": ben.id, "state": "away"}]));
    bens.say(&json!({"type": "idle", "on": false})).await;
    assert_eq!(annas.expect("presence").await["users"][0]["state"], "online");

    // Whom he lets see him, sees him; nobody means nobody, from their next watch on.
    let patch = async |body: Value, status: u16| {
        node.call(Method::PATCH, "/api/v1/me/presence", Some(&ben), Some(&body)).await.ok(status)
    };
    assert_eq!(
        patch(json!({"audience": "everybody"}), 200).await,
        json!({"hidden": false, "audience": "everybody"})
    );
    assert_eq!(state(&watch(&mut eves, &[&ben], &[]).await, &ben), "online");
    patch(json!({"audience": "nobody"}), 200).await;
    assert_eq!(state(&watch(&mut annas, &[&ben], &[]).await, &ben), "offline");
    until(&mut bens, &ben, "online").await;
    let bad =
        node.call(Method::PATCH, "/api/v1/me/presence", Some(&ben), Some(&json!({"audience": "x"}))).await;
    bad.field("audience", "audience must be one of everybody, shared, nobody");
    node.stop().await;
}

#[tokio::test]
async fn who_comes_hidden_was_never_here() {
    let node = Node::start().await;
    let (anna, ben) = (node.register("anna").await, node.register("ben").await);
    let body = json!({"hidden": true, "audience": "everybody"});
    node.call(Method::PATCH, "/api/v1/me/presence", Some(&ben), Some(&body)).await.ok(200);
    let mut bens = Socket::sign_in(&node, &ben).await;
    let mut annas = Socket::sign_in(&node, &anna).await;
    annas.send("c-1", &ben, "hi").await;
    annas.expect("accepted").await;
    let message = bens.expect("message").await;
    let conversation = &message["conversation"];
    until(&mut annas, &anna, "online").await;
    assert_eq!(state(&watch(&mut annas, &[&ben], &[conversation]).await, &ben), "offline");
    // He writes, and sits there again, and nobody hears of it.
    bens.say(&json!({"type": "typing", "conversation": conversation})).await;
    bens.say(&json!({"type": "idle"})).await;
    bens.send("c-2", &anna, "psst").await;
    let heard = annas.hear_until("message").await;
    assert!(heard.iter().all(|frame| frame["type"] != "presence" && frame["type"] != "typing"), "{heard:?}");
    // When he wants to be seen again, he is.
    let body = json!({"hidden": false});
    node.call(Method::PATCH, "/api/v1/me/presence", Some(&ben), Some(&body)).await.ok(200);
    assert_eq!(annas.expect("presence").await["users"], json!([{"user": ben.id, "state": "away"}]));
    node.stop().await;
}

#[tokio::test]
async fn who_has_a_conversation_open_hears_who_writes_in_it() {
    let node = Node::start().await;
    let (anna, ben, eve) =
        (node.register("anna").await, node.register("ben").await, node.register("eve").await);
    let mut annas = Socket::sign_in(&node, &anna).await;
    let mut bens = Socket::sign_in(&node, &ben).await;
    let mut eves = Socket::sign_in(&node, &eve).await;
    bens.send("c-1", &anna, "hi").await;
    bens.expect("accepted").await;
    let message = annas.expect("message").await;
    let conversation = &message["conversation"];
    until(&mut bens, &ben, "online").await;
    watch(&mut annas, &[&anna], &[conversation]).await;
    // Who is not in it may say so, and hears nothing.
    watch(&mut eves, &[&eve], &[conversation]).await;
    let typing = |on: bool| json!({"type": "typing", "conversation": conversation, "on": on});
    bens.say(&typing(true)).await;
    let expected = json!({"type": "typing", "conversation": conversation, "user": ben.id, "on": true});
    assert_eq!(annas.expect("typing").await, expected);
    // Said again at once, it is not told again; its end is told once.
    bens.say(&typing(true)).await;
    bens.say(&typing(false)).await;
    bens.say(&typing(false)).await;
    assert_eq!(annas.expect("typing").await["on"], false);
    bens.send("c-2", &anna, "there").await;
    let heard = annas.hear_until("message").await;
    assert!(heard.iter().all(|frame| frame["type"] != "typing"), "{heard:?}");
    eves.say(&typing(true)).await;
    assert_eq!(eves.expect("error").await["code"], "unknown_conversation");
    eves.say(&json!({"type": "ping"})).await;
    let heard = eves.hear_until("pong").await;
    assert!(heard.iter().all(|frame| frame["type"] != "typing"), "{heard:?}");
    node.stop().await;
}
