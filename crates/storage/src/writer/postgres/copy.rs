//! PostgreSQL's binary COPY format: a signature, then for each row a count of fields and each field behind
//! its length.
//!
//! Rows are encoded a piece at a time, so that a batch is never in memory twice.

use sea_orm::SqlxError;
use sea_orm::sqlx::PgConnection;
use uuid::Uuid;

use super::super::row::TimelineRow;

const STATEMENT: &str = "COPY messages \
    (conversation_id, position, id, sender_id, recipient_id, client_id, sent_at_ms, body, kind, payload, \
    seq) \
    FROM STDIN WITH (FORMAT binary)";
/// Signature, no flags, no header extension.
const HEADER: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";
const TRAILER: [u8; 2] = (-1_i16).to_be_bytes();
const FIELDS: i16 = 11;
/// The length of what is not there.
const NULL: i32 = -1;
/// What is sent at once, about; one row more at most.
const PIECE_BYTES: usize = 64 << 10;

/// Stores all of `rows`, or fails. On an error of the database the connection can be used further.
pub(super) async fn messages(
    connection: &mut PgConnection,
    rows: &[TimelineRow<'_>],
) -> Result<(), SqlxError> {
    if rows.is_empty() {
        return Ok(());
    }
    let mut copy = connection.copy_in_raw(STATEMENT).await?;
    let mut piece = Vec::with_capacity(PIECE_BYTES + (PIECE_BYTES >> 2));
    piece.extend_from_slice(HEADER);
    for row in rows {
        encode(row, &mut piece);
        if piece.len() >= PIECE_BYTES {
            copy.send(piece.as_slice()).await?;
            piece.clear();
        }
    }
    piece.extend_from_slice(&TRAILER);
    copy.send(piece).await?;
    copy.finish().await?;
    Ok(())
}

fn encode(row: &TimelineRow<'_>, out: &mut Vec<u8>) {
    out.extend_from_slice(&FIELDS.to_be_bytes());
    uuid(row.conversation.as_uuid(), out);
    number(row.position.as_i64(), out);
    uuid(row.id.as_uuid(), out);
    uuid(row.sender.as_uuid(), out);
    uuid(row.to.as_uuid(), out);
    field(row.client_id.as_str().as_bytes(), out);
    number(row.sent_at.unix_ms(), out);
    field(row.body.as_bytes(), out);
    field(row.kind.as_bytes(), out);
    match &row.payload {
        Some(payload) => field(payload.as_bytes(), out),
        None => out.extend_from_slice(&NULL.to_be_bytes()),
    }
    number(row.seq, out);
}

fn uuid(value: Uuid, out: &mut Vec<u8>) {
    field(value.as_bytes(), out);
}

fn number(value: i64, out: &mut Vec<u8>) {
    field(&value.to_be_bytes(), out);
}

fn field(bytes: &[u8], out: &mut Vec<u8>) {
    let length = i32::try_from(bytes.len()).expect("a body has at most 32,000 bytes");
    out.extend_from_slice(&length.to_be_bytes());
    out.extend_from_slice(bytes);
}

#[cfg(test)]
mod tests {
    use milena_domain::record::Placed;
    use milena_domain::{Body, ClientId, Epoch, MessageEvent, Position, Timestamp, UserId};

    use super::*;

    #[test]
    fn a_row_is_its_fields_behind_their_lengths() {
        let user = |n| UserId::from_uuid(Uuid::from_u128(n));
        let (client_id, body) = (ClientId::new("c-1").unwrap(), Body::new("Grüße").unwrap());
        let event = MessageEvent::new(user(1), user(2), client_id, Timestamp::from_unix_ms(-5), body);
        let position = Position::new(Epoch::FIRST, 7);
        let mut out = Vec::new();
        let placed = Placed { position, event: event.clone().into() };
        encode(&TimelineRow::new(&placed, 3), &mut out);
        let mut rest = out.as_slice();
        let mut take = |count: usize| {
            let (taken, after) = rest.split_at(count);
            rest = after;
            taken
        };
        assert_eq!(take(2), [0, 11]);
        let mut field = || {
            let length = u32::from_be_bytes(take(4).try_into().unwrap());
            take(length as usize)
        };
        assert_eq!(field(), event.conversation.as_uuid().as_bytes());
        assert_eq!(field(), position.as_i64().to_be_bytes());
        assert_eq!(field(), event.id.as_uuid().as_bytes());
        assert_eq!(field(), event.sender.as_uuid().as_bytes());
        assert_eq!(field(), event.to.as_uuid().as_bytes());
        assert_eq!(field(), b"c-1");
        assert_eq!(field(), (-5_i64).to_be_bytes());
        assert_eq!(field(), "Grüße".as_bytes());
        assert_eq!(field(), b"message");
        assert_eq!(take(4), [0xff; 4], "no payload");
        let mut field = || {
            let length = u32::from_be_bytes(take(4).try_into().unwrap());
            take(length as usize)
        };
        assert_eq!(field(), 3_i64.to_be_bytes());
        assert!(rest.is_empty());
        assert_eq!(HEADER.len(), 11 + 4 + 4);
    }
}
