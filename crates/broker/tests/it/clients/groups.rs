//! Consumer groups: members share the partitions, take over from each other, and find their offsets again.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use rdkafka::config::ClientConfig;
use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer};
use rdkafka::message::Message;

use super::Target;
use crate::support::{idempotent_producer, send, until};

on_both_brokers!(
    two_members_share_by_range,
    two_members_share_cooperatively,
    a_static_member_returns_without_a_rebalance,
    a_silent_member_is_replaced,
);

/// A member of a group in a thread of its own.
struct Member {
    leave: Arc<AtomicBool>,
    assigned: Arc<Mutex<BTreeSet<i32>>>,
    read: Arc<Mutex<Vec<(i32, i64)>>>,
    thread: JoinHandle<()>,
}

impl Member {
    fn join(config: &ClientConfig, letters: &str, strategy: &str, instance: Option<&str>) -> Self {
        let mut config = config.clone();
        config
            // Every test has a topic of its own, whose name serves for the group too.
            .set("group.id", letters)
            .set("partition.assignment.strategy", strategy)
            .set("auto.offset.reset", "earliest")
            .set("enable.auto.commit", "false")
            .set("session.timeout.ms", "6000")
            .set("heartbeat.interval.ms", "200");
        if let Some(instance) = instance {
            config.set("group.instance.id", instance);
        }
        let consumer: BaseConsumer = config.create().expect("consumer");
        let leave = Arc::<AtomicBool>::default();
        let (assigned, read) =
            (Arc::<Mutex<BTreeSet<i32>>>::default(), Arc::<Mutex<Vec<(i32, i64)>>>::default());
        let member = (Arc::clone(&leave), Arc::clone(&assigned), Arc::clone(&read));
        let letters = letters.to_owned();
        let thread = std::thread::spawn(move || {
            let (leave, assigned, read) = member;
            consumer.subscribe(&[&letters]).expect("subscribed");
            while !leave.load(Ordering::Relaxed) {
                match consumer.poll(Duration::from_millis(50)) {
                    Some(Ok(message)) => {
                        read.lock().expect("lock").push((message.partition(), message.offset()));
                        // A rebalance may refuse it; whoever takes over then reads the record again.
                        let _ = consumer.commit_message(&message, CommitMode::Sync);
                    }
                    Some(Err(error)) => eprintln!("member: {error}"),
                    None => {}
                }
                let now = consumer.assignment().expect("assignment");
                *assigned.lock().expect("lock") =
                    now.elements().iter().map(|element| element.partition()).collect();
            }
        });
        Self { leave, assigned, read, thread }
    }

    fn assigned(&self) -> BTreeSet<i32> {
        self.assigned.lock().expect("lock").clone()
    }

    fn leave(self) -> Vec<(i32, i64)> {
        self.leave.store(true, Ordering::Relaxed);
        self.thread.join().expect("member");
        std::mem::take(&mut *self.read.lock().expect("lock"))
    }
}

fn shared(members: &[&Member]) -> bool {
    let sets: Vec<_> = members.iter().map(|member| member.assigned()).collect();
    let total: usize = sets.iter().map(BTreeSet::len).sum();
    let all: BTreeSet<_> = sets.iter().flatten().collect();
    total == 6 && all.len() == 6 && sets.iter().all(|set| !set.is_empty())
}

async fn two_members_share(target: &Target, strategy: &str) {
    let letters = &*target.topic(6).await;
    let producer = idempotent_producer(&target.client());
    let first = Member::join(&target.client(), letters, strategy, None);
    until("the first gets everything", || first.assigned().len() == 6).await;
    let second = Member::join(&target.client(), letters, strategy, None);
    until("both share", || shared(&[&first, &second])).await;
    for i in 0..60 {
        send(&producer, letters, i % 6, "shared").await;
    }
    let read = |member: &Member| member.read.lock().expect("lock").len();
    until("all is read", || read(&first) + read(&second) >= 60).await;
    let mut seen = first.leave();
    until("the second takes over", || second.assigned().len() == 6).await;
    for i in 0..60 {
        send(&producer, letters, i % 6, "alone").await;
    }
    until("all is read again", || read(&second) + seen.len() >= 120).await;
    seen.extend(second.leave());
    let expected: BTreeSet<_> =
        (0..6).flat_map(|partition| (0..20).map(move |offset| (partition, offset))).collect();
    assert_eq!(seen.iter().copied().collect::<BTreeSet<_>>(), expected);
    assert_eq!(seen.len(), expected.len(), "nothing was read twice, for every record was committed");
}

async fn two_members_share_by_range(target: &Target) {
    two_members_share(target, "range").await;
}

async fn two_members_share_cooperatively(target: &Target) {
    two_members_share(target, "cooperative-sticky").await;
}

async fn a_static_member_returns_without_a_rebalance(target: &Target) {
    let letters = &*target.topic(6).await;
    let first = Member::join(&target.client(), letters, "range", Some("one"));
    let second = Member::join(&target.client(), letters, "range", Some("two"));
    until("both share", || shared(&[&first, &second])).await;
    let before = second.assigned();
    let other = first.assigned();
    // A static member does not say good-bye when it closes.
    second.leave();
    let second = Member::join(&target.client(), letters, "range", Some("two"));
    until("the old assignment is back", || second.assigned() == before).await;
    assert_eq!(first.assigned(), other);
}

async fn a_silent_member_is_replaced(target: &Target) {
    let letters = &*target.topic(6).await;
    let first = Member::join(&target.client(), letters, "range", Some("goes silently"));
    until("the first gets everything", || first.assigned().len() == 6).await;
    first.leave();
    let second = Member::join(&target.client(), letters, "range", None);
    until("the second gets everything", || second.assigned().len() == 6).await;
}
