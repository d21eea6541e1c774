//! Lists of networks, as proxies are trusted by.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use ipnet::IpNet;
use serde::{Deserialize, Deserializer, de};

/// Networks such as `10.0.0.0/8`; a bare address is a network of one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Networks(Vec<IpNet>);

impl Networks {
    /// Whether the address is in one of them. An IPv4 address in IPv6 notation is an IPv4 address.
    #[must_use]
    pub fn contain(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|network| network.contains(&address))
    }
}

/// Which entry, counted from 1, is neither a network nor an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotANetwork(usize);

impl fmt::Display for NotANetwork {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "entry {} is neither an address nor a network such as 10.0.0.0/8", self.0)
    }
}

impl std::error::Error for NotANetwork {}

fn network((index, text): (usize, &str)) -> Result<IpNet, NotANetwork> {
    text.parse::<IpNet>()
        .or_else(|_| text.parse::<IpAddr>().map(IpNet::from))
        .map_err(|_| NotANetwork(index + 1))
}

fn networks<'a>(texts: impl IntoIterator<Item = &'a str>) -> Result<Networks, NotANetwork> {
    // An empty list in an environment variable is one empty text.
    let texts = texts.into_iter().map(str::trim).filter(|text| !text.is_empty());
    texts.enumerate().map(network).collect::<Result<_, _>>().map(Networks)
}

impl FromStr for Networks {
    type Err = NotANetwork;

    /// Comma separated.
    fn from_str(text: &str) -> Result<Self, NotANetwork> {
        networks(text.split(','))
    }
}

impl<'de> Deserialize<'de> for Networks {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let texts = Vec::<String>::deserialize(deserializer)?;
        networks(texts.iter().map(String::as_str)).map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_and_addresses() {
        let networks: Networks = "10.0.0.0/8, 192.0.2.7,2001:db8::/32".parse().unwrap();
        for inside in ["10.1.2.3", "::ffff:10.1.2.3", "192.0.2.7", "2001:db8:1::1"] {
            assert!(networks.contain(inside.parse().unwrap()), "{inside}");
        }
        for outside in ["11.0.0.1", "192.0.2.8", "2001:db9::1", "::1"] {
            assert!(!networks.contain(outside.parse().unwrap()), "{outside}");
        }
        assert_eq!("".parse(), Ok(Networks::default()));
        for wrong in ["10.0.0.0/33", "proxy.example.org", "10.0.0"] {
            let said = format!("::1, {wrong}").parse::<Networks>().unwrap_err().to_string();
            assert!(said.starts_with("entry 2 is") && !said.contains("proxy"), "{said}");
        }
    }
}
