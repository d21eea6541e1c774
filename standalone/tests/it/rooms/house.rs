//! People with devices on all nodes, and the rooms in which they write.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::task::JoinSet;
use uuid::Uuid;

use super::oracle::Oracle;
use crate::client::{Heard, Rest, Target};
use crate::ledger::{Crowd, Texts};
use crate::world::number;

/// How many people find themselves in a room at first, of all.
const MEMBERS_SHARE: f64 = 0.2;
/// A part takes at least so long, so that whatever dies dies in its midst.
const PART_AT_LEAST: Duration = Duration::from_secs(3);
/// How often somebody writes where they may be no longer.
const ASTRAY: usize = 20;

#[derive(Debug, Clone, Copy)]
pub(super) struct Size {
    pub(super) people: usize,
    pub(super) rooms: usize,
    pub(super) messages: usize,
    pub(super) changes: usize,
    /// What is done to messages.
    pub(super) touches: usize,
}

impl Size {
    pub(super) fn from_environment() -> Self {
        Self {
            people: number("MILENA_TEST_ROOM_PEOPLE", 20),
            rooms: number("MILENA_TEST_ROOMS", 6),
            messages: number("MILENA_TEST_ROOM_MESSAGES", 600),
            changes: number("MILENA_TEST_ROOM_CHANGES", 80),
            touches: number("MILENA_TEST_ROOM_TOUCHES", 160),
        }
    }
}

/// A stretch of the whole.
#[derive(Debug, Clone, Copy)]
pub(super) struct Part {
    pub(super) number: usize,
    pub(super) messages: usize,
    pub(super) changes: usize,
    pub(super) touches: usize,
    /// How many messages were answered before it.
    pub(super) before: usize,
}

impl Part {
    /// The next of so many.
    pub(super) fn of(house: &House, number: usize, parts: usize) -> Self {
        let share = |all: usize| all * (number + 1) / parts - all * number / parts;
        let Size { messages, changes, touches, .. } = house.size;
        let (messages, changes, touches) = (share(messages), share(changes), share(touches));
        Self { number, messages, changes, touches, before: house.crowd.progress.count() }
    }
}

/// A message that somebody wrote.
#[derive(Debug, Clone)]
pub(super) struct Sent {
    pub(super) sender: usize,
    pub(super) device: usize,
    pub(super) room: usize,
    pub(super) client_id: String,
    pub(super) body: String,
}

/// Something that somebody did to a room, and the answer: where it stands, or the code of the refusal.
#[derive(Debug, Clone)]
pub(super) struct Done {
    pub(super) actor: usize,
    pub(super) room: usize,
    pub(super) client_id: String,
    pub(super) kind: &'static str,
    pub(super) answer: Result<i64, String>,
}

/// A room as answers make people believe it is.
#[derive(Debug, Default)]
pub(super) struct Belief {
    pub(super) members: BTreeSet<usize>,
    pub(super) banned: BTreeSet<usize>,
    pub(super) once: BTreeSet<usize>,
}

pub(super) struct Room {
    pub(super) id: Uuid,
    /// Its creator, who stays an owner.
    pub(super) owner: usize,
    pub(super) is_public: bool,
    belief: Mutex<Belief>,
}

impl Room {
    pub(super) fn belief(&self) -> MutexGuard<'_, Belief> {
        self.belief.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// All of them.
pub(super) struct House {
    pub(super) crowd: Arc<Crowd>,
    pub(super) rooms: Vec<Room>,
    pub(super) size: Size,
    /// Each node, as nobody.
    pub(super) nodes: Vec<Rest>,
    sent: Mutex<Vec<Sent>>,
    pub(super) done: Mutex<Vec<Done>>,
}

impl House {
    /// Registers people and creates the rooms: the first with everybody in it, one in three private, one in
    /// two showing to members the time of their own memberships alone.
    pub(super) async fn open(nodes: &[SocketAddr], size: Size) -> Arc<Self> {
        let crowd = Crowd::gather(nodes, size.people).await;
        let nodes: Vec<Rest> = nodes.iter().map(|node| Rest::new(*node)).collect();
        let (mut texts, mut rooms, mut done) = (Texts::new(17), Vec::new(), Vec::new());
        for number in 0..size.rooms {
            let owner = number * size.people / size.rooms;
            let is_in = |_: &usize| number == 0 || texts.share() < MEMBERS_SHARE;
            let mut members: BTreeSet<usize> = (0..size.people).filter(is_in).collect();
            members.insert((owner + 1) % size.people);
            members.remove(&owner);
            let is_public = number % 3 != 1;
            let account = &crowd.members[owner].account;
            let client_id = format!("room-{number}");
            let people: Vec<Uuid> = members.iter().map(|one| crowd.members[*one].account.person.id).collect();
            let body = json!({
                "client_id": client_id, "handle": format!("room-{number}"), "title": format!("Room {number}"),
                "visibility": if is_public { "public" } else { "private" },
                "history": if number % 2 == 0 { "all" } else { "since_join" }, "members": people,
            });
            let node = &nodes[number % nodes.len()];
            let created: Value = node.of(account).post_until_taken("rooms", &body).await.expect(201);
            let id = serde_json::from_value(created["room"]["id"].clone()).expect("an id");
            let answer = Ok(created["position"].as_i64().expect("a position"));
            done.push(Done { actor: owner, room: number, client_id, kind: "room_created", answer });
            members.insert(owner);
            let belief = Belief { once: members.clone(), members, ..Belief::default() };
            rooms.push(Room { id, owner, is_public, belief: Mutex::new(belief) });
        }
        Arc::new(Self { crowd, rooms, size, nodes, sent: Mutex::default(), done: Mutex::new(done) })
    }

    /// Everything that was written.
    pub(super) fn sent(&self) -> Vec<Sent> {
        self.sent.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Something that was written.
    pub(super) fn any_sent(&self, texts: &mut Texts) -> Option<Sent> {
        let sent = self.sent.lock().unwrap_or_else(PoisonError::into_inner);
        (!sent.is_empty()).then(|| sent[texts.pick(sent.len())].clone())
    }

    /// Everything that was done to rooms and messages.
    pub(super) fn done(&self) -> Vec<Done> {
        self.done.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn person(&self, number: usize) -> Uuid {
        self.crowd.members[number].account.person.id
    }

    /// Begins to write. The set is empty when all messages were handed to the devices.
    pub(super) fn write(self: &Arc<Self>, part: Part) -> JoinSet<()> {
        let (people, messages) = (self.size.people, part.messages);
        let mut writers = JoinSet::new();
        for person in 0..people {
            let share = messages / people + usize::from(person < messages % people);
            writers.spawn(Arc::clone(self).write_as(person, share, part.number));
        }
        writers
    }

    async fn write_as(self: Arc<Self>, sender: usize, messages: usize, part: usize) {
        let mut texts = Texts::new(((part << 32) + 1_000 + sender) as u64);
        let mut ticks = tokio::time::interval(PART_AT_LEAST / messages.max(1) as u32);
        for number in 0..messages {
            ticks.tick().await;
            let astray = texts.pick(ASTRAY) == 0;
            let is_theirs = |room: &Room| {
                let belief = room.belief();
                if astray { belief.once.contains(&sender) } else { belief.members.contains(&sender) }
            };
            let theirs: Vec<usize> =
                (0..self.rooms.len()).filter(|room| is_theirs(&self.rooms[*room])).collect();
            // The first room has, or had, everybody.
            let room = if theirs.is_empty() { 0 } else { theirs[texts.pick(theirs.len())] };
            let device = texts.pick(self.crowd.members[sender].devices.len());
            let (client_id, body) = (format!("m-{part}-{number}"), format!("{number} {}", texts.next()));
            self.send(Sent { sender, device, room, client_id, body }).await;
        }
    }

    async fn send(&self, mut sent: Sent) {
        let device = &self.crowd.members[sent.sender].devices[sent.device];
        sent.client_id.insert_str(0, &device.heard().client_id_prefix);
        self.sent.lock().unwrap_or_else(PoisonError::into_inner).push(sent.clone());
        device.send(sent.client_id, Target::Room(self.rooms[sent.room].id), sent.body).await;
    }

    /// Waits until everything that was written is accepted, or refused for good.
    pub(super) async fn all_answered(&self, seconds: u64) {
        let count = self.sent().len();
        self.crowd.progress.reaches(count, seconds).await;
    }

    /// Writes a last message into every room.
    pub(super) async fn settle(&self) {
        for (room, Room { owner: sender, .. }) in self.rooms.iter().enumerate() {
            let client_id = format!("last-{room}");
            let body = "the last one".to_owned();
            self.send(Sent { sender: *sender, device: 0, room, client_id, body }).await;
        }
        self.all_answered(120).await;
    }

    /// Waits until every device has what its owner's rooms have last. Who misses something then is counted.
    pub(super) async fn has_heard(&self, oracle: &Oracle) {
        let deadline = Instant::now() + Duration::from_secs(60);
        let is_behind = || {
            self.crowd.members.iter().any(|member| {
                let last = oracle.last_of_rooms_with(member.account.person.id);
                member.devices.iter().any(|device| {
                    let heard = device.heard();
                    let lacks = || lacks_changes(&heard, oracle, member.account.person.id);
                    heard.owed > 0 || last.iter().any(|id| !heard.ids().contains(id)) || lacks()
                })
            })
        };
        while is_behind() && Instant::now() < deadline {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

/// Whether a change of a message that it holds has not come yet.
fn lacks_changes(heard: &Heard, oracle: &Oracle, owner: Uuid) -> bool {
    let mut changes = oracle.rooms_with(owner).flat_map(|(id, room)| {
        room.changes.iter().filter_map(move |row| Some(((id, row.target?), row.position)))
    });
    changes.any(|(key, at)| heard.held.holds(key) && !heard.held.has(key, at))
}
