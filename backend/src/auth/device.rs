//! The cookie by which a device is known again on which somebody has signed in before.
//!
//! Attempts at an account are limited, so an attacker who uses them up would keep its owner out. Attempts
//! from a known device are therefore counted apart ([`super::SignInRate`]), and nobody else can use those up.
//! The cookie signs nobody in and says nothing about anybody: it holds a random name for the device, sealed
//! together with the account. It stays when somebody signs out, or else it would not be there when it is
//! needed.
//!
//! Several people may use one device: the cookie holds a seal for each, of the last few.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::{HeaderMap, HeaderValue};
use milena_domain::{ServerKey, Subkey, Username};

use super::cookie;

/// The cookie's name on plain connections, and over TLS.
const NAMES: [&str; 2] = ["milena_device", "__Host-milena_device"];
/// In this order they are read: a neighbour may plant the first one, and must not crowd out the other.
const READ_ORDER: [&str; 2] = [NAMES[1], NAMES[0]];
/// Accounts that one device is remembered for, at most: the last ones.
const SEALS_MAX: usize = 4;
/// 400 days, the longest that browsers keep a cookie; each sign-in begins them anew.
const MAX_AGE_S: u32 = 400 * 24 * 60 * 60;
const ID_BYTES: usize = 16;
const TAG_BYTES: usize = 16;

/// A device's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct DeviceId([u8; ID_BYTES]);

type Seal = [u8; ID_BYTES + TAG_BYTES];

/// Makes and checks seals.
#[derive(Debug, Clone)]
pub struct Devices(Subkey);

impl Devices {
    /// As all backends of one database do it.
    #[must_use]
    pub fn new(key: &ServerKey) -> Self {
        Self(key.subkey("device-cookie/v1"))
    }

    /// Whether a request claims to come from a known device at all.
    #[must_use]
    pub fn is_claimed(headers: &HeaderMap) -> bool {
        !seals(headers).is_empty()
    }

    /// The device that a request comes from, if somebody has signed in to this account on it before.
    #[must_use]
    pub fn known(&self, headers: &HeaderMap, username: &str) -> Option<DeviceId> {
        let username = Username::new(username).ok()?.folded();
        seals(headers).iter().find_map(|seal| self.open(seal, &username))
    }

    /// `Set-Cookie` with which the device is known for this account from now on.
    #[must_use]
    pub fn remember(&self, headers: &HeaderMap, username: &Username, secure: bool) -> HeaderValue {
        let username = username.folded();
        let mut all = seals(headers);
        let known = all.iter().position(|seal| self.open(seal, &username).is_some());
        let own = known.map_or_else(|| self.seal(rand::random(), &username), |place| all.remove(place));
        all.insert(0, own);
        all.truncate(SEALS_MAX);
        let value = all.iter().map(|seal| URL_SAFE_NO_PAD.encode(seal)).collect::<Vec<_>>().join(".");
        cookie::cookie(NAMES[usize::from(secure)], &value, MAX_AGE_S, secure)
    }

    fn seal(&self, id: [u8; ID_BYTES], folded_username: &str) -> Seal {
        let tag = self.0.mac(&[&id, folded_username.as_bytes()]);
        let mut seal = [0; ID_BYTES + TAG_BYTES];
        seal[..ID_BYTES].copy_from_slice(&id);
        seal[ID_BYTES..].copy_from_slice(&tag[..TAG_BYTES]);
        seal
    }

    fn open(&self, seal: &Seal, folded_username: &str) -> Option<DeviceId> {
        let (id, tag) = seal.split_first_chunk::<ID_BYTES>()?;
        self.0.verify(&[id, folded_username.as_bytes()], tag).then_some(DeviceId(*id))
    }
}

/// What could be seals, the first ones only.
fn seals(headers: &HeaderMap) -> Vec<Seal> {
    let values = READ_ORDER.iter().flat_map(|name| cookie::values(headers, name));
    let texts = values.flat_map(|value| value.split(|byte| *byte == b'.')).take(2 * SEALS_MAX);
    let mut seals: Vec<Seal> = texts
        .filter_map(|text| URL_SAFE_NO_PAD.decode(text).ok())
        .filter_map(|bytes| bytes.try_into().ok())
        .collect();
    seals.truncate(SEALS_MAX);
    seals
}

#[cfg(test)]
mod tests {
    use http::header;

    use super::*;

    fn name(text: &str) -> Username {
        Username::new(text).unwrap()
    }

    /// The headers that a browser sends after it got the cookie.
    fn sent(set: &HeaderValue) -> HeaderMap {
        let pair = set.to_str().unwrap().split(';').next().unwrap();
        let line = [b"theme=\xff; ", pair.as_bytes()].concat();
        HeaderMap::from_iter([(header::COOKIE, HeaderValue::from_bytes(&line).unwrap())])
    }

    #[test]
    fn a_device_is_known_for_its_accounts_and_keeps_its_name() {
        let devices = Devices::new(&ServerKey::from_bytes([1; 32]));
        let mut headers = HeaderMap::new();
        assert!(!Devices::is_claimed(&headers) && devices.known(&headers, "anna").is_none());
        headers = sent(&devices.remember(&headers, &name("Anna"), false));
        let known = devices.known(&headers, "ANNA").unwrap();
        assert!(Devices::is_claimed(&headers) && devices.known(&headers, "ben").is_none());
        headers = sent(&devices.remember(&headers, &name("ben"), true));
        headers = sent(&devices.remember(&headers, &name("anna"), true));
        assert_eq!(devices.known(&headers, "anna"), Some(known));
        assert!(devices.known(&headers, "ben").is_some());
        for other in ["carl", "dora", "emil"] {
            headers = sent(&devices.remember(&headers, &name(other), false));
        }
        assert!(devices.known(&headers, "anna").is_some() && devices.known(&headers, "ben").is_none());
    }

    #[test]
    fn nobody_makes_one_up() {
        let devices = Devices::new(&ServerKey::from_bytes([1; 32]));
        let foreign = Devices::new(&ServerKey::from_bytes([2; 32]));
        let headers = sent(&foreign.remember(&HeaderMap::new(), &name("anna"), false));
        assert!(Devices::is_claimed(&headers) && devices.known(&headers, "anna").is_none());
        let cookie = devices.remember(&HeaderMap::new(), &name("anna"), true);
        let text = cookie.to_str().unwrap();
        assert!(
            text.starts_with("__Host-milena_device=")
                && text.ends_with("; Path=/; Max-Age=34560000; HttpOnly; SameSite=Lax; Secure")
        );
        assert!(!text.contains("anna"));
    }
}
