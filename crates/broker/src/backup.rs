//! A copy of the log's folder while a broker works on it, by reading files alone.
//!
//! The copy is a log that a broker opens like one after a crash. It has at least everything that was
//! confirmed when its [`Extents`] were taken, and of each partition as much more as the caller asks for: a
//! store that was copied meanwhile must not be further than its log. It ends there, at a batch: what comes
//! later may be about things that the rest of the backup does not know.
//!
//! Closed segments never change, and those that grow only grow at their ends, so whatever was there stays
//! true while it is read. What disappears meanwhile was deleted by retention, and is gone from the copy too.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use crate::log::{START_OFFSET, index_path, segment_bases, segment_path};

/// Before the batches of a segment: its first offset, and the bytes that follow.
const BATCH_START_BYTES: usize = 12;
/// Files beside the topics; the first of them says which there are, so it is read before them.
const CATALOGUE: &str = "catalogue.json";
const OFFSETS: &str = "offsets.journal";
const TOPICS: &str = "topics";

/// How long each segment was at one moment.
#[derive(Debug, Default)]
pub struct Extents(BTreeMap<PathBuf, u64>);

/// What was copied.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Copied {
    /// Files.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
}

/// How long the segments in the log's folder are now.
///
/// # Errors
/// When the folder cannot be read.
pub fn extents(log: &Path) -> io::Result<Extents> {
    let mut extents = Extents::default();
    for partition in partitions(log)? {
        for (_, segment) in segment_bases(&partition.folder)? {
            match fs::metadata(&segment) {
                Ok(metadata) => drop(extents.0.insert(segment, metadata.len())),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
    }
    Ok(extents)
}

/// Copies the folder `log` to `to`, which must not be there yet. Of each partition at least what `extents`
/// say, and everything before the offset that `until` says; all of it where that is `None`.
///
/// # Errors
/// When something cannot be read or written: what was copied by then is left.
pub fn copy(
    log: &Path,
    to: &Path,
    extents: &Extents,
    until: &dyn Fn(&str, i32) -> Option<i64>,
) -> io::Result<Copied> {
    let mut copied = Copied::default();
    fs::create_dir(to)?;
    for name in [CATALOGUE, OFFSETS] {
        copied.whole(&log.join(name), &to.join(name))?;
    }
    for Partition { topic, number, folder } in partitions(log)? {
        let inside = folder.strip_prefix(log).map_err(io::Error::other)?;
        let target = to.join(inside);
        fs::create_dir_all(&target)?;
        copied.whole(&folder.join(START_OFFSET), &target.join(START_OFFSET))?;
        copied.partition(&folder, &target, extents, until(&topic, number))?;
        sync_folder(&target)?;
    }
    for folder in [to.join(TOPICS), to.to_owned()] {
        if folder.exists() {
            sync_folder(&folder)?;
        }
    }
    Ok(copied)
}

struct Partition {
    topic: String,
    number: i32,
    folder: PathBuf,
}

/// The partitions whose folders are there: `topics/NAME.ID/NUMBER`.
fn partitions(log: &Path) -> io::Result<Vec<Partition>> {
    let mut found = Vec::new();
    for topic in folders(&log.join(TOPICS))? {
        let name = topic.file_name().and_then(|name| name.to_str()).and_then(|name| name.rsplit_once('.'));
        let Some((name, _)) = name else { continue };
        for folder in folders(&topic)? {
            let number = folder.file_name().and_then(|number| number.to_str()?.parse().ok());
            let Some(number) = number else { continue };
            found.push(Partition { topic: name.to_owned(), number, folder });
        }
    }
    Ok(found)
}

fn folders(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(found),
        entries => entries?,
    };
    for entry in entries {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            found.push(entry.path());
        }
    }
    found.sort_unstable();
    Ok(found)
}

/// A file, if it is (still) there.
fn open(path: &Path) -> io::Result<Option<File>> {
    match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        opened => opened.map(Some),
    }
}

impl Copied {
    fn partition(
        &mut self,
        folder: &Path,
        target: &Path,
        extents: &Extents,
        until: Option<i64>,
    ) -> io::Result<()> {
        let mut segments = segment_bases(folder)?.into_iter().peekable();
        while let Some((base, segment)) = segments.next() {
            // One that had another behind it then was closed then, and is copied whole.
            let was_closed = segments.peek().is_some_and(|(_, next)| extents.0.contains_key(next));
            let at_least = extents.0.get(&segment).copied();
            if at_least.is_none() && until.is_some_and(|until| base >= until) {
                break;
            }
            let target = segment_path(target, base);
            if was_closed || until.is_none() && segments.peek().is_some() {
                self.whole(&segment, &target)?;
                self.whole(&index_path(&segment), &index_path(&target))?;
            } else {
                self.batches(&segment, &target, at_least.unwrap_or(0), until.unwrap_or(i64::MAX))?;
            }
        }
        Ok(())
    }

    /// A file as long as it is now; one that is gone is none.
    fn whole(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        let Some(source) = open(from)? else { return Ok(()) };
        let length = source.metadata()?.len();
        self.write(source, to, length)
    }

    /// The batches of a segment up to `at_least` bytes, and further ones that begin before `until`.
    fn batches(&mut self, from: &Path, to: &Path, at_least: u64, until: i64) -> io::Result<()> {
        let Some(source) = open(from)? else { return Ok(()) };
        let end = end_of_batches(&source, at_least, until)?;
        self.write(source, to, end)
    }

    fn write(&mut self, source: File, to: &Path, length: u64) -> io::Result<()> {
        let mut target = File::create_new(to)?;
        self.bytes += io::copy(&mut source.take(length), &mut target)?;
        target.sync_all()?;
        self.files += 1;
        Ok(())
    }
}

/// Where the last batch ends that belongs to the copy. A batch that is not whole yet does not.
fn end_of_batches(file: &File, at_least: u64, until: i64) -> io::Result<u64> {
    use std::os::unix::fs::FileExt as _;

    let length = file.metadata()?.len();
    let mut position = 0;
    let mut start = [0; BATCH_START_BYTES];
    loop {
        if position + BATCH_START_BYTES as u64 > length {
            return Ok(position);
        }
        file.read_exact_at(&mut start, position)?;
        let (offset, size) = start.split_at(8);
        let offset = i64::from_be_bytes(offset.try_into().map_err(io::Error::other)?);
        let size = i32::from_be_bytes(size.try_into().map_err(io::Error::other)?);
        let end = position + BATCH_START_BYTES as u64 + u64::try_from(size).unwrap_or(u64::MAX / 2);
        let is_wanted = position < at_least || offset < until;
        if !is_wanted || size <= 0 || end > length {
            return Ok(position);
        }
        position = end;
    }
}

fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use std::fs::OpenOptions;
    use std::io::Write as _;

    use super::*;

    /// A batch of one record, as far as its start is looked at.
    fn batch(offset: i64, bytes: usize) -> Vec<u8> {
        let mut batch = offset.to_be_bytes().to_vec();
        batch.extend(i32::try_from(bytes).unwrap().to_be_bytes());
        batch.extend(vec![7; bytes]);
        batch
    }

    struct Log(tempfile::TempDir);

    impl Log {
        fn new() -> Self {
            let log = Self(tempfile::tempdir().unwrap());
            fs::create_dir_all(log.partition()).unwrap();
            fs::write(log.folder().join(CATALOGUE), "{}").unwrap();
            log
        }

        fn folder(&self) -> PathBuf {
            self.0.path().join("log")
        }

        fn partition(&self) -> PathBuf {
            self.folder().join("topics/chat.messages.5f/3")
        }

        fn append(&self, base: i64, bytes: &[u8]) {
            let file = segment_path(&self.partition(), base);
            OpenOptions::new().create(true).append(true).open(file).unwrap().write_all(bytes).unwrap();
        }

        /// The names and lengths of the segments in a copy.
        fn copied(&self, extents: &Extents, until: Option<i64>) -> Vec<(String, u64)> {
            let to = self.0.path().join("copy");
            let wanted = |topic: &str, number| {
                assert_eq!((topic, number), ("chat.messages", 3));
                until
            };
            copy(&self.folder(), &to, extents, &wanted).unwrap();
            assert!(to.join(CATALOGUE).exists());
            let found = segment_bases(&to.join("topics/chat.messages.5f/3")).unwrap();
            let found = found.iter().map(|(_, file)| {
                let name = file.file_name().unwrap().to_str().unwrap().trim_start_matches('0').to_owned();
                (name, fs::metadata(file).unwrap().len())
            });
            let found = found.collect();
            fs::remove_dir_all(to).unwrap();
            found
        }
    }

    #[test]
    fn it_has_what_was_there_and_as_much_more_as_is_asked_for() {
        let log = Log::new();
        log.append(0, &[batch(0, 10), batch(1, 10)].concat());
        log.append(2, &batch(2, 10));
        let extents = extents(&log.folder()).unwrap();
        log.append(2, &[batch(3, 20), batch(4, 20)].concat());
        let first = (".log".to_owned(), 44);
        assert_eq!(log.copied(&extents, Some(0)), [first.clone(), ("2.log".to_owned(), 22)]);
        assert_eq!(log.copied(&extents, Some(4)), [first.clone(), ("2.log".to_owned(), 54)]);
        assert_eq!(log.copied(&extents, None), [first.clone(), ("2.log".to_owned(), 86)]);
        log.append(5, &batch(5, 10));
        assert_eq!(log.copied(&extents, Some(4)), [first.clone(), ("2.log".to_owned(), 54)]);
        let more = ("5.log".to_owned(), 22);
        assert_eq!(log.copied(&extents, Some(6)), [first.clone(), ("2.log".to_owned(), 86), more.clone()]);
        assert_eq!(log.copied(&extents, None), [first, ("2.log".to_owned(), 86), more]);
    }

    #[test]
    fn a_batch_that_is_being_written_is_left_out() {
        let log = Log::new();
        log.append(0, &batch(0, 10));
        log.append(0, &batch(1, 50)[..30]);
        let extents = extents(&log.folder()).unwrap();
        assert_eq!(log.copied(&extents, None), [(".log".to_owned(), 22)]);
    }
}
