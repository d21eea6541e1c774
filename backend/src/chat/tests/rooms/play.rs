//! Two nodes, one log, a consumer and another projection, some devices; and what must hold after each step:
//!
//! - what counts is the same for everybody: for the plain rules, the fold of the whole log, the consumer, the
//!   projection, and for each node what it shows and what it follows;
//! - nobody is sent what is not theirs, the moment it is sent;
//! - what a client's cursor covers it was shown, or it knows the gap;
//! - what is answered is so.

mod away;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use milena_domain::record::{Action, Event, Place};
use milena_domain::{ClientId, ConversationId, Epoch, Position, Timestamp, UserId, partition_of};
use milena_timeline::Outcome;
use serde_json::Value;
use tokio::sync::Semaphore;
use tokio::task::yield_now;

use super::super::node::Node;
use super::super::reader::Reader;
use super::super::shared::{Log, MESSAGE_BYTES, MemoryStore, PARTITIONS, user};
use super::device::{Device, Wish, as_answered};
use super::nodes::{accepted_is_so, answers_equal, words_are_gone};
use super::rules::Rules;
use super::steps::{
    DEVICES, PEOPLE, ROOMS, Spot, Step, Touch, created, message_from_end, room_of, said, wish_for,
};
use crate::chat::Target;
use crate::chat::listing::Entry;
use crate::log::event::message;
use crate::registry::Outbox;

/// More than a page of a replay, so that it becomes a gap.
const BURST: usize = 130;
/// Longer than anything waits that is tried again.
const A_WHILE: Duration = Duration::from_secs(2);
/// Of the end: of what changed a round brings three.
const ROUNDS: usize = 400;
/// As good as no limit.
const OPEN: usize = 1 << 20;

/// What happened how often, so that nobody believes in schedules in which nothing happens.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Figures {
    pub(super) effective: usize,
    pub(super) void: usize,
    pub(super) repeats: usize,
    pub(super) accepted: usize,
    pub(super) rejected: usize,
    pub(super) shown: usize,
}

/// Where a play begins.
#[derive(Debug, Clone, Copy)]
pub(super) struct Setting {
    /// Messages that fit into a node's memory.
    pub(super) memory: usize,
    pub(super) outbox_messages: usize,
    /// The rooms are in the log already.
    pub(super) founded: bool,
}

pub(super) struct Play {
    log: Log,
    store: MemoryStore,
    gates: [Arc<Semaphore>; 2],
    nodes: [Node; 2],
    devices: Vec<Device>,
    /// Has read all of the log, always.
    model: Reader,
    rules: Rules,
    index: Reader,
    /// Have read as much as the nodes.
    followers: [Reader; 2],
    /// How far nodes and store were when they were looked at last, and how many rooms a node followed.
    looked_at: [(Vec<i64>, [i64; PARTITIONS], usize); 2],
    recent_bytes: usize,
    outbox_messages: usize,
    bursts: usize,
    checked: Vec<usize>,
    pub(super) figures: Figures,
}

/// All conversations that there may be.
fn conversations(of: UserId) -> Vec<ConversationId> {
    let direct = (0..PEOPLE).map(|other| ConversationId::direct(of, user(other)));
    direct.chain((0..ROOMS).map(room_of)).collect()
}

impl Play {
    /// With the rooms `founded` on a third node already, or not.
    pub(super) async fn new(setting: Setting) -> Self {
        let Setting { memory, outbox_messages, founded } = setting;
        let (mut log, store) = (Log::default(), MemoryStore::default());
        for owner in (0..ROOMS).filter(|_| founded) {
            let action = Action::RoomCreated(created(owner));
            let (place, name) = (Place::Room(room_of(owner)), ClientId::new("room").unwrap());
            let seen = Position::new(Epoch::FIRST, 0);
            log.append(Event::new(user(owner), place, name, Timestamp::now(), seen, action));
        }
        let recent_bytes = memory * MESSAGE_BYTES;
        let gates = [(); 2].map(|()| Arc::new(Semaphore::new(OPEN)));
        let nodes = [
            Node::start(&log, store.all_behind(&gates[0]), recent_bytes).await,
            Node::start(&log, store.all_behind(&gates[1]), recent_bytes).await,
        ];
        let devices = (0..).zip(DEVICES).map(|(name, number)| Device::new(user(number), name)).collect();
        Self {
            log,
            store,
            gates,
            nodes,
            devices,
            model: Reader::default(),
            rules: Rules::default(),
            index: Reader::default(),
            followers: Default::default(),
            looked_at: Default::default(),
            recent_bytes,
            outbox_messages,
            bursts: 0,
            checked: vec![0; DEVICES.len()],
            figures: Figures::default(),
        }
    }

    pub(super) async fn take(&mut self, step: Step) {
        self.tell_ends();
        self.step(step).await;
        self.settle().await;
    }

    fn tell_ends(&mut self) {
        let ends = self.log.ends();
        self.devices.iter_mut().for_each(|device| device.log_ends.clone_from(&ends));
    }

    async fn step(&mut self, step: Step) {
        match step {
            Step::Create { device } => {
                let owner = DEVICES[device];
                if owner < ROOMS {
                    self.devices[device].wish(&self.nodes, Wish::Create(created(owner)));
                }
            }
            Step::Act { device, room, deed } => {
                let wish = wish_for(room_of(room), deed);
                self.devices[device].wish(&self.nodes, wish);
            }
            Step::Write { device, to } => {
                self.devices[device].wish(&self.nodes, Wish::say(Target::User(user(to))));
            }
            Step::Touch { device, at, back, touch } => {
                let conversation = at.conversation(self.devices[device].user);
                let target = message_from_end(&self.model, conversation, back);
                let to = match at {
                    Spot::Room(room) => Target::Conversation(room_of(room)),
                    Spot::With(other) => Target::User(user(other)),
                };
                if let Some(wish) = touch.wish(to, conversation, target) {
                    self.devices[device].wish(&self.nodes, wish);
                }
            }
            Step::TouchElsewhere { by, at, back, touch } => {
                let conversation = at.conversation(user(by));
                if let Some(target) = message_from_end(&self.model, conversation, back) {
                    let action = touch.action(target, &format!("elsewhere {}", self.bursts));
                    self.elsewhere(user(by), at.place(), action);
                }
            }
            Step::Block { by, of, on } => {
                let place = Place::Direct(user(of));
                self.elsewhere(user(by), place, Action::Blocked { on });
            }
            Step::Again { device } => self.devices[device].send_pending(&self.nodes),
            Step::Drop { device } => self.devices[device].hang_up(),
            Step::Connect { device, node } => self.connect(device, node),
            Step::Turn { device, most } => {
                self.devices[device].turn(&self.nodes, most);
            }
            Step::Append { node } => self.nodes[node].append(&mut self.log),
            Step::Confirm { node } => self.nodes[node].confirm().await,
            Step::Fail { node } => self.nodes[node].fail().await,
            Step::Read { node, partition, count } => self.nodes[node].read(&self.log, partition, count).await,
            Step::Consume { partition, count } => self.store.consume(&self.log, partition, count),
            Step::Index { partition, count } => self.index.read(&self.log, partition, count, |_, _| {}),
            Step::Rebuild => self.index = Reader::default(),
            Step::Learn { node } => self.nodes[node].learn_stored(&self.store),
            Step::Forget { node } => self.nodes[node].forget_rooms(),
            Step::Hold { node } => {
                self.gates[node].forget_permits(OPEN * 64);
            }
            Step::Let { node, permits } => self.gates[node].add_permits(permits),
            Step::Release { node } => self.gates[node].add_permits(OPEN),
            Step::Wait { ms } => tokio::time::sleep(Duration::from_millis(ms)).await,
            Step::ComeLate { device, room, node } => self.come_late(device, room, node).await,
            Step::Burst { room } => {
                for _ in 0..BURST {
                    self.elsewhere(user(room), Place::Room(room_of(room)), said("much"));
                }
            }
            Step::BurstOfReactions { room } => {
                let spot = Spot::Room(room);
                for back in 0..BURST {
                    let Some(target) = message_from_end(&self.model, room_of(room), back) else { break };
                    self.elsewhere(user(room), spot.place(), Touch::React(0, true).action(target, ""));
                }
            }
            Step::Disconnect { node } => self.nodes[node].disconnect(),
            Step::Reconnect { node } => self.nodes[node].connect(&self.log).await,
            Step::MissChanges { device, room, node, meanwhile } => {
                self.miss_changes(device, room, node, meanwhile).await;
            }
            Step::Restart { node } => self.restart(node).await,
        }
    }

    /// Somebody does something on a third node, which has read everything.
    fn elsewhere(&mut self, actor: UserId, place: Place, action: Action) {
        self.bursts += 1;
        let name = ClientId::new(&format!("elsewhere-{}", self.bursts)).unwrap();
        let conversation = match place {
            Place::Direct(to) => ConversationId::direct(actor, to),
            Place::Room(room) => room,
        };
        let partition = partition_of(conversation, PARTITIONS) as usize;
        let seen = Position::new(Epoch::FIRST, self.log.ends()[partition]);
        self.log.append(Event::new(actor, place, name, Timestamp::now(), seen, action));
    }

    fn connect(&mut self, device: usize, node: usize) {
        let outbox = Outbox::new(self.outbox_messages, 1 << 20);
        self.devices[device].connect(node, &self.nodes[node], outbox);
    }

    /// The tails read all there is, and time passes.
    async fn wait(&mut self) {
        for node in 0..2 {
            self.read_all(node).await;
        }
        tokio::time::sleep(A_WHILE).await;
    }

    async fn read_all(&mut self, node: usize) {
        for partition in 0..PARTITIONS {
            self.nodes[node].read(&self.log, partition, usize::MAX).await;
        }
    }

    /// All that can go on does, and then everything must hold.
    async fn settle(&mut self) {
        for _ in 0..24 {
            yield_now().await;
        }
        self.judge();
        for device in &mut self.devices {
            let all = conversations(device.user);
            device.look(&self.nodes, &all);
            device.nothing_else_came(&self.nodes, &self.model);
            device.answers_must_be_new(&self.model);
            device.cursor_must_be_true(&self.model);
        }
        for number in 0..2 {
            self.node_must_be_right(number);
        }
        self.answers_must_be_true();
    }

    /// The fold and the plain rules come to the same.
    fn judge(&mut self) {
        let Self { model, rules, figures, log, .. } = self;
        for partition in 0..PARTITIONS {
            model.read(log, partition, usize::MAX, |placed, outcome| {
                let counts = matches!(outcome, Outcome::Effective(_));
                match outcome {
                    Outcome::Effective(_) => figures.effective += 1,
                    Outcome::Void(_) => figures.void += 1,
                    Outcome::Repeat(_) => figures.repeats += 1,
                }
                assert_eq!(rules.happens(placed), counts, "by the rules, and folded: {placed:?}");
            });
        }
    }

    /// What a node shows, follows and counts is what its part of the log says.
    fn node_must_be_right(&mut self, number: usize) {
        let (node, follower) = (&self.nodes[number], &mut self.followers[number]);
        let next_offsets = node.chat.progress.borrow().read.clone();
        for (partition, next) in next_offsets.iter().enumerate() {
            let count = (next - follower.next_offsets[partition]).max(0);
            follower.read(&self.log, partition, count as usize, |_, _| {});
        }
        node.chat.registry.check_invariants();
        let state = (next_offsets.to_vec(), self.store.next_offsets(), node.chat.rooms().len());
        if std::mem::replace(&mut self.looked_at[number], state.clone()) == state {
            return;
        }
        let (recent, rooms) = (node.chat.recent(), node.chat.rooms());
        for (conversation, timeline) in &follower.timelines {
            for deletion in timeline.values() {
                if let Action::Deleted { target, .. } = deletion.event.action {
                    words_are_gone(&recent, *conversation, target.position);
                }
            }
            for event in recent.unflushed(*conversation) {
                let counts =
                    timeline.get(&event.position()).is_some_and(|own| own.event.id == event.event().id);
                assert!(counts, "{:?} is shown", event.placed());
            }
        }
        for owner in 0..ROOMS {
            let room = room_of(owner);
            let Some(loaded) = rooms.get(room) else { continue };
            let (state, folded) = (loaded.state(), &follower.states[&room]);
            assert_eq!(state.room(), folded.room());
            assert_eq!(state.last_seq(), folded.last_seq(), "messages of the room");
            let partition = partition_of(room, PARTITIONS);
            let from = recent.stored_next(partition).max(recent.reaches_back_to(partition));
            let newest = follower.timelines[&room].range(Position::new(Epoch::FIRST, from)..);
            let newest: Vec<Position> = newest.map(|(position, _)| *position).collect();
            let shown: Vec<Position> = recent.unflushed(room).iter().map(|event| event.position()).collect();
            if recent.has_undecided(room) {
                assert!(shown.iter().all(|at| newest.contains(at)), "of room {owner}");
            } else {
                assert_eq!(shown, newest, "of room {owner}");
            }
            for member in (0..PEOPLE).map(user) {
                assert_eq!(state.standing(member), folded.standing(member), "of {member} in room {owner}");
                let is_member = follower.is_member(room, member);
                let hears = node.chat.registry.people_in(room).contains(&member);
                assert!(is_member || !hears, "{member} hears room {owner}");
                // Of whoever is only expected yet, the rooms are being looked up.
                let is_here = node.chat.registry.rooms_of(member).is_some();
                assert!(hears || !(is_member && is_here), "{member} does not hear room {owner}");
                if is_member && recent.is_complete(partition) {
                    self.store.with_reader(|stored| {
                        let base = entry(stored, room, member);
                        let mut listed = base.unwrap_or_else(|| Entry::unknown_room(room));
                        listed.add_unflushed(member, &stored_log(stored), &recent.unflushed(room));
                        let wanted = entry(follower, room, member).expect("a member's entry");
                        if stored.next_offsets[partition as usize]
                            <= follower.next_offsets[partition as usize]
                        {
                            let counted = (listed.unread, listed.last_read);
                            assert_eq!(counted, (wanted.unread, wanted.last_read), "{member} in {owner}");
                        }
                    });
                }
            }
        }
    }

    fn answers_must_be_true(&mut self) {
        for (device, checked) in self.devices.iter().zip(&mut self.checked) {
            for answer in &device.answers[*checked..] {
                match &answer.outcome {
                    Ok(position) => {
                        self.figures.accepted += 1;
                        accepted_is_so(&self.model, device.user, answer, *position);
                    }
                    Err(_) => self.figures.rejected += 1,
                }
            }
            *checked = device.answers.len();
            for answer in device.answers.iter().filter(|answer| answer.outcome.is_err()) {
                // The same may still be under way by another node, and count later.
                let partition = partition_of(answer.conversation, PARTITIONS) as usize;
                let denied = self
                    .model
                    .places
                    .get(&answer.id)
                    .filter(|place| answer.is_only_one || place.offset() < answer.asked_at[partition]);
                assert_eq!(denied, None, "it counts, but {} heard {answer:?}", device.user);
            }
        }
    }

    /// Everything works again, for as long as it takes.
    pub(super) async fn end(&mut self) {
        for _ in 0..ROUNDS {
            for partition in 0..PARTITIONS {
                self.store.consume(&self.log, partition, usize::MAX);
                self.index.read(&self.log, partition, usize::MAX, |_, _| {});
            }
            for number in 0..2 {
                self.gates[number].add_permits(OPEN);
                self.nodes[number].connect(&self.log).await;
                for _ in 0..50 {
                    self.nodes[number].append(&mut self.log);
                    self.nodes[number].confirm().await;
                }
            }
            self.wait().await;
            for node in &self.nodes {
                node.learn_stored(&self.store);
            }
            self.settle().await;
            self.tell_ends();
            for number in 0..self.devices.len() {
                if !self.devices[number].is_connected() {
                    self.connect(number, number % 2);
                    self.settle().await;
                }
                self.devices[number].send_pending(&self.nodes);
                self.settle().await;
                while self.devices[number].turn(&self.nodes, usize::MAX) {
                    self.settle().await;
                }
            }
            if self.is_at_rest() {
                break;
            }
        }
        for partition in 0..PARTITIONS {
            self.store.consume(&self.log, partition, usize::MAX);
            self.index.read(&self.log, partition, usize::MAX, |_, _| {});
        }
        self.answers_are_what_the_log_made().await;
        for device in &self.devices {
            assert!(device.is_at_rest(), "in the end it waits for {}", device.waits_for());
            device.must_show(&self.model);
            self.figures.shown += device.shown.len();
        }
        assert!(self.index.timelines == self.model.timelines, "the other projection has something else");
        self.store.with_reader(|stored| {
            assert!(stored.timelines == self.model.timelines, "the store has something else");
        });
    }

    /// What everybody may ask for, of both nodes and of one that has nothing but the store, is what the log
    /// made of it.
    async fn answers_are_what_the_log_made(&self) {
        let fresh = Node::start(&self.log, self.store.clone(), self.recent_bytes).await;
        let people: BTreeSet<UserId> = self.devices.iter().map(|device| device.user).collect();
        for node in self.nodes.iter().chain([&fresh]) {
            for user in &people {
                for (conversation, timeline) in &self.model.timelines {
                    let seen = timeline.values().filter(|placed| self.model.sees(*user, placed));
                    let wanted: Vec<Value> =
                        seen.filter_map(|placed| as_answered(&self.model, *user, placed)).collect();
                    let is_there = self.model.room(*conversation).is_none()
                        || self.model.is_member(*conversation, *user);
                    if !wanted.is_empty() && is_there {
                        answers_equal(&node.chat, (*user, *conversation), &wanted).await;
                    }
                }
            }
        }
    }

    fn is_at_rest(&self) -> bool {
        let at_end = |node: &Node| *node.chat.progress.borrow().read == self.log.ends();
        self.nodes.iter().all(at_end) && self.devices.iter().all(Device::is_at_rest)
    }
}

fn stored_log(stored: &Reader) -> milena_storage::LogPosition {
    let next_offsets = (0..).zip(stored.next_offsets).collect();
    milena_storage::LogPosition { epoch: Epoch::FIRST, next_offsets }
}

/// A room on a member's list, as a store has it that read so much.
fn entry(reader: &Reader, room: ConversationId, member: UserId) -> Option<Entry> {
    if !reader.is_member(room, member) {
        return None;
    }
    let mark = reader.mark(room, member);
    let newest = reader.timelines[&room].values().rev().find(|placed| message(&placed.event).is_some());
    let newest = newest.or_else(|| reader.timelines[&room].values().next())?;
    let mut entry = Entry::unknown_room(room);
    entry.last_position = newest.position;
    entry.last_read = mark;
    entry.unread = reader.unread(room, mark) as u32;
    entry.is_listed = true;
    Some(entry)
}

impl Figures {
    pub(super) fn add(&mut self, other: Self) {
        self.effective += other.effective;
        self.void += other.void;
        self.repeats += other.repeats;
        self.accepted += other.accepted;
        self.rejected += other.rejected;
        self.shown += other.shown;
    }
}
