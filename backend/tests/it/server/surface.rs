//! What every request meets: unknown addresses, methods, sizes, types, `HEAD`, headers, and the API's
//! document.

use std::path::Path;

use reqwest::{Method, header};
use serde_json::{Value, json};

use crate::client::Answer;
use crate::node::Node;

#[tokio::test]
async fn unknown_addresses_and_methods() {
    let node = Node::start().await;
    let anna = node.register("anna").await;
    for path in ["/api/v1/nothing", "/api/v1", "/api", "/api/v1/users/1/2", "/ws/x"] {
        for method in [Method::GET, Method::POST, Method::DELETE] {
            node.call(method, path, Some(&anna), None).await.problem(404, "not_found");
        }
    }
    for (method, path, allow) in [
        (Method::GET, "/api/v1/login", "POST"),
        (Method::PUT, "/api/v1/me", "GET, HEAD, PATCH"),
        (Method::POST, "/api/v1/users/1", "GET, HEAD"),
        (Method::DELETE, "/api/v1/conversations/1/messages", "GET, HEAD, POST"),
        (Method::PATCH, "/api/v1/conversations/1/read", "PUT"),
        (Method::OPTIONS, "/api/v1/register", "POST"),
        (Method::POST, "/readyz", "GET, HEAD"),
        (Method::POST, "/", "GET, HEAD"),
    ] {
        let answer = node.call(method.clone(), path, Some(&anna), None).await;
        assert_eq!(answer.header("allow"), allow, "{method} {path}");
        answer.problem(405, "method_not_allowed");
    }
    node.stop().await;
}

#[tokio::test]
async fn bodies_must_be_json_and_not_too_large() {
    let node = Node::start().await;
    let post = async |kind: Option<&str>, body: Vec<u8>| {
        let mut request = node.http.post(node.url("/api/v1/login")).body(body);
        if let Some(kind) = kind {
            request = request.header(header::CONTENT_TYPE, kind);
        }
        Answer::of(request.send().await.unwrap()).await
    };
    let good = br#"{"username":"nobody","password":"correct horse"}"#.to_vec();
    for kind in ["application/json", "Application/JSON; charset=utf-8"] {
        post(Some(kind), good.clone()).await.problem(401, "bad_credentials");
    }
    for kind in
        [None, Some("text/plain"), Some("application/x-www-form-urlencoded"), Some("application/jsonx")]
    {
        post(kind, good.clone()).await.problem(415, "unsupported_media_type");
    }
    for body in [&b""[..], b"{", b"[]", b"\"x\"", b"\xff\xfe", b"{\"username\":\"\xff\"}"] {
        post(Some("application/json"), body.to_vec()).await.problem(400, "invalid_json");
    }
    let limit = 128 * 1024;
    let filled = |length: usize| {
        let body = format!("{{\"username\":\"{}\",\"password\":\"x\"}}", "x".repeat(length));
        let surplus = body.len() - length;
        body.replace(&"x".repeat(length), &"x".repeat(length - surplus)).into_bytes()
    };
    assert_eq!(filled(limit).len(), limit);
    post(Some("application/json"), filled(limit)).await.problem(401, "bad_credentials");
    post(Some("application/json"), filled(limit + 1)).await.problem(413, "too_large");
    // Without an announced length too.
    let chunks = futures::stream::iter((0..200).map(|_| Ok::<_, std::io::Error>(vec![b' '; 1_024])));
    let chunked = node
        .http
        .post(node.url("/api/v1/login"))
        .header(header::CONTENT_TYPE, "application/json")
        .body(reqwest::Body::wrap_stream(chunks));
    Answer::of(chunked.send().await.unwrap()).await.problem(413, "too_large");
    node.stop().await;
}

#[tokio::test]
async fn head_is_get_without_a_body() {
    let node = Node::start().await;
    let anna = node.register("anna").await;
    for path in ["/api/v1/me", "/openapi.json", "/healthz", "/docs/"] {
        let get = node.get(&anna, path).await;
        let head = node.call(Method::HEAD, path, Some(&anna), None).await;
        assert_eq!((head.status, head.text.as_str()), (200, ""), "{path}");
        for name in ["content-type", "content-length"] {
            assert_eq!(head.header(name), get.header(name), "{path} {name}");
        }
    }
    assert_eq!(node.call(Method::HEAD, "/api/v1/me", None, None).await.status, 401);
    node.stop().await;
}

#[tokio::test]
async fn health_readiness_and_metrics() {
    let mut node = Node::start().await;
    let anna = node.register("anna").await;
    assert_eq!(node.get(&anna, "/healthz").await.text, "ok\n");
    let ready = node.get(&anna, "/readyz").await.ok(200);
    assert_eq!(ready, json!({"ready": true, "database": "ok", "log": "ok", "disk": "ok", "events": "ok"}));
    node.get(&anna, "/api/v1/users/not-a-uuid").await.problem(400, "invalid_field");
    let metrics = node.get(&anna, "/metrics").await;
    assert!(metrics.header("content-type").starts_with("text/plain; version=0.0.4"));
    for expected in [
        "# HELP milena_http_request_seconds ",
        "milena_http_request_seconds_bucket{route=\"/api/v1/register\",method=\"POST\",\
         status=\"201\",le=\"+Inf\"}",
        "route=\"/api/v1/users/{id}\"",
        "milena_http_connections ",
        "milena_sockets ",
        "milena_produce_failures_total ",
    ] {
        assert!(metrics.text.contains(expected), "{expected} is missing in {}", metrics.text);
    }
    assert!(!metrics.text.contains("not-a-uuid") && !metrics.text.contains(&anna.id));

    // Without the log it is still ready: history goes on.
    node.stop_broker().await;
    let state = node.until(async |node| {
        let state = node.get(&anna, "/readyz").await.ok(200);
        (state["log"] == "unavailable").then_some(state)
    });
    assert_eq!(state.await["ready"], true);
    node.stop().await;
}

#[tokio::test]
async fn those_who_run_it_may_have_an_address_of_their_own() {
    let node = Node::start_with(|settings| settings.http.operations_listen = "127.0.0.1:0".to_owned()).await;
    let inside = node.operations.expect("it listens there");
    let ask = async |url: String| {
        // As a browser asks, which gets the client's page for addresses that are nobody's.
        let request = node.http.get(url).header("accept", "text/html,*/*");
        Answer::of(request.send().await.unwrap()).await
    };
    for path in ["/metrics", "/docs", "/docs/", "/openapi.json"] {
        assert_eq!(ask(node.url(path)).await.status, 404, "{path} is not for everybody");
        assert_eq!(ask(format!("http://{inside}{path}")).await.status, 200, "{path}");
    }
    assert_eq!(ask(node.url("/readyz")).await.ok(200), json!({"ready": true}));
    let details = ask(format!("http://{inside}/readyz")).await.ok(200);
    assert_eq!(details, json!({"ready": true, "database": "ok", "log": "ok", "disk": "ok", "events": "ok"}));
    for address in [node.address, inside] {
        assert_eq!(ask(format!("http://{address}/healthz")).await.text, "ok\n");
    }
    assert_eq!(ask(format!("http://{inside}/api/v1/me")).await.status, 404, "and nothing else is there");
    node.stop().await;
    assert!(std::net::TcpStream::connect(inside).is_err(), "it ends with the backend");
}

#[tokio::test]
async fn the_documents_are_served_and_the_copy_is_current() {
    let node = Node::start().await;
    let served = Answer::of(node.http.get(node.url("/openapi.json")).send().await.unwrap()).await.ok(200);
    let copy = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/openapi.json");
    let wanted = format!("{}\n", serde_json::to_string_pretty(&served).unwrap());
    if std::env::var_os("MILENA_BLESS").is_some() {
        std::fs::write(&copy, &wanted).unwrap();
    }
    let written = std::fs::read_to_string(&copy).unwrap_or_default();
    assert_eq!(
        serde_json::from_str::<Value>(&written).unwrap_or_default(),
        served,
        "docs/openapi.json is out of date: run the test with MILENA_BLESS=1"
    );

    let moved = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let moved = Answer::of(moved.get(node.url("/docs")).send().await.unwrap()).await;
    assert_eq!((moved.status, moved.header("location")), (301, "/docs/"));
    let page = Answer::of(node.http.get(node.url("/docs/")).send().await.unwrap()).await;
    assert!(page.text.contains("swagger-ui") && page.header("content-type").starts_with("text/html"));
    assert!(!page.text.contains("<script>"), "the policy forbids inline scripts");
    for (path, kind) in [
        ("swagger-initializer.js", "text/javascript"),
        ("swagger-ui-bundle.js", "text/javascript"),
        ("swagger-ui.css", "text/css"),
    ] {
        let file = Answer::of(node.http.get(node.url(&format!("/docs/{path}"))).send().await.unwrap()).await;
        assert_eq!((file.status, file.header("content-type")), (200, kind), "{path}");
    }
    let gone = Answer::of(node.http.get(node.url("/docs/../../etc/passwd")).send().await.unwrap()).await;
    assert_eq!(gone.status, 404);
    node.stop().await;
}
