//! An export as files by name, whether it is a folder, a zip, a tar, or one plain file.
//!
//! Archives are hostile until proven otherwise: one entry with an absolute path, with `..` or that is a link
//! refuses the whole archive before anything of it is read, and whatever unpacks to far more than text ever
//! does is refused where it happens. Nothing is held in memory but the list of names; a tar, which can only
//! be read from its beginning, has the files that are wanted unpacked into a folder of its own first.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::ops::Bound;
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;
use tempfile::TempDir;
use zip::ZipArchive;

use crate::ReadError;

/// Files in an export, at most.
const FILES_MAX: usize = 2_000_000;
/// What one file unpacks to, at most.
const FILE_MAX_BYTES: u64 = 64 << 30;
/// From here on it is looked at how much more the unpacked is than the packed.
const RATIO_FROM_BYTES: u64 = 64 << 20;
/// Text becomes a tenth, very much alike text a fiftieth; a thousandth is what bombs are.
const RATIO_MAX: u64 = 300;
/// Folders within folders.
const DEPTH_MAX: usize = 16;

/// The files of an export.
#[derive(Debug)]
pub(crate) struct Archive {
    path: PathBuf,
    /// By name: where it is in the archive, or under what number it was unpacked.
    names: BTreeMap<String, usize>,
    form: Form,
}

#[derive(Debug)]
enum Form {
    Folder(PathBuf),
    Zip(Box<ZipArchive<BufReader<File>>>),
    File,
    Unpacked(TempDir),
}

impl Archive {
    /// Opens a folder, a zip, a tar (plain or gzip), or one plain file. Of a tar only the files whose names
    /// `is_wanted` are kept.
    ///
    /// # Errors
    /// When it cannot be read, or is not to be unpacked.
    pub(crate) fn open(path: &Path, is_wanted: fn(&str) -> bool) -> Result<Self, ReadError> {
        let shown = path.display().to_string();
        let metadata = std::fs::metadata(path).map_err(ReadError::io(&shown))?;
        if metadata.is_dir() {
            let mut names = Vec::new();
            list(path, "", 0, &mut names).map_err(ReadError::io(&shown))?;
            let names = names.into_iter().map(|name| (name, 0)).collect();
            return Ok(Self { path: path.to_owned(), names, form: Form::Folder(path.to_owned()) });
        }
        let mut file = File::open(path).map_err(ReadError::io(&shown))?;
        let mut start = Vec::new();
        file.by_ref().take(512).read_to_end(&mut start).map_err(ReadError::io(&shown))?;
        file.seek(SeekFrom::Start(0)).map_err(ReadError::io(&shown))?;
        if start.starts_with(b"PK\x03\x04") || start.starts_with(b"PK\x05\x06") {
            return Self::zip(path, file);
        }
        if is_tar(&start) {
            return Self::tar(path, file, metadata.len(), is_wanted);
        }
        if start.starts_with(&[0x1f, 0x8b]) {
            let mut unpacked = Vec::new();
            let _ = MultiGzDecoder::new(&file).take(512).read_to_end(&mut unpacked);
            if is_tar(&unpacked) {
                file.seek(SeekFrom::Start(0)).map_err(ReadError::io(&shown))?;
                return Self::tar(path, MultiGzDecoder::new(BufReader::new(file)), metadata.len(), is_wanted);
            }
        }
        let name = path.file_name().map_or(shown, |name| name.to_string_lossy().into_owned());
        Ok(Self { path: path.to_owned(), names: BTreeMap::from([(name, 0)]), form: Form::File })
    }

    fn zip(path: &Path, file: File) -> Result<Self, ReadError> {
        let refused = |problem: String| ReadError::Archive { archive: path.display().to_string(), problem };
        let mut zip = ZipArchive::new(BufReader::new(file)).map_err(|error| refused(error.to_string()))?;
        if zip.len() > FILES_MAX {
            return Err(refused(format!("it has more than {FILES_MAX} files")));
        }
        let mut names = BTreeMap::new();
        for index in 0..zip.len() {
            let entry = zip.by_index_raw(index).map_err(|error| refused(error.to_string()))?;
            // Names are UTF-8 in practice, whether the archive says so or not.
            let name = String::from_utf8_lossy(entry.name_raw()).into_owned();
            if entry.is_symlink() {
                return Err(refused(format!("{name:?} is a link to elsewhere")));
            }
            if entry.encrypted() {
                return Err(refused(format!("{name:?} is encrypted")));
            }
            let is_dir = entry.is_dir();
            check_name(&name).map_err(refused)?;
            if !is_dir {
                names.insert(name, index);
            }
        }
        Ok(Self { path: path.to_owned(), names, form: Form::Zip(Box::new(zip)) })
    }

    fn tar(
        path: &Path,
        reader: impl Read,
        packed_bytes: u64,
        is_wanted: fn(&str) -> bool,
    ) -> Result<Self, ReadError> {
        let shown = path.display().to_string();
        let refused = |problem: String| ReadError::Archive { archive: shown.clone(), problem };
        let broken = |error: io::Error| refused(error.to_string());
        let folder = tempfile::tempdir().map_err(broken)?;
        let mut names = BTreeMap::new();
        let limit = RATIO_FROM_BYTES.max(packed_bytes.saturating_mul(RATIO_MAX));
        let mut tar = tar::Archive::new(Limited { input: reader, left: limit, limit });
        for (index, entry) in tar.entries().map_err(broken)?.enumerate() {
            let mut entry = entry.map_err(broken)?;
            if index >= FILES_MAX {
                return Err(refused(format!("it has more than {FILES_MAX} files")));
            }
            let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
            let kind = entry.header().entry_type();
            if kind.is_symlink() || kind.is_hard_link() {
                return Err(refused(format!("{name:?} is a link to elsewhere")));
            }
            let name = name.trim_start_matches("./").to_owned();
            if name.is_empty() {
                continue;
            }
            check_name(&name).map_err(refused)?;
            if kind.is_file() && is_wanted(&name) {
                // By number: the names of the archive never become names on this machine.
                let mut file = File::create(folder.path().join(index.to_string())).map_err(broken)?;
                io::copy(&mut entry, &mut file).map_err(broken)?;
                names.insert(name, index);
            }
        }
        Ok(Self { path: path.to_owned(), names, form: Form::Unpacked(folder) })
    }

    /// Where it is, to be shown.
    #[must_use]
    pub(crate) fn shown(&self) -> String {
        self.path.display().to_string()
    }

    /// Whether it is one plain file.
    #[must_use]
    pub(crate) const fn is_plain(&self) -> bool {
        matches!(self.form, Form::File)
    }

    /// The names of all files.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.names.keys().map(String::as_str)
    }

    /// The names of the files in a folder and below it; the folder ends with `/`.
    pub(crate) fn within(&self, folder: &str) -> impl Iterator<Item = &str> {
        let from = (Bound::Included(folder), Bound::Unbounded);
        let names = self.names.range::<str, _>(from).map(|(name, _)| name.as_str());
        names.take_while(move |name| name.starts_with(folder))
    }

    /// Whether there is a file of this name.
    #[must_use]
    pub(crate) fn has(&self, name: &str) -> bool {
        self.names.contains_key(name)
    }

    /// The folder in which a file of this name lies, which all others are in or below; exports are packed
    /// with and without a folder around them.
    #[must_use]
    pub(crate) fn root_of(&self, name: &str) -> Option<String> {
        let inside = format!("/{name}");
        let roots = self
            .names()
            .filter_map(|known| if known == name { Some("") } else { known.strip_suffix(&inside) });
        let shortest = roots.min_by_key(|root| root.len())?;
        Some(if shortest.is_empty() { String::new() } else { format!("{shortest}/") })
    }

    /// Opens one of [`Archive::names`].
    ///
    /// # Errors
    /// When there is none of this name, or it cannot be read.
    pub(crate) fn open_file(&mut self, name: &str) -> Result<Box<dyn Read + '_>, ReadError> {
        let broken = ReadError::io(name);
        let Some(&index) = self.names.get(name) else {
            return Err(broken(io::Error::new(io::ErrorKind::NotFound, "there is no such file")));
        };
        let opened = |path: &Path| -> io::Result<Box<dyn Read>> {
            let file = File::open(path)?;
            let mut start = Vec::new();
            file.try_clone()?.take(2).read_to_end(&mut start)?;
            let mut file = file;
            file.seek(SeekFrom::Start(0))?;
            if start == [0x1f, 0x8b] {
                let limit = RATIO_FROM_BYTES.max(file.metadata()?.len().saturating_mul(RATIO_MAX));
                return Ok(Box::new(Limited { input: MultiGzDecoder::new(file), left: limit, limit }));
            }
            Ok(Box::new(file))
        };
        match &mut self.form {
            Form::Folder(folder) => opened(&folder.join(name)).map_err(broken).map(|file| file as _),
            Form::File => opened(&self.path).map_err(broken).map(|file| file as _),
            Form::Unpacked(folder) => {
                opened(&folder.path().join(index.to_string())).map_err(broken).map(|file| file as _)
            }
            Form::Zip(zip) => {
                let entry = zip
                    .by_index(index)
                    .map_err(|error| broken(io::Error::new(io::ErrorKind::InvalidData, error.to_string())))?;
                let packed = entry.compressed_size();
                let limit = FILE_MAX_BYTES.min(RATIO_FROM_BYTES.max(packed.saturating_mul(RATIO_MAX)));
                Ok(Box::new(Limited { input: entry, left: limit, limit }))
            }
        }
    }
}

/// Reads no further than `limit` bytes.
struct Limited<R> {
    input: R,
    left: u64,
    limit: u64,
}

impl<R: Read> Read for Limited<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.input.read(buffer)?;
        self.left = self.left.checked_sub(read as u64).ok_or_else(|| {
            let problem = format!("it unpacks to more than {} MiB, which no text does", self.limit >> 20);
            io::Error::new(io::ErrorKind::InvalidData, problem)
        })?;
        Ok(read)
    }
}

fn is_tar(start: &[u8]) -> bool {
    start.get(257..262) == Some(b"ustar")
}

/// A name that leads nowhere but into the archive.
fn check_name(name: &str) -> Result<(), String> {
    let bytes = name.as_bytes();
    let has_drive = bytes.get(1) == Some(&b':') && bytes[0].is_ascii_alphabetic();
    if name.starts_with(['/', '\\']) || has_drive {
        return Err(format!("{name:?} is an absolute path"));
    }
    if name.split(['/', '\\']).any(|part| part == "..") {
        return Err(format!("{name:?} leads out of the archive"));
    }
    if name.contains('\0') || name.len() > 4_096 {
        return Err("it has a name that is no file's".to_owned());
    }
    Ok(())
}

/// Links are passed over: a folder is what somebody unpacked, and may have any.
fn list(folder: &Path, prefix: &str, depth: usize, names: &mut Vec<String>) -> io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let kind = entry.file_type()?;
        let Ok(name) = entry.file_name().into_string() else { continue };
        let name = if prefix.is_empty() { name } else { format!("{prefix}/{name}") };
        if kind.is_dir() && depth < DEPTH_MAX {
            list(&entry.path(), &name, depth + 1, names)?;
        } else if kind.is_file() && names.len() < FILES_MAX {
            names.push(name);
        }
    }
    Ok(())
}
