//! How many connections there may be, in all and of one address: plain counting, without I/O.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use milena_settings::{HttpSettings, Networks};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::address::{Network, networks_of};

/// Why there is no place for a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Full {
    /// `http.max_connections`.
    Total,
    /// `http.max_connections_per_address`.
    Address,
}

impl Full {
    /// A label for metrics.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Total => "total",
            Self::Address => "address",
        }
    }
}

/// The places; clones share them.
#[derive(Debug, Clone)]
pub struct Places {
    total: Arc<Semaphore>,
    addresses: Addresses,
    trusted: Networks,
}

/// Connections by address and the networks around it. Holds no more of them than a few for each connection.
#[derive(Debug, Clone)]
struct Addresses {
    /// Never zero. Locked for the length of a map operation.
    taken: Arc<Mutex<HashMap<Network, usize>>>,
    /// Of one address; larger networks may have more.
    limit: usize,
}

/// A place of a connection; dropping it gives it back.
#[derive(Debug)]
pub struct Place {
    _permit: OwnedSemaphorePermit,
    _of_address: Option<OfAddress>,
}

/// One of the places of an address.
#[derive(Debug)]
pub struct OfAddress {
    addresses: Addresses,
    address: IpAddr,
}

impl Places {
    /// As the settings bound them.
    #[must_use]
    pub fn new(settings: &HttpSettings) -> Self {
        Self {
            total: Arc::new(Semaphore::new(settings.max_connections.min(Semaphore::MAX_PERMITS))),
            addresses: Addresses { taken: Arc::default(), limit: settings.max_connections_per_address },
            trusted: settings.trusted_proxies.clone(),
        }
    }

    /// A place for a TCP connection. Those of trusted proxies count in all only: many people share them.
    ///
    /// # Errors
    /// [`Full`] says which limit is reached.
    pub fn take(&self, address: IpAddr) -> Result<Place, Full> {
        let of_address =
            if self.trusted.contain(address) { None } else { Some(self.addresses.take(address)?) };
        let permit = Arc::clone(&self.total).try_acquire_owned().map_err(|_| Full::Total)?;
        Ok(Place { _permit: permit, _of_address: of_address })
    }

    /// A place among those of `client`, for whom a trusted proxy holds a connection; `None` when the
    /// connection is the client's own and counted already, or nobody says whose it is.
    ///
    /// # Errors
    /// [`Full::Address`].
    pub fn take_forwarded(&self, direct: IpAddr, client: IpAddr) -> Result<Option<OfAddress>, Full> {
        if client == direct.to_canonical() || !self.trusted.contain(direct) {
            return Ok(None);
        }
        self.addresses.take(client).map(Some)
    }
}

impl Addresses {
    fn take(&self, address: IpAddr) -> Result<OfAddress, Full> {
        let mut taken = self.lock();
        let is_full = networks_of(address).zip(Network::TIMES).any(|(network, times)| {
            let limit = self.limit.saturating_mul(times as usize);
            taken.get(&network).is_some_and(|count| *count >= limit)
        });
        if is_full {
            return Err(Full::Address);
        }
        for network in networks_of(address) {
            *taken.entry(network).or_insert(0) += 1;
        }
        Ok(OfAddress { addresses: self.clone(), address })
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Network, usize>> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for OfAddress {
    fn drop(&mut self) {
        let mut taken = self.addresses.lock();
        for network in networks_of(self.address) {
            if let Some(count) = taken.get_mut(&network) {
                *count -= 1;
                if *count == 0 {
                    taken.remove(&network);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use milena_settings::Settings;

    use super::*;

    fn places(total: usize, per_address: usize, trusted: &str) -> Places {
        let mut settings = Settings::defaults().http;
        settings.max_connections = total;
        settings.max_connections_per_address = per_address;
        settings.trusted_proxies = trusted.parse().unwrap();
        Places::new(&settings)
    }

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn places_are_bounded_in_all_and_by_address_and_come_back() {
        let places = places(3, 2, "");
        let first = places.take(ip("10.0.0.1")).unwrap();
        let second = places.take(ip("::ffff:10.0.0.1")).unwrap();
        assert_eq!(places.take(ip("10.0.0.1")).unwrap_err(), Full::Address);
        let third = places.take(ip("2001:db8::1")).unwrap();
        assert_eq!(places.take(ip("2001:db8::2")).unwrap_err(), Full::Total);
        // What was refused for the total does not count for the address.
        drop(first);
        let fourth = places.take(ip("2001:db8::2")).unwrap();
        assert_eq!(places.take(ip("2001:db8::3")).unwrap_err(), Full::Address, "one /64 is one address");
        drop((second, third, fourth));
        assert!(places.addresses.lock().is_empty());
    }

    #[test]
    fn a_larger_ipv6_network_has_some_times_as_many() {
        let places = places(1_000, 1, "");
        let take = |net: u32| places.take(ip(&format!("2001:db8:1:{net:x}::1"))).ok();
        let of_one_56: Vec<_> = (0..20).filter_map(take).collect();
        assert_eq!(of_one_56.len(), 4);
        let of_the_48: Vec<_> = (1..60).map(|net| net * 256).filter_map(take).collect();
        assert_eq!(of_the_48.len(), 12);
        drop((of_one_56, of_the_48));
        assert!(places.addresses.lock().is_empty());
    }

    #[test]
    fn a_trusted_proxy_has_all_places_and_its_clients_theirs() {
        let places = places(10, 1, "127.0.0.0/8");
        let _proxied: Vec<_> = (0..5).map(|_| places.take(ip("127.0.0.1")).unwrap()).collect();
        let client = places.take_forwarded(ip("127.0.0.1"), ip("192.0.2.7")).unwrap();
        assert!(client.is_some());
        assert_eq!(places.take_forwarded(ip("127.0.0.1"), ip("192.0.2.7")).unwrap_err(), Full::Address);
        assert!(places.take_forwarded(ip("127.0.0.1"), ip("127.0.0.1")).unwrap().is_none());
        assert!(places.take_forwarded(ip("192.0.2.8"), ip("192.0.2.8")).unwrap().is_none());
        drop(client);
        assert!(places.take_forwarded(ip("127.0.0.1"), ip("192.0.2.7")).unwrap().is_some());
    }
}
