//! Lines of the log about what may happen with every request for hours: the first one is written at once,
//! then one a minute, which says how many were left out since (`left_out`).

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

const BETWEEN: Duration = Duration::from_secs(60);

/// When a line of one kind was written last.
pub(crate) struct Seldom(Mutex<(Option<Instant>, u64)>);

impl Seldom {
    /// None yet.
    pub(crate) const fn new() -> Self {
        Self(Mutex::new((None, 0)))
    }

    /// If a line is due, how many were left out since the last one; else this one is left out.
    pub(crate) fn due(&self) -> Option<u64> {
        self.due_at(Instant::now())
    }

    fn due_at(&self, now: Instant) -> Option<u64> {
        let (last, left_out) = &mut *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if last.is_some_and(|last| now.saturating_duration_since(last) < BETWEEN) {
            *left_out += 1;
            return None;
        }
        *last = Some(now);
        Some(std::mem::take(left_out))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_is_told_at_once_and_the_others_are_counted() {
        let (seldom, began) = (Seldom::new(), Instant::now());
        assert_eq!(seldom.due_at(began), Some(0));
        for second in 0..60 {
            assert_eq!(seldom.due_at(began + Duration::from_secs(second)), None);
        }
        assert_eq!(seldom.due_at(began + BETWEEN), Some(60));
        assert_eq!(seldom.due_at(began + 2 * BETWEEN), Some(0));
    }
}
