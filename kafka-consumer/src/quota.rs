//! When to stop instead of draining a topic into the dead-letter topic.
//!
//! A few bad records among many good ones are normal. Mostly bad ones mean that something else is wrong (a
//! newer program, a foreign topic, a missing table), and then stopping keeps everything in its place. Pure.

/// After so many records the counting starts anew.
const WINDOW: u64 = 1_000;
/// So many bad ones of a window are always allowed; beyond it they must be the smaller half.
const ALWAYS_ALLOWED: u64 = 500;
/// Rows in a row that the store refused while it took none.
const MAX_REFUSED_IN_A_ROW: u64 = 20;

/// Counts good and bad records.
#[derive(Debug, Default)]
pub(crate) struct Quota {
    good: u64,
    dead: u64,
    refused_in_a_row: u64,
}

impl Quota {
    /// A batch is about to be written. Answers whether its unreadable records may be given away.
    pub(crate) fn admit(&mut self, readable: u64, unreadable: u64) -> bool {
        if self.good + self.dead >= WINDOW {
            self.good = 0;
            self.dead = 0;
        }
        self.good += readable;
        self.dead += unreadable;
        self.is_within()
    }

    /// The store refused one readable row for ever. Answers whether it may be given away.
    pub(crate) fn admit_refused(&mut self) -> bool {
        self.refused_in_a_row += 1;
        self.good = self.good.saturating_sub(1);
        self.dead += 1;
        self.is_within() && self.refused_in_a_row <= MAX_REFUSED_IN_A_ROW
    }

    /// The store took rows.
    pub(crate) fn stored(&mut self, rows: u64) {
        if rows > 0 {
            self.refused_in_a_row = 0;
        }
    }

    fn is_within(&self) -> bool {
        self.dead <= ALWAYS_ALLOWED || self.dead <= self.good
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_few_bad_ones_never_stop_it() {
        let mut quota = Quota::default();
        for _ in 0..1_000 {
            assert!(quota.admit(9, 1));
            assert!(quota.admit(4_000, 1_000), "also in one large batch");
        }
    }

    #[test]
    fn mostly_bad_ones_stop_it() {
        let mut quota = Quota::default();
        assert_eq!((0..10_000).take_while(|_| quota.admit(0, 1)).count(), 500);
        assert!(!quota.admit(0, 1));
    }

    #[test]
    fn a_store_that_refuses_everything_stops_it_soon() {
        let mut quota = Quota::default();
        assert!(quota.admit(5_000, 0));
        assert_eq!((0..100).take_while(|_| quota.admit_refused()).count(), 20);
        let mut quota = Quota::default();
        for _ in 0..100 {
            assert!(quota.admit(100, 0));
            assert!(quota.admit_refused());
            quota.stored(99);
        }
    }
}
