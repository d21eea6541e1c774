//! Going through the batches of a segment file from a position on, in chunks, without reading them all to
//! memory.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use bytes::Bytes;

use super::batch::{self, BatchError, BatchHeader, HEADER_BYTES, OffsetAtTime};

/// A cursor over the batches between a position and an end.
pub(crate) struct Scan<'a> {
    file: &'a File,
    position: u64,
    end: u64,
    chunk_bytes: usize,
    buffer: Vec<u8>,
    /// The position in the file of the first byte of `buffer`.
    buffer_position: u64,
}

impl<'a> Scan<'a> {
    /// Reads at least `chunk_bytes` at a time: small to look for one batch, large to go through all.
    pub(crate) fn new(file: &'a File, position: u64, end: u64, chunk_bytes: usize) -> Self {
        Self { file, position, end, chunk_bytes, buffer: Vec::new(), buffer_position: position }
    }

    pub(crate) fn position(&self) -> u64 {
        self.position
    }

    /// The header at the cursor, `None` at the end.
    pub(crate) fn header(&mut self) -> io::Result<Option<Result<BatchHeader, BatchError>>> {
        if self.position >= self.end {
            return Ok(None);
        }
        Ok(Some(self.bytes(HEADER_BYTES)?.ok_or(BatchError::Incomplete).and_then(BatchHeader::parse)))
    }

    /// The whole batch at the cursor, checked.
    pub(crate) fn checked(&mut self) -> io::Result<Option<Result<BatchHeader, BatchError>>> {
        let header = match self.header()? {
            Some(Ok(header)) => header,
            other => return Ok(other),
        };
        let batch = self.bytes(header.size_bytes)?;
        Ok(Some(batch.ok_or(BatchError::Incomplete).and_then(BatchHeader::verify)))
    }

    /// The bytes of the batch at the cursor, `None` when it is cut short.
    pub(crate) fn batch(&mut self, header: &BatchHeader) -> io::Result<Option<&[u8]>> {
        self.bytes(header.size_bytes)
    }

    /// Moves the cursor behind the batch at it.
    pub(crate) fn skip(&mut self, header: &BatchHeader) {
        self.position += header.size_bytes as u64;
    }

    /// Moves the cursor to the first batch for which `wanted` holds.
    pub(crate) fn seek(&mut self, wanted: impl Fn(&BatchHeader) -> bool) -> io::Result<Option<BatchHeader>> {
        while let Some(header) = self.header()? {
            let header = header.map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error))?;
            if wanted(&header) {
                return Ok(Some(header));
            }
            self.skip(&header);
        }
        Ok(None)
    }

    /// The first record from the cursor on that is not older than `timestamp_ms`.
    pub(crate) fn seek_time(&mut self, timestamp_ms: i64) -> io::Result<Option<OffsetAtTime>> {
        let Some(header) = self.seek(|header| header.max_timestamp_ms >= timestamp_ms)? else {
            return Ok(None);
        };
        Ok(self.batch(&header)?.map(|batch| batch::first_at_or_after(batch, &header, timestamp_ms)))
    }

    fn bytes(&mut self, wanted: usize) -> io::Result<Option<&[u8]>> {
        if self.position + wanted as u64 > self.end {
            return Ok(None);
        }
        let buffered_until = self.buffer_position + self.buffer.len() as u64;
        if self.position < self.buffer_position || self.position + wanted as u64 > buffered_until {
            let left = usize::try_from(self.end - self.position).unwrap_or(usize::MAX);
            self.buffer.resize(wanted.max(self.chunk_bytes).min(left), 0);
            self.buffer_position = self.position;
            self.file.read_exact_at(&mut self.buffer, self.position)?;
        }
        let from = (self.position - self.buffer_position) as usize;
        Ok(Some(&self.buffer[from..from + wanted]))
    }
}

/// Reads whole batches from `position` on: as many as fit into `max_bytes`, or one larger one if
/// `at_least_one`.
pub(crate) fn read_batches(
    file: &File,
    position: u64,
    end: u64,
    max_bytes: usize,
    at_least_one: bool,
) -> io::Result<Bytes> {
    let left = usize::try_from(end.saturating_sub(position)).unwrap_or(usize::MAX);
    let mut bytes = read(file, position, left.min(max_bytes))?;
    let mut whole = 0;
    while let Ok(header) = BatchHeader::parse(&bytes[whole..]) {
        if bytes.len() - whole < header.size_bytes {
            break;
        }
        whole += header.size_bytes;
    }
    if whole == 0 && at_least_one && left > 0 {
        let size_bytes = match BatchHeader::parse(&read(file, position, left.min(HEADER_BYTES))?) {
            Ok(header) => header.size_bytes.min(left),
            Err(error) => return Err(io::Error::new(io::ErrorKind::InvalidData, error)),
        };
        return Ok(Bytes::from(read(file, position, size_bytes)?));
    }
    bytes.truncate(whole);
    Ok(Bytes::from(bytes))
}

fn read(file: &File, position: u64, length: usize) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; length];
    file.read_exact_at(&mut bytes, position)?;
    Ok(bytes)
}
