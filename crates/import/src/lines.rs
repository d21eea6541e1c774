//! Text files line by line, whatever their length: an endless line is one line that is cut, and what is not
//! UTF-8 is read as what it is likely to be.

use std::io::{self, BufRead, BufReader, Read};

/// A longer line is no message of anybody.
pub(crate) const LINE_MAX_BYTES: u64 = 1 << 20;

/// One line without its end.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Line {
    /// From 1.
    pub(crate) number: u64,
    pub(crate) bytes: Vec<u8>,
    /// It was longer than [`LINE_MAX_BYTES`], and the rest of it is not here.
    pub(crate) is_cut: bool,
}

/// The lines of a file.
pub(crate) struct Lines<R> {
    reader: BufReader<R>,
    number: u64,
}

impl<R: Read> Lines<R> {
    pub(crate) fn new(reader: R) -> Self {
        Self { reader: BufReader::with_capacity(1 << 16, reader), number: 0 }
    }

    pub(crate) fn next(&mut self) -> io::Result<Option<Line>> {
        let mut bytes = Vec::new();
        if self.reader.by_ref().take(LINE_MAX_BYTES).read_until(b'\n', &mut bytes)? == 0 {
            return Ok(None);
        }
        self.number += 1;
        let mut is_cut = false;
        if bytes.last() == Some(&b'\n') {
            bytes.pop();
            if bytes.last() == Some(&b'\r') {
                bytes.pop();
            }
        } else if bytes.len() as u64 == LINE_MAX_BYTES {
            is_cut = self.skip_rest()?;
        }
        if self.number == 1 && bytes.starts_with(b"\xef\xbb\xbf") {
            bytes.drain(..3);
        }
        Ok(Some(Line { number: self.number, bytes, is_cut }))
    }

    /// Whether there was any.
    fn skip_rest(&mut self) -> io::Result<bool> {
        let mut skipped = false;
        loop {
            let buffer = self.reader.fill_buf()?;
            if buffer.is_empty() {
                return Ok(skipped);
            }
            let end = buffer.iter().position(|byte| *byte == b'\n');
            let used = end.map_or(buffer.len(), |index| index + 1);
            skipped |= end != Some(0);
            self.reader.consume(used);
            if end.is_some() {
                return Ok(skipped);
            }
        }
    }
}

/// UTF-8 where it is that, else Windows-1252, which old programs wrote; the second says whether it was not
/// UTF-8.
pub(crate) fn decoded(bytes: &[u8]) -> (String, bool) {
    /// What the bytes from 0x80 to 0x9F are there; five are nothing.
    const HIGH: [char; 32] = [
        '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž', '\u{8f}',
        '\u{90}', '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}', 'ž', 'Ÿ',
    ];
    match std::str::from_utf8(bytes) {
        Ok(text) => (text.to_owned(), false),
        Err(_) => {
            let of = |byte: &u8| match byte {
                0x80..=0x9f => HIGH[usize::from(byte - 0x80)],
                byte => char::from(*byte),
            };
            (bytes.iter().map(of).collect(), true)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_end_where_they_end_and_endless_ones_are_cut() {
        let mut text = b"\xef\xbb\xbfone\r\n\ntwo\n".to_vec();
        text.extend(vec![b'x'; 3 << 20]);
        text.extend(b"\nlast");
        let mut lines = Lines::new(&*text);
        let mut found = Vec::new();
        while let Some(line) = lines.next().unwrap() {
            found.push((line.number, line.bytes.len(), line.is_cut));
        }
        assert_eq!(found, [(1, 3, false), (2, 0, false), (3, 3, false), (4, 1 << 20, true), (5, 4, false)]);
    }

    #[test]
    fn what_is_not_utf8_is_read_all_the_same() {
        assert_eq!(decoded("grüß".as_bytes()), ("grüß".to_owned(), false));
        assert_eq!(decoded(b"gr\xfc\xdf \x80 \x93x\x94"), ("grüß € “x”".to_owned(), true));
    }
}
