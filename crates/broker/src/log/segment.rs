//! Segment files: one that grows, and those that are closed and never change again.

use std::fs::{File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::batch::{self, BatchHeader, OffsetAtTime, STAMP_BYTES};
use super::disk::{Disk, SyncedFile};
use super::index::{self, Entry, Extent};
use super::scan::{self, Scan};

/// Enough to find a batch behind an index entry with one read.
const SEEK_CHUNK_BYTES: usize = index::INTERVAL_BYTES as usize * 2;

/// Batches up to this size are written with one system call.
const COPIED_BYTES: usize = 16 << 10;

/// The file of the segment that begins with `base_offset`.
pub(crate) fn path_in(folder: &Path, base_offset: i64) -> PathBuf {
    folder.join(format!("{base_offset:020}.log"))
}

/// The segment that batches are appended to.
pub(crate) struct Active {
    pub(crate) path: PathBuf,
    pub(crate) base_offset: i64,
    pub(crate) file: Arc<SyncedFile>,
    pub(crate) extent: Extent,
    pub(crate) entries: Vec<Entry>,
}

impl Active {
    /// Creates an empty segment file.
    pub(crate) fn create(disk: &Disk, folder: &Path, base_offset: i64) -> io::Result<Self> {
        let path = path_in(folder, base_offset);
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(true).open(&path)?;
        disk.sync_parent(&path)?;
        let extent = Extent { size_bytes: 0, next_offset: base_offset, max_timestamp_ms: i64::MIN };
        Ok(Self { path, base_offset, file: Arc::new(SyncedFile::new(file)), extent, entries: Vec::new() })
    }

    /// Writes a batch at the end, with its offset stamped in. On an error the file is as it was before.
    ///
    /// The nested error says that even that failed and the file can no longer be trusted.
    pub(crate) fn append(
        &mut self,
        disk: &Disk,
        bytes: &[u8],
        header: &BatchHeader,
    ) -> Result<(), Result<io::Error, io::Error>> {
        let position = self.extent.size_bytes;
        let stamp = batch::stamp(bytes, header.base_offset);
        // Copying a small batch costs less than a second system call.
        let written = if bytes.len() <= COPIED_BYTES {
            disk.write(&self.file, &[&stamp, &bytes[STAMP_BYTES..]].concat(), position)
        } else {
            disk.write(&self.file, &stamp, position)
                .and_then(|()| disk.write(&self.file, &bytes[STAMP_BYTES..], position + STAMP_BYTES as u64))
        };
        if let Err(error) = written {
            return Err(match disk.truncate(&self.file, position) {
                Ok(()) => Ok(error),
                Err(error) => Err(error),
            });
        }
        self.note(header);
        Ok(())
    }

    /// Takes a batch that stands in the file into the index and the extent.
    pub(crate) fn note(&mut self, header: &BatchHeader) {
        let position = self.extent.size_bytes;
        let due = self.entries.last().is_none_or(|last| position - last.position >= index::INTERVAL_BYTES);
        if due {
            self.entries.push(Entry {
                base_offset: header.base_offset,
                position,
                max_timestamp_before_ms: self.extent.max_timestamp_ms,
            });
        }
        self.extent.size_bytes += header.size_bytes as u64;
        self.extent.next_offset = header.next_offset();
        self.extent.max_timestamp_ms = self.extent.max_timestamp_ms.max(header.max_timestamp_ms);
    }

    /// Where to begin to look for `offset`.
    pub(crate) fn position_before(&self, offset: i64) -> u64 {
        index::last_where(&self.entries, |entry| entry.base_offset <= offset)
            .map_or(0, |entry| entry.position)
    }

    /// Where to begin to look for the first batch that is not older than `timestamp_ms`.
    pub(crate) fn position_before_time(&self, timestamp_ms: i64) -> u64 {
        index::last_where(&self.entries, |entry| entry.max_timestamp_before_ms < timestamp_ms)
            .map_or(0, |entry| entry.position)
    }

    /// Puts everything on disk, and beside it the index, so that the next start need not check this part
    /// again.
    pub(crate) fn save(&self, disk: &Disk) -> io::Result<()> {
        disk.sync(&self.file)?;
        index::save(disk, &self.path, self.extent, &self.entries)
    }

    /// What remains when the segment is closed. It must have been saved.
    pub(crate) fn sealed(&self) -> Sealed {
        Sealed { path: self.path.clone(), base_offset: self.base_offset, extent: self.extent }
    }
}

/// A closed segment. Its file is opened only to be read, so that many segments cost no file handles.
#[derive(Debug)]
pub(crate) struct Sealed {
    pub(crate) path: PathBuf,
    pub(crate) base_offset: i64,
    pub(crate) extent: Extent,
}

impl Sealed {
    /// Whole batches from the one that holds `offset`, or the next one behind it.
    pub(crate) fn read(&self, offset: i64, max_bytes: usize, at_least_one: bool) -> io::Result<bytes::Bytes> {
        let file = File::open(&self.path)?;
        let from = index::last_on_disk_where(&self.path, |entry| entry.base_offset <= offset)?;
        read_from(
            &file,
            from.map_or(0, |entry| entry.position),
            self.extent.size_bytes,
            offset,
            max_bytes,
            at_least_one,
        )
    }

    /// The first record that is not older than `timestamp_ms`.
    pub(crate) fn first_at_or_after(&self, timestamp_ms: i64) -> io::Result<Option<OffsetAtTime>> {
        let file = File::open(&self.path)?;
        let wanted = |entry: &Entry| entry.max_timestamp_before_ms < timestamp_ms;
        let from = index::last_on_disk_where(&self.path, wanted)?.map_or(0, |entry| entry.position);
        Scan::new(&file, from, self.extent.size_bytes, SEEK_CHUNK_BYTES).seek_time(timestamp_ms)
    }
}

/// Whole batches of `file` from the one that holds `offset`, looking from `position` on and not beyond `end`.
pub(crate) fn read_from(
    file: &File,
    position: u64,
    end: u64,
    offset: i64,
    max_bytes: usize,
    at_least_one: bool,
) -> io::Result<bytes::Bytes> {
    let mut scan = Scan::new(file, position, end, SEEK_CHUNK_BYTES);
    match scan.seek(|header| header.last_offset() >= offset)? {
        Some(_) => scan::read_batches(file, scan.position(), end, max_bytes, at_least_one),
        None => Ok(bytes::Bytes::new()),
    }
}

/// The first record of `file` between `position` and `end` that is not older than `timestamp_ms`.
pub(crate) fn first_at_or_after(
    file: &File,
    position: u64,
    end: u64,
    timestamp_ms: i64,
) -> io::Result<Option<OffsetAtTime>> {
    Scan::new(file, position, end, SEEK_CHUNK_BYTES).seek_time(timestamp_ms)
}
