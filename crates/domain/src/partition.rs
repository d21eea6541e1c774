//! Which partition a conversation lives in: librdkafka's and the Java client's `murmur2_random` partitioner.
//!
//! The producers leave the choice to librdkafka; this is the same function for those who only read, such as a
//! resume that must know which part of a session cursor speaks of a conversation.

use crate::ConversationId;

/// The partition, from 0 to `partitions - 1`, of a conversation's records.
///
/// # Panics
/// When `partitions` is 0; the settings refuse that.
#[must_use]
pub fn partition_of(conversation: ConversationId, partitions: usize) -> i32 {
    let mut buffer = uuid::Uuid::encode_buffer();
    let key = conversation.as_uuid().hyphenated().encode_lower(&mut buffer);
    let positive = murmur2(key.as_bytes()) & 0x7fff_ffff;
    (positive as usize % partitions) as i32
}

/// How many partitions the topic has, and how many it had in earlier epochs of the log.
///
/// Whoever adds partitions to a topic leaves its old records where they were. In the epoch that begins then
/// they are read again, and each is a good one where it was good when it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Partitioning {
    now: usize,
    earlier: Vec<usize>,
}

impl Partitioning {
    /// Of a topic that has `now` partitions and had the numbers in `earlier`; those of 0 are left out.
    #[must_use]
    pub fn new(now: usize, earlier: impl IntoIterator<Item = usize>) -> Self {
        Self { now, earlier: earlier.into_iter().filter(|&count| count != now && count > 0).collect() }
    }

    /// How many there are.
    #[must_use]
    pub const fn now(&self) -> usize {
        self.now
    }

    /// Whether a record of `conversation` may stand in `partition`: it lives there, or did when there were
    /// fewer.
    #[must_use]
    pub fn admits(&self, conversation: ConversationId, partition: i32) -> bool {
        let counts = std::iter::once(&self.now).chain(&self.earlier);
        counts.into_iter().any(|&count| partition_of(conversation, count) == partition)
    }
}

/// MurmurHash2, 32 bit, with Kafka's seed (`org.apache.kafka.common.utils.Utils.murmur2`).
fn murmur2(data: &[u8]) -> u32 {
    const SEED: u32 = 0x9747_b28c;
    const M: u32 = 0x5bd1_e995;
    let mut hash = SEED ^ data.len() as u32;
    let (words, tail) = data.as_chunks::<4>();
    for word in words {
        let mut k = u32::from_le_bytes(*word).wrapping_mul(M);
        k ^= k >> 24;
        hash = hash.wrapping_mul(M) ^ k.wrapping_mul(M);
    }
    if !tail.is_empty() {
        for (index, byte) in tail.iter().enumerate() {
            hash ^= u32::from(*byte) << (8 * index);
        }
        hash = hash.wrapping_mul(M);
    }
    hash ^= hash >> 13;
    hash = hash.wrapping_mul(M);
    hash ^ (hash >> 15)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_conversation_may_stand_where_it_lived_before() {
        let user = |n| crate::UserId::from_uuid(uuid::Uuid::from_u128(n));
        let conversation = ConversationId::direct(user(1), user(2));
        let grown = Partitioning::new(24, [12, 24, 0]);
        let admitted: Vec<i32> = (0..24).filter(|&partition| grown.admits(conversation, partition)).collect();
        let mut homes = vec![partition_of(conversation, 12), partition_of(conversation, 24)];
        homes.sort_unstable();
        homes.dedup();
        assert_eq!(admitted, homes);
        assert_eq!(grown.now(), 24);
    }

    #[test]
    fn equals_apache_kafkas_own_test_vectors() {
        // org.apache.kafka.common.utils.UtilsTest
        for (text, hash) in [
            ("21", -973_932_308_i32),
            ("foobar", -790_332_482),
            ("a-little-bit-long-string", -985_981_536),
            ("a-little-bit-longer-string", -1_486_304_829),
            ("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58_897_971),
            ("abc", 479_470_107),
        ] {
            assert_eq!(murmur2(text.as_bytes()) as i32, hash, "{text}");
        }
    }
}
