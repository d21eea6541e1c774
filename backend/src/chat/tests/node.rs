//! A node whose log is in memory: producer and tail move when the test says so.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, OnceLock, RwLock};
use std::time::Duration;

use milena_domain::record::Event;
use milena_domain::{Epoch, Position, ServerKey, partition_of};
use milena_settings::{Secret, Settings};
use milena_storage::Store;
use rdkafka::error::KafkaError;
use tokio::sync::{mpsc, watch};
use tokio::task::{JoinHandle, yield_now};
use tokio_util::sync::CancellationToken;

use super::shared::{Log, MemoryStore, PARTITIONS};
use crate::chat::change::look_up_wanted;
use crate::chat::cursor_seal::CursorSeal;
use crate::chat::first_sends::{FirstSends, SteadyClock};
use crate::chat::ports::LogEntry;
use crate::chat::receipts::Receipts;
use crate::chat::rooms::load_wanted;
use crate::chat::turns::{OF_ONE_PERSON, Turns};
use crate::chat::{Chat, Directory, EditRules, ports, presence, reads};
use crate::live::blocks::Blocks;
use crate::live::fold::Fold;
use crate::live::progress::Progress;
use crate::live::rooms::Rooms;
use crate::live::targets::Targets;
use crate::live::unreadable::Unreadable;
use crate::live::wanted::Wanted;
use crate::log::cursor::PartitionCursor;
use crate::log::delivery::{
    ATTACH_CHANNEL, DeliveryTask, Fanout, INSTALL_CHANNEL, WANTED_CHANNEL, WANTED_TARGETS_CHANNEL,
};
use crate::log::health::Health;
use crate::log::pending::Pending;
use crate::log::producer::Confirmation;
use crate::log::recent::Recent;
use crate::log::tail::{Ends, TailEvent};
use crate::refusal::Refusal;
use crate::registry::Registry;
use crate::signals::Signals;

/// Rooms with more sockets than this are handed out in slices: some of these rooms are.
const LARGE_SOCKETS: usize = 1;
/// Of the database that all nodes share.
const KEY: ServerKey = ServerKey::from_bytes([9; ServerKey::BYTES]);

/// The producer's queue: what was enqueued and is not in the log yet.
#[derive(Clone, Default)]
struct Queue(Arc<Mutex<VecDeque<Arc<Event>>>>);

impl LogEntry for Queue {
    fn send(&self, event: Arc<Event>) -> Result<(), Refusal> {
        self.0.lock().unwrap().push_back(event);
        Ok(())
    }
}

pub(super) struct Node {
    pub(super) chat: Chat,
    producing: Queue,
    /// In the log, and not yet confirmed.
    unconfirmed: VecDeque<(i32, i64, Arc<Event>)>,
    /// What the tail reads next.
    read: Vec<i64>,
    connected: bool,
    tail: mpsc::Sender<TailEvent>,
    confirmations: mpsc::UnboundedSender<Confirmation>,
    task: JoinHandle<()>,
    /// Loads rooms that the delivery wants.
    loader: JoinHandle<()>,
    looker: JoinHandle<()>,
}

impl Drop for Node {
    fn drop(&mut self) {
        self.task.abort();
        self.loader.abort();
        self.looker.abort();
    }
}

impl Node {
    /// Starts from what the store has; not caught up until the tail has read what the log has now.
    pub(super) async fn start(log: &Log, store: MemoryStore, recent_bytes: usize) -> Self {
        let warm = store.next_offsets();
        Self::start_warming(log, store, recent_bytes, warm).await
    }

    /// The same, but reads from `warm` on: what the store has only so that the rest is judged by it.
    pub(super) async fn start_warming(
        log: &Log,
        store: MemoryStore,
        recent_bytes: usize,
        warm: [i64; PARTITIONS],
    ) -> Self {
        let start = store.next_offsets();
        let clock = SteadyClock::by_hand(&log.time_ms);
        let recent = Recent::new(Epoch::FIRST, &start, recent_bytes, clock.now_ms());
        let recent = Arc::new(RwLock::new(recent));
        let (registry, health) = (Registry::default(), Health::default());
        let pending = Arc::new(Pending::new(10_000));
        let (confirmations, confirmed) = mpsc::unbounded_channel();
        let (tail, tailed) = mpsc::channel(4_096);
        let (wants, wanted) = mpsc::channel(WANTED_CHANNEL);
        let (installs, install_requests) = mpsc::channel(INSTALL_CHANNEL);
        let rooms = Arc::new(RwLock::new(Rooms::default()));
        let (target_wants, wanted_targets) = mpsc::channel(WANTED_TARGETS_CHANNEL);
        let (target_installs, target_install_requests) = mpsc::channel(INSTALL_CHANNEL);
        let targets = Arc::new(RwLock::new(Targets::default()));
        let (attaches, attach_requests) = mpsc::channel(ATTACH_CHANNEL);
        let blocks = Blocks::stored(store.blocks(), |conversation| {
            let partition = partition_of(conversation, PARTITIONS) as usize;
            Position::new(Epoch::FIRST, warm[partition])
        });
        let unreadable = Unreadable::default();
        let at_start = Progress::new(warm.into(), &start, None);
        let (progress_sender, progress) = watch::channel(at_start);
        let producing = Queue::default();
        let lookups = Arc::new(store);
        let unused = unused_store().await;
        let chat = Chat {
            receipts: Receipts::new(unused.clone()),
            here: Arc::default(),
            presence_members_max: 250,
            appearances: presence::appearances(unused.clone()),
            store: unused,
            lookups: lookups.clone(),
            repeats: ports::repeats(lookups.clone()),
            places: ports::places(lookups.clone()),
            turns: Arc::new(Turns::new(OF_ONE_PERSON)),
            room_turns: Arc::new(Turns::new(1)),
            absent: Arc::default(),
            rooms: Arc::clone(&rooms),
            targets: Arc::clone(&targets),
            target_installs,
            blocks: blocks.clone(),
            installs,
            first_sends: Arc::new(FirstSends::new(&KEY, clock.clone())),
            first_rooms: Arc::default(),
            cursor_seal: Arc::new(CursorSeal::new(&KEY)),
            directory: Directory::new(lookups),
            producer: Arc::new(producing.clone()),
            ends: log.ends_as_asked(),
            registry: registry.clone(),
            health: health.clone(),
            pending: Arc::clone(&pending),
            recent: Arc::clone(&recent),
            reads: Arc::new(reads::Reads::default()),
            signals: Signals::alone(&registry, tokio::sync::mpsc::channel(1).0),
            attaches,
            progress,
            unreadable: unreadable.clone(),
            epoch: Epoch::FIRST,
            topic: "log".into(),
            partitions: PARTITIONS,
            // Time plays no part: the test says when a send has failed.
            send_timeout: Duration::from_secs(86_400),
            edits: EditRules::default(),
        };
        let task = DeliveryTask {
            recent,
            clock,
            topic: "log".into(),
            cursors: warm.iter().map(|next| PartitionCursor::new(*next)).collect(),
            fold: Fold::new(blocks),
            rooms,
            wanted: Wanted::default(),
            fanout: Fanout::new(LARGE_SOCKETS),
            wants,
            installs: install_requests,
            targets,
            something_waits: false,
            target_wants,
            target_installs: target_install_requests,
            from: start.to_vec(),
            unreadable,
            ends: None,
            pending,
            registry,
            health,
            tail: tailed,
            confirmations: confirmed,
            attaches: attach_requests,
            progress: progress_sender,
            stop: CancellationToken::new(),
        };
        let loader = tokio::spawn(load_wanted(chat.clone(), wanted, CancellationToken::new()));
        let stop = CancellationToken::new();
        let looker = tokio::spawn(look_up_wanted(chat.clone(), wanted_targets, stop));
        let mut node = Self {
            chat,
            producing,
            unconfirmed: VecDeque::new(),
            read: warm.to_vec(),
            connected: false,
            tail,
            confirmations,
            task: tokio::spawn(task.run()),
            loader,
            looker,
        };
        node.connect(log).await;
        node
    }

    /// The log does not answer this node any more.
    pub(super) fn disconnect(&mut self) {
        self.connected = false;
        self.chat.health.lost_connection();
    }

    /// It answers again, and says where it ends.
    pub(super) async fn connect(&mut self, log: &Log) {
        if !self.connected {
            self.connected = true;
            let connection = self.chat.health.connection();
            self.feed(TailEvent::Ends(Ends { connection, offsets: log.ends() })).await;
        }
    }

    /// The tail reads up to `count` records of a partition.
    pub(super) async fn read(&mut self, log: &Log, partition: usize, count: usize) {
        for _ in 0..if self.connected { count } else { 0 } {
            let Some(record) = self.next_record(log, partition) else { return };
            self.feed(record).await;
        }
    }

    /// The tail reads all of a partition, faster than it is delivered.
    pub(super) async fn read_in_bursts(&mut self, log: &Log, partition: usize) {
        while let Some(record) = self.next_record(log, partition) {
            self.tail.send(record).await.expect("the task lives");
        }
    }

    fn next_record(&mut self, log: &Log, partition: usize) -> Option<TailEvent> {
        let offset = self.read[partition];
        let event = log.partitions[partition].get(offset as usize)?;
        self.read[partition] += 1;
        let event = Ok(event.clone());
        Some(TailEvent::Record { partition: partition as i32, offset, event })
    }

    async fn feed(&self, event: TailEvent) {
        self.tail.send(event).await.expect("the task lives");
        settle().await;
    }

    /// The oldest enqueued record reaches the log; the confirmation is on its way.
    pub(super) fn append(&mut self, log: &mut Log) {
        if !self.connected {
            return;
        }
        let next = self.producing.0.lock().unwrap().pop_front();
        if let Some(event) = next {
            let (partition, offset) = log.append((*event).clone());
            self.unconfirmed.push_back((partition, offset, event));
        }
    }

    /// The oldest confirmation arrives.
    pub(super) async fn confirm(&mut self) {
        if let Some((partition, offset, event)) = self.unconfirmed.pop_front() {
            self.outcome(Confirmation::Confirmed { partition, offset, event }).await;
        }
    }

    /// A send's time is over: one that is in the log but was not confirmed, or one that never got there.
    pub(super) async fn fail(&mut self) {
        let given_up = || self.producing.0.lock().unwrap().pop_front();
        let event = self.unconfirmed.pop_front().map(|(_, _, event)| event).or_else(given_up);
        if let Some(event) = event {
            let (id, error) = (event.id, KafkaError::Canceled);
            self.outcome(Confirmation::Failed { id, error, alone: false }).await;
        }
    }

    async fn outcome(&self, confirmation: Confirmation) {
        self.confirmations.send(confirmation).expect("the task lives");
        settle().await;
    }

    /// Nobody here needs some rooms any more, and their rosters are wanted for others.
    pub(super) fn forget_rooms(&self) {
        let registry = &self.chat.registry;
        let unloaded = self.chat.rooms.write().unwrap().unload_to(0, |room| registry.is_needed(room));
        unloaded.into_iter().for_each(|room| registry.unfollowed(room));
    }

    /// It asks the store how far the consumer is.
    pub(super) fn learn_stored(&self, store: &MemoryStore) {
        let mut recent = self.chat.recent.write().unwrap();
        for (partition, next) in (0..).zip(store.next_offsets()) {
            recent.set_stored(partition, next);
        }
    }
}

/// Lets the delivery task do what it was given: it runs on this very thread.
async fn settle() {
    for _ in 0..4 {
        yield_now().await;
    }
}

/// Lists and read positions are not played here; a chat has a store all the same.
async fn unused_store() -> Store {
    static STORE: OnceLock<Store> = OnceLock::new();
    if let Some(store) = STORE.get() {
        return store.clone();
    }
    let folder = tempfile::tempdir().unwrap();
    let mut settings = Settings::defaults().database;
    settings.url = Secret::new(format!("sqlite:{}?mode=rwc", folder.path().join("store.db").display()));
    let store = Store::connect(&settings).await.unwrap();
    STORE.get_or_init(|| store).clone()
}
