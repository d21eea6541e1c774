//! The HTTP side of a WebSocket: the checks of RFC 6455, section 4.2, and the answer to them.

use http::{HeaderMap, Request, Response};
use tokio_tungstenite::tungstenite::Error;
use tokio_tungstenite::tungstenite::handshake::server::create_response;

use crate::refusal::{Code, Refusal};

/// The `101 Switching Protocols` for a `GET` with these headers.
///
/// # Errors
/// `invalid_field` naming the header when this is not an upgrade to WebSocket 13.
pub fn switching_protocols(headers: &HeaderMap) -> Result<Response<()>, Refusal> {
    let mut request = Request::new(());
    *request.headers_mut() = headers.clone();
    create_response(&request).map_err(|error| {
        let problem = match error {
            Error::Protocol(problem) => problem.to_string(),
            other => other.to_string(),
        };
        Refusal::new(Code::InvalidField, format!("not a WebSocket upgrade: {problem}"))
    })
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn headers() -> HeaderMap {
        [
            ("connection", "keep-alive, Upgrade"),
            ("upgrade", "websocket"),
            ("sec-websocket-version", "13"),
            ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
        ]
        .into_iter()
        .map(|(name, value)| (name.parse().unwrap(), HeaderValue::from_static(value)))
        .collect()
    }

    #[test]
    fn the_example_of_the_standard() {
        let response = switching_protocols(&headers()).unwrap();
        assert_eq!(response.status(), 101);
        assert_eq!(response.headers()["sec-websocket-accept"], "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    }

    #[test]
    fn anything_else_is_refused() {
        for name in ["connection", "upgrade", "sec-websocket-version", "sec-websocket-key"] {
            let mut missing = headers();
            missing.remove(name);
            assert!(switching_protocols(&missing).is_err(), "{name}");
        }
        let mut old = headers();
        old.insert("sec-websocket-version", HeaderValue::from_static("8"));
        assert!(switching_protocols(&old).is_err());
    }
}
