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
