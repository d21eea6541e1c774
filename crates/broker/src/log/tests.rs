//! The log as a whole, on a disk that can be made to fail.

use std::fs::{self, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering::SeqCst;
use std::time::Duration;

use proptest::prelude::*;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

mod failures;

use super::batch::BatchHeader;
use super::batch::sample::Sample;
use super::*;
use crate::config::SyncPolicy;

const MAX_BATCH_BYTES: usize = 1 << 20;

fn options(sync: SyncPolicy, segment_bytes: u64) -> PartitionOptions {
    PartitionOptions {
        sync,
        segment_bytes,
        disk: Disk::default(),
        recovery_pause: Duration::ZERO,
        tasks: TaskTracker::new(),
        stopping: CancellationToken::new(),
    }
}

fn open(folder: &Path, options: &PartitionOptions) -> Arc<Partition> {
    Arc::new(Partition::open(folder.to_owned(), "letters-0".to_owned(), options.clone()).expect("opened"))
}

fn batch(records: i32, timestamp_ms: i64) -> Vec<u8> {
    Sample { records, timestamp_ms, ..Sample::default() }.build()
}

/// Base offsets and sizes of all batches that can be read.
fn read_all(partition: &Partition) -> Vec<(i64, i32)> {
    let mut found = Vec::new();
    let mut offset = partition.progress().start_offset;
    while offset < partition.progress().high_watermark {
        let bytes = partition.read(offset, 4_000, true).expect("read");
        let mut rest = &bytes[..];
        while !rest.is_empty() {
            let header = BatchHeader::verify(rest).expect("a sound batch");
            found.push((header.base_offset, header.record_count));
            offset = header.next_offset();
            rest = &rest[header.size_bytes..];
        }
    }
    found
}

fn last_segment(folder: &Path) -> PathBuf {
    let mut segments: Vec<_> = fs::read_dir(folder)
        .expect("folder")
        .map(|entry| entry.expect("entry").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "log"))
        .collect();
    segments.sort();
    segments.pop().expect("a segment")
}

/// Waits for what background syncs do.
async fn until(holds: impl Fn() -> bool) {
    let wait = async {
        while !holds() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), wait).await.expect("in time");
}

#[tokio::test]
async fn nothing_is_confirmed_or_shown_before_it_is_synced() {
    let folder = tempfile::tempdir().expect("folder");
    let options = options(SyncPolicy::Always, 1 << 20);
    let partition = open(folder.path(), &options);
    let faults = &options.disk.faults;
    faults.hold_syncs();
    let append = || partition.append(&batch(2, 1_000), MAX_BATCH_BYTES).expect("appended");
    let mut appended = vec![append()];
    until(|| faults.syncs.load(SeqCst) == 1).await;
    appended.extend((0..9).map(|_| append()));
    let mut confirmed = std::pin::pin!(partition.confirmed(appended[0]));
    let early = tokio::time::timeout(Duration::from_millis(100), &mut confirmed).await;
    assert!(early.is_err(), "confirmed without a sync");
    assert_eq!(partition.progress().high_watermark, 0);
    assert!(partition.read(0, 1_000, true).expect("read").is_empty());
    faults.release_syncs();
    assert_eq!(confirmed.await, Ok(()));
    for appended in appended {
        assert_eq!(partition.confirmed(appended).await, Ok(()));
    }
    assert_eq!(faults.syncs.load(SeqCst), 2, "one for the first batch, one for the nine that came meanwhile");
}

#[tokio::test]
async fn a_failed_sync_fails_who_waits_and_the_log_goes_on_behind_what_is_safe() {
    let folder = tempfile::tempdir().expect("folder");
    let options = options(SyncPolicy::Always, 1 << 20);
    let partition = open(folder.path(), &options);
    let faults = &options.disk.faults;
    let safe = partition.append(&batch(3, 1_000), MAX_BATCH_BYTES).expect("appended");
    assert_eq!(partition.confirmed(safe).await, Ok(()));
    faults.sync_fails.store(true, SeqCst);
    let lost = partition.append(&batch(5, 1_000), MAX_BATCH_BYTES).expect("appended");
    assert_eq!(partition.confirmed(lost).await, Err(AppendError::Storage));
    assert_eq!(partition.append(&batch(5, 1_000), MAX_BATCH_BYTES), Err(AppendError::Storage));
    assert_eq!(read_all(&partition), [(0, 3)], "what is safe can be read all the time");
    faults.sync_fails.store(false, SeqCst);
    let again = partition.append(&batch(2, 1_000), MAX_BATCH_BYTES).expect("appended");
    assert_eq!(again.first_offset, 3);
    assert_eq!(partition.confirmed(again).await, Ok(()));
    drop(partition);
    assert_eq!(read_all(&open(folder.path(), &options)), [(0, 3), (3, 2)]);
}

#[tokio::test]
async fn a_full_disk_refuses_records_and_recovers() {
    let folder = tempfile::tempdir().expect("folder");
    let options = options(SyncPolicy::Always, 1 << 20);
    let partition = open(folder.path(), &options);
    let first = partition.append(&batch(1, 1_000), MAX_BATCH_BYTES).expect("appended");
    assert_eq!(partition.confirmed(first).await, Ok(()));
    options.disk.faults.full.store(true, SeqCst);
    for _ in 0..3 {
        assert_eq!(partition.append(&batch(4, 1_000), MAX_BATCH_BYTES), Err(AppendError::Storage));
        assert_eq!(read_all(&partition), [(0, 1)]);
    }
    options.disk.faults.full.store(false, SeqCst);
    let second = partition.append(&batch(4, 1_000), MAX_BATCH_BYTES).expect("appended");
    assert_eq!(partition.confirmed(second).await, Ok(()));
    assert_eq!(read_all(&partition), [(0, 1), (1, 4)]);
}

#[tokio::test]
async fn an_interval_confirms_at_once_and_syncs_later() {
    let folder = tempfile::tempdir().expect("folder");
    let options = options(SyncPolicy::Interval(Duration::from_millis(20)), 1 << 20);
    let partition = open(folder.path(), &options);
    let faults = &options.disk.faults;
    let before = faults.syncs.load(SeqCst);
    faults.hold_syncs();
    let appended = partition.append(&batch(1, 1_000), MAX_BATCH_BYTES).expect("appended");
    assert_eq!(partition.confirmed(appended).await, Ok(()));
    until(|| faults.syncs.load(SeqCst) > before).await;
    faults.release_syncs();
}

#[tokio::test]
async fn damaged_requests_are_refused() {
    let folder = tempfile::tempdir().expect("folder");
    let partition = open(folder.path(), &options(SyncPolicy::Always, 1 << 20));
    let good = batch(2, 1_000);
    let mut flipped = good.clone();
    flipped[70] ^= 1;
    assert!(matches!(
        partition.append(&flipped, MAX_BATCH_BYTES),
        Err(AppendError::Batch(BatchError::Checksum))
    ));
    assert!(matches!(
        partition.append(&good[..80], MAX_BATCH_BYTES),
        Err(AppendError::Batch(BatchError::Incomplete))
    ));
    assert!(matches!(
        partition.append(&[], MAX_BATCH_BYTES),
        Err(AppendError::Batch(BatchError::Incomplete))
    ));
    assert_eq!(
        partition.append(&[&good[..], &good[..]].concat(), MAX_BATCH_BYTES),
        Err(AppendError::NotOneBatch)
    );
    assert_eq!(partition.append(&good, 20), Err(AppendError::TooLarge));
    assert_eq!(partition.progress().high_watermark, 0);
}

#[tokio::test]
async fn retention_lets_old_segments_go() {
    let folder = tempfile::tempdir().expect("folder");
    let options = options(SyncPolicy::Always, 200);
    let partition = open(folder.path(), &options);
    for i in 0..10 {
        partition.append(&batch(1, i * 1_000), MAX_BATCH_BYTES).expect("appended");
    }
    until(|| partition.progress().high_watermark == 10).await;
    let by_age = RetentionLimits { max_age_ms: Some(5_000), max_bytes: None };
    assert!(partition.retain(by_age, 9_000).expect("retained") > 0);
    let start = partition.progress().start_offset;
    assert!((3..=4).contains(&start), "{start}");
    assert!(matches!(partition.read(0, 1_000, true), Err(ReadError::OutOfRange)));
    assert_eq!(read_all(&partition).len() as i64, 10 - start);
    let by_size = RetentionLimits { max_age_ms: None, max_bytes: Some(200) };
    assert!(partition.retain(by_size, 9_000).expect("retained") > 0);
    let start = partition.progress().start_offset;
    assert_eq!(start, 6, "what stays still fills the limit");
    let everything = RetentionLimits { max_age_ms: Some(0), max_bytes: None };
    partition.retain(everything, 100_000).expect("retained");
    assert_eq!((partition.progress().start_offset, partition.progress().high_watermark), (10, 10));
    drop(partition);
    let partition = open(folder.path(), &options);
    assert_eq!(partition.append(&batch(1, 1), MAX_BATCH_BYTES).expect("appended").first_offset, 10);
}

#[tokio::test]
async fn records_that_were_deleted_stay_away() {
    let folder = tempfile::tempdir().expect("folder");
    let options = options(SyncPolicy::Always, 300);
    let partition = open(folder.path(), &options);
    for i in 0..10 {
        partition.append(&batch(2, i), MAX_BATCH_BYTES).expect("appended");
    }
    until(|| partition.progress().high_watermark == 20).await;
    assert_eq!(partition.delete_before(7).expect("deleted"), 7);
    assert_eq!(partition.delete_before(3).expect("deleted"), 7, "it never comes back");
    assert!(matches!(partition.read(6, 1_000, true), Err(ReadError::OutOfRange)));
    drop(partition);
    let partition = open(folder.path(), &options);
    assert_eq!(partition.progress().start_offset, 7);
    // The batch that holds offset 7 also holds offset 6; readers skip what is before the offset they asked
    // for.
    assert_eq!(read_all(&partition).first(), Some(&(6, 2)));
}

#[tokio::test]
async fn a_segment_that_was_begun_in_vain_does_no_harm() {
    let folder = tempfile::tempdir().expect("folder");
    let options = options(SyncPolicy::Always, 300);
    let partition = open(folder.path(), &options);
    for _ in 0..3 {
        partition.append(&batch(2, 1_000), MAX_BATCH_BYTES).expect("appended");
    }
    // As if the disk had refused to begin a segment at offset 4, and the old one went on.
    fs::write(folder.path().join("00000000000000000004.log"), "").expect("written");
    for _ in 0..9 {
        partition.append(&batch(2, 1_000), MAX_BATCH_BYTES).expect("appended");
    }
    until(|| partition.progress().high_watermark == 24).await;
    let before = read_all(&partition);
    assert_eq!(before.len(), 12);
    drop(partition);
    let partition = open(folder.path(), &options);
    assert_eq!(read_all(&partition), before);
    for offset in 0..24 {
        let read = partition.read(offset, 1, true).expect("read");
        assert_eq!(BatchHeader::verify(&read).expect("a batch").base_offset, offset / 2 * 2);
    }
}

#[tokio::test]
async fn the_latest_by_time_is_found() {
    let folder = tempfile::tempdir().expect("folder");
    let partition = open(folder.path(), &options(SyncPolicy::Always, 300));
    assert_eq!(partition.latest_by_time().expect("asked"), None);
    for timestamp_ms in [5, 90, 30, 70, 20, 10] {
        partition.append(&batch(1, timestamp_ms), MAX_BATCH_BYTES).expect("appended");
    }
    until(|| partition.progress().high_watermark == 6).await;
    let latest = partition.latest_by_time().expect("asked");
    assert_eq!(latest, Some(OffsetAtTime { offset: 1, timestamp_ms: 90 }));
    assert_eq!(partition.first_at_or_after(31).expect("asked").map(|found| found.offset), Some(1));
    assert_eq!(partition.first_at_or_after(91).expect("asked"), None);
}

/// What happens to the files of a partition that was not closed.
#[derive(Debug, Clone)]
enum Accident {
    None,
    /// The last segment loses its end.
    Torn(f64),
    /// A bit of the last segment flips.
    Flipped(f64, u8),
    /// The file was made longer, but what was written never arrived.
    Zeros(usize),
    Rubbish(Vec<u8>),
    /// All indexes and snapshots are gone.
    NoIndexes,
}

fn accident() -> impl Strategy<Value = Accident> {
    prop_oneof![
        Just(Accident::None),
        (0.0..1.0).prop_map(Accident::Torn),
        ((0.0..1.0), 0..8_u8).prop_map(|(at, bit)| Accident::Flipped(at, bit)),
        (1..500_usize).prop_map(Accident::Zeros),
        proptest::collection::vec(any::<u8>(), 1..300).prop_map(Accident::Rubbish),
        Just(Accident::NoIndexes),
    ]
}

/// Returns from which byte of the last segment on nothing can be trusted.
fn happen(accident: &Accident, folder: &Path) -> u64 {
    let path = last_segment(folder);
    let file = OpenOptions::new().read(true).write(true).open(&path).expect("segment");
    let size = file.metadata().expect("metadata").len();
    let at = |share: f64| (size as f64 * share) as u64;
    match accident {
        Accident::None => size,
        Accident::Torn(share) => {
            file.set_len(at(*share)).expect("cut");
            at(*share)
        }
        Accident::Flipped(share, bit) if size > 0 => {
            let mut byte = [0];
            file.read_exact_at(&mut byte, at(*share)).expect("read");
            let good_bytes = before_batch_at(&path, at(*share)).unwrap_or(size);
            file.write_all_at(&[byte[0] ^ (1 << bit)], at(*share)).expect("written");
            good_bytes
        }
        Accident::Flipped(..) => size,
        Accident::Zeros(count) => {
            file.set_len(size + *count as u64).expect("grown");
            size
        }
        Accident::Rubbish(bytes) => {
            file.write_all_at(bytes, size).expect("written");
            size
        }
        Accident::NoIndexes => {
            for entry in fs::read_dir(folder).expect("folder") {
                let path = entry.expect("entry").path();
                if path.extension().is_some_and(|extension| extension == "index" || extension == "producers")
                {
                    fs::remove_file(path).expect("removed");
                }
            }
            size
        }
    }
}

/// A batch of the producer of the test below.
fn numbered(records: i32, base_sequence: i32) -> Sample {
    Sample { records, producer_id: 7, producer_epoch: 0, base_sequence, ..Sample::default() }
}

proptest! {
    // Each case syncs dozens of files, so few of them unless more are asked for.
    #![proptest_config(ProptestConfig { cases: crate::test_cases(60), ..ProptestConfig::default() })]

    /// Whatever happens to the end of the last segment, the log is what was appended up to the damage, and
    /// goes on.
    #[test]
    fn recovery_keeps_everything_before_the_damage(
        rounds in proptest::collection::vec(
            (proptest::collection::vec(1..6_i32, 0..25), accident(), any::<bool>()),
            1..5,
        ),
    ) {
        let folder = tempfile::tempdir().expect("folder");
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("runtime");
        let _entered = runtime.enter();
        // Immediate visibility, so that the test needs no waiting; recovery is the same.
        let options = options(SyncPolicy::Interval(Duration::ZERO), 1_500);
        let mut expected: Vec<(i64, i32)> = Vec::new();
        let mut next = 0;
        let mut sequence = 0;
        for (batches, accident, clean) in rounds {
            let partition = open(folder.path(), &options);
            prop_assert_eq!(&read_all(&partition), &expected);
            let mut ends = vec![];
            for records in batches {
                let sample = numbered(records, sequence);
                let appended = partition.append(&sample.build(), MAX_BATCH_BYTES).expect("appended");
                prop_assert_eq!(appended.first_offset, next);
                expected.push((next, records));
                next += i64::from(records);
                sequence += records;
                ends.push(sample.build().len() as u64);
            }
            let again = expected.last().map(|&(first, records)| (first, records));
            if clean {
                partition.save().expect("saved");
                drop(partition);
            } else {
                drop(partition);
                let last = last_segment(folder.path());
                let stem = last.file_stem().and_then(|stem| stem.to_str());
                let base: i64 = stem.and_then(|stem| stem.parse().ok()).expect("base");
                let good_bytes = happen(&accident, folder.path());
                // Only what was appended in this round may be lost by an accident.
                let checked = index::load(&last).map_or(0, |(extent, _)| extent.size_bytes);
                if good_bytes < checked {
                    // Damage behind the back of a clean stop is found by readers, not at start: not of this
                    // test.
                    return Ok(());
                }
                let mut position = 0;
                expected.retain(|&(offset, records)| {
                    if offset < base {
                        return true;
                    }
                    position += numbered(records, 0).build().len() as u64;
                    position <= good_bytes
                });
                next = expected.last().map_or(0, |&(first, records)| first + i64::from(records));
                sequence = next as i32;
            }
            let partition = open(folder.path(), &options);
            prop_assert_eq!(partition.progress().high_watermark, next);
            if let Some((first, records)) = again.filter(|again| expected.last() == Some(again)) {
                let sample = numbered(records, first as i32);
                let repeated = partition.append(&sample.build(), MAX_BATCH_BYTES).expect("recognised");
                // A repeated batch is recognised after recovery.
                prop_assert_eq!(repeated.first_offset, first);
            }
        }
    }
}

/// Where the batch begins that the byte belongs to; `None` for a byte of its leader epoch, which nothing
/// depends on.
fn before_batch_at(path: &Path, at: u64) -> Option<u64> {
    let bytes = fs::read(path).expect("segment");
    let mut position = 0;
    loop {
        let header = BatchHeader::parse(&bytes[position as usize..]).expect("whole until now");
        let end = position + header.size_bytes as u64;
        if at < end {
            return (!(12..16).contains(&(at - position))).then_some(position);
        }
        position = end;
    }
}
