//! What all requests share: the parts of a running broker.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::catalogue::Catalogue;
use crate::config::BrokerConfig;
use crate::error::BrokerError;
use crate::group::{Coordinator, CoordinatorOptions, Journal};
use crate::lock::FolderLock;
use crate::log::{Disk, PartitionOptions};
use crate::memory::Memory;
use crate::server::scram::Verifier;

/// The number of the only node.
pub(crate) const NODE_ID: i32 = 1;

/// How long a partition that failed refuses records before it is opened and checked again.
const RECOVERY_PAUSE: Duration = Duration::from_millis(250);

/// The parts of a running broker. Connections and background tasks hold it; it goes when the last of them
/// ends.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) config: BrokerConfig,
    pub(crate) cluster_id: String,
    pub(crate) catalogue: Catalogue,
    pub(crate) groups: Arc<Coordinator>,
    /// What large requests and answers hold.
    pub(crate) memory: Arc<Memory>,
    /// What clients prove themselves against, when there are credentials.
    pub(crate) verifier: Option<Verifier>,
    /// Everything that runs for this broker.
    pub(crate) tasks: TaskTracker,
    /// Ends all of it.
    pub(crate) stopping: CancellationToken,
    /// Released only when nothing can write to the folder any more.
    _lock: FolderLock,
}

impl Shared {
    /// Opens the data folder. Blocks.
    pub(crate) fn open(
        config: BrokerConfig,
        stopping: CancellationToken,
    ) -> Result<(Arc<Self>, Journal), BrokerError> {
        let lock = FolderLock::take(&config.data_dir)?;
        let tasks = TaskTracker::new();
        let disk = Disk::default();
        let options = PartitionOptions {
            sync: config.sync,
            segment_bytes: config.segment_bytes,
            disk: disk.clone(),
            recovery_pause: RECOVERY_PAUSE,
            tasks: tasks.clone(),
            stopping: stopping.clone(),
        };
        let catalogue =
            Catalogue::open(&config.data_dir, options, config.max_partitions, config.max_batch_bytes)?;
        let mut journal = Journal::open(&config.data_dir.join("offsets.journal"), config.sync, disk)?;
        journal.forget_topics_except(|topic| catalogue.topic(topic).is_some())?;
        let options = CoordinatorOptions {
            initial_rebalance_delay: config.initial_rebalance_delay,
            max_groups: config.max_groups,
        };
        let cluster_id = catalogue.cluster_id();
        let groups = Arc::new(Coordinator::new(options, journal.table(), journal.handle()));
        let memory = Memory::new(config.max_buffered_bytes, config.memory_patience);
        let verifier = config.credentials.as_ref().map(Verifier::new);
        let shared =
            Self { config, verifier, cluster_id, catalogue, groups, memory, tasks, stopping, _lock: lock };
        Ok((Arc::new(shared), journal))
    }

    /// Whether a connection must prove who it is before it may do anything.
    pub(crate) fn asks_for_secret(&self) -> bool {
        self.verifier.is_some() && self.config.require_authentication
    }

    /// Puts everything on disk. Blocks.
    pub(crate) fn save(&self) {
        for topic in self.catalogue.topics() {
            for partition in &topic.partitions {
                if let Err(error) = partition.save() {
                    log::error!(topic = topic.name.as_str(), error:%; "a partition could not be saved");
                }
            }
        }
    }

    /// Removes old segments of all topics. Blocks.
    pub(crate) fn retain(&self, now_ms: i64) {
        for topic in self.catalogue.topics() {
            for partition in &topic.partitions {
                if let Err(error) = partition.retain(topic.config.retention, now_ms) {
                    log::warn!(topic = topic.name.as_str(), error:%; "old segments could not be removed");
                }
            }
        }
    }
}
