//! Starting and stopping: topics, the check that log and store belong together, then the tasks.

use std::collections::BTreeMap;
use std::sync::{Arc, RwLock};
use std::thread::JoinHandle;
use std::time::Duration;

use milena_domain::limits::REPEAT_WINDOW_OFFSETS;
use milena_domain::{ConversationId, PartitionState, Position, UserId, check_log, partition_of};
use milena_kafka::{LogError, ensure_topics, existing_partition_states};
use milena_process::patiently;
use milena_settings::Settings;
use milena_storage::{LogPosition, NotedPartitions, StorageError, Store, StoredBlocks};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::change::look_up_wanted;
use super::cursor_seal::CursorSeal;
use super::first_sends::{FirstSends, SteadyClock};
use super::receipts::Receipts;
use super::rooms::first::{FirstRooms, keep_first_rooms};
use super::rooms::load_wanted;
use super::turns::{OF_ONE_PERSON, Turns};
use super::{Chat, Directory, EditRules, here, notifications, ports, presence, read_barrier, reads};
use crate::live::blocks::{BLOCKS_MAX, Blocks};
use crate::live::fold::Fold;
use crate::live::progress::Progress;
use crate::live::rooms::Rooms;
use crate::live::targets::Targets;
use crate::live::unreadable::Unreadable;
use crate::live::wanted::Wanted;
use crate::log::cursor::PartitionCursor;
use crate::log::delivery::{
    ATTACH_CHANNEL, DeliveryTask, Fanout, INSTALL_CHANNEL, LARGE, WANTED_CHANNEL, WANTED_TARGETS_CHANNEL,
};
use crate::log::health::Health;
use crate::log::pending::Pending;
use crate::log::producer::Producer;
use crate::log::recent::Recent;
use crate::log::stored;
use crate::log::tail::{self, TAIL_CHANNEL};
use crate::registry::Registry;
use crate::signals::{CHANGED_CHANNEL, signals};

/// Why chat cannot start.
#[derive(Debug, thiserror::Error)]
pub enum ChatError {
    /// The log.
    #[error(transparent)]
    Log(#[from] LogError),
    /// The store.
    #[error(transparent)]
    Store(#[from] StorageError),
    /// They have to be in memory.
    #[error("more than {BLOCKS_MAX} people block others, which is more than a backend can hold")]
    TooManyBlocks,
}

impl ChatError {
    /// Whether the start may succeed in a moment.
    fn passes(&self) -> bool {
        match self {
            Self::Log(error) => error.is_temporary(),
            Self::Store(error) => error.is_temporary(),
            Self::TooManyBlocks => false,
        }
    }
}

/// How long unanswered sends are waited for at the end.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(5);

/// The tasks behind a [`Chat`]; stopping them is the owner's last act.
pub struct Running {
    tasks: JoinSet<()>,
    tail: JoinHandle<()>,
    producer: Producer,
    stop: CancellationToken,
}

/// Prepares the topics, compares log and store, and starts the tasks. `failed` is cancelled when the log
/// cannot be followed any more; [`Health::broken`] then says why.
///
/// # Errors
/// [`ChatError`], each a sentence for whoever started the program.
pub async fn start(
    settings: &Settings,
    store: Store,
    registry: Registry,
    failed: CancellationToken,
) -> Result<(Chat, Running), ChatError> {
    let patience = Duration::from_millis(settings.kafka.start_timeout_ms);
    patiently("Kafka", patience, LogError::is_temporary, |limit| ensure_topics(&settings.kafka, limit))
        .await?;
    let Ground { stored, blocks, noted, log } =
        patiently("log and database", patience, ChatError::passes, |limit| ground(settings, &store, limit))
            .await?;
    check_log(&settings.kafka.topic, settings.kafka.partitions, &log, noted.with(&stored))
        .map_err(LogError::from)?;
    store.note_partitions(&settings.kafka.topic, stored.epoch, log.len()).await?;
    let start: BTreeMap<i32, i64> = log
        .iter()
        .map(|(&partition, state)| {
            (partition, stored.next_offsets.get(&partition).copied().unwrap_or(state.low))
        })
        .collect();
    // After the log said where it ends: whatever gets into it from now on comes after `start`, and through
    // the tail.
    let clock = SteadyClock::start();
    let key = store.server_key().await?;
    let offsets: Vec<i64> = start.values().copied().collect();
    let recent_bytes = settings.delivery.recent_bytes;
    let recent = Arc::new(RwLock::new(Recent::new(stored.epoch, &offsets, recent_bytes, clock.now_ms())));
    let pending = Arc::new(Pending::new(settings.delivery.max_pending_sends));
    let health = Health::default();

    let (confirmed, confirmations) = mpsc::unbounded_channel();
    let (tail_events, tail) = mpsc::channel(TAIL_CHANNEL);
    let (attaches, attach_requests) = mpsc::channel(ATTACH_CHANNEL);
    let (wants, wanted) = mpsc::channel(WANTED_CHANNEL);
    let (installs, install_requests) = mpsc::channel(INSTALL_CHANNEL);
    let (target_wants, wanted_targets) = mpsc::channel(WANTED_TARGETS_CHANNEL);
    let (target_installs, target_install_requests) = mpsc::channel(INSTALL_CHANNEL);
    let rooms = Arc::new(RwLock::new(Rooms::default()));
    let targets = Arc::new(RwLock::new(Targets::default()));
    // The fold's windows are warm when the first record comes that is shown.
    let warm: BTreeMap<i32, i64> =
        log.iter().map(|(&partition, state)| (partition, warm_from(start[&partition], state.low))).collect();
    let blocks = Blocks::stored(blocks, |conversation| {
        let partition = partition_of(conversation, log.len());
        Position::new(stored.epoch, warm.get(&partition).copied().unwrap_or(0))
    });
    let unreadable = Unreadable::default();
    let (progress_sender, progress) =
        watch::channel(Progress::new(warm.values().copied().collect(), &offsets, None));

    let producer = Producer::new(&settings.kafka, &settings.delivery, confirmed)?;
    let stop = failed.child_token();
    let tail_thread = tail::spawn(
        &settings.kafka,
        settings.delivery.tail_wait_ms,
        warm.clone(),
        tail_events,
        progress.clone(),
        health.clone(),
        stop.clone(),
    )?;
    let (changed, changes) = mpsc::channel(CHANGED_CHANNEL);
    let (signals, signal_task) = signals(&settings.kafka, &registry, changed);
    let chat = Chat {
        directory: Directory::new(Arc::new(store.clone())),
        store: store.clone(),
        lookups: Arc::new(store.clone()),
        repeats: ports::repeats(Arc::new(store.clone())),
        places: ports::places(Arc::new(store.clone())),
        appearances: presence::appearances(store.clone()),
        turns: Arc::new(Turns::new(OF_ONE_PERSON)),
        room_turns: Arc::new(Turns::new(1)),
        absent: Arc::default(),
        first_sends: Arc::new(FirstSends::new(&key, clock.clone())),
        first_rooms: FirstRooms::new(&settings.rooms.join_at_registration),
        cursor_seal: Arc::new(CursorSeal::new(&key)),
        ends: read_barrier::ends(&producer),
        producer: Arc::new(producer.clone()),
        registry: registry.clone(),
        health: health.clone(),
        pending: Arc::clone(&pending),
        recent: Arc::clone(&recent),
        rooms: Arc::clone(&rooms),
        targets: Arc::clone(&targets),
        target_installs,
        blocks: blocks.clone(),
        installs,
        reads: Arc::default(),
        receipts: Receipts::new(store.clone()),
        here: Arc::default(),
        presence_members_max: settings.chat.presence_members_max,
        signals,
        attaches,
        progress,
        unreadable: unreadable.clone(),
        epoch: stored.epoch,
        topic: settings.kafka.topic.as_str().into(),
        partitions: log.len(),
        send_timeout: Duration::from_millis(settings.delivery.send_timeout_ms),
        edits: EditRules::new(&settings.chat),
    };
    let task = DeliveryTask {
        recent: Arc::clone(&recent),
        clock,
        topic: settings.kafka.topic.as_str().into(),
        cursors: warm.values().map(|next| PartitionCursor::new(*next)).collect(),
        fold: Fold::new(blocks),
        rooms,
        wanted: Wanted::default(),
        fanout: Fanout::new(LARGE),
        wants,
        installs: install_requests,
        targets,
        something_waits: false,
        target_wants,
        target_installs: target_install_requests,
        from: offsets,
        unreadable,
        ends: None,
        pending,
        registry,
        health: health.clone(),
        tail,
        confirmations,
        attaches: attach_requests,
        progress: progress_sender,
        stop: stop.clone(),
    };
    let mut tasks = JoinSet::new();
    tasks.spawn(task.run());
    tasks.spawn(stored::follow(
        store,
        settings.kafka.topic.clone(),
        Duration::from_millis(settings.delivery.stored_poll_ms),
        recent,
        health.clone(),
        stop.clone(),
    ));
    let flush_every = Duration::from_millis(settings.delivery.read_flush_ms);
    tasks.spawn(reads::flush_regularly(chat.clone(), flush_every, stop.clone()));
    tasks.spawn(here::keep_counting(chat.clone(), stop.clone()));
    tasks.spawn(notifications::tell_changes(chat.clone(), changes, stop.clone()));
    tasks.spawn(load_wanted(chat.clone(), wanted, stop.clone()));
    tasks.spawn(look_up_wanted(chat.clone(), wanted_targets, stop.clone()));
    let first = settings.rooms.join_at_registration.clone();
    tasks.spawn(keep_first_rooms(chat.clone(), first, stop.clone()));
    if let Some(task) = signal_task {
        tasks.spawn(task.run(stop.clone()));
    }
    tasks.spawn(watch_for_failure(health, stop.clone(), failed));
    Ok((chat, Running { tasks, tail: tail_thread, producer, stop }))
}

/// Where a partition is read from, so that whatever repeats a record from `from` on is known.
fn warm_from(from: i64, low: i64) -> i64 {
    from.saturating_sub(REPEAT_WINDOW_OFFSETS).max(low).min(from)
}

/// What log and store say of each other at the start.
struct Ground {
    stored: LogPosition,
    /// As of there.
    blocks: Vec<(ConversationId, UserId, Position)>,
    noted: NotedPartitions,
    log: BTreeMap<i32, PartitionState>,
}

async fn ground(settings: &Settings, store: &Store, limit: Duration) -> Result<Ground, ChatError> {
    // In this order: consumers store meanwhile, and the log's ends must not be older than their offsets.
    let StoredBlocks { blocks, is_complete, log: stored } =
        store.blocks(&settings.kafka.topic, BLOCKS_MAX).await?;
    if !is_complete {
        return Err(ChatError::TooManyBlocks);
    }
    let noted = store.noted_partitions(&settings.kafka.topic).await?;
    let log = existing_partition_states(&settings.kafka, limit).await?;
    Ok(Ground { stored, blocks, noted, log })
}

/// A part that cannot go on stops its siblings; this passes it on to the program.
async fn watch_for_failure(health: Health, stop: CancellationToken, failed: CancellationToken) {
    stop.cancelled().await;
    if health.broken().is_some() {
        failed.cancel();
    }
}

impl Running {
    /// Waits for unanswered sends, then ends every task. Call when no connection is left.
    pub async fn stop(mut self) {
        let producer = self.producer.clone();
        // The delivery task still runs, so that the last confirmations reach their senders.
        let flushed = tokio::task::spawn_blocking(move || producer.flush(FLUSH_TIMEOUT)).await;
        if flushed.is_err() {
            log::error!("the producer's last flush failed");
        }
        self.stop.cancel();
        while let Some(outcome) = self.tasks.join_next().await {
            if let Err(error) = outcome {
                log::error!(error:% = error; "a task failed");
            }
        }
        let tail = self.tail;
        if tokio::task::spawn_blocking(move || tail.join()).await.is_err() {
            log::error!("the tail's thread failed");
        }
    }
}
