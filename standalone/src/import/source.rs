//! The file, line by line: plain or gzip, told apart by its first bytes.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use flate2::bufread::MultiGzDecoder;

/// Lines handled at once: enough to ask the database seldom, few enough to hold in memory.
const CHUNK_LINES: usize = 2_000;
/// A longer line cannot be a message; it is cut here and refused.
const LINE_MAX_BYTES: u64 = 1 << 20;
const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];
/// What some programs write before the first line; it belongs to none.
const UTF8_MARK: [u8; 3] = [0xef, 0xbb, 0xbf];
const UTF16_MARKS: [[u8; 2]; 2] = [[0xff, 0xfe], [0xfe, 0xff]];

/// An open file.
pub(crate) struct Source {
    reader: Box<dyn BufRead + Send>,
    /// Bytes of the file (compressed, if it is) read so far; written by the reader below, read for the
    /// progress bar.
    bytes_read: Arc<AtomicU64>,
    bytes_total: Option<u64>,
    line_number: u64,
    /// What ended the reading in the middle of a chunk: told after the lines before it were taken.
    broken: Option<io::Error>,
}

/// Some lines with their numbers, from 1; empty at the end of the file.
pub(crate) struct Chunk {
    /// Number and text; blank lines are left out.
    pub(crate) lines: Vec<(u64, Vec<u8>)>,
    /// Bytes of the file read up to here.
    pub(crate) bytes_read: u64,
}

impl Source {
    /// Opens `path`; `-` is standard input.
    ///
    /// # Errors
    /// As the system says.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        let (input, bytes_total): (Box<dyn Read + Send>, _) = if path.as_os_str() == "-" {
            (Box::new(io::stdin()), None)
        } else {
            let file = File::open(path)?;
            if file.metadata()?.is_dir() {
                return Err(io::Error::new(io::ErrorKind::IsADirectory, "it is a folder"));
            }
            let length = file.metadata()?.len();
            (Box::new(file), Some(length))
        };
        Self::new(input, bytes_total)
    }

    fn new(input: Box<dyn Read + Send>, bytes_total: Option<u64>) -> io::Result<Self> {
        let bytes_read = Arc::new(AtomicU64::new(0));
        let mut counted =
            BufReader::with_capacity(1 << 16, Counted { input, count: Arc::clone(&bytes_read) });
        let mut reader: Box<dyn BufRead + Send> = if counted.fill_buf()?.starts_with(&GZIP_MAGIC) {
            Box::new(BufReader::with_capacity(1 << 16, MultiGzDecoder::new(counted)))
        } else {
            Box::new(counted)
        };
        // A damaged file is told when its lines are read.
        let start = reader.fill_buf().unwrap_or_default();
        if UTF16_MARKS.iter().any(|mark| start.starts_with(mark)) {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "it is UTF-16; save it as UTF-8"));
        }
        if start.starts_with(&UTF8_MARK) {
            reader.consume(UTF8_MARK.len());
        }
        Ok(Self { reader, bytes_read, bytes_total, line_number: 0, broken: None })
    }

    /// The file's size, if it has one.
    #[must_use]
    pub(crate) const fn bytes_total(&self) -> Option<u64> {
        self.bytes_total
    }

    /// The next lines.
    ///
    /// # Errors
    /// When the file cannot be read, or its compression is damaged; after the lines before that were
    /// answered.
    pub(crate) fn next_chunk(&mut self) -> io::Result<Chunk> {
        if let Some(error) = self.broken.take() {
            return Err(error);
        }
        let mut lines = Vec::with_capacity(CHUNK_LINES);
        while lines.len() < CHUNK_LINES {
            let line = match self.next_line() {
                Ok(Some(line)) => line,
                Ok(None) => break,
                Err(error) if lines.is_empty() => return Err(error),
                Err(error) => {
                    self.broken = Some(error);
                    break;
                }
            };
            self.line_number += 1;
            if !line.trim_ascii().is_empty() {
                lines.push((self.line_number, line));
            }
        }
        Ok(Chunk { lines, bytes_read: self.bytes_read.load(Ordering::Relaxed) })
    }

    fn next_line(&mut self) -> io::Result<Option<Vec<u8>>> {
        let mut line = Vec::new();
        if self.reader.by_ref().take(LINE_MAX_BYTES).read_until(b'\n', &mut line)? == 0 {
            return Ok(None);
        }
        if line.len() as u64 == LINE_MAX_BYTES && line.last() != Some(&b'\n') {
            self.skip_rest_of_line()?;
        }
        Ok(Some(line))
    }

    fn skip_rest_of_line(&mut self) -> io::Result<()> {
        loop {
            let buffer = self.reader.fill_buf()?;
            if buffer.is_empty() {
                return Ok(());
            }
            let end = buffer.iter().position(|byte| *byte == b'\n');
            let used = end.map_or(buffer.len(), |index| index + 1);
            self.reader.consume(used);
            if end.is_some() {
                return Ok(());
            }
        }
    }
}

struct Counted {
    input: Box<dyn Read + Send>,
    count: Arc<AtomicU64>,
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.input.read(buffer)?;
        self.count.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    fn lines(bytes: Vec<u8>) -> Vec<(u64, String)> {
        let mut source = Source::new(Box::new(io::Cursor::new(bytes)), None).unwrap();
        let chunk = source.next_chunk().unwrap();
        chunk
            .lines
            .into_iter()
            .map(|(n, text)| (n, String::from_utf8(text).unwrap().trim().to_owned()))
            .collect()
    }

    #[test]
    fn plain_and_gzip_give_the_same_lines_with_their_numbers() {
        let text = b"one\n\n  \ntwo\nlast".to_vec();
        let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
        gzip.write_all(&text).unwrap();
        let expected = [(1, "one".to_owned()), (4, "two".to_owned()), (5, "last".to_owned())];
        assert_eq!(lines(text), expected);
        assert_eq!(lines(gzip.finish().unwrap()), expected);
        assert!(lines(Vec::new()).is_empty());
    }

    #[test]
    fn a_mark_of_the_encoding_is_no_part_of_the_first_line() {
        let marked = b"\xef\xbb\xbfone\ntwo\n".to_vec();
        let expected = [(1, "one".to_owned()), (2, "two".to_owned())];
        let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
        gzip.write_all(&marked).unwrap();
        assert_eq!(lines(marked), expected);
        assert_eq!(lines(gzip.finish().unwrap()), expected);
        for utf16 in [b"\xff\xfe{\0", b"\xfe\xff\0{"] {
            let opened = Source::new(Box::new(io::Cursor::new(utf16.to_vec())), None);
            assert!(opened.err().unwrap().to_string().contains("UTF-16"));
        }
    }

    #[test]
    fn what_comes_before_the_damage_is_read() {
        let mut gzip = GzEncoder::new(Vec::new(), Compression::none());
        gzip.write_all(b"one\ntwo\nthree\n").unwrap();
        let mut bytes = gzip.finish().unwrap();
        bytes.truncate(bytes.len() - 8);
        let mut source = Source::new(Box::new(io::Cursor::new(bytes)), None).unwrap();
        assert_eq!(source.next_chunk().unwrap().lines.len(), 3);
        assert!(source.next_chunk().is_err());
    }

    #[test]
    fn an_endless_line_is_one_line_and_does_not_fill_memory() {
        let mut text = vec![b'x'; 3 << 20];
        text.extend_from_slice(b"\nnext\n");
        let lines = lines(text);
        assert_eq!(lines[0].1.len(), 1 << 20);
        assert_eq!(lines[1], (2, "next".to_owned()));
    }
}
