//! Record headers: what a reader can decide by without parsing the value.

use milena_domain::{HEADER_ID, HEADER_SENDER, HEADER_TO, HEADER_TYPE, MessageEvent, TYPE_MESSAGE};
use rdkafka::message::{Header, Headers, OwnedHeaders};

/// The headers of a direct message's record.
#[must_use]
pub fn message_headers(event: &MessageEvent) -> OwnedHeaders {
    let (id, sender, to) = (event.id.to_string(), event.sender.to_string(), event.to.to_string());
    let header = |key, value| Header { key, value: Some(value) };
    OwnedHeaders::new_with_capacity(4)
        .insert(header(HEADER_TYPE, TYPE_MESSAGE))
        .insert(header(HEADER_ID, &id))
        .insert(header(HEADER_SENDER, &sender))
        .insert(header(HEADER_TO, &to))
}

/// The value of the first header called `name`.
pub fn header<'a, H: Headers>(headers: &'a H, name: &str) -> Option<&'a [u8]> {
    headers.iter().find(|header| header.key == name).and_then(|header| header.value)
}
