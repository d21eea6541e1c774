//! What proves that a send is a first one: a prefix that the server gave out for `client_id`s.
//!
//! Whether a message was sent before is a fact about the whole log, and memory holds the end of it only. A
//! look-up in the store for every send would be dear, and would make sending depend on the database. So each
//! client gets a prefix with the server's time, sealed for that person: no id that begins with it was sent
//! before that time, and while memory reaches back further, what is not in memory was never sent. Every other
//! id is looked up; what a client says about it (`retry`) is not believed.
//!
//! **Clocks.** Within a process, time runs on by its steady clock, whatever is done to the clock on the wall;
//! of what this process sealed itself, nothing else is needed. A prefix of another process (of another node,
//! or from before a restart) bears the other's time: the two may differ by [`CLOCK_SKEW_MS`], and one that
//! seems to come from the future proves nothing. That keeps prefixes good while the database is away and a
//! node's clients go to another one.
//!
//! A prefix is `1`, then 28 characters (URL-safe base64 of time, process and seal), then a dot: 30
//! characters, which leave 34 for the client's part. Pure, but for the clock.

use std::time::Instant;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use milena_domain::{ClientId, ServerKey, Subkey, Timestamp, UserId};

const PURPOSE: &str = "client-id-prefix/v1";
/// By how much the clocks of two nodes may differ.
const CLOCK_SKEW_MS: i64 = 60_000;

const FORMAT: char = '1';
const END: char = '.';
const TIME_BYTES: usize = 6;
const PROCESS_BYTES: usize = 3;
const BYTES: usize = TIME_BYTES + PROCESS_BYTES + Subkey::MIN_TAG_BYTES;
const CHARS: usize = BYTES / 3 * 4;

/// Milliseconds since 1970 that never go back or jump while this process lives.
#[derive(Debug, Clone)]
pub(crate) struct SteadyClock {
    started: Instant,
    started_at_ms: i64,
    #[cfg(test)]
    by_hand: Option<std::sync::Arc<std::sync::atomic::AtomicI64>>,
}

impl SteadyClock {
    /// Begins with the time on the wall.
    pub(crate) fn start() -> Self {
        Self {
            started: Instant::now(),
            started_at_ms: Timestamp::now().unix_ms(),
            #[cfg(test)]
            by_hand: None,
        }
    }

    /// Moved by the test.
    #[cfg(test)]
    pub(crate) fn by_hand(time: &std::sync::Arc<std::sync::atomic::AtomicI64>) -> Self {
        Self { by_hand: Some(std::sync::Arc::clone(time)), ..Self::start() }
    }

    pub(crate) fn now_ms(&self) -> i64 {
        #[cfg(test)]
        if let Some(time) = &self.by_hand {
            return time.load(std::sync::atomic::Ordering::Relaxed);
        }
        let passed = i64::try_from(self.started.elapsed().as_millis()).unwrap_or(i64::MAX);
        self.started_at_ms.saturating_add(passed)
    }
}

/// What the prefix of an id says, compared with memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Proof {
    /// The id was not sent before what memory has.
    New,
    /// The prefix is this person's, but memory does not reach back so far any more: a new one is due.
    TooOld,
    /// There is no prefix, or it is somebody else's.
    None,
}

/// Gives out prefixes and reads them.
#[derive(Debug)]
pub(super) struct FirstSends {
    seal: Subkey,
    process: [u8; PROCESS_BYTES],
    clock: SteadyClock,
}

impl FirstSends {
    pub(super) fn new(key: &ServerKey, clock: SteadyClock) -> Self {
        Self { seal: key.subkey(PURPOSE), process: rand::random(), clock }
    }

    /// A prefix for what `user` sends from now on.
    pub(super) fn prefix(&self, user: UserId) -> String {
        let mut bytes = [0; BYTES];
        let (sealed, tag) = bytes.split_at_mut(TIME_BYTES + PROCESS_BYTES);
        sealed[..TIME_BYTES].copy_from_slice(&self.clock.now_ms().to_be_bytes()[8 - TIME_BYTES..]);
        sealed[TIME_BYTES..].copy_from_slice(&self.process);
        tag.copy_from_slice(&self.seal.mac(&[user.as_uuid().as_bytes(), sealed])[..Subkey::MIN_TAG_BYTES]);
        format!("{FORMAT}{}{END}", URL_SAFE_NO_PAD.encode(bytes))
    }

    /// What `client_id` proves, when memory has every message that was sent after `covers_since_ms`.
    pub(super) fn proof(&self, user: UserId, client_id: &ClientId, covers_since_ms: i64) -> Proof {
        let Some((time_ms, process)) = self.open(user, client_id) else { return Proof::None };
        let skew_ms = if process == self.process { 0 } else { CLOCK_SKEW_MS };
        // Strictly: within the same millisecond either may have been first.
        if time_ms - skew_ms > covers_since_ms && time_ms <= self.clock.now_ms() + skew_ms {
            Proof::New
        } else {
            Proof::TooOld
        }
    }

    /// Time and process of a prefix that was given to `user`.
    fn open(&self, user: UserId, client_id: &ClientId) -> Option<(i64, [u8; PROCESS_BYTES])> {
        let rest = client_id.as_str().strip_prefix(FORMAT)?;
        let (text, rest) = rest.split_at_checked(CHARS)?;
        if !rest.starts_with(END) {
            return None;
        }
        let bytes = URL_SAFE_NO_PAD.decode(text).ok().filter(|bytes| bytes.len() == BYTES)?;
        let (sealed, tag) = bytes.split_at(TIME_BYTES + PROCESS_BYTES);
        if !self.seal.verify(&[user.as_uuid().as_bytes(), sealed], tag) {
            return None;
        }
        let time_ms = sealed[..TIME_BYTES].iter().fold(0, |time, byte| time << 8 | i64::from(*byte));
        Some((time_ms, sealed[TIME_BYTES..].try_into().ok()?))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicI64, Ordering};

    use milena_domain::limits::CLIENT_ID_MAX_CHARS;

    use super::*;

    const KEY: ServerKey = ServerKey::from_bytes([3; ServerKey::BYTES]);

    fn node(time_ms: i64) -> (FirstSends, Arc<AtomicI64>) {
        let time = Arc::new(AtomicI64::new(time_ms));
        (FirstSends::new(&KEY, SteadyClock::by_hand(&time)), time)
    }

    fn named(prefix: &str, rest: &str) -> ClientId {
        ClientId::new(&format!("{prefix}{rest}")).unwrap()
    }

    #[test]
    fn a_prefix_proves_as_long_as_memory_reaches_back_to_it() {
        let (node, time) = node(1_000);
        let (ann, ben) = (UserId::new(), UserId::new());
        let prefix = node.prefix(ann);
        let id = named(&prefix, &"x".repeat(34));
        assert_eq!(id.as_str().len(), CLIENT_ID_MAX_CHARS, "34 characters are the client's");
        time.store(9_000_000, Ordering::Relaxed);
        assert_eq!(node.proof(ann, &id, 999), Proof::New);
        assert_eq!(
            node.proof(ann, &id, 1_000),
            Proof::TooOld,
            "it may have been sent in this very millisecond"
        );
        assert_eq!(node.proof(ben, &id, 0), Proof::None, "not his");
        assert_eq!(node.proof(ann, &named(&prefix[..29], "x"), 0), Proof::None, "no dot");
    }

    #[test]
    fn nobody_makes_one_up() {
        let (node, _) = node(1_000);
        let ann = UserId::new();
        let prefix = node.prefix(ann);
        for place in 0..prefix.len() {
            let mut forged = prefix.clone().into_bytes();
            forged[place] = if forged[place] == b'A' { b'B' } else { b'A' };
            let forged = named(std::str::from_utf8(&forged).unwrap(), "1");
            assert_eq!(node.proof(ann, &forged, 0), Proof::None, "{forged:?}");
        }
        for id in ["1", "1.", "1234", "1~~~~~~~~~~~~~~~~~~~~~~~~~~~~.1"] {
            assert_eq!(node.proof(ann, &ClientId::new(id).unwrap(), 0), Proof::None, "{id}");
        }
    }

    #[test]
    fn another_nodes_clock_is_believed_within_a_minute() {
        let ann = UserId::new();
        let ((here, _), (there, there_time)) = (node(1_000_000), node(1_000_000));
        let id = |prefix: String| named(&prefix, "1");
        assert_eq!(here.proof(ann, &id(there.prefix(ann)), 939_999), Proof::New);
        assert_eq!(here.proof(ann, &id(there.prefix(ann)), 940_000), Proof::TooOld, "its clock may be ahead");
        there_time.store(1_060_001, Ordering::Relaxed);
        assert_eq!(here.proof(ann, &id(there.prefix(ann)), 0), Proof::TooOld, "its clock is ahead");
    }
}
