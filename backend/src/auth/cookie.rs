//! The session cookie of browsers.
//!
//! `HttpOnly` keeps scripts away from it, `SameSite=Lax` keeps other sites' requests without it, and
//! `Secure`, where the page is served over TLS, keeps it off plain connections. There its name begins with
//! `__Host-`, too: browsers take such a cookie from nobody but this very host over TLS, so that a
//! neighbouring subdomain cannot plant one.
//!
//! Other programs of the same host set cookies too, with bytes of any kind and names like ours. So cookies
//! are read as bytes, and of several that could be ours each is a candidate, tried by itself.

use http::{HeaderMap, HeaderValue, header};
use milena_settings::{HttpSettings, SecureCookies};

use super::Token;
use super::token;

/// The cookie's name on plain connections. Over TLS nobody is believed by it: a neighbouring subdomain, or
/// whoever answers this host over plain http, can plant one.
pub const NAME: &str = "milena_session";
/// The cookie's name over TLS.
pub const HOST_NAME: &str = "__Host-milena_session";
/// Candidates that are tried, at most: each may cost a look-up.
const CANDIDATES_MAX: usize = 4;
/// The longest that browsers keep a cookie, 400 days. When a session ends is the server's decision and moves
/// with its use; the cookie must not end before it.
const MAX_AGE_S: u32 = 400 * 24 * 60 * 60;

/// What could be tokens of ours among a request's cookies: where the page is served over TLS (`secure`, as
/// [`is_secure`] has it) only those with the `__Host-` name; else these first, then in the order in which the
/// browser sends them, the most specific first.
#[must_use]
pub fn tokens_of(headers: &HeaderMap, secure: bool) -> Vec<&str> {
    let mut found: Vec<&str> = Vec::new();
    let names = if secure { &[HOST_NAME][..] } else { &[HOST_NAME, NAME] };
    for name in names {
        for value in values(headers, name) {
            // Quotes are allowed around a value.
            let value =
                value.strip_prefix(b"\"").and_then(|value| value.strip_suffix(b"\"")).unwrap_or(value);
            let candidate = std::str::from_utf8(value).ok().filter(|text| token::is_plausible(text));
            if let Some(candidate) = candidate.filter(|candidate| !found.contains(candidate)) {
                found.push(candidate);
            }
        }
    }
    found.truncate(CANDIDATES_MAX);
    found
}

/// The values of the cookies with this name, as bytes: what other cookies hold must not matter.
pub(super) fn values<'a>(headers: &'a HeaderMap, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
    let lines = headers.get_all(header::COOKIE).iter();
    lines.flat_map(|line| line.as_bytes().split(|byte| *byte == b';')).filter_map(move |pair| {
        let pair = pair.trim_ascii();
        let value = pair.strip_prefix(name.as_bytes())?.trim_ascii_start().strip_prefix(b"=")?;
        Some(value.trim_ascii())
    })
}

/// `Set-Cookie` that signs a browser in, and one that removes what it had under the other name.
#[must_use]
pub fn set(token: &Token, secure: bool) -> Vec<HeaderValue> {
    if secure {
        vec![cookie(HOST_NAME, token.expose(), MAX_AGE_S, true), cookie(NAME, "", 0, true)]
    } else {
        vec![cookie(NAME, token.expose(), MAX_AGE_S, false)]
    }
}

/// `Set-Cookie` that removes it, under each name that it may have.
#[must_use]
pub fn remove(secure: bool) -> Vec<HeaderValue> {
    let plain = cookie(NAME, "", 0, secure);
    if secure { vec![cookie(HOST_NAME, "", 0, true), plain] } else { vec![plain] }
}

/// Whether the cookie gets `Secure` in the answer to a request with these headers.
#[must_use]
pub fn is_secure(settings: &HttpSettings, headers: &HeaderMap) -> bool {
    match settings.secure_cookies {
        SecureCookies::Always => true,
        SecureCookies::Never => false,
        SecureCookies::Auto if settings.public_url.as_ref().is_some_and(|url| url.is_https()) => true,
        // Behind several proxies each adds its own; the first is what the browser used. Whoever forges it
        // only harms the own cookie.
        SecureCookies::Auto => headers
            .get("x-forwarded-proto")
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.split(',').next())
            .is_some_and(|scheme| scheme.trim().eq_ignore_ascii_case("https")),
    }
}

pub(super) fn cookie(name: &str, value: &str, max_age_s: u32, secure: bool) -> HeaderValue {
    let secure = if secure { "; Secure" } else { "" };
    let text = format!("{name}={value}; Path=/; Max-Age={max_age_s}; HttpOnly; SameSite=Lax{secure}");
    HeaderValue::from_str(&text).expect("base64 and fixed text are valid in a header")
}

#[cfg(test)]
mod tests {
    use milena_settings::Settings;

    use super::*;

    fn headers(name: &'static str, values: &[&[u8]]) -> HeaderMap {
        values
            .iter()
            .map(|value| (http::HeaderName::from_static(name), HeaderValue::from_bytes(value).unwrap()))
            .collect()
    }

    fn token(letter: char) -> String {
        letter.to_string().repeat(43)
    }

    #[test]
    fn tokens_are_found_among_whatever_else_there_is() {
        let found = |lines: &[String]| -> Vec<String> {
            let lines: Vec<&[u8]> = lines.iter().map(|line| line.as_bytes()).collect();
            tokens_of(&headers("cookie", &lines), false).into_iter().map(str::to_owned).collect()
        };
        let (a, b, c) = (token('a'), token('b'), token('c'));
        assert_eq!(found(&[format!("a=1; milena_session={a}; b=2")]), [a.as_str()]);
        assert_eq!(found(&["a=1".to_owned(), format!("milena_session=\"{a}\"")]), [a.as_str()]);
        assert_eq!(found(&[format!("theme=ü; milena_session={a}")]), [a.as_str()]);
        assert!(
            found(&[format!("milena_session_x={a}; xmilena_session={b}; milena_session=short")]).is_empty()
        );
        assert!(found(&[]).is_empty());
        let several = format!("milena_session={a};milena_session = {b} ; milena_session={a}");
        assert_eq!(found(&[several, format!("__Host-milena_session={c}")]), [c, a, b]);
        let many: Vec<String> =
            ('a'..='z').map(|letter| format!("milena_session={}", token(letter))).collect();
        assert_eq!(found(&many).len(), CANDIDATES_MAX);
    }

    #[test]
    fn over_tls_a_cookie_that_others_can_plant_is_believed_by_nobody() {
        let (planted, own) = (token('a'), token('b'));
        let lines = [format!("milena_session={planted}; __Host-milena_session={own}")];
        let headers = headers("cookie", &lines.each_ref().map(|line| line.as_bytes()));
        assert_eq!(tokens_of(&headers, true), [&own]);
        assert_eq!(tokens_of(&headers, false), [&own, &planted]);
    }

    #[test]
    fn other_cookies_may_hold_any_bytes() {
        let token = token('a');
        let line =
            [b"theme=\xff\xfe\x80;milena_session=".as_slice(), token.as_bytes(), b";\xe4=\xf6"].concat();
        assert_eq!(tokens_of(&headers("cookie", &[&line]), false), [&token]);
        assert!(tokens_of(&headers("cookie", &[b"milena_session=\xff\xfe"]), false).is_empty());
    }

    #[test]
    fn attributes() {
        let token = Token::generate();
        let texts = |values: Vec<HeaderValue>| -> Vec<String> {
            values.into_iter().map(|value| value.to_str().unwrap().to_owned()).collect()
        };
        let rest = "Path=/; Max-Age=34560000; HttpOnly; SameSite=Lax";
        assert_eq!(texts(set(&token, false)), [format!("milena_session={}; {rest}", token.expose())]);
        assert_eq!(
            texts(set(&token, true)),
            [
                format!("__Host-milena_session={}; {rest}; Secure", token.expose()),
                "milena_session=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax; Secure".to_owned(),
            ]
        );
        assert_eq!(texts(remove(true)).len(), 2);
        assert!(texts(remove(false))[0].starts_with("milena_session=; Path=/; Max-Age=0;"));
    }

    #[test]
    fn secure_follows_the_proxy_the_public_url_or_the_setting() {
        let tls = headers("x-forwarded-proto", &[b"https, http"]);
        let plain = headers("x-forwarded-proto", &[b"http"]);
        let secure = |secure_cookies, public_url: &str, headers: &HeaderMap| {
            let public_url = (!public_url.is_empty()).then(|| public_url.parse().unwrap());
            is_secure(&HttpSettings { secure_cookies, public_url, ..Settings::defaults().http }, headers)
        };
        assert!(secure(SecureCookies::Auto, "", &tls));
        assert!(!secure(SecureCookies::Auto, "", &plain));
        assert!(!secure(SecureCookies::Auto, "", &HeaderMap::new()));
        assert!(secure(SecureCookies::Auto, "https://chat.example.org", &plain));
        assert!(!secure(SecureCookies::Auto, "http://chat.example.org", &plain));
        assert!(secure(SecureCookies::Always, "", &plain));
        assert!(!secure(SecureCookies::Never, "https://chat.example.org", &tls));
    }
}
