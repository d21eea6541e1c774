//! What `database.url` says, as the drivers do not read it themselves: IPv6 addresses, several hosts, and
//! characters that break a URL. Never prints the URL: it has a password in it.

use sea_orm::DbErr;

use crate::StoreKind;

/// What is said to somebody whose URL breaks at a character of the password.
const HINT: &str = "write # / ? : @ % in a user or a password percent-encoded: %23 %2F %3F %3A %40 %25";

/// A database server's URLs: one for each host, to be tried in this order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Address {
    urls: Vec<String>,
}

impl Address {
    /// Reads a URL of PostgreSQL or MySQL.
    pub(crate) fn parse(kind: StoreKind, url: &str) -> Result<Self, DbErr> {
        let (scheme, rest) =
            url.split_once("://").ok_or_else(|| refused("it must begin with a scheme and ://"))?;
        if breaks_in_the_password(rest) {
            return Err(refused(&format!(
                "it ends where a character of the password stands for itself; {HINT}"
            )));
        }
        let (authority, tail) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
        let (login, hosts) = match authority.rfind('@') {
            Some(at) => authority.split_at(at + 1),
            None => ("", authority),
        };
        let hosts: Vec<&str> = hosts.split(',').collect();
        if hosts.len() > 1 && kind != StoreKind::Postgres {
            return Err(refused("several hosts are for PostgreSQL only"));
        }
        if hosts.len() > 1 && hosts.contains(&"") {
            return Err(refused("a host between two commas is empty"));
        }
        let tail = without_target(tail)?;
        // sqlx knows both spellings, sea-orm one.
        let scheme = if scheme == "postgresql" { "postgres" } else { scheme };
        let urls = hosts.into_iter().map(|host| format!("{scheme}://{login}{host}{tail}")).collect();
        Ok(Self { urls })
    }

    /// At least one.
    pub(crate) fn urls(&self) -> &[String] {
        &self.urls
    }
}

/// The IPv6 address that a URL of one host names, without its brackets, with which no driver connects.
pub(crate) fn ipv6_of(url: &str) -> Option<&str> {
    let (_, rest) = url.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next()?;
    let host = authority.rsplit('@').next()?.strip_prefix('[')?;
    host.split_once(']').map(|(address, _)| address)
}

/// A sentence about the URL, from the words of a driver that could not read it.
pub(crate) fn unreadable(words: &str) -> DbErr {
    refused(&format!("{words}; {HINT}"))
}

/// Whether a raw `#`, `/` or `?` ends the authority before the `@` behind the password. An `@` further on can
/// also stand in a value (`?user=a@b`), but neither in a database's name nor in a parameter's.
fn breaks_in_the_password(rest: &str) -> bool {
    let Some(end) = rest.find(['/', '?', '#']) else { return false };
    let (authority, tail) = rest.split_at(end);
    if authority.contains('@') || !tail.contains('@') {
        return false;
    }
    let (before_fragment, fragment) = tail.split_once('#').unwrap_or((tail, ""));
    let (path, query) = before_fragment.split_once('?').unwrap_or((before_fragment, ""));
    let in_a_name =
        query.split('&').any(|pair| pair.split('=').next().is_some_and(|name| name.contains('@')));
    fragment.contains('@') || path.contains('@') || in_a_name
}

/// libpq's `target_session_attrs`, which the driver does not know: of several hosts one that takes writes is
/// looked for in any case.
fn without_target(tail: &str) -> Result<String, DbErr> {
    let Some((path, query)) = tail.split_once('?') else { return Ok(tail.to_owned()) };
    let mut kept = Vec::new();
    for pair in query.split('&') {
        match pair.strip_prefix("target_session_attrs=") {
            None => kept.push(pair),
            Some("any" | "read-write" | "primary" | "prefer-primary") => {}
            Some(_) => {
                return Err(refused("target_session_attrs must be read-write: everything here writes"));
            }
        }
    }
    Ok(if kept.is_empty() { path.to_owned() } else { format!("{path}?{}", kept.join("&")) })
}

fn refused(sentence: &str) -> DbErr {
    DbErr::Custom(format!("database.url cannot be read: {sentence}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn urls(url: &str) -> Vec<String> {
        Address::parse(StoreKind::Postgres, url).unwrap().urls
    }

    #[test]
    fn each_host_has_a_url_of_its_own() {
        assert_eq!(urls("postgres://u:p@h/d"), ["postgres://u:p@h/d"]);
        assert_eq!(urls("postgresql://h"), ["postgres://h"]);
        assert_eq!(
            urls("postgres://u:p@a:1,b,[::1]:3/d?sslmode=disable&target_session_attrs=read-write"),
            [
                "postgres://u:p@a:1/d?sslmode=disable",
                "postgres://u:p@b/d?sslmode=disable",
                "postgres://u:p@[::1]:3/d?sslmode=disable"
            ]
        );
        assert!(Address::parse(StoreKind::MySql, "mysql://a,b/d").is_err());
        assert!(Address::parse(StoreKind::Postgres, "postgres://a,,b/d").is_err());
        assert!(Address::parse(StoreKind::Postgres, "postgres://a/d?target_session_attrs=standby").is_err());
    }

    #[test]
    fn addresses_lose_their_brackets() {
        assert_eq!(ipv6_of("postgres://u:p@[::1]:5432/d"), Some("::1"));
        assert_eq!(ipv6_of("mysql://[fe80::2]/d"), Some("fe80::2"));
        assert_eq!(ipv6_of("postgres://u:p[x]@h/d"), None);
        assert_eq!(ipv6_of("postgres://127.0.0.1/d"), None);
    }

    #[test]
    fn a_raw_character_in_a_password_gets_the_hint_and_is_not_printed() {
        for password in ["pa#word", "pa/word", "pa?word", "12#34", "12/34", "12?34", "#", "x/y?z#q"] {
            let url = format!("postgres://user:{password}@host/name");
            let said = Address::parse(StoreKind::Postgres, &url).unwrap_err().to_string();
            assert!(said.contains("percent-encoded") && said.contains("%23"), "{password}: {said}");
            assert!(!said.contains(&format!(":{password}")) && !said.contains("host/name"), "{said}");
        }
        for url in
            ["postgres://u:p%23@h/d", "postgres://h/d?user=a@b", "postgres://u:p@h/d#x", "postgres://u@h"]
        {
            assert_eq!(urls(url).len(), 1, "{url}");
        }
    }
}
