//! The sparse index of a segment: where to begin to look for an offset or a time.
//!
//! One entry every few kilobytes. It lives in memory while its segment grows and is written beside it when
//! the segment is closed; it then also states up to where the segment was checked, so that a start need not
//! read it again. It can always be rebuilt from the segment.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use super::disk::Disk;
use super::durable;

/// The bytes of batches between two entries.
pub(crate) const INTERVAL_BYTES: u64 = 8 << 10;
const MAGIC: &[u8; 8] = b"mlnindx1";
const HEADER_BYTES: usize = 48;
const ENTRY_BYTES: usize = 24;

/// A batch of the segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) base_offset: i64,
    pub(crate) position: u64,
    /// The greatest time among all batches of the segment before this one; `i64::MIN` for the first.
    pub(crate) max_timestamp_before_ms: i64,
}

impl Entry {
    fn to_bytes(self) -> [u8; ENTRY_BYTES] {
        let mut bytes = [0; ENTRY_BYTES];
        bytes[..8].copy_from_slice(&self.base_offset.to_be_bytes());
        bytes[8..16].copy_from_slice(&self.position.to_be_bytes());
        bytes[16..].copy_from_slice(&self.max_timestamp_before_ms.to_be_bytes());
        bytes
    }

    fn from_bytes(bytes: &[u8]) -> Self {
        Self {
            base_offset: long(bytes, 0),
            position: long(bytes, 8) as u64,
            max_timestamp_before_ms: long(bytes, 16),
        }
    }
}

/// What is known of the checked part of a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Extent {
    pub(crate) size_bytes: u64,
    pub(crate) next_offset: i64,
    pub(crate) max_timestamp_ms: i64,
}

/// Where the index of the segment at `segment` is kept.
pub(crate) fn path_of(segment: &Path) -> PathBuf {
    segment.with_extension("index")
}

/// Writes the index of the segment at `segment`.
pub(crate) fn save(disk: &Disk, segment: &Path, extent: Extent, entries: &[Entry]) -> io::Result<()> {
    let mut bytes = Vec::with_capacity(HEADER_BYTES + entries.len() * ENTRY_BYTES);
    bytes.extend(MAGIC);
    bytes.extend(extent.size_bytes.to_be_bytes());
    bytes.extend(extent.next_offset.to_be_bytes());
    bytes.extend(extent.max_timestamp_ms.to_be_bytes());
    bytes.extend((entries.len() as u64).to_be_bytes());
    bytes.extend([0; 8]);
    bytes.extend(entries.iter().flat_map(|entry| entry.to_bytes()));
    let crc = crc32c::crc32c(&bytes);
    bytes[40..44].copy_from_slice(&crc.to_be_bytes());
    durable::replace(disk, &path_of(segment), &bytes)
}

/// Removes the index of the segment at `segment`, if there is one.
pub(crate) fn remove(segment: &Path) -> io::Result<()> {
    match fs::remove_file(path_of(segment)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Reads an index whole; `None` when there is none or it is damaged.
pub(crate) fn load(segment: &Path) -> Option<(Extent, Vec<Entry>)> {
    let mut bytes = fs::read(path_of(segment)).ok()?;
    if bytes.len() < HEADER_BYTES || !bytes.starts_with(MAGIC) {
        return None;
    }
    let crc = bytes[40..44].to_vec();
    bytes[40..44].fill(0);
    let entries = &bytes[HEADER_BYTES..];
    let count_agrees = entries.len() == (long(&bytes, 32) as usize).checked_mul(ENTRY_BYTES)?;
    if !count_agrees || crc != crc32c::crc32c(&bytes).to_be_bytes() {
        return None;
    }
    let extent = Extent {
        size_bytes: long(&bytes, 8) as u64,
        next_offset: long(&bytes, 16),
        max_timestamp_ms: long(&bytes, 24),
    };
    Some((extent, entries.chunks_exact(ENTRY_BYTES).map(Entry::from_bytes).collect()))
}

/// The last of `entries` for which `wanted` holds; it must hold for a beginning of them only.
pub(crate) fn last_where(entries: &[Entry], wanted: impl Fn(&Entry) -> bool) -> Option<Entry> {
    entries.partition_point(wanted).checked_sub(1).map(|at| entries[at])
}

/// The same on the index file of a closed segment, without reading it whole.
pub(crate) fn last_on_disk_where(
    segment: &Path,
    wanted: impl Fn(&Entry) -> bool,
) -> io::Result<Option<Entry>> {
    let file = File::open(path_of(segment))?;
    let count = file.metadata()?.len().saturating_sub(HEADER_BYTES as u64) / ENTRY_BYTES as u64;
    let entry = |at: u64| {
        let mut bytes = [0; ENTRY_BYTES];
        file.read_exact_at(&mut bytes, HEADER_BYTES as u64 + at * ENTRY_BYTES as u64)?;
        io::Result::Ok(Entry::from_bytes(&bytes))
    };
    let (mut low, mut high) = (0, count);
    while low < high {
        let middle = low + (high - low) / 2;
        if wanted(&entry(middle)?) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    low.checked_sub(1).map(entry).transpose()
}

fn long(bytes: &[u8], at: usize) -> i64 {
    let mut field = [0; 8];
    field.copy_from_slice(&bytes[at..at + 8]);
    i64::from_be_bytes(field)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries() -> Vec<Entry> {
        (0..100)
            .map(|i| Entry {
                base_offset: i * 10,
                position: i as u64 * 9_000,
                max_timestamp_before_ms: i * 7,
            })
            .collect()
    }

    #[test]
    fn what_is_saved_is_loaded_and_searched_alike() {
        let folder = tempfile::tempdir().expect("folder");
        let segment = folder.path().join("0.log");
        let extent = Extent { size_bytes: 900_000, next_offset: 1_000, max_timestamp_ms: 700 };
        save(&Disk::default(), &segment, extent, &entries()).expect("saved");
        assert_eq!(load(&segment), Some((extent, entries())));
        for offset in [-1, 0, 5, 10, 994, 5_000] {
            let wanted = |entry: &Entry| entry.base_offset <= offset;
            assert_eq!(last_on_disk_where(&segment, wanted).expect("read"), last_where(&entries(), wanted));
        }
    }

    #[test]
    fn a_damaged_index_is_not_used() {
        let folder = tempfile::tempdir().expect("folder");
        let segment = folder.path().join("0.log");
        let extent = Extent { size_bytes: 1, next_offset: 1, max_timestamp_ms: 1 };
        save(&Disk::default(), &segment, extent, &entries()).expect("saved");
        let mut bytes = fs::read(path_of(&segment)).expect("read");
        bytes[100] ^= 1;
        fs::write(path_of(&segment), bytes).expect("written");
        assert_eq!(load(&segment), None);
    }
}
