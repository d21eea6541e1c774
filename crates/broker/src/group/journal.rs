//! The file that makes committed offsets last: every change appended, and now and then the whole table anew.
//!
//! Each change is a line of JSON behind its length and checksum, so that a torn end is recognised and cut
//! off. One task owns the file; changes that arrive while it syncs share the next sync.

use std::collections::BTreeSet;
use std::fs::{self, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use super::offsets::{Change, OffsetTable};
use crate::config::SyncPolicy;
use crate::error::BrokerError;
use crate::log::{Disk, SyncedFile, durable};

const FRAME_BYTES: usize = 8;
/// The journal is written anew when it is larger than this and mostly outdated.
const COMPACT_BYTES: u64 = 1 << 20;
/// A rough upper size of one entry, to judge how much of the journal is outdated.
const ENTRY_BYTES: u64 = 256;
/// Requests that may wait for the journal; senders beyond it wait, and with them their connections.
const WAITING_REQUESTS: usize = 1024;

/// The table as everybody reads it. Written only by the journal's task, after the change is on disk.
pub(crate) type SharedTable = Arc<RwLock<OffsetTable>>;

/// Changes that are to be stored together.
struct Request {
    changes: Vec<Change>,
    /// Told whether they are on disk.
    done: oneshot::Sender<bool>,
}

/// The way to the journal's task.
#[derive(Debug, Clone)]
pub(crate) struct JournalHandle(mpsc::Sender<Request>);

impl std::fmt::Debug for Request {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Request").field("changes", &self.changes.len()).finish_non_exhaustive()
    }
}

impl JournalHandle {
    /// Stores the changes; `false` when the disk refused.
    pub(crate) async fn store(&self, changes: Vec<Change>) -> bool {
        let (done, stored) = oneshot::channel();
        self.0.send(Request { changes, done }).await.is_ok() && stored.await.unwrap_or(false)
    }
}

/// The journal, opened and not yet served.
pub(crate) struct Journal {
    store: Store,
    sender: mpsc::Sender<Request>,
    receiver: mpsc::Receiver<Request>,
}

/// The file.
struct Store {
    path: PathBuf,
    file: SyncedFile,
    size_bytes: u64,
    /// A write or sync failed: what the file holds is unknown, and it is written anew before anything is
    /// promised.
    failed: bool,
    sync: SyncPolicy,
    disk: Disk,
    table: SharedTable,
}

impl Journal {
    /// Reads the journal, cutting off a torn end.
    pub(crate) fn open(path: &Path, sync: SyncPolicy, disk: Disk) -> Result<Self, BrokerError> {
        Self::read(path, sync, disk).map_err(BrokerError::storage(path))
    }

    fn read(path: &Path, sync: SyncPolicy, disk: Disk) -> io::Result<Self> {
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path)?;
        let file = SyncedFile::new(file);
        let bytes = fs::read(path)?;
        let mut table = OffsetTable::default();
        let mut good = 0;
        while let Some((change, length)) = decode(&bytes[good..]) {
            table.apply(change);
            good += length;
        }
        if good < bytes.len() {
            log::warn!(
                path:% = path.display(), cut_bytes = bytes.len() - good;
                "the end of the offset journal was cut off"
            );
            disk.truncate(&file, good as u64)?;
        }
        disk.sync(&file)?;
        disk.sync_parent(path)?;
        let (path, size_bytes, table) = (path.to_owned(), good as u64, Arc::new(RwLock::new(table)));
        let (sender, receiver) = mpsc::channel(WAITING_REQUESTS);
        let store = Store { path, file, size_bytes, failed: false, sync, disk, table };
        Ok(Self { store, sender, receiver })
    }

    pub(crate) fn table(&self) -> SharedTable {
        Arc::clone(&self.store.table)
    }

    /// Forgets the offsets of topics that are gone: a crash may have come between the end of a topic and that
    /// of its offsets, and a new topic of the same name must not inherit them.
    pub(crate) fn forget_topics_except(&mut self, exists: impl Fn(&str) -> bool) -> Result<(), BrokerError> {
        let gone: BTreeSet<String> = {
            let table = self.store.table.read().unwrap_or_else(PoisonError::into_inner);
            table.topics().filter(|topic| !exists(topic)).map(str::to_owned).collect()
        };
        let changes: Vec<_> = gone.into_iter().map(|topic| Change::ForgetTopic { topic }).collect();
        self.store.keep(changes).map_err(BrokerError::storage(&self.store.path))
    }

    /// The way to have changes stored, once `serve` runs.
    pub(crate) fn handle(&self) -> JournalHandle {
        JournalHandle(self.sender.clone())
    }

    /// Stores what comes until all handles are gone or the broker stops; what has come by then is still
    /// stored.
    pub(crate) async fn serve(self, stopping: CancellationToken) {
        let Self { mut store, sender, mut receiver } = self;
        drop(sender);
        let mut waiting = Vec::new();
        loop {
            tokio::select! {
                biased;
                received = receiver.recv_many(&mut waiting, WAITING_REQUESTS) => if received == 0 { break },
                () = stopping.cancelled() => break,
            }
            let requests = std::mem::take(&mut waiting);
            let stored = tokio::task::spawn_blocking(move || {
                store.store(requests);
                store
            });
            match stored.await {
                Ok(same) => store = same,
                Err(error) => {
                    log::error!(error:%; "the offset journal failed");
                    return;
                }
            }
        }
        // Only an interval policy leaves anything to do here.
        let synced = tokio::task::spawn_blocking(move || store.disk.sync(&store.file)).await;
        if let Err(error) = synced.map_err(io::Error::other).flatten() {
            log::error!(error:%; "the offset journal could not be synced");
        }
    }
}

impl Store {
    fn store(&mut self, requests: Vec<Request>) {
        let (changes, waiting): (Vec<_>, Vec<_>) =
            requests.into_iter().map(|request| (request.changes, request.done)).unzip();
        let stored = self.keep(changes.into_iter().flatten().collect());
        if let Err(error) = &stored {
            log::error!(path:% = self.path.display(), error:%; "offsets could not be stored");
        }
        for done in waiting {
            // Nobody listens any more when the client has gone.
            let _ = done.send(stored.is_ok());
        }
        self.compact_if_outdated();
    }

    /// Puts the changes on disk and then into the table.
    fn keep(&mut self, changes: Vec<Change>) -> io::Result<()> {
        let bytes: Vec<u8> = changes.iter().flat_map(encode).collect();
        self.append(&bytes)?;
        let mut table = self.table.write().unwrap_or_else(PoisonError::into_inner);
        changes.into_iter().for_each(|change| table.apply(change));
        Ok(())
    }

    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        if self.failed {
            self.compact()?;
        }
        self.failed = true;
        self.disk.write(&self.file, bytes, self.size_bytes)?;
        if self.sync == SyncPolicy::Always {
            self.disk.sync(&self.file)?;
        }
        self.size_bytes += bytes.len() as u64;
        self.failed = false;
        Ok(())
    }

    fn compact_if_outdated(&mut self) {
        let live_bytes = self.table.read().unwrap_or_else(PoisonError::into_inner).len() as u64 * ENTRY_BYTES;
        if self.size_bytes > COMPACT_BYTES.max(2 * live_bytes)
            && let Err(error) = self.compact()
        {
            log::warn!(path:% = self.path.display(), error:%; "the offset journal could not be compacted");
        }
    }

    /// Writes the whole table anew.
    fn compact(&mut self) -> io::Result<()> {
        self.failed = true;
        let bytes: Vec<u8> = {
            let table = self.table.read().unwrap_or_else(PoisonError::into_inner);
            table.changes().flat_map(|change| encode(&change)).collect()
        };
        durable::replace(&self.disk, &self.path, &bytes)?;
        self.file = SyncedFile::new(OpenOptions::new().read(true).write(true).open(&self.path)?);
        self.size_bytes = bytes.len() as u64;
        self.failed = false;
        Ok(())
    }
}

fn encode(change: &Change) -> Vec<u8> {
    let mut body = serde_json::to_vec(change).expect("strings and numbers always have a form in JSON");
    body.push(b'\n');
    let mut frame = Vec::with_capacity(FRAME_BYTES + body.len());
    frame.extend((body.len() as u32).to_be_bytes());
    frame.extend(crc32c::crc32c(&body).to_be_bytes());
    frame.extend(body);
    frame
}

fn decode(bytes: &[u8]) -> Option<(Change, usize)> {
    let (length, rest) = bytes.split_first_chunk::<4>()?;
    let (crc, rest) = rest.split_first_chunk::<4>()?;
    let length = u32::from_be_bytes(*length) as usize;
    let body = rest.get(..length)?;
    if crc32c::crc32c(body) != u32::from_be_bytes(*crc) {
        return None;
    }
    Some((serde_json::from_slice(body).ok()?, FRAME_BYTES + length))
}

#[cfg(test)]
mod tests {
    use super::super::offsets::CommittedOffset;
    use super::*;
    use crate::log::faults::Call;

    fn commit(partition: i32, offset: i64) -> Change {
        let committed = CommittedOffset { offset, leader_epoch: -1, metadata: "kept".to_owned() };
        Change::Commit { group: "readers".to_owned(), topic: "letters".to_owned(), partition, committed }
    }

    #[tokio::test]
    async fn changes_survive_and_a_torn_end_does_not_matter() {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("offsets.journal");
        let journal = Journal::open(&path, SyncPolicy::Always, Disk::default()).expect("opened");
        let handle = journal.handle();
        let serving = tokio::spawn(journal.serve(CancellationToken::new()));
        for offset in 0..20_i64 {
            assert!(handle.store(vec![commit((offset % 3) as i32, offset)]).await);
        }
        drop(handle);
        serving.await.expect("ended");
        let mut bytes = fs::read(&path).expect("read");
        bytes.extend(&encode(&commit(7, 7))[..30]);
        fs::write(&path, bytes).expect("written");
        let table = Journal::open(&path, SyncPolicy::Always, Disk::default()).expect("opened").table();
        let table = table.read().expect("table");
        let offsets = table.group("readers").expect("group");
        let kept: Vec<_> = offsets.iter().map(|((_, partition), kept)| (*partition, kept.offset)).collect();
        assert_eq!(kept, [(0, 18), (1, 19), (2, 17)]);
    }

    #[test]
    fn after_a_failed_sync_everything_is_written_anew() {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("offsets.journal");
        let disk = Disk::default();
        let mut journal = Journal::open(&path, SyncPolicy::Always, disk.clone()).expect("opened").store;
        journal.keep(vec![commit(0, 1)]).expect("kept");
        for call in [Call::Sync, Call::SyncNew, Call::SyncFolder] {
            disk.faults.fail(Call::Sync, 1);
            journal.keep(vec![commit(1, 666)]).expect_err("not on disk");
            // What the system could not write it may throw away, and with it what stood beside it.
            fs::write(&path, vec![0; 50]).expect("lost");
            if call != Call::Sync {
                disk.faults.fail(call, 1);
                journal.keep(vec![commit(1, 666)]).expect_err("not on disk");
            }
            journal.keep(vec![commit(2, 3)]).expect("kept");
            let reopened = Journal::open(&path, SyncPolicy::Always, Disk::default()).expect("opened");
            let table = reopened.table();
            assert_eq!(*table.read().expect("table"), *journal.table.read().expect("table"), "{call:?}");
            assert_eq!(table.read().expect("table").len(), 2, "{call:?}");
        }
    }

    #[test]
    fn a_topic_that_is_gone_leaves_no_offsets() {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("offsets.journal");
        let mut journal = Journal::open(&path, SyncPolicy::Always, Disk::default()).expect("opened");
        journal.store.keep(vec![commit(0, 1), commit(1, 2)]).expect("kept");
        journal.forget_topics_except(|topic| topic == "letters").expect("kept");
        assert_eq!(journal.table().read().expect("table").len(), 2);
        journal.forget_topics_except(|_| false).expect("kept");
        let reopened = Journal::open(&path, SyncPolicy::Always, Disk::default()).expect("opened");
        assert_eq!(reopened.table().read().expect("table").len(), 0);
    }

    #[test]
    fn an_outdated_journal_is_written_anew() {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("offsets.journal");
        let sync = SyncPolicy::Interval(std::time::Duration::ZERO);
        let mut journal = Journal::open(&path, sync, Disk::default()).expect("opened").store;
        for offset in 0..20_000 {
            let (done, _) = oneshot::channel();
            journal.store(vec![Request { changes: vec![commit(0, offset)], done }]);
        }
        assert!(journal.size_bytes < COMPACT_BYTES + 1_000);
        let reopened = Journal::open(&path, SyncPolicy::Always, Disk::default()).expect("opened");
        assert_eq!(*reopened.table().read().expect("table"), *journal.table.read().expect("table"));
    }
}
