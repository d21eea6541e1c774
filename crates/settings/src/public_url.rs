//! Where people reach the server from outside: `http.public_url`.
//!
//! Kept as browsers say it, in lower case and without a default port, so that `Origin` and `Host` can be
//! compared with it as they are.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, de};

/// Such as `https://chat.example.org`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicUrl {
    origin: String,
    scheme_len: usize,
}

impl PublicUrl {
    /// As `Origin` has it, such as `https://chat.example.org:8443`.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// As `Host` has it, such as `chat.example.org:8443`.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.origin[self.scheme_len + "://".len()..]
    }

    /// Whether people reach it over TLS.
    #[must_use]
    pub fn is_https(&self) -> bool {
        self.scheme_len == "https".len()
    }
}

/// What is wrong with a text that should be one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotAPublicUrl;

impl fmt::Display for NotAPublicUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "public_url must be empty or a scheme and a host, and a port if it is not the usual one, without \
             a path, such as \"https://chat.example.org\"",
        )
    }
}

impl std::error::Error for NotAPublicUrl {}

impl FromStr for PublicUrl {
    type Err = NotAPublicUrl;

    fn from_str(text: &str) -> Result<Self, NotAPublicUrl> {
        let text = text.trim().to_ascii_lowercase();
        let (scheme, rest) = text.split_once("://").ok_or(NotAPublicUrl)?;
        let default_port = match scheme {
            "https" => ":443",
            "http" => ":80",
            _ => return Err(NotAPublicUrl),
        };
        let authority = rest.strip_suffix('/').unwrap_or(rest);
        let authority = authority.strip_suffix(default_port).unwrap_or(authority);
        if !is_authority(authority) {
            return Err(NotAPublicUrl);
        }
        Ok(Self { origin: format!("{scheme}://{authority}"), scheme_len: scheme.len() })
    }
}

/// A name or an address, and perhaps a port; nothing before an `@`.
fn is_authority(text: &str) -> bool {
    let (host, port) = match text.strip_prefix('[') {
        Some(rest) => match rest.split_once(']') {
            Some((host, port)) if host.parse::<std::net::Ipv6Addr>().is_ok() => (host, port),
            _ => return false,
        },
        None => {
            let host = text.split(':').next().unwrap_or_default();
            if !host.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._".contains(&b)) {
                return false;
            }
            (host, &text[host.len()..])
        }
    };
    let has_port = |port: &str| port.strip_prefix(':').is_some_and(|port| port.parse::<u16>().is_ok());
    !host.is_empty() && (port.is_empty() || has_port(port))
}

/// An empty text is none.
pub(crate) fn optional<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<PublicUrl>, D::Error> {
    let text = String::deserialize(deserializer)?;
    if text.trim().is_empty() {
        return Ok(None);
    }
    text.parse().map(Some).map_err(de::Error::custom)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_kept_as_browsers_say_it() {
        for (given, origin, host, is_https) in [
            ("https://Chat.Example.org", "https://chat.example.org", "chat.example.org", true),
            ("https://chat.example.org:443/", "https://chat.example.org", "chat.example.org", true),
            ("http://10.0.0.5:8080", "http://10.0.0.5:8080", "10.0.0.5:8080", false),
            ("http://[::1]:80", "http://[::1]", "[::1]", false),
        ] {
            let url: PublicUrl = given.parse().unwrap();
            assert_eq!((url.origin(), url.host(), url.is_https()), (origin, host, is_https), "{given}");
        }
    }

    #[test]
    fn what_is_none_is_refused() {
        for given in [
            "chat.example.org",
            "ftp://chat.example.org",
            "https://",
            "https://chat.example.org/chat",
            "https://user@chat.example.org",
            "https://chat.example.org:port",
            "https://chat.example.org?x",
            "https://[chat]",
            "https://a b",
        ] {
            assert_eq!(given.parse::<PublicUrl>(), Err(NotAPublicUrl), "{given}");
        }
    }
}
