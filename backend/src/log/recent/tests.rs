//! Each promise of the memory, and one over random steps.

use milena_domain::record::Event;
use milena_domain::{Body, ClientId, Position, SessionCursor, Timestamp, limits};
use proptest::prelude::*;

use super::*;
use crate::log::event::direct_message;

fn placed(offset: i64, event: Event) -> Placed {
    Placed { position: Position::new(Epoch::FIRST, offset), event }
}

fn user(n: u128) -> UserId {
    UserId::from_uuid(uuid::Uuid::from_u128(n))
}

fn event(sender: u128, to: u128, client_id: &str) -> Event {
    direct_message(
        user(sender),
        user(to),
        ClientId::new(client_id).unwrap(),
        Timestamp::from_unix_ms(0),
        Body::new("x").unwrap(),
    )
}

fn offsets(messages: &[Arc<Delivered>]) -> Vec<i64> {
    messages.iter().map(|message| message.offset()).collect()
}

fn memory_of(count: usize) -> usize {
    (0..count).map(|n| event(1, 2, &n.to_string()).client_id.as_str().len() + 401).sum()
}

#[test]
fn a_repeat_names_the_first() {
    let mut recent = Recent::new(Epoch::FIRST, &[0], 1 << 20, 0);
    assert!(matches!(recent.insert(0, placed(0, event(1, 2, "a"))), Inserted::First(_)));
    let Inserted::Repeat(first) = recent.insert(0, placed(1, event(1, 2, "a"))) else {
        panic!("not a repeat")
    };
    assert_eq!(first.offset(), 0);
    assert_eq!(recent.len(), 1);
}

#[test]
fn what_the_store_has_is_not_unflushed_but_serves_resumes() {
    let mut recent = Recent::new(Epoch::FIRST, &[0], 1 << 20, 0);
    for offset in 0..5 {
        recent.insert(0, placed(offset, event(1, 2, &offset.to_string())));
    }
    recent.set_stored(0, 3);
    let conversation = ConversationId::direct(user(1), user(2));
    assert_eq!(offsets(&recent.unflushed(conversation)), [3, 4]);
    let cursor = SessionCursor { epoch: Epoch::FIRST, next_offsets: vec![1] };
    let missed = recent.missed(user(2), &cursor).unwrap();
    assert!(missed.uncovered.is_empty());
    assert_eq!(offsets(&missed.conversations[0].messages), [1, 2, 3, 4]);
    assert!(recent.missed(user(3), &cursor).unwrap().conversations.is_empty());
}

/// Of two people too: what was found not to count is not shown, and what nobody has judged yet is shown when
/// somebody has.
#[test]
fn a_resume_gets_what_counts_and_nothing_else() {
    let mut recent = Recent::new(Epoch::FIRST, &[0], 1 << 20, 0);
    let cursor = SessionCursor { epoch: Epoch::FIRST, next_offsets: vec![0] };
    let void = recent.insert_unjudged(0, placed(0, event(1, 2, "void")));
    recent.settle(&void, false);
    recent.insert_unjudged(0, placed(1, event(1, 2, "waits")));
    assert!(recent.missed(user(2), &cursor).unwrap().conversations.is_empty());
    for offset in 2..2 + limits::REPLAY_PAGE as i64 {
        recent.insert(0, placed(offset, event(1, 2, &offset.to_string())));
    }
    let late = recent.insert_unjudged(0, placed(500, event(1, 2, "late")));
    recent.settle(&late, false);
    let missed = recent.missed(user(2), &cursor).unwrap();
    let [of] = &missed.conversations[..] else { panic!("{missed:?}") };
    assert_eq!((of.messages.len(), of.is_cut), (limits::REPLAY_PAGE, false));
    assert!(of.messages.iter().all(|event| event.is_shown()));
}

#[test]
fn how_far_the_store_is_never_goes_backwards() {
    let mut recent = Recent::new(Epoch::FIRST, &[0], 1 << 20, 0);
    for offset in 0..5 {
        recent.insert(0, placed(offset, event(1, 2, &offset.to_string())));
    }
    for stored in [3, 1] {
        recent.set_stored(0, stored);
        assert_eq!(offsets(&recent.unflushed(ConversationId::direct(user(1), user(2)))), [3, 4]);
    }
}

#[test]
fn at_the_bound_stored_messages_go_first() {
    let mut recent = Recent::new(Epoch::FIRST, &[0, 0], memory_of(3), 0);
    recent.insert(0, placed(0, event(1, 2, "0")));
    recent.insert(1, placed(0, event(1, 3, "1")));
    recent.insert(1, placed(1, event(1, 3, "2")));
    recent.set_stored(1, 2);
    recent.insert(0, placed(1, event(1, 2, "3")));
    assert!(recent.is_all_complete());
    assert_eq!(offsets(&recent.unflushed(ConversationId::direct(user(1), user(2)))), [0, 1]);
}

#[test]
fn losing_what_the_store_lacks_is_said_until_it_catches_up() {
    let mut recent = Recent::new(Epoch::FIRST, &[0], memory_of(2), 0);
    for offset in 0..4 {
        recent.insert(0, placed(offset, event(1, 2, &offset.to_string())));
    }
    assert!(!recent.is_complete(0));
    recent.set_stored(0, 1);
    assert!(!recent.is_complete(0));
    recent.set_stored(0, 2);
    assert!(recent.is_complete(0));
    let cursor = SessionCursor { epoch: Epoch::FIRST, next_offsets: vec![1] };
    assert_eq!(recent.missed(user(1), &cursor).unwrap().uncovered, [0]);
}

/// 150,000 messages in memory: what is looked at is what is told, not what there is.
#[test]
fn what_a_resume_takes_from_memory_is_bounded() {
    let mut recent = Recent::new(Epoch::FIRST, &[0], 1 << 30, 0);
    for offset in 0..150_000 {
        // One conversation with half of them, and 75,000 others of the same person with one each.
        let to = if offset % 2 == 0 { 2 } else { 10 + offset as u128 };
        recent.insert(0, placed(offset, event(1, to, &offset.to_string())));
    }
    let since = |offset: i64| SessionCursor { epoch: Epoch::FIRST, next_offsets: vec![offset] };
    let count = |missed: &Missed| missed.conversations.iter().map(|of| of.messages.len()).sum::<usize>();

    let missed = recent.missed(user(2), &since(0)).unwrap();
    assert_eq!((count(&missed), missed.further.len()), (limits::REPLAY_PAGE, 0));
    let newest = &missed.conversations[0];
    assert!(newest.is_cut && newest.messages.last().unwrap().offset() == 149_998);

    let missed = recent.missed(user(1), &since(149_000)).unwrap();
    assert_eq!(missed.conversations.len(), limits::REPLAY_CONVERSATIONS);
    assert_eq!(missed.further.len(), 501 - limits::REPLAY_CONVERSATIONS);
    assert_eq!(count(&missed), limits::REPLAY_PAGE + limits::REPLAY_CONVERSATIONS - 1);
    // Nothing but what was written in since is even looked at.
    assert_eq!(recent.conversations.since(user(1), recent.arrival_since(|_| 149_000)).count(), 501);
    assert_eq!(recent.conversations.since(user(1), recent.arrival_since(|_| 150_000)).count(), 0);

    assert!(recent.missed(user(1), &since(0)).is_none(), "more than a resume can tell");
}

#[test]
fn what_left_memory_moves_the_time_that_it_covers() {
    let mut recent = Recent::new(Epoch::FIRST, &[0, 0], memory_of(2), 100);
    for (offset, now_ms) in [(0, 110), (1, 120), (2, 115)] {
        assert_eq!(recent.covers_since_ms(), 100, "it began with all that was not stored");
        recent.set_time(now_ms);
        recent.insert((offset % 2) as i32, placed(offset, event(1, 2, &offset.to_string())));
    }
    assert_eq!(recent.covers_since_ms(), 110);
    recent.insert(0, placed(4, event(1, 2, "4")));
    assert_eq!(recent.covers_since_ms(), 120);
    recent.insert(0, placed(6, event(1, 2, "6")));
    assert_eq!(recent.covers_since_ms(), 120, "time does not go back");
}

proptest! {
    /// Store ∪ memory is everything delivered, unless the answer says otherwise; indexes stay consistent.
    #[test]
    fn never_silently_incomplete(
        steps in prop::collection::vec((0_u8..3, 0_i32..3, 1_u128..5), 1..200), limit in 1_usize..40
    ) {
        let mut recent = Recent::new(Epoch::FIRST, &[0, 0, 0], memory_of(limit), 0);
        let mut log: [Vec<Event>; 3] = Default::default();
        let mut stored = [0_usize; 3];
        for (number, (kind, partition, to)) in steps.into_iter().enumerate() {
            let p = partition as usize;
            if kind == 0 {
                stored[p] = log[p].len().min(stored[p] + to as usize);
                recent.set_stored(partition, stored[p] as i64);
            } else {
                // Each partition has people of its own, as conversations live in one partition.
                let event = event(100 * (p as u128 + 1), 100 * (p as u128 + 1) + to, &number.to_string());
                recent.insert(partition, placed(log[p].len() as i64, event.clone()));
                log[p].push(event);
            }
        }
        prop_assert!(recent.bytes() <= memory_of(limit).max(800));
        for (p, events) in log.iter().enumerate() {
            let unstored = events[stored[p]..].iter();
            let in_memory: Vec<_> = unstored.filter(|e| recent.find(e.id).is_some()).collect();
            let all_there = in_memory.len() == events.len() - stored[p];
            prop_assert_eq!(recent.is_complete(p as i32), all_there);
            let unflushed = recent.unflushed_of(user(100 * (p as u128 + 1)));
            let listed: usize = unflushed.iter().map(|(_, m)| m.len()).sum();
            prop_assert_eq!(listed, in_memory.len());
            let person = user(100 * (p as u128 + 1));
            let mut unflushed: Vec<_> = recent.unflushed_of(person).into_iter().map(|(id, _)| id).collect();
            let mut quickly: Vec<_> = recent.unflushed_conversations(person).collect();
            unflushed.sort_unstable();
            quickly.sort_unstable();
            prop_assert_eq!(quickly, unflushed);
        }
        let (named, must_be) = recent.conversations.entries();
        prop_assert_eq!(named, must_be);
    }
}
