//! The browser client: the files of `frontend/dist`, which are part of the program.
//!
//! Files under `assets/` have a hash of their content in their names and are kept for ever; the page itself
//! is asked for again each time, which costs a `304`. Any address that looks like a page's gets the page, so
//! that the client's own addresses can be opened directly.

mod assets;

use http::{HeaderMap, HeaderValue, StatusCode, header};
use warp::Filter;
use warp::filters::BoxedFilter;
use warp::path::FullPath;
use warp::reply::Response;

use self::assets::{Asset, find};
use super::answer::{Outcome, settle};
use super::compression::accepts_gzip;
use crate::refusal::{Code, Refusal};
use crate::wire::rest::headers;

const PAGE: &str = "index.html";
const WORKER: &str = "sw.js";
const FOR_EVER: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");
const ASK_AGAIN: HeaderValue = HeaderValue::from_static("no-cache");
/// Shown in the client's place when the program was built without it.
const NOT_BUILT: &str = include_str!("not_built.html");

pub(super) fn routes() -> BoxedFilter<(Response,)> {
    warp::any()
        .and(warp::path::full())
        .and_then(async |path: FullPath| {
            // Before the method: an unknown address of the API is "not found" for every method.
            if is_of_server(path.as_str()) { Err(warp::reject::not_found()) } else { Ok(path) }
        })
        .and(warp::get())
        .and(warp::header::headers_cloned())
        .then(async |path: FullPath, headers: HeaderMap| settle(serve(path.as_str(), &headers).await))
        .boxed()
}

/// Addresses that are not the client's.
fn is_of_server(path: &str) -> bool {
    ["/api", "/ws"]
        .iter()
        .any(|prefix| path.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with('/')))
}

async fn serve(path: &str, request: &HeaderMap) -> Outcome {
    let name = path.trim_start_matches('/');
    match find(name) {
        Some(asset) if name != PAGE => {
            let mut response = answer(asset, cache(name), request).await;
            if name == WORKER {
                let policy = headers::worker_policy();
                response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
            }
            Ok(response)
        }
        _ if name.is_empty() || name == PAGE || is_page(name, request) => Ok(page(request).await),
        _ => Err(Refusal::new(Code::NotFound, "there is nothing at this address")),
    }
}

/// A person typed the address, or followed a link: not a script that misses a file.
fn is_page(name: &str, request: &HeaderMap) -> bool {
    let wants_page = request
        .get_all(header::ACCEPT)
        .iter()
        .any(|accept| accept.to_str().is_ok_and(|accept| accept.contains("text/html")));
    wants_page && !name.starts_with("assets/")
}

async fn page(request: &HeaderMap) -> Response {
    let mut response = match find(PAGE) {
        Some(asset) => answer(asset, ASK_AGAIN, request).await,
        None => {
            let mut response = Response::new(NOT_BUILT.into());
            let headers = response.headers_mut();
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
            headers.insert(header::CACHE_CONTROL, ASK_AGAIN);
            response
        }
    };
    let policy = headers::page_policy(request.get(header::HOST));
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
    response
}

fn cache(name: &str) -> HeaderValue {
    if name.starts_with("assets/") { FOR_EVER } else { ASK_AGAIN }
}

async fn answer(asset: &'static Asset, cache: HeaderValue, request: &HeaderMap) -> Response {
    let mut response = Response::default();
    let headers = response.headers_mut();
    headers.insert(header::ETAG, asset.etag.clone());
    headers.insert(header::CACHE_CONTROL, cache);
    headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    if is_known(request, &asset.etag) {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        return response;
    }
    headers.insert(header::CONTENT_TYPE, asset.kind.clone());
    let compressed = if accepts_gzip(request) { asset.gzip().await } else { None };
    let body = match compressed {
        Some(body) => {
            headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
            body
        }
        None => asset.bytes.clone(),
    };
    *response.body_mut() = body.into();
    response
}

fn is_known(request: &HeaderMap, etag: &HeaderValue) -> bool {
    let known = request.get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    known
        .flat_map(|list| list.split(','))
        .any(|known| known.trim().trim_start_matches("W/").as_bytes() == etag)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(name: http::HeaderName, value: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(name, HeaderValue::from_static(value))])
    }

    #[test]
    fn known_tags() {
        let etag = HeaderValue::from_static("\"abc\"");
        let known = |value| is_known(&with(header::IF_NONE_MATCH, value), &etag);
        assert!(known("\"abc\"") && known("W/\"abc\"") && known("\"x\", \"abc\""));
        assert!(!known("\"abcd\"") && !known("abc"));
    }

    #[test]
    fn the_api_is_not_the_clients() {
        assert!(is_of_server("/api") && is_of_server("/api/v1/nothing") && is_of_server("/ws"));
        assert!(!is_of_server("/apiary") && !is_of_server("/") && !is_of_server("/wsx"));
    }

    #[test]
    fn pages_are_for_people() {
        let person = with(header::ACCEPT, "text/html,application/xhtml+xml");
        assert!(is_page("c/123", &person));
        assert!(!is_page("assets/gone.js", &person));
        assert!(!is_page("c/123", &with(header::ACCEPT, "*/*")));
    }
}
