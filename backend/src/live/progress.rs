//! How far this node is in the log, as the delivery task publishes it.

use std::sync::Arc;

/// Offsets by partition: everything before was dealt with. Mostly the three are one.
#[derive(Debug, Clone)]
pub struct Progress {
    /// What the tail need not read.
    pub read: Arc<[i64]>,
    /// What was shown, here or by whoever stored it.
    pub shown: Arc<[i64]>,
    /// What a client's cursor may say: nothing beyond what this program cannot read, what waits for its room,
    /// or what is still being handed out.
    pub told: Arc<[i64]>,
}

impl Progress {
    /// Everything before `read` was read, of which only what is from `from` on was for showing. `held`, when
    /// anything holds cursors back: what they may say of a partition, and up to where it was shown.
    #[must_use]
    pub fn new(read: Arc<[i64]>, from: &[i64], held: Option<&dyn Fn(i32, i64) -> i64>) -> Self {
        let is_warm = read.iter().zip(from).all(|(read, from)| read >= from);
        let shown: Arc<[i64]> = if is_warm {
            Arc::clone(&read)
        } else {
            read.iter().zip(from).map(|(read, from)| *read.max(from)).collect()
        };
        let told = held.map_or_else(
            || Arc::clone(&shown),
            |held| (0..).zip(shown.iter()).map(|(partition, next)| held(partition, *next)).collect(),
        );
        Self { read, shown, told }
    }
}
