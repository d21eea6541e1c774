//! Requests that no client of ours makes: odd targets, methods and headers, cookies of other programs.

use std::time::Duration;

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, TestRng, TestRunner};
use reqwest::{Method, header};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::client::Answer;
use crate::logged;
use crate::node::{Node, PATIENCE, User};

/// Requests of the fuzz, each on a connection of its own, and how many at once.
const REQUESTS: usize = 1_500;
const AT_ONCE: usize = 300;
/// How long the rest of a torn request is pretended to come.
const TORN: Duration = Duration::from_secs(1);

/// What comes back until the connection ends. A request that is not whole gets no answer; after `patience`
/// nothing more comes for it, and the server gives up.
async fn raw_within(node: &Node, request: &[u8], patience: Duration) -> Vec<u8> {
    let mut stream = TcpStream::connect(node.address).await.unwrap();
    // A reset is an end too: the server may refuse before it has read everything.
    let _ = stream.write_all(request).await;
    let mut answer = Vec::new();
    let _ = timeout(patience, stream.read_buf(&mut answer)).await;
    let _ = stream.shutdown().await;
    let _ = timeout(PATIENCE, stream.read_to_end(&mut answer)).await.expect("an end, in time");
    answer
}

async fn raw(node: &Node, request: &[u8]) -> Vec<u8> {
    raw_within(node, request, PATIENCE).await
}

/// The status, and the problem's code if it is one of ours.
async fn answered(node: &Node, request: &str) -> (u16, String) {
    let answer = String::from_utf8(raw(node, request.as_bytes()).await).unwrap();
    let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok());
    let code = answer.split_once("\"code\":\"").and_then(|(_, rest)| rest.split('"').next());
    (status.unwrap_or_else(|| panic!("{request:?}: {answer:?}")), code.unwrap_or_default().to_owned())
}

#[tokio::test]
async fn what_is_no_request_of_this_server_is_refused() {
    let node = Node::start().await;
    let own = node.address.to_string();
    let whole = format!("GET http://{own}/healthz");
    for (line, host, status, code) in [
        ("CONNECT evil:80", "Host: evil:80\r\n", 405, "method_not_allowed"),
        ("GET mailto:x", "Host: x\r\n", 400, "invalid_request"),
        ("GET evil:80", "Host: x\r\n", 400, "invalid_request"),
        ("GET ftp://x/", "Host: x\r\n", 400, "invalid_request"),
        ("POST http://a@x/api/v1/login", "Host: x\r\n", 400, "invalid_request"),
        ("OPTIONS *", "Host: x\r\n", 405, "method_not_allowed"),
        ("GET *", "Host: x\r\n", 405, "method_not_allowed"),
        ("GET /healthz", "", 400, "invalid_request"),
        ("GET /healthz", "Host: x\r\nHost: y\r\n", 400, "invalid_request"),
        ("GET /healthz", "Host: a@x\r\n", 400, "invalid_request"),
        ("GET /healthz", "Host:\r\n", 400, "invalid_request"),
        ("TRACE /api/v1/me", "Host: x\r\n", 405, "method_not_allowed"),
        ("GET /healthz", "Host: x\r\n", 200, ""),
        (&whole, "Host: somewhere-else\r\n", 200, ""),
    ] {
        let request = format!("{line} HTTP/1.1\r\n{host}\r\n");
        assert_eq!(answered(&node, &request).await, (status, code.to_owned()), "{request:?}");
    }
    assert_eq!(answered(&node, "GET /healthz HTTP/1.0\r\n\r\n").await.0, 200);
    node.stop().await;
}

/// A request made of odd pieces, some of them torn.
fn odd_request() -> impl Strategy<Value = Vec<u8>> {
    let method = prop_oneof![
        Just("GET"),
        Just("HEAD"),
        Just("POST"),
        Just("PUT"),
        Just("PATCH"),
        Just("DELETE"),
        Just("OPTIONS"),
        Just("CONNECT"),
        Just("TRACE"),
        Just("PROPFIND"),
        Just("get"),
        Just("X-"),
        Just(""),
        Just("PRI"),
    ];
    let target = prop_oneof![
        Just("*".to_owned()),
        Just("evil:80".to_owned()),
        Just("mailto:x".to_owned()),
        Just(String::new()),
        Just("//".to_owned()),
        Just("//evil/x".to_owned()),
        Just("/%".to_owned()),
        Just("/%ff%00".to_owned()),
        Just("http://".to_owned()),
        Just("http://[::1]/".to_owned()),
        Just("http://:80/".to_owned()),
        Just("/api/v1/users/%2e%2e%2f".to_owned()),
        Just("/api/v1/users?query=%ff&query=%".to_owned()),
        Just("/api/v1/conversations?limit=1e9&before=%00".to_owned()),
        Just("/docs/..%2f..%2f".to_owned()),
        Just("/api/v1/conversations/x/messages?around=-1".to_owned()),
        Just("/ws".to_owned()),
        Just("/api/v1/login".to_owned()),
        Just("/api/v1/me/password".to_owned()),
        Just("/assets/".to_owned()),
        "/[ -~]{0,40}",
        "[!-~]{1,20}",
        "/\\PC{0,8}",
        Just(format!("/{}", "a".repeat(9_000))),
    ];
    let header = prop_oneof![
        Just(b"Cookie: milena_session=\xff\xfe; theme=\xc3\xbc".to_vec()),
        Just(b"Cookie: ;;;=;milena_session".to_vec()),
        Just(format!("Cookie: milena_session={}", "A".repeat(43)).into_bytes()),
        Just(b"Authorization: Bearer \xff".to_vec()),
        Just(b"Authorization:".to_vec()),
        Just(b"Origin: \xff\xfe".to_vec()),
        Just(b"Origin: null".to_vec()),
        Just(b"X-Forwarded-For: \xff, 1, ::".to_vec()),
        Just(b"X-Forwarded-Proto: \xff".to_vec()),
        Just(b"Accept-Encoding: \xff;q=x".to_vec()),
        Just(b"If-None-Match: \xff".to_vec()),
        Just(b"Content-Type: application/json;\xff".to_vec()),
        Just(b"Content-Type: application/json".to_vec()),
        Just(b"Content-Length: 3".to_vec()),
        Just(b"Content-Length: -1".to_vec()),
        Just(b"Transfer-Encoding: chunked".to_vec()),
        Just(b"Transfer-Encoding: gzip".to_vec()),
        Just(b"Expect: 100-continue".to_vec()),
        Just(b"Upgrade: websocket\r\nConnection: upgrade".to_vec()),
        Just(b"Upgrade: h2c\r\nConnection: upgrade, close".to_vec()),
        Just(b"Host: \xff".to_vec()),
        Just(b"Sec-WebSocket-Key: x\r\nSec-WebSocket-Version: 99".to_vec()),
        Just(b"Idempotency-Key: \xff".to_vec()),
        Just(b"User-Agent: \xff\x01".to_vec()),
        Just(b" folded: x".to_vec()),
        "[!-~]{1,12}: [ -~]{0,20}".prop_map(String::into_bytes),
    ];
    let version =
        prop_oneof![4 => Just("HTTP/1.1"), 1 => Just("HTTP/1.0"), 1 => Just("HTTP/2.0"), 1 => Just("")];
    let host = prop_oneof![4 => Just("Host: x\r\n"), 1 => Just("")];
    let body = prop_oneof![Just(""), Just("{\"a"), Just("3\r\n{}}\r\n0\r\n\r\n"), Just("\u{fffd}")];
    let all = (method, target, version, host, prop::collection::vec(header, 0..4), body, any::<u16>());
    all.prop_map(|(method, target, version, host, headers, body, torn)| {
        let mut request = format!("{method} {target} {version}\r\n{host}").into_bytes();
        for header in headers {
            request.extend([header.as_slice(), b"\r\n"].concat());
        }
        request.extend(b"\r\n");
        request.extend(body.as_bytes());
        // One in sixteen is torn somewhere.
        if torn % 16 == 0 {
            request.truncate(usize::from(torn) % request.len());
        }
        request
    })
}

#[tokio::test]
async fn odd_requests_neither_panic_nor_fill_the_log() {
    logged::keep();
    let node = Node::start().await;
    let rng = TestRng::deterministic_rng(prop::test_runner::RngAlgorithm::ChaCha);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    let strategy = odd_request();
    let requests: Vec<Vec<u8>> =
        (0..REQUESTS).map(|_| strategy.new_tree(&mut runner).unwrap().current()).collect();
    let mut refused = 0;
    for batch in requests.chunks(AT_ONCE) {
        let answers =
            futures::future::join_all(batch.iter().map(|request| raw_within(&node, request, TORN))).await;
        for (request, answer) in batch.iter().zip(answers) {
            let (request, answer) = (String::from_utf8_lossy(request), String::from_utf8_lossy(&answer));
            // Of what is not HTTP, hyper ends the connection.
            if answer.is_empty() {
                continue;
            }
            let status: u16 = answer.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap();
            assert!(status < 500, "{request:?}: {answer}");
            refused += usize::from((400..500).contains(&status));
        }
    }
    assert!(refused > REQUESTS / 2, "most are answered: {refused}");
    let failures =
        logged::lines(|line| line.message == "a request failed" || line.message.contains("panick"));
    assert!(failures.is_empty(), "{failures:?}");
    node.stop().await;
}

async fn me(node: &Node, cookie: &[u8]) -> Answer {
    let cookie = header::HeaderValue::from_bytes(cookie).unwrap();
    let request = node.http.get(node.url("/api/v1/me")).header(header::COOKIE, cookie);
    Answer::of(request.send().await.unwrap()).await
}

#[tokio::test]
async fn cookies_of_other_programs_do_not_matter() {
    let node = Node::start().await;
    let (anna, ben) = (node.register("anna").await, node.register("ben").await);
    let stale = "A".repeat(43);
    let cookie = |user: &User| format!("milena_session={}", user.token);
    let who = async |cookie: &[u8]| me(&node, cookie).await.ok(200)["username"].as_str().unwrap().to_owned();
    assert_eq!(who(format!("theme=ü; {}", cookie(&anna)).as_bytes()).await, "anna");
    assert_eq!(who(&[b"x=\xff\xfe; ".as_slice(), cookie(&anna).as_bytes()].concat()).await, "anna");
    assert_eq!(who(format!("milena_session={stale}; {}", cookie(&anna)).as_bytes()).await, "anna");
    assert_eq!(who(format!("milena_session=; milena_session=x; {}", cookie(&anna)).as_bytes()).await, "anna");
    // The first that is somebody's, whole: and a `__Host-` one before all others.
    assert_eq!(who(format!("{}; {}", cookie(&ben), cookie(&anna)).as_bytes()).await, "ben");
    assert_eq!(who(format!("{}; __Host-{}", cookie(&ben), cookie(&anna)).as_bytes()).await, "anna");
    // Bounded: what comes after several that are nobody's is not looked at.
    let many: Vec<String> =
        ('a'..='h').map(|letter| format!("milena_session={}", letter.to_string().repeat(43))).collect();
    me(&node, format!("{}; {}", many.join("; "), cookie(&anna)).as_bytes())
        .await
        .problem(401, "unauthenticated");

    // A token that is given wins, and is not helped out by a cookie.
    let request =
        node.http.get(node.url("/api/v1/me")).bearer_auth(&stale).header(header::COOKIE, cookie(&anna));
    Answer::of(request.send().await.unwrap()).await.problem(401, "unauthenticated");

    // Signing out ends the session that vouched, and no other.
    let both = format!("milena_session={stale}; {}; {}", cookie(&ben), cookie(&anna));
    let own = format!("http://{}", node.address);
    let logout = node.http.post(node.url("/api/v1/logout")).header(header::COOKIE, both);
    Answer::of(logout.header(header::ORIGIN, own).send().await.unwrap()).await.ok(204);
    node.get(&ben, "/api/v1/me").await.problem(401, "unauthenticated");
    node.get(&anna, "/api/v1/me").await.ok(200);
    node.stop().await;
}

#[tokio::test]
async fn with_a_public_url_only_its_host_and_pages_are_answered() {
    let node = Node::start_with(|settings| {
        settings.http.public_url = Some("https://chat.example.org".parse().unwrap());
        settings.http.allowed_hosts = vec!["internal:8080".to_owned()];
    })
    .await;
    let login = json!({"username": "anna", "password": "correct horse"}).to_string();
    let call = async |path: &str, host: &str, more: &str, body: &str| {
        let method = if body.is_empty() { Method::GET } else { Method::POST };
        let length = body.len();
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\n\
             Content-Length: {length}\r\n{more}\r\n{body}"
        );
        String::from_utf8(raw(&node, request.as_bytes()).await).unwrap()
    };
    let evil = call("/api/v1/me", "evil.example", "", "").await;
    assert!(evil.starts_with("HTTP/1.1 421 ") && evil.contains("unknown_host"), "{evil}");
    for host in ["chat.example.org", "chat.example.org:443", "internal:8080"] {
        let page = call("/", host, "", "").await;
        assert!(page.starts_with("HTTP/1.1 200 "), "{host}: {page}");
        assert!(page.contains("strict-transport-security: max-age=31536000\r\n"), "{page}");
    }
    assert!(call("/", "evil.example", "", "").await.starts_with("HTTP/1.1 421 "), "no page either");
    assert!(
        call("/readyz", "10.0.0.9", "", "").await.starts_with("HTTP/1.1 200 "),
        "balancers ask by address"
    );
    for (origin, status) in [
        ("https://chat.example.org", "201"),
        ("http://chat.example.org", "403"),
        ("https://internal:8080", "403"),
    ] {
        let answer =
            call("/api/v1/register", "chat.example.org", &format!("Origin: {origin}\r\n"), &login).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{origin}: {answer}");
        if status == "201" {
            assert!(answer.contains("set-cookie: __Host-milena_session="), "{answer}");
            assert!(answer.contains("set-cookie: milena_session=; Path=/; Max-Age=0;"), "{answer}");
        }
    }
    tokio::time::timeout(Duration::from_secs(20), node.stop()).await.unwrap();
}
