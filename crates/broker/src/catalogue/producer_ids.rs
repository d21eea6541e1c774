//! Producer ids, reserved on disk a block at a time so that most need no write.

use std::io;

/// Ids reserved with one write; what a crash leaves unused of them is never used.
pub(super) const BLOCK: i64 = 1000;

/// The rest of the reserved ids.
#[derive(Debug, Default)]
pub(super) struct Block {
    next: i64,
    end: i64,
}

impl Block {
    /// The next id; `reserve` gives the first of a new block.
    pub(super) fn next(&mut self, reserve: impl FnOnce() -> io::Result<i64>) -> io::Result<i64> {
        if self.next == self.end {
            self.next = reserve()?;
            self.end = self.next + BLOCK;
        }
        self.next += 1;
        Ok(self.next - 1)
    }
}
