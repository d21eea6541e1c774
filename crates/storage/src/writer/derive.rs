//! What follows from a batch's rows, without any I/O: which of them count, their conversations and their
//! members.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use milena_domain::{ConversationId, Position, Timestamp, UserId};

use super::MessageRow;

/// What the rows say of one conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct DerivedConversation {
    pub(super) id: ConversationId,
    pub(super) last_position: Position,
    /// When the message at `last_position` was sent.
    pub(super) last_sent_at: Timestamp,
    /// When the first of the rows was sent; used when the conversation is new.
    pub(super) created_at: Timestamp,
}

/// Somebody who is in a conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct DerivedMember {
    pub(super) conversation: ConversationId,
    pub(super) user: UserId,
    pub(super) joined_at: Timestamp,
}

/// The rows without those whose id another row has before them.
pub(super) fn first_of_each_id<'r, 'b>(rows: &'r [MessageRow<'b>]) -> Vec<&'r MessageRow<'b>> {
    let mut seen = HashSet::with_capacity(rows.len());
    rows.iter().filter(|row| seen.insert(row.id)).collect()
}

/// Each conversation of the rows once, by id: two writers then never wait for each other in a circle.
pub(super) fn conversations(rows: &[&MessageRow<'_>]) -> Vec<DerivedConversation> {
    let mut first_and_last: BTreeMap<ConversationId, (&MessageRow<'_>, &MessageRow<'_>)> = BTreeMap::new();
    for &row in rows {
        let (first, last) = first_and_last.entry(row.conversation).or_insert((row, row));
        if row.position < first.position {
            *first = row;
        }
        if row.position > last.position {
            *last = row;
        }
    }
    first_and_last
        .into_iter()
        .map(|(id, (first, last))| DerivedConversation {
            id,
            last_position: last.position,
            last_sent_at: last.sent_at,
            created_at: first.sent_at,
        })
        .collect()
}

/// Each member of the rows' conversations once, by conversation and person.
pub(super) fn members(rows: &[&MessageRow<'_>]) -> Vec<DerivedMember> {
    let created: BTreeMap<_, _> =
        conversations(rows).into_iter().map(|found| (found.id, found.created_at)).collect();
    let pairs: BTreeSet<_> =
        rows.iter().flat_map(|row| [(row.conversation, row.sender), (row.conversation, row.to)]).collect();
    pairs
        .into_iter()
        .map(|(conversation, user)| DerivedMember { conversation, user, joined_at: created[&conversation] })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use milena_domain::record::Placed;
    use milena_domain::{Body, ClientId, Epoch, MessageEvent};
    use proptest::prelude::*;

    use super::*;

    fn placed(sender: u128, to: u128, client_id: u8, offset: i64) -> Placed {
        let user = |n| UserId::from_uuid(uuid::Uuid::from_u128(n));
        let event = MessageEvent::new(
            user(sender),
            user(to),
            ClientId::new(&format!("c{client_id}")).unwrap(),
            Timestamp::from_unix_ms(offset * 7 % 5),
            Body::new("x").unwrap(),
        );
        Placed { position: Position::new(Epoch::FIRST, offset), event: event.into() }
    }

    fn log() -> impl Strategy<Value = Vec<Placed>> {
        prop::collection::vec((1_u128..5, 1_u128..5, 0_u8..20), 0..100).prop_map(|parts| {
            (0..).zip(parts).map(|(offset, (sender, to, id))| placed(sender, to, id, offset)).collect()
        })
    }

    proptest! {
        #[test]
        fn the_first_of_each_id_counts(log in log()) {
            let rows: Vec<_> = log.iter().map(|placed| MessageRow::new(placed).unwrap()).collect();
            let kept = first_of_each_id(&rows);
            let mut first = HashMap::new();
            for row in &rows {
                first.entry(row.id).or_insert(row.position);
            }
            prop_assert_eq!(kept.len(), first.len());
            prop_assert!(kept.iter().all(|row| first[&row.id] == row.position));
            prop_assert!(kept.is_sorted_by_key(|row| row.position), "the order of the log is kept");
        }

        #[test]
        fn conversations_and_members_follow_from_the_rows(log in log()) {
            let rows: Vec<_> = log.iter().map(|placed| MessageRow::new(placed).unwrap()).collect();
            let kept = first_of_each_id(&rows);
            let conversations = conversations(&kept);
            prop_assert!(conversations.is_sorted_by_key(|found| found.id));
            for found in &conversations {
                let of: Vec<_> = kept.iter().filter(|row| row.conversation == found.id).collect();
                let last = of.iter().max_by_key(|row| row.position).unwrap();
                prop_assert_eq!((found.last_position, found.last_sent_at), (last.position, last.sent_at));
                prop_assert_eq!(found.created_at, of[0].sent_at);
            }
            let members = members(&kept);
            prop_assert!(members.is_sorted_by_key(|member| (member.conversation, member.user)));
            for row in &kept {
                for user in [row.sender, row.to] {
                    let found =
                        members.iter().filter(|m| m.user == user && m.conversation == row.conversation);
                    prop_assert_eq!(found.count(), 1);
                }
            }
            prop_assert!(members.len() <= 2 * conversations.len());
        }
    }
}
