//! `milena backup` and `milena restore`: the data folder as it was at one moment, while the program runs.
//!
//! A backup is a data folder, or that in an archive. Its log has every message that was accepted before the
//! backup began, and its database is never further than its log: what the log has beyond is stored at the
//! next start, as after a crash. What belongs to the moment alone (address, lock) is left out. It is complete
//! or it is not there: it gets its name at the end.

mod archive;

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Context as _, bail, ensure};
use milena_broker::backup::{self, Copied};
use milena_domain::cure;
use milena_process::{answer, start_logging};
use milena_settings::{DatabaseSettings, Secret, Settings};
use milena_storage::Store;
use serde_json::json;

use crate::cli::{BackupArguments, Options, RestoreArguments};
use crate::folder::{DATABASE, LOG};
use crate::{access, command, folder, settings};

/// What a backup says while it is made; nobody reads a log for it.
const LOG_FILTER: &str = "warn";
/// Added to the name while it is not whole.
const PARTIAL: &str = "partial";

/// Makes a backup.
///
/// # Errors
/// When something cannot be read or written. What was written by then is removed.
pub(crate) async fn back_up(options: &Options, arguments: &BackupArguments) -> anyhow::Result<ExitCode> {
    start_logging(LOG_FILTER);
    let settings = settings::load(options)?;
    let data = command::present_folder(options)?;
    let began = Instant::now();
    let target = new_place(&arguments.to)?;
    ensure!(!target.starts_with(&data), "a backup of {} must not be inside of it", data.display());
    let partial = target.with_added_extension(PARTIAL);
    remove(&partial)?;
    let made = make(&settings, &data, &partial, arguments.is_archive()).await;
    let named = made.and_then(|copied| {
        fs::rename(&partial, &target).with_context(|| format!("{} cannot be named", target.display()))?;
        sync_parent(&target)?;
        Ok(copied)
    });
    let copied = match named {
        Ok(copied) => copied,
        Err(error) => {
            remove(&partial)?;
            return Err(error);
        }
    };
    let seconds = began.elapsed().as_secs_f64();
    if arguments.json {
        answer(json!({"files": copied.files, "bytes": copied.bytes, "seconds": seconds}).to_string());
    } else {
        answer(format!(
            "{}: {} files, {:.1} MB, in {seconds:.1} s",
            target.display(),
            copied.files,
            copied.bytes as f64 / 1e6
        ));
    }
    Ok(ExitCode::SUCCESS)
}

async fn make(settings: &Settings, data: &Path, partial: &Path, is_archive: bool) -> anyhow::Result<Copied> {
    if !is_archive {
        return copy(settings, data, partial).await;
    }
    // The database has to be a file of its own first; the rest goes the same way.
    let folder = partial.with_added_extension("folder");
    remove(&folder)?;
    let packed = async {
        let copied = copy(settings, data, &folder).await?;
        let (folder, partial) = (folder.clone(), partial.to_owned());
        tokio::task::spawn_blocking(move || archive::pack(&folder, &partial)).await??;
        Ok(copied)
    };
    let packed = packed.await;
    remove(&folder)?;
    packed
}

/// The folder as a folder.
async fn copy(settings: &Settings, data: &Path, to: &Path) -> anyhow::Result<Copied> {
    fs::create_dir(to).with_context(|| format!("{} cannot be created", to.display()))?;
    let cannot_read = || format!("the log in {} cannot be copied", data.display());
    // Before the database: what was accepted by now is in the backup, and who sent it is in the database.
    let extents = backup::extents(&data.join(LOG)).with_context(cannot_read)?;
    let file = to.join(DATABASE);
    let store = open(&settings.database, data).await?;
    let copied = store.snapshot_to(&file).await;
    store.close().await;
    copied.context("the database cannot be copied")?;
    File::open(&file).and_then(|file| file.sync_all()).context("the copy of the database is not on disk")?;
    // After it: the log has everything up to where this database is.
    let snapshot = open(&settings.database, to).await?;
    let topic = settings.kafka.topic.clone();
    let position = snapshot.log_position(&topic).await;
    snapshot.close().await;
    let position = position.context("the copy of the database cannot be read")?;
    let (from, log) = (data.join(LOG), to.join(LOG));
    let until = move |copied: &str, partition| {
        (copied == topic).then(|| position.next_offsets.get(&partition).copied().unwrap_or(0))
    };
    let copying = tokio::task::spawn_blocking(move || backup::copy(&from, &log, &extents, &until));
    let mut copied = copying.await?.with_context(cannot_read)?;
    // Programs of this machine may be set up with it.
    let secret = access::file(data);
    if secret.exists() {
        fs::copy(&secret, access::file(to)).context("the log's secret cannot be copied")?;
    }
    copied.files += 1;
    copied.bytes += fs::metadata(&file)?.len();
    File::open(to)?.sync_all()?;
    Ok(copied)
}

/// The database in a data folder, as it is.
async fn open(database: &DatabaseSettings, data: &Path) -> anyhow::Result<Store> {
    let url = Secret::new(folder::database_url(data)?);
    let settings = DatabaseSettings { url, ..database.clone() };
    Store::connect(&settings).await.context("the database cannot be opened")
}

/// Brings a backup back.
///
/// # Errors
/// When the folder holds something already, or the backup is none. What was written by then is removed.
pub(crate) fn restore(options: &Options, arguments: &RestoreArguments) -> anyhow::Result<ExitCode> {
    start_logging(LOG_FILTER);
    let from = &arguments.from;
    let metadata =
        fs::metadata(from).with_context(|| format!("the backup {} cannot be opened", from.display()))?;
    let is_empty = fs::read_dir(&options.data).map_or(true, |mut entries| entries.next().is_none());
    if !is_empty {
        bail!(
            "{} holds something already: name a folder that does not exist yet (--data)",
            options.data.display()
        );
    }
    let partial = options.data.with_added_extension(PARTIAL);
    remove(&partial)?;
    let unpacked =
        if metadata.is_dir() { copy_folder(from, &partial) } else { archive::unpack(from, &partial) };
    let restored = unpacked.and_then(|()| {
        let is_whole = [LOG, DATABASE].iter().all(|part| partial.join(part).exists());
        ensure!(is_whole, "{} is no backup of milena", from.display());
        if options.data.exists() {
            fs::remove_dir(&options.data)?;
        }
        fs::rename(&partial, &options.data)?;
        Ok(())
    });
    if let Err(error) = restored {
        remove(&partial)?;
        return Err(error);
    }
    answer(format!(
        "{} is restored. If people wrote after the backup was made, say {} before the first start: places of \
         messages that are gone are not given to others then.",
        options.data.display(),
        cure::command("new-epoch")
    ));
    Ok(ExitCode::SUCCESS)
}

fn copy_folder(from: &Path, to: &Path) -> anyhow::Result<()> {
    fs::create_dir(to).with_context(|| format!("{} cannot be created", to.display()))?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_folder(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), &target)
                .with_context(|| format!("{} cannot be copied", entry.path().display()))?;
            File::open(&target)?.sync_all()?;
        }
    }
    Ok(())
}

/// The full path of something that is not there yet, in a folder that is.
fn new_place(path: &Path) -> anyhow::Result<PathBuf> {
    ensure!(!path.exists(), "{} exists already: a backup takes the place of nothing", path.display());
    let name = path.file_name().with_context(|| format!("{} names no file", path.display()))?;
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let parent = parent.canonicalize().with_context(|| format!("there is no folder {}", parent.display()))?;
    Ok(parent.join(name))
}

/// Removes what an interrupted backup has left, if it has.
fn remove(path: &Path) -> anyhow::Result<()> {
    let removed = match fs::symlink_metadata(path) {
        Ok(metadata) if metadata.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    };
    removed.with_context(|| format!("{} cannot be removed", path.display()))
}

fn sync_parent(path: &Path) -> anyhow::Result<()> {
    let parent = path.parent().unwrap_or(Path::new("/"));
    File::open(parent).and_then(|folder| folder.sync_all())?;
    Ok(())
}
