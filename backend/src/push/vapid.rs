//! How this server says towards push services who it is (RFC 8292): a key pair for ever, and a signed token
//! for each service.
//!
//! The key is derived from the server's secret, which was made at the first start and stands in the database
//! once for all nodes: so they all have the same, and it is kept where that is kept (`milena`: in the data
//! folder, which nobody else may read). Browsers bind their subscriptions to it: with another key, none of
//! them would be served.
//!
//! The token is made here and not by `web-push-native`, whose feature for it brings a library of RSA with an
//! open advisory (RUSTSEC-2023-0071) along, and signs anew for each push.

use std::fmt;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use milena_domain::{ServerKey, Subkey, Timestamp};
use moka::sync::Cache;
use p256::ecdsa::signature::Signer;
use p256::ecdsa::{Signature, SigningKey};
use serde::Serialize;

/// A token is good for so long; the protocol allows a day.
const TOKEN_LASTS_MS: i64 = 12 * 60 * 60 * 1_000;
/// And used for so long, so that a clock that is a bit wrong harms nothing.
const TOKEN_USED: Duration = Duration::from_secs(60 * 60);
/// Push services whose tokens are remembered.
const SERVICES: u64 = 1_000;

/// The key pair of this server, and the tokens that were made with it.
pub(crate) struct Vapid {
    key: SigningKey,
    public: String,
    contact: Option<String>,
    tokens: Cache<String, String>,
}

impl fmt::Debug for Vapid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Vapid").field("public", &self.public).finish_non_exhaustive()
    }
}

#[derive(Serialize)]
struct Header {
    typ: &'static str,
    alg: &'static str,
}

#[derive(Serialize)]
struct Claims<'a> {
    aud: &'a str,
    exp: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    sub: Option<&'a str>,
}

impl Vapid {
    /// The pair of this server, whose operator is reached at `contact`.
    pub(crate) fn new(server: &ServerKey, contact: Option<String>) -> Self {
        let key = signing_key(&server.subkey("vapid/v1"));
        let public = URL_SAFE_NO_PAD.encode(key.verifying_key().to_encoded_point(false).as_bytes());
        let tokens = Cache::builder().max_capacity(SERVICES).time_to_live(TOKEN_USED).build();
        Self { key, public, contact, tokens }
    }

    /// What a browser needs to subscribe: the point, uncompressed, base64url.
    pub(crate) fn public_key(&self) -> &str {
        &self.public
    }

    /// The `Authorization` of a push to the service at `origin`.
    pub(crate) fn authorization(&self, origin: &str, now: Timestamp) -> String {
        let token = self.tokens.get_with_by_ref(origin, || self.token(origin, now));
        format!("vapid t={token}, k={}", self.public)
    }

    fn token(&self, origin: &str, now: Timestamp) -> String {
        let header = Header { typ: "JWT", alg: "ES256" };
        let exp = now.plus_ms(TOKEN_LASTS_MS).unix_ms() / 1_000;
        let claims = Claims { aud: origin, exp, sub: self.contact.as_deref() };
        let signed = format!("{}.{}", part(&header), part(&claims));
        let signature: Signature = self.key.sign(signed.as_bytes());
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature.to_bytes()))
    }
}

fn part(value: &impl Serialize) -> String {
    URL_SAFE_NO_PAD.encode(serde_json::to_vec(value).expect("texts and numbers always serialise"))
}

/// Nearly every 32 bytes are a key of P-256; the number goes up until they are.
fn signing_key(subkey: &Subkey) -> SigningKey {
    (0_u8..=255)
        .find_map(|number| SigningKey::from_slice(&subkey.mac(&[&[number]])).ok())
        .expect("one in four thousand million is none, not 256 in a row")
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: ServerKey = ServerKey::from_bytes([1; ServerKey::BYTES]);

    /// Browsers have subscribed under it.
    #[test]
    fn the_key_of_a_server_never_changes() {
        let public = Vapid::new(&KEY, None).public_key().to_owned();
        assert_eq!(
            public,
            "BAwxKNtDTCGvBo7Fb71-eIjEvI0AkjKNbAlK_icsCMIgMY0CUBOudMkJvLcPhfielVj3AdiRyaOgQGrJ_Uis4MM"
        );
        assert_ne!(public, Vapid::new(&ServerKey::from_bytes([2; 32]), None).public_key());
    }

    #[test]
    fn a_service_gets_the_same_token_for_a_while_and_each_its_own() {
        let vapid = Vapid::new(&KEY, Some("mailto:admin@example.org".into()));
        let (now, later) = (Timestamp::from_unix_ms(1_000), Timestamp::from_unix_ms(5_000));
        let first = vapid.authorization("https://push.example.com", now);
        assert_eq!(first, vapid.authorization("https://push.example.com", later));
        assert_ne!(first, vapid.authorization("https://other.example.com", now));
        let claims = first.split('.').nth(1).unwrap();
        let claims: serde_json::Value =
            serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).unwrap()).unwrap();
        let expected = serde_json::json!({
            "aud": "https://push.example.com", "exp": 43_201, "sub": "mailto:admin@example.org",
        });
        assert_eq!(claims, expected);
    }
}
