//! The session cursor as clients hold it: sealed, so that it tells them nothing.
//!
//! A cursor says how far each partition of the log is. In the open it would tell everybody how busy the whole
//! installation is, and a client could make up one that costs the server work. So it is encrypted and bound
//! to its person (XChaCha20-Poly1305 with a random nonce). What cannot be opened (another installation's,
//! another person's, one of an older version) is no cursor, and the client starts afresh.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use milena_domain::{ServerKey, SessionCursor, UserId};

const PURPOSE: &str = "session-cursor/v1";
const NONCE_BYTES: usize = 24;
/// More than the cursor of the largest topic takes: longer ones are not even looked at.
const MAX_CHARS: usize = 16 * 1_024;

/// Seals and opens cursors.
pub(super) struct CursorSeal(XChaCha20Poly1305);

impl CursorSeal {
    pub(super) fn new(key: &ServerKey) -> Self {
        Self(XChaCha20Poly1305::new(key.subkey(PURPOSE).as_bytes().into()))
    }

    /// The text that `user` gets.
    pub(super) fn seal(&self, user: UserId, cursor: &SessionCursor) -> String {
        let nonce: [u8; NONCE_BYTES] = rand::random();
        let (bytes, user) = (cursor.encode(), user.as_uuid());
        let payload = Payload { msg: &bytes, aad: user.as_bytes() };
        let sealed = self.0.encrypt(&XNonce::from(nonce), payload).expect("a cursor is shorter than 256 GiB");
        URL_SAFE_NO_PAD.encode([&nonce[..], &sealed].concat())
    }

    /// The cursor in it, if it is one that `user` got.
    pub(super) fn open(&self, user: UserId, text: &str) -> Option<SessionCursor> {
        if text.len() > MAX_CHARS {
            return None;
        }
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        let (nonce, sealed) = bytes.split_first_chunk::<NONCE_BYTES>()?;
        let user = user.as_uuid();
        let payload = Payload { msg: sealed, aad: user.as_bytes() };
        let opened = self.0.decrypt(&XNonce::from(*nonce), payload).ok()?;
        SessionCursor::decode(&opened).ok()
    }
}

#[cfg(test)]
mod tests {
    use milena_domain::{Epoch, MAX_OFFSET};
    use proptest::prelude::*;

    use super::*;

    fn seal() -> CursorSeal {
        CursorSeal::new(&ServerKey::from_bytes([5; ServerKey::BYTES]))
    }

    fn cursor(partitions: usize) -> SessionCursor {
        SessionCursor { epoch: Epoch::FIRST, next_offsets: vec![MAX_OFFSET; partitions] }
    }

    #[test]
    fn only_its_person_opens_it_and_it_tells_nothing() {
        let (seal, ann, ben) = (seal(), UserId::new(), UserId::new());
        let text = seal.seal(ann, &cursor(3));
        assert_eq!(seal.open(ann, &text), Some(cursor(3)));
        assert_eq!(seal.open(ben, &text), None);
        assert_eq!(CursorSeal::new(&ServerKey::from_bytes([6; ServerKey::BYTES])).open(ann, &text), None);
        assert_ne!(seal.seal(ann, &cursor(3)), text, "not even whether it is the same");
        assert_eq!(
            seal.open(ann, &URL_SAFE_NO_PAD.encode(cursor(3).encode())),
            None,
            "as the first version wrote it"
        );
        let largest = seal.seal(ann, &cursor(1_024));
        assert_eq!(seal.open(ann, &largest), Some(cursor(1_024)), "{} characters", largest.len());
    }

    proptest! {
        #[test]
        fn what_was_changed_is_no_cursor(place in 0_usize..60, bit in 0_u8..8) {
            let (seal, ann) = (seal(), UserId::new());
            let mut bytes = URL_SAFE_NO_PAD.decode(seal.seal(ann, &cursor(3))).unwrap();
            let place = place % bytes.len();
            bytes[place] ^= 1 << bit;
            prop_assert_eq!(seal.open(ann, &URL_SAFE_NO_PAD.encode(bytes)), None);
        }

        #[test]
        fn any_text_is_read_or_refused(text in ".{0,200}") {
            prop_assert_eq!(seal().open(UserId::new(), &text), None);
        }
    }
}
