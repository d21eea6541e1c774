//! The secret that all backends of one database share, and the keys that are derived from it.
//!
//! What the server hands out and gets back (a prefix for `client_id`s, a session cursor, a cookie that a
//! device keeps) is sealed, so that nobody can make it up. The key behind that stands in the store, once for
//! all nodes (`Store::server_key`). Nobody uses it directly: each purpose has a [`Subkey`] of its own, so
//! that what was sealed for one is worth nothing for another, and what one purpose gives away says nothing
//! about the others.
//!
//! ```
//! # use milena_domain::ServerKey;
//! # let key = ServerKey::from_bytes([7; ServerKey::BYTES]);
//! let seal = key.subkey("example/v1");
//! let tag = seal.mac(&[b"user", b"time"]);
//! assert!(seal.verify(&[b"user", b"time"], &tag[..16]));
//! assert!(!seal.verify(&[b"user", b"another time"], &tag[..16]));
//! ```

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// 32 random bytes, made at the first start of an installation. `Debug` does not show them.
#[derive(Clone)]
pub struct ServerKey([u8; Self::BYTES]);

/// The key of one purpose. `Debug` does not show it.
#[derive(Clone)]
pub struct Subkey([u8; ServerKey::BYTES]);

impl ServerKey {
    /// Length of the key.
    pub const BYTES: usize = 32;

    /// Takes the key as it is stored.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; Self::BYTES]) -> Self {
        Self(bytes)
    }

    /// The key of `purpose`: HMAC-SHA-256 of the label under the server's key.
    ///
    /// A label names what is sealed and the version of its form (`session-cursor/v1`): a form that changes
    /// takes a new one, so that what is still around of the old form is refused instead of misread.
    #[must_use]
    pub fn subkey(&self, purpose: &'static str) -> Subkey {
        let mut mac = keyed(&self.0);
        mac.update(purpose.as_bytes());
        Subkey(mac.finalize().into_bytes().into())
    }
}

impl Subkey {
    /// Shortest tag that [`Self::verify`] believes: 96 bits cannot be guessed over a network.
    pub const MIN_TAG_BYTES: usize = 12;

    /// HMAC-SHA-256 of the parts. Each is preceded by its length, so that no two lists of parts look alike.
    /// May be cut to [`Self::MIN_TAG_BYTES`] or more.
    #[must_use]
    pub fn mac(&self, parts: &[&[u8]]) -> [u8; 32] {
        self.over(parts).finalize().into_bytes().into()
    }

    /// Whether `tag` is the beginning, long enough, of what [`Self::mac`] gives; takes the same time wherever
    /// they differ.
    #[must_use]
    pub fn verify(&self, parts: &[&[u8]], tag: &[u8]) -> bool {
        tag.len() >= Self::MIN_TAG_BYTES && self.over(parts).verify_truncated_left(tag).is_ok()
    }

    /// The key itself, for a cipher.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; ServerKey::BYTES] {
        &self.0
    }

    fn over(&self, parts: &[&[u8]]) -> Hmac<Sha256> {
        let mut mac = keyed(&self.0);
        for part in parts {
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part);
        }
        mac
    }
}

fn keyed(key: &[u8; ServerKey::BYTES]) -> Hmac<Sha256> {
    Hmac::new_from_slice(key).expect("HMAC takes a key of any length")
}

impl fmt::Debug for ServerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ServerKey(***)")
    }
}

impl fmt::Debug for Subkey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Subkey(***)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: ServerKey = ServerKey::from_bytes([1; ServerKey::BYTES]);

    #[test]
    fn a_tag_is_good_for_its_key_purpose_and_parts_alone() {
        let seal = KEY.subkey("a/v1");
        let parts: [&[u8]; 2] = [b"ab", b"c"];
        let tag = seal.mac(&parts);
        assert!(seal.verify(&parts, &tag) && seal.verify(&parts, &tag[..Subkey::MIN_TAG_BYTES]));
        assert!(!seal.verify(&parts, &tag[..Subkey::MIN_TAG_BYTES - 1]), "too short to be believed");
        assert!(!seal.verify(&[b"a", b"bc"], &tag), "the same bytes, cut elsewhere");
        assert!(!KEY.subkey("b/v1").verify(&parts, &tag));
        assert!(!ServerKey::from_bytes([2; ServerKey::BYTES]).subkey("a/v1").verify(&parts, &tag));
        let mut wrong = tag;
        wrong[31] ^= 1;
        assert!(!seal.verify(&parts, &wrong));
    }

    /// What was handed out before an update must be good after it.
    #[test]
    fn derived_keys_never_change() {
        let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        let subkey = KEY.subkey("example/v1");
        assert_eq!(
            hex(subkey.as_bytes()),
            "3c8b16500393d28f4bfb1903a200462d080a5962d95a0a578d3f75374674c699"
        );
        assert_eq!(
            hex(&subkey.mac(&[b"x"])),
            "dcebb85e89a523d7cc1b1cd0a81510396bf5501bff4a95af2b2fe372d7c1003f"
        );
    }

    #[test]
    fn keys_are_not_shown() {
        assert_eq!(format!("{KEY:?} {:?}", KEY.subkey("a/v1")), "ServerKey(***) Subkey(***)");
    }
}
