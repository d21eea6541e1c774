//! Answers: JSON, and problems as RFC 9457 has them.

use http::{HeaderValue, StatusCode, header};
use serde::Serialize;
use warp::reply::Response;

use crate::refusal::{Code, Refusal};
use crate::wire::rest::Problem;

/// What a handler gives.
pub(super) type Outcome = Result<Response, Refusal>;

/// A JSON answer.
pub(super) fn json(status: StatusCode, body: &impl Serialize) -> Response {
    with_type(status, "application/json", body)
}

/// `204 No Content`.
pub(super) fn no_content() -> Response {
    let mut response = Response::default();
    *response.status_mut() = StatusCode::NO_CONTENT;
    response
}

/// A text answer.
pub(super) fn text(status: StatusCode, kind: &'static str, body: String) -> Response {
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}

/// The outcome as an answer.
pub(super) fn settle(outcome: Outcome) -> Response {
    outcome.unwrap_or_else(problem)
}

/// A refusal as an answer. An internal one is written to the log under an id that the answer quotes.
pub(super) fn problem(mut refusal: Refusal) -> Response {
    let status =
        StatusCode::from_u16(refusal.code.http_status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    if refusal.code == Code::Internal {
        let id = format!("{:08x}", rand::random::<u32>());
        log::error!(id:% = id, reason:% = refusal.message; "a request failed");
        refusal.message = format!("something went wrong on the server; look for {id} in its log");
    }
    let (code, retry_after_ms) = (refusal.code, refusal.retry_after_ms);
    let mut response = with_type(status, "application/problem+json", &Problem::new(refusal, status));
    if let Some(ms) = retry_after_ms {
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(ms.div_ceil(1_000)));
    }
    if code == Code::Unauthenticated {
        response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    response
}

fn with_type(status: StatusCode, kind: &'static str, body: &impl Serialize) -> Response {
    match serde_json::to_string(body) {
        Ok(body) => text(status, kind, body),
        Err(error) => {
            log::error!(error:% = error; "an answer could not be written as JSON");
            text(StatusCode::INTERNAL_SERVER_ERROR, "text/plain", String::new())
        }
    }
}
