//! Answers of the API in gzip, for clients that take it.
//!
//! Compressing is chosen answer by answer, because of BREACH: TLS hides what an answer says, not how long it
//! is, and where an answer has a text of an attacker's choice beside a secret, a compressed one is the
//! shorter the more the two are alike. Then who sees the lengths can guess the secret piece by piece. So only
//! answers without such a pair are compressed:
//!
//! - one conversation's messages: whoever writes in it may read all of it anyway;
//! - people: what everybody may see of them, and the query is not repeated;
//! - the API's description.
//!
//! Never compressed: answers with a token (`register`, `login`, `me/password`), and the list of
//! conversations, in which a stranger's newest message would stand beside everybody else's. Problems are
//! short. What is compressed carries no secret of the session either: that is in the cookie.

use std::io::Write;

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde::Serialize;
use warp::reply::Response;

use super::answer;

/// Smaller answers fit a packet anyway.
pub(super) const WORTH_COMPRESSING_BYTES: usize = 1_024;
/// From here on compressing would hold up others on the same thread: about a millisecond.
const OFF_THREAD_BYTES: usize = 64 * 1_024;
/// Somewhat better than the fastest, at little more time.
const LEVEL: u32 = 4;

/// A JSON answer without a secret beside somebody else's text, compressed when the client takes that and it
/// is worth it.
pub(super) async fn json(request: &HeaderMap, status: StatusCode, body: &impl Serialize) -> Response {
    let Ok(plain) = serde_json::to_vec(body).map(Bytes::from) else { return answer::json(status, body) };
    let is_worth_it = plain.len() >= WORTH_COMPRESSING_BYTES && accepts_gzip(request);
    let gzip = if is_worth_it { off_thread(plain.clone()).await } else { None };
    let mut response = Response::default();
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    if gzip.is_some() {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    *response.body_mut() = gzip.unwrap_or(plain).into();
    response
}

async fn off_thread(plain: Bytes) -> Option<Bytes> {
    let level = Compression::new(LEVEL);
    if plain.len() < OFF_THREAD_BYTES {
        return gzip(&plain, level);
    }
    tokio::task::spawn_blocking(move || gzip(&plain, level)).await.ok().flatten()
}

/// The compressed form; `None` when it is not smaller.
pub(super) fn gzip(plain: &[u8], level: Compression) -> Option<Bytes> {
    let mut encoder = GzEncoder::new(Vec::new(), level);
    let compressed = encoder.write_all(plain).and_then(|()| encoder.finish()).ok()?;
    (compressed.len() < plain.len()).then(|| Bytes::from(compressed))
}

/// Whether the client takes gzip.
pub(super) fn accepts_gzip(request: &HeaderMap) -> bool {
    let lists = request.get_all(header::ACCEPT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    lists.flat_map(|list| list.split(',')).any(|entry| {
        let mut parts = entry.split(';').map(str::trim);
        let is_gzip = parts.next().is_some_and(|name| name.eq_ignore_ascii_case("gzip") || name == "*");
        let refused = parts.any(|part| part.strip_prefix("q=").is_some_and(|q| q.parse() == Ok(0.0_f32)));
        is_gzip && !refused
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accepting(value: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(header::ACCEPT_ENCODING, HeaderValue::from_static(value))])
    }

    #[test]
    fn gzip_is_taken_unless_refused() {
        let accepts = |value| accepts_gzip(&accepting(value));
        assert!(accepts("gzip, deflate, br") && accepts("br;q=1, GZIP;q=0.5") && accepts("*"));
        assert!(!accepts("br") && !accepts("gzip;q=0") && !accepts("gzip; q=0.0") && !accepts(""));
    }

    #[tokio::test]
    async fn only_what_is_worth_it_is_compressed() {
        let encoding = async |accept: &'static str, body: &str| {
            let response = json(&accepting(accept), StatusCode::OK, &body).await;
            assert_eq!(response.headers()[header::VARY], "accept-encoding");
            response.headers().get(header::CONTENT_ENCODING).cloned()
        };
        for bytes in [WORTH_COMPRESSING_BYTES, 2 * OFF_THREAD_BYTES] {
            assert_eq!(encoding("gzip", &"a".repeat(bytes)).await.unwrap(), "gzip");
            assert_eq!(encoding("br", &"a".repeat(bytes)).await, None);
        }
        assert_eq!(encoding("gzip", "short").await, None);
    }
}
