//! Where a page of the conversation list ended, as an opaque text: `next` in one answer, `before` in the next
//! request.

use milena_domain::{ConversationId, Timestamp};
use milena_storage::ListCursor;

/// The text of a cursor.
#[must_use]
pub fn encode_list_cursor(cursor: &ListCursor) -> String {
    format!("{}.{}", cursor.last_sent_at.unix_ms(), cursor.id.as_uuid().simple())
}

/// Reads what [`encode_list_cursor`] wrote; `None` for anything else.
#[must_use]
pub fn decode_list_cursor(text: &str) -> Option<ListCursor> {
    let (last_sent_at, id) = text.split_once('.')?;
    let last_sent_at = Timestamp::from_unix_ms(last_sent_at.parse().ok()?);
    let id = ConversationId::from_uuid(uuid::Uuid::try_parse(id).ok()?);
    Some(ListCursor { last_sent_at, id })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn round_trip(ms in -60_000_000_000_000_i64..250_000_000_000_000, id in any::<u128>()) {
            let cursor = ListCursor {
                last_sent_at: Timestamp::from_unix_ms(ms),
                id: ConversationId::from_uuid(uuid::Uuid::from_u128(id)),
            };
            prop_assert_eq!(decode_list_cursor(&encode_list_cursor(&cursor)), Some(cursor));
        }

        #[test]
        fn any_text_is_read_or_refused(text in ".{0,60}") {
            let _ = decode_list_cursor(&text);
        }
    }
}
