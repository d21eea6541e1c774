//! A look at a request before it is decoded: are all the things there that it announces?
//!
//! The codec reserves memory for as many elements as a list claims to have, so a claim of two thousand
//! million of them, in twenty bytes, would end the process. Here every request is walked first, with no
//! memory at all, and lists, tagged fields and their total are held against what really arrived. Tests keep
//! the shapes in step with the codec.

use kafka_protocol::messages::ApiKey;

/// Elements and tagged fields of one request together; far more than any client needs.
pub(super) const MAX_ELEMENTS: usize = 100_000;

/// One kind of thing on the wire.
#[derive(Debug, Clone, Copy)]
enum Kind {
    /// So many bytes.
    Fixed(usize),
    /// Two bytes of length, or a variable-length one in flexible versions; may be null.
    Text,
    /// The same with four bytes of length.
    Bytes,
    /// Elements of one kind.
    Each(&'static Kind),
    /// Elements with fields.
    List(&'static [Field]),
}

/// A field, in the versions that have it.
#[derive(Debug, Clone, Copy)]
struct Field {
    from: i16,
    until: i16,
    kind: Kind,
}

/// What is wrong with a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum ShapeError {
    #[error("it ends too early")]
    Short,
    #[error("a length in it makes no sense")]
    Length,
    #[error("it has more than {MAX_ELEMENTS} elements")]
    TooMany,
}

const fn always(kind: Kind) -> Field {
    between(0, i16::MAX, kind)
}

const fn since(from: i16, kind: Kind) -> Field {
    between(from, i16::MAX, kind)
}

const fn between(from: i16, until: i16, kind: Kind) -> Field {
    Field { from, until, kind }
}

const BYTE: Kind = Kind::Fixed(1);
const SHORT: Kind = Kind::Fixed(2);
const INT: Kind = Kind::Fixed(4);
const LONG: Kind = Kind::Fixed(8);
const UUID: Kind = Kind::Fixed(16);
const TEXT: Kind = Kind::Text;
const BYTES: Kind = Kind::Bytes;
const INTS: Kind = Kind::Each(&INT);
const TEXTS: Kind = Kind::Each(&TEXT);
const NAME_AND_INTS: Kind = Kind::List(&[always(TEXT), always(INTS)]);

/// A partition with further fields, within a topic.
macro_rules! topics {
    ($($field:expr),+ $(,)?) => {
        Kind::List(&[always(TEXT), always(Kind::List(&[$($field),+]))])
    };
}

/// A request without flexible versions.
const NEVER: i16 = i16::MAX;

/// Every request that is answered: its first flexible version, and its fields.
const SHAPES: &[(ApiKey, i16, &[Field])] = &[
    (
        ApiKey::Produce,
        9,
        &[always(TEXT), always(SHORT), always(INT), always(topics![always(INT), always(BYTES)])],
    ),
    (
        ApiKey::Fetch,
        12,
        &[
            always(Kind::Fixed(17)),
            since(7, LONG),
            always(topics![
                always(INT),
                since(9, INT),
                always(LONG),
                since(12, INT),
                since(5, LONG),
                always(INT)
            ]),
            since(7, NAME_AND_INTS),
            since(11, TEXT),
        ],
    ),
    (
        ApiKey::ListOffsets,
        6,
        &[always(INT), since(2, BYTE), always(topics![always(INT), since(4, INT), always(LONG)])],
    ),
    (
        ApiKey::Metadata,
        9,
        &[
            always(Kind::List(&[since(10, UUID), always(TEXT)])),
            since(4, BYTE),
            between(8, 10, BYTE),
            since(8, BYTE),
        ],
    ),
    (
        ApiKey::OffsetCommit,
        8,
        &[
            always(TEXT),
            always(INT),
            always(TEXT),
            since(7, TEXT),
            between(2, 4, LONG),
            always(topics![always(INT), always(LONG), since(6, INT), always(TEXT)]),
        ],
    ),
    (
        ApiKey::OffsetFetch,
        6,
        &[
            between(0, 7, TEXT),
            between(0, 7, NAME_AND_INTS),
            since(8, Kind::List(&[always(TEXT), since(9, TEXT), since(9, INT), always(NAME_AND_INTS)])),
            since(7, BYTE),
        ],
    ),
    (ApiKey::FindCoordinator, 3, &[between(0, 3, TEXT), since(1, BYTE), since(4, TEXTS)]),
    (
        ApiKey::JoinGroup,
        6,
        &[
            always(TEXT),
            always(INT),
            since(1, INT),
            always(TEXT),
            since(5, TEXT),
            always(TEXT),
            always(Kind::List(&[always(TEXT), always(BYTES)])),
            since(8, TEXT),
        ],
    ),
    (ApiKey::Heartbeat, 4, &[always(TEXT), always(INT), always(TEXT), since(3, TEXT)]),
    (
        ApiKey::LeaveGroup,
        4,
        &[
            always(TEXT),
            between(0, 2, TEXT),
            since(3, Kind::List(&[always(TEXT), always(TEXT), since(5, TEXT)])),
        ],
    ),
    (
        ApiKey::SyncGroup,
        4,
        &[
            always(TEXT),
            always(INT),
            always(TEXT),
            since(3, TEXT),
            since(5, TEXT),
            since(5, TEXT),
            always(Kind::List(&[always(TEXT), always(BYTES)])),
        ],
    ),
    (ApiKey::DescribeGroups, 5, &[always(TEXTS), since(3, BYTE)]),
    (ApiKey::ListGroups, 3, &[since(4, TEXTS), since(5, TEXTS)]),
    (ApiKey::ApiVersions, 3, &[since(3, TEXT), since(3, TEXT)]),
    (
        ApiKey::CreateTopics,
        5,
        &[
            always(Kind::List(&[
                always(TEXT),
                always(INT),
                always(SHORT),
                always(Kind::List(&[always(INT), always(INTS)])),
                always(Kind::List(&[always(TEXT), always(TEXT)])),
            ])),
            always(INT),
            always(BYTE),
        ],
    ),
    (
        ApiKey::DeleteTopics,
        4,
        &[since(6, Kind::List(&[always(TEXT), always(UUID)])), between(0, 5, TEXTS), always(INT)],
    ),
    (ApiKey::DeleteRecords, 2, &[always(topics![always(INT), always(LONG)]), always(INT)]),
    (ApiKey::InitProducerId, 2, &[always(TEXT), always(INT), since(3, LONG), since(3, SHORT)]),
    (
        ApiKey::OffsetForLeaderEpoch,
        4,
        &[since(3, INT), always(topics![always(INT), always(INT), always(INT)])],
    ),
    (
        ApiKey::DescribeConfigs,
        4,
        &[always(Kind::List(&[always(BYTE), always(TEXT), always(TEXTS)])), always(BYTE), since(3, BYTE)],
    ),
    (
        ApiKey::CreatePartitions,
        2,
        &[
            always(Kind::List(&[always(TEXT), always(INT), always(Kind::List(&[always(INTS)]))])),
            always(INT),
            always(BYTE),
        ],
    ),
    (ApiKey::DeleteGroups, 2, &[always(TEXTS)]),
    (
        ApiKey::IncrementalAlterConfigs,
        1,
        &[
            always(Kind::List(&[
                always(BYTE),
                always(TEXT),
                always(Kind::List(&[always(TEXT), always(BYTE), always(TEXT)])),
            ])),
            always(BYTE),
        ],
    ),
    (ApiKey::OffsetDelete, NEVER, &[always(TEXT), always(topics![always(INT)])]),
    (ApiKey::DescribeCluster, 0, &[always(BYTE), since(1, BYTE)]),
    (ApiKey::SaslHandshake, NEVER, &[always(TEXT)]),
    (ApiKey::SaslAuthenticate, 2, &[always(BYTES)]),
    (
        ApiKey::ConsumerGroupHeartbeat,
        0,
        &[
            always(TEXT),
            always(TEXT),
            always(INT),
            always(TEXT),
            always(TEXT),
            always(INT),
            always(TEXTS),
            since(1, TEXT),
            always(TEXT),
            always(Kind::List(&[always(UUID), always(INTS)])),
        ],
    ),
];

fn shape(key: ApiKey) -> Option<(i16, &'static [Field])> {
    SHAPES.iter().find(|(of, ..)| *of == key).map(|&(_, flexible_from, fields)| (flexible_from, fields))
}

/// Checks a request, header included, and gives the number of bytes that belong to it.
pub(super) fn check(key: ApiKey, version: i16, frame: &[u8]) -> Result<usize, ShapeError> {
    let (flexible_from, fields) = shape(key).ok_or(ShapeError::Length)?;
    let flexible = version >= flexible_from;
    let mut walk = Walk { rest: frame, version, flexible: false, elements: 0 };
    // The header's client id has the old form in every version.
    walk.pass(Kind::Fixed(8))?;
    walk.pass(TEXT)?;
    walk.flexible = flexible;
    walk.tagged_fields()?;
    walk.structure(fields)?;
    Ok(frame.len() - walk.rest.len())
}

struct Walk<'a> {
    rest: &'a [u8],
    version: i16,
    flexible: bool,
    elements: usize,
}

impl Walk<'_> {
    fn structure(&mut self, fields: &[Field]) -> Result<(), ShapeError> {
        for field in fields {
            if (field.from..=field.until).contains(&self.version) {
                self.pass(field.kind)?;
            }
        }
        self.tagged_fields()
    }

    fn pass(&mut self, kind: Kind) -> Result<(), ShapeError> {
        match kind {
            Kind::Fixed(bytes) => self.skip(bytes),
            Kind::Text => {
                let length = self.length(2)?;
                self.skip(length)
            }
            Kind::Bytes => {
                let length = self.length(4)?;
                self.skip(length)
            }
            Kind::Each(kind) => {
                for _ in 0..self.count()? {
                    self.pass(*kind)?;
                }
                Ok(())
            }
            Kind::List(fields) => {
                for _ in 0..self.count()? {
                    self.structure(fields)?;
                }
                Ok(())
            }
        }
    }

    /// The number of elements of a list; each takes at least a byte.
    fn count(&mut self) -> Result<usize, ShapeError> {
        let count = self.length(4)?;
        if count > self.rest.len() {
            return Err(ShapeError::Short);
        }
        self.count_elements(count)?;
        Ok(count)
    }

    fn count_elements(&mut self, more: usize) -> Result<(), ShapeError> {
        self.elements = self.elements.saturating_add(more);
        if self.elements > MAX_ELEMENTS { Err(ShapeError::TooMany) } else { Ok(()) }
    }

    /// A length, 0 for null.
    fn length(&mut self, prefix_bytes: usize) -> Result<usize, ShapeError> {
        if self.flexible {
            return Ok((self.varint()? as usize).saturating_sub(1));
        }
        let (prefix, rest) = self.rest.split_at_checked(prefix_bytes).ok_or(ShapeError::Short)?;
        self.rest = rest;
        let length = match *prefix {
            [a, b] => i16::from_be_bytes([a, b]).into(),
            [a, b, c, d] => i32::from_be_bytes([a, b, c, d]),
            _ => return Err(ShapeError::Length),
        };
        if length == -1 { Ok(0) } else { usize::try_from(length).map_err(|_| ShapeError::Length) }
    }

    fn tagged_fields(&mut self) -> Result<(), ShapeError> {
        if !self.flexible {
            return Ok(());
        }
        let count = self.varint()? as usize;
        self.count_elements(count)?;
        for _ in 0..count {
            self.varint()?;
            let length = self.varint()? as usize;
            self.skip(length)?;
        }
        Ok(())
    }

    fn varint(&mut self) -> Result<u32, ShapeError> {
        let mut value = 0_u32;
        for shift in (0..35).step_by(7) {
            let (&byte, rest) = self.rest.split_first().ok_or(ShapeError::Short)?;
            self.rest = rest;
            value |= u32::from(byte & 0x7f).wrapping_shl(shift);
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(ShapeError::Length)
    }

    fn skip(&mut self, bytes: usize) -> Result<(), ShapeError> {
        self.rest = self.rest.split_at_checked(bytes).ok_or(ShapeError::Short)?.1;
        Ok(())
    }
}

#[cfg(test)]
pub(super) mod sample {
    //! Random requests that have their shape.

    use super::{ApiKey, Field, Kind, shape};

    /// A generator of numbers that gives the same ones for the same seed.
    #[derive(Debug)]
    pub(in crate::server) struct Random(pub(in crate::server) u64);

    impl Random {
        pub(in crate::server) fn below(&mut self, limit: usize) -> usize {
            self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut mixed = self.0;
            mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            ((mixed ^ (mixed >> 31)) % limit as u64) as usize
        }
    }

    /// A whole frame: header and body, with short lists and texts.
    pub(in crate::server) fn frame(key: ApiKey, version: i16, random: &mut Random) -> Vec<u8> {
        let (flexible_from, fields) = shape(key).expect("has a shape");
        let flexible = version >= flexible_from;
        let mut bytes = Vec::new();
        bytes.extend((key as i16).to_be_bytes());
        bytes.extend(version.to_be_bytes());
        bytes.extend(7_i32.to_be_bytes());
        bytes.extend([0, 2, b'm', b'e']);
        if flexible {
            bytes.push(0);
        }
        structure(fields, version, flexible, random, &mut bytes);
        bytes
    }

    fn structure(fields: &[Field], version: i16, flexible: bool, random: &mut Random, out: &mut Vec<u8>) {
        for field in fields.iter().filter(|field| (field.from..=field.until).contains(&version)) {
            value(field.kind, version, flexible, random, out);
        }
        if flexible {
            out.push(0);
        }
    }

    fn value(kind: Kind, version: i16, flexible: bool, random: &mut Random, out: &mut Vec<u8>) {
        let length = random.below(4);
        let prefix = |bytes: usize, out: &mut Vec<u8>| match (flexible, bytes) {
            (true, _) => out.push(length as u8 + 1),
            (false, 2) => out.extend((length as i16).to_be_bytes()),
            (false, _) => out.extend((length as i32).to_be_bytes()),
        };
        match kind {
            Kind::Fixed(bytes) => out.extend((0..bytes).map(|_| random.below(2) as u8)),
            Kind::Text | Kind::Bytes => {
                prefix(if matches!(kind, Kind::Text) { 2 } else { 4 }, out);
                out.extend(std::iter::repeat_n(b'x', length));
            }
            Kind::Each(kind) => {
                prefix(4, out);
                (0..length).for_each(|_| value(*kind, version, flexible, random, out));
            }
            Kind::List(fields) => {
                prefix(4, out);
                (0..length).for_each(|_| structure(fields, version, flexible, random, out));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::sample::Random;
    use super::*;

    #[test]
    fn a_claim_without_substance_is_refused() {
        // Metadata version 1 with a list of two thousand million topics.
        let frame = [0, 3, 0, 1, 0, 0, 0, 1, 0xff, 0xff, 0x7f, 0xff, 0xff, 0xff];
        assert_eq!(check(ApiKey::Metadata, 1, &frame), Err(ShapeError::Short));
    }

    #[test]
    fn a_request_of_very_many_elements_is_refused() {
        let mut frame = vec![0, 3, 0, 1, 0, 0, 0, 1, 0xff, 0xff];
        frame.extend((MAX_ELEMENTS as i32 + 1).to_be_bytes());
        frame.resize(frame.len() + 2 * (MAX_ELEMENTS + 1), 0);
        assert_eq!(check(ApiKey::Metadata, 1, &frame), Err(ShapeError::TooMany));
    }

    #[test]
    fn nothing_is_read_beyond_the_end() {
        let mut random = Random(1);
        for api in crate::api::all() {
            for version in api.versions.clone() {
                let frame = sample::frame(api.key, version, &mut random);
                assert_eq!(check(api.key, version, &frame), Ok(frame.len()));
                for end in 0..frame.len() {
                    assert!(check(api.key, version, &frame[..end]).is_err(), "{:?} {version}", api.key);
                }
            }
        }
    }
}
