//! The topics of the broker, with their settings and partitions.
//!
//! What exists is written in one small file that is replaced as a whole with every change, before anybody
//! sees the change. Folders of topics that the file does not name are left over from an interrupted change
//! and are removed at start; a topic's folder carries its id, so a topic that is created again never finds
//! old records.

mod config;
mod producer_ids;
mod stored;

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use uuid::Uuid;

pub(crate) use config::{Setting, TopicConfig};

use self::stored::{Stored, StoredTopic};
use crate::error::BrokerError;
use crate::log::{Partition, PartitionOptions};

const MAX_NAME_CHARACTERS: usize = 249;
/// Leaves room for the id behind it within what a file system takes as a name.
const MAX_FOLDER_NAME_CHARACTERS: usize = 200;
/// Threads that open partitions at start.
const OPENING_THREADS: usize = 4;

/// A topic as of now; a change makes a new one.
#[derive(Debug)]
pub(crate) struct Topic {
    pub(crate) name: String,
    pub(crate) id: Uuid,
    pub(crate) config: TopicConfig,
    pub(crate) partitions: Vec<Arc<Partition>>,
}

impl Topic {
    /// The partition of that number.
    pub(crate) fn partition(&self, index: i32) -> Option<&Arc<Partition>> {
        self.partitions.get(usize::try_from(index).ok()?)
    }
}

/// Why a change was refused.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TopicError {
    #[error("there is no such topic")]
    Unknown,
    #[error("there is such a topic already")]
    Exists,
    #[error("a topic name has 1 to 249 letters, digits, dots, underscores and dashes")]
    Name,
    #[error("{0}")]
    Partitions(String),
    #[error("{0}")]
    Config(String),
    #[error("the disk failed")]
    Storage(#[from] io::Error),
}

/// All topics.
#[derive(Debug)]
pub(crate) struct Catalogue {
    file: PathBuf,
    folder: PathBuf,
    options: PartitionOptions,
    max_partitions: usize,
    max_batch_bytes: usize,
    /// What the file says. Held through a whole change, so changes happen one after the other.
    stored: Mutex<Stored>,
    /// A change failed so late that the file may hold it all the same, and the old state is not written again
    /// yet.
    unsettled: AtomicBool,
    /// What everybody sees, by name. Written only while `stored` is held.
    topics: RwLock<HashMap<String, Arc<Topic>>>,
    producer_ids: Mutex<producer_ids::Block>,
}

impl Catalogue {
    /// Reads the catalogue of the data folder and opens all partitions.
    pub(crate) fn open(
        data_dir: &Path,
        options: PartitionOptions,
        max_partitions: usize,
        max_batch_bytes: usize,
    ) -> Result<Self, BrokerError> {
        let file = data_dir.join("catalogue.json");
        let folder = data_dir.join("topics");
        fs::create_dir_all(&folder).map_err(BrokerError::storage(&folder))?;
        let stored = Stored::load(&options.disk, &file)?;
        let catalogue = Self {
            file,
            folder,
            options,
            max_partitions,
            max_batch_bytes,
            stored: Mutex::new(stored),
            unsettled: AtomicBool::new(false),
            topics: RwLock::default(),
            producer_ids: Mutex::default(),
        };
        catalogue.remove_leftovers()?;
        catalogue.open_topics()?;
        Ok(catalogue)
    }

    /// A name for the cluster that stays the same for ever.
    pub(crate) fn cluster_id(&self) -> String {
        self.changing().cluster_id.clone()
    }

    /// The topic of that name.
    pub(crate) fn topic(&self, name: &str) -> Option<Arc<Topic>> {
        self.read().get(name).cloned()
    }

    /// All topics by name.
    pub(crate) fn topics(&self) -> Vec<Arc<Topic>> {
        let mut topics: Vec<_> = self.read().values().cloned().collect();
        topics.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        topics
    }

    /// The topic of that id.
    pub(crate) fn topic_by_id(&self, id: Uuid) -> Option<Arc<Topic>> {
        self.read().values().find(|topic| topic.id == id).cloned()
    }

    /// Creates a topic; with `validate_only` it only says whether that would succeed.
    pub(crate) fn create(
        &self,
        name: &str,
        partitions: usize,
        config: BTreeMap<String, String>,
        validate_only: bool,
    ) -> Result<Arc<Topic>, TopicError> {
        let mut stored = self.changing();
        check_name(name)?;
        if self.topic(name).is_some() {
            return Err(TopicError::Exists);
        }
        self.check_room(partitions)?;
        let topic = StoredTopic { name: name.to_owned(), id: Uuid::now_v7(), partitions, config };
        let parsed = TopicConfig::parse(&topic.config, self.max_batch_bytes).map_err(TopicError::Config)?;
        if validate_only {
            return Ok(Arc::new(Topic {
                name: topic.name,
                id: Uuid::nil(),
                config: parsed,
                partitions: Vec::new(),
            }));
        }
        let opened = self.open_topic(&topic, 0, Vec::new(), parsed)?;
        let mut changed = stored.clone();
        changed.topics.push(topic);
        self.keep(&mut stored, changed)?;
        log::info!(topic = name, partitions; "topic created");
        Ok(self.publish(opened))
    }

    /// Removes a topic and its records.
    pub(crate) fn delete(&self, name: &str) -> Result<Arc<Topic>, TopicError> {
        let mut stored = self.changing();
        let topic = self.topic(name).ok_or(TopicError::Unknown)?;
        let mut changed = stored.clone();
        changed.topics.retain(|stored| stored.id != topic.id);
        self.keep(&mut stored, changed)?;
        self.topics.write().unwrap_or_else(PoisonError::into_inner).remove(name);
        for partition in &topic.partitions {
            partition.delete().unwrap_or_else(
                |error| log::warn!(topic = name, error:%; "files of a deleted topic could not be removed"),
            );
        }
        let _ = fs::remove_dir(self.topic_folder(name, topic.id));
        log::info!(topic = name; "topic deleted");
        Ok(topic)
    }

    /// Adds partitions until there are `count`.
    pub(crate) fn grow(&self, name: &str, count: usize, validate_only: bool) -> Result<(), TopicError> {
        let mut stored = self.changing();
        let topic = self.topic(name).ok_or(TopicError::Unknown)?;
        let present = topic.partitions.len();
        if count <= present {
            return Err(TopicError::Partitions(format!(
                "the topic has {present} partitions, which can only grow"
            )));
        }
        self.check_room(count - present)?;
        if validate_only {
            return Ok(());
        }
        let mut changed = stored.clone();
        let entry =
            changed.topics.iter_mut().find(|stored| stored.id == topic.id).ok_or(TopicError::Unknown)?;
        entry.partitions = count;
        let opened = self.open_topic(entry, present, topic.partitions.clone(), topic.config.clone())?;
        self.keep(&mut stored, changed)?;
        self.publish(opened);
        Ok(())
    }

    /// Changes settings of a topic: a value sets, `None` goes back to the default.
    pub(crate) fn configure(
        &self,
        name: &str,
        change: impl FnOnce(&mut BTreeMap<String, String>) -> Result<(), String>,
        validate_only: bool,
    ) -> Result<(), TopicError> {
        let mut stored = self.changing();
        let topic = self.topic(name).ok_or(TopicError::Unknown)?;
        let mut changed = stored.clone();
        let entry =
            changed.topics.iter_mut().find(|stored| stored.id == topic.id).ok_or(TopicError::Unknown)?;
        change(&mut entry.config).map_err(TopicError::Config)?;
        let config = TopicConfig::parse(&entry.config, self.max_batch_bytes).map_err(TopicError::Config)?;
        if validate_only {
            return Ok(());
        }
        self.keep(&mut stored, changed)?;
        let (name, partitions) = (topic.name.clone(), topic.partitions.clone());
        self.publish(Topic { name, id: topic.id, config, partitions });
        Ok(())
    }

    /// A producer id that was never given out before, not even before a crash.
    pub(crate) fn new_producer_id(&self) -> io::Result<i64> {
        let mut block = self.producer_ids.lock().unwrap_or_else(PoisonError::into_inner);
        block.next(|| {
            let mut stored = self.changing();
            let mut changed = stored.clone();
            let first = changed.next_producer_id;
            changed.next_producer_id += producer_ids::BLOCK;
            self.keep(&mut stored, changed)?;
            Ok(first)
        })
    }

    /// Whether the next start would find what everybody sees. Otherwise nothing may be confirmed: the file
    /// may say that a topic is gone which is still here, and its records would go with it.
    pub(crate) fn is_settled(&self) -> bool {
        !self.unsettled.load(Relaxed) || self.settle(&self.changing()).is_ok()
    }

    /// Puts a change on disk and takes it over. When that fails the old state is written again.
    fn keep(&self, stored: &mut Stored, changed: Stored) -> io::Result<()> {
        self.settle(stored)?;
        let saved = changed.save(&self.options.disk, &self.file);
        match &saved {
            Ok(()) => *stored = changed,
            Err(_) => {
                self.unsettled.store(true, Relaxed);
                if let Err(error) = self.settle(stored) {
                    log::error!(
                        error:%;
                        "a change of the topics failed, and what was before cannot be written either"
                    );
                }
            }
        }
        saved
    }

    fn settle(&self, stored: &Stored) -> io::Result<()> {
        if self.unsettled.load(Relaxed) {
            stored.save(&self.options.disk, &self.file)?;
            self.unsettled.store(false, Relaxed);
        }
        Ok(())
    }

    fn open_topic(
        &self,
        topic: &StoredTopic,
        first: usize,
        mut partitions: Vec<Arc<Partition>>,
        config: TopicConfig,
    ) -> io::Result<Topic> {
        for index in first..topic.partitions {
            partitions.push(self.open_partition(topic, index)?);
        }
        Ok(Topic { name: topic.name.clone(), id: topic.id, config, partitions })
    }

    fn open_partition(&self, topic: &StoredTopic, index: usize) -> io::Result<Arc<Partition>> {
        let folder = self.topic_folder(&topic.name, topic.id).join(index.to_string());
        let label = format!("{}-{index}", topic.name);
        Partition::open(folder, label, self.options.clone()).map(Arc::new)
    }

    /// Opens all partitions, several at a time, because after a crash each has something to check.
    fn open_topics(&self) -> Result<(), BrokerError> {
        let stored = self.changing().topics.clone();
        let places: Vec<(&StoredTopic, usize)> =
            stored.iter().flat_map(|topic| (0..topic.partitions).map(move |index| (topic, index))).collect();
        let share = places.len().div_ceil(OPENING_THREADS).max(1);
        let opened = std::thread::scope(|scope| {
            let open = |share: &[(&StoredTopic, usize)]| {
                share
                    .iter()
                    .map(|&(topic, index)| self.open_partition(topic, index))
                    .collect::<io::Result<Vec<_>>>()
            };
            let threads: Vec<_> =
                places.chunks(share).map(|share| scope.spawn(move || open(share))).collect();
            threads
                .into_iter()
                .map(|thread| thread.join().unwrap_or_else(|_| Err(io::Error::other("a thread failed"))))
                .collect::<io::Result<Vec<_>>>()
        });
        let mut partitions = opened.map_err(BrokerError::storage(&self.folder))?.into_iter().flatten();
        for topic in &stored {
            let config = TopicConfig::parse(&topic.config, self.max_batch_bytes)
                .map_err(|reason| BrokerError::Damaged { path: self.file.clone(), reason })?;
            let partitions = partitions.by_ref().take(topic.partitions).collect();
            self.publish(Topic { name: topic.name.clone(), id: topic.id, config, partitions });
        }
        Ok(())
    }

    fn remove_leftovers(&self) -> Result<(), BrokerError> {
        let stored = self.changing();
        let known: Vec<_> =
            stored.topics.iter().map(|topic| self.topic_folder(&topic.name, topic.id)).collect();
        for entry in fs::read_dir(&self.folder).map_err(BrokerError::storage(&self.folder))? {
            let path = entry.map_err(BrokerError::storage(&self.folder))?.path();
            let id = path.extension().and_then(|id| Uuid::try_parse(id.to_str()?).ok());
            if id.is_some() && !known.contains(&path) {
                log::info!(
                    path:% = path.display();
                    "removing what an interrupted change of topics left behind"
                );
                fs::remove_dir_all(&path).map_err(BrokerError::storage(&path))?;
            }
        }
        Ok(())
    }

    fn topic_folder(&self, name: &str, id: Uuid) -> PathBuf {
        let name = name.get(..MAX_FOLDER_NAME_CHARACTERS).unwrap_or(name);
        self.folder.join(format!("{name}.{}", id.simple()))
    }

    fn check_room(&self, more: usize) -> Result<(), TopicError> {
        let present: usize = self.read().values().map(|topic| topic.partitions.len()).sum();
        if more == 0 {
            return Err(TopicError::Partitions("a topic has at least one partition".to_owned()));
        }
        if more > self.max_partitions.saturating_sub(present) {
            let max_partitions = self.max_partitions;
            return Err(TopicError::Partitions(format!(
                "this broker holds at most {max_partitions} partitions"
            )));
        }
        Ok(())
    }

    fn publish(&self, topic: Topic) -> Arc<Topic> {
        let topic = Arc::new(topic);
        let mut topics = self.topics.write().unwrap_or_else(PoisonError::into_inner);
        topics.insert(topic.name.clone(), Arc::clone(&topic));
        topic
    }

    fn changing(&self) -> MutexGuard<'_, Stored> {
        // A change is made on a copy and stored as a whole, so a panic leaves the old state.
        self.stored.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn read(&self) -> std::sync::RwLockReadGuard<'_, HashMap<String, Arc<Topic>>> {
        self.topics.read().unwrap_or_else(PoisonError::into_inner)
    }
}

fn check_name(name: &str) -> Result<(), TopicError> {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    let good = (1..=MAX_NAME_CHARACTERS).contains(&name.len()) && name.chars().all(allowed);
    if good && name != "." && name != ".." { Ok(()) } else { Err(TopicError::Name) }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio_util::sync::CancellationToken;
    use tokio_util::task::TaskTracker;

    use super::*;
    use crate::config::SyncPolicy;
    use crate::log::{Disk, faults::Call};

    fn open(folder: &Path, disk: &Disk) -> Catalogue {
        let options = PartitionOptions {
            sync: SyncPolicy::Always,
            segment_bytes: 1 << 20,
            disk: disk.clone(),
            recovery_pause: Duration::ZERO,
            tasks: TaskTracker::new(),
            stopping: CancellationToken::new(),
        };
        Catalogue::open(folder, options, 10, 1 << 20).expect("opened")
    }

    #[test]
    fn a_change_that_failed_is_not_there_after_a_restart() {
        let folder = tempfile::tempdir().expect("folder");
        let disk = Disk::default();
        let catalogue = open(folder.path(), &disk);
        catalogue.create("letters", 2, BTreeMap::new(), false).expect("created");
        // The file takes its place before its folder is synced.
        disk.faults.fail(Call::SyncFolder, 1);
        catalogue.delete("letters").expect_err("the disk failed");
        assert!(catalogue.is_settled(), "what was before is written again");
        assert!(open(folder.path(), &disk).topic("letters").is_some());
        disk.faults.fail(Call::SyncFolder, 3);
        catalogue.delete("letters").expect_err("the disk failed");
        assert!(!catalogue.is_settled(), "nothing may be confirmed now");
        assert!(catalogue.is_settled(), "the disk is well again");
        assert!(open(folder.path(), &disk).topic("letters").is_some());
    }
}
