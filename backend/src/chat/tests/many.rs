//! People with very many conversations, and many sockets that come back at once: nothing is hidden, the work
//! is bounded, and others do not wait for it.

use std::sync::Arc;

use milena_domain::record::{
    Action, Created, Event, Handle, History, Place, Posting, Role, Seat, Title, Visibility,
};
use milena_domain::{
    Body, ClientId, ConversationId, Epoch, Position, SessionCursor, Timestamp, UserId, limits,
};
use serde_json::Value;
use tokio::sync::{Semaphore, oneshot};
use tokio::task::{JoinSet, yield_now};
use uuid::Uuid;

use super::node::Node;
use super::shared::{Log, MemoryStore, PARTITIONS, event, user};
use crate::chat::turns::OF_ONE_PERSON;
use crate::chat::{SendRequest, Target};
use crate::log::delivery::Attach;
use crate::registry::Outbox;
use crate::wire::frames::frame_for;

const ANN: u128 = 0;

fn from_the_start() -> SessionCursor {
    SessionCursor { epoch: Epoch::FIRST, next_offsets: vec![0; PARTITIONS] }
}

/// So many others have written to Ann, once each.
fn letters(log: &mut Log, others: usize) {
    for number in 0..others {
        log.append(event(user(100 + number as u128), user(ANN), "a letter"));
    }
}

/// Comes back from the start; gives whether it was resumed, and what came.
async fn resume(node: &Node, who: UserId) -> (bool, Vec<Value>) {
    let outbox = Outbox::new(100_000, 64 << 20);
    let attached = node.chat.attach(who, Uuid::nil(), outbox.clone(), Some(from_the_start())).await.unwrap();
    node.chat.replay(who, attached.backlog, &outbox).await.unwrap();
    let frames = std::iter::from_fn(|| outbox.pop()).filter_map(|update| frame_for(&update, user(ANN)));
    (attached.resumed, frames.map(|frame| serde_json::from_str(frame.as_str()).unwrap()).collect())
}

fn count(frames: &[Value], kind: &str) -> usize {
    frames.iter().filter(|frame| frame["type"] == kind).count()
}

/// Each conversation is told about, as messages or as a gap; or the client hears that it must start afresh.
async fn nothing_is_hidden(in_memory: bool) {
    for (others, resumed) in [(200, true), (limits::REPLAY_MAX_CONVERSATIONS + 100, false)] {
        let (mut log, store) = (Log::default(), MemoryStore::default());
        letters(&mut log, others);
        let mut node = Node::start(&log, store.clone(), 1 << 30).await;
        if in_memory {
            for partition in 0..PARTITIONS {
                node.read(&log, partition, usize::MAX).await;
            }
        } else {
            for partition in 0..PARTITIONS {
                store.consume(&log, partition, usize::MAX);
            }
            node = Node::start(&log, store.clone(), 1 << 30).await;
        }
        store.looks();
        let (was_resumed, frames) = resume(&node, user(ANN)).await;
        assert_eq!(was_resumed, resumed, "{others} conversations");
        assert!(store.looks() <= 1 + limits::REPLAY_CONVERSATIONS);
        if resumed {
            assert_eq!(count(&frames, "message"), limits::REPLAY_CONVERSATIONS);
            assert_eq!(count(&frames, "gap"), others - limits::REPLAY_CONVERSATIONS);
            let conversations: std::collections::HashSet<&str> =
                frames.iter().map(|frame| frame["conversation"].as_str().unwrap()).collect();
            assert_eq!(conversations.len(), others);
        } else {
            assert!(frames.is_empty());
        }
    }
}

#[tokio::test]
async fn a_resume_from_the_store_hides_no_conversation() {
    nothing_is_hidden(false).await;
}

#[tokio::test]
async fn a_resume_from_memory_hides_no_conversation() {
    // One read a letter would take long: memory holds what a limit of letters needs.
    nothing_is_hidden(true).await;
}

/// A room that somebody created with Ann in it, in which nothing else happened.
fn invitation(log: &mut Log, number: u128) {
    let (owner, name) = (user(10_000 + number), ClientId::new("room").unwrap());
    let created = Created {
        handle: Handle::new(&format!("room-{number}")).unwrap(),
        title: Title::new("A room").unwrap(),
        topic: None,
        visibility: Visibility::Private,
        history: History::All,
        posting: Posting::Members,
        members: vec![Seat { user: user(ANN), role: Role::Member, from: None }],
    };
    let place = Place::Room(ConversationId::room(owner, &name));
    let (at, seen) = (Timestamp::from_unix_ms(1), Position::new(Epoch::FIRST, 0));
    log.append(Event::new(owner, place, name, at, seen, Action::RoomCreated(created)));
}

/// What is replayed are the conversations that were written in last, whatever their kind.
#[tokio::test]
async fn rooms_are_replayed_beside_people() {
    const ROOMS: usize = 20;
    for in_memory in [true, false] {
        let (mut log, store) = (Log::default(), MemoryStore::default());
        letters(&mut log, 100);
        let mut node = Node::start(&log, store.clone(), 1 << 30).await;
        (0..ROOMS).for_each(|number| invitation(&mut log, number as u128));
        for partition in 0..PARTITIONS {
            // As in life what was written first is read first.
            let letters = log.partitions[partition].iter().filter(|event| event.to.is_some()).count();
            node.read(&log, partition, letters).await;
        }
        for partition in 0..PARTITIONS {
            node.read(&log, partition, usize::MAX).await;
            if !in_memory {
                store.consume(&log, partition, usize::MAX);
            }
        }
        if !in_memory {
            node = Node::start(&log, store.clone(), 1 << 30).await;
        }
        let (was_resumed, frames) = resume(&node, user(ANN)).await;
        assert!(was_resumed);
        assert_eq!(count(&frames, "event"), ROOMS, "in memory: {in_memory}");
        assert_eq!(count(&frames, "message"), limits::REPLAY_CONVERSATIONS - ROOMS);
        assert_eq!(count(&frames, "gap"), 100 + ROOMS - limits::REPLAY_CONVERSATIONS);
    }
}

/// Sockets of one person that come back again and again, each time with much to read, have the store two at a
/// time: whoever else comes or sends waits for these two, and not for all of them.
#[tokio::test]
async fn who_resumes_again_and_again_has_two_turns_at_a_time() {
    const SOCKETS: usize = 40;
    let (mut log, store) = (Log::default(), MemoryStore::default());
    letters(&mut log, 60);
    for partition in 0..PARTITIONS {
        store.consume(&log, partition, usize::MAX);
    }
    let gate = Arc::new(Semaphore::new(0));
    let node = Node::start(&log, store.all_behind(&gate), 1 << 20).await;
    let mut crowd = JoinSet::new();
    for _ in 0..SOCKETS {
        let chat = node.chat.clone();
        crowd.spawn(async move {
            loop {
                let outbox = Outbox::new(100_000, 64 << 20);
                let resume = Some(from_the_start());
                let attached = chat.attach(user(ANN), Uuid::nil(), outbox.clone(), resume).await.unwrap();
                chat.replay(user(ANN), attached.backlog, &outbox).await.unwrap();
            }
        });
    }
    let answer_one = async || {
        gate.add_permits(1);
        for _ in 0..16 {
            yield_now().await;
        }
        store.under_way()
    };
    let mut busiest = 0;
    // Until some attach, some read from the store, and some ask what changed.
    for _ in 0..2_000 {
        busiest = busiest.max(answer_one().await);
    }
    assert_eq!(busiest, OF_ONE_PERSON, "look-ups of one person at a time");

    let mut others = JoinSet::new();
    let chat = node.chat.clone();
    others.spawn(async move {
        let outbox = Outbox::new(10, 1 << 20);
        chat.attach(user(1), Uuid::nil(), outbox, Some(from_the_start())).await.map(drop)
    });
    let chat = node.chat.clone();
    others.spawn(async move {
        let (client_id, body) = (ClientId::new("c").unwrap(), Body::new("x").unwrap());
        let target = Target::User(user(3));
        let request =
            SendRequest { sender: user(2), target, client_id, body, besides: None, connection: None };
        chat.prepare(request).await.map(drop)
    });
    let mut answers = 0;
    while !others.is_empty() {
        assert!(answer_one().await <= OF_ONE_PERSON + 2);
        answers += 1;
        // Each of theirs takes two permits, and so do the two before it.
        assert!(answers < 100, "others wait for a crowd of {SOCKETS}");
        while let Some(done) = others.try_join_next() {
            done.unwrap().unwrap();
        }
    }
}

/// A crowd of sockets that resume is taken in between deliveries, some at a time: whoever is attached before
/// a message is delivered gets it live.
#[tokio::test]
async fn a_crowd_of_attaches_does_not_hold_up_deliveries() {
    const CROWD: usize = 400;
    let (mut log, store) = (Log::default(), MemoryStore::default());
    let mut node = Node::start(&log, store, 1 << 20).await;
    let mut crowd = Vec::new();
    for _ in 0..CROWD {
        let (reply, answer) = oneshot::channel();
        let outbox = Outbox::new(10, 1 << 20);
        let (session, resume) = (Uuid::nil(), Some(from_the_start()));
        let attach =
            Attach { user: user(ANN), session, outbox: outbox.clone(), resume, rooms: Vec::new(), reply };
        node.chat.attaches.try_send(attach).unwrap();
        crowd.push((outbox, answer));
    }
    letters(&mut log, 1);
    let partition = log.partitions.iter().position(|records| !records.is_empty()).unwrap();
    node.read_in_bursts(&log, partition).await;
    let mut attached = Vec::new();
    for (outbox, answer) in crowd {
        attached.push((outbox, answer.await.expect("attached")));
        yield_now().await;
    }
    let live = attached.iter().filter(|(outbox, _)| !outbox.is_empty()).count();
    assert!((1..=64).contains(&live), "{live} of {CROWD} came before the message");
}

/// However many are brought into a room, the store is asked who they are, and how many rooms they are in.
#[tokio::test]
async fn many_are_brought_into_a_room_by_two_look_ups() {
    let log = Log::default();
    let store = MemoryStore::default().all_behind(&Arc::new(Semaphore::new(Semaphore::MAX_PERMITS)));
    let node = Node::start(&log, store.clone(), 1 << 20).await;
    let (owner, name) = (user(ANN), ClientId::new("room").unwrap());
    let place = Place::Room(ConversationId::room(owner, &name));
    let users = (1..=limits::MEMBERS_ADDED_MAX as u128).map(user).collect();
    let (at, seen) = (Timestamp::from_unix_ms(1), Position::new(Epoch::FIRST, 0));
    let event = Event::new(owner, place, name, at, seen, Action::MembersAdded { users });
    store.looks();
    node.chat.check_action(&event).await.unwrap();
    assert_eq!(store.looks(), 2);
}
