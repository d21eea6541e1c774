//! Checks of sends, side by side: what comes out is in the order in which it came in, conversation by
//! conversation. A send whose check takes long (a look-up, or a refusal that waits for what the log has
//! already) holds up what follows it in its own conversation, and no other.

use std::collections::{HashMap, VecDeque};

use futures::future::{BoxFuture, FutureExt};
use futures::stream::{FuturesUnordered, StreamExt};
use milena_domain::ConversationId;

/// Under way, or waiting for those before; bounded by whoever pushes.
pub(super) struct Lanes<T> {
    under_way: FuturesUnordered<BoxFuture<'static, (ConversationId, u64, T)>>,
    /// Never empty; what is there waits for those in front of it.
    lanes: HashMap<ConversationId, VecDeque<(u64, Option<T>)>>,
    ready: VecDeque<T>,
    count: usize,
    last: u64,
}

impl<T: Send + 'static> Lanes<T> {
    pub(super) fn new() -> Self {
        Self {
            under_way: FuturesUnordered::new(),
            lanes: HashMap::new(),
            ready: VecDeque::new(),
            count: 0,
            last: 0,
        }
    }

    /// What did not come out yet.
    pub(super) const fn len(&self) -> usize {
        self.count
    }

    /// Begins a check in the lane of its conversation.
    pub(super) fn push(&mut self, lane: ConversationId, check: impl Future<Output = T> + Send + 'static) {
        self.last += 1;
        let number = self.last;
        self.count += 1;
        self.lanes.entry(lane).or_default().push_back((number, None));
        self.under_way.push(check.map(move |outcome| (lane, number, outcome)).boxed());
    }

    /// What is done next; `None` when nothing is under way. May be dropped.
    pub(super) async fn next(&mut self) -> Option<T> {
        loop {
            if let Some(outcome) = self.ready.pop_front() {
                self.count -= 1;
                return Some(outcome);
            }
            let (lane, number, outcome) = self.under_way.next().await?;
            self.done(lane, number, outcome);
        }
    }

    fn done(&mut self, lane: ConversationId, number: u64, outcome: T) {
        let Some(waiting) = self.lanes.get_mut(&lane) else { return };
        if let Some((_, slot)) = waiting.iter_mut().find(|(of, _)| *of == number) {
            *slot = Some(outcome);
        }
        while let Some((number, slot)) = waiting.pop_front() {
            match slot {
                Some(outcome) => self.ready.push_back(outcome),
                None => {
                    waiting.push_front((number, None));
                    break;
                }
            }
        }
        if waiting.is_empty() {
            self.lanes.remove(&lane);
        }
    }
}

#[cfg(test)]
mod tests {
    use milena_domain::UserId;
    use tokio::sync::oneshot;

    use super::*;

    #[tokio::test]
    async fn a_slow_check_holds_up_its_own_conversation_only() {
        let lane = |number: u128| {
            let user = UserId::from_uuid(uuid::Uuid::from_u128(number));
            ConversationId::direct(user, user)
        };
        let mut lanes: Lanes<&str> = Lanes::new();
        let (refuse, refused) = oneshot::channel();
        lanes.push(lane(1), async move { refused.await.unwrap() });
        lanes.push(lane(1), async { "behind it" });
        lanes.push(lane(2), async { "elsewhere" });
        lanes.push(lane(2), async { "elsewhere, too" });
        assert_eq!([lanes.next().await, lanes.next().await], [Some("elsewhere"), Some("elsewhere, too")]);
        assert!(lanes.next().now_or_never().is_none());
        assert_eq!(lanes.len(), 2);
        refuse.send("slow").unwrap();
        assert_eq!([lanes.next().await, lanes.next().await], [Some("slow"), Some("behind it")]);
        assert_eq!((lanes.next().await, lanes.len()), (None, 0));
        assert!(lanes.lanes.is_empty());
    }
}
