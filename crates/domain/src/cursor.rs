//! The session cursor: up to which offset of each partition a client has been sent everything.
//!
//! Opaque to clients (the backend seals it), so its form may change: a cursor that cannot be read, or that
//! names another epoch or partition count, is refused and the client starts afresh, told so by `resumed:
//! false`.

use crate::position::{Epoch, MAX_OFFSET};

/// Format 1 was given out by servers that knew nothing of rooms: what their cursors cover left rooms out, so
/// going on from one would hide what happened there.
const FORMAT: u8 = 2;
/// More partitions than any installation has; bounds the work of reading a hostile cursor.
const MAX_PARTITIONS: usize = 1_024;

/// For each partition, by index, the next offset that the client has not been sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionCursor {
    /// The log's generation that the offsets belong to.
    pub epoch: Epoch,
    /// Next offset by partition.
    pub next_offsets: Vec<i64>,
}

/// Why a cursor was not understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the session cursor is not one that this server gave out")]
pub struct CursorError;

impl SessionCursor {
    /// A format byte, then the epoch and the offsets as variable-length integers.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(4 + self.next_offsets.len() * 4);
        bytes.push(FORMAT);
        put_varint(&mut bytes, u64::from(self.epoch.get()));
        put_varint(&mut bytes, self.next_offsets.len() as u64);
        for offset in &self.next_offsets {
            put_varint(&mut bytes, (*offset).clamp(0, MAX_OFFSET) as u64);
        }
        bytes
    }

    /// Reads what [`SessionCursor::encode`] wrote.
    ///
    /// # Errors
    /// [`CursorError`] for anything else.
    pub fn decode(bytes: &[u8]) -> Result<Self, CursorError> {
        let (format, mut rest) = bytes.split_first().ok_or(CursorError)?;
        if *format != FORMAT {
            return Err(CursorError);
        }
        let epoch = take_varint(&mut rest)?;
        let epoch = u32::try_from(epoch).ok().and_then(Epoch::new).ok_or(CursorError)?;
        let count = usize::try_from(take_varint(&mut rest)?).map_err(|_| CursorError)?;
        if count > MAX_PARTITIONS {
            return Err(CursorError);
        }
        let mut next_offsets = Vec::with_capacity(count);
        for _ in 0..count {
            let offset = i64::try_from(take_varint(&mut rest)?).map_err(|_| CursorError)?;
            if offset > MAX_OFFSET {
                return Err(CursorError);
            }
            next_offsets.push(offset);
        }
        if rest.is_empty() { Ok(Self { epoch, next_offsets }) } else { Err(CursorError) }
    }
}

fn put_varint(bytes: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        bytes.push((number as u8) | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}

fn take_varint(bytes: &mut &[u8]) -> Result<u64, CursorError> {
    let mut number = 0_u64;
    for shift in (0..63).step_by(7) {
        let (byte, rest) = bytes.split_first().ok_or(CursorError)?;
        *bytes = rest;
        number |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Ok(number);
        }
    }
    Err(CursorError)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Epoch 1, three partitions.
    #[test]
    fn a_cursor_of_before_rooms_is_none() {
        let offsets = [1, 3, 5, 6, 7];
        let read = |format: u8| SessionCursor::decode(&[&[format][..], &offsets[..]].concat());
        assert_eq!(read(1), Err(CursorError));
        let (epoch, next_offsets) = (Epoch::FIRST, vec![5, 6, 7]);
        assert_eq!(read(FORMAT), Ok(SessionCursor { epoch, next_offsets }));
    }

    proptest! {
        #[test]
        fn round_trip(epoch in 1_u32..8192, next_offsets in prop::collection::vec(0..=MAX_OFFSET, 0..40)) {
            let cursor = SessionCursor { epoch: Epoch::new(epoch).unwrap(), next_offsets };
            prop_assert_eq!(SessionCursor::decode(&cursor.encode()), Ok(cursor));
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
            let _ = SessionCursor::decode(&bytes);
        }
    }
}
