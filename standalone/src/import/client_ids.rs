//! How the ids of a file become names of the log: a `client_id` follows from the id and from whatever the id
//! is unique within, so that every run comes to the same.

use milena_domain::{ClientId, FieldError, limits};
use sha2::{Digest, Sha256};

use super::line::Place;
use crate::cli::IdScope;

/// The `client_id` of the message that `from` calls `id`, at a place that `sender` names.
///
/// # Errors
/// Names the field `id`.
pub(super) fn of_message(
    scope: IdScope,
    place: &Place,
    sender: &str,
    id: &str,
) -> Result<ClientId, FieldError> {
    let client_id = match (scope, place) {
        (IdScope::Sender, _) => ClientId::new(id),
        (IdScope::Conversation, Place::To(to)) => within_conversation(id, sender, to),
        (IdScope::Conversation, Place::Room(_)) => within_room(id),
    };
    client_id.map_err(|error| FieldError { field: "id", ..error })
}

/// Hex digits that tell a sender's conversations apart.
const SCOPE_DIGITS: usize = 16;

/// A `client_id` for an id that is unique within its conversation only. From the names in the file, so that
/// it is the same in every run and every database. An id that leaves no room for the conversation is hashed.
fn within_conversation(id: &str, from: &str, to: &str) -> Result<ClientId, FieldError> {
    let mut people = [from, to];
    people.sort_unstable();
    // No name has a control character in it.
    let conversation = hex(people.join("\0").as_bytes());
    let conversation = &conversation[..SCOPE_DIGITS];
    if id.is_empty() || id.len() + 1 + SCOPE_DIGITS <= limits::CLIENT_ID_MAX_CHARS && id.is_ascii() {
        // An empty one is refused as such.
        let text = if id.is_empty() { String::new() } else { format!("{id}@{conversation}") };
        return ClientId::new(&text);
    }
    ClientId::new(&format!("{}@{conversation}", &hex(id.as_bytes())[..40]))
}

/// Names of version 2 are of one conversation anyway. An id that cannot be one is hashed.
fn within_room(id: &str) -> Result<ClientId, FieldError> {
    if id.is_empty() {
        return ClientId::new(id);
    }
    ClientId::new(id).or_else(|_| ClientId::new(&hex(id.as_bytes())[..40]))
}

fn hex(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}
