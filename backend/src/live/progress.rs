//! How far this node is in the log, as the delivery task publishes it.

use std::sync::Arc;

use super::unreadable::Unreadable;
use super::wanted::Wanted;

/// Offsets by partition: everything before was dealt with. Mostly the three are one.
#[derive(Debug, Clone)]
pub struct Progress {
    /// What the tail need not read.
    pub read: Arc<[i64]>,
    /// What was shown, here or by whoever stored it.
    pub shown: Arc<[i64]>,
    /// What a client's cursor may say: nothing beyond what this program cannot read, or waits for its room.
    pub told: Arc<[i64]>,
}

impl Progress {
    /// Everything before `read` was read, of which only what is from `from` on was for showing.
    #[must_use]
    pub fn new(read: Arc<[i64]>, from: &[i64], unreadable: &Unreadable, wanted: &Wanted) -> Self {
        let is_warm = read.iter().zip(from).all(|(read, from)| read >= from);
        let shown: Arc<[i64]> = if is_warm {
            Arc::clone(&read)
        } else {
            read.iter().zip(from).map(|(read, from)| *read.max(from)).collect()
        };
        let told = if unreadable.is_any() || !wanted.is_empty() {
            let told =
                |(partition, next): (i32, &i64)| wanted.told(partition, unreadable.told(partition, *next));
            (0..).zip(shown.iter()).map(told).collect()
        } else {
            Arc::clone(&shown)
        };
        Self { read, shown, told }
    }
}
