//! The headers that keep a browser from being turned against its user, word by word: on the page, on answers
//! of the API, on errors, and on what is served beside them.

use std::path::Path;

use reqwest::{Method, header};

use crate::client::Answer;
use crate::node::Node;

const NO_PAGE: &str = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";
const DOCS: &str = "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
                    object-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'";

const WORKER: &str = "default-src 'none'; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; \
                      form-action 'none'";

fn page_policy(node: &Node) -> String {
    format!(
        "default-src 'self'; connect-src 'self' ws://{0} wss://{0}; img-src 'self' data:; object-src 'none'; \
         frame-ancestors 'none'; base-uri 'none'; form-action 'self'",
        node.address
    )
}

/// Everything that says what a browser may do with an answer: no more and no less.
fn check(what: &str, answer: &Answer, status: u16, policy: &str, cache: &str) {
    assert_eq!(answer.status, status, "{what}");
    for (name, value) in [
        ("content-security-policy", policy),
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "same-origin"),
        ("cross-origin-opener-policy", "same-origin"),
        ("cross-origin-resource-policy", "same-origin"),
        ("cache-control", cache),
    ] {
        let values: Vec<_> = answer.headers.get_all(name).iter().collect();
        assert_eq!(values, [value], "{what}: {name}");
    }
    // No other origin is let in, and nothing tells what answers.
    for absent in
        ["access-control-allow-origin", "access-control-allow-credentials", "server", "x-powered-by"]
    {
        assert!(!answer.headers.contains_key(absent), "{what}: {absent}");
    }
}

#[tokio::test]
async fn every_answer_has_them() {
    let node = Node::start_with(|settings| {
        settings.limits.request_burst = 5;
        settings.limits.request_per_second = 1;
    })
    .await;
    let page = page_policy(&node);
    for path in ["/", "/index.html", "/c/0190c0de-0000-7000-8000-000000000000"] {
        let request = node.http.get(node.url(path)).header(header::ACCEPT, "text/html");
        check(path, &Answer::of(request.send().await.unwrap()).await, 200, &page, "no-cache");
    }
    let anna = node.register("anna").await;
    let api = async |method: Method, path: &str, status: u16| {
        let answer = node.call(method.clone(), path, Some(&anna), None).await;
        check(&format!("{method} {path}"), &answer, status, NO_PAGE, "no-store");
    };
    api(Method::GET, "/api/v1/me", 200).await;
    api(Method::HEAD, "/api/v1/me", 200).await;
    api(Method::GET, "/api/v1/conversations", 200).await;
    api(Method::GET, "/api/v1/users/not-a-uuid", 400).await;
    api(Method::GET, "/api/v1/nothing", 404).await;
    api(Method::GET, "/gone.js", 404).await;
    api(Method::PUT, "/api/v1/login", 405).await;
    api(Method::POST, "/api/v1/register", 415).await;
    api(Method::GET, "/metrics", 200).await;
    api(Method::GET, "/healthz", 200).await;
    api(Method::GET, "/openapi.json", 200).await;
    api(Method::GET, "/ws", 400).await;
    while node.get(&anna, "/api/v1/me").await.status != 429 {}
    api(Method::GET, "/api/v1/me", 429).await;
    let nobody = node.call(Method::GET, "/api/v1/me", None, None).await;
    check("nobody", &nobody, 401, NO_PAGE, "no-store");
    check("/docs/", &node.get(&anna, "/docs/").await, 200, DOCS, "no-cache");
    check("/docs/gone", &node.get(&anna, "/docs/gone").await, 404, NO_PAGE, "no-store");
    api(Method::POST, "/api/v1/logout", 204).await;
    node.stop().await;
}

/// The worker that keeps the page for when there is no server asks for the page's files itself: under the
/// policy of all else it could ask for nothing.
#[tokio::test]
async fn the_worker_may_ask_its_own_server() {
    if !Path::new(env!("CARGO_MANIFEST_DIR")).join("../frontend/dist/sw.js").exists() {
        assert!(std::env::var_os("CI").is_none(), "the page is not built");
        return;
    }
    let node = Node::start().await;
    let worker = node.http.get(node.url("/sw.js")).send().await.unwrap();
    check("/sw.js", &Answer::of(worker).await, 200, WORKER, "no-cache");
    node.stop().await;
}
