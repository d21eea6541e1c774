//! The overlap between replay and live, explored: every order in which the steps of a resume, of the tail and
//! of the consumer can happen, for a few messages. After each order the client shows the log, or it was told
//! to start afresh because memory really had to drop what the store did not have.
//! `MILENA_TEST_INTERLEAVINGS=all` explores six times as many.

use std::sync::Arc;

use milena_domain::{ConversationId, Epoch, SessionCursor, partition_of};
use tokio::sync::Semaphore;
use tokio::task::yield_now;

use super::client::Client;
use super::node::Node;
use super::shared::{Log, MESSAGE_BYTES, MemoryStore, PARTITIONS, event, strangers, user};
use crate::registry::Outbox;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    /// The socket is registered, and what was missed is read from memory.
    Attach,
    /// The attach, and then the replay, goes on to its next look into the store, or from that look to what it
    /// does with the answer.
    Replay,
    /// The tail reads the next record: it enters memory and goes to the sockets.
    Read,
    /// The consumer stores the next record.
    Consume,
    /// The node hears how far the consumer is.
    Learn,
}

use Step::{Attach, Consume, Learn, Read, Replay};

/// A look into the store has two sides, and a resume makes two looks for one conversation; before the first
/// it reads memory.
const RESUME: &[Step] = &[Attach, Replay, Replay, Replay, Replay, Replay];
/// What memory alone answers.
const RESUME_FROM_MEMORY: &[Step] = &[Attach, Replay];
const CONSUMER: &[Step] = &[Consume, Learn, Consume, Learn];

/// What the tail has still to read.
fn tail() -> &'static [Step] {
    let all = std::env::var("MILENA_TEST_INTERLEAVINGS").is_ok_and(|which| which == "all");
    if all { &[Read, Read] } else { &[Read] }
}

/// What there is before the first step.
#[derive(Debug, Clone, Copy)]
struct Start {
    /// Stored records of the conversation, which the node has never read.
    stored: usize,
    /// The same, of other people.
    strange: usize,
    /// Records that the node has read and the store does not have.
    read: usize,
    /// Messages that fit into the node's memory.
    memory: usize,
}

/// Ann has seen nothing, Ben writes to her.
struct Scene {
    log: Log,
    store: MemoryStore,
    gate: Arc<Semaphore>,
    node: Node,
    ann: Client,
    partition: usize,
    /// Memory once lacked what the store did not have either.
    was_incomplete: bool,
    /// She was told that not everything can be replayed.
    refused: bool,
}

impl Scene {
    async fn set(start: Start) -> Self {
        let (ann, ben) = (user(0), user(1));
        let partition = partition_of(ConversationId::direct(ann, ben), PARTITIONS);
        let others = strangers(partition);
        let (mut log, store) = (Log::default(), MemoryStore::default());
        let mut number = 0;
        let mut append = |log: &mut Log, (from, to)| {
            log.append(event(from, to, &number.to_string()));
            number += 1;
        };
        (0..start.strange).for_each(|_| append(&mut log, others));
        (0..start.stored).for_each(|_| append(&mut log, (ben, ann)));
        let (old, partition) = (start.strange + start.stored, partition as usize);
        store.consume(&log, partition, old);
        let gate = Arc::new(Semaphore::new(0));
        let mut node = Node::start(&log, store.behind(&gate), start.memory * MESSAGE_BYTES).await;
        (0..start.read + tail().len()).for_each(|_| append(&mut log, (ben, ann)));
        node.read(&log, partition, start.read).await;
        let mut client = Client::new(ann, 0);
        client.set_cursor(SessionCursor { epoch: Epoch::FIRST, next_offsets: vec![0; PARTITIONS] });
        let mut scene =
            Self { log, store, gate, node, ann: client, partition, was_incomplete: false, refused: false };
        scene.look();
        scene
    }

    async fn take(&mut self, step: Step) {
        match step {
            Attach => {
                self.ann.begin_attach(&self.node, Outbox::new(100, 1 << 20));
                self.go_on_attaching().await;
            }
            Replay => {
                // It waits at the gate, unless this is its first step.
                self.go_on_attaching().await;
                self.ann.go_on_replaying().await;
                self.gate.add_permits(1);
            }
            Read => self.node.read(&self.log, self.partition, 1).await,
            Consume => self.store.consume(&self.log, self.partition, 1),
            Learn => self.node.learn_stored(&self.store),
        }
        self.look();
        if self.ann.is_attaching() {
            return;
        }
        let was_connected = self.ann.is_connected();
        self.ann.write_out(&self.node, usize::MAX).await;
        self.ann.cursor_must_be_true(&self.log);
        assert_eq!(self.ann.is_connected(), was_connected, "her outbox has room");
    }

    async fn go_on_attaching(&mut self) {
        // The delivery task has its turns meanwhile.
        for _ in 0..8 {
            if let Some(welcome) = self.ann.go_on_attaching(&self.node).await
                && !welcome.resumed
            {
                self.refused = true;
                self.ann.hang_up();
            }
            yield_now().await;
        }
    }

    fn look(&mut self) {
        let recent = self.node.chat.recent();
        self.was_incomplete |= !recent.is_all_complete();
    }

    /// Takes the steps, and then all that is left.
    async fn play(mut self, steps: &[Step]) -> Ending {
        for step in steps {
            self.take(*step).await;
        }
        self.gate.add_permits(1_000);
        for _ in 0..tail().len() {
            self.take(Read).await;
        }
        while self.ann.is_attaching() {
            self.go_on_attaching().await;
        }
        while self.ann.is_replaying() {
            self.ann.go_on_replaying().await;
        }
        self.ann.write_out(&self.node, usize::MAX).await;
        if self.refused || !self.ann.is_connected() {
            assert!(self.was_incomplete, "refused although everything was there");
            return Ending::Refused;
        }
        self.ann.cursor_must_be_true(&self.log);
        self.ann.must_show(&self.log);
        Ending::Shown
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Ending {
    Shown,
    Refused,
}

/// Every order of the steps of several actors, each actor's own steps in their order.
fn interleavings(actors: &[&[Step]], so_far: &mut Vec<Step>, visit: &mut impl FnMut(&[Step])) {
    let mut is_whole = true;
    for number in 0..actors.len() {
        if let Some((first, rest)) = actors[number].split_first() {
            is_whole = false;
            let mut actors = actors.to_vec();
            actors[number] = rest;
            so_far.push(*first);
            interleavings(&actors, so_far, visit);
            so_far.pop();
        }
    }
    if is_whole {
        visit(so_far);
    }
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

fn explore(resume: &[Step], start: Start) -> (usize, usize) {
    let (mut shown, mut refused) = (0, 0);
    block_on(async {
        let mut orders = Vec::new();
        interleavings(&[resume, tail(), CONSUMER], &mut Vec::new(), &mut |steps| orders.push(steps.to_vec()));
        for steps in orders {
            match Scene::set(start).await.play(&steps).await {
                Ending::Shown => shown += 1,
                Ending::Refused => refused += 1,
            }
        }
    });
    println!("{start:?}: {} orders, {shown} shown, {refused} told to start afresh", shown + refused);
    (shown, refused)
}

const ROOMY: usize = 100;

#[test]
fn memory_reaches_back() {
    let (shown, refused) =
        explore(RESUME_FROM_MEMORY, Start { stored: 0, strange: 0, read: 1, memory: ROOMY });
    assert!(shown > 0 && refused == 0);
}

#[test]
fn memory_does_not_reach_back_and_the_store_knows_the_conversation() {
    let (shown, refused) = explore(RESUME, Start { stored: 1, strange: 0, read: 1, memory: ROOMY });
    assert!(shown > 0 && refused == 0);
}

#[test]
fn memory_does_not_reach_back_and_the_conversation_is_new() {
    let (shown, refused) = explore(RESUME, Start { stored: 0, strange: 1, read: 1, memory: ROOMY });
    assert!(shown > 0 && refused == 0);
}

#[test]
fn memory_is_too_small() {
    for (stored, strange, memory) in [(0, 0, 1), (1, 0, 1), (0, 1, 1)] {
        let (shown, refused) = explore(RESUME, Start { stored, strange, read: 1, memory });
        assert!(shown > 0 && refused > 0, "both must be possible, or this explores nothing");
    }
}

/// The store is asked which conversations there are; then the consumer stores the only message of one, and
/// memory may forget it. Whoever looks into memory only now finds it in neither.
#[test]
fn on_resume_memory_is_read_before_the_store() {
    let start = Start { stored: 0, strange: 1, read: 1, memory: ROOMY };
    let steps = [Attach, Replay, Replay, Consume, Learn, Replay, Replay];
    assert_eq!(block_on(async { Scene::set(start).await.play(&steps).await }), Ending::Shown);
}

/// Memory had to drop what the store does not have: whatever is replayed would hide a gap.
#[test]
fn over_memory_that_had_to_be_dropped_nothing_is_replayed() {
    let start = Start { stored: 0, strange: 1, read: 3, memory: 2 };
    block_on(async {
        let mut scene = Scene::set(start).await;
        scene.take(Attach).await;
        assert!(scene.was_incomplete && scene.refused, "`resumed` must be false");
        assert_eq!(scene.play(&[]).await, Ending::Refused);
        // Dropped only while she is replayed to: the connection ends, and she comes back.
        let start = Start { read: 2, ..start };
        let mut scene = Scene::set(start).await;
        for step in [Attach, Replay, Replay, Read] {
            scene.take(step).await;
        }
        assert!(scene.was_incomplete && !scene.refused);
        assert_eq!(scene.play(&[]).await, Ending::Refused);
    });
}
