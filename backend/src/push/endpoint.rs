//! Which addresses this server asks for a push: those of push services out in the world, and those that the
//! operator names.
//!
//! Whoever subscribes says where their push service is, so without a rule anybody could have this server ask
//! its own network: the database's port, the cloud's metadata, a router. The rule is pure and asked twice: of
//! what is written in the endpoint when somebody subscribes, and of each address that a name has come to
//! when a connection is made, so that a name that changes its address between the two gains nothing.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use http::Uri;

/// Bytes of an endpoint, at most.
pub(crate) const ENDPOINT_MAX_BYTES: usize = 2_048;

/// Why an endpoint is not one that is asked; completes a sentence that begins with the field's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BadEndpoint {
    #[error("must be at most {ENDPOINT_MAX_BYTES} characters")]
    TooLong,
    #[error("must be an absolute address, without a user and a fragment")]
    NoAddress,
    #[error("must begin with https://")]
    NotHttps,
    #[error("must be at a host that can be reached from everywhere")]
    Private,
}

/// Hosts that the operator has named (`push.private_hosts`): they may be anywhere.
#[derive(Debug, Clone, Default)]
pub(crate) struct PrivateHosts(Vec<String>);

impl PrivateHosts {
    /// Names and addresses, in any case, an IPv6 address with or without brackets.
    pub(crate) fn new(hosts: &[String]) -> Self {
        Self(hosts.iter().map(|host| bare(host.trim()).to_ascii_lowercase()).collect())
    }

    pub(crate) fn contains(&self, host: &str) -> bool {
        let host = bare(host).to_ascii_lowercase();
        self.0.contains(&host)
    }
}

/// An address at a push service that may be asked, as far as its text tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Endpoint {
    pub(crate) uri: Uri,
}

impl Endpoint {
    /// Reads and judges an endpoint.
    pub(crate) fn parse(text: &str, private: &PrivateHosts) -> Result<Self, BadEndpoint> {
        if text.len() > ENDPOINT_MAX_BYTES {
            return Err(BadEndpoint::TooLong);
        }
        if text.contains('#') {
            return Err(BadEndpoint::NoAddress);
        }
        let uri: Uri = text.parse().map_err(|_| BadEndpoint::NoAddress)?;
        let authority = uri.authority().ok_or(BadEndpoint::NoAddress)?;
        if authority.as_str().contains('@') || authority.host().is_empty() || authority.port_u16() == Some(0)
        {
            return Err(BadEndpoint::NoAddress);
        }
        let is_private = private.contains(authority.host());
        match uri.scheme_str() {
            Some("https") => {}
            Some("http") if is_private => {}
            _ => return Err(BadEndpoint::NotHttps),
        }
        if !is_private && !may_be_public(authority.host()) {
            return Err(BadEndpoint::Private);
        }
        Ok(Self { uri })
    }

    /// The host of what was judged once, to be shown.
    pub(crate) fn host_of(text: &str) -> String {
        text.parse::<Uri>().ok().and_then(|uri| uri.host().map(str::to_owned)).unwrap_or_default()
    }

    /// Without brackets.
    pub(crate) fn host(&self) -> &str {
        bare(self.uri.host().unwrap_or_default())
    }

    /// Scheme, host and port, as a token for the push service names it.
    pub(crate) fn origin(&self) -> String {
        let scheme = self.uri.scheme_str().unwrap_or("https");
        let authority = self.uri.authority().map_or("", |authority| authority.as_str());
        let default_port = if scheme == "https" { ":443" } else { ":80" };
        let authority = authority.strip_suffix(default_port).unwrap_or(authority);
        format!("{scheme}://{}", authority.to_ascii_lowercase())
    }
}

fn bare(host: &str) -> &str {
    host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host)
}

/// What a host's text tells: an address is judged; of names those are refused that mean this machine or this
/// network, and those that are only numbers, which a resolver may take for an address in another form.
fn may_be_public(host: &str) -> bool {
    let host = bare(host);
    if let Ok(address) = host.parse::<IpAddr>() {
        return is_public(address);
    }
    let name = host.trim_end_matches('.').to_ascii_lowercase();
    let Some((_, last)) = name.rsplit_once('.') else { return false };
    let is_number = last.bytes().all(|b| b.is_ascii_digit()) || last.starts_with("0x");
    !is_number && !["localhost", "local", "internal", "home", "lan", "corp", "intranet"].contains(&last)
}

/// Whether an address is out in the world: not of this machine, its network, another private one, a group, or
/// one that leads to such an address by another form of it.
pub(crate) fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let is_special = address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_multicast()
        || address.is_broadcast()
        || address.is_documentation()
        // This network; shared by providers; protocol assignments; 6to4 relays; benchmarks; reserved.
        || a == 0
        || (a == 100 && (64..128).contains(&b))
        || (a, b, c) == (192, 0, 0)
        || (a, b, c) == (192, 88, 99)
        || (a == 198 && (b == 18 || b == 19))
        || a >= 240;
    !is_special
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let segments = address.segments();
    // An IPv4 address in another form is judged as what it is: mapped, and by the well-known prefix of NAT64.
    if let Some(mapped) = address.to_ipv4_mapped() {
        return is_public_v4(mapped);
    }
    if segments[..6] == [0x64, 0xff9b, 0, 0, 0, 0] {
        let [.., a, b, c, d] = address.octets();
        return is_public_v4(Ipv4Addr::new(a, b, c, d));
    }
    // Only what is given out for the world is: 2000::/3. That leaves out loopback, link-local, site-local,
    // unique local, multicast, discard-only, and NAT64 of one's own (64:ff9b:1::/48).
    let is_global = segments[0] & 0xe000 == 0x2000;
    // Within it: Teredo, ORCHID, benchmarks and other assignments of protocols (2001::/23), documentation,
    // 6to4, which leads to an IPv4 address of anybody's choice.
    let is_special = (segments[0] == 0x2001 && (segments[1] < 0x200 || segments[1] == 0xdb8))
        || segments[0] == 0x2002
        || (segments[0] == 0x3fff && segments[1] < 0x1000);
    is_global && !is_special
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_leads_inside_is_refused_in_all_its_forms() {
        for address in [
            "127.0.0.1",
            "127.8.9.1",
            "0.0.0.0",
            "0.1.2.3",
            "10.0.0.1",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "100.127.255.255",
            "192.0.0.8",
            "192.0.2.1",
            "192.88.99.1",
            "198.18.0.1",
            "198.19.255.255",
            "198.51.100.1",
            "203.0.113.9",
            "224.0.0.1",
            "239.255.255.255",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::127.0.0.1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "::ffff:169.254.169.254",
            "64:ff9b::7f00:1",
            "64:ff9b::a9fe:a9fe",
            "64:ff9b:1::1",
            "100::1",
            "fc00::1",
            "fd12:3456::1",
            "fe80::1",
            "febf::1",
            "fec0::1",
            "ff02::1",
            "ff0e::1",
            "2001::1",
            "2001:10::1",
            "2001:db8::1",
            "2002:7f00:1::",
            "2002:a00:1::1",
            "3fff::1",
            "4000::1",
            "::ffff:0:127.0.0.1",
        ] {
            let address: IpAddr = address.parse().unwrap();
            assert!(!is_public(address), "{address}");
        }
        for address in [
            "1.1.1.1",
            "8.8.8.8",
            "100.63.255.255",
            "100.128.0.1",
            "172.15.0.1",
            "172.32.0.1",
            "192.0.1.1",
            "198.17.0.1",
            "198.20.0.1",
            "223.255.255.1",
            "::ffff:8.8.8.8",
            "64:ff9b::808:808",
            "2001:200::1",
            "2606:4700::1111",
            "2a00:1450::1",
            "2400:cb00::1",
        ] {
            let address: IpAddr = address.parse().unwrap();
            assert!(is_public(address), "{address}");
        }
    }

    #[test]
    fn an_endpoint_is_https_at_a_public_host() {
        let parse = |text: &str| Endpoint::parse(text, &PrivateHosts::default()).map(|it| it.origin());
        for (text, origin) in [
            ("https://push.example.com/v1/abc?d=e", "https://push.example.com"),
            ("https://Push.Example.com:443/x", "https://push.example.com"),
            ("https://push.example.com:8443", "https://push.example.com:8443"),
            ("https://1.1.1.1/x", "https://1.1.1.1"),
            ("https://[2606:4700::1111]:444/x", "https://[2606:4700::1111]:444"),
        ] {
            assert_eq!(parse(text).unwrap(), origin, "{text}");
        }
        for (text, expected) in [
            ("http://push.example.com/", BadEndpoint::NotHttps),
            ("ftp://push.example.com/", BadEndpoint::NotHttps),
            ("file:///etc/passwd", BadEndpoint::NoAddress),
            ("/relative", BadEndpoint::NoAddress),
            ("", BadEndpoint::NoAddress),
            ("https://user:pass@push.example.com/", BadEndpoint::NoAddress),
            ("https://push.example.com@127.0.0.1/", BadEndpoint::NoAddress),
            ("https://push.example.com:0/", BadEndpoint::NoAddress),
            ("https://push.example.com/#f", BadEndpoint::NoAddress),
            ("https://127.0.0.1/", BadEndpoint::Private),
            ("https://[::1]/", BadEndpoint::Private),
            ("https://[::ffff:10.0.0.1]/", BadEndpoint::Private),
            ("https://localhost/", BadEndpoint::Private),
            ("https://printer.local/", BadEndpoint::Private),
            ("https://metadata.google.internal/", BadEndpoint::Private),
            ("https://intranet/", BadEndpoint::Private),
            ("https://2130706433/", BadEndpoint::Private),
            ("https://0x7f000001/", BadEndpoint::Private),
            ("https://127.1/", BadEndpoint::Private),
            ("https://0177.0.0.1/", BadEndpoint::Private),
            ("https://localhost./", BadEndpoint::Private),
        ] {
            assert_eq!(parse(text), Err(expected), "{text}");
        }
        let long = format!("https://push.example.com/{}", "x".repeat(ENDPOINT_MAX_BYTES));
        assert_eq!(parse(&long), Err(BadEndpoint::TooLong));
    }

    #[test]
    fn hosts_that_the_operator_names_may_be_anywhere() {
        let hosts = ["127.0.0.1", " Push.Internal ", "[::1]"].map(str::to_owned);
        let private = PrivateHosts::new(&hosts);
        for text in ["http://127.0.0.1:99/x", "https://push.internal/x", "http://[::1]:5/"] {
            assert!(Endpoint::parse(text, &private).is_ok(), "{text}");
        }
        for text in ["http://127.0.0.2/x", "https://push.internal.example.com@127.0.0.1/", "http://[::2]/"] {
            assert!(Endpoint::parse(text, &private).is_err(), "{text}");
        }
    }
}
