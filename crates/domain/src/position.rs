//! Where a message stands: `epoch << 40 | offset`.
//!
//! Positions order a conversation and are the cursor of history. They are strictly increasing within a
//! conversation, and not gapless, because a partition carries many conversations. 13 bits of epoch and 40
//! bits of offset stay below 2^53, so that a browser's number holds them exactly.

use std::fmt;

use serde::{Deserialize, Serialize};

const OFFSET_BITS: u32 = 40;
/// The largest offset a position can hold, about 1.1 × 10^12 records a partition and epoch.
pub const MAX_OFFSET: i64 = (1 << OFFSET_BITS) - 1;
const MAX_EPOCH: u32 = (1 << 13) - 1;

/// The generation of the log: 1 at first, one more each time that the topic was recreated, restored or
/// repartitioned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Epoch(u32);

impl Epoch {
    /// The first epoch of every installation.
    pub const FIRST: Self = Self(1);

    /// An epoch between 1 and 8191.
    #[must_use]
    pub const fn new(number: u32) -> Option<Self> {
        if number >= 1 && number <= MAX_EPOCH { Some(Self(number)) } else { None }
    }

    /// The number.
    #[must_use]
    pub const fn get(self) -> u32 {
        self.0
    }
}

impl fmt::Display for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A message's place in the order of its conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Position(u64);

impl Position {
    /// Before every message.
    pub const ZERO: Self = Self(0);
    /// After every message.
    pub const MAX: Self = Self((1 << 53) - 1);

    /// The position of the record at `offset` (0 to [`MAX_OFFSET`]; clamped) of its partition.
    #[must_use]
    pub const fn new(epoch: Epoch, offset: i64) -> Self {
        let offset = if offset < 0 {
            0
        } else if offset > MAX_OFFSET {
            MAX_OFFSET
        } else {
            offset
        };
        Self(((epoch.0 as u64) << OFFSET_BITS) | offset as u64)
    }

    /// The last position that could stand before this one, for naming what lies behind it: of an epoch's
    /// first offset the last of the epoch before, and [`Position::ZERO`] where there is none. Epochs begin at
    /// 1, so nothing else stands below the first.
    #[must_use]
    pub const fn before(self) -> Self {
        let before = Self(self.0.saturating_sub(1));
        if before.epoch_number() == 0 { Self::ZERO } else { before }
    }

    /// Takes a number from the wire or a row; `None` above 2^53 - 1.
    #[must_use]
    pub const fn from_u64(number: u64) -> Option<Self> {
        if number <= Self::MAX.0 { Some(Self(number)) } else { None }
    }

    /// The number as it stands on the wire.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }

    /// The number as the store binds it.
    #[must_use]
    pub const fn as_i64(self) -> i64 {
        self.0 as i64
    }

    /// The epoch part (0 for [`Position::ZERO`]).
    #[must_use]
    pub const fn epoch_number(self) -> u32 {
        (self.0 >> OFFSET_BITS) as u32
    }

    /// The offset part.
    #[must_use]
    pub const fn offset(self) -> i64 {
        (self.0 & MAX_OFFSET as u64) as i64
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn before_the_first_offset_is_the_epoch_before_or_nothing() {
        let epoch = |number| Epoch::new(number).unwrap();
        assert_eq!(Position::new(epoch(1), 7).before(), Position::new(epoch(1), 6));
        assert_eq!(Position::new(epoch(3), 0).before(), Position::new(epoch(2), MAX_OFFSET));
        assert_eq!(Position::new(epoch(1), 0).before(), Position::ZERO, "not a position of an epoch 0");
        assert_eq!(Position::ZERO.before(), Position::ZERO);
    }

    proptest! {
        #[test]
        fn order_is_epoch_then_offset(
            a in (1_u32..=MAX_EPOCH, 0_i64..=MAX_OFFSET), b in (1_u32..=MAX_EPOCH, 0_i64..=MAX_OFFSET)
        ) {
            let position = |(epoch, offset)| Position::new(Epoch(epoch), offset);
            prop_assert_eq!(position(a).cmp(&position(b)), a.cmp(&b));
            prop_assert_eq!(position(a).epoch_number(), a.0);
            prop_assert_eq!(position(a).offset(), a.1);
            prop_assert!(position(a).get() < 1 << 53);
        }
    }
}
