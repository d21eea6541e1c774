//! Documents of a `mongodump`, one after the other, as JSON values: each begins with its length, and one
//! longer than the database allows ends the reading.

use std::io::{self, Read};

use bson::Bson;
use serde_json::Value;

use crate::ReadError;

/// What MongoDB allows.
const DOCUMENT_MAX_BYTES: usize = 16 << 20;

/// Hands each document to `take` with its number.
///
/// # Errors
/// When it is not what a dump has, or `take` wants no more.
pub(crate) fn each(
    file: &str,
    mut reader: impl Read,
    mut take: impl FnMut(u64, Value) -> Result<(), ReadError>,
) -> Result<(), ReadError> {
    for number in 1.. {
        let mut length = [0; 4];
        match reader.read(&mut length[..1]).map_err(ReadError::io(file))? {
            0 => return Ok(()),
            _ => reader.read_exact(&mut length[1..]).map_err(ReadError::io(file))?,
        }
        let bytes = usize::try_from(i32::from_le_bytes(length)).unwrap_or_default();
        if !(5..=DOCUMENT_MAX_BYTES).contains(&bytes) {
            let problem =
                format!("document {number} says that it has {bytes} bytes (5 to 16 MiB are possible)");
            return Err(ReadError::form(file, problem));
        }
        let mut document = Vec::with_capacity(bytes.min(1 << 20));
        document.extend(length);
        let rest = (bytes - length.len()) as u64;
        let read = reader.by_ref().take(rest).read_to_end(&mut document).map_err(ReadError::io(file))?;
        if read as u64 != rest {
            return Err(ReadError::io(file)(io::ErrorKind::UnexpectedEof.into()));
        }
        let document: bson::Document = bson::deserialize_from_slice(&document)
            .map_err(|error| ReadError::form(file, format!("document {number}: {error}")))?;
        take(number, value(Bson::Document(document)))?;
    }
    Ok(())
}

/// Moments become milliseconds; what chats have no use for becomes nothing.
fn value(bson: Bson) -> Value {
    match bson {
        Bson::String(text) | Bson::Symbol(text) => Value::String(text),
        Bson::Boolean(is) => Value::Bool(is),
        Bson::Int32(number) => number.into(),
        Bson::Int64(number) => number.into(),
        Bson::Double(number) => number.into(),
        Bson::DateTime(moment) => moment.timestamp_millis().into(),
        Bson::ObjectId(id) => Value::String(id.to_hex()),
        Bson::Array(list) => Value::Array(list.into_iter().map(value).collect()),
        Bson::Document(document) => {
            Value::Object(document.into_iter().map(|(key, inside)| (key, value(inside))).collect())
        }
        _ => Value::Null,
    }
}

#[cfg(test)]
mod tests {
    use bson::doc;

    use super::*;

    fn read(bytes: &[u8]) -> Result<Vec<String>, String> {
        let mut found = Vec::new();
        each("x.bson", bytes, |_, value| {
            found.push(value.to_string());
            Ok(())
        })
        .map(|()| found)
        .map_err(|error| error.to_string())
    }

    #[test]
    fn documents_follow_each_other() {
        let at = bson::DateTime::from_millis(1_767_600_000_000);
        let mut bytes = bson::serialize_to_vec(&doc! { "_id": "m1", "ts": at, "n": [1, true] }).unwrap();
        bytes.extend(bson::serialize_to_vec(&doc! { "u": { "_id": "a1" } }).unwrap());
        let expected = [r#"{"_id":"m1","n":[1,true],"ts":1767600000000}"#, r#"{"u":{"_id":"a1"}}"#];
        assert_eq!(read(&bytes).unwrap(), expected);
        assert!(read(&bytes[..bytes.len() - 1]).unwrap_err().contains("x.bson cannot be read"));
        let absurd = read(&[0xff, 0xff, 0xff, 0x7f, 0]).unwrap_err();
        assert!(absurd.contains("document 1 says that it has 2147483647 bytes"), "{absurd}");
        assert!(read(&[6, 0, 0, 0, 9, 0]).unwrap_err().contains("document 1: "));
    }
}
