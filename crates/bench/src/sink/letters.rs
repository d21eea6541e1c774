//! The messages: who writes to whom and how much, the same in every run.

use milena_domain::{Body, ClientId, MessageEvent, Timestamp, UserId};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use uuid::Uuid;

use super::lengths::{LONGEST_BYTES, bytes_at};

/// As in the SMS corpus: so many conversations for so many messages, and the k-th has a share that falls with
/// k^0.8.
const CORPUS_CONVERSATIONS: u64 = 3_597;
const CORPUS_MESSAGES: u64 = 53_518;
const SHARE_FALLS_WITH: f64 = 0.8;
const FIRST_SENT_AT_MS: i64 = 1_700_000_000_000;
/// Bodies are cut out of this many characters.
const TEXT_CHARS: usize = 1 << 16;

/// An endless source of messages.
pub(super) struct Letters {
    random: StdRng,
    text: String,
    pairs: Vec<(UserId, UserId)>,
    /// The sum of the shares up to each conversation.
    shares: Vec<f64>,
    number: u64,
}

impl Letters {
    /// `conversations_for`: how many messages there will be about.
    pub(super) fn new(conversations_for: u64) -> Self {
        let mut random = StdRng::seed_from_u64(1920);
        let count = (conversations_for * CORPUS_CONVERSATIONS).div_ceil(CORPUS_MESSAGES).max(100) as usize;
        let letters = "etaoinshrdlucmfwypvbgk   ".as_bytes();
        let text =
            (0..TEXT_CHARS).map(|_| char::from(letters[random.random_range(0..letters.len())])).collect();
        // About as many people as conversations, like there.
        let people: Vec<_> = (0..count.max(2)).map(|_| user(&mut random)).collect();
        let pairs = (0..count)
            .map(|one| (people[one], people[(one + 1 + random.random_range(0..count - 1)) % count]))
            .collect();
        let mut shares = Vec::with_capacity(count);
        let mut sum = 0.0;
        for k in 1..=count {
            sum += (k as f64).powf(-SHARE_FALLS_WITH);
            shares.push(sum);
        }
        Self { random, text, pairs, shares, number: 0 }
    }

    /// How many conversations there are.
    pub(super) fn conversations(&self) -> usize {
        self.pairs.len()
    }

    /// In which one the next message is.
    pub(super) fn conversation(&mut self) -> usize {
        let total = self.shares.last().copied().unwrap_or(1.0);
        let chosen = self.random.random::<f64>() * total;
        self.shares.partition_point(|share| *share < chosen).min(self.pairs.len() - 1)
    }

    /// A number below `end`.
    pub(super) fn below(&mut self, end: usize) -> usize {
        self.random.random_range(0..end)
    }

    /// What is said next; [`Letters::next`] says when.
    pub(super) fn words(&mut self, sent_at: Option<Timestamp>) -> (ClientId, Timestamp, Body) {
        let bytes = bytes_at(self.random.random());
        let start = self.random.random_range(0..TEXT_CHARS - LONGEST_BYTES);
        let number = self.number;
        self.number += 1;
        let sent_at =
            sent_at.unwrap_or_else(|| Timestamp::from_unix_ms(FIRST_SENT_AT_MS + number.cast_signed()));
        let client_id = ClientId::new(&format!("bench-{number}")).expect("short and printable");
        let body = Body::new(&self.text[start..start + bytes]).expect("1 to 910 characters");
        (client_id, sent_at, body)
    }

    /// The next message, sent at `sent_at` or, without that, a millisecond after the one before.
    pub(super) fn next(&mut self, sent_at: Option<Timestamp>) -> MessageEvent {
        let chosen = self.conversation();
        let (one, two) = self.pairs[chosen];
        let (sender, to) = if self.random.random() { (one, two) } else { (two, one) };
        let (client_id, sent_at, body) = self.words(sent_at);
        MessageEvent::new(sender, to, client_id, sent_at, body)
    }
}

fn user(random: &mut StdRng) -> UserId {
    UserId::from_uuid(Uuid::from_u128(random.random()))
}
