//! JSON of any length, entry by entry: the lists that an export consists of are never in memory as a whole.
//!
//! A [`Step`]s path names the list, such as `messages` of the root, or of each entry of `chats.list`. What
//! stands beside the path in the objects that it leads through is collected and handed in with each entry.
//! One entry may be so many bytes long, and no longer.

use std::cell::Cell;
use std::fmt;
use std::io::{self, BufReader, Read};
use std::rc::Rc;

use serde::de::{DeserializeSeed, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use crate::{ReadError, Stopped};

/// One entry, at most. The longest are messages with all their reactions, or the people of a server.
const ENTRY_MAX_BYTES: u64 = 64 << 20;

/// A step towards a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// The value of this key of an object.
    Key(&'static str),
    /// Each entry of a list.
    Each,
}

/// What stands beside the path, in each object on it, from the outside in: only what came before the list.
pub(crate) type Beside = Vec<Map<String, Value>>;

/// Hands each entry at the end of one of the `paths` to `take`, with the number of the path, the entry's
/// number within the list, and what stands beside the path.
///
/// # Errors
/// When it is not JSON, or `take` wants no more. What was read before was handed out.
pub(crate) fn each(
    file: &str,
    reader: impl Read,
    paths: &[&[Step]],
    take: impl FnMut(usize, u64, &Beside, Value) -> Result<(), ReadError>,
) -> Result<(), ReadError> {
    each_of(file, reader, paths, ENTRY_MAX_BYTES, take)
}

fn each_of(
    file: &str,
    reader: impl Read,
    paths: &[&[Step]],
    most: u64,
    mut take: impl FnMut(usize, u64, &Beside, Value) -> Result<(), ReadError>,
) -> Result<(), ReadError> {
    let left = Rc::new(Cell::new(most));
    let input = BufReader::new(Budget { input: reader, left: Rc::clone(&left), most });
    let mut walk = Walk { take: &mut take, left: &left, most, beside: Vec::new(), failed: None };
    let mut json = serde_json::Deserializer::from_reader(input);
    let paths: Vec<(usize, &[Step])> = paths.iter().copied().enumerate().collect();
    let outcome = At { walk: &mut walk, paths, depth: 0 }.deserialize(&mut json);
    if let Some(error) = walk.failed {
        return Err(error);
    }
    outcome.and_then(|()| json.end()).map_err(|error| ReadError::form(file, error))
}

/// A whole file in memory.
///
/// # Errors
/// When it is not JSON, or too long.
pub(crate) fn whole(file: &str, reader: impl Read) -> Result<Value, ReadError> {
    let left = Rc::new(Cell::new(ENTRY_MAX_BYTES));
    let input = BufReader::new(Budget { input: reader, left, most: ENTRY_MAX_BYTES });
    serde_json::from_reader(input).map_err(|error| ReadError::form(file, error))
}

struct Budget<R> {
    input: R,
    left: Rc<Cell<u64>>,
    most: u64,
}

impl<R: Read> Read for Budget<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.input.read(buffer)?;
        let Some(left) = self.left.get().checked_sub(read as u64) else {
            let problem = format!("an entry is longer than {} KiB", self.most >> 10);
            return Err(io::Error::new(io::ErrorKind::InvalidData, problem));
        };
        self.left.set(left);
        Ok(read)
    }
}

/// Takes an entry: the number of its path, its own, what stands beside the path, and itself.
type Take<'a> = dyn FnMut(usize, u64, &Beside, Value) -> Result<(), ReadError> + 'a;

struct Walk<'a> {
    take: &'a mut Take<'a>,
    left: &'a Cell<u64>,
    most: u64,
    beside: Beside,
    failed: Option<ReadError>,
}

/// A value of which these paths are left to go.
struct At<'w, 'a, 'p> {
    walk: &'w mut Walk<'a>,
    paths: Vec<(usize, &'p [Step])>,
    depth: usize,
}

impl<'de> DeserializeSeed<'de> for At<'_, '_, '_> {
    type Value = ();

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for At<'_, '_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.paths.first() {
            Some((_, [Step::Key(key), ..])) => write!(f, "an object with `{key}`"),
            _ => f.write_str("a list"),
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Self { walk, paths, depth } = self;
        walk.beside.truncate(depth);
        walk.beside.push(Map::new());
        while let Some(key) = map.next_key::<String>()? {
            let inside: Vec<(usize, &[Step])> = paths
                .iter()
                .filter_map(|(number, path)| match path {
                    [Step::Key(wanted), rest @ ..] if *wanted == key => Some((*number, rest)),
                    _ => None,
                })
                .collect();
            if inside.is_empty() {
                let value = map.next_value()?;
                walk.beside[depth].insert(key, value);
            } else {
                map.next_value_seed(At { walk: &mut *walk, paths: inside, depth: depth + 1 })?;
                walk.beside.truncate(depth + 1);
            }
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        let Self { walk, paths, depth } = self;
        walk.beside.truncate(depth);
        let Some(&(number, [Step::Each, rest @ ..])) = paths.first() else {
            while list.next_element::<IgnoredAny>()?.is_some() {}
            return Ok(());
        };
        let mut entry = 0;
        loop {
            walk.left.set(walk.most);
            entry += 1;
            if rest.is_empty() {
                let Some(value) = list.next_element::<Value>()? else { return Ok(()) };
                if let Err(error) = (walk.take)(number, entry, &walk.beside, value) {
                    walk.failed = Some(error);
                    return Err(A::Error::custom("stopped"));
                }
            } else {
                let seed = At { walk: &mut *walk, paths: vec![(number, rest)], depth };
                if list.next_element_seed(seed)?.is_none() {
                    return Ok(());
                }
            }
        }
    }

    // Where an object or a list is expected and something else stands, there is nothing to find.
    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }
    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }
    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }
    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }
    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }
    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }
}

/// What is asked of the objects of exports, of which nearly every field may be absent.
pub(crate) trait Fields {
    /// A text that is not empty.
    fn text(&self, field: &str) -> Option<&str>;
    /// A list; none where there is none.
    fn list(&self, field: &str) -> &[Value];
    /// Whether it is `true`.
    fn is(&self, field: &str) -> bool;
    /// A whole number, also one that is written as a text.
    fn whole(&self, field: &str) -> Option<i64>;
    /// An id: a text or a number, as text.
    fn id(&self, field: &str) -> Option<String>;
}

impl Fields for Value {
    fn text(&self, field: &str) -> Option<&str> {
        self.get(field).and_then(Self::as_str).filter(|text| !text.is_empty())
    }

    fn list(&self, field: &str) -> &[Value] {
        self.get(field).and_then(Self::as_array).map_or(&[], Vec::as_slice)
    }

    fn is(&self, field: &str) -> bool {
        self.get(field).and_then(Self::as_bool).unwrap_or_default()
    }

    fn whole(&self, field: &str) -> Option<i64> {
        let value = self.get(field)?;
        value.as_i64().or_else(|| value.as_str()?.parse().ok())
    }

    fn id(&self, field: &str) -> Option<String> {
        match self.get(field)? {
            Self::String(text) if !text.is_empty() => Some(text.clone()),
            Self::Number(number) => Some(number.to_string()),
            _ => None,
        }
    }
}

/// So that a stop of whoever takes entries is told as one.
pub(crate) fn stop(_: Stopped) -> ReadError {
    ReadError::Stopped
}

#[cfg(test)]
mod tests {
    use super::*;

    type Got = (usize, u64, Vec<String>, String);

    fn read(text: &str, paths: &[&[Step]]) -> Result<Vec<Got>, String> {
        let mut found = Vec::new();
        each("x.json", text.as_bytes(), paths, |path, number, beside, value| {
            let beside = beside.iter().map(|map| Value::from(map.clone()).to_string()).collect();
            found.push((path, number, beside, value.to_string()));
            Ok(())
        })
        .map(|()| found)
        .map_err(|error| error.to_string())
    }

    #[test]
    fn lists_are_found_where_they_are_with_what_stands_beside() {
        let paths: [&[Step]; 2] = [
            &[Step::Key("messages"), Step::Each],
            &[Step::Key("chats"), Step::Key("list"), Step::Each, Step::Key("messages"), Step::Each],
        ];
        let one = |path, number, beside: &[&str], value: &str| {
            (path, number, beside.iter().map(ToString::to_string).collect(), value.to_owned())
        };
        assert_eq!(
            read(r#"{"name":"a","messages":[1,{"b":2}],"after":3}"#, &paths).unwrap(),
            [one(0, 1, &[r#"{"name":"a"}"#], "1"), one(0, 2, &[r#"{"name":"a"}"#], r#"{"b":2}"#)]
        );
        let two = r#"{"x":0,"chats":{"about":"y","list":[{"id":1,"messages":[1]},{"messages":[2]},null]}}"#;
        assert_eq!(
            read(two, &paths).unwrap(),
            [
                one(1, 1, &[r#"{"x":0}"#, r#"{"about":"y"}"#, r#"{"id":1}"#], "1"),
                one(1, 1, &[r#"{"x":0}"#, r#"{"about":"y"}"#, "{}"], "2"),
            ]
        );
        assert_eq!(read("[1,2]", &[&[Step::Each]]).unwrap().len(), 2);
        assert_eq!(read("7", &[&[Step::Each]]).unwrap(), []);
    }

    #[test]
    fn what_is_no_json_is_said_with_its_place() {
        let broken = read("{\"messages\":[1,\n{]}", &[&[Step::Key("messages"), Step::Each]]).unwrap_err();
        assert!(
            broken.starts_with("x.json is not of the expected form: ") && broken.contains("line 2"),
            "{broken}"
        );
        let cut = read("{\"messages\":[1,", &[&[Step::Key("messages"), Step::Each]]).unwrap_err();
        assert!(cut.contains("EOF"), "{cut}");
    }

    #[test]
    fn one_entry_is_bounded_and_the_list_is_not() {
        let read = |text: &str| {
            let mut entries = 0;
            each_of("x.json", text.as_bytes(), &[&[Step::Each]], 64 << 10, |_, number, _, _| {
                entries = number;
                Ok(())
            })
            .map(|()| entries)
        };
        let entry = format!("\"{}\",", "x".repeat(10 << 10));
        assert_eq!(read(&format!("[{}1]", entry.repeat(70))).unwrap(), 71);
        let refused = read(&format!("[\"{}\"]", "x".repeat(80 << 10))).unwrap_err().to_string();
        assert!(refused.contains("an entry is longer than 64 KiB"), "{refused}");
    }
}
