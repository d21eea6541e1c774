//! The browser client, or the page in its place, depending on what was there when the server was built.

use std::path::Path;

use reqwest::header;

use crate::client::Answer;
use crate::node::Node;

const AS_A_PERSON: &str = "text/html,application/xhtml+xml,*/*;q=0.8";

#[tokio::test]
async fn pages_are_for_people_and_nothing_else() {
    let node = Node::start().await;
    let get = async |path: &str, accept: &str| {
        let request = node.http.get(node.url(path)).header(header::ACCEPT, accept);
        Answer::of(request.send().await.unwrap()).await
    };
    for path in ["/", "/index.html", "/c/0190c0de-0000-7000-8000-000000000000"] {
        let page = get(path, AS_A_PERSON).await;
        assert_eq!((page.status, page.header("content-type")), (200, "text/html; charset=utf-8"), "{path}");
        assert_eq!(page.header("cache-control"), "no-cache");
        let policy = page.header("content-security-policy");
        assert!(policy.starts_with("default-src 'self'; connect-src 'self' ws://127.0.0.1:"), "{policy}");
        for part in ["img-src 'self' data:", "object-src 'none'", "base-uri 'none'", "form-action 'self'"] {
            assert!(policy.contains(part), "{policy}");
        }
    }
    get("/c/1", "application/json").await.problem(404, "not_found");
    get("/assets/gone.js", AS_A_PERSON).await.problem(404, "not_found");
    get("/api/v1/gone", AS_A_PERSON).await.problem(404, "not_found");
    node.stop().await;
}

#[tokio::test]
async fn built_files_are_cached_and_compressed() {
    let dist = Path::new(env!("CARGO_MANIFEST_DIR")).join("../frontend/dist/assets");
    let Ok(entries) = std::fs::read_dir(dist) else { return };
    let names: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.ends_with(".js"))
        .collect();
    let node = Node::start().await;
    for name in names {
        let url = node.url(&format!("/assets/{name}"));
        let plain = node.http.get(&url).send().await.unwrap();
        let plain = Answer::of(plain).await;
        assert_eq!(plain.header("cache-control"), "public, max-age=31536000, immutable");
        assert_eq!(plain.header("content-encoding"), "");
        let packed = node.http.get(&url).header(header::ACCEPT_ENCODING, "gzip").send().await.unwrap();
        assert_eq!(packed.headers()[header::VARY], "accept-encoding");
        if plain.text.len() > 2_000 {
            assert_eq!(packed.headers()[header::CONTENT_ENCODING], "gzip");
            assert!(packed.bytes().await.unwrap().len() < plain.text.len());
        }
        let again =
            node.http.get(&url).header(header::IF_NONE_MATCH, plain.header("etag")).send().await.unwrap();
        assert_eq!(again.status(), 304);
    }
    node.stop().await;
}
