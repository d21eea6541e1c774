//! Which pages may use the session cookie.
//!
//! Browsers send cookies by themselves, also when another page makes the request; `Origin` says which page that was, and
//! scripts cannot change it.

use http::{HeaderMap, Uri, header};

use crate::refusal::{Code, Refusal};

/// For a request that the cookie signs in and that changes something or opens a socket.
///
/// # Errors
/// `forbidden_origin` without an `Origin`, or with a foreign one.
pub fn require_own(headers: &HeaderMap, allowed: &[String]) -> Result<(), Refusal> {
    match headers.get(header::ORIGIN) {
        None => Err(forbidden("the session cookie needs an Origin header here; programs use a Bearer token")),
        Some(_) => refuse_foreign(headers, allowed),
    }
}

/// For a request that nothing signs in yet, such as a sign-in: without an `Origin` it is no page's.
///
/// # Errors
/// `forbidden_origin` with a foreign `Origin`.
pub fn refuse_foreign(headers: &HeaderMap, allowed: &[String]) -> Result<(), Refusal> {
    let mut origins = headers.get_all(header::ORIGIN).iter();
    let Some(origin) = origins.next() else { return Ok(()) };
    let origin = origin.to_str().unwrap_or_default();
    if origins.next().is_none() && (is_own(origin, headers) || is_allowed(origin, allowed)) {
        return Ok(());
    }
    Err(forbidden("this page may not use the session: its Origin is not this server's"))
}

/// The origin has the host and port that the request went to. The scheme is not compared: a proxy that ends TLS hides
/// which one the browser used, and `SameSite` keeps the cookie to one scheme.
fn is_own(origin: &str, headers: &HeaderMap) -> bool {
    let Some(host) = headers.get(header::HOST).and_then(|host| host.to_str().ok()) else { return false };
    let Ok(uri) = origin.parse::<Uri>() else { return false };
    let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else { return false };
    let default_port = match scheme {
        "http" => ":80",
        "https" => ":443",
        _ => return false,
    };
    let host = host.strip_suffix(default_port).unwrap_or(host);
    authority.as_str().eq_ignore_ascii_case(host)
}

fn is_allowed(origin: &str, allowed: &[String]) -> bool {
    allowed.iter().any(|known| known.trim_end_matches('/').eq_ignore_ascii_case(origin))
}

fn forbidden(message: &str) -> Refusal {
    Refusal::new(Code::ForbiddenOrigin, message)
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn request(host: &'static str, origin: &'static str) -> HeaderMap {
        HeaderMap::from_iter([
            (header::HOST, HeaderValue::from_static(host)),
            (header::ORIGIN, HeaderValue::from_static(origin)),
        ])
    }

    #[test]
    fn the_page_itself_may() {
        for (host, origin) in [
            ("chat.example.org", "https://chat.example.org"),
            ("127.0.0.1:8080", "http://127.0.0.1:8080"),
            ("Chat.example.org", "http://chat.EXAMPLE.org"),
            ("chat.example.org:443", "https://chat.example.org"),
            ("[::1]:8080", "http://[::1]:8080"),
        ] {
            assert_eq!(require_own(&request(host, origin), &[]), Ok(()), "{origin} at {host}");
        }
    }

    #[test]
    fn others_may_not() {
        for origin in [
            "https://evil.example",
            "https://chat.example.org.evil.example",
            "https://chat.example.org:8443",
            "https://user@chat.example.org",
            "null",
            "",
            "chat.example.org",
            "file://chat.example.org",
        ] {
            let refused = require_own(&request("chat.example.org", origin), &[]);
            assert_eq!(refused.unwrap_err().code, Code::ForbiddenOrigin, "{origin}");
        }
        let mut twice = request("chat.example.org", "https://chat.example.org");
        twice.append(header::ORIGIN, HeaderValue::from_static("https://evil.example"));
        assert!(refuse_foreign(&twice, &[]).is_err());
    }

    #[test]
    fn allowed_ones_may() {
        let allowed = ["https://chat.example.org".to_owned()];
        let request = request("backend:8080", "https://chat.example.org");
        assert_eq!(require_own(&request, &allowed), Ok(()));
        assert!(require_own(&request, &[]).is_err());
    }

    #[test]
    fn without_origin_only_where_nothing_is_signed_in() {
        let none = HeaderMap::new();
        assert!(require_own(&none, &[]).is_err());
        assert_eq!(refuse_foreign(&none, &[]), Ok(()));
    }
}
