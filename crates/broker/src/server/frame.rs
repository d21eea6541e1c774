//! What is between the length prefixes: request headers in, answers out.

use bytes::{Buf, BufMut, Bytes, BytesMut};
use kafka_protocol::messages::{ApiKey, RequestHeader, RequestKind, ResponseKind};
use kafka_protocol::protocol::Decodable;

use super::shape;
use crate::api;

/// The bytes of a length prefix.
pub(super) const PREFIX_BYTES: usize = 4;
/// Key, version and correlation id.
const FIXED_HEADER_BYTES: usize = 8;

/// A request that was understood.
pub(super) struct Request {
    pub(super) correlation_id: i32,
    pub(super) version: i16,
    pub(super) client_id: String,
    pub(super) body: RequestKind,
}

/// Why a request was not understood. All but the first end the connection, as on Apache Kafka: its answer
/// would have no form that the client could read.
#[derive(Debug, thiserror::Error)]
pub(super) enum FrameError {
    /// The one request that is answered whatever its version, so that clients learn which versions there are.
    #[error("version {version} of ApiVersions is not supported")]
    ApiVersions { correlation_id: i32, version: i16 },
    #[error("request {key} version {version} is not supported")]
    Unsupported { key: i16, version: i16 },
    #[error("the request is malformed: {0}")]
    Malformed(String),
}

/// Reads a request from the bytes behind a length prefix.
pub(super) fn decode(mut frame: Bytes) -> Result<Request, FrameError> {
    if frame.len() < FIXED_HEADER_BYTES {
        return Err(FrameError::Malformed("too short for a header".to_owned()));
    }
    let mut fixed = frame.slice(..FIXED_HEADER_BYTES);
    let (key, version, correlation_id) = (fixed.get_i16(), fixed.get_i16(), fixed.get_i32());
    let Some(api) = api::supported(key) else { return Err(FrameError::Unsupported { key, version }) };
    if !api.versions.contains(&version) {
        return Err(match api.key {
            ApiKey::ApiVersions => FrameError::ApiVersions { correlation_id, version },
            _ => FrameError::Unsupported { key, version },
        });
    }
    shape::check(api.key, version, &frame).map_err(|error| FrameError::Malformed(error.to_string()))?;
    let malformed = |error: anyhow::Error| FrameError::Malformed(error.to_string());
    let header =
        RequestHeader::decode(&mut frame, api.key.request_header_version(version)).map_err(malformed)?;
    let body = RequestKind::decode(api.key, &mut frame, version).map_err(malformed)?;
    let client_id = header.client_id.map(|id| id.to_string()).unwrap_or_default();
    Ok(Request { correlation_id, version, client_id, body })
}

/// Writes an answer with its length prefix.
pub(super) fn encode(correlation_id: i32, version: i16, answer: &ResponseKind) -> Result<Bytes, FrameError> {
    let mut bytes = BytesMut::with_capacity(expected_bytes(answer));
    bytes.put_i32(0);
    bytes.put_i32(correlation_id);
    if answer.header_version(version) >= 1 {
        // No tagged fields.
        bytes.put_u8(0);
    }
    answer.encode(&mut bytes, version).map_err(|error| FrameError::Malformed(error.to_string()))?;
    let length = i32::try_from(bytes.len() - PREFIX_BYTES)
        .map_err(|_| FrameError::Malformed("the answer is too long".to_owned()))?;
    bytes[..PREFIX_BYTES].copy_from_slice(&length.to_be_bytes());
    Ok(bytes.freeze())
}

/// About the size of an answer; records make up nearly all of a large one.
fn expected_bytes(answer: &ResponseKind) -> usize {
    const WITHOUT_RECORDS: usize = 512;
    let ResponseKind::Fetch(fetched) = answer else { return WITHOUT_RECORDS };
    let partitions = fetched.responses.iter().flat_map(|topic| &topic.partitions);
    partitions.map(|data| 64 + data.records.as_ref().map_or(0, Bytes::len)).sum::<usize>() + WITHOUT_RECORDS
}

#[cfg(test)]
mod tests {
    use super::super::shape::sample::{self, Random};
    use super::*;

    /// Inputs of the fuzz test; a long run sets them by `MILENA_BROKER_FUZZ`.
    fn inputs() -> usize {
        std::env::var("MILENA_BROKER_FUZZ").ok().and_then(|inputs| inputs.parse().ok()).unwrap_or(50_000)
    }

    #[test]
    fn the_shapes_agree_with_the_codec_in_every_version() {
        let mut random = Random(7);
        for api in api::all() {
            for version in api.versions.clone() {
                for _ in 0..50 {
                    let bytes = sample::frame(api.key, version, &mut random);
                    assert_eq!(shape::check(api.key, version, &bytes).ok(), Some(bytes.len()));
                    let mut frame = Bytes::from(bytes.clone());
                    RequestHeader::decode(&mut frame, api.key.request_header_version(version))
                        .expect("header");
                    let body = RequestKind::decode(api.key, &mut frame, version)
                        .unwrap_or_else(|error| panic!("{:?} version {version}: {error}", api.key));
                    assert!(frame.is_empty(), "{:?} version {version} leaves bytes", api.key);
                    let mut again = BytesMut::new();
                    body.encode(&mut again, version).expect("encoded");
                    assert!(bytes.ends_with(&again), "{:?} version {version} differs", api.key);
                }
            }
        }
    }

    #[test]
    fn no_input_makes_the_decoder_panic() {
        let mut random = Random(11);
        let apis = api::all();
        for _ in 0..inputs() {
            let api = &apis[random.below(apis.len())];
            let versions = (api.versions.end() - api.versions.start() + 1) as usize;
            let version = api.versions.start() + random.below(versions) as i16;
            let mut frame = sample::frame(api.key, version, &mut random);
            for _ in 0..random.below(6) {
                let at = random.below(frame.len());
                frame[at] = random.below(256) as u8;
            }
            if random.below(4) == 0 {
                frame.truncate(random.below(frame.len()));
            }
            if random.below(4) == 0 {
                frame.extend((0..random.below(64)).map(|_| random.below(256) as u8));
            }
            let _ = decode(Bytes::from(frame));
        }
    }
}
