//! The limit: what one `fdatasync` of a file that has grown by one record costs on the disk of the run.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::time::Instant;

use crate::measure::latency::Latencies;

const SYNCS: u64 = 500;

/// Adds the durations of some hundred of them, one after the other.
pub(super) fn fdatasync(folder: &Path, bytes: usize, latencies: &mut Latencies) -> anyhow::Result<()> {
    let path = folder.join("bare");
    let file = File::create(&path)?;
    let record = vec![b'x'; bytes];
    for number in 0..SYNCS {
        file.write_all_at(&record, number * bytes as u64)?;
        let began = Instant::now();
        file.sync_data()?;
        latencies.record(began.elapsed());
    }
    std::fs::remove_file(path)?;
    Ok(())
}
