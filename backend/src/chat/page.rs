//! History is the store ∪ the unflushed tail: how a page of one and the messages of the other become one
//! page.
//!
//! Pure. The unflushed messages of a conversation come after all that the store has of it, apart from an
//! overlap (the store may have caught up since memory was read), so the union is an ordered list that is cut
//! by the page's rule.

use std::collections::HashSet;
use std::sync::Arc;

use milena_domain::record::{Action, Event, Message, Placed};
use milena_domain::{MessageId, Position};
use milena_storage::{Page, StoredMessage, TimelinePage};

/// A row as the event that it was made of; what rows do not keep, nobody who reads history needs.
#[must_use]
pub(super) fn placed(row: StoredMessage) -> Arc<Placed> {
    let event = Event {
        id: row.id,
        conversation: row.conversation,
        actor: row.sender,
        to: Some(row.to),
        client_id: row.client_id,
        at: row.sent_at,
        seen: None,
        action: Action::Message(Message::plain(row.body)),
    };
    Arc::new(Placed { position: row.position, event })
}

/// The same of a room, where a message is to nobody alone.
#[must_use]
pub(super) fn placed_in_room(row: StoredMessage) -> Arc<Placed> {
    let mut placed = Arc::unwrap_or_clone(placed(row));
    placed.event.to = None;
    Arc::new(placed)
}

/// A page as the store has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct StoredPage {
    /// Oldest first.
    pub(super) events: Vec<Arc<Placed>>,
    /// There are older ones.
    pub(super) has_before: bool,
    /// There are newer ones.
    pub(super) has_after: bool,
}

impl From<TimelinePage> for StoredPage {
    fn from(page: TimelinePage) -> Self {
        let TimelinePage { events, changed: _, has_before, has_after } = page;
        Self { events: events.into_iter().map(Arc::new).collect(), has_before, has_after }
    }
}

/// A page of a conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct MergedPage {
    /// Oldest first.
    pub(super) messages: Vec<Arc<Placed>>,
    /// There are older ones.
    pub(super) has_before: bool,
    /// There are newer ones.
    pub(super) has_after: bool,
}

/// Joins the store's page with the unflushed messages, both oldest first, and cuts to `limit`.
#[must_use]
pub(super) fn merge(page: Page, limit: usize, stored: StoredPage, unflushed: Vec<Arc<Placed>>) -> MergedPage {
    // The store's page ends before the store does: the unflushed messages are not its neighbours.
    let reaches_end = !stored.has_after;
    let older =
        unflushed.first().is_some_and(|first| matches!(page, Page::After(bound) if first.position <= bound));
    let newer =
        unflushed.last().is_some_and(|last| matches!(page, Page::Before(bound) if last.position >= bound));
    // A set: there may be many that the consumer has yet to store.
    let known: HashSet<MessageId> = stored.events.iter().map(|message| message.event.id).collect();
    let mut messages = stored.events;
    if reaches_end || matches!(page, Page::Before(_)) {
        messages.extend(
            unflushed
                .into_iter()
                .filter(|message| in_range(page, message.position) && !known.contains(&message.event.id)),
        );
        messages.sort_by_key(|message| message.position);
    }
    let count = messages.len();
    let first = match page {
        Page::Latest | Page::Before(_) => count.saturating_sub(limit),
        Page::After(_) => 0,
        Page::Around(position) => {
            let middle = messages.partition_point(|message| message.position < position);
            middle.saturating_sub(limit / 2).min(count.saturating_sub(limit))
        }
    };
    let last = count.min(first + limit);
    let has_after = last < count || stored.has_after || newer;
    let messages = messages.drain(first..last).collect();
    MergedPage { messages, has_before: first > 0 || stored.has_before || older, has_after }
}

/// Whether a message can be on the page at all.
fn in_range(page: Page, position: Position) -> bool {
    match page {
        Page::Latest | Page::Around(_) => true,
        Page::Before(bound) => position < bound,
        Page::After(bound) => position > bound,
    }
}

#[cfg(test)]
mod tests {
    use milena_domain::{Body, ClientId, ConversationId, Epoch, Timestamp, UserId};
    use proptest::prelude::*;

    use super::*;

    fn row(offset: i64) -> StoredMessage {
        let user = UserId::from_uuid(uuid::Uuid::from_u128(1));
        let client_id = ClientId::new(&offset.to_string()).unwrap();
        StoredMessage {
            id: MessageId::derive(user, &client_id),
            conversation: ConversationId::direct(user, user),
            position: at(offset),
            sender: user,
            to: user,
            client_id,
            sent_at: Timestamp::from_unix_ms(offset),
            body: Body::new("x").unwrap(),
            is_changed: false,
        }
    }

    fn at(offset: i64) -> Position {
        Position::new(Epoch::FIRST, offset)
    }

    /// What a store with exactly `messages` answers: the model of `Store::history`.
    fn query(messages: &[StoredMessage], page: Page, limit: usize) -> (usize, usize) {
        let count = messages.len();
        let below = |bound: Position| messages.partition_point(|message| message.position < bound);
        match page {
            Page::Latest => (count.saturating_sub(limit), count),
            Page::Before(bound) => (below(bound).saturating_sub(limit), below(bound)),
            Page::After(bound) => {
                let first = messages.partition_point(|message| message.position <= bound);
                (first, count.min(first + limit))
            }
            Page::Around(bound) => {
                let first = below(bound).saturating_sub(limit / 2).min(count.saturating_sub(limit));
                (first, count.min(first + limit))
            }
        }
    }

    proptest! {
        /// The merged page is the page of one store that has everything.
        #[test]
        fn equals_one_store_with_everything(
            count in 0_usize..30, flushed in 0_usize..30, stale in 0_usize..5, kind in 0_u8..4,
            bound in 0_i64..70, limit in 1_usize..12,
        ) {
            let all: Vec<StoredMessage> = (0..count as i64).map(|n| row(n * 2 + 1)).collect();
            let flushed = flushed.min(count);
            let page = match kind {
                0 => Page::Latest,
                1 => Page::Before(at(bound)),
                2 => Page::After(at(bound)),
                _ => Page::Around(at(bound)),
            };
            let stored = &all[..flushed];
            let (first, last) = query(stored, page, limit);
            let events = stored[first..last].iter().cloned().map(placed);
            let stored_page = TimelinePage {
                events: events.map(Arc::unwrap_or_clone).collect(),
                changed: Vec::new(),
                has_before: first > 0,
                has_after: last < stored.len(),
            };
            // Memory was read when the store was `stale` messages behind.
            let unflushed = all[flushed.saturating_sub(stale)..].iter().cloned().map(placed).collect();
            let merged = merge(page, limit, stored_page.into(), unflushed);
            let (first, last) = query(&all, page, limit);
            if matches!(page, Page::Around(_)) {
                // The store centres on what it has; it is enough that the page is contiguous and holds the
                // bound.
                let offsets: Vec<_> = merged.messages.iter().map(|m| m.position.offset()).collect();
                prop_assert!(offsets.windows(2).all(|pair| pair[1] == pair[0] + 2), "{:?}", offsets);
                prop_assert!(merged.messages.len() <= limit);
                if all.iter().any(|m| m.position == at(bound)) {
                    prop_assert!(offsets.contains(&bound), "{:?} lacks {}", offsets, bound);
                }
                if let (Some(head), Some(tail)) = (offsets.first(), offsets.last()) {
                    prop_assert_eq!(merged.has_before, *head > 1);
                    prop_assert_eq!(merged.has_after, *tail < count as i64 * 2 - 1);
                }
            } else {
                let expected: Vec<Arc<Placed>> = all[first..last].iter().cloned().map(placed).collect();
                prop_assert_eq!(&merged.messages, &expected);
                prop_assert_eq!(merged.has_before, first > 0);
                prop_assert_eq!(merged.has_after, last < count);
            }
        }
    }
}
