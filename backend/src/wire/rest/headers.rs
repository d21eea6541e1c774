//! Headers that every answer gets, and the content security policies.

use http::{HeaderMap, HeaderName, HeaderValue, header};

const ALWAYS: [(HeaderName, &str); 4] = [
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "same-origin"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
];

/// For answers that are no page: if a browser shows one all the same, nothing in it comes alive.
const NO_PAGE: &str = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'";

/// For the service worker, whose own requests are judged by the policy of its script.
const WORKER: &str = "default-src 'none'; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; \
                      form-action 'none'";

/// Swagger UI styles its elements in place and has its icons in `data:` URLs.
const DOCS: &str = "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
                    object-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'";

/// Adds what is missing: a handler's own policy and caching stay.
pub(crate) fn complete(headers: &mut HeaderMap) {
    for (name, value) in ALWAYS {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    headers.entry(header::CONTENT_SECURITY_POLICY).or_insert(HeaderValue::from_static(NO_PAGE));
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
}

/// For an answer over TLS: browsers come by TLS only, for a year from now on.
pub(crate) fn stay_with_tls(headers: &mut HeaderMap) {
    let value = HeaderValue::from_static("max-age=31536000");
    headers.insert(header::STRICT_TRANSPORT_SECURITY, value);
}

/// The policy of the service worker's script.
pub(crate) fn worker_policy() -> HeaderValue {
    HeaderValue::from_static(WORKER)
}

/// The policy of the documentation.
pub(crate) fn docs_policy() -> HeaderValue {
    HeaderValue::from_static(DOCS)
}

/// The policy of the browser client, which was asked for at `host`.
pub(crate) fn page_policy(host: Option<&HeaderValue>) -> HeaderValue {
    // 'self' covers WebSockets in today's browsers; older ones need them spelled out.
    let sockets = host
        .and_then(|host| host.to_str().ok())
        .filter(|host| host.bytes().all(|b| b.is_ascii_alphanumeric() || b".-:[]".contains(&b)))
        .map(|host| format!(" ws://{host} wss://{host}"))
        .unwrap_or_default();
    let policy = format!(
        "default-src 'self'; connect-src 'self'{sockets}; img-src 'self' data:; object-src 'none'; \
         frame-ancestors 'none'; base-uri 'none'; form-action 'self'"
    );
    HeaderValue::from_str(&policy).unwrap_or(HeaderValue::from_static(NO_PAGE))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_strange_host_does_not_get_into_the_policy() {
        let policy = |host| page_policy(Some(&HeaderValue::from_static(host))).to_str().unwrap().to_owned();
        assert!(policy("chat.example.org:8080").contains("wss://chat.example.org:8080;"));
        assert!(!policy("x; script-src *").contains("script-src"));
    }
}
