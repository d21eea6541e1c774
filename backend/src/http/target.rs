//! Whether a request asks for something of this server at all, before any route sees it.
//!
//! HTTP knows four forms of a request's target; routes only know the one that begins with a slash. A proxy's
//! forms (`CONNECT host:80`, `GET mailto:x`) and `*` are refused here; `GET http://host/path` becomes `GET
//! /path` for that host, as RFC 9112 asks. What comes through has a path that begins with `/` and, unless it
//! is HTTP/1.0, exactly one `Host`.

use http::uri::{Authority, PathAndQuery};
use http::{HeaderMap, HeaderValue, Method, Request, Uri, Version, header};

use crate::refusal::{Code, Refusal};

/// Brings the target and `Host` into the form that routes expect, and gives the host.
///
/// # Errors
/// `method_not_allowed` for what only proxies do, `invalid_request` when target or `Host` make no sense.
pub(super) fn check<B>(request: &mut Request<B>) -> Result<Option<Authority>, Refusal> {
    if request.method() == Method::CONNECT || *request.uri() == "*" {
        return Err(Refusal::new(
            Code::MethodNotAllowed,
            "this is not a proxy; ask for an address that begins with /",
        ));
    }
    let host = host(request.headers(), request.version())?;
    let uri = request.uri();
    let Some(scheme) = uri.scheme_str() else {
        return if uri.path().starts_with('/') { Ok(host) } else { Err(odd_target()) };
    };
    let authority = uri.authority().filter(|authority| is_plain(authority)).cloned();
    let (true, Some(authority)) = (matches!(scheme, "http" | "https"), authority) else {
        return Err(odd_target());
    };
    // `http://host?query` has an empty path, which is written as `/`.
    let path = uri.path_and_query().map_or_else(|| "/".to_owned(), ToString::to_string);
    let path: PathAndQuery = path.parse().map_err(|_| odd_target())?;
    // The target names the host; what `Host` says besides does not count.
    let value = HeaderValue::from_str(authority.as_str()).map_err(|_| odd_target())?;
    *request.uri_mut() = Uri::from(path);
    request.headers_mut().insert(header::HOST, value);
    Ok(Some(authority))
}

fn host(headers: &HeaderMap, version: Version) -> Result<Option<Authority>, Refusal> {
    let mut hosts = headers.get_all(header::HOST).iter();
    match (hosts.next(), hosts.next()) {
        (Some(host), None) => {
            let authority = Authority::try_from(host.as_bytes()).ok().filter(is_plain);
            authority.map(Some).ok_or_else(|| invalid("the Host header is no host"))
        }
        (None, _) if version < Version::HTTP_11 => Ok(None),
        (None, _) => Err(invalid("the Host header is missing")),
        (Some(_), Some(_)) => Err(invalid("there is more than one Host header")),
    }
}

/// Without a name and a password before an `@`.
fn is_plain(authority: &Authority) -> bool {
    !authority.host().is_empty() && !authority.as_str().contains('@')
}

fn odd_target() -> Refusal {
    invalid("ask for an address that begins with /")
}

fn invalid(sentence: &str) -> Refusal {
    Refusal::new(Code::InvalidRequest, sentence)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(method: &str, target: &str, host: &str) -> Result<(String, String), Code> {
        let mut request = Request::builder()
            .method(method)
            .uri(Uri::try_from(target).unwrap())
            .header(header::HOST, host)
            .body(())
            .unwrap();
        check(&mut request)
            .map(|host| (request.uri().to_string(), host.unwrap().to_string()))
            .map_err(|refusal| refusal.code)
    }

    #[test]
    fn a_path_passes_and_a_whole_url_becomes_one() {
        let passes = |target, path: &str, host: &str| {
            assert_eq!(checked("GET", target, "own"), Ok((path.to_owned(), host.to_owned())), "{target}");
        };
        passes("/", "/", "own");
        passes("//x?y", "//x?y", "own");
        passes("http://other/a?b", "/a?b", "other");
        passes("https://other:1", "/", "other:1");
        passes("http://other?b", "/?b", "other");
    }

    #[test]
    fn other_forms_are_refused() {
        for (method, target) in [("CONNECT", "evil:80"), ("OPTIONS", "*"), ("GET", "*")] {
            assert_eq!(checked(method, target, "own"), Err(Code::MethodNotAllowed), "{target}");
        }
        for target in ["mailto:x", "evil:80", "evil", "ftp://a/b", "http://user@a/b"] {
            assert_eq!(checked("GET", target, "own"), Err(Code::InvalidRequest), "{target}");
        }
        for host in ["", "a b", "user@own", "own/x"] {
            assert_eq!(checked("GET", "/", host), Err(Code::InvalidRequest), "{host}");
        }
    }
}
