//! Whose connection it is: which addresses count as one, and when a proxy is believed about its client.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use http::HeaderMap;
use milena_settings::Networks;

const FORWARDED_FOR: &str = "x-forwarded-for";

/// How many networks of one address are counted.
pub const LEVELS: usize = 3;

/// What counts as one: an IPv4 address, or an IPv6 network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Network {
    address: IpAddr,
    prefix: u8,
}

impl Network {
    /// How many times as much as one address the networks of [`networks_of`] may have.
    pub const TIMES: [u32; LEVELS] = [1, 4, 16];
    /// Their prefixes in IPv6.
    const PREFIXES: [u8; LEVELS] = [64, 56, 48];
}

/// The networks that an address is counted with, the smallest first. Whoever has one IPv6 address has at
/// least 2^64 of them, so a /64 is what counts as one; and providers give whole /56 and /48 to anybody who
/// asks, so they are counted too. An IPv4 address is counted alone.
pub fn networks_of(address: IpAddr) -> impl Iterator<Item = Network> {
    let address = address.to_canonical();
    let levels = if address.is_ipv6() { LEVELS } else { 1 };
    Network::PREFIXES.into_iter().take(levels).map(move |prefix| match address {
        IpAddr::V4(_) => Network { address, prefix: 32 },
        IpAddr::V6(v6) => {
            let bits = v6.to_bits() & (u128::MAX << (128 - u32::from(prefix)));
            Network { address: Ipv6Addr::from_bits(bits).into(), prefix }
        }
    })
}

/// The client of a request that came from `direct`. A trusted proxy is believed about whom it forwards for,
/// and so is a trusted one before it; the first that is not trusted is the client. Whoever else says
/// `X-Forwarded-For` is not believed, or everybody could be anybody.
#[must_use]
pub fn client_of(direct: IpAddr, headers: &HeaderMap, trusted: &Networks) -> IpAddr {
    let mut client = direct.to_canonical();
    // Each proxy adds at the end, so the way back is read from there.
    let lines: Vec<_> = headers.get_all(FORWARDED_FOR).iter().collect();
    let entries = lines.into_iter().rev().flat_map(|line| line.to_str().unwrap_or_default().rsplit(','));
    for entry in entries {
        if !trusted.contain(client) {
            break;
        }
        // What cannot be read ends the way: what lies behind it proves nothing.
        let Some(before) = address(entry.trim()) else { break };
        client = before.to_canonical();
    }
    client
}

/// Some proxies write the port too.
fn address(text: &str) -> Option<IpAddr> {
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    bare.parse().ok().or_else(|| text.parse::<SocketAddr>().ok().map(|address| address.ip()))
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn client(direct: &str, forwarded: &[&'static str], trusted: &str) -> String {
        let headers = forwarded
            .iter()
            .map(|line| (http::HeaderName::from_static(FORWARDED_FOR), HeaderValue::from_static(line)))
            .collect();
        client_of(direct.parse().unwrap(), &headers, &trusted.parse().unwrap()).to_string()
    }

    #[test]
    fn only_a_trusted_proxy_is_believed() {
        let trusted = "127.0.0.0/8, 10.0.0.0/24";
        assert_eq!(client("127.0.0.1", &["192.0.2.7"], trusted), "192.0.2.7");
        assert_eq!(client("::ffff:127.0.0.1", &["192.0.2.7"], trusted), "192.0.2.7");
        assert_eq!(client("198.51.100.1", &["192.0.2.7"], trusted), "198.51.100.1");
        assert_eq!(client("127.0.0.1", &["192.0.2.7"], ""), "127.0.0.1");
        assert_eq!(client("127.0.0.1", &[], trusted), "127.0.0.1");
    }

    #[test]
    fn the_last_that_is_not_trusted_is_the_client() {
        let trusted = "127.0.0.0/8, 10.0.0.0/24";
        // What the client itself claims stands further left.
        assert_eq!(client("127.0.0.1", &["1.1.1.1, 192.0.2.7, 10.0.0.9"], trusted), "192.0.2.7");
        assert_eq!(client("127.0.0.1", &["1.1.1.1", "192.0.2.7", "10.0.0.9"], trusted), "192.0.2.7");
        assert_eq!(client("127.0.0.1", &["10.0.0.8, 10.0.0.9"], trusted), "10.0.0.8");
    }

    #[test]
    fn ports_and_brackets_are_read_and_nonsense_is_not() {
        let trusted = "127.0.0.0/8";
        assert_eq!(client("127.0.0.1", &["192.0.2.7:4711"], trusted), "192.0.2.7");
        assert_eq!(client("127.0.0.1", &["[2001:db8::1]:4711"], trusted), "2001:db8::1");
        assert_eq!(client("127.0.0.1", &["[2001:db8::1]"], trusted), "2001:db8::1");
        assert_eq!(client("127.0.0.1", &["192.0.2.7, unknown"], trusted), "127.0.0.1");
        assert_eq!(client("127.0.0.1", &[""], trusted), "127.0.0.1");
    }
}
