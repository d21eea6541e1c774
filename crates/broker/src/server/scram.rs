//! SCRAM-SHA-256 (RFC 5802, RFC 7677), the server's side: a client proves that it knows the password without
//! sending it, so that a stranger who listens on the port while the broker is down learns nothing that would
//! let him in.
//!
//! No channel binding (there is no TLS) and no other identity than the one that signs in.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use crate::config::Credentials;

/// The name of the mechanism.
pub(crate) const MECHANISM: &str = "SCRAM-SHA-256";
/// The least that clients accept. More would only slow them down: a password here is random, not chosen.
const ITERATIONS: u32 = 4_096;

type Key = [u8; 32];

/// What the server keeps of the credentials: enough to check a proof, not enough to make one.
pub(crate) struct Verifier {
    username: String,
    salt: [u8; 16],
    stored_key: Key,
    server_key: Key,
}

impl std::fmt::Debug for Verifier {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Verifier").field("username", &self.username).finish_non_exhaustive()
    }
}

/// Why a client is not let in. It hears no more than that it is not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ScramError {
    #[error("its message is malformed")]
    Malformed,
    #[error("it wants something that is not offered")]
    NotOffered,
    #[error("its name or password is wrong")]
    Wrong,
}

impl Verifier {
    pub(crate) fn new(credentials: &Credentials) -> Self {
        let salt = *Uuid::now_v7().as_bytes();
        let salted = salted_password(credentials.password.as_bytes(), &salt);
        let stored_key = Sha256::digest(hmac(&salted, b"Client Key")).into();
        let server_key = hmac(&salted, b"Server Key");
        Self { username: credentials.username.clone(), salt, stored_key, server_key }
    }

    /// Takes a client's first message; gives the answer and what the second is checked with.
    pub(super) fn begin(&self, message: &[u8]) -> Result<(String, Challenge), ScramError> {
        let text = str::from_utf8(message).map_err(|_| ScramError::Malformed)?;
        let (header, bare) = match text.split_once(',').and_then(|(flag, rest)| {
            let (_, bare) = rest.split_once(',')?;
            Some((flag, bare))
        }) {
            // `y`: the client could bind to a channel, and knows that this server does not.
            Some(("n" | "y", bare)) => (&text[..text.len() - bare.len()], bare),
            Some(_) => return Err(ScramError::NotOffered),
            None => return Err(ScramError::Malformed),
        };
        let mut attributes = bare.split(',');
        let mut attribute = |name: &str| attributes.next()?.strip_prefix(name);
        let username = attribute("n=").ok_or(ScramError::Malformed)?;
        let client_nonce = attribute("r=").filter(|nonce| !nonce.is_empty()).ok_or(ScramError::Malformed)?;
        // 74 random bits in each.
        let nonce = format!("{client_nonce}{}{}", Uuid::now_v7().simple(), Uuid::now_v7().simple());
        let answer = format!("r={nonce},s={},i={ITERATIONS}", BASE64.encode(self.salt));
        let challenge = Challenge {
            // A wrong name is told as late as a wrong password.
            known: username.replace("=2C", ",").replace("=3D", "=") == self.username,
            binding: BASE64.encode(header),
            nonce,
            said: format!("{bare},{answer}"),
        };
        Ok((answer, challenge))
    }

    /// Takes a client's second message; gives the answer that proves to the client that this is the right
    /// server.
    pub(super) fn finish(&self, challenge: &Challenge, message: &[u8]) -> Result<String, ScramError> {
        let text = str::from_utf8(message).map_err(|_| ScramError::Malformed)?;
        let (without_proof, proof) = text.rsplit_once(",p=").ok_or(ScramError::Malformed)?;
        let mut attributes = without_proof.split(',');
        let mut attribute = |name: &str| attributes.next()?.strip_prefix(name);
        if attribute("c=") != Some(&challenge.binding) {
            return Err(ScramError::Malformed);
        }
        // librdkafka before 2.6.1, such as in Debian's kcat, says its own part twice (its pull request 4895).
        // What counts is that ours is in it: the signature of the whole conversation is then of this one and
        // of no earlier one.
        if !attribute("r=").is_some_and(|nonce| nonce.ends_with(&challenge.nonce)) {
            return Err(ScramError::Malformed);
        }
        let proof: Key =
            BASE64.decode(proof).ok().and_then(|proof| proof.try_into().ok()).ok_or(ScramError::Malformed)?;
        let conversation = format!("{},{without_proof}", challenge.said);
        let signature = hmac(&self.stored_key, conversation.as_bytes());
        let client_key: Key = std::array::from_fn(|at| proof[at] ^ signature[at]);
        // Of hashes: how long this takes says nothing about the key.
        let proven = Key::from(Sha256::digest(client_key)) == self.stored_key;
        if !proven || !challenge.known {
            return Err(ScramError::Wrong);
        }
        Ok(format!("v={}", BASE64.encode(hmac(&self.server_key, conversation.as_bytes()))))
    }
}

/// A conversation between its two messages.
#[derive(Debug)]
pub(super) struct Challenge {
    known: bool,
    binding: String,
    nonce: String,
    /// Both first messages, as they are signed.
    said: String,
}

fn hmac(key: &[u8], message: &[u8]) -> Key {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("a key of any length is taken");
    mac.update(message);
    mac.finalize().into_bytes().into()
}

/// PBKDF2 with one block.
fn salted_password(password: &[u8], salt: &[u8]) -> Key {
    let mut block = hmac(password, &[salt, &1_u32.to_be_bytes()].concat());
    let mut sum = block;
    for _ in 1..ITERATIONS {
        block = hmac(password, &block);
        sum.iter_mut().zip(block).for_each(|(sum, byte)| *sum ^= byte);
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The conversation of RFC 7677.
    #[test]
    fn the_example_of_the_standard() {
        let salt: [u8; 16] = BASE64.decode("W22ZaJ0SNY7soEsUEjb6gQ==").unwrap().try_into().unwrap();
        let salted = salted_password(b"pencil", &salt);
        let verifier = Verifier {
            username: "user".to_owned(),
            salt,
            stored_key: Sha256::digest(hmac(&salted, b"Client Key")).into(),
            server_key: hmac(&salted, b"Server Key"),
        };
        let nonce = "rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
        let challenge = Challenge {
            known: true,
            binding: "biws".to_owned(),
            nonce: nonce.to_owned(),
            said: format!("n=user,r=rOprNGfwEbeRWgbNEkqO,r={nonce},s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"),
        };
        let last = format!("c=biws,r={nonce},p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=");
        let answer = verifier.finish(&challenge, last.as_bytes());
        assert_eq!(answer.as_deref(), Ok("v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="));
        let wrong = last.replace("dHzb", "dHzc");
        assert_eq!(verifier.finish(&challenge, wrong.as_bytes()), Err(ScramError::Wrong));
        let stranger = Challenge { known: false, ..challenge };
        assert_eq!(verifier.finish(&stranger, last.as_bytes()), Err(ScramError::Wrong));
    }

    #[test]
    fn what_is_no_scram_is_refused() {
        let verifier = Verifier::new(&Credentials { username: "milena".into(), password: "secret".into() });
        for (message, error) in [
            ("", ScramError::Malformed),
            ("n,,n=milena", ScramError::Malformed),
            ("n,,r=abc,n=milena", ScramError::Malformed),
            ("n,,n=milena,r=", ScramError::Malformed),
            ("p=tls-unique,,n=milena,r=abc", ScramError::NotOffered),
        ] {
            assert_eq!(verifier.begin(message.as_bytes()).err(), Some(error), "{message}");
        }
        let (first, challenge) = verifier.begin(b"n,,n=milena,r=abc").expect("begun");
        assert!(first.starts_with("r=abc"));
        for message in ["", "c=biws", "c=biws,r=abc,p=", "c=biws,r=abc,p=AAAA"] {
            assert_eq!(verifier.finish(&challenge, message.as_bytes()), Err(ScramError::Malformed));
        }
    }
}
