//! `/docs` and `/openapi.json`: the API's document, and Swagger UI to try it in.

use std::sync::Arc;

use http::{HeaderMap, HeaderValue, StatusCode, header};
use utoipa_swagger_ui::Config;
use warp::Filter;
use warp::filters::BoxedFilter;
use warp::path::Tail;
use warp::reply::Response;

use super::answer::{Outcome, settle};
use super::{compression, openapi};
use crate::refusal::{Code, Refusal};
use crate::wire::rest::headers;

pub(super) fn routes() -> BoxedFilter<(Response,)> {
    let config = Arc::new(Config::from("/openapi.json"));
    let document = warp::path!("openapi.json").and(warp::get()).and(warp::header::headers_cloned()).then(
        async |headers: HeaderMap| compression::json(&headers, StatusCode::OK, openapi::document()).await,
    );
    // The page's links are relative: it needs the slash.
    let files = warp::path("docs").and(warp::path::tail()).and(warp::path::full()).and(warp::get()).map(
        move |tail: Tail, full: warp::path::FullPath| {
            if full.as_str() == "/docs" { moved() } else { settle(file(tail.as_str(), &config)) }
        },
    );
    document.or(files).unify().boxed()
}

fn moved() -> Response {
    let mut response = Response::default();
    *response.status_mut() = StatusCode::MOVED_PERMANENTLY;
    response.headers_mut().insert(header::LOCATION, HeaderValue::from_static("/docs/"));
    response
}

fn file(path: &str, config: &Arc<Config<'static>>) -> Outcome {
    let found = utoipa_swagger_ui::serve(path, Arc::clone(config))
        .map_err(|error| Refusal::new(Code::Internal, format!("Swagger UI: {error}")))?;
    let file = found.ok_or_else(|| Refusal::new(Code::NotFound, "there is nothing at this address"))?;
    let kind = HeaderValue::from_str(&file.content_type)
        .map_err(|error| Refusal::new(Code::Internal, error.to_string()))?;
    let mut response = Response::new(file.bytes.into_owned().into());
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, kind);
    headers.insert(header::CONTENT_SECURITY_POLICY, headers::docs_policy());
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    if file.gzpipped {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    Ok(response)
}
