//! The record batch of the Kafka protocol, version 2, as far as a broker must understand it.
//!
//! Batches are kept and handed out as they came; only the base offset and the leader epoch are written into
//! them, which the checksum leaves out for this purpose. Records are looked into only to find one by its
//! time, and only where they are not compressed.

/// The bytes before the first record.
pub(crate) const HEADER_BYTES: usize = 61;
/// The bytes that `stamp` replaces: base offset, length, leader epoch.
pub(crate) const STAMP_BYTES: usize = 16;
/// There is one leader and it never changes.
pub(crate) const LEADER_EPOCH: i32 = 0;

const MAGIC: i8 = 2;
const LENGTH_PREFIX_BYTES: usize = 12;
const CHECKED_FROM: usize = 21;
const COMPRESSION_MASK: i16 = 0b111;
const LOG_APPEND_TIME: i16 = 0b1000;
const TRANSACTIONAL: i16 = 0b1_0000;
const CONTROL: i16 = 0b10_0000;

/// The fixed fields at the head of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct BatchHeader {
    pub(crate) base_offset: i64,
    /// The whole batch with its header.
    pub(crate) size_bytes: usize,
    pub(crate) crc: u32,
    pub(crate) attributes: i16,
    pub(crate) last_offset_delta: i32,
    pub(crate) base_timestamp_ms: i64,
    pub(crate) max_timestamp_ms: i64,
    pub(crate) producer_id: i64,
    pub(crate) producer_epoch: i16,
    pub(crate) base_sequence: i32,
    pub(crate) record_count: i32,
}

/// Why bytes are not a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BatchError {
    #[error("the batch is cut short")]
    Incomplete,
    #[error("the batch is not of format version 2")]
    Magic,
    #[error("the batch states an impossible size or number of records")]
    Malformed,
    #[error("the checksum of the batch is wrong")]
    Checksum,
}

impl BatchHeader {
    /// Reads the header at the start of `bytes`, without looking at the checksum.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, BatchError> {
        if bytes.len() < HEADER_BYTES {
            return Err(BatchError::Incomplete);
        }
        if i8::from_be_bytes(field(bytes, 16)) != MAGIC {
            return Err(BatchError::Magic);
        }
        let length = i32::from_be_bytes(field(bytes, 8));
        let size_bytes = usize::try_from(length).map_err(|_| BatchError::Malformed)? + LENGTH_PREFIX_BYTES;
        let header = Self {
            base_offset: i64::from_be_bytes(field(bytes, 0)),
            size_bytes,
            crc: u32::from_be_bytes(field(bytes, 17)),
            attributes: i16::from_be_bytes(field(bytes, 21)),
            last_offset_delta: i32::from_be_bytes(field(bytes, 23)),
            base_timestamp_ms: i64::from_be_bytes(field(bytes, 27)),
            max_timestamp_ms: i64::from_be_bytes(field(bytes, 35)),
            producer_id: i64::from_be_bytes(field(bytes, 43)),
            producer_epoch: i16::from_be_bytes(field(bytes, 51)),
            base_sequence: i32::from_be_bytes(field(bytes, 53)),
            record_count: i32::from_be_bytes(field(bytes, 57)),
        };
        let counts_agree = header.record_count > 0 && header.last_offset_delta == header.record_count - 1;
        if size_bytes < HEADER_BYTES || !counts_agree || header.base_offset < 0 {
            return Err(BatchError::Malformed);
        }
        Ok(header)
    }

    /// Reads the batch at the start of `bytes` and checks it whole.
    pub(crate) fn verify(bytes: &[u8]) -> Result<Self, BatchError> {
        let header = Self::parse(bytes)?;
        let batch = bytes.get(..header.size_bytes).ok_or(BatchError::Incomplete)?;
        if crc32c::crc32c(&batch[CHECKED_FROM..]) != header.crc {
            return Err(BatchError::Checksum);
        }
        Ok(header)
    }

    pub(crate) fn last_offset(&self) -> i64 {
        self.base_offset + i64::from(self.last_offset_delta)
    }

    pub(crate) fn next_offset(&self) -> i64 {
        self.last_offset() + 1
    }

    pub(crate) fn is_compressed(&self) -> bool {
        self.attributes & COMPRESSION_MASK != 0
    }

    /// Whether the batch is part of a transaction or marks the end of one; this broker has none.
    pub(crate) fn is_transactional_or_control(&self) -> bool {
        self.attributes & (TRANSACTIONAL | CONTROL) != 0
    }

    /// Whether the producer asks for its sequence to be checked.
    pub(crate) fn is_idempotent(&self) -> bool {
        self.producer_id >= 0
    }

    fn all_records_have_max_timestamp(&self) -> bool {
        self.attributes & LOG_APPEND_TIME != 0
    }
}

fn field<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    let mut field = [0; N];
    field.copy_from_slice(&bytes[at..at + N]);
    field
}

/// The first bytes of `batch` as they must stand in the log: with its offset and the leader epoch.
pub(crate) fn stamp(batch: &[u8], base_offset: i64) -> [u8; STAMP_BYTES] {
    let mut stamp: [u8; STAMP_BYTES] = field(batch, 0);
    stamp[..8].copy_from_slice(&base_offset.to_be_bytes());
    stamp[12..].copy_from_slice(&LEADER_EPOCH.to_be_bytes());
    stamp
}

/// An offset with the time of its record, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct OffsetAtTime {
    pub(crate) offset: i64,
    pub(crate) timestamp_ms: i64,
}

/// The first record of a whole batch that is not older than `timestamp_ms`.
///
/// The records of a compressed batch stay closed: its first offset is given, which is never later than the
/// true answer, so a reader that starts there misses nothing.
pub(crate) fn first_at_or_after(batch: &[u8], header: &BatchHeader, timestamp_ms: i64) -> OffsetAtTime {
    let first = OffsetAtTime { offset: header.base_offset, timestamp_ms: header.max_timestamp_ms };
    if header.is_compressed() || header.all_records_have_max_timestamp() {
        return first;
    }
    records(batch, header).find(|record| record.timestamp_ms >= timestamp_ms).unwrap_or(first)
}

/// The latest time that the batch claims for any of its records. The records of a compressed batch stay
/// closed: its header is believed.
pub(crate) fn latest_timestamp_ms(batch: &[u8]) -> Result<i64, BatchError> {
    let header = BatchHeader::parse(batch)?;
    if header.is_compressed() {
        return Ok(header.max_timestamp_ms);
    }
    let latest = records(batch, &header).map(|record| record.timestamp_ms).max();
    Ok(latest.unwrap_or(header.max_timestamp_ms).max(header.max_timestamp_ms))
}

/// Offsets and times of the records of an uncompressed batch; ends early where the records make no sense.
fn records<'a>(batch: &'a [u8], header: &'a BatchHeader) -> impl Iterator<Item = OffsetAtTime> + 'a {
    let mut rest = &batch[HEADER_BYTES..header.size_bytes.min(batch.len())];
    (0..header.record_count).map_while(move |_| {
        let length = usize::try_from(varint(&mut rest)?).ok()?;
        let (mut record, after) = rest.split_at_checked(length)?;
        rest = after;
        record = record.get(1..)?;
        let timestamp_delta = varint(&mut record)?;
        let offset_delta = varint(&mut record)?;
        Some(OffsetAtTime {
            offset: header.base_offset.checked_add(offset_delta)?,
            timestamp_ms: header.base_timestamp_ms.checked_add(timestamp_delta)?,
        })
    })
}

/// A zigzag variable-length integer of at most ten bytes.
fn varint(bytes: &mut &[u8]) -> Option<i64> {
    let mut value = 0_u64;
    for shift in (0..64).step_by(7) {
        let (&byte, rest) = bytes.split_first()?;
        *bytes = rest;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some((value >> 1) as i64 ^ -((value & 1) as i64));
        }
    }
    None
}

#[cfg(test)]
pub(crate) mod sample {
    //! Batches for tests, made by hand.

    use super::{CHECKED_FROM, HEADER_BYTES};

    /// What a sample batch says; the rest is fixed.
    #[derive(Debug, Clone, Copy)]
    pub(crate) struct Sample {
        pub(crate) records: i32,
        pub(crate) timestamp_ms: i64,
        pub(crate) producer_id: i64,
        pub(crate) producer_epoch: i16,
        pub(crate) base_sequence: i32,
        pub(crate) value_bytes: usize,
    }

    impl Default for Sample {
        fn default() -> Self {
            Self {
                records: 1,
                timestamp_ms: 1_000,
                producer_id: -1,
                producer_epoch: -1,
                base_sequence: -1,
                value_bytes: 10,
            }
        }
    }

    impl Sample {
        /// The batch; record `i` has the timestamp `timestamp_ms + i`.
        pub(crate) fn build(self) -> Vec<u8> {
            let mut batch = vec![0; HEADER_BYTES];
            for i in 0..self.records {
                let mut record = vec![0_u8];
                zigzag(&mut record, i64::from(i));
                zigzag(&mut record, i64::from(i));
                zigzag(&mut record, -1);
                zigzag(&mut record, self.value_bytes as i64);
                record.extend(std::iter::repeat_n(b'x', self.value_bytes));
                zigzag(&mut record, 0);
                zigzag(&mut batch, record.len() as i64);
                batch.extend(record);
            }
            let length = (batch.len() - 12) as i32;
            batch[8..12].copy_from_slice(&length.to_be_bytes());
            batch[16] = 2;
            batch[23..27].copy_from_slice(&(self.records - 1).to_be_bytes());
            batch[27..35].copy_from_slice(&self.timestamp_ms.to_be_bytes());
            batch[35..43].copy_from_slice(&(self.timestamp_ms + i64::from(self.records) - 1).to_be_bytes());
            batch[43..51].copy_from_slice(&self.producer_id.to_be_bytes());
            batch[51..53].copy_from_slice(&self.producer_epoch.to_be_bytes());
            batch[53..57].copy_from_slice(&self.base_sequence.to_be_bytes());
            batch[57..61].copy_from_slice(&self.records.to_be_bytes());
            let crc = crc32c::crc32c(&batch[CHECKED_FROM..]);
            batch[17..21].copy_from_slice(&crc.to_be_bytes());
            batch
        }
    }

    fn zigzag(out: &mut Vec<u8>, value: i64) {
        let mut value = ((value << 1) ^ (value >> 63)) as u64;
        while value >= 0x80 {
            out.push(value as u8 | 0x80);
            value >>= 7;
        }
        out.push(value as u8);
    }
}

#[cfg(test)]
mod tests {
    use super::sample::Sample;
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_sound_batch_is_read() {
        let batch = Sample { records: 3, ..Sample::default() }.build();
        let header = BatchHeader::verify(&batch).expect("sound");
        assert_eq!(
            (header.record_count, header.size_bytes, header.max_timestamp_ms),
            (3, batch.len(), 1_002)
        );
    }

    #[test]
    fn the_stamp_does_not_break_the_checksum() {
        let mut batch = Sample::default().build();
        let stamped = stamp(&batch, 77);
        batch[..STAMP_BYTES].copy_from_slice(&stamped);
        assert_eq!(BatchHeader::verify(&batch).expect("sound").base_offset, 77);
    }

    #[test]
    fn a_record_is_found_by_its_time() {
        let batch = Sample { records: 5, ..Sample::default() }.build();
        let header = BatchHeader::verify(&batch).expect("sound");
        let found = first_at_or_after(&batch, &header, 1_003);
        assert_eq!(found, OffsetAtTime { offset: 3, timestamp_ms: 1_003 });
    }

    #[test]
    fn the_latest_time_is_that_of_the_records_whatever_the_header_says() {
        let mut batch = Sample { records: 5, ..Sample::default() }.build();
        assert_eq!(latest_timestamp_ms(&batch), Ok(1_004));
        batch[35..43].copy_from_slice(&7_i64.to_be_bytes());
        assert_eq!(latest_timestamp_ms(&batch), Ok(1_004));
        batch[35..43].copy_from_slice(&9_000_i64.to_be_bytes());
        assert_eq!(latest_timestamp_ms(&batch), Ok(9_000));
    }

    proptest! {
        #[test]
        fn any_flipped_bit_after_the_stamp_is_noticed(at in STAMP_BYTES..100_usize, bit in 0..8_u8) {
            let mut batch = Sample { records: 4, value_bytes: 40, ..Sample::default() }.build();
            let at = at.min(batch.len() - 1);
            batch[at] ^= 1 << bit;
            prop_assert!(BatchHeader::verify(&batch).is_err());
        }

        #[test]
        fn any_bytes_are_refused_or_read_but_never_panic(
            bytes in proptest::collection::vec(any::<u8>(), 0..200),
        ) {
            if let Ok(header) = BatchHeader::parse(&bytes) {
                let _ = (first_at_or_after(&bytes, &header, 0), latest_timestamp_ms(&bytes));
            }
        }
    }
}
