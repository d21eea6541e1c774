//! Nothing secret is said: after a busy run with everything that can go wrong, with the log turned up to
//! `debug`, neither passwords nor tokens nor what people wrote stand in the log, the metrics or the answers
//! that refuse something.

use reqwest::Method;
use serde_json::json;

use crate::client::{PASSWORD, Rest, Socket, hello, send_frame};
use crate::world::{Milena, turn};

/// Parts of what must not be seen, as they stand in bodies and passwords.
const SAID: &str = "the-body-of-a-message";
const WRONG: &str = "a-wrong-password";
/// Of the length of a token, so that it is looked up.
const FORGED: &str = "forged-token-forged-token-forged-token-xxxx";

/// Requests that are refused, each with a secret in it; gives the answers.
async fn refusals(rest: &Rest, signed_in: &Rest, somebody: uuid::Uuid) -> Vec<String> {
    let mut answers = Vec::new();
    let json = "application/json";
    for (path, body) in [
        ("login", format!("{{\"username\":\"ann\",\"password\":\"{WRONG}\"}}")),
        ("login", format!("{{\"username\":\"nobody\",\"password\":\"{WRONG}\"}}")),
        ("login", format!("{{\"username\":\"ann\",\"password\":\"{WRONG}\", broken")),
        ("login", format!("{{\"username\":\"ann\",\"password\":[\"{WRONG}\"]}}")),
        ("register", format!("{{\"username\":\"ann\",\"password\":\"{WRONG}\"}}")),
        ("register", format!("{{\"username\":\"x\",\"password\":\"{}\"}}", WRONG.repeat(100))),
    ] {
        let request = rest.request(Method::POST, path).header("content-type", json).body(body);
        answers.push(Rest::ask(request).await);
    }
    for body in [
        format!("{{\"body\":[\"{SAID}\"]}}"),
        format!("{{\"body\":\"{SAID}\", broken"),
        format!("{{\"body\":\"{}\"}}", SAID.repeat(1_000)),
    ] {
        let request = signed_in.request(Method::POST, &format!("users/{somebody}/messages"));
        answers.push(Rest::ask(request.header("content-type", json).body(body)).await);
    }
    answers.push(Rest::ask(rest.request(Method::GET, "me").bearer_auth(FORGED)).await);
    answers.push(signed_in.send(uuid::Uuid::nil(), "to nobody", SAID).await);
    assert!(answers.iter().all(|answer| answer.status >= 400), "{answers:?}");
    answers.into_iter().map(|answer| answer.body.to_string()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_password_token_or_body_is_seen() {
    let _turn = turn().await;
    let folder = tempfile::tempdir().unwrap();
    let milena = Milena::start_on(folder, |launch| launch.variable("RUST_LOG", "debug")).await;
    let rest = milena.rest();
    let (ann, bob) = (rest.register("ann").await, rest.register("bob").await);
    let again = rest.login("ann", PASSWORD).await;
    let (anns, bobs) = (rest.of(&ann), rest.of(&bob));

    // What goes well.
    let (mut bobs_socket, _) = Socket::signed_in(milena.address, &bob.token, None).await;
    let (mut anns_socket, _) = Socket::signed_in(milena.address, &ann.token, None).await;
    for number in 0..20 {
        let client_id = format!("c-{number}");
        anns_socket.send(&send_frame(bob.person.id, &client_id, SAID, number % 2 == 0)).await.unwrap();
        assert_eq!(anns_socket.answer(&client_id).await["type"], "accepted");
        bobs_socket.expect("message").await;
    }
    let sent = bobs.send_accepted(ann.person.id, "by rest", SAID).await;
    anns_socket.expect("message").await;
    assert_eq!(anns.messages_after(sent.conversation, -1).await.len(), 21);

    // What does not.
    let mut seen = refusals(&rest, &anns, bob.person.id).await;
    for text in [
        format!("{{\"type\":\"send\",\"body\":\"{SAID}\", broken"),
        format!("{{\"type\":\"send\",\"client_id\":\"c\",\"to\":\"{SAID}\",\"body\":\"{SAID}\"}}"),
        format!("{{\"type\":\"{SAID}\"}}"),
    ] {
        anns_socket.send_text(&text).await.unwrap();
        seen.push(anns_socket.expect("error").await.to_string());
    }
    anns_socket.send_text(&SAID.repeat(10_000)).await.unwrap();
    assert_eq!(anns_socket.closed().await, Some(1009));
    let mut forger = Socket::open(milena.address).await.unwrap();
    forger.send(&hello(FORGED, None)).await.unwrap();
    assert_eq!(forger.closed().await, Some(4500));
    let logout = rest.of(&again).post("logout", &json!({})).await;
    assert_eq!(logout.status, 204);

    let metrics = reqwest::get(format!("http://{}/metrics", milena.address)).await.unwrap();
    seen.push(metrics.text().await.unwrap());
    let log = milena.program.said();
    assert!(log.contains("DEBUG") && log.lines().count() > 50, "the log was not turned up:\n{log}");
    seen.push(log);
    for secret in [PASSWORD, WRONG, SAID, FORGED, &ann.token, &bob.token, &again.token] {
        for text in &seen {
            let line = text.lines().find(|line| line.contains(secret));
            assert!(line.is_none(), "{secret} is seen in: {}", line.unwrap_or_default());
        }
    }
}
