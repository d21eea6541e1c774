//! People with devices on all nodes, who write to each other as fast as they are answered.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use futures::{StreamExt, stream};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::texts::Texts;
use crate::client::{Account, Device, Progress, Rest, Target};
use crate::world::until;

/// Registrations at a time: each is a password hash.
const REGISTERING: usize = 4;
/// How far away, in a circle, those are to whom a person writes: 0 is notes to self, odd numbers are on the
/// other node.
const DISTANCES: [usize; 5] = [1, 1, 2, 7, 31];

/// A message that somebody wrote.
#[derive(Debug, Clone)]
pub(crate) struct Sent {
    pub(crate) sender: usize,
    pub(crate) device: usize,
    pub(crate) to: usize,
    pub(crate) client_id: String,
    pub(crate) body: String,
}

/// A person.
pub(crate) struct Member {
    pub(crate) account: Account,
    pub(crate) devices: Vec<Device>,
}

/// All of them.
pub(crate) struct Crowd {
    pub(crate) members: Vec<Member>,
    pub(crate) progress: Progress,
    pub(crate) began: Instant,
    /// In each device's own order. The writers write, the audit reads.
    sent: Mutex<Vec<Sent>>,
}

impl Crowd {
    /// Registers `people`, half of them on each node; every third has a second device on another node.
    /// Returns when all are live.
    pub(crate) async fn gather(nodes: &[SocketAddr], people: usize) -> Arc<Self> {
        let run = Uuid::now_v7().simple().to_string();
        let registered = stream::iter(0..people).map(|number| {
            let (name, rest) = (format!("p{number}-{}", &run[20..]), Rest::new(nodes[number % nodes.len()]));
            async move { rest.register(&name).await }
        });
        let accounts: Vec<Account> = registered.buffered(REGISTERING).collect().await;
        let progress = Progress::new();
        let members = accounts.into_iter().enumerate().map(|(number, account)| {
            let devices = (0..if number % 3 == 0 { 2 } else { 1 }).map(|device| {
                let mut nodes = nodes.to_vec();
                let home = (number + device) % nodes.len();
                nodes.rotate_left(home);
                // Half of the devices wait for their node to come back, half go to another one.
                Device::open(&account, nodes, number % 4 < 2, progress.clone())
            });
            Member { devices: devices.collect(), account }
        });
        let members: Vec<Member> = members.collect();
        let crowd = Self { members, progress, began: Instant::now(), sent: Mutex::default() };
        until("all devices are live", 60, async || {
            crowd.devices().all(|device| device.heard().connections > 0)
        })
        .await;
        Arc::new(crowd)
    }

    pub(crate) fn devices(&self) -> impl Iterator<Item = &Device> + Clone {
        self.members.iter().flat_map(|member| &member.devices)
    }

    /// Devices that never leave this node.
    pub(crate) fn devices_of(&self, node: SocketAddr) -> impl Iterator<Item = &Device> {
        self.devices().filter(move |device| device.stays_at == Some(node))
    }

    /// Everything that was written.
    pub(crate) fn sent(&self) -> Vec<Sent> {
        self.sent.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Whether its device was told so.
    pub(crate) fn is_accepted(&self, sent: &Sent) -> bool {
        self.members[sent.sender].devices[sent.device].heard().accepted.contains_key(&sent.client_id)
    }

    /// Begins to write `messages` in all. The set is empty when all were handed to the devices; await
    /// [`Crowd::all_accepted`] after it.
    pub(crate) fn talk(self: &Arc<Self>, messages: usize, seed: u64) -> JoinSet<()> {
        let people = self.members.len();
        let mut writers = JoinSet::new();
        for person in 0..people {
            let share = messages / people + usize::from(person < messages % people);
            writers.spawn(Arc::clone(self).write(person, share, seed));
        }
        writers
    }

    async fn write(self: Arc<Self>, sender: usize, messages: usize, seed: u64) {
        let mut texts = Texts::new(seed << 32 | sender as u64);
        let people = self.members.len();
        for number in 0..messages {
            let distance = if texts.pick(50) == 0 { 0 } else { DISTANCES[texts.pick(DISTANCES.len())] };
            let forwards = texts.pick(2) == 0;
            let to = if forwards { sender + distance } else { sender + people - distance % people } % people;
            let device = texts.pick(self.members[sender].devices.len());
            let (client_id, body) = (format!("{seed}-{number}"), format!("{number} {}", texts.next()));
            self.send(Sent { sender, device, to, client_id, body }).await;
        }
    }

    /// Writes steadily until `stop`: `per_second` messages, by anybody to anybody near. Whoever still waits
    /// for answers writes nothing.
    pub(crate) async fn chat(&self, per_second: f64, seed: u64, stop: CancellationToken) {
        let mut texts = Texts::new(seed);
        let people = self.members.len();
        let mut ticks = tokio::time::interval(Duration::from_secs_f64(1.0 / per_second));
        for number in 0_usize.. {
            ticks.tick().await;
            if stop.is_cancelled() {
                return;
            }
            let sender = texts.pick(people);
            let to = (sender + DISTANCES[texts.pick(DISTANCES.len())]) % people;
            let device = texts.pick(self.members[sender].devices.len());
            let (client_id, body) = (format!("{seed}-{number}"), texts.next());
            if self.members[sender].devices[device].has_room() {
                self.send(Sent { sender, device, to, client_id, body }).await;
            }
        }
    }

    /// Sends it under a name that proves to be new, as the page does: it goes on while the database is away.
    async fn send(&self, mut sent: Sent) {
        let (device, to) =
            (&self.members[sent.sender].devices[sent.device], self.members[sent.to].account.person.id);
        sent.client_id.insert_str(0, &device.heard().client_id_prefix);
        self.sent.lock().unwrap_or_else(PoisonError::into_inner).push(sent.clone());
        device.send(sent.client_id, Target::Person(to), sent.body).await;
    }

    /// Waits until everything that was written is accepted.
    pub(crate) async fn all_accepted(&self, seconds: u64) {
        let count = self.sent().len();
        self.progress.reaches(count, seconds).await;
    }

    /// Writes a last message into every conversation and waits until every device has everything: what the
    /// log had before the last one was handed out before it, so nothing late can come after this.
    pub(crate) async fn settle(&self, seed: u64) {
        let pairs: BTreeSet<(usize, usize)> =
            self.sent().iter().map(|sent| (sent.sender.min(sent.to), sent.sender.max(sent.to))).collect();
        for (number, (sender, to)) in pairs.into_iter().enumerate() {
            let client_id = format!("last-{seed}-{number}");
            self.send(Sent { sender, device: 0, to, client_id, body: "the last one".to_owned() }).await;
        }
        self.all_accepted(120).await;
        let mut expected = vec![0; self.members.len()];
        for sent in self.sent() {
            expected[sent.sender] += 1;
            expected[sent.to] += usize::from(sent.to != sent.sender);
        }
        let missing = || -> usize {
            let of = |(member, expected): (&Member, &usize)| -> usize {
                member.devices.iter().map(|device| expected.saturating_sub(device.heard().ids().len())).sum()
            };
            self.members.iter().zip(&expected).map(of).sum()
        };
        let deadline = Instant::now() + Duration::from_secs(60);
        // Whoever misses something then is counted by the audit.
        while missing() > 0 && Instant::now() < deadline {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}
