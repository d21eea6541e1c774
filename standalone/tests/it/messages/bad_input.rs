//! Everything that a client can do wrong: a stable code each, the connection survives where it safely can,
//! and nothing is stored.

use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::client::{Account, Answer, Rest, Socket, hello, send_frame};
use crate::world::{Milena, until};

const MEGABYTE: usize = 1 << 20;

/// A refusal in the documented form.
fn is(answer: &Answer, status: u16, code: &str, field: Option<&str>) {
    assert_eq!((answer.status, answer.code()), (status, code), "{answer:?}");
    assert!(answer.content_type.starts_with("application/problem+json"), "{answer:?}");
    assert_eq!(answer.body["status"], status);
    for name in ["type", "title", "detail"] {
        assert!(answer.body[name].as_str().is_some_and(|text| !text.is_empty()), "{name}: {answer:?}");
    }
    if field.is_some() {
        assert_eq!(answer.body["field"].as_str(), field, "{answer:?}");
    }
}

/// Ann, Bob, and a conversation of others with one message in it.
struct Scene {
    milena: Milena,
    ann: Account,
    bob: Account,
    foreign: Uuid,
}

impl Scene {
    async fn set() -> Self {
        let milena = Milena::start().await;
        let rest = milena.rest();
        let (ann, bob) = (rest.register("ann").await, rest.register("bob").await);
        let (eve, joe) = (rest.register("eve").await, rest.register("joe").await);
        let foreign = rest.of(&eve).send_accepted(joe.person.id, "e-1", "among us").await.conversation;
        Self { milena, ann, bob, foreign }
    }

    fn rest(&self) -> Rest {
        self.milena.rest().of(&self.ann)
    }

    /// A good message still goes through, and is the only one besides the foreign one.
    async fn nothing_else_was_stored(&self) {
        self.rest().send_accepted(self.bob.person.id, "good", "good").await;
        let database = self.milena.database();
        until("the good message is stored", 20, async || {
            database.messages().await.iter().any(|row| row.client_id == "good")
        })
        .await;
        let rows = database.messages().await;
        let bodies: Vec<&str> = rows.iter().map(|row| &*row.body).collect();
        assert_eq!(bodies.len(), 2, "{bodies:?}");
        assert_eq!(database.count("conversations").await, 2);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rest_refuses_every_mistake_by_its_name() {
    let scene = Scene::set().await;
    let (rest, bob, foreign) = (scene.rest(), scene.bob.person.id, scene.foreign);
    let to_bob = format!("users/{bob}/messages");
    let raw = async |path: &str, content_type: &str, body: Vec<u8>| {
        Rest::ask(rest.request(Method::POST, path).header("content-type", content_type).body(body)).await
    };
    for bad in
        ["", "{", "[]", "[\"x\"]", "\"text\"", "null", "{\"body\": \"\\ud800\"}", "{\"body\": \"x\"} x"]
    {
        is(&raw(&to_bob, "application/json", bad.into()).await, 400, "invalid_json", None);
    }
    for bad in ["{\"body\": 5}", "{}", "{\"body\": null}", "{\"body\": [\"x\"]}"] {
        is(&raw(&to_bob, "application/json", bad.into()).await, 400, "invalid_field", Some("body"));
    }
    is(&raw(&to_bob, "application/json", b"{\"body\": \"\xff\"}".to_vec()).await, 400, "invalid_json", None);
    is(&raw(&to_bob, "text/plain", b"{\"body\": \"x\"}".to_vec()).await, 415, "unsupported_media_type", None);
    let huge = json!({"body": "x".repeat(MEGABYTE)}).to_string();
    is(&raw(&to_bob, "application/json", huge.into()).await, 413, "too_large", None);

    for body in ["", "a\0b", &"x".repeat(8_001), &"字".repeat(8_001)] {
        is(&rest.send(bob, "c-1", body).await, 400, "invalid_field", Some("body"));
    }
    is(&rest.send(bob, &"k".repeat(65), "x").await, 400, "invalid_field", Some("Idempotency-Key"));
    let not_ascii = rest.request(Method::POST, &to_bob).header("idempotency-key", "schlüssel".as_bytes());
    is(
        &Rest::ask(not_ascii.json(&json!({"body": "x"}))).await,
        400,
        "invalid_field",
        Some("Idempotency-Key"),
    );

    is(&rest.send(Uuid::now_v7(), "c-2", "x").await, 404, "unknown_recipient", None);
    let to_nobody = rest.post("users/nobody/messages", &json!({"body": "x"})).await;
    assert!(to_nobody.status == 404 || to_nobody.status == 400, "{to_nobody:?}");
    let conversation = |id: Uuid| format!("conversations/{id}/messages");
    for id in [foreign, Uuid::now_v7()] {
        is(&rest.post(&conversation(id), &json!({"body": "x"})).await, 404, "unknown_conversation", None);
        is(&rest.get(&conversation(id)).await, 404, "unknown_conversation", None);
    }
    is(&rest.get(&format!("users/{}", Uuid::now_v7())).await, 404, "not_found", None);
    is(&rest.get("nothing/here").await, 404, "not_found", None);
    is(&Rest::ask(rest.request(Method::DELETE, "me")).await, 405, "method_not_allowed", None);
    for query in [
        "limit=0",
        "limit=101",
        "limit=x",
        "before=x",
        "before=1&after=2",
        "around=-1",
        "after=9007199254740992",
    ] {
        is(&rest.get(&format!("{}?{query}", conversation(foreign))).await, 400, "invalid_field", None);
    }
    for position in [json!(-1), json!("1"), json!(9_007_199_254_740_992_u64), json!(1.5)] {
        let answer = rest.put(&format!("conversations/{foreign}/read"), &json!({"position": position})).await;
        assert!(matches!(answer.code(), "invalid_field" | "invalid_json"), "{position}: {answer:?}");
    }
    scene.nothing_else_was_stored().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn signing_up_and_in_refuses_every_mistake_by_its_name() {
    let milena = Milena::start().await;
    let rest = milena.rest();
    rest.register("ann").await;
    let register = async |username: &str, password: &str, display_name: Value| {
        let body = json!({"username": username, "password": password, "display_name": display_name});
        rest.post("register", &body).await
    };
    let good = crate::client::PASSWORD;
    for username in ["", "ab", &"x".repeat(33), "with space", "señor", "a\0b", "a/b"] {
        is(&register(username, good, Value::Null).await, 400, "invalid_field", Some("username"));
    }
    for password in ["", "seven77", &"x".repeat(257)] {
        is(&register("bob", password, Value::Null).await, 400, "invalid_field", Some("password"));
    }
    for name in ["", "   ", "a\nb", "a\0b", &"x".repeat(65)] {
        is(&register("bob", good, json!(name)).await, 400, "invalid_field", Some("display_name"));
    }
    is(&register("ANN", good, Value::Null).await, 409, "username_taken", None);
    for (username, password) in [("ann", "wrong password"), ("nobody", good), ("", ""), ("ann", "")] {
        let answer = rest.post("login", &json!({"username": username, "password": password})).await;
        is(&answer, 401, "bad_credentials", None);
    }
    assert_eq!(milena.database().count("users").await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_session_that_ended_or_expired_opens_nothing() {
    let milena = Milena::start().await;
    let rest = milena.rest();
    let (ann, bob) = (rest.register("ann").await, rest.register("bob").await);
    let refused = async |account: &Account| {
        let rest = rest.of(account);
        is(&rest.get("me").await, 401, "unauthenticated", None);
        is(&rest.get("conversations").await, 401, "unauthenticated", None);
        is(&rest.send(bob.person.id, "c-1", "x").await, 401, "unauthenticated", None);
        let mut socket = Socket::open(milena.address).await.unwrap();
        socket.send(&hello(&account.token, None)).await.unwrap();
        assert_eq!(socket.closed().await, Some(4500));
    };
    for token in ["", "x", &"A".repeat(43), &"A".repeat(10_000)] {
        refused(&Account { person: ann.person.clone(), token: token.to_owned() }).await;
    }

    // Ended by another one of Ann's sessions: its sockets are closed at once.
    let second = rest.login("ann", crate::client::PASSWORD).await;
    let (mut socket, _) = Socket::signed_in(milena.address, &second.token, None).await;
    assert_eq!(rest.of(&second).post("logout", &json!({})).await.status, 204);
    assert_eq!(socket.closed().await, Some(4501));
    refused(&second).await;
    assert_eq!(rest.of(&ann).get("me").await.status, 200, "the other session goes on");

    // Expired: the clock is turned in the database.
    milena.database().execute("update sessions set expires_at_ms = 1").await;
    refused(&ann).await;

    // A socket that says something else before it signs in is told, and may still sign in.
    let third = rest.login("ann", crate::client::PASSWORD).await;
    let mut socket = Socket::open(milena.address).await.unwrap();
    socket.send(&send_frame(bob.person.id, "c-2", "x", false)).await.unwrap();
    assert_eq!(socket.expect("error").await["code"], "unauthenticated");
    socket.send(&hello(&third.token, None)).await.unwrap();
    socket.expect("welcome").await;
    assert_eq!(milena.database().count("messages").await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_socket_survives_every_bad_frame_but_the_largest() {
    let scene = Scene::set().await;
    let address = scene.milena.address;
    let (mut socket, _) = Socket::signed_in(address, &scene.ann.token, None).await;
    let bob = scene.bob.person.id;
    let send = |change: Value| {
        let mut frame = json!({"type": "send", "client_id": "c-1", "to": bob, "body": "x"});
        for (name, value) in change.as_object().expect("an object") {
            frame[name] = value.clone();
        }
        frame.to_string()
    };
    let position_too_large = json!({"type": "read", "conversation": scene.foreign, "position": 1_u64 << 53});
    let watch_too_many = json!({"type": "watch", "users": vec![Uuid::now_v7(); 201]});
    let frames = [
        ("".to_owned(), "invalid_json", None),
        ("{".to_owned(), "invalid_json", None),
        ("[]".to_owned(), "invalid_json", None),
        ("null".to_owned(), "invalid_json", None),
        ("\"send\"".to_owned(), "invalid_json", None),
        ("{\"type\":\"send\",\"body\":\"\\ud800\"}".to_owned(), "invalid_json", None),
        ("{}".to_owned(), "invalid_field", Some("type")),
        ("{\"type\":7}".to_owned(), "invalid_field", Some("type")),
        ("{\"type\":\"whisper\"}".to_owned(), "unknown_type", Some("type")),
        ("{\"type\":\"typing\"}".to_owned(), "invalid_field", Some("conversation")),
        ("{\"type\":\"idle\",\"on\":1}".to_owned(), "invalid_field", Some("on")),
        ("{\"type\":\"watch\",\"users\":\"bob\"}".to_owned(), "invalid_field", Some("users")),
        (watch_too_many.to_string(), "invalid_field", Some("users")),
        (send(json!({"client_id": null})), "invalid_field", Some("client_id")),
        (send(json!({"client_id": ""})), "invalid_field", Some("client_id")),
        (send(json!({"client_id": "k".repeat(65)})), "invalid_field", Some("client_id")),
        (send(json!({"client_id": "ü"})), "invalid_field", Some("client_id")),
        (send(json!({"body": null})), "invalid_field", Some("body")),
        (send(json!({"body": 5})), "invalid_field", Some("body")),
        (send(json!({"body": ""})), "invalid_field", Some("body")),
        (send(json!({"body": "a\0b"})), "invalid_field", Some("body")),
        (send(json!({"body": "字".repeat(8_001)})), "invalid_field", Some("body")),
        (send(json!({"to": null})), "invalid_field", Some("to")),
        (send(json!({"to": "bob"})), "invalid_field", Some("to")),
        (send(json!({"conversation": scene.foreign})), "invalid_field", Some("to")),
        (json!({"type": "read"}).to_string(), "invalid_field", Some("conversation")),
        (position_too_large.to_string(), "invalid_field", Some("position")),
    ];
    for (frame, code, field) in &frames {
        socket.send_text(frame).await.unwrap();
        let error = socket.expect("error").await;
        assert_eq!(
            (error["code"].as_str(), &error["temporary"]),
            (Some(*code), &json!(false)),
            "{frame:.80} {error}"
        );
        assert!(error["message"].as_str().is_some_and(|message| !message.is_empty()), "{error}");
        if field.is_some() {
            assert_eq!(error["field"].as_str(), *field, "{frame:.80} {error}");
        }
    }
    // What is well-formed and yet impossible is about a message: it is `rejected`.
    for (change, code) in [
        (json!({"to": Uuid::now_v7()}), "unknown_recipient"),
        (json!({"to": null, "conversation": scene.foreign}), "unknown_conversation"),
        (json!({"to": null, "conversation": Uuid::now_v7()}), "unknown_conversation"),
    ] {
        socket.send_text(&send(change)).await.unwrap();
        let rejected = socket.answer("c-1").await;
        assert_eq!((&rejected["type"], &rejected["code"]), (&json!("rejected"), &json!(code)));
        assert_eq!(rejected["temporary"], false);
    }
    // The connection lives, and the largest message that is allowed goes through it.
    socket.is_quiet().await;
    let largest = "👍".repeat(8_000);
    let escaped: String = largest.encode_utf16().map(|unit| format!("\\u{unit:04x}")).collect();
    let frame =
        format!(r#"{{"type":"send","client_id":"large","to":"{}","body":"{escaped}"}}"#, scene.ann.person.id);
    socket.send_text(&frame).await.unwrap();
    assert_eq!(socket.answer("large").await["type"], "accepted");

    // A megabyte ends the connection, after a word.
    let huge = send(json!({"body": "x".repeat(MEGABYTE)}));
    let _ = socket.send_text(&huge).await;
    assert_eq!(socket.expect("error").await["code"], "too_large");
    assert_eq!(socket.closed().await, Some(1009));
    // So do bytes and a second hello.
    let (mut socket, _) = Socket::signed_in(address, &scene.ann.token, None).await;
    socket.send_bytes(vec![1, 2, 3]).await.unwrap();
    assert_eq!(socket.closed().await, Some(4502));
    let (mut socket, _) = Socket::signed_in(address, &scene.ann.token, None).await;
    socket.send(&hello(&scene.ann.token, None)).await.unwrap();
    assert_eq!(socket.closed().await, Some(4502));

    scene.rest().send_accepted(bob, "good", "good").await;
    let database = scene.milena.database();
    until("three messages are stored", 20, async || database.try_count_messages().await == Some(3)).await;
    let rows = database.messages().await;
    assert!(rows.iter().any(|row| row.body == largest), "the largest message is stored as it was sent");
}
