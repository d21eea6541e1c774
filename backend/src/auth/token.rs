//! Session tokens: 256 random bits, in URL-safe base64 at the client, as SHA-256 in the store.
//!
//! A fast hash is right here: nobody can try 2^256 tokens, and a copy of the database signs nobody in.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

const BYTES: usize = 32;
/// Characters of a token: 32 bytes in base64 without padding.
const CHARS: usize = 43;

/// The secret of a session. `Debug` does not show it.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

impl Token {
    /// A new secret, from the system's source of randomness by way of a generator that is seeded from it.
    #[must_use]
    pub fn generate() -> Self {
        Self(URL_SAFE_NO_PAD.encode(rand::random::<[u8; BYTES]>()))
    }

    /// The secret, for the answer to its owner only.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// What the store knows the token by.
    #[must_use]
    pub fn hash(&self) -> [u8; 32] {
        digest(&self.0)
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(***)")
    }
}

/// The hash of what a client presents as a token; `None` when it cannot be one, which needs no look-up.
#[must_use]
pub(super) fn hash_of(presented: &str) -> Option<[u8; 32]> {
    is_plausible(presented).then(|| digest(presented))
}

/// Whether this has the form of a token.
#[must_use]
pub(super) fn is_plausible(presented: &str) -> bool {
    presented.len() == CHARS && presented.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b))
}

fn digest(text: &str) -> [u8; 32] {
    Sha256::digest(text.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn tokens_are_long_different_and_found_by_their_hash() {
        let tokens: HashSet<String> = (0..100).map(|_| Token::generate().expose().to_owned()).collect();
        assert_eq!(tokens.len(), 100);
        let token = Token::generate();
        assert_eq!(token.expose().len(), CHARS);
        assert_eq!(hash_of(token.expose()), Some(token.hash()));
        assert_eq!(hash_of("short"), None);
        assert_eq!(hash_of(&"=".repeat(CHARS)), None);
        assert_eq!(format!("{token:?}"), "Token(***)");
    }
}
