//! Takes up what the log says: waits until the database has it, finds the devices of those whom it calls,
//! claims it, and has each device told by a job of its own.
//!
//! Whoever claims a stretch of the log pushes it, once; what is not pushed by then (the program ends, the
//! time is over) never is. Nothing is claimed where nobody is to be told, so a server without subscriptions
//! writes nothing, and reads nothing either: it joins the group with the first one.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use milena_domain::{Position, Timestamp, UserId};
use milena_settings::Settings;
use milena_storage::{PushSubscription, StorageError};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::Push;
use super::client::PushClient;
use super::job::Jobs;
use super::reader::{self, CHUNKS, Heard, Source};
use super::slots::Slots;
use super::wanted::{Wanted, wanted};
use crate::chat::Chat;
use crate::log::event::message;
use crate::metrics::{self, PushEnd};

/// Nobody is told of what is older.
pub(super) const TTL_MS: i64 = 120_000;
/// Chunks of one partition that wait for the database, at most; more are not told.
const QUEUE: usize = 64;
/// Devices that wait to be told, at most; more are not told.
const JOBS_MAX: usize = 10_000;
/// How often it is looked whether somebody has subscribed on another node.
const LOOK_EVERY: Duration = Duration::from_secs(10);
/// How often it is looked whether the database has what was read.
const SETTLED_EVERY: Duration = Duration::from_millis(50);
/// Between attempts while the database is away, and to start the reader.
const AGAIN: Duration = Duration::from_millis(500);
const START_AGAIN: Duration = Duration::from_secs(60);

/// Tells people's devices, until `stop`.
pub(crate) async fn notify(push: Push, chat: Chat, settings: Settings, stop: CancellationToken) {
    if !push.0.enabled {
        return;
    }
    tokio::select! {
        () = stop.cancelled() => return,
        () = until_somebody_subscribes(&push) => {}
    }
    let (epoch, partitions) = chat.log_shape();
    let topic = settings.kafka.topic.clone();
    let source = Source { settings, partitions, epoch, store: push.0.store.clone() };
    let (thread, heard) = loop {
        let (chunks, heard) = mpsc::channel(CHUNKS);
        match reader::start(source.clone(), chunks, stop.clone()) {
            Ok(thread) => break (thread, heard),
            Err(error) => log::error!(error:% = error; "nothing can be pushed"),
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(START_AGAIN) => {}
        }
    };
    let client = PushClient::new(push.0.private.clone());
    let (slots, lines) = (Slots::new(), Arc::default());
    let jobs = Arc::new(Jobs { push, chat, client, slots, lines });
    let notifier = Arc::new(Notifier { jobs, topic, running: TaskTracker::new(), stop: stop.clone() });
    tokio::select! {
        () = stop.cancelled() => {}
        () = share(&notifier, heard) => {}
    }
    // The channels are closed by now, and all of them look at `stop`.
    notifier.running.close();
    notifier.running.wait().await;
    if tokio::task::spawn_blocking(move || thread.join()).await.is_err() {
        log::error!("the thread that reads for pushes failed");
    }
}

async fn until_somebody_subscribes(push: &Push) {
    while !matches!(push.0.store.has_subscriptions().await, Ok(true)) {
        let _ = tokio::time::timeout(LOOK_EVERY, push.0.subscribed.notified()).await;
    }
}

/// Gives each partition's messages to a task of its own, in order: one that the consumer does not store at
/// the moment holds up no other.
async fn share(notifier: &Arc<Notifier>, mut heard: mpsc::Receiver<Vec<Heard>>) {
    // Dropped with this, and ended by that.
    let mut workers = JoinSet::new();
    let mut queues: HashMap<i32, mpsc::Sender<Vec<Heard>>> = HashMap::new();
    while let Some(chunk) = heard.recv().await {
        let mut by_partition: BTreeMap<i32, Vec<Heard>> = BTreeMap::new();
        for heard in chunk {
            by_partition.entry(heard.partition).or_default().push(heard);
        }
        for (partition, heard) in by_partition {
            let queue = queues.entry(partition).or_insert_with(|| {
                let (queue, waiting) = mpsc::channel(QUEUE);
                workers.spawn(Arc::clone(notifier).work(partition, waiting));
                queue
            });
            let count = heard.len();
            if queue.try_send(heard).is_err() {
                metrics::pushes_ended(PushEnd::Full, count);
            }
        }
    }
}

struct Notifier {
    jobs: Arc<Jobs>,
    topic: String,
    /// The jobs, at most [`JOBS_MAX`]; they end with `stop`, and what they have not told then is not told.
    running: TaskTracker,
    stop: CancellationToken,
}

/// A message, and the devices that may be told of it.
type Called = (Heard, Vec<(PushSubscription, Wanted)>);

impl Notifier {
    async fn work(self: Arc<Self>, partition: i32, mut waiting: mpsc::Receiver<Vec<Heard>>) {
        while let Some(heard) = waiting.recv().await {
            let count = heard.len();
            match self.called(partition, heard).await {
                Some(called) if called.is_empty() => {}
                Some(called) => {
                    for (heard, devices) in self.claimed(partition, called).await {
                        self.tell(&heard, devices);
                    }
                }
                None => metrics::pushes_ended(PushEnd::Late, count),
            }
        }
    }

    /// Those messages that call somebody who has a device, once the database has all of them; `None` when it
    /// had not in time.
    async fn called(&self, partition: i32, heard: Vec<Heard>) -> Option<Vec<Called>> {
        let next = heard.last()?.offset + 1;
        let newest = heard.iter().map(|heard| heard.event.at).max()?;
        let deadline = newest.min(Timestamp::now()).plus_ms(TTL_MS);
        while !self.jobs.chat.is_settled_up_to(partition, next) {
            if Timestamp::now() >= deadline {
                return None;
            }
            tokio::time::sleep(SETTLED_EVERY).await;
        }
        loop {
            match self.devices(&heard).await {
                Ok(mut devices) => {
                    let called = heard.into_iter().enumerate();
                    let called = called.filter_map(|(at, heard)| Some((heard, devices.remove(&at)?)));
                    return Some(called.collect());
                }
                Err(error) if Timestamp::now() >= deadline => {
                    log::debug!(error:% = error; "nobody knows whom to push");
                    return None;
                }
                Err(_) => tokio::time::sleep(AGAIN).await,
            }
        }
    }

    /// By place in `heard`: the devices of those whom it calls, and who do not sit before it anyway.
    async fn devices(
        &self,
        heard: &[Heard],
    ) -> Result<HashMap<usize, Vec<(PushSubscription, Wanted)>>, StorageError> {
        let (store, now) = (&self.jobs.push.0.store, Timestamp::now());
        let other = |heard: &Heard| heard.event.to.filter(|to| *to != heard.event.actor);
        let direct: HashSet<UserId> = heard.iter().filter_map(other).collect();
        let direct: Vec<UserId> = direct.into_iter().collect();
        let direct = store.subscriptions_of(&direct, now).await?;
        let mut found = HashMap::new();
        for (at, heard) in heard.iter().enumerate() {
            let event = &heard.event;
            let mut devices = match event.to {
                Some(to) => direct.iter().filter(|device| device.user == to).cloned().collect(),
                None => {
                    let place = self.jobs.chat.place_of(heard.offset);
                    store.subscriptions_in_room(event.conversation, place, now).await?
                }
            };
            // What was written before somebody subscribed was not missed on that device.
            devices.retain(|device| device.user != event.actor && device.created_at <= event.at);
            devices.retain(|device| {
                let is_active = self.jobs.chat.presence().is_active(device.user);
                if is_active {
                    metrics::pushes_ended(PushEnd::Active, 1);
                }
                !is_active
            });
            if devices.is_empty() {
                continue;
            }
            let mut users: Vec<UserId> = devices.iter().map(|device| device.user).collect();
            users.sort_unstable();
            users.dedup();
            let may_answer = message(event).is_some_and(|said| said.reply_to.is_some());
            let wanted = wanted(store, event, may_answer, &users).await?;
            let devices = devices.into_iter().filter_map(|device| {
                let wanted = *wanted.get(&device.user)?;
                Some((device, wanted))
            });
            let devices: Vec<_> = devices.collect();
            if !devices.is_empty() {
                found.insert(at, devices);
            }
        }
        Ok(found)
    }

    /// Those of them that are this node's to push from now on.
    async fn claimed(&self, partition: i32, mut called: Vec<Called>) -> Vec<Called> {
        let store = &self.jobs.push.0.store;
        while let (Some((first, _)), Some((last, _))) = (called.first(), called.last()) {
            let (from, to) =
                (self.jobs.chat.place_of(first.offset), self.jobs.chat.place_of(last.offset + 1));
            match store.claim_pushes(&self.topic, partition, from, to).await {
                Ok(None) => return called,
                // Another node has read them too, or this one before a restart.
                Ok(Some(taken)) => {
                    let is_left = |heard: &Heard| self.jobs.chat.place_of(heard.offset) >= taken;
                    called.retain(|(heard, _)| is_left(heard));
                }
                Err(error) => {
                    log::debug!(error:% = error; "pushing waits for the database");
                    let oldest = Timestamp::now().plus_ms(-TTL_MS);
                    called.retain(|(heard, _)| heard.event.at > oldest);
                    tokio::time::sleep(AGAIN).await;
                }
            }
        }
        called
    }

    fn tell(&self, heard: &Heard, devices: Vec<(PushSubscription, Wanted)>) {
        let position: Position = self.jobs.chat.place_of(heard.offset);
        for (device, wanted) in devices {
            if self.running.len() >= JOBS_MAX {
                metrics::pushes_ended(PushEnd::Full, 1);
                continue;
            }
            let job = self.jobs.job(&heard.event, position, device, wanted.kind.is_urgent());
            let (jobs, stop) = (Arc::clone(&self.jobs), self.stop.clone());
            metrics::pushes_waiting(1.0);
            self.running.spawn(async move {
                stop.run_until_cancelled(jobs.run(job)).await;
                metrics::pushes_waiting(-1.0);
            });
        }
    }
}
