//! Which pages may use the session cookie.
//!
//! Browsers send cookies by themselves, also when another page makes the request; `Origin` says which page
//! that was, and scripts cannot change it.

use http::uri::Authority;
use http::{HeaderMap, Uri, header};
use milena_settings::HttpSettings;

use crate::refusal::{Code, Refusal};

/// For a request that the cookie signs in and that changes something or opens a socket.
///
/// # Errors
/// `forbidden_origin` without an `Origin`, or with a foreign one.
pub fn require_own(headers: &HeaderMap, settings: &HttpSettings) -> Result<(), Refusal> {
    match headers.get(header::ORIGIN) {
        None => Err(forbidden("the session cookie needs an Origin header here; programs use a Bearer token")),
        Some(_) => refuse_foreign(headers, settings),
    }
}

/// For a request that nothing signs in yet, such as a sign-in: without an `Origin` it is no page's.
///
/// # Errors
/// `forbidden_origin` with a foreign `Origin`.
pub fn refuse_foreign(headers: &HeaderMap, settings: &HttpSettings) -> Result<(), Refusal> {
    let mut origins = headers.get_all(header::ORIGIN).iter();
    let Some(origin) = origins.next() else { return Ok(()) };
    let origin = origin.to_str().unwrap_or_default();
    let is_own = match &settings.public_url {
        Some(url) => url.origin().eq_ignore_ascii_case(origin),
        None => has_own_host(origin, headers),
    };
    if origins.next().is_none() && (is_own || is_allowed(origin, &settings.allowed_origins)) {
        return Ok(());
    }
    Err(forbidden("this page may not use the session: its Origin is not this server's"))
}

/// The origin has the host and port that the request went to. The scheme is not compared: a proxy that ends
/// TLS hides which one the browser used, and `SameSite` keeps the cookie to one scheme. `http.public_url`
/// says it exactly.
fn has_own_host(origin: &str, headers: &HeaderMap) -> bool {
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

/// Whether requests for this host are answered: any without `http.public_url`, else its own and the allowed
/// ones. A page of somebody else's name that points at this server (DNS rebinding) gets nothing.
#[must_use]
pub fn is_host_allowed(host: &Authority, settings: &HttpSettings) -> bool {
    let Some(url) = &settings.public_url else { return true };
    let default_port = if url.is_https() { ":443" } else { ":80" };
    let bare = |host: &str| host.strip_suffix(default_port).unwrap_or(host).to_ascii_lowercase();
    let host = bare(host.as_str());
    bare(url.host()) == host || settings.allowed_hosts.iter().any(|allowed| bare(allowed.trim()) == host)
}

fn forbidden(message: &str) -> Refusal {
    Refusal::new(Code::ForbiddenOrigin, message)
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use milena_settings::Settings;

    use super::*;

    fn settings(public_url: &str, allowed_origins: &[&str]) -> HttpSettings {
        HttpSettings {
            public_url: (!public_url.is_empty()).then(|| public_url.parse().unwrap()),
            allowed_origins: allowed_origins.iter().map(|&origin| origin.to_owned()).collect(),
            allowed_hosts: vec!["10.0.0.5:8080".to_owned()],
            ..Settings::defaults().http
        }
    }

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
            assert_eq!(require_own(&request(host, origin), &settings("", &[])), Ok(()), "{origin} at {host}");
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
            let refused = require_own(&request("chat.example.org", origin), &settings("", &[]));
            assert_eq!(refused.unwrap_err().code, Code::ForbiddenOrigin, "{origin}");
        }
        let mut twice = request("chat.example.org", "https://chat.example.org");
        twice.append(header::ORIGIN, HeaderValue::from_static("https://evil.example"));
        assert!(refuse_foreign(&twice, &settings("", &[])).is_err());
    }

    #[test]
    fn allowed_ones_may() {
        let allowed = settings("", &["https://chat.example.org"]);
        let request = request("backend:8080", "https://chat.example.org");
        assert_eq!(require_own(&request, &allowed), Ok(()));
        assert!(require_own(&request, &settings("", &[])).is_err());
    }

    #[test]
    fn without_origin_only_where_nothing_is_signed_in() {
        let none = HeaderMap::new();
        assert!(require_own(&none, &settings("", &[])).is_err());
        assert_eq!(refuse_foreign(&none, &settings("", &[])), Ok(()));
    }

    #[test]
    fn the_public_url_is_compared_with_its_scheme() {
        let settings = settings("https://chat.example.org", &["https://other.example"]);
        let is_own = |host, origin| require_own(&request(host, origin), &settings).is_ok();
        assert!(is_own("chat.example.org", "https://chat.example.org"));
        assert!(is_own("backend:8080", "https://chat.example.org"), "whatever the proxy makes of Host");
        assert!(is_own("chat.example.org", "https://other.example"));
        assert!(
            !is_own("chat.example.org", "http://chat.example.org"),
            "somebody on the way may be its author"
        );
        assert!(!is_own("evil.example", "https://evil.example"), "Host says nothing any more");
        assert!(!is_own("chat.example.org", "https://chat.example.org:8443"));
    }

    #[test]
    fn other_hosts_are_nobodys_once_the_public_url_is_known() {
        let is_allowed = |host: &str, public_url: &str| {
            is_host_allowed(&host.parse().unwrap(), &settings(public_url, &[]))
        };
        assert!(is_allowed("anything:1", ""));
        for host in ["chat.example.org", "Chat.Example.org:443", "10.0.0.5:8080"] {
            assert!(is_allowed(host, "https://chat.example.org"), "{host}");
        }
        for host in ["evil.example", "chat.example.org:8080", "chat.example.org.", "10.0.0.5"] {
            assert!(!is_allowed(host, "https://chat.example.org"), "{host}");
        }
    }
}
