//! Nothing is promised after a sync that failed, wherever it was: a system reports the error once, to whoever
//! syncs next, and what could not be written may be gone although every later sync succeeds.

use std::fs;
use std::sync::Arc;
use std::sync::atomic::Ordering::SeqCst;
use std::time::Duration;

use super::super::disk::faults::Call;
use super::super::*;
use super::{MAX_BATCH_BYTES, batch, open, options, read_all, until};
use crate::config::SyncPolicy;

const HOUR: Duration = Duration::from_secs(3_600);

/// A runtime whose only blocking thread is busy until the sender goes: syncs that were begun do not run yet.
fn slow_runtime() -> (tokio::runtime::Runtime, std::sync::mpsc::Sender<()>) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .max_blocking_threads(1)
        .enable_all()
        .build()
        .expect("runtime");
    let (release, released) = std::sync::mpsc::channel::<()>();
    runtime.spawn_blocking(move || released.recv());
    (runtime, release)
}

/// What closes a segment, and so syncs it, while a confirmation waits.
fn roll_by(retention: bool, partition: &Arc<Partition>) {
    if retention {
        let everything = RetentionLimits { max_age_ms: Some(0), max_bytes: None };
        partition.retain(everything, 100_000).expect_err("the disk failed");
    } else {
        assert_eq!(partition.append(&batch(9, 1_000), MAX_BATCH_BYTES), Err(AppendError::Storage));
    }
}

#[test]
fn who_waits_is_refused_when_the_sync_of_a_roll_fails() {
    for retention in [false, true] {
        for call in [Call::Sync, Call::SyncNew, Call::SyncFolder] {
            let folder = tempfile::tempdir().expect("folder");
            let options = options(SyncPolicy::Always, 100);
            let (runtime, release) = slow_runtime();
            runtime.block_on(async {
                let partition = open(folder.path(), &options);
                let waiting = partition.append(&batch(2, 1_000), MAX_BATCH_BYTES).expect("appended");
                options.disk.faults.fail(call, 1);
                roll_by(retention, &partition);
                let confirmed = partition.confirmed(waiting).await;
                assert_eq!(confirmed, Err(AppendError::Storage), "{call:?}, retention {retention}");
                // The sync that was to confirm it comes to its turn only now, and finds that the log has
                // failed: it must not show what was refused.
                assert!(partition.lock().sync_scheduled, "{call:?}, retention {retention}");
                drop(release);
                until(|| !partition.lock().sync_scheduled).await;
                assert!(read_all(&partition).is_empty(), "{call:?}, retention {retention}");
                assert_eq!(partition.progress().high_watermark, 0, "{call:?}, retention {retention}");
                let again = partition.append(&batch(3, 1_000), MAX_BATCH_BYTES).expect("recovered");
                assert_eq!((again.first_offset, partition.confirmed(again).await), (0, Ok(())));
            });
            drop(runtime);
            assert_eq!(read_all(&open(folder.path(), &options)), [(0, 3)], "{call:?}, retention {retention}");
        }
    }
}

#[tokio::test]
async fn who_waits_is_refused_when_a_sync_under_way_fails_during_a_roll() {
    for retention in [false, true] {
        let folder = tempfile::tempdir().expect("folder");
        let options = options(SyncPolicy::Always, 100);
        let partition = open(folder.path(), &options);
        let faults = &options.disk.faults;
        let before = faults.syncs.load(SeqCst);
        faults.hold_syncs();
        let waiting = partition.append(&batch(2, 1_000), MAX_BATCH_BYTES).expect("appended");
        until(|| faults.syncs.load(SeqCst) > before).await;
        // Told to whoever comes first; the other one hears that all is well.
        faults.fail(Call::Sync, 1);
        let rolling = Arc::clone(&partition);
        let rolling = tokio::task::spawn_blocking(move || roll_by(retention, &rolling));
        // The roll holds the lock from its beginning to its end.
        until(|| partition.log.try_lock().is_err()).await;
        faults.release_syncs();
        assert_eq!(partition.confirmed(waiting).await, Err(AppendError::Storage), "retention {retention}");
        rolling.await.expect("refused");
        assert!(read_all(&partition).is_empty(), "nor was it shown");
    }
}

#[tokio::test]
async fn a_failed_removal_fails_the_log_until_it_is_opened_again() {
    let folder = tempfile::tempdir().expect("folder");
    let options = options(SyncPolicy::Always, 100);
    let partition = open(folder.path(), &options);
    for at in 0..4 {
        let appended = partition.append(&batch(1, at * 1_000), MAX_BATCH_BYTES).expect("appended");
        assert_eq!(partition.confirmed(appended).await, Ok(()));
    }
    let last = partition.append(&batch(1, 9_000), MAX_BATCH_BYTES).expect("appended");
    assert_eq!(partition.confirmed(last).await, Ok(()));
    options.disk.faults.fail(Call::SyncFolder, 1);
    let old = RetentionLimits { max_age_ms: Some(7_000), max_bytes: None };
    partition.retain(old, 9_000).expect_err("the disk failed");
    assert_eq!(partition.progress().start_offset, 2, "what may be back after a crash is not shown meanwhile");
    options.disk.faults.fail(Call::SyncFolder, 1);
    partition.delete_before(3).expect_err("the disk failed");
    let appended = partition.append(&batch(1, 9_000), MAX_BATCH_BYTES).expect("recovered");
    assert_eq!((appended.first_offset, partition.confirmed(appended).await), (5, Ok(())));
    assert_eq!(partition.progress().start_offset, 3, "as the next start would find it");
}

#[tokio::test]
async fn a_batch_that_can_be_neither_written_nor_cut_off_fails_the_log() {
    let folder = tempfile::tempdir().expect("folder");
    let options = options(SyncPolicy::Always, 1 << 20);
    let partition = open(folder.path(), &options);
    let faults = &options.disk.faults;
    faults.full.store(true, SeqCst);
    faults.fail(Call::Truncate, 2);
    for _ in 0..2 {
        assert_eq!(partition.append(&batch(4, 1_000), MAX_BATCH_BYTES), Err(AppendError::Storage));
    }
    faults.full.store(false, SeqCst);
    let appended = partition.append(&batch(1, 1_000), MAX_BATCH_BYTES).expect("recovered");
    assert_eq!((appended.first_offset, partition.confirmed(appended).await), (0, Ok(())));
}

#[tokio::test]
async fn nothing_is_written_where_records_were_shown_that_the_disk_has_lost() {
    let folder = tempfile::tempdir().expect("folder");
    let options = options(SyncPolicy::Interval(HOUR), 100);
    let partition = open(folder.path(), &options);
    let appended = partition.append(&batch(2, 1_000), MAX_BATCH_BYTES).expect("appended");
    assert_eq!(partition.confirmed(appended).await, Ok(()), "the interval promises less");
    options.disk.faults.fail(Call::Sync, 1);
    assert_eq!(partition.append(&batch(2, 1_000), MAX_BATCH_BYTES), Err(AppendError::Storage));
    options.disk.faults.lose_from(20);
    for _ in 0..3 {
        assert_eq!(partition.append(&batch(2, 1_000), MAX_BATCH_BYTES), Err(AppendError::Storage));
    }
    options.stopping.cancel();
    drop(partition);
    assert_eq!(open(folder.path(), &options).progress().high_watermark, 0, "the start says what is left");
}

#[tokio::test]
async fn what_a_failed_sync_lost_at_the_end_is_not_believed_by_the_next_start() {
    let folder = tempfile::tempdir().expect("folder");
    let options = options(SyncPolicy::Interval(HOUR), 1 << 20);
    let partition = open(folder.path(), &options);
    let first = batch(2, 1_000);
    partition.append(&first, MAX_BATCH_BYTES).expect("appended");
    partition.save().expect("saved");
    partition.append(&batch(3, 1_000), MAX_BATCH_BYTES).expect("appended");
    options.disk.faults.fail(Call::Sync, 1);
    partition.save().expect_err("the disk failed");
    options.stopping.cancel();
    drop(partition);
    options.disk.faults.lose_from(first.len() as u64);
    let partition = open(folder.path(), &options);
    assert_eq!(read_all(&partition), [(0, 2)], "read from the disk, not from what the system remembers");
    assert!(fs::metadata(folder.path().join("00000000000000000000.cut")).is_ok(), "set aside");
}
