//! The session cookie of browsers.
//!
//! `HttpOnly` keeps scripts away from it, `SameSite=Lax` keeps other sites' requests without it, and `Secure`, where the
//! page is served over TLS, keeps it off plain connections.

use http::{HeaderMap, HeaderValue, header};
use milena_settings::SecureCookies;

use super::Token;

/// The cookie's name.
pub const NAME: &str = "milena_session";
/// The longest that browsers keep a cookie, 400 days. When a session ends is the server's decision and moves with its
/// use; the cookie must not end before it.
const MAX_AGE_S: u32 = 400 * 24 * 60 * 60;

/// The token in a request's cookies, if any. Of several with the name, the first counts, as browsers send the
/// most specific one first.
#[must_use]
pub fn token_of(headers: &HeaderMap) -> Option<&str> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|line| line.split(';'))
        .find_map(|pair| pair.trim().strip_prefix(NAME)?.strip_prefix('='))
        .map(|value| value.trim_matches('"'))
}

/// `Set-Cookie` that signs a browser in.
#[must_use]
pub fn set(token: &Token, secure: bool) -> HeaderValue {
    cookie(token.expose(), MAX_AGE_S, secure)
}

/// `Set-Cookie` that removes it.
#[must_use]
pub fn remove(secure: bool) -> HeaderValue {
    cookie("", 0, secure)
}

/// Whether the cookie gets `Secure` in the answer to a request with these headers.
#[must_use]
pub fn is_secure(setting: SecureCookies, headers: &HeaderMap) -> bool {
    match setting {
        SecureCookies::Always => true,
        SecureCookies::Never => false,
        // Behind several proxies each adds its own; the first is what the browser used. Whoever forges it only
        // harms the own cookie.
        SecureCookies::Auto => headers
            .get("x-forwarded-proto")
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.split(',').next())
            .is_some_and(|scheme| scheme.trim().eq_ignore_ascii_case("https")),
    }
}

fn cookie(value: &str, max_age_s: u32, secure: bool) -> HeaderValue {
    let secure = if secure { "; Secure" } else { "" };
    let text = format!("{NAME}={value}; Path=/; Max-Age={max_age_s}; HttpOnly; SameSite=Lax{secure}");
    HeaderValue::from_str(&text).expect("base64 and fixed text are valid in a header")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: &'static str, values: &[&'static str]) -> HeaderMap {
        values
            .iter()
            .map(|value| (http::HeaderName::from_static(name), HeaderValue::from_static(value)))
            .collect()
    }

    #[test]
    fn the_token_is_found_among_others() {
        let found = |values: &[&'static str]| token_of(&headers("cookie", values)).map(str::to_owned);
        assert_eq!(found(&["a=1; milena_session=abc; b=2"]).as_deref(), Some("abc"));
        assert_eq!(found(&["a=1", "milena_session=\"abc\""]).as_deref(), Some("abc"));
        assert_eq!(found(&["milena_session_x=abc; xmilena_session=d"]), None);
        assert_eq!(found(&[]), None);
    }

    #[test]
    fn attributes() {
        let token = Token::generate();
        let plain = set(&token, false).to_str().unwrap().to_owned();
        assert_eq!(
            plain,
            format!("milena_session={}; Path=/; Max-Age=34560000; HttpOnly; SameSite=Lax", token.expose())
        );
        assert!(set(&token, true).to_str().unwrap().ends_with("; Secure"));
        assert!(remove(false).to_str().unwrap().starts_with("milena_session=; Path=/; Max-Age=0;"));
    }

    #[test]
    fn secure_follows_the_proxy_or_the_setting() {
        let tls = headers("x-forwarded-proto", &["https, http"]);
        let plain = headers("x-forwarded-proto", &["http"]);
        assert!(is_secure(SecureCookies::Auto, &tls));
        assert!(!is_secure(SecureCookies::Auto, &plain));
        assert!(!is_secure(SecureCookies::Auto, &HeaderMap::new()));
        assert!(is_secure(SecureCookies::Always, &plain));
        assert!(!is_secure(SecureCookies::Never, &tls));
    }
}
