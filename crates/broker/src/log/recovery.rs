//! Opening a partition folder after a clean stop or a crash.
//!
//! Guarantees: every batch that was confirmed is kept; a torn or damaged end of the last segment is cut off,
//! said so, and set aside in a `.cut` file; what is kept is on disk before anybody sees it. Only what was
//! written since the last saved index is read again, from the disk itself, so the time is bounded by one
//! segment for each partition.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::disk::{Disk, SyncedFile};
use super::durable;
use super::index::{self, Extent};
use super::producers::Producers;
use super::scan::Scan;
use super::segment::{Active, Sealed};
use super::snapshot;

const CHECK_CHUNK_BYTES: usize = 1 << 20;

/// What a partition folder holds.
pub(crate) struct Recovered {
    pub(crate) sealed: Vec<Arc<Sealed>>,
    pub(crate) active: Active,
    pub(crate) producers: Producers,
    pub(crate) start_offset: i64,
}

/// Opens the folder. `keep_until` cuts off everything from that offset on, for a log whose end cannot be
/// trusted.
pub(crate) fn recover(folder: &Path, disk: &Disk, keep_until: Option<i64>) -> io::Result<Recovered> {
    durable::create_folder(disk, folder)?;
    let start_offset = snapshot::load_start_offset(folder);
    let mut bases = drop_empty(segment_bases(folder)?)?;
    let Some((last_base, last_path)) = bases.pop() else {
        let active = Active::create(disk, folder, start_offset)?;
        return Ok(Recovered { sealed: Vec::new(), active, producers: Producers::default(), start_offset });
    };
    let sealed = bases
        .into_iter()
        .map(|(base, path)| open_sealed(base, path, disk))
        .collect::<io::Result<Vec<_>>>()?;
    let active = open_active(last_base, last_path, disk, keep_until)?;
    let producers = replay_producers(folder, &sealed, &active)?;
    // What was removed here must not come back beside what is written from now on.
    disk.sync_folder(folder)?;
    let first_base = sealed.first().map_or(active.base_offset, |segment| segment.base_offset);
    let start_offset = start_offset.max(first_base).min(active.extent.next_offset);
    Ok(Recovered { sealed, active, producers, start_offset })
}

/// The segments of a partition with their first offsets, in order.
pub(crate) fn segment_bases(folder: &Path) -> io::Result<Vec<(i64, PathBuf)>> {
    let mut bases = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let base = path.file_stem().and_then(|stem| stem.to_str()?.parse().ok());
        if let (Some(base), Some("log")) = (base, path.extension().and_then(|extension| extension.to_str())) {
            bases.push((base, path));
        }
    }
    bases.sort_unstable();
    Ok(bases)
}

/// An empty segment says nothing, and after a failed attempt to begin one it may even be out of place: what
/// stands before it goes on. Only a log that is empty altogether keeps one, for its offset.
fn drop_empty(bases: Vec<(i64, PathBuf)>) -> io::Result<Vec<(i64, PathBuf)>> {
    let mut filled = Vec::with_capacity(bases.len());
    let mut newest_empty = None;
    for (base, path) in bases {
        if fs::metadata(&path)?.len() > 0 {
            filled.push((base, path));
        } else if let Some((_, older)) = newest_empty.replace((base, path)) {
            fs::remove_file(older)?;
        }
    }
    match newest_empty {
        Some((_, path)) if !filled.is_empty() => fs::remove_file(path)?,
        empty => filled.extend(empty),
    }
    Ok(filled)
}

fn open_sealed(base_offset: i64, path: PathBuf, disk: &Disk) -> io::Result<Arc<Sealed>> {
    let size_bytes = fs::metadata(&path)?.len();
    if let Some((extent, _)) = index::load(&path)
        && extent.size_bytes == size_bytes
    {
        return Ok(Arc::new(Sealed { path, base_offset, extent }));
    }
    log::info!(path:% = path.display(); "index of a closed segment is missing, rebuilding it");
    let segment = check(base_offset, path, disk, None)?;
    if segment.extent.size_bytes < size_bytes {
        log::error!(
            path:% = segment.path.display(), good_bytes = segment.extent.size_bytes, size_bytes;
            "a closed segment is damaged, the records behind the damage cannot be read"
        );
    }
    index::save(disk, &segment.path, segment.extent, &segment.entries)?;
    Ok(Arc::new(segment.sealed()))
}

fn open_active(base_offset: i64, path: PathBuf, disk: &Disk, keep_until: Option<i64>) -> io::Result<Active> {
    let active = check(base_offset, path, disk, keep_until)?;
    let next_offset = active.extent.next_offset;
    if let Some(expected) = keep_until.filter(|&keep_until| next_offset < keep_until) {
        // Nothing may be written where something else was shown, and what is left must stay for a person to
        // look at.
        return Err(io::Error::new(
            io::ErrorKind::InvalidData,
            format!(
                "records that were shown are gone: the disk has them up to {next_offset}, not {expected}"
            ),
        ));
    }
    let size_bytes = active.file.file().metadata()?.len();
    if size_bytes > active.extent.size_bytes {
        cut_off(&active, size_bytes, disk)?;
    }
    disk.sync(&active.file)?;
    Ok(active)
}

/// Goes through the batches of a segment, from where its index says that it was checked before.
fn check(base_offset: i64, path: PathBuf, disk: &Disk, keep_until: Option<i64>) -> io::Result<Active> {
    let file = Arc::new(SyncedFile::new(OpenOptions::new().read(true).write(true).open(&path)?));
    let size_bytes = file.file().metadata()?.len();
    let known = index::load(&path).filter(|(extent, _)| {
        extent.size_bytes <= size_bytes
            && keep_until.is_none_or(|keep_until| extent.next_offset <= keep_until)
    });
    if known.is_none() {
        // It speaks of bytes that are gone: once the segment has grown again, it would be believed.
        index::remove(&path)?;
    }
    let nothing = Extent { size_bytes: 0, next_offset: base_offset, max_timestamp_ms: i64::MIN };
    let (extent, entries) = known.unwrap_or((nothing, Vec::new()));
    let mut active = Active { path, base_offset, file: Arc::clone(&file), extent, entries };
    if keep_until.is_some() || extent.size_bytes < size_bytes {
        disk.reread(&file)?;
    }
    let mut scan = Scan::new(file.file(), extent.size_bytes, size_bytes, CHECK_CHUNK_BYTES);
    while let Some(checked) = scan.checked()? {
        let header = match checked {
            Ok(header) if header.base_offset == active.extent.next_offset => header,
            Ok(header) => {
                log::warn!(
                    path:% = active.path.display(), expected = active.extent.next_offset,
                    found = header.base_offset;
                    "a batch has the wrong offset"
                );
                break;
            }
            Err(error) => {
                log::warn!(
                    path:% = active.path.display(), position = scan.position(), error:%;
                    "the log ends in a damaged batch"
                );
                break;
            }
        };
        if keep_until.is_some_and(|keep_until| header.next_offset() > keep_until) {
            break;
        }
        active.note(&header);
        scan.skip(&header);
    }
    Ok(active)
}

/// Cuts the file where its sound part ends and keeps the rest beside it, for a person to look at.
fn cut_off(active: &Active, size_bytes: u64, disk: &Disk) -> io::Result<()> {
    let keep_bytes = active.extent.size_bytes;
    let aside = active.path.with_extension("cut");
    log::warn!(
        path:% = active.path.display(), kept_bytes = keep_bytes, cut_bytes = size_bytes - keep_bytes,
        next_offset = active.extent.next_offset, aside:% = aside.display();
        "the end of the log was cut off"
    );
    if let Err(error) = copy_range(active.file.file(), keep_bytes, size_bytes, &aside) {
        log::warn!(aside:% = aside.display(), error:%; "what was cut off could not be set aside");
    }
    disk.truncate(&active.file, keep_bytes)
}

fn copy_range(from: &File, start: u64, end: u64, to: &Path) -> io::Result<()> {
    let to = File::create(to)?;
    let mut position = start;
    let mut buffer = vec![0; CHECK_CHUNK_BYTES];
    while position < end {
        let length = buffer.len().min((end - position) as usize);
        from.read_exact_at(&mut buffer[..length], position)?;
        to.write_all_at(&buffer[..length], position - start)?;
        position += length as u64;
    }
    Ok(())
}

/// The producers as of the end of the log: the newest snapshot that fits, then the batches behind it.
fn replay_producers(folder: &Path, sealed: &[Arc<Sealed>], active: &Active) -> io::Result<Producers> {
    let (mut producers, from_offset) = snapshot::load_producers(folder, active.extent.next_offset);
    for segment in sealed.iter().filter(|segment| segment.extent.next_offset > from_offset) {
        note_producers(
            &File::open(&segment.path)?,
            0,
            segment.extent.size_bytes,
            from_offset,
            &mut producers,
        )?;
    }
    let position = active.position_before(from_offset);
    note_producers(active.file.file(), position, active.extent.size_bytes, from_offset, &mut producers)?;
    Ok(producers)
}

fn note_producers(
    file: &File,
    position: u64,
    end: u64,
    from_offset: i64,
    producers: &mut Producers,
) -> io::Result<()> {
    let mut scan = Scan::new(file, position, end, CHECK_CHUNK_BYTES);
    while let Some(header) = scan.seek(|header| header.base_offset >= from_offset)? {
        producers.note(&header);
        scan.skip(&header);
    }
    Ok(())
}
