//! The outgoing queue of one connection, bounded in messages and in bytes.
//!
//! Many push (the delivery, a replay, answers to sends), one connection task takes. A push never waits: a
//! client that reads too slowly loses its connection (4008) instead of holding up everybody else, and resumes
//! by its cursor. A closed outbox holds nothing and takes nothing, so that what follows a lost update is
//! never shown before it.
//!
//! What is not encoded yet counts as what it will take ([`Update::bytes`]), so the bound in bytes is one of
//! what this connection still has to be sent.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use milena_settings::SocketSettings;
use tokio::sync::Notify;

use super::close::CloseCode;
use crate::live::Update;

/// A queue that was long once gives its memory back when it is empty again.
const KEPT_CAPACITY: usize = 32;

/// A handle to the queue; clones are the same queue. Full means closed with [`CloseCode::Slow`].
#[derive(Debug, Clone)]
pub struct Outbox(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    /// Locked for a few instructions at a time, never across an await.
    queue: Mutex<Queue>,
    /// From those who push or close, to the one connection task.
    filled: Notify,
    /// From the connection task and those who close, to whoever waits in [`Outbox::push_when_roomy`].
    drained: Notify,
    max_messages: usize,
    max_bytes: usize,
}

#[derive(Debug, Default)]
struct Queue {
    updates: VecDeque<Update>,
    bytes: usize,
    closed: Option<CloseCode>,
}

impl Outbox {
    /// An empty queue that holds at most `max_messages` updates of `max_bytes` together.
    #[must_use]
    pub fn new(max_messages: usize, max_bytes: usize) -> Self {
        Self(Arc::new(Shared {
            queue: Mutex::default(),
            filled: Notify::new(),
            drained: Notify::new(),
            max_messages,
            max_bytes,
        }))
    }

    /// A queue as the settings bound it.
    #[must_use]
    pub fn from_settings(settings: &SocketSettings) -> Self {
        Self::new(settings.outbox_messages, settings.outbox_bytes)
    }

    /// Queues an update without waiting. `false` when the queue is closed, or was closed by this very push
    /// because the update did not fit.
    pub fn push(&self, update: Update) -> bool {
        let taken = {
            let mut queue = self.lock();
            if queue.closed.is_some() {
                return false;
            }
            let fits =
                queue.updates.len() < self.0.max_messages && queue.bytes + update.bytes() <= self.0.max_bytes;
            if fits {
                queue.bytes += update.bytes();
                queue.updates.push_back(update);
            } else {
                queue.close(CloseCode::Slow);
            }
            fits
        };
        self.0.filled.notify_one();
        if !taken {
            self.0.drained.notify_waiters();
        }
        taken
    }

    /// Queues an update as soon as the queue is at most half full: for a replay, which may be longer than the
    /// queue and must leave room to what is live. `false` when the queue is closed.
    pub async fn push_when_roomy(&self, update: Update) -> bool {
        loop {
            // Listens before it looks, so that a wake-up in between is not lost.
            let mut drained = std::pin::pin!(self.0.drained.notified());
            drained.as_mut().enable();
            if self.is_closed() || self.is_roomy() {
                return self.push(update);
            }
            drained.await;
        }
    }

    /// Closes the queue and throws away what it holds. The first code stays.
    pub fn close(&self, code: CloseCode) {
        self.lock().close(code);
        self.0.filled.notify_one();
        self.0.drained.notify_waiters();
    }

    /// Why the queue was closed, if it was.
    #[must_use]
    pub fn closed(&self) -> Option<CloseCode> {
        self.lock().closed
    }

    /// Whether pushing is over.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.closed().is_some()
    }

    /// Updates that wait.
    #[must_use]
    pub fn len(&self) -> usize {
        self.lock().updates.len()
    }

    /// Whether nothing waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Waits until there is something to take or the queue is closed. For the one connection task; may be
    /// dropped.
    pub(crate) async fn wait(&self) {
        while self.is_empty() && !self.is_closed() {
            self.0.filled.notified().await;
        }
    }

    /// Takes the oldest update.
    pub(crate) fn pop(&self) -> Option<Update> {
        let update = {
            let mut queue = self.lock();
            let update = queue.updates.pop_front()?;
            queue.bytes -= update.bytes();
            if queue.updates.is_empty() && queue.updates.capacity() > KEPT_CAPACITY {
                queue.updates.shrink_to(KEPT_CAPACITY);
            }
            update
        };
        self.0.drained.notify_waiters();
        Some(update)
    }

    /// What waits, for tests that look on.
    #[cfg(test)]
    pub(crate) fn waiting(&self) -> Vec<Update> {
        self.lock().updates.iter().cloned().collect()
    }

    fn is_roomy(&self) -> bool {
        let queue = self.lock();
        queue.updates.len() <= self.0.max_messages / 2 && queue.bytes <= self.0.max_bytes / 2
    }

    /// Nothing inside can panic half-way, so a poisoned lock still guards a consistent queue.
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.0.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Queue {
    fn close(&mut self, code: CloseCode) {
        self.closed.get_or_insert(code);
        self.updates = VecDeque::new();
        self.bytes = 0;
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;
    use proptest::prelude::*;

    use super::*;
    use crate::live::News;

    fn update(bytes: usize) -> Update {
        Update::from(News::Prefix("x".repeat(bytes)))
    }

    /// What it counts as.
    fn size(bytes: usize) -> usize {
        update(bytes).bytes()
    }

    #[derive(Debug, Clone)]
    enum Step {
        Push(usize),
        PushWhenRoomy(usize),
        Pop,
        Close,
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let step = prop_oneof![
            8 => (0_usize..40).prop_map(Step::Push),
            4 => (0_usize..40).prop_map(Step::PushWhenRoomy),
            8 => Just(Step::Pop),
            1 => Just(Step::Close),
        ];
        prop::collection::vec(step, 0..200)
    }

    proptest! {
        #[test]
        fn the_limits_hold_and_the_order_stays(
            max_messages in 1_usize..20, max_bytes in 1_usize..6_000, steps in steps()
        ) {
            let outbox = Outbox::new(max_messages, max_bytes);
            let mut model: VecDeque<usize> = VecDeque::new();
            let mut closed = None;
            for step in steps {
                match step {
                    Step::Push(bytes) => {
                        let held = model.iter().sum::<usize>();
                        let fits = model.len() < max_messages && held + size(bytes) <= max_bytes;
                        prop_assert_eq!(outbox.push(update(bytes)), closed.is_none() && fits);
                        if closed.is_none() && fits {
                            model.push_back(size(bytes));
                        } else if closed.is_none() {
                            closed = Some(CloseCode::Slow);
                            model.clear();
                        }
                    }
                    Step::PushWhenRoomy(bytes) => {
                        // Only what does not wait; waiting is tested below.
                        let before = outbox.len();
                        if let Some(taken) = outbox.push_when_roomy(update(bytes)).now_or_never() {
                            if taken {
                                prop_assert!(before <= max_messages / 2);
                                model.push_back(size(bytes));
                            } else if closed.is_none() {
                                closed = Some(CloseCode::Slow);
                                model.clear();
                            }
                        } else {
                            prop_assert_eq!(outbox.len(), before);
                        }
                    }
                    Step::Pop => {
                        prop_assert_eq!(outbox.pop().map(|update| update.bytes()), model.pop_front());
                    }
                    Step::Close => {
                        outbox.close(CloseCode::SessionEnded);
                        closed.get_or_insert(CloseCode::SessionEnded);
                        model.clear();
                    }
                }
                prop_assert_eq!(outbox.closed(), closed);
                prop_assert_eq!(outbox.len(), model.len());
                prop_assert_eq!(outbox.lock().bytes, model.iter().sum::<usize>());
                prop_assert!(outbox.len() <= max_messages && outbox.lock().bytes <= max_bytes);
            }
        }
    }

    #[tokio::test]
    async fn a_replay_waits_for_room_and_loses_nothing() {
        let outbox = Outbox::new(4, 100_000);
        let writer = outbox.clone();
        let replay = tokio::spawn(async move {
            for bytes in 1..=100 {
                assert!(writer.push_when_roomy(update(bytes % 10 + 1)).await);
            }
        });
        let mut taken = 0;
        while taken < 100 {
            outbox.wait().await;
            assert!(outbox.len() <= 3);
            taken += usize::from(outbox.pop().is_some());
        }
        replay.await.unwrap();
        assert!(!outbox.is_closed());
    }

    #[tokio::test]
    async fn closing_wakes_everybody() {
        let outbox = Outbox::new(2, 10_000);
        assert!(outbox.push(update(1)) && outbox.push(update(1)));
        let waiting = tokio::spawn({
            let outbox = outbox.clone();
            async move { outbox.push_when_roomy(update(1)).await }
        });
        tokio::task::yield_now().await;
        outbox.close(CloseCode::SessionEnded);
        assert!(!waiting.await.unwrap());
        outbox.wait().await;
        assert_eq!((outbox.pop().is_some(), outbox.closed()), (false, Some(CloseCode::SessionEnded)));
    }

    #[test]
    fn memory_of_a_burst_is_given_back() {
        let outbox = Outbox::new(1_024, 1 << 20);
        (0..1_024).for_each(|_| assert!(outbox.push(update(1))));
        while outbox.pop().is_some() {}
        assert!(outbox.lock().updates.capacity() <= 2 * KEPT_CAPACITY);
    }
}
