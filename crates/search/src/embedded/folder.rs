//! The folder of an index: opening it, telling what is wrong with it, and emptying it.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use tantivy::directory::error::LockError;
use tantivy::directory::{Directory, INDEX_WRITER_LOCK, MmapDirectory};
use tantivy::merge_policy::LogMergePolicy;
use tantivy::{Index as Engine, IndexSettings, ReloadPolicy, TantivyError};

use super::Inner;
use super::fields::Fields;
use super::payload::{self, FORMAT};
use crate::index::{Checkpoint, IndexError};

/// Part of deleted messages in a file of the index beyond which it is written anew without them.
const DELETED_MAX_RATIO: f32 = 0.2;

/// A folder that an index is in, or may be.
#[derive(Debug, Clone)]
pub struct TantivyFolder {
    path: PathBuf,
}

impl TantivyFolder {
    /// The folder there.
    #[must_use]
    pub fn new(path: &Path) -> Self {
        Self { path: path.to_owned() }
    }

    /// Removes the index from the folder, whatever state it is in, so that it can be made again. Files that
    /// are not of an index stay.
    ///
    /// # Errors
    /// `InUse` while a process has it open; `Unavailable` when the disk refuses.
    pub fn clear(&self) -> Result<(), IndexError> {
        let directory = self.directory()?;
        let _lock = directory.acquire_lock(&INDEX_WRITER_LOCK).map_err(|error| self.lock_error(&error))?;
        // The list of segments last, so that a half-emptied folder is damaged and not taken for a whole one.
        for (path, name) in self.files()? {
            if name != META && is_of_index(&name) {
                fs::remove_file(path).map_err(unavailable)?;
            }
        }
        match fs::remove_file(self.path.join(META)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(unavailable(error)),
            _ => Ok(()),
        }
    }

    pub(super) fn size_bytes(&self) -> Result<u64, IndexError> {
        let mut bytes = 0;
        for (path, _) in self.files()? {
            // Files come and go while they are counted.
            bytes += fs::metadata(path).map_or(0, |metadata| metadata.len());
        }
        Ok(bytes)
    }

    fn directory(&self) -> Result<MmapDirectory, IndexError> {
        fs::create_dir_all(&self.path).map_err(unavailable)?;
        MmapDirectory::open(&self.path).map_err(|problem| error(problem.into()))
    }

    fn files(&self) -> Result<Vec<(PathBuf, String)>, IndexError> {
        let mut files = Vec::new();
        for entry in fs::read_dir(&self.path).map_err(unavailable)? {
            let entry = entry.map_err(unavailable)?;
            if let Ok(name) = entry.file_name().into_string() {
                files.push((entry.path(), name));
            }
        }
        Ok(files)
    }

    /// The index there, or a new one where nothing of one is.
    fn engine(&self, directory: MmapDirectory, fields: &Fields) -> Result<Engine, IndexError> {
        if Engine::exists(&directory).map_err(|problem| error(problem.into()))? {
            return Engine::open(directory).map_err(error);
        }
        if self.files()?.iter().any(|(_, name)| is_segment(name)) {
            return Err(IndexError::Damaged { what: format!("{META} is missing") });
        }
        Engine::create(directory, fields.schema.clone(), IndexSettings::default()).map_err(error)
    }

    fn lock_error(&self, error: &LockError) -> IndexError {
        match error {
            LockError::LockBusy => IndexError::InUse { folder: self.path.clone() },
            LockError::IoError(error) => IndexError::Unavailable { what: error.to_string() },
        }
    }
}

const META: &str = "meta.json";

/// What is said of an error of the engine.
pub(super) fn error(error: TantivyError) -> IndexError {
    let what = error.to_string();
    match error {
        TantivyError::IoError(_)
        | TantivyError::OpenDirectoryError(_)
        | TantivyError::OpenWriteError(_)
        | TantivyError::SystemError(_)
        | TantivyError::ErrorInThread(_)
        | TantivyError::Poisoned => IndexError::Unavailable { what },
        TantivyError::IncompatibleIndex(_) => IndexError::OtherFormat { found: what, expected: FORMAT },
        _ => IndexError::Damaged { what },
    }
}

fn unavailable(error: io::Error) -> IndexError {
    IndexError::Unavailable { what: error.to_string() }
}

/// Segments are named by 32 hexadecimal digits.
fn is_segment(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or_default();
    stem.len() == 32 && stem.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn is_of_index(name: &str) -> bool {
    is_segment(name) || name == META || name == ".managed.json"
}

impl Inner {
    pub(super) fn open(folder: TantivyFolder, memory_bytes: usize) -> Result<Self, IndexError> {
        let fields = Fields::new();
        let engine = folder.engine(folder.directory()?, &fields)?;
        let held = engine.writer_with_num_threads(1, memory_bytes);
        let writer = held.map_err(|problem| match problem {
            TantivyError::LockFailure(lock, _) => folder.lock_error(&lock),
            other => error(other),
        })?;
        committed(&engine)?;
        if engine.schema() != fields.schema {
            return Err(IndexError::OtherFormat { found: "with other fields".to_owned(), expected: FORMAT });
        }
        let mut merging = LogMergePolicy::default();
        merging.set_del_docs_ratio_before_merge(DELETED_MAX_RATIO);
        writer.set_merge_policy(Box::new(merging));
        let reader = engine.reader_builder().reload_policy(ReloadPolicy::Manual).try_into().map_err(error)?;
        Ok(Self { fields, reader, writer: Mutex::new(Some(writer)), folder, places: Arc::default() })
    }

    pub(super) fn checkpoint(&self) -> Result<Option<Checkpoint>, IndexError> {
        committed(self.reader.searcher().index())
    }

    pub(super) fn check(&self) -> Result<(), IndexError> {
        let damaged = self.reader.searcher().index().validate_checksum().map_err(error)?;
        let mut names: Vec<String> = damaged.iter().map(|path| path.display().to_string()).collect();
        if names.is_empty() {
            return Ok(());
        }
        names.sort_unstable();
        Err(IndexError::Damaged { what: format!("{} are not as they were written", names.join(", ")) })
    }
}

/// What the last commit says; nothing when the index is new.
fn committed(engine: &Engine) -> Result<Option<Checkpoint>, IndexError> {
    let meta = engine.load_metas().map_err(error)?;
    match meta.payload {
        Some(payload) => payload::read(&payload).map(Some),
        None if meta.segments.is_empty() => Ok(None),
        None => Err(IndexError::OtherFormat { found: "unknown".to_owned(), expected: FORMAT }),
    }
}
